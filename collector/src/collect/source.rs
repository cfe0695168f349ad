//! One source of any tongue, read a step at a time: what differs between them ends here, so that
//! rounds, schedules and the ledger know one kind of thing.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::github::GitHub;
use super::step::{Moment, Step};
use super::store::{Store, Yield};
use crate::ledger::{self, LedgerError};
use crate::sources::git;
use crate::sources::incidents::Reject;
use crate::sources::incidents::jsonl::{self, Tongue};

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
    GitHub(Box<GitHub>),
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

impl Source {
    /// Reads on from where the ledger says that it stands, and stores what that gave.
    pub(super) async fn step(&self, store: &Store, moment: Moment) -> Result<Step, LedgerError> {
        let step = match &self.reader {
            Reader::GitHub(github) => return github.step(&self.name, store, moment).await,
            Reader::Git(config) => self.git(config, store, moment).await?,
            Reader::Log { path, tongue } => {
                self.log(path, tongue, store.place(&self.name)?, moment).await
            }
        };
        step.stored(&self.name, store)
    }

    /// A clone is read in one step, for its batches are stored as they come and its place follows
    /// the last of them.
    async fn git(
        &self,
        config: &git::Config,
        store: &Store,
        Moment { now_ms, .. }: Moment,
    ) -> Result<Step, LedgerError> {
        let place = store.place(&self.name)?;
        let cursor: git::Cursor =
            place.and_then(|place| serde_json::from_str(&place).ok()).unwrap_or_default();
        let (config, store, name) = (config.clone(), store.clone(), self.name.clone());
        let read = tokio::task::spawn_blocking(move || {
            let (mut fault, mut fresh) = (None, 0);
            let mut keep = |facts| match store.keep(&name, Yield { facts, ..Yield::default() }) {
                Ok(appended) => {
                    fresh += appended.new + appended.corrected;
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    fault = Some(error);
                    ControlFlow::Break(())
                }
            };
            let reading = git::read(&config, &cursor, now_ms, &mut keep);
            fault.map_or(Ok((reading, fresh)), Err)
        });
        let (reading, fresh) =
            read.await.expect("reading a clone neither panics nor is cancelled")?;
        let mut step = Step { over: true, fresh, ..Step::default() };
        match reading {
            Ok(reading) => {
                step.read = reading.commits + reading.deployments;
                let skipped = reading.examples.iter().map(|skipped| {
                    self.reject(skipped.object.clone(), format!("{:?}", skipped.why), now_ms)
                });
                step.yields.rejects = skipped.collect();
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
            Ok(jsonl::Batch { facts, bad, cursor, bytes: read, more, gap }) => {
                let line = |bad: Reject| {
                    self.reject(format!("line {}", bad.number), bad.fault.to_string(), now_ms)
                };
                let rejects = bad.into_iter().map(line).collect();
                let (place, complete_until_ms) = (Some(cursor), (!more).then_some(now_ms));
                let yields = Yield { facts, rejects, place, complete_until_ms, ..Yield::default() };
                Step { yields, read, gaps: gap.into(), over: !more, ..Step::default() }
            }
        }
    }

    fn reject(&self, place: String, reason: String, at_ms: i64) -> ledger::Reject {
        ledger::Reject { source: self.name.clone(), place, reason, at_ms }
    }
}
