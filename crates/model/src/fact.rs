//! What sources say of delivery: the records that every DORA number is computed from, and the only
//! form in which the rooms of the delivery half speak of it. A number is never counted upwards; it
//! is computed again from facts, so late, repeated and corrected ones are harmless.
//!
//! As JSON lines (`redora dora export`, `import`), one fact a line:
//!
//! ```json
//! {"source":"github:owner/shop","id":"42","as_of_ms":1700000000000,
//!  "deployment":{"repository":"owner/shop","service":"shop","environment":"production",
//!                "created_ms":1699999990000,"revision":"9d59409a…","statuses":[]}}
//! ```
//!
//! Times are milliseconds since 1970 UTC. Absent keys are unknown, not zero.

mod burn;
mod run;

use serde::{Deserialize, Serialize};

pub use burn::{Burn, Events, VersionEvents};
pub use run::{Job, Run};

use crate::identity::{Environment, Repository, Revision, Service};

/// One record of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Who says so: `github:owner/name`, `git:/srv/shop.git`, `jsonl:/var/log/incidents.jsonl`.
    pub source: String,
    /// The source's own name for the thing; facts of the same kind, source and id are versions of
    /// one.
    pub id: String,
    /// When the source held it to be so. The version with the latest time wins, whatever the order
    /// of arrival; of two with the same time the one whose JSON is greater.
    pub as_of_ms: i64,
    /// What it says.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A commit in a repository's history.
    Commit(Commit),
    /// A pull request.
    PullRequest(PullRequest),
    /// A deployment of one revision to one environment.
    Deployment(Deployment),
    /// An incident of a service.
    Incident(Incident),
    /// A run of a CI workflow, one attempt of it.
    Run(Run),
    /// A statement about two other facts, which a rule or a person makes.
    Link(Link),
    /// A version that was seen serving.
    Sighting(Sighting),
    /// An error budget that burned fast enough to wake someone.
    Burn(Burn),
}

impl What {
    /// The kind's name, as it stands in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            What::Commit(_) => "commit",
            What::PullRequest(_) => "pull_request",
            What::Deployment(_) => "deployment",
            What::Incident(_) => "incident",
            What::Run(_) => "run",
            What::Link(_) => "link",
            What::Sighting(_) => "sighting",
            What::Burn(_) => "burn",
        }
    }
}

/// A commit. Its fact's id is its full SHA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Where it is.
    pub repository: Repository,
    /// Its parents in their order; a merge commit has several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Revision>,
    /// When its author wrote it.
    pub authored_ms: i64,
    /// When it was committed.
    pub committed_ms: i64,
    /// The patch it applies, the same for a cherry-pick of it (`git patch-id --stable`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// The commits that it takes back, where its message says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reverts: Vec<Revision>,
    /// The configured services whose paths it touches; `None` where a repository is one service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<Service>>,
}

/// A pull request. Its fact's id is its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PullRequest {
    /// Where it is.
    pub repository: Repository,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// The branch it comes from.
    #[serde(default)]
    pub branch: String,
    /// Its labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Its commits before the merge, by SHA.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Revision>,
    /// When the first of them was authored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_authored_ms: Option<i64>,
    /// When it was opened.
    pub created_ms: i64,
    /// When someone other than its author first reviewed or commented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_review_ms: Option<i64>,
    /// When it was first approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_ms: Option<i64>,
    /// When it was merged; absent while it is open and when it was closed without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_ms: Option<i64>,
    /// The commit that brought it into the base branch: a merge, a squash, or the last of a rebase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Revision>,
    /// The pull request that it reverts, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts: Option<u64>,
}

/// A deployment with the history of its statuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Where its revision is a commit.
    pub repository: Repository,
    /// What was deployed.
    pub service: Service,
    /// Where to.
    pub environment: Environment,
    /// When it was asked for.
    pub created_ms: i64,
    /// The commit that it deploys; absent where the source knows only a name that no tag explains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The version as people call it: a tag, an image tag, a release.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// What became of it, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<Status>,
    /// The attempt of several at the same deployment, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub attempt: u32,
    /// The region it went to, where several are required.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Where people find it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// One step of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// When.
    pub at_ms: i64,
    /// What.
    pub state: State,
}

