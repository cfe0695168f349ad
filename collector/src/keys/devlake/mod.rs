//! The numbers of a place as Apache DevLake computes them: for whoever comes from there, and to
//! hold two definitions of one history against each other. They are computed from the facts anew
//! and not from what `link` found, because the two disagree about nearly every case.
//!
//! The rules are those of DevLake's `dora` and `refdiff` plugins and its DORA dashboard; how they
//! differ from redora's, and what the facts cannot tell, stands in `docs/definitions.md`.

mod deployments;
mod frequency;
mod incidents;
mod pulls;

pub use deployments::Deployed;
pub use pulls::Cycle;

use serde::Serialize;

use super::Query;
use crate::link::History;

/// DevLake's numbers of one place and window.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DevLake {
    /// The median of days with a deployment, over the weeks of the window.
    pub days_per_week: Option<u64>,
    /// The same over its months.
    pub days_per_month: Option<u64>,
    /// The median cycle of the pull requests that were deployed in the window.
    pub lead_time: Median,
    /// Where that time goes, the mean of each stage; one that is missing counts as 0.
    pub stages: Vec<Stage>,
    /// How many of the deployments have an incident.
    pub failures: Failures,
    /// From a deployment to the end of its incident.
    pub recovery: Median,
    /// From the beginning of any incident to its end.
    pub restore: Median,
    /// Successful deployments that have no commit: DevLake cannot keep them.
    pub without_commit: usize,
    /// The deployments behind it, in the order of their finish.
    pub deployments: Vec<Deployed>,
    /// The pull requests behind it, in the order of their deployments.
    pub pull_requests: Vec<Cycle>,
}

/// A median that is one of the samples, in whole minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Median {
    /// How many there were.
    pub n: usize,
    /// Of two in the middle the lower one.
    pub p50_min: Option<i64>,
}

/// A part of a pull request's cycle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// `coding`, `pickup`, `review` or `deploy`.
    pub stage: &'static str,
    /// Its mean in minutes.
    pub mean_min: Option<f64>,
}

/// Change failure rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Failures {
    /// Deployments.
    pub n: usize,
    /// Those with an incident.
    pub failed: usize,
    /// Their share.
    pub ratio: Option<f64>,
}

/// Computes DevLake's numbers.
#[must_use]
pub fn devlake(history: &History, query: &Query) -> DevLake {
    // Both ends are inside, as in the dashboard's filter.
    let within = |ms: i64| (query.from_ms..=query.to_ms).contains(&ms);
    let chain = deployments::chain(history);
    let outcomes = incidents::connect(history, &chain.deployed);
    let cycles = pulls::cycles(history, &chain);
    let moments = chain.deployed.iter().map(|deployed| deployed.finished_ms);
    let days = frequency::days(moments, query);

    let counted = |deployed: &usize| within(chain.deployed[*deployed].finished_ms);
    let resolved: Vec<_> = outcomes.iter().filter(|o| o.resolved_ms.is_some_and(within)).collect();
    let recovered = resolved.iter().filter_map(|outcome| {
        let cause = outcome.cause.filter(counted)?;
        let finished_ms = chain.deployed[cause].finished_ms;
        Some(incidents::minutes(finished_ms, outcome.resolved_ms?))
    });
    let restored = resolved
        .iter()
        .filter_map(|outcome| Some(incidents::minutes(outcome.started_ms, outcome.resolved_ms?)));
    let (recovery, restore) = (median(recovered.collect()), median(restored.collect()));

    let mut deployments = chain.deployed;
    for outcome in outcomes {
        if let Some(cause) = outcome.cause {
            deployments[cause].incidents.push(outcome.id);
        }
    }
    deployments.retain(|deployed| within(deployed.finished_ms));
    deployments.sort_by(|a, b| (a.finished_ms, &a.id).cmp(&(b.finished_ms, &b.id)));
    let mut pull_requests = cycles;
    pull_requests.retain(|cycle| cycle.deployed_ms.is_some_and(within));
    pull_requests.sort_by(|a, b| (a.deployed_ms, &a.id).cmp(&(b.deployed_ms, &b.id)));
    DevLake {
        days_per_week: days.per_week,
        days_per_month: days.per_month,
        lead_time: median(pull_requests.iter().map(|cycle| cycle.cycle_min).collect()),
        stages: stages(&pull_requests),
        failures: failures(&deployments),
        recovery,
        restore,
        without_commit: chain.without_commit_ms.into_iter().filter(|ms| within(*ms)).count(),
        deployments,
        pull_requests,
    }
}

/// The cycle of every merged pull request, whether it was deployed or not, in the order of their
/// names.
#[must_use]
pub fn cycles(history: &History) -> Vec<Cycle> {
    pulls::cycles(history, &deployments::chain(history))
}

fn stages(pull_requests: &[Cycle]) -> Vec<Stage> {
    type Part = fn(&Cycle) -> Option<i64>;
    let parts: [(&'static str, Part); 4] = [
        ("coding", |cycle| cycle.coding_min),
        ("pickup", |cycle| cycle.pickup_min),
        ("review", |cycle| cycle.review_min),
        ("deploy", |cycle| cycle.deploy_min),
    ];
    let n = pull_requests.len();
    let mean = |part: Part| {
        let sum: i128 = pull_requests.iter().filter_map(part).map(i128::from).sum();
        (n > 0).then(|| sum as f64 / n as f64)
    };
    parts.into_iter().map(|(stage, part)| Stage { stage, mean_min: mean(part) }).collect()
}

fn failures(deployments: &[Deployed]) -> Failures {
    let n = deployments.len();
    let failed = deployments.iter().filter(|deployed| !deployed.incidents.is_empty()).count();
    Failures { n, failed, ratio: super::ratio(failed, n) }
}

/// The greatest value whose percent rank is at most one half: the lower middle one.
fn median(mut minutes: Vec<i64>) -> Median {
    minutes.sort_unstable();
    let n = minutes.len();
    let p50_min = n.checked_sub(1).map(|last| minutes[last / 2]);
    Median { n, p50_min }
}

#[cfg(test)]
mod tests;
