//! `redora dora backfill`: one round of every source at once, with someone watching. It is what the
//! agent does at its start, so an interruption costs nothing that was stored.

use std::sync::Arc;

use redora_collector::collect::{End, Rounds, Source, Stood, Store, Survey, Told, round};
use redora_collector::ledger::LedgerError;
use redora_collector::sources::ahead::Ahead;
use tokio::task::JoinSet;

use super::pace::{Pace, eta_ms};
use super::plan::{Planned, Surveyed, survey};
use super::sources::{timed, unix_ms};
use super::{DeliveryError, open};
use crate::config::Config;
use crate::process::Clock;

/// How far a source has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The source.
    pub source: String,
    /// Facts that were not known so.
    pub fresh: u64,
    /// Elements that are no facts.
    pub rejects: u64,
    /// Requests so far.
    pub requests: u64,
    /// What it waits for, and until when.
    pub waits: Option<(String, i64)>,
    /// Objects that were read, known ones too; bytes of a log.
    pub read: u64,
    /// What is left, where the source told what it has.
    pub left: Option<Left>,
    /// Whether its round is over.
    pub is_over: bool,
}

/// What is left of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Objects, or bytes of a log.
    pub objects: u64,
    /// Whether they may be fewer.
    pub at_most: bool,
    /// How much of the work is done.
    pub percent: u8,
    /// How long the rest lasts.
    pub eta_ms: u64,
}

/// Who is told of a backfill.
pub struct Watch {
    /// Told first, what it will cost.
    pub plan: Box<dyn FnOnce(&Planned) + Send>,
    /// Told of each step.
    pub step: Arc<dyn Fn(&Progress) + Send + Sync>,
}

/// Reads every configured source once, telling `watch` of its plan and of each step, and gives what
/// became of each, in the order of their names.
///
/// # Errors
/// A source cannot be read as configured, or the ledger cannot be used.
pub async fn backfill(
    config: &Config,
    clock: Clock,
    seed: u64,
    watch: Watch,
) -> Result<Vec<(Progress, End)>, DeliveryError> {
    let now_ms = unix_ms(&clock)();
    let sources = timed(&config.delivery, now_ms)?;
    let store = Store::new(open(config)?);
    let stood = sources.iter().map(|timed| store.stood(&timed.source.name, now_ms));
    let stood: Vec<Stood> = stood.collect::<Result<_, _>>()?;
    let surveyed = survey(&sources, stood, now_ms, seed).await;
    let Watch { plan, step: watch } = watch;
    plan(&Planned::of(&surveyed, now_ms, seed).await);
    let mut running: JoinSet<Result<(Progress, End), LedgerError>> = JoinSet::new();
    for (number, surveyed) in (0..).zip(surveyed) {
        let (store, clock, watch) = (store.clone(), unix_ms(&clock), watch.clone());
        let seed = Rounds::seed_of(seed, number);
        running.spawn(async move {
            let mut watched = Watched::new(surveyed, clock());
            let source = watched.source.clone();
            let end = round(&source, &store, &clock, seed, |told| {
                watched.take(&told, &store, clock());
                watch(&watched.progress);
            });
            let end = end.await?;
            watched.progress.is_over = true;
            watch(&watched.progress);
            Ok((watched.progress, end))
        });
    }
    let mut ended = Vec::new();
    while let Some(joined) = running.join_next().await {
        ended.push(joined.expect("no source is cancelled, and none panics")?);
    }
    ended.sort_by(|(a, _), (b, _)| a.source.cmp(&b.source));
    Ok(ended)
}

/// A source while it is read.
struct Watched {
    source: Arc<Source>,
    survey: Option<Survey>,
    /// By the survey and the place of the last step.
    ahead: Vec<Ahead>,
    pace: Pace,
    /// What was done so far takes so long as a rule.
    done_ms: u64,
    progress: Progress,
}

impl Watched {
    fn new(surveyed: Surveyed, now_ms: i64) -> Self {
        let Surveyed { source, stood, survey } = surveyed;
        let survey = survey.ok();
        let ahead = survey.as_ref().map(|survey| source.ahead(survey, stood.place.as_deref()));
        let progress = Progress { source: source.name.clone(), ..Progress::default() };
        let (ahead, pace) = (ahead.unwrap_or_default(), Pace::from(now_ms));
        Self { source, survey, ahead, pace, done_ms: 0, progress }
    }

    fn take(&mut self, told: &Told<'_>, store: &Store, now_ms: i64) {
        let progress = &mut self.progress;
        progress.waits = None;
        let mut wait_ms = 0;
        match told {
            Told::Stepped { fresh, read, rejects, requests, .. } => {
                progress.fresh += fresh;
                progress.read += read;
                progress.rejects += rejects;
                progress.requests += requests;
                let usual_ms = self.source.usual_ms(&self.ahead, *requests, *read);
                self.done_ms += usual_ms;
                self.pace.worked(now_ms, usual_ms);
                if let Some(survey) = &self.survey
                    // A ledger that cannot be read is told by the next step.
                    && let Ok(Stood { place, .. }) = store.stood(&progress.source, now_ms)
                {
                    self.ahead = self.source.ahead(survey, place.as_deref());
                }
            }
            Told::Waiting(wait) => {
                progress.waits = Some((wait.why.clone(), wait.until_ms));
                self.pace.waits(wait.until_ms);
                wait_ms = u64::try_from(wait.until_ms.saturating_sub(now_ms)).unwrap_or(0);
            }
            Told::Refused(_) => {}
        }
        self.progress.left = self.survey.is_some().then(|| self.left(wait_ms));
    }

    fn left(&self, wait_ms: u64) -> Left {
        let left_ms: u64 = self.ahead.iter().map(|ahead| ahead.usual_ms).sum();
        // What takes no time at all is done.
        let percent = (self.done_ms * 100).checked_div(self.done_ms + left_ms).unwrap_or(100);
        Left {
            objects: self.ahead.iter().map(|ahead| ahead.objects).sum(),
            at_most: self.ahead.iter().any(|ahead| ahead.at_most),
            percent: u8::try_from(percent).unwrap_or(100),
            eta_ms: eta_ms(left_ms, self.pace.lately(), wait_ms),
        }
    }
}
