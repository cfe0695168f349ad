//! What is known of one service in one environment, and what its users decided about the rules.

use redora_model::fact::{Burn, Commit, Deployment, Incident, Link, PullRequest, Sighting};
use redora_model::identity::Revision;

use super::name::Name;

/// The facts that hold of one service in one environment.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The service, whose paths decide which commits of a shared repository are its changes.
    pub service: String,
    /// Deployments with their facts' names.
    pub deployments: Vec<(Name, Deployment)>,
    /// Commits of the repository.
    pub commits: Vec<(Revision, Commit)>,
    /// Pull requests with their facts' names.
    pub pull_requests: Vec<(Name, PullRequest)>,
    /// Incidents of the service with their facts' names.
    pub incidents: Vec<(Name, Incident)>,
    /// Versions that telemetry saw, with their facts' names.
    pub sightings: Vec<(Name, Sighting)>,
    /// Burns of the service's objectives, with their facts' names.
    pub burns: Vec<(Name, Burn)>,
    /// What rules and people say of these facts.
    pub links: Vec<Link>,
}

impl History {
    /// Forgets what happened in the place after a moment, so that a report of that moment says what
    /// it would have said then; hands back the first moment of what was forgotten.
    pub fn forget_after(&mut self, ms: i64) -> Option<i64> {
        let mut next = None;
        let mut earlier = |at_ms: &i64| is_until(*at_ms, ms, &mut next);
        self.deployments.retain(|(_, deployment)| earlier(&deployment.created_ms));
        for (_, deployment) in &mut self.deployments {
            deployment.statuses.retain(|status| earlier(&status.at_ms));
        }
        self.incidents.retain(|(_, incident)| earlier(&incident.started_ms));
        for (_, incident) in &mut self.incidents {
            incident.changes.retain(|turn| earlier(&turn.at_ms));
        }
        self.sightings.retain(|(_, sighting)| earlier(&sighting.first_ms));
        self.burns.retain(|(_, burn)| earlier(&burn.started_ms));
        for (_, burn) in &mut self.burns {
            burn.ended_ms = burn.ended_ms.filter(&mut earlier);
        }
        next
    }

    /// The same for the repositories, which several places may share. Commits stay: they count
    /// where something contains them that was deployed.
    pub fn forget_pull_requests_after(&mut self, ms: i64) -> Option<i64> {
        let mut next = None;
        let mut earlier = |at_ms: &i64| is_until(*at_ms, ms, &mut next);
        self.pull_requests.retain(|(_, pull)| earlier(&pull.created_ms));
        for (_, pull) in &mut self.pull_requests {
            let steps = [&mut pull.first_review_ms, &mut pull.approved_ms, &mut pull.merged_ms];
            for step in steps {
                *step = step.filter(&mut earlier);
            }
        }
        next
    }
}

/// Whether a moment is not past another; notes the first that is.
fn is_until(at_ms: i64, ms: i64, next: &mut Option<i64>) -> bool {
    if at_ms > ms {
        *next = Some(next.map_or(at_ms, |next| next.min(at_ms)));
    }
    at_ms <= ms
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
