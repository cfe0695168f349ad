//! A report by another tool's rules as lines, under that tool's own names, so that nobody takes one
//! number for the other.

use super::rows::{Block, Row, absent, percent};
use crate::app::delivery::{Compared, DevLake, Median};

/// The lines of every place.
pub(super) fn blocks(places: &[Compared]) -> Vec<Block> {
    let block = |compared: &Compared| {
        let Compared { service, environment, from_ms, to_ms, devlake } = compared;
        Block::new(service, environment, *from_ms, *to_ms, rows(devlake))
    };
    places.iter().map(block).collect()
}

fn rows(devlake: &DevLake) -> Vec<Row> {
    let days = |days: Option<u64>| days.map_or_else(absent, |days| days.to_string());
    let n = devlake.deployments.len();
    let commits: usize = devlake.deployments.iter().map(|deployed| deployed.commits).sum();
    let frequency = match devlake.without_commit {
        0 => format!("{n} deployments with {commits} commits"),
        left => format!("{n} deployments with {commits} commits; {left} without one left out"),
    };
    let mut rows = vec![
        Row {
            name: "deployment days per week, median",
            value: days(devlake.days_per_week),
            basis: frequency,
        },
        Row {
            name: "deployment days per month, median",
            value: days(devlake.days_per_month),
            basis: String::new(),
        },
        median("lead time for changes, median", devlake.lead_time, "pull requests"),
    ];
    for stage in &devlake.stages {
        let name = match stage.stage {
            "coding" => "coding time, mean",
            "pickup" => "pickup time, mean",
            "review" => "review time, mean",
            _ => "deploy time, mean",
        };
        let value = stage.mean_min.map_or_else(absent, |minutes| format!("{minutes:.1} min"));
        rows.push(Row { name, value, basis: "missing ones as 0".to_owned() });
    }
    let failures = devlake.failures;
    rows.push(Row {
        name: "change failure rate",
        value: failures.ratio.map_or_else(absent, percent),
        basis: format!("{} of {} deployments", failures.failed, failures.n),
    });
    rows.push(median("failed deployment recovery time, median", devlake.recovery, "incidents"));
    rows.push(median("time to restore service, median", devlake.restore, "incidents"));
    rows
}

/// In whole minutes, as they are stored there, so that both tools can be compared to the digit.
fn median(name: &'static str, median: Median, of: &str) -> Row {
    let value = median.p50_min.map_or_else(absent, |minutes| format!("{minutes} min"));
    Row { name, value, basis: format!("{} {of}", median.n) }
}
