//! The order of a scrape: which part follows which, and how the rows of a book become samples a
//! piece at a time.

use redora_exposition::Encoder;

use super::families;
use super::rows::{Place, Step};
use super::{delivery, red, slo, versions_logs};
use crate::digest::Books;
use crate::red::{Edge, Spans};
use crate::sightings::Seen;
use crate::slo::Standing;

/// Which binary answers.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// The version of the package.
    pub version: &'static str,
    /// The commit it was built from; empty where the build did not say.
    pub revision: &'static str,
}

/// Encodes rows of one family until a piece is full; gives the position to go on from, or nothing
/// when the family is complete.
pub(super) type Part = fn(Step<'_>) -> Option<Place>;

/// A part of a scrape.
#[derive(Clone, Copy, Debug)]
pub(super) enum Section {
    /// What answers.
    Build,
    /// A family of the books, by its place in [`PARTS`].
    Books(usize),
    /// The counter of one `log_metrics` rule.
    LogRule(usize),
    /// A family of the delivery half.
    Delivery(usize),
    /// The agent's own counters.
    Own,
}

impl Section {
    pub(super) const FIRST: Section = Section::Build;

    /// What follows.
    pub(super) fn next(self, books: &Books, delivers: bool) -> Option<Section> {
        let rules = books.log_metrics.rules().len();
        let families = if delivers { delivery::PARTS } else { 0 };
        match self {
            Section::Build => Some(Section::Books(0)),
            Section::Books(part) if part + 1 < PARTS.len() => Some(Section::Books(part + 1)),
            Section::Books(_) if rules > 0 => Some(Section::LogRule(0)),
            Section::LogRule(rule) if rule + 1 < rules => Some(Section::LogRule(rule + 1)),
            Section::Books(_) | Section::LogRule(_) if families > 0 => Some(Section::Delivery(0)),
            Section::Delivery(part) if part + 1 < families => Some(Section::Delivery(part + 1)),
            Section::Books(_) | Section::LogRule(_) | Section::Delivery(_) => Some(Section::Own),
            Section::Own => None,
        }
    }
}

pub(super) const PARTS: &[Part] = &[
    red::requests,
    red::request_durations,
    |step| {
        let spans = step.books.red.spans();
        step.counters(&families::OBSERVED, spans, Spans::observed)
    },
    |step| {
        let spans = step.books.red.spans();
        step.counters(&families::REPRESENTED, spans, Spans::represented)
    },
    versions_logs::version_requests,
    |step| versions_logs::seen(step, &families::VERSION_INFO, |_| 1.0),
    |step| {
        let first_seen = |seen: &Seen| seen.first_ms as f64 / 1e3;
        versions_logs::seen(step, &families::VERSION_FIRST_SEEN, first_seen)
    },
    |step| {
        let last_seen = |seen: &Seen| seen.last_ms as f64 / 1e3;
        versions_logs::seen(step, &families::VERSION_LAST_SEEN, last_seen)
    },
    versions_logs::log_records,
    slo::events,
    slo::version_events,
    |step| slo::gauge(step, &families::SLO_OBJECTIVE, |one| one.watched.objective.goal.ratio()),
    |step| slo::gauge(step, &families::SLO_WINDOW, |one| one.window_s() as f64),
    slo::burn_rates,
    |step| {
        let remaining =
            |one: &Standing<'_>| one.spent().budget_remaining(one.watched.objective.goal);
        slo::gauge(step, &families::SLO_BUDGET, remaining)
    },
    |step| slo::info(step, &families::SLO_INFO),
    slo::tiers,
    |step| {
        let tempo = step.books.red.tempo();
        red::calls(step, &families::TEMPO_CALLS, tempo)
    },
    |step| {
        let tempo = step.books.red.tempo();
        red::call_durations(step, &families::TEMPO_LATENCY, tempo)
    },
    |step| {
        let edges = &step.books.red.edges()?.book;
        step.counters(&families::EDGE_TOTAL, edges, Edge::requests)
    },
    |step| {
        let edges = &step.books.red.edges()?.book;
        step.counters(&families::EDGE_FAILED, edges, Edge::failed)
    },
    |step| red::edge_durations(step, &families::EDGE_SERVER),
    |step| red::edge_durations(step, &families::EDGE_CLIENT),
    |step| {
        let spanmetrics = step.books.red.spanmetrics();
        red::calls(step, &families::SPANMETRICS_CALLS, spanmetrics)
    },
    |step| {
        let spanmetrics = step.books.red.spanmetrics();
        red::call_durations(step, &families::SPANMETRICS_DURATION, spanmetrics)
    },
];

/// The build, and the agent as a target.
pub(super) fn encode_build(build: Build, encoder: &mut Encoder) {
    encoder.family(&families::TARGET.family());
    encoder.gauge(&[("service_name", "redora"), ("service_version", build.version)], 1.0);
    encoder.family(&families::BUILD.family());
    encoder.gauge(&[("version", build.version), ("revision", build.revision)], 1.0);
}
