//! Which deployment an incident is put down to: the last successful one that was finished before
//! the incident began, however long before, and whatever the incident itself says.

use redora_model::fact::Turn;

use super::deployments::Deployed;
use crate::link::History;

/// An incident, and the deployment it is put down to.
pub(super) struct Outcome {
    /// Its fact's source and id.
    pub(super) id: String,
    pub(super) started_ms: i64,
    /// When it was closed for the last time, where it is closed.
    pub(super) resolved_ms: Option<i64>,
    /// By place in the list of deployments.
    pub(super) cause: Option<usize>,
}

/// Connects every incident, in the order of their beginnings.
pub(super) fn connect(history: &History, deployed: &[Deployed]) -> Vec<Outcome> {
    let mut by_finish: Vec<usize> = (0..deployed.len()).collect();
    by_finish.sort_by_key(|at| (deployed[*at].finished_ms, deployed[*at].id.as_str()));
    let outcomes = history.incidents.iter().map(|(name, incident)| {
        let started_ms = incident.started_ms;
        let before = by_finish.partition_point(|at| deployed[*at].finished_ms < started_ms);
        Outcome {
            id: name.to_string(),
            started_ms,
            resolved_ms: closed(&incident.changes),
            cause: before.checked_sub(1).map(|last| by_finish[last]),
        }
    });
    let mut outcomes: Vec<Outcome> = outcomes.collect();
    outcomes.sort_unstable_by(|a, b| (a.started_ms, &a.id).cmp(&(b.started_ms, &b.id)));
    outcomes
}

fn closed(changes: &[Turn]) -> Option<i64> {
    changes.iter().max().filter(|last| last.resolved).map(|last| last.at_ms)
}

/// The whole minutes between two moments; what is begun is cut off, towards zero.
pub(super) fn minutes(from_ms: i64, to_ms: i64) -> i64 {
    to_ms.saturating_sub(from_ms) / 60_000
}
