//! Whether alerts are worth waking up for. Its numbers come from Prometheus and Alertmanager, whose
//! labels are not those of the agents.

use crate::dashboard::board::{Board, Row};
use crate::dashboard::kind::Lines;
use crate::dashboard::panel::Panel;
use crate::dashboard::query::Query;
use crate::dashboard::style::{Bands, Colour, Unit};
use crate::dashboard::table::Table;
use crate::dashboard::variable::Variable;

const FIRING: &str = r#"ALERTS{alertstate="firing", severity=~"$severity"}"#;
const PAGES: &str = r#"ALERTS{alertstate="firing", severity="page"}"#;
const CALM: &str = "No alert fired";

pub(super) fn board() -> Board {
    let metric = "alertmanager_notifications_total";
    Board {
        uid: "redora-alerts",
        title: "Alert quality",
        question: "Are the alerts worth waking up for, and do they arrive?",
        since: "now-7d",
        refresh: "1m",
        variables: vec![
            // First, because alerts have neither job nor instance to be picked by.
            Variable::any_or_none("severity", "Severity", "ALERTS").where_named(),
            Variable::any("job", "Job", metric),
            Variable::any("instance", "Instance", metric),
        ],
        markers: Vec::new(),
        rows: vec![headline(), graphs(), alerts()],
    }
}

/// How often alerts began to fire: at a minute's distance, firing now and not the minute before.
fn begun(selector: &str, by: &str, range: &str) -> String {
    format!("sum by ({by}) (count_over_time(({selector} unless {selector} offset 1m)[{range}:1m]))")
}

fn headline() -> Row {
    let firing = Panel::stat("Firing now", "Alerts that fire now.")
        .query(Query::now("alerts", format!("count({FIRING})")))
        .bands(Bands::Low(1.0, 5.0))
        .empty("None");
    let pages = Panel::stat(
        "Pages by week",
        "How often somebody was woken, at the pace of the shown time. More than two a week wear \
         people out.",
    )
    .query(Query::now("pages", format!("{} / ($__range_s / 604800)", begun(PAGES, "", "$__range"))))
    .unit(Unit::Number)
    .bands(Bands::Low(2.0, 5.0))
    .empty("Nobody was paged");
    let short = Panel::stat(
        "Over within five minutes",
        "Share of alerts of the shown time that fired for less than five minutes in all: nobody \
         could have acted on them.",
    )
    .query(Query::now(
        "short",
        format!(
            "sum(count_over_time({FIRING}[$__range:1m]) < bool 5)
               / count(count_over_time({FIRING}[$__range:1m]))"
        ),
    ))
    .unit(Unit::Ratio)
    .bands(Bands::Low(0.1, 0.3))
    .empty(CALM);
    let lost = Panel::stat(
        "Notifications failed",
        "Share of the attempts to notify that failed in the shown time: alerts nobody heard.",
    )
    .query(Query::now(
        "failed",
        "sum(increase(alertmanager_notifications_failed_total{SCOPE}[$__range]))
           / (sum(increase(alertmanager_notifications_total{SCOPE}[$__range])) > 0)",
    ))
    .unit(Unit::Ratio)
    .bands(Bands::Low(0.001, 0.01))
    .empty("No notification sent");
    Row::first(4).panel(firing).panel(pages).panel(short).panel(lost)
}

fn graphs() -> Row {
    let firing = Panel::lines(Lines::Stacked, "Firing", "Alerts that fired, by severity.")
        .query(Query::over_time("{{severity}}", format!("count by (severity) ({FIRING})")))
        .paint("page", Colour::Bad)
        .paint("ticket", Colour::Fair)
        .zero_based()
        .empty(CALM);
    let sent = Panel::lines(
        Lines::Bars,
        "Notifications by hour",
        "Attempts to notify in the hour before each moment, by integration; failed ones apart.",
    )
    .query(Query::over_time(
        "{{integration}}",
        "sum by (integration) (increase(alertmanager_notifications_total{SCOPE}[1h])) > 0",
    ))
    .query(Query::over_time(
        "{{integration}} failed",
        "sum by (integration) (increase(alertmanager_notifications_failed_total{SCOPE}[1h])) > 0",
    ))
    .zero_based()
    .empty("No notification sent");
    let held = Panel::lines(
        Lines::Beside,
        "Held back",
        "Alerts that Alertmanager knows and does not notify of, because they are silenced or \
         inhibited, and silences in force. A silence that is always there hides a broken alert.",
    )
    .query(Query::over_time(
        "alerts held back",
        r#"sum(alertmanager_alerts{SCOPE, state="suppressed"})"#,
    ))
    .query(Query::over_time(
        "silences in force",
        r#"sum(alertmanager_silences{SCOPE, state="active"})"#,
    ))
    .paint("alerts held back", Colour::Fair)
    .paint("silences in force", Colour::Plain)
    .zero_based()
    .empty("No Alertmanager is scraped");
    Row::titled("Course", 9).panel(firing).panel(sent).panel(held)
}

fn alerts() -> Row {
    let by = "alertname, severity";
    let all = r#"ALERTS{severity=~"$severity"}"#;
    let pending = r#"ALERTS{alertstate="pending", severity=~"$severity"}"#;
    let minutes =
        |selector: &str| format!("60 * sum by ({by}) (count_over_time({selector}[$__range:1m]))");
    let table = Table::default()
        .label("alertname", "Alert")
        .label("severity", "Severity")
        .banded("Fired", Unit::Count, Bands::Low(3.0, 10.0), begun(FIRING, by, "$__range"))
        .value("Firing for", Unit::Seconds, minutes(FIRING))
        .value("Pending for", Unit::Seconds, minutes(pending))
        .value(
            "On services",
            Unit::Count,
            format!(
                "count by ({by}) (count by ({by}, service) (count_over_time({all}[$__range:1m])))"
            ),
        )
        .sorted_by("Fired");
    let alerts = Panel::table(
        "Alerts of the shown time",
        "The noisiest first. One that fires often and briefly flaps: lengthen its for or its \
         keep_firing_for. One that is long pending and never fires looks at the wrong thing.",
        table,
    )
    .empty(CALM);
    Row::titled("Alerts", 10).panel(alerts)
}
