//! `redora dora backfill --dry-run`, and the lines that a backfill begins with: what would be read,
//! what it costs, and how long it takes. A row is a stream, because each has a place of its own.

use std::fmt::Write as _;

use super::super::args::PlanFormat;
use super::super::outcome::{self, Outcome};
use super::rows::time;
use crate::app::delivery::{self, Ahead, Budget, DeliveryError, Planned, PlannedSource, text};
use crate::config::Config;
use crate::process::{self, Clock};

/// Prints what a backfill would read.
pub(super) fn dry_run(config: &Config, format: PlanFormat) -> Result<Outcome, DeliveryError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let planning = delivery::plan(config, Clock::system(), process::seed());
    let planned = runtime.block_on(planning)?;
    let mut outcome = Outcome::Done;
    for PlannedSource { source, waits, refused, .. } in &planned.sources {
        if let Some(wait) = waits {
            let until = text(wait.until_ms);
            outcome::complain(&format_args!(
                "{source}: {}: it can be asked again at {until}",
                wait.why
            ));
            outcome = outcome.max(Outcome::Failed);
        }
        if let Some(refused) = refused {
            outcome::complain(&format_args!("{source}: {refused}"));
            outcome = Outcome::Wrong;
        }
    }
    let page = match format {
        PlanFormat::Json => planned.json(),
        PlanFormat::Table => table(&planned),
    };
    Ok(outcome.max(outcome::print(page.as_bytes())))
}

/// A row for each stream of each source that could be asked, and what all of it comes to.
fn table(planned: &Planned) -> String {
    let mut rows: Vec<[String; 8]> = vec![HEAD.map(str::to_owned)];
    for source in &planned.sources {
        rows.extend(source.ahead.iter().map(|ahead| row(&source.source, ahead)));
    }
    if rows.len() == 1 {
        let is_pushed = planned.sources.is_empty();
        return if is_pushed { PUSHED.to_owned() } else { String::new() };
    }
    let widths: [usize; 8] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let mut out = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _infallible = writeln!(out, "{}", line.trim_end());
    }
    out.push('\n');
    for source in planned.sources.iter().filter(|source| !source.ahead.is_empty()) {
        let _infallible = writeln!(out, "{}", short_line(source));
    }
    out.push_str(&limits(planned));
    let _infallible = writeln!(out, "all of it: {}", about(planned.lasts_ms));
    let has = |of: fn(&Ahead) -> bool| planned.sources.iter().any(|s| s.ahead.iter().any(of));
    if has(|ahead| ahead.at_most) {
        out.push_str(AT_MOST);
    }
    if has(|ahead| ahead.graphql_requests + ahead.rest_requests > 0) {
        out.push_str(BESIDE);
    }
    out
}

fn row(source: &str, ahead: &Ahead) -> [String; 8] {
    [
        source.to_owned(),
        ahead.stream.to_owned(),
        ahead.place.word().to_owned(),
        // To the second, as GitHub reads it.
        ahead.since_ms.map_or_else(|| "-".to_owned(), |ms| text(ms - ms.rem_euclid(1_000))),
        objects(ahead),
        ahead.graphql_requests.to_string(),
        ahead.graphql_points.to_string(),
        ahead.rest_requests.to_string(),
    ]
}

/// What a backfill says of its plan before it begins; nothing where no source could be asked, for
/// reading it says why.
pub(super) fn short(planned: &Planned) -> String {
    let told = planned.sources.iter().filter(|source| !source.ahead.is_empty());
    let lines: Vec<String> = told.map(short_line).collect();
    if lines.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    for line in lines.iter().take(LINES_MAX) {
        let _infallible = writeln!(out, "{line}");
    }
    if let Some(more) = lines.len().checked_sub(LINES_MAX).filter(|more| *more > 0) {
        let _infallible = writeln!(out, "and {more} sources more");
    }
    if planned.graphql.iter().chain(&planned.rest).any(|budget| budget.waits_ms > 0) {
        out.push_str(&limits(planned));
    }
    if lines.len() > 1 {
        let _infallible = writeln!(out, "all of it: {}", about(planned.lasts_ms));
    }
    out
}

fn short_line(source: &PlannedSource) -> String {
    let streams = source.ahead.iter().map(|ahead| format!("{} {}", objects(ahead), ahead.stream));
    let streams = streams.collect::<Vec<_>>().join(", ");
    let queries = source.sum(|ahead| ahead.graphql_requests);
    let requests = queries + source.sum(|ahead| ahead.rest_requests);
    let points = source.sum(|ahead| ahead.graphql_points);
    let asked = match (requests, queries) {
        (0, _) => String::new(),
        (requests, 0) => format!("{requests} requests, "),
        (requests, queries) => {
            format!("{requests} requests, {queries} of them queries for {points} points, ")
        }
    };
    format!("{}: {streams}: {asked}{}", source.source, about(source.usual_ms))
}

fn objects(ahead: &Ahead) -> String {
    if ahead.at_most { format!("at most {}", ahead.objects) } else { ahead.objects.to_string() }
}

fn limits(planned: &Planned) -> String {
    let mut out = String::new();
    for (what, budget) in [("points", &planned.graphql), ("requests", &planned.rest)] {
        let Some(budget) = budget else { continue };
        let Budget { needed, allowance, waits_ms } = budget;
        let verdict = match waits_ms {
            0 => "the plan fits".to_owned(),
            waits_ms => format!("the plan waits {} for it", time(seconds(*waits_ms))),
        };
        let _infallible = writeln!(
            out,
            "limit of {what}: {needed} needed, {} of {} left until {}: {verdict}",
            allowance.remaining,
            allowance.limit,
            text(allowance.resets_ms)
        );
    }
    out
}

fn about(ms: u64) -> String {
    format!("about {}", time(seconds(ms).max(1.0)))
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

const HEAD: [&str; 8] =
    ["source", "stream", "place", "since", "objects", "queries", "points", "REST"];
/// What a terminal shows without scrolling.
const LINES_MAX: usize = 20;
const PUSHED: &str = "nothing is read: what is configured is pushed to the admin port\n";
const AT_MOST: &str = "at most: GitHub counts these without a date; reading ends at the first \
                       that is too old\n";
const BESIDE: &str = "not counted, because no count tells them: lists longer than a page of one \
                      object, earlier attempts of runs,\nand commits deployed beside the branch, \
                      one request each, four where GitHub has them no more\n";
