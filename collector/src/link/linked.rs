//! What the facts say together: the words between linking and the numbers.

use redora_model::identity::Revision;

use super::name::Name;

/// A place's history, linked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    /// What arrived, in the order of arrival.
    pub arrivals: Vec<Arrival>,
    /// Deployments that came to a bad end without a success, with the time of the end.
    pub failed: Vec<(Name, i64)>,
    /// Deployments that came to no end yet.
    pub open: Vec<Name>,
    /// Redeployments of what was there, with their finish.
    pub redeployments: Vec<(Name, i64)>,
    /// Disruptions of the service that someone told of.
    pub incidents: Vec<Disruption>,
    /// Those that its error budgets tell of.
    pub burns: Vec<Disruption>,
    /// Whether telemetry saw any version here.
    pub observed: bool,
}

impl Linked {
    /// About how many bytes it takes, to keep what is kept of many within a bound.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let text = |text: &str| size_of::<String>() + text.len();
        let name = |name: &Name| text(&name.source) + text(&name.id);
        let change = |change: &Change| size_of::<Change>() + change.id.len();
        let arrival = |arrival: &Arrival| {
            let parts = arrival.names.iter().map(name).chain(arrival.changes.iter().map(change));
            size_of::<Arrival>() + arrival.version.len() + parts.sum::<usize>()
        };
        let others = self.failed.iter().chain(&self.redeployments);
        let others = others.map(|(other, _)| name(other)).chain(self.open.iter().map(name));
        let incidents = self.incidents.iter().chain(&self.burns);
        let incidents = incidents.map(|i| size_of::<Disruption>() + i.name.source.len());
        self.arrivals.iter().map(arrival).chain(others).chain(incidents).sum()
    }
}

/// A revision that came to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The deployments that brought it: attempts, jobs and regions of one.
    pub names: Vec<Name>,
    /// The commit, where it is known.
    pub revision: Option<Revision>,
    /// The version as people call it.
    pub version: String,
    /// When the first of its deployments was asked for.
    pub created_ms: i64,
    /// When it was deployed: its first success, in the last of the required regions.
    pub finished_ms: i64,
    /// When it served its first request, where telemetry saw it.
    pub first_request_ms: Option<i64>,
    /// What it was to what was there.
    pub step: Step,
    /// What it brought.
    pub changes: Vec<Change>,
    /// Why nobody knows what it brought.
    pub gap: Option<Gap>,
    /// Whether it was an unplanned repair, and by which rule.
    pub repair: Option<&'static str>,
    /// The incidents and burns that it caused, and the rollback that took it back.
    pub failures: Vec<Failure>,
}

impl Arrival {
    /// When it began to matter to users: its first request, else its finish.
    #[must_use]
    pub fn live_ms(&self) -> i64 {
        self.first_request_ms.unwrap_or(self.finished_ms)
    }

    /// The failures that tell how long it was bad: its incidents, else its burns, else rollbacks. A
    /// bad hour that is told three ways is one.
    pub fn tellers(&self) -> impl Iterator<Item = &Failure> {
        let best = self.failures.iter().map(Failure::rank).min();
        self.failures.iter().filter(move |failure| Some(failure.rank()) == best)
    }

    /// Whether it may fail: what only takes back a failure is not counted as another chance.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.step != Step::Rollback
    }
}

/// What an arrival is to what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first of a service.
    First,
    /// Something else than what was there.
    Forward,
    /// Something that had been there earlier and is no later than what was there.
    Rollback,
    /// A version that telemetry saw and no pipeline reported.
    Unmapped,
}

/// Why a deployment's changes are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Its own revision is not known, or not in the history.
    Revision,
    /// That of the deployment before is not.
    Previous,
    /// The history between them is cut off.
    History,
}

/// One change that a deployment brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// A commit's SHA, or the repository of a pull request, `#` and its number.
    pub id: String,
    /// When its first commit was authored.
    pub authored_ms: i64,
    /// When its last commit was committed.
    pub committed_ms: i64,
    /// When its pull request was opened, first reviewed, approved and merged.
    pub opened_ms: Option<i64>,
    /// See `opened_ms`.
    pub reviewed_ms: Option<i64>,
    /// See `opened_ms`.
    pub approved_ms: Option<i64>,
    /// See `opened_ms`.
    pub merged_ms: Option<i64>,
}

/// Why a deployment counts as failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This incident, by its place in [`Linked::incidents`].
    Incident(usize),
    /// This burn, by its place in [`Linked::burns`].
    Burn(usize),
    /// This rollback, by its place in [`Linked::arrivals`].
    Rollback(usize),
}

impl Failure {
    /// How well it tells the time of the failure, the best as 0.
    fn rank(&self) -> u8 {
        match self {
            Failure::Incident(_) => 0,
            Failure::Burn(_) => 1,
            Failure::Rollback(_) => 2,
        }
    }
}

/// An incident that was a disruption, or a burn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disruption {
    /// Its fact's name.
    pub name: Name,
    /// When it began.
    pub started_ms: i64,
    /// When it was over; `None` while it is open.
    pub resolved_ms: Option<i64>,
    /// The deployment that caused it, by its place in [`Linked::arrivals`].
    pub cause: Option<usize>,
    /// The rule that says so.
    pub rule: &'static str,
}
