//! Alerts on rate, errors and duration of services, for those that have no objective yet: they ask
//! for a ticket, because without an objective nobody has said what is bad enough to wake someone.
//!
//! Each one looks at how much there is to judge by before it judges: a ratio of four requests is
//! noise.

use super::{Alert, Board, Group, Record, Rule, RuleFile, Severity, expr};

/// Rules over `redora_requests_total` and `redora_request_duration_seconds`.
#[must_use]
pub fn file() -> RuleFile {
    RuleFile {
        name: "red.yaml",
        comment: COMMENT,
        groups: vec![
            Group { name: "redora-red".to_owned(), interval: "30s", rules: traffic() },
            Group { name: "redora-red-latency".to_owned(), interval: "15s", rules: latency() },
        ],
    }
}

fn traffic() -> Vec<Rule> {
    let count = |selector: &str| {
        format!("sum by (service) (increase(redora_requests_total{{{SERVED}{selector}}}[10m]))")
    };
    vec![
        record("redora:requests:increase10m", count("")),
        record("redora:errors:increase10m", count(r#",outcome="error""#)),
        Rule::Alert(Alert {
            name: "RedoraErrorRatio",
            expr: expr(
                "
                redora:errors:increase10m / (redora:requests:increase10m > 0) > 0.05
                and round(redora:errors:increase10m) >= 10",
            ),
            wait: "2m",
            keep: Some("5m"),
            severity: Severity::Ticket,
            labels: Vec::new(),
            summary: "{{ $labels.service }} answers with errors",
            description: "{{ $value | humanizePercentage }} of the requests to \
                          {{ $labels.service }} failed in the last ten minutes.",
            board: BOARD,
            runbook_label: None,
        }),
        drop(),
    ]
}

/// Less than a third of the same time a week before; of an hour before where there is no such week.
/// A service that is gone altogether counts as zero for as long as the last hour knows it.
fn drop() -> Rule {
    let before = expr(
        "
        (
          redora:requests:increase10m offset 1w
          or redora:requests:increase10m offset 1h
        )",
    );
    let inner = before.replace('\n', "\n  ");
    Rule::Alert(Alert {
        name: "RedoraTrafficDrop",
        expr: format!(
            "(\n  (redora:requests:increase10m or 0 * redora:requests:increase10m offset 1h)\n  \
             / {inner}\n) < 0.3\nand {before} >= 100"
        ),
        wait: "5m",
        keep: Some("5m"),
        severity: Severity::Ticket,
        labels: Vec::new(),
        summary: "{{ $labels.service }} gets far fewer requests than usual",
        description: "{{ $labels.service }} served {{ $value | humanizePercentage }} of the \
                      requests that it served at this time a week before (an hour before, where \
                      nothing is known of that week).",
        board: BOARD,
        runbook_label: None,
    })
}

/// Three evaluations at the pace of a usual scrape.
fn latency() -> Vec<Rule> {
    vec![
        // The earliest sighting of any agent: one that restarts sees every version anew.
        record(
            "redora:version_arrival:timestamp_seconds",
            expr(
                r#"
                topk by (service) (1,
                  min by (service, version, environment) (
                    redora_version_first_seen_timestamp_seconds{version!="other"}
                  )
                )"#,
            ),
        ),
        // A server that keeps native histograms may keep no classic ones, and the other way round.
        record(
            "redora:request_duration_seconds:p95_1m",
            expr(&format!(
                "
                histogram_quantile(0.95,
                  sum by (service, le) (
                    rate(redora_request_duration_seconds_bucket{{{SERVED}}}[1m])
                  )
                )
                or
                histogram_quantile(0.95,
                  sum by (service) (rate(redora_request_duration_seconds{{{SERVED}}}[1m]))
                )"
            )),
        ),
        Rule::Alert(Alert {
            name: "RedoraLatencyAfterDeployment",
            expr: expr(&format!(
                "
                (redora:request_duration_seconds:p95_1m > 1.5)
                  * on (service) group_left (version, environment)
                    (time() - redora:version_arrival:timestamp_seconds < bool 3600 == 1)
                and on (service)
                  sum by (service) (increase(redora_requests_total{{{SERVED}}}[1m])) >= 20"
            )),
            wait: "30s",
            keep: Some("5m"),
            severity: Severity::Ticket,
            labels: Vec::new(),
            summary: "{{ $labels.service }} is slow since {{ $labels.version }} arrived",
            description: "The 95th percentile of {{ $labels.service }} is {{ $value | \
                          humanizeDuration }}, over 1.5 s for three evaluations, within an hour \
                          after {{ $labels.version }} served its first request.",
            board: BOARD,
            runbook_label: None,
        }),
    ]
}

fn record(name: &'static str, expr: String) -> Rule {
    Rule::Record(Record { name, expr, labels: Vec::new() })
}

/// What a service serves; what it asks of others is theirs.
const SERVED: &str = r#"kind=~"server|consumer""#;

const BOARD: Board = Board { uid: "redora-service", variables: &["service"] };

const COMMENT: &str = "\
Rate, errors and duration of services. Written by `redora render`; do not edit.";
