//! The order of a scrape: which part follows which, and how the rows of a book become samples a
//! piece at a time.

use redora_exposition::Encoder;

use super::families;
use super::rows::Place;
use super::{red, versions_logs};
use crate::digest::Books;

/// Which binary answers.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// The version of the package.
    pub version: &'static str,
    /// The commit it was built from; empty where the build did not say.
    pub revision: &'static str,
}

/// Encodes rows from a position on; gives the position to go on from, or nothing when the part is
/// complete.
pub(super) type Part = fn(&Books, &mut Encoder, Place) -> Option<Place>;

/// A part of a scrape.
#[derive(Clone, Copy, Debug)]
pub(super) enum Section {
    /// What answers.
    Build,
    /// A family of the books, by its place in [`PARTS`].
    Books(usize),
    /// The counter of one `log_metrics` rule.
    LogRule(usize),
    /// The agent's own counters.
    Own,
}

impl Section {
    pub(super) const FIRST: Section = Section::Build;

    /// What follows.
    pub(super) fn next(self, books: &Books) -> Option<Section> {
        let rules = books.log_metrics.rules().len();
        match self {
            Section::Build => Some(Section::Books(0)),
            Section::Books(part) if part + 1 < PARTS.len() => Some(Section::Books(part + 1)),
            Section::Books(_) => Some(rule_or_own(0, rules)),
            Section::LogRule(rule) => Some(rule_or_own(rule + 1, rules)),
            Section::Own => None,
        }
    }
}

fn rule_or_own(rule: usize, rules: usize) -> Section {
    if rule < rules { Section::LogRule(rule) } else { Section::Own }
}

pub(super) const PARTS: &[Part] = &[
    red::encode_requests,
    red::encode_request_durations,
    red::encode_observed,
    red::encode_represented,
    versions_logs::encode_version_requests,
    versions_logs::encode_version_info,
    versions_logs::encode_version_first_seen,
    versions_logs::encode_version_last_seen,
    versions_logs::encode_log_records,
    red::encode_tempo_calls,
    red::encode_tempo_latency,
    red::encode_edge_total,
    red::encode_edge_failed,
    red::encode_edge_server,
    red::encode_edge_client,
    red::encode_spanmetrics_calls,
    red::encode_spanmetrics_duration,
];

/// The build, and the agent as a target.
pub(super) fn encode_build(build: Build, encoder: &mut Encoder) {
    encoder.family(&families::TARGET.family());
    encoder.gauge(&[("service_name", "redora"), ("service_version", build.version)], 1.0);
    encoder.family(&families::BUILD.family());
    encoder.gauge(&[("version", build.version), ("revision", build.revision)], 1.0);
}
