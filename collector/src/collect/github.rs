//! A repository on GitHub: its past through GraphQL, a hundred objects a request, then its present
//! through REST, and at any time the object that a webhook names. Its place is read and stored
//! under one turn, because a hook and a round may come at once.

use redora_model::fact::{Fact, What};
use redora_model::identity::Environment;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::step::{Moment, Step, Unseen};
use super::store::{Store, Wait, Yield};
use crate::ledger::{LedgerError, Reject};
use crate::sources::ahead::Ahead;
use crate::sources::github::{
    self, Allowances, Backfill, BackfillCursor, Batch, Client, Collector, Cursor, Next, Plan, Read,
    Survey, Surveyor, Trouble,
};
use crate::sources::hooks::Object;

/// A repository being read.
pub struct GitHub {
    collector: Collector,
    backfill: Backfill,
    surveyor: Surveyor,
    /// `owner/name`.
    repository: String,
    environments: Vec<Environment>,
    of_incidents: Environment,
    turn: Mutex<()>,
}

/// Which half of a repository's history is being read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// What was there when the reading began.
    Past(BackfillCursor),
    /// What came later, and what GraphQL does not show.
    Present(Cursor),
}

impl Default for Place {
    fn default() -> Self {
        Self::Past(BackfillCursor::default())
    }
}

impl GitHub {
    /// Through `client`, as planned; `None` when the repository's name is not `owner/name`.
    ///
    /// Of deployments those to `environments` are kept, or all where none is named. An issue names
    /// no environment, so its incident is one of `of_incidents`.
    #[must_use]
    pub fn new(
        client: &Client,
        plan: Plan,
        environments: Vec<Environment>,
        of_incidents: Environment,
    ) -> Option<Self> {
        let repository = plan.repository.to_string();
        let backfill = Backfill::new(client.clone(), plan.clone())?;
        let collector = Collector::new(client.clone(), plan.clone())?;
        let surveyor = Surveyor::new(client.clone(), plan);
        let turn = Mutex::default();
        Some(Self { collector, backfill, surveyor, repository, environments, of_incidents, turn })
    }

    /// Whether a hook speaks of this repository.
    pub(super) fn is(&self, repository: &str) -> bool {
        self.repository.eq_ignore_ascii_case(repository)
    }

    /// Reads on from where the ledger says that it stands, and stores what that gave.
    pub(super) async fn step(
        &self,
        name: &str,
        store: &Store,
        moment: Moment,
    ) -> Result<Step, LedgerError> {
        let _turn = self.turn.lock().await;
        let Moment { now_ms, random } = moment;
        let step = match place(name, store)? {
            Place::Past(cursor) => {
                let batch = self.backfill.step(cursor, now_ms, random).await;
                if matches!(&batch.next, Next::Refused(_, refusal) if refusal.is_of_all()) {
                    // REST would be refused as well. The place stays, so that whoever corrects a
                    // key has the past read through GraphQL, at a hundredth of the requests.
                    let (_, step) = self.taken(name, batch, now_ms);
                    return Step { over: true, ..step }.stored(name, store);
                }
                // The past is over, and what GraphQL did not show is to come.
                let is_over = matches!(batch.next, Next::Complete { .. });
                let (cursor, mut step) = self.taken(name, batch, now_ms);
                step.over = false;
                // What GraphQL refuses REST is asked for, which is then refused for good or not.
                step.refused = None;
                step.misconfigured = false;
                step.yields.complete_until_ms = None;
                step.at(if is_over {
                    Place::Present(cursor.into_cursor())
                } else {
                    Place::Past(cursor)
                })
            }
            Place::Present(cursor) => {
                let batch = self.collector.step(cursor, now_ms, random).await;
                let (cursor, step) = self.taken(name, batch, now_ms);
                step.at(Place::Present(cursor))
            }
        };
        step.stored(name, store)
    }

    /// Reads the object that a hook names, and stores what that gave.
    pub(super) async fn read_object(
        &self,
        name: &str,
        store: &Store,
        object: &Object,
        moment: Moment,
    ) -> Result<Step, LedgerError> {
        let _turn = self.turn.lock().await;
        let Moment { now_ms, random } = moment;
        let step = match place(name, store)? {
            // The present begins where the past did, so the object is read then.
            Place::Past(_) => Step::default(),
            Place::Present(cursor) if store.wait(name, now_ms)?.is_some() => {
                Step::default().at(Place::Present(self.collector.remember(cursor, object)))
            }
            Place::Present(cursor) => {
                let batch = self.collector.read_object(cursor, object, now_ms, random).await;
                let (cursor, step) = self.taken(name, batch, now_ms);
                step.at(Place::Present(cursor))
            }
        };
        step.stored(name, store)
    }

