//! One constant file of rules for any number of objectives: what differs between them (objective,
//! window, team) is read from the agent's gauges by a join, so nobody renders anew for a new one.
//!
//! Counts stay counts until the last step. A window's burn is its bad events over all its events,
//! so a busy hour weighs more than a quiet one; the mean of ratios that other generators take lets
//! a night with one failed request of two outweigh the day.

use redora_model::slo::{self, BAD_EVENTS_MIN, TIERS, Tier};

use super::{Alert, Board, Group, Record, Rule, RuleFile, Severity, expr};

/// The name of the alerts on burn.
pub const BURN: &str = "RedoraSloBurn";

/// A tier of burns, and how patient its alert is.
#[derive(Clone, Copy, Debug)]
struct Paced {
    tier: Tier,
    /// `for`.
    wait: &'static str,
    /// `keep_firing_for`.
    keep: &'static str,
}

/// What tells a burn from an accident: a condition by service and objective over the long window of
/// a tier.
pub(super) type Guard = fn(&str) -> String;

/// Every tier, the fastest first.
fn paced() -> impl Iterator<Item = Paced> {
    TIERS.into_iter().map(|tier| Paced { tier, wait: tier.wait.name, keep: tier.keep.name })
}

/// Rules over `redora_slo_*`.
#[must_use]
pub fn file() -> RuleFile {
    let mut page = settings();
    for window in ["5m", "30m", "1h", "6h"] {
        page.extend(counted(window));
    }
    page.extend(alerts(Severity::Page, counted_bad));
    let mut ticket = counted("2h").to_vec();
    for window in ["1d", "3d"] {
        ticket.extend(summed(window));
    }
    ticket.extend(alerts(Severity::Ticket, counted_bad));
    ticket.push(remaining());
    ticket.push(spent(counted_bad));
    RuleFile {
        name: "slo.yaml",
        comment: COMMENT,
        groups: vec![
            Group { name: "redora-slo-page".to_owned(), interval: "30s", rules: page },
            Group { name: "redora-slo-ticket".to_owned(), interval: "1m", rules: ticket },
        ],
    }
}

/// Objective, window and owner of each objective, once for all agents that count for it.
fn settings() -> Vec<Rule> {
    // Ten minutes of memory: an agent that goes down with its service must not end the alert.
    let setting = |metric| format!("max by (service, slo) (last_over_time({metric}[10m]))");
    vec![
        record("redora:slo_objective:ratio", setting("redora_slo_objective_ratio")),
        record("redora:slo_window:seconds", setting("redora_slo_window_seconds")),
        // One row for each objective, whatever the agents say: during a rollout two may name two
        // teams, and a join with both would fail for every objective at once.
        record(
            "redora:slo_owner:info",
            expr(
                "
                topk by (service, slo) (1,
                  max by (service, slo, team, runbook) (last_over_time(redora_slo_info[10m]))
                )
                or on (service, slo) (redora:slo_objective:ratio >= bool 0)",
            ),
        ),
    ]
}

