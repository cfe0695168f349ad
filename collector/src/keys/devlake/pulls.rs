//! The cycle of a pull request in whole minutes, each stage rounded up by itself, so that stages
//! need not add up. A change is a pull request here; a direct commit is none.

use std::collections::HashMap;

use redora_model::fact::{Commit, PullRequest};
use redora_model::identity::Revision;
use serde::Serialize;

use super::deployments::Chain;
use crate::link::History;

/// A merged pull request's way into an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cycle {
    /// `owner/name#12`.
    pub id: String,
    /// From its first commit to its opening.
    pub coding_min: Option<i64>,
    /// From its opening to the first remark of another person.
    pub pickup_min: Option<i64>,
    /// From that to the merge.
    pub review_min: Option<i64>,
    /// From the merge to the finish of its deployment.
    pub deploy_min: Option<i64>,
    /// Coding, opening to merge, and deploy; what is missing counts as 0.
    pub cycle_min: i64,
    /// The deployment that brought it, by its fact's source and id.
    pub deployment: Option<String>,
    /// When that was finished.
    pub deployed_ms: Option<i64>,
}

/// The cycle of every merged pull request, in the order of their names.
pub(super) fn cycles(history: &History, chain: &Chain<'_>) -> Vec<Cycle> {
    let commits: HashMap<&Revision, &Commit> =
        history.commits.iter().map(|(sha, commit)| (sha, commit)).collect();
    let merged = history.pull_requests.iter().filter_map(|(name, pull)| {
        let merged_ms = pull.merged_ms?;
        let deployed = pull.merge.as_ref().and_then(|merge| chain.brought.get(merge));
        let deployed = deployed.map(|at| &chain.deployed[*at]);
        let created_ms = Some(pull.created_ms);
        let (merged_ms, deployed_ms) = (Some(merged_ms), deployed.map(|d| d.finished_ms));
        let coding_min = minutes(first_authored(pull, &commits), created_ms);
        let deploy_min = minutes(merged_ms, deployed_ms);
        let parts = [coding_min, minutes(created_ms, merged_ms), deploy_min];
        Some(Cycle {
            id: format!("{}#{}", pull.repository, name.id),
            coding_min,
            pickup_min: minutes(created_ms, pull.first_review_ms),
            review_min: minutes(pull.first_review_ms, merged_ms),
            deploy_min,
            cycle_min: parts.into_iter().flatten().fold(0, i64::saturating_add),
            deployment: deployed.map(|deployed| deployed.id.clone()),
            deployed_ms,
        })
    });
    let mut cycles: Vec<Cycle> = merged.collect();
    cycles.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    cycles
}

/// When the first commit was authored: as the source of the pull request says, or else of those
/// commits that are known.
fn first_authored(pull: &PullRequest, commits: &HashMap<&Revision, &Commit>) -> Option<i64> {
    let known = pull.commits.iter().filter_map(|sha| commits.get(sha));
    pull.first_authored_ms.or_else(|| known.map(|commit| commit.authored_ms).min())
}

/// The minutes between two moments, a begun one as a whole; none where they are negative.
fn minutes(from_ms: Option<i64>, to_ms: Option<i64>) -> Option<i64> {
    let span_ms = to_ms?.checked_sub(from_ms?)?;
    let begun = i64::from(span_ms.rem_euclid(MINUTE_MS) > 0);
    Some(span_ms.div_euclid(MINUTE_MS) + begun).filter(|minutes| *minutes >= 0)
}

const MINUTE_MS: i64 = 60_000;
