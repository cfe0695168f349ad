//! Alerts on delivery, stale sources first of all: what was not read looks like what did not
//! happen, so every other alert is silent on an instance one of whose sources is behind.

use super::{Alert, Board, Group, Record, Rule, RuleFile, Severity, expr};

/// Rules over `redora_dora_*` and `redora_source_*`.
#[must_use]
pub fn file() -> RuleFile {
    let rules = vec![
        record(
            "redora:source_behind:seconds",
            expr(
                "
                redora_source_watermark_age_seconds > 21600
                or (redora_source_gaps unless redora_source_watermark_age_seconds)",
            ),
        ),
        stale(),
        unread(),
        failures(),
        frequency(),
        lead_time(),
    ];
    RuleFile {
        name: "dora.yaml",
        comment: COMMENT,
        groups: vec![Group { name: "redora-dora".to_owned(), interval: "1m", rules }],
    }
}

fn stale() -> Rule {
    Rule::Alert(Alert {
        name: "RedoraSourceStale",
        expr: "redora_source_watermark_age_seconds > 21600".to_owned(),
        wait: "10m",
        keep: None,
        severity: Severity::Ticket,
        labels: Vec::new(),
        summary: "{{ $labels.source }} has not been read for a while",
        description: "What {{ $labels.source }} says is known up to {{ $value | humanizeDuration \
                      }} ago. Delivery numbers lag behind, and alerts on them are silent.",
        board: AGENT,
        runbook_label: None,
    })
}

fn unread() -> Rule {
    Rule::Alert(Alert {
        name: "RedoraSourceUnread",
        expr: "redora_source_gaps unless redora_source_watermark_age_seconds".to_owned(),
        wait: "6h",
        keep: None,
        severity: Severity::Ticket,
        labels: Vec::new(),
        summary: "{{ $labels.source }} was never read to its end",
        description: "{{ $labels.source }} is configured, and six hours were not enough to read \
                      all of it once. Alerts on delivery are silent until then.",
        board: AGENT,
        runbook_label: None,
    })
}

fn failures() -> Rule {
    delivery(
        "RedoraChangeFailureRatio",
        &format!(
            "redora_dora_change_failure_ratio\n  \
             {{window=\"30d\",bound=\"confirmed\",{PRODUCTION}}} > 0.2"
        ),
        &samples("change_failure_ratio", 5),
        "1h",
        "Too many deployments of {{ $labels.service }} fail",
        "{{ $value | humanizePercentage }} of the deployments of {{ $labels.service }} to \
         {{ $labels.environment }} in 30 days needed intervention.",
    )
}

/// A service without a deployment in 90 days is at rest.
fn frequency() -> Rule {
    delivery(
        "RedoraDeploymentFrequency",
        &format!(r#"redora_dora_deployments{{window="7d",{PRODUCTION}}} < 2"#),
        &format!("ignoring (window)\n  redora_dora_deployments{{window=\"90d\",{PRODUCTION}}} > 0"),
        "1d",
        "{{ $labels.service }} is deployed less than twice a week",
        "{{ $labels.service }} was deployed to {{ $labels.environment }} {{ $value }} times in \
         seven days.",
    )
}

fn lead_time() -> Rule {
    delivery(
        "RedoraLeadTime",
        &format!(
            "redora_dora_change_lead_time_seconds\n  {{window=\"30d\",start=\"commit\",\
             end=\"deployed\",quantile=\"0.5\",{PRODUCTION}}} > 172800"
        ),
        &samples("change_lead_time", 5),
        "1h",
        "Changes of {{ $labels.service }} take more than two days to arrive",
        "Half of the changes of {{ $labels.service }} took longer than {{ $value | \
         humanizeDuration }} from their first commit to {{ $labels.environment }}.",
    )
}

/// At least so many samples behind a number, matched by what both series have.
fn samples(metric: &str, least: u32) -> String {
    format!(
        "on (job, instance, service, environment, window)\n  \
         redora_dora_samples{{metric=\"{metric}\",window=\"30d\",{PRODUCTION}}} >= {least}"
    )
}

fn delivery(
    name: &'static str,
    condition: &str,
    guard: &str,
    wait: &'static str,
    summary: &'static str,
    description: &'static str,
) -> Rule {
    Rule::Alert(Alert {
        name,
        expr: format!(
            "{condition}\nand {guard}\nunless on (job, instance)\n  redora:source_behind:seconds"
        ),
        wait,
        keep: None,
        severity: Severity::Ticket,
        labels: Vec::new(),
        summary,
        description,
        board: Board { uid: "redora-dora", variables: &["service", "environment"] },
        runbook_label: None,
    })
}

fn record(name: &'static str, expr: String) -> Rule {
    Rule::Record(Record { name, expr, labels: Vec::new() })
}

/// Other environments fail and wait on purpose.
const PRODUCTION: &str = r#"environment=~"prod.*|live""#;

const AGENT: Board = Board { uid: "redora-agent", variables: &["job", "instance"] };

const COMMENT: &str = "\
Delivery: stale sources first, then the DORA metrics of production. Written by `redora render`;
do not edit.";