/// Events of a window, from the counters themselves: the page tiers must not wait.
fn counted(window: &str) -> [Rule; 3] {
    let sum = |selector: &str| {
        format!("sum by (service, slo) (increase(redora_slo_events_total{selector}[{window}]))")
    };
    events(window, sum(r#"{outcome="bad"}"#), sum(""))
}

/// Events of a long window, from recorded counts, of which there is one series an objective instead
/// of one an instance.
///
/// A count of half an hour that is looked at every six minutes holds each event five times. Windows
/// that only touch would lose what falls between the last scrape of one and the first of the next.
fn summed(window: &str) -> [Rule; 3] {
    let sum = |name| format!(r#"sum_over_time({name}{{window="30m"}}[{window}:6m]) / 5"#);
    events(window, sum("redora:slo_bad_events:increase"), sum("redora:slo_events:increase"))
}

fn events(window: &str, bad: String, all: String) -> [Rule; 3] {
    let burn = expr(&format!(
        r#"
        redora:slo_bad_events:increase{{window="{window}"}}
          / (redora:slo_events:increase{{window="{window}"}} > 0)
          / on (service, slo) (1 - redora:slo_objective:ratio)"#
    ));
    [
        ("redora:slo_bad_events:increase", bad),
        ("redora:slo_events:increase", all),
        ("redora:slo_burn_rate:ratio", burn),
    ]
    .map(|(name, expr)| {
        Rule::Record(Record { name, expr, labels: vec![("window", window.to_owned())] })
    })
}

/// The alerts on burns that ask for this.
pub(super) fn alerts(wanted: Severity, guard: Guard) -> impl Iterator<Item = Rule> {
    paced().filter(move |paced| severity(paced) == wanted).map(move |paced| burn(paced, guard))
}

/// `increase` extrapolates, so three events may count as 2.9 or 3.1: they are rounded before they
/// are compared.
fn counted_bad(long: &str) -> String {
    format!(r#"round(redora:slo_bad_events:increase{{window="{long}"}}) >= {BAD_EVENTS_MIN}"#)
}

fn burn(paced: Paced, guard: Guard) -> Rule {
    let (severity, Paced { tier, wait, keep }) = (severity(&paced), paced);
    let (long, short) = (tier.long.name, tier.short.name);
    let above = format!(
        "> on (service, slo) (0.{:02} * redora:slo_window:seconds / {})",
        tier.share_percent, tier.long.seconds
    );
    Rule::Alert(Alert {
        name: BURN,
        expr: expr(&format!(
            r#"
            (redora:slo_burn_rate:ratio{{window="{long}"}} {above})
              * on (service, slo) group_left (team, runbook) redora:slo_owner:info
            and on (service, slo)
              (redora:slo_burn_rate:ratio{{window="{short}"}} {above})
            and on (service, slo)
              ({})
            unless on (service, slo)
              {}"#,
            guard(long),
            switched_off(severity)
        )),
        wait,
        keep: Some(keep),
        severity,
        labels: vec![("burn_tier", long.to_owned())],
        summary: "{{ $labels.service }} spends the error budget of {{ $labels.slo }} too fast",
        description: "{{ $labels.service }} spends the error budget of {{ $labels.slo }} \
                      {{ printf \"%.1f\" $value }} times as fast as its objective allows, over \
                      the long window of this tier and still now.",
        board: BOARD,
        runbook_label: Some("runbook"),
    })
}

fn remaining() -> Rule {
    record(
        "redora:slo_error_budget_remaining:ratio",
        expr(
            "
            sum by (service, slo) (
              redora_slo_error_budget_remaining_ratio
                * sum without (outcome) (increase(redora_slo_events_total[6h]))
            )
            / (
              sum by (service, slo) (
                sum without (outcome) (increase(redora_slo_events_total[6h]))
                and redora_slo_error_budget_remaining_ratio
              ) > 0
            )
            or avg by (service, slo) (redora_slo_error_budget_remaining_ratio)",
        ),
    )
}

/// The alert on a budget that is spent, while something still spends it.
pub(super) fn spent(guard: Guard) -> Rule {
    Rule::Alert(Alert {
        name: "RedoraSloBudgetExhausted",
        expr: expr(&format!(
            r#"
            (redora:slo_error_budget_remaining:ratio <= 0)
              * on (service, slo) group_left (team, runbook) redora:slo_owner:info
            and on (service, slo)
              ({})
            unless on (service, slo)
              {}"#,
            guard("3d"),
            switched_off(Severity::Ticket)
        )),
        wait: "10m",
        keep: Some("1h"),
        severity: Severity::Ticket,
        labels: vec![("burn_tier", "budget".to_owned())],
        summary: "{{ $labels.service }} has no error budget left for {{ $labels.slo }}",
        description: "{{ $labels.service }} has {{ $value | humanizePercentage }} of its error \
                      budget of {{ $labels.slo }} left, and bad events in the last three days.",
        board: BOARD,
        runbook_label: Some("runbook"),
    })
}

/// What a tier asks for; also the `tier` of `redora_slo_tier_enabled`.
fn severity(paced: &Paced) -> Severity {
    match paced.tier.severity {
        slo::Severity::Page => Severity::Page,
        slo::Severity::Ticket => Severity::Ticket,
    }
}

/// Objectives whose tier every agent has switched off. Without a word it is on.
fn switched_off(severity: Severity) -> String {
    format!(
        "(max by (service, slo) \
         (last_over_time(redora_slo_tier_enabled{{tier=\"{severity}\"}}[10m])) == 0)"
    )
}

fn record(name: &'static str, expr: String) -> Rule {
    Rule::Record(Record { name, expr, labels: Vec::new() })
}

const BOARD: Board = Board { uid: "redora-slo", variables: &["service", "slo"] };

const COMMENT: &str = "\
Burn of every objective that redora counts. Written by `redora render`; do not edit.
Prometheus 2.42 or newer, a scrape of each agent at least once a minute.";
