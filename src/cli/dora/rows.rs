//! A report as lines for people: each number with what it is counted over, and `-` where there is
//! none.

use std::fmt::Write;

use crate::app::delivery::{Answer, Report, Spread, text};

/// One line: what, how much, counted over what.
struct Row {
    name: &'static str,
    value: String,
    basis: String,
}

/// The answers as aligned columns.
pub(super) fn table(answers: &[Answer]) -> String {
    let mut out = String::new();
    for answer in answers {
        let rows = rows(&answer.report);
        let width = |cell: fn(&Row) -> &str| rows.iter().map(|row| cell(row).len()).max();
        let (first, second) = (width(|row| row.name), width(|row| &row.value));
        let (first, second) = (first.unwrap_or(0), second.unwrap_or(0));
        out.push_str(&heading(answer));
        for Row { name, value, basis } in &rows {
            let line = format!("  {name:first$}  {value:second$}  {basis}");
            let _infallible = writeln!(out, "{}", line.trim_end());
        }
    }
    if answers.is_empty() { NOTHING.to_owned() } else { out }
}

/// The answers as tables of Markdown.
pub(super) fn markdown(answers: &[Answer]) -> String {
    let mut out = String::new();
    for answer in answers {
        let head = heading(answer);
        let _infallible =
            write!(out, "### {head}\n| metric | value | over |\n| --- | --- | --- |\n");
        for Row { name, value, basis } in rows(&answer.report) {
            let _infallible = writeln!(out, "| {name} | {value} | {basis} |");
        }
        out.push('\n');
    }
    if answers.is_empty() { NOTHING.to_owned() } else { out }
}

fn heading(answer: &Answer) -> String {
    let Answer { service, environment, from_ms, to_ms, .. } = answer;
    format!("{service} in {environment}, {} to {}\n", text(*from_ms), text(*to_ms))
}

fn rows(report: &Report) -> Vec<Row> {
    let mut rows = vec![frequency(report)];
    for lead in &report.lead_time {
        let name = match (lead.start, lead.end) {
            ("commit", "deployed") => "lead time, commit to deployed",
            ("commit", _) => "lead time, commit to first request",
            ("pull_request", "deployed") => "lead time, pull request to deployed",
            ("pull_request", _) => "lead time, pull request to first request",
            (_, "deployed") => "lead time, merge to deployed",
            _ => "lead time, merge to first request",
        };
        if lead.spread.n > 0 || name.ends_with("commit to deployed") {
            rows.push(spread(name, &lead.spread, "changes"));
        }
    }
    let failure = &report.failure;
    let pending = match failure.pending {
        0 => String::new(),
        pending => format!(", {pending} pending"),
    };
    rows.push(Row {
        name: "change failure rate",
        value: match (failure.confirmed_ratio, failure.possible_ratio) {
            (Some(least), Some(most)) if least < most => {
                format!("{} to {}", percent(least), percent(most))
            }
            (least, _) => least.map_or_else(absent, percent),
        },
        basis: format!("{} of {} deployments{pending}", failure.confirmed, failure.n),
    });
    rows.push(spread("failed deployment recovery", &report.recovery, "failures"));
    rows.push(Row {
        name: "rework rate",
        value: report.rework.ratio.map_or_else(absent, percent),
        basis: format!("{} of {} deployments", report.rework.repairs, report.rework.n),
    });
    let incidents = &report.incidents;
    if incidents.n > 0 {
        let mut row = spread("incidents", &incidents.duration, "resolved");
        row.basis = format!(
            "{}, {} open, {} of {} unattributed",
            row.basis,
            incidents.open.len(),
            incidents.unattributed,
            incidents.n
        );
        rows.push(row);
    }
    if !report.gaps.is_empty() {
        let basis = "deployments whose changes are not known".to_owned();
        rows.push(Row { name: "gaps", value: report.gaps.len().to_string(), basis });
    }
    rows
}

fn frequency(report: &Report) -> Row {
    let frequency = &report.frequency;
    let mut basis = format!("on {} days", frequency.days);
    for (number, what) in [
        (frequency.rollbacks, "rollbacks"),
        (frequency.unmapped, "unmapped"),
        (frequency.not_live, "not live"),
        (frequency.redeployments, "redeployments beside"),
        (frequency.failed, "failed"),
        (frequency.open, "open"),
    ] {
        if number > 0 {
            let _infallible = write!(basis, ", {number} {what}");
        }
    }
    Row { name: "deployments", value: frequency.n.to_string(), basis }
}

fn spread(name: &'static str, spread: &Spread, of: &str) -> Row {
    let value = match (spread.p50_s, spread.p75_s, spread.p90_s) {
        (Some(p50), Some(p75), Some(p90)) => {
            format!("median {}, p75 {}, p90 {}", time(p50), time(p75), time(p90))
        }
        _ => absent(),
    };
    let rejected = match spread.rejected {
        0 => String::new(),
        rejected => format!(", {rejected} negative ones left out"),
    };
    Row { name, value, basis: format!("{} {of}{rejected}", spread.n) }
}

fn absent() -> String {
    "-".to_owned()
}

fn percent(ratio: f64) -> String {
    format!("{:.1} %", ratio * 100.0)
}

/// Seconds in the unit that people would use.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}

const NOTHING: &str = "no deployments are known; `redora dora import FILE` stores some\n";
