//! One source of any tongue, read a step at a time: what differs between them ends here, so that
//! rounds, schedules and the ledger know one kind of thing.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use redora_model::fact::{Fact, What};
use redora_model::identity::Environment;

use super::store::{Store, Wait, Yield};
use crate::ledger::{self, LedgerError};
use crate::sources::incidents::Reject;
use crate::sources::incidents::jsonl::{self, Tongue};
use crate::sources::{git, github};

/// A source with the name that its facts, its place and its metrics carry.
pub struct Source {
    /// Its name: `github:owner/name`, `git:/srv/shop.git`.
    pub name: String,
    /// What reads it.
    pub reader: Reader,
}

/// What reads a source.
pub enum Reader {
    /// A repository on GitHub.
    GitHub {
        /// What asks for its pages.
        collector: Box<github::Collector>,
        /// The environments whose deployments are kept; none for all.
        environments: Vec<Environment>,
        /// The environment of its incidents: an issue names none.
        of_incidents: Environment,
    },
    /// A clone.
    Git(git::Config),
    /// A log of incidents.
    Log {
        /// Where it is.
        path: PathBuf,
        /// What its lines are.
        tongue: Tongue,
    },
}

/// What a step came to, beside what it gave.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) yields: Yield,
    /// Facts that were stored already while the step was read, and were not known so.
    pub(super) stored: u64,
    pub(super) requests: u64,
    /// What nobody can read before someone acts; the rest of the round goes on.
    pub(super) refused: Option<String>,
    /// Stretches that may be missing.
    pub(super) gaps: u64,
    pub(super) remaining: Option<u64>,
    /// Whether the round is over.
    pub(super) over: bool,
}

/// Now, and a number that no two agents share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now_ms: i64,
    pub(super) random: u64,
}

impl Source {
    /// Reads on from where the ledger says that it stands.
    pub(super) async fn step(&self, store: &Store, moment: Moment) -> Result<Step, LedgerError> {
        let place = store.place(&self.name)?;
        match &self.reader {
            Reader::GitHub { collector, environments, of_incidents } => {
                let mut step = self.github(collector, place, moment).await;
                step.yields.facts.retain_mut(|fact| is_wanted(fact, environments, of_incidents));
                Ok(step)
            }
            Reader::Git(config) => self.git(config, place, store, moment).await,
            Reader::Log { path, tongue } => Ok(self.log(path, tongue, place, moment).await),
        }
    }

    async fn github(
        &self,
        collector: &github::Collector,
        place: Option<String>,
        Moment { now_ms, random }: Moment,
    ) -> Step {
        let cursor = place.as_deref().map(serde_json::from_str).transpose();
        // A place of another version costs a reading from the beginning and loses nothing.
        let cursor = cursor.ok().flatten().unwrap_or_default();
        let batch = collector.step(cursor, now_ms, random).await;
        let github::Batch { facts, rejects, forgotten, requests, cursor, next, .. } = batch;
        let mut step = Step { requests, gaps: forgotten, ..Step::default() };
        step.yields.facts = facts;
        step.yields.rejects = rejects
            .into_iter()
            .map(|reject| self.reject(format!("{:?}", reject.stream), reject.reason, now_ms))
            .collect();
        step.yields.place = Some(serde_json::to_string(&cursor).expect("a cursor is JSON"));
        match next {
            github::Next::Now => {}
            github::Next::Later(github::Wait { until_ms, why }) => {
                step.yields.wait = Some(Wait { until_ms, why: words(why).to_owned() });
            }
            github::Next::Refused(_, refusal) => step.refused = Some(refusal.to_string()),
            github::Next::Complete { until_ms } => {
                step.yields.complete_until_ms = Some(until_ms);
                step.over = true;
            }
        }
        step
    }

