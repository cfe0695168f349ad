//! A rehearsal as lines for people, or as JSON for what reads it: each objective's alerts with the
//! numbers they come to, then the incidents.

use std::fmt::Write as _;

use super::super::columns::{self, time};
use crate::app::delivery::text;
use crate::app::rehearse::{Alerts, Detection, Fired, Found, Played, Report};

/// The report as pretty JSON with a newline.
pub(super) fn json(report: &Report) -> String {
    serde_json::to_string_pretty(report).expect("a report has no key that is not text") + "\n"
}

/// Aligned columns.
pub(super) fn table(report: &Report) -> String {
    let mut out = String::new();
    for played in &report.objectives {
        let _infallible = writeln!(out, "{}", head(played, report.to_ms));
        columns::aligned(&mut out, &rows(played));
    }
    if let Some(detection) = &report.detection {
        let _infallible = writeln!(out, "{}", incidents_head(detection));
        columns::aligned(&mut out, &incidents(detection));
    }
    out
}

/// Tables of Markdown.
pub(super) fn markdown(report: &Report) -> String {
    let mut out = String::new();
    for played in &report.objectives {
        let _infallible = writeln!(out, "### {}\n", head(played, report.to_ms));
        columns::markdown(&mut out, ["alert", "when", "how"], &rows(played));
    }
    if let Some(detection) = &report.detection {
        let _infallible = writeln!(out, "### {}\n", incidents_head(detection));
        columns::markdown(&mut out, ["incident", "when", "first page"], &incidents(detection));
    }
    out
}

type Row = [String; 3];

fn head(played: &Played, to_ms: i64) -> String {
    let Played { service, slo, objective, window_s, from_ms, .. } = played;
    let days = *window_s as f64 / 86_400.0;
    format!("{service}/{slo}, {objective} over {days} d, {} to {}", text(*from_ms), text(to_ms))
}

fn rows(played: &Played) -> Vec<Row> {
    let total = played.good.saturating_add(played.bad);
    let mut rows = vec![
        row("pages", &alerts(played.pages), &pages(played)),
        row("tickets", &alerts(played.tickets), &fired_of(played.tickets).unwrap_or_default()),
        row("events", &total.to_string(), &format!("{} of them bad", played.bad)),
    ];
    rows.extend(played.firings.iter().map(fired));
    rows
}

fn alerts(alerts: Alerts) -> String {
    match alerts.per_week {
        Some(per_week) => format!("{} ({per_week:.1} a week)", alerts.notified),
        None => alerts.notified.to_string(),
    }
}

/// How many alerts fired, where that is more than people were called for.
fn fired_of(alerts: Alerts) -> Option<String> {
    (alerts.fired > alerts.notified).then(|| format!("{} alerts fired", alerts.fired))
}

fn pages(played: &Played) -> String {
    let alone = played.pages_without_incident.map(|n| format!("{n} without an incident"));
    [fired_of(played.pages), alone].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn fired(fired: &Fired) -> Row {
    let Fired { tier, severity, fired_ms, notified_ms, joined, ended_ms, incident } = fired;
    let mut how = match ended_ms {
        Some(ended_ms) => format!("for {}", time((ended_ms - fired_ms) as f64 / 1000.0)),
        None => "still firing".to_owned(),
    };
    match notified_ms {
        None => how.push_str(", inhibited"),
        Some(at_ms) if at_ms > fired_ms => {
            let _infallible = write!(how, ", inhibited until {}", text(*at_ms));
        }
        Some(_) => {}
    }
    if *joined {
        let _infallible = write!(how, ", the same {severity} as the one before");
    }
    if let Some(incident) = incident {
        let _infallible = write!(how, ", incident {incident}");
    }
    [format!("{severity} {tier}"), text(*fired_ms), how]
}

fn incidents_head(detection: &Detection) -> String {
    let Detection { n, missed, delay_median_s, .. } = detection;
    let mut head = format!("incidents: {} of {n} detected, {missed} missed", n - missed);
    if let Some(delay_s) = delay_median_s {
        let _infallible = write!(head, ", median {}", delay(*delay_s));
    }
    head
}

fn incidents(detection: &Detection) -> Vec<Row> {
    let row = |found: &Found| {
        let what = match found.title.as_str() {
            "" => found.id.clone(),
            title => format!("{} {title}", found.id),
        };
        let how = match &found.page {
            Some(page) => {
                format!(
                    "{} by {}/{} {}",
                    delay(page.delay_s as f64),
                    page.service,
                    page.slo,
                    page.tier
                )
            }
            None => "missed".to_owned(),
        };
        [what, text(found.started_ms), how]
    };
    detection.incidents.iter().map(row).collect()
}

fn delay(seconds: f64) -> String {
    if seconds < 0.0 {
        format!("{} before", time(-seconds))
    } else {
        format!("after {}", time(seconds))
    }
}

fn row(name: &str, value: &str, basis: &str) -> Row {
    [name, value, basis].map(str::to_owned)
}
