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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use redora_collector::collect::{Reader, Wait};
    use redora_collector::ledger::Ledger;
    use redora_collector::sources::incidents::Origin;
    use redora_collector::sources::incidents::jsonl::Tongue;

    use super::*;
    use crate::config::parse;

    /// A log of so many bytes, in lines that say nothing.
    fn log(folder: &std::path::Path, bytes: usize) -> std::path::PathBuf {
        let path = folder.join("incidents.jsonl");
        let line = " ".repeat(1_023) + "\n";
        std::fs::write(&path, line.repeat(bytes / 1_024)).unwrap();
        path
    }

    #[tokio::test]
    async fn a_backfill_tells_its_plan_and_then_what_is_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (data, path) = (folder.path().join("data"), log(folder.path(), 6 << 20));
        let text = format!(
            "data_dir: {}\ndelivery: {{ incidents: [{{ jsonl: {} }}] }}\n",
            data.display(),
            path.display()
        );
        let config = parse(&text, "redora.yaml", &|_| None, &|_, _| Ok(Vec::new())).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (planned, stepped) = (told.clone(), told.clone());
        let watch = Watch {
            plan: Box::new(move |plan| {
                let bytes = plan.sources[0].sum(|ahead| ahead.objects);
                planned.lock().unwrap().push((bytes, 0, 0, false));
            }),
            step: Arc::new(move |progress| {
                let Left { objects, percent, .. } = progress.left.unwrap();
                let step = (progress.read, objects, percent, progress.is_over);
                stepped.lock().unwrap().push(step);
            }),
        };
        let ended = backfill(&config, Clock::system(), 1, watch).await.unwrap();
        assert_eq!(ended[0].1.refused, Vec::<String>::new());
        const MIB: u64 = 1 << 20;
        let expected = [
            (6 * MIB, 0, 0, false),
            (4 * MIB, 2 * MIB, 66, false),
            (6 * MIB, 0, 100, false),
            (6 * MIB, 0, 100, true),
        ];
        assert_eq!(*told.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn the_rest_lasts_by_the_last_work_and_a_wait() {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin { source: "log".into(), service: None, environment: None };
        let (path, tongue) = (log(folder.path(), 8 << 20), Tongue::Record(origin));
        let (name, reader) = ("jsonl:log".to_owned(), Reader::Log { path, tongue });
        let source = Arc::new(Source { name, reader });
        let survey = source.survey(None, 0, 1).await;
        let store = Store::new(Ledger::open(&folder.path().join("ledger.sqlite")).unwrap());
        let stood = Stood::default();
        let mut watched = Watched::new(Surveyed { source, stood, survey }, 0);
        // A second's work took four; the place did not move, so all of it is still left.
        let read = 4_096_000;
        let (fresh, rejects, requests, gaps, remaining) = (0, 0, 0, 0, None);
        let step = Told::Stepped { fresh, read, rejects, requests, gaps, remaining };
        watched.take(&step, &store, 4_000);
        let left = watched.progress.left.unwrap();
        assert_eq!((left.objects, left.percent, left.eta_ms), (8 << 20, 32, 8_192));
        let wait = Wait { until_ms: 64_000, why: "used up".to_owned() };
        watched.take(&Told::Waiting(&wait), &store, 4_000);
        assert_eq!(watched.progress.left.unwrap().eta_ms, 68_192);
        assert_eq!(watched.progress.waits, Some(("used up".to_owned(), 64_000)));
        // The wait was no work: the second's work after it took one.
        watched.take(&step, &store, 65_000);
        assert_eq!(watched.progress.left.unwrap().eta_ms, 2_048 * 5 / 2);
        assert_eq!(watched.progress.waits, None);
    }
}