    /// Counts what there is to read from a place on.
    pub(super) async fn survey(
        &self,
        place: Option<&str>,
        now_ms: i64,
        random: u64,
    ) -> Result<Survey, Unseen> {
        let place = read(place);
        let survey = self.surveyor.survey(place.read(), now_ms, random).await;
        survey.map_err(Unseen::from)
    }

    /// What is still to be read of it from a later place on.
    pub(super) fn ahead(&self, survey: &Survey, place: Option<&str>) -> Vec<Ahead> {
        self.surveyor.ahead(survey, read(place).read())
    }

    /// What the limits of its token still allow.
    pub(super) async fn allowances(&self, now_ms: i64, random: u64) -> Result<Allowances, Unseen> {
        self.surveyor.allowances(now_ms, random).await.map_err(Unseen::from)
    }

    fn taken<C>(&self, name: &str, batch: Batch<C>, now_ms: i64) -> (C, Step) {
        // Before those are left out that nobody asked for: they were read all the same.
        let read = batch.facts.len() as u64;
        let Batch { mut facts, rejects, forgotten, requests, remaining, cursor, next } = batch;
        facts.retain_mut(|fact| self.is_wanted(fact));
        let rejects = rejects.into_iter().map(|reject| Reject {
            source: name.to_owned(),
            place: format!("{:?}", reject.stream),
            reason: reject.reason,
            at_ms: now_ms,
        });
        let yields = Yield { facts, rejects: rejects.collect(), ..Yield::default() };
        let gaps = forgotten;
        let mut step = Step { yields, requests, read, remaining, gaps, ..Step::default() };
        match next {
            Next::Now => {}
            Next::Later(wait) => {
                step.yields.wait = Some(Wait::from(wait));
            }
            Next::Refused(_, refusal) => {
                step.misconfigured = refusal.is_of_configuration();
                step.refused = Some(refusal.to_string());
            }
            Next::Complete { until_ms } => {
                step.yields.complete_until_ms = Some(until_ms);
                step.over = true;
            }
        }
        (cursor, step)
    }

    /// Whether a fact is a deployment to one of the environments, or no deployment.
    fn is_wanted(&self, fact: &mut Fact) -> bool {
        match &mut fact.what {
            What::Deployment(deployment) => {
                let environments = &self.environments;
                environments.is_empty() || environments.contains(&deployment.environment)
            }
            What::Incident(incident) => {
                incident.environment.get_or_insert_with(|| self.of_incidents.clone());
                true
            }
            _ => true,
        }
    }
}

impl Step {
    fn at(mut self, place: Place) -> Self {
        let place = serde_json::to_string(&place).expect("a cursor is JSON");
        self.yields.place = Some(place);
        self
    }
}

impl Place {
    fn read(&self) -> Read<'_> {
        match self {
            Self::Past(cursor) => Read::Past(cursor),
            Self::Present(cursor) => Read::Present(cursor),
        }
    }
}

fn place(name: &str, store: &Store) -> Result<Place, LedgerError> {
    Ok(read(store.place(name)?.as_deref()))
}

/// The place of another version costs a reading from the beginning and loses nothing.
fn read(place: Option<&str>) -> Place {
    place.and_then(|place| serde_json::from_str(place).ok()).unwrap_or_default()
}

impl From<github::Wait> for Wait {
    fn from(wait: github::Wait) -> Self {
        Self { until_ms: wait.until_ms, why: words(wait.why).to_owned() }
    }
}

impl From<github::Unseen> for Unseen {
    fn from(unseen: github::Unseen) -> Self {
        match unseen {
            github::Unseen::Refused(refusal) => Self::Refused(refusal.to_string()),
            github::Unseen::Later(wait) => Self::Waits(wait.into()),
        }
    }
}

/// What a server's trouble is called in the log and in the ledger.
fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::PrimaryLimit => "the requests of this hour are used up",
        Trouble::SecondaryLimit => "too many requests in too short a time",
        Trouble::Server => "the server failed",
        Trouble::Body => "an answer was cut short",
        Trouble::Connection => "no connection, or no answer in time",
    }
}
