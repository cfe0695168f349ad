//! What is known of one service in one environment, and what its users decided about the rules.

use redora_model::fact::{Commit, Deployment, Incident, Link, PullRequest, Sighting};
use redora_model::identity::Revision;

/// The facts that hold of one service in one environment.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The service, whose paths decide which commits of a shared repository are its changes.
    pub service: String,
    /// Deployments with their facts' ids.
    pub deployments: Vec<(String, Deployment)>,
    /// Commits of the repository.
    pub commits: Vec<(Revision, Commit)>,
    /// Pull requests of the repository by number.
    pub pull_requests: Vec<(u64, PullRequest)>,
    /// Incidents of the service with their facts' ids.
    pub incidents: Vec<(String, Incident)>,
    /// Versions that telemetry saw.
    pub sightings: Vec<Sighting>,
    /// What rules and people say of these facts.
    pub links: Vec<Link>,
}

/// What a user decides about the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long after a deployment an incident is taken for its consequence.
    pub attribution_ms: i64,
    /// Regions that must all have succeeded; none where a place has no regions.
    pub regions: Vec<String>,
    /// Words that make a pull request a repair: in its title or branch, or as a label.
    pub repair_words: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        let repair_words = ["hotfix", "rollback"].map(str::to_owned).into();
        // A day: the window of DEFINITIONS for incidents that name no deployment.
        Self { attribution_ms: 24 * 3_600_000, regions: Vec::new(), repair_words }
    }
}