/// The states of a deployment, in GitHub's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked for, or waiting for an approval.
    Pending,
    /// Waiting for a machine.
    Queued,
    /// Under way.
    InProgress,
    /// It runs.
    Success,
    /// It came to a bad end.
    Failure,
    /// The pipeline itself broke.
    Error,
    /// A later one took its place: no failure.
    Inactive,
}

impl State {
    /// Whether the deployment came to an end with this, good or bad.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, State::Success | State::Failure | State::Error | State::Inactive)
    }
}

/// An incident with the history of its states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// The service that was hit; absent where the source does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// The source's word for how bad it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub severity: String,
    /// What it is: only a disruption can be a change failure.
    #[serde(default)]
    pub nature: Nature,
    /// When the disruption began.
    pub started_ms: i64,
    /// When it ended, reopened, ended again, in any order; empty for one that is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Turn>,
    /// The deployment that caused it, by its fact's id, where someone said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// Where people find it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
}

impl Incident {
    /// When it was over for good: the resolution after which it was not opened again.
    #[must_use]
    pub fn resolved_ms(&self) -> Option<i64> {
        let mut changes = self.changes.clone();
        changes.sort();
        let last_open = changes.iter().rposition(|turn| !turn.resolved).map_or(0, |at| at + 1);
        changes.get(last_open).map(|turn| turn.at_ms)
    }
}

/// What an incident is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// Something was broken for someone.
    #[default]
    Disruption,
    /// Planned work.
    Maintenance,
    /// An exercise.
    Drill,
    /// It turned out to be none, or was merged into another.
    Declined,
}

/// An incident's end, or its coming back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// When.
    pub at_ms: i64,
    /// Whether it was over then, or open again.
    pub resolved: bool,
}

/// What someone says of two facts, so that a rule can be overruled and its reason is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The statement.
    pub claim: Claim,
    /// The fact it is about, `kind:source:id`.
    pub subject: String,
    /// The other fact, `kind:source:id`; empty where the claim needs none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// The rule that made it, or `manual`.
    pub rule: String,
    /// Whether it holds; a later fact with `false` overrules it.
    pub holds: bool,
}

/// What can be said of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// The subject, an incident, was caused by the object, a deployment.
    CausedBy,
    /// The subject, a pull request or deployment, is an unplanned repair.
    Repair,
}

/// A version of a service that was seen serving, by the telemetry itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// Which service.
    pub service: Service,
    /// Where.
    pub environment: Environment,
    /// `service.version`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// `vcs.ref.head.revision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The first request it served.
    pub first_ms: i64,
    /// The last one so far.
    pub last_ms: i64,
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_first(attempt: &u32) -> bool {
    *attempt == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_one_line_that_reads_back() {
        let line = r#"{"source":"github:o/shop","id":"42","as_of_ms":7,"deployment":{"repository":"o/shop","service":"shop","environment":"production","created_ms":5,"revision":"9d59","statuses":[{"at_ms":6,"state":"in_progress"}]}}"#;
        let fact: Fact = serde_json::from_str(line).expect("a fact");
        let What::Deployment(deployment) = &fact.what else { panic!("{fact:?}") };
        assert_eq!((deployment.attempt, deployment.statuses.len()), (1, 1));
        assert_eq!(fact.what.kind(), "deployment");
        assert_eq!(serde_json::to_string(&fact).expect("a line"), line);
    }

    #[test]
    fn a_misspelt_key_or_kind_is_an_error() {
        for line in [
            r#"{"source":"s","id":"1","as_of_ms":0,"sighting":{"service":"a","environment":"b","first":1,"last_ms":2}}"#,
            r#"{"source":"s","id":"1","as_of_ms":0,"sightings":{}}"#,
            r#"{"source":"s","id":"1","as_of_ms":0}"#,
        ] {
            assert!(serde_json::from_str::<Fact>(line).is_err(), "{line}");
        }
    }
}