    /// A clone is read in one step, for its batches are stored as they come and its place follows
    /// the last of them.
    async fn git(
        &self,
        config: &git::Config,
        place: Option<String>,
        store: &Store,
        Moment { now_ms, .. }: Moment,
    ) -> Result<Step, LedgerError> {
        let cursor: git::Cursor =
            place.and_then(|place| serde_json::from_str(&place).ok()).unwrap_or_default();
        let (config, store, name) = (config.clone(), store.clone(), self.name.clone());
        let read = tokio::task::spawn_blocking(move || {
            let (mut fault, mut stored) = (None, 0);
            let reading = git::read(&config, &cursor, now_ms, &mut |facts| match store
                .keep(&name, Yield { facts, ..Yield::default() })
            {
                Ok(appended) => {
                    stored += appended.new + appended.corrected;
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    fault = Some(error);
                    ControlFlow::Break(())
                }
            });
            fault.map_or(Ok((reading, stored)), Err)
        });
        let (reading, stored) =
            read.await.expect("reading a clone neither panics nor is cancelled")?;
        let mut step = Step { over: true, stored, ..Step::default() };
        match reading {
            Ok(reading) => {
                let skipped = reading.examples.iter();
                step.yields.rejects = skipped
                    .map(|skipped| {
                        self.reject(skipped.object.clone(), format!("{:?}", skipped.why), now_ms)
                    })
                    .collect();
                step.gaps = reading.shallow.len() as u64 + u64::from(reading.cut);
                let place = serde_json::to_string(&reading.cursor).expect("a cursor is JSON");
                step.yields.place = Some(place);
                step.yields.complete_until_ms = Some(now_ms);
            }
            Err(error) => step.refused = Some(error.to_string()),
        }
        Ok(step)
    }

    async fn log(
        &self,
        path: &Path,
        tongue: &Tongue,
        place: Option<String>,
        Moment { now_ms, .. }: Moment,
    ) -> Step {
        let (path, tongue) = (path.to_owned(), tongue.clone());
        let read =
            tokio::task::spawn_blocking(move || jsonl::follow(&path, place.as_deref(), &tongue));
        match read.await.expect("reading a log neither panics nor is cancelled") {
            Err(fault) => Step { refused: Some(fault.to_string()), over: true, ..Step::default() },
            Ok(jsonl::Batch { facts, bad, cursor, more, gap }) => {
                let line = |bad: Reject| {
                    self.reject(format!("line {}", bad.number), bad.fault.to_string(), now_ms)
                };
                let rejects = bad.into_iter().map(line).collect();
                let complete_until_ms = (!more).then_some(now_ms);
                let place = Some(cursor);
                let yields = Yield { facts, rejects, place, complete_until_ms, ..Yield::default() };
                Step { yields, gaps: gap.into(), over: !more, ..Step::default() }
            }
        }
    }

    fn reject(&self, place: String, reason: String, at_ms: i64) -> ledger::Reject {
        ledger::Reject { source: self.name.clone(), place, reason, at_ms }
    }
}

/// What a server's trouble is called in the log and in the ledger.
fn words(trouble: github::Trouble) -> &'static str {
    match trouble {
        github::Trouble::PrimaryLimit => "the requests of this hour are used up",
        github::Trouble::SecondaryLimit => "too many requests in too short a time",
        github::Trouble::Server => "the server failed",
        github::Trouble::Body => "an answer was cut short",
        github::Trouble::Connection => "no connection, or no answer in time",
    }
}

/// Whether a fact is a deployment to one of these environments, or no deployment. An incident
/// that names no environment is one of `of_incidents`.
fn is_wanted(fact: &mut Fact, environments: &[Environment], of_incidents: &Environment) -> bool {
    match &mut fact.what {
        What::Deployment(deployment) => {
            environments.is_empty() || environments.contains(&deployment.environment)
        }
        What::Incident(incident) => {
            incident.environment.get_or_insert_with(|| of_incidents.clone());
            true
        }
        _ => true,
    }
}
