//! A report as lines: the five metrics, and where it was asked for, what they are held against.

use std::fmt::Write;

use super::rows::{Block, Row, absent, percent, time};
use crate::app::delivery::{Bands, Judged, QuickCheck, Report, Spread};

/// The lines of every place.
pub(super) fn blocks(places: &[Judged]) -> Vec<Block> {
    let block = |judged: &Judged| {
        let answer = &judged.answer;
        let mut rows = rows(&answer.report);
        rows.extend(judged.bands.iter().flat_map(bands));
        rows.extend(judged.quick_check.iter().flat_map(quick_check));
        Block::new(&answer.service, &answer.environment, answer.from_ms, answer.to_ms, rows)
    };
    places.iter().map(block).collect()
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

/// Each metric with its levels and the words of the first one, and at the end where they are from.
fn bands(bands: &Bands) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for standing in &bands.metrics {
        let described = |level: &str| standing.bands.iter().find(|band| band.level == level);
        let (value, basis) = match (standing.value, standing.levels.first()) {
            (None, _) => (absent(), "not measured".to_owned()),
            (Some(_), None) => ("none".to_owned(), "between the levels".to_owned()),
            (Some(_), Some(first)) => {
                let words = described(first).map(|band| band.words).unwrap_or_default();
                (standing.levels.join(", "), words.to_owned())
            }
        };
        let name = match standing.metric {
            "deployment_frequency" => "level, deployment frequency",
            "lead_time" => "level, lead time",
            "change_failure_rate" => "level, change failure rate",
            "time_to_restore" => "level, time to restore",
            _ => "level, failed deployment recovery",
        };
        rows.push(Row { name, value, basis });
    }
    let (value, basis) = (bands.year.to_string(), bands.source.to_owned());
    rows.push(Row { name: "levels of", value, basis });
    rows
}

fn quick_check(check: &QuickCheck) -> Vec<Row> {
    let row = |name, score: Option<f64>, mean: f64| {
        let value = score.map_or_else(absent, |score| format!("{score:.1}"));
        Row { name, value, basis: format!("of 10; industry mean {mean:.1}") }
    };
    let mut rows = vec![row("Quick Check score", check.score, check.industry_mean)];
    for metric in &check.metrics {
        let name = match metric.metric {
            "lead_time" => "score, lead time",
            "deployment_frequency" => "score, deployment frequency",
            "recovery_time" => "score, failed deployment recovery",
            "change_failure_rate" => "score, change failure rate",
            _ => "score, rework rate",
        };
        rows.push(row(name, metric.score, metric.industry_mean));
    }
    rows
}
