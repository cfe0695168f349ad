//! The delivery half of a running agent: the rounds of its sources, what is pushed to it, and the
//! numbers that follow, on a thread of its own, so that neither a page of a server nor a long
//! history makes the receiver of telemetry wait.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use redora_collector::api::warm::Warm;
use redora_collector::api::{Answer, ci};
use redora_collector::collect::{Board, Doors, Refused, Rounds, Standing, Store, Timed};
use redora_collector::ledger::{InboxBounds, LedgerError, Reader, ReceiveError};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::answers;
use super::burns::Burns;
use super::sightings::Sighted;
use super::sources::{doors, timed, unix_ms};
use super::{Ask, DeliveryError, LEDGER_FILE, Rules, Zone, open, rules};
use crate::admin::{NotTaken, Push, Pushed, Query};
use crate::config::Config;
use crate::digest::Digest;
use crate::expose::{Delivered, Latest, PlaceNumbers, SourceNumbers, WorkflowNumbers};
use crate::process::Clock;

/// The delivery half at work; dropping it stops the rounds.
pub struct Delivering {
    work: Arc<Work>,
    config: Arc<Config>,
    _stop: oneshot::Sender<()>,
}

/// What the thread works with.
struct Work {
    rounds: Rounds,
    /// Where versions are seen.
    digest: Arc<Digest>,
    doors: Doors,
    /// Told when something was pushed.
    pushed: Notify,
    ledger: PathBuf,
    rules: Rules,
    zone: Zone,
    numbers: Mutex<Arc<Numbers>>,
    /// What linking made of the ledger last.
    warm: Mutex<Warm>,
}

/// What was seen in the telemetry so far.
struct Seen {
    versions: Sighted,
    burns: Burns,
}

impl Seen {
    fn keep(&mut self, digest: &Digest, rounds: &Rounds) -> Result<bool, LedgerError> {
        let now_ms = u64::try_from((rounds.clock)()).unwrap_or(0);
        let mut ledger = rounds.store.ledger();
        let versions = self.versions.keep(digest, &mut ledger)?;
        Ok(self.burns.keep(digest, &mut ledger, now_ms)? || versions)
    }
}

/// What was computed last.
#[derive(Debug, Default)]
struct Numbers {
    places: Arc<Vec<PlaceNumbers>>,
    places_omitted: usize,
    places_cold: usize,
    workflows: Arc<Vec<WorkflowNumbers>>,
    rejects: Vec<(String, u64)>,
}

impl Delivering {
    /// Starts the delivery half, if the configuration names anything to read or to listen to.
    ///
    /// # Errors
    /// A source cannot be read as configured, or the ledger cannot be opened.
    pub fn start(
        config: &Config,
        digest: Arc<Digest>,
        clock: &Clock,
        seed: u64,
    ) -> Result<Option<Self>, DeliveryError> {
        if config.delivery.is_empty() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let prepared = {
            let _entered = runtime.enter();
            prepare(config, digest, clock, seed)
        };
        let (work, sources, seen) = match prepared {
            Ok(prepared) => prepared,
            Err(fault) => {
                // It may not be waited for within another runtime.
                runtime.shutdown_background();
                return Err(fault);
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let thread_work = work.clone();
        thread::Builder::new().name("redora-delivery".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = thread_work.run(sources, seen) => {}
                    _ = stopped => {}
                }
            });
            // A clone that is being read is let go; what it stored is stored.
            runtime.shutdown_timeout(Duration::from_secs(1));
        })?;
        Ok(Some(Self { work, config: Arc::new(config.clone()), _stop: stop }))
    }

    /// What the delivery half says at the moment of asking.
    pub fn latest(&self) -> Latest {
        let work = self.work.clone();
        Arc::new(move || Arc::new(work.delivered()))
    }

    /// Answers what is asked of the admin port.
    pub fn query(&self) -> Query {
        answers::query(self.config.clone(), self.work.rounds.clock.clone())
    }

    /// Takes what is pushed: into the ledger's inbox first, then into facts.
    pub fn push(&self) -> Push {
        let work = self.work.clone();
        Arc::new(move |pushed| {
            let work = work.clone();
            Box::pin(async move {
                let taken = tokio::task::spawn_blocking(move || work.take(pushed)).await;
                taken.unwrap_or_else(|panicked| Err(NotTaken::Full(panicked.to_string())))
            })
        })
    }
}

/// Everything that must be sound before the thread starts.
fn prepare(
    config: &Config,
    digest: Arc<Digest>,
    clock: &Clock,
    seed: u64,
) -> Result<(Arc<Work>, Vec<Timed>, Seen), DeliveryError> {
    let clock = unix_ms(clock);
    let sources = timed(&config.delivery, clock())?;
    let (store, board, changed) = (Store::new(open(config)?), Board::default(), Arc::default());
    let seen = {
        let ledger = store.ledger();
        Seen { versions: Sighted::of(&ledger)?, burns: Burns::of(&ledger)? }
    };
    let doors = doors(&config.delivery, &sources);
    doors.names().for_each(|name| board.note(name, |_| ()));
    let work = Work {
        digest,
        doors,
        rounds: Rounds { store, board, clock, seed, changed },
        pushed: Notify::new(),
        ledger: config.data_dir.join(LEDGER_FILE),
        rules: rules(config),
        zone: Zone::named(&config.delivery.time_zone).expect("the zone was checked"),
        numbers: Mutex::default(),
        warm: Mutex::new(Warm::new(config.delivery.memory_bytes)),
    };
    Ok((Arc::new(work), sources, seen))
}

impl Work {
    /// Everything side by side; ends only by being dropped.
    async fn run(self: &Arc<Self>, sources: Vec<Timed>, seen: Seen) {
        tokio::join!(
            self.rounds.run(sources),
            self.keep_handling(),
            self.keep_seeing(seen),
            self.keep_publishing()
        );
    }

    /// Takes one request into the inbox; when this returns, a crash does not lose it.
    fn take(&self, pushed: Pushed) -> Result<(), NotTaken> {
        let Pushed { door, headers, body } = pushed;
        let header = |name: &str| Some(headers.get(name)?.as_bytes().to_vec());
        let now_ms = (self.rounds.clock)();
        let delivery =
            self.doors.admit(door, &header, body.to_vec(), now_ms).map_err(|refused| {
                let reason = refused.to_string();
                match refused {
                    Refused::Closed => NotTaken::Closed(reason),
                    Refused::Unproved(_) => NotTaken::Unproved(reason),
                    Refused::Nameless => NotTaken::Malformed(reason),
                }
            })?;
        let received = self.rounds.store.ledger().receive(&delivery, &InboxBounds::default());
        received.map_err(|fault: ReceiveError| {
            tracing::error!(event = "push_refused", door, %fault);
            NotTaken::Full(fault.to_string())
        })?;
        self.pushed.notify_one();
        Ok(())
    }

    /// Handles what was pushed, at the start what a crash left behind.
    async fn keep_handling(&self) {
        let Rounds { store, clock, seed, changed, .. } = &self.rounds;
        loop {
            match self.doors.handle(store, clock, *seed).await {
                Ok(true) => changed.notify_one(),
                Ok(false) => self.pushed.notified().await,
                Err(error) => {
                    tracing::error!(event = "inbox_failed", %error);
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    /// Computes the numbers, anew when facts came and every minute, because windows move.
    async fn keep_publishing(self: &Arc<Self>) {
        loop {
            let (work, begun) = (self.clone(), Instant::now());
            if let Err(panicked) = tokio::task::spawn_blocking(move || work.publish()).await {
                tracing::error!(event = "numbers_failed", %panicked, "the last ones stay");
            }
            let took = begun.elapsed();
            let changed = tokio::time::timeout(RECOMPUTE_EVERY, self.rounds.changed.notified());
            if changed.await.is_ok() {
                // More is likely on its way: a page comes after a page. And a long history may not
                // keep a core busy with every fact that trickles in.
                tokio::time::sleep(SETTLE.max(took * 4)).await;
            }
        }
    }

    fn publish(&self) {
        match self.compute() {
            Ok(computed) => *self.numbers() = Arc::new(computed),
            Err(error) => tracing::error!(event = "numbers_failed", %error, "the last ones stay"),
        }
    }

    /// Stores which versions served and which budgets burn, soon after they did.
    async fn keep_seeing(&self, mut seen: Seen) {
        loop {
            match seen.keep(&self.digest, &self.rounds) {
                Ok(true) => self.rounds.changed.notify_one(),
                Ok(false) => {}
                Err(error) => tracing::error!(event = "sightings_failed", %error, "tried again"),
            }
            tokio::time::sleep(SIGHT_EVERY).await;
        }
    }

    fn numbers(&self) -> std::sync::MutexGuard<'_, Arc<Numbers>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compute(&self) -> Result<Numbers, DeliveryError> {
        let (reader, now_ms) = (Reader::open(&self.ledger)?, (self.rounds.clock)());
        let (places, places_cold) = self.places(&reader, now_ms)?;
        let (places, places_omitted) = kept(places);
        let places = Arc::new(places);
        let workflows = Arc::new(self.workflows(&reader, now_ms)?);
        Ok(Numbers { places, places_omitted, places_cold, workflows, rejects: reader.rejects()? })
    }

    fn ask(&self, window_ms: i64, at_ms: i64) -> Ask {
        let (zone, rules) = (self.zone.clone(), self.rules.clone());
        Ask { service: None, environment: None, window_ms, at_ms, zone, rules }
    }

    fn workflows(&self, reader: &Reader, now_ms: i64) -> Result<Vec<WorkflowNumbers>, LedgerError> {
        let windows_ms = WINDOWS.map(|(_, window_ms)| window_ms);
        let mut numbers = Vec::new();
        for runs in ci::ci(reader, &self.ask(0, now_ms), &windows_ms)? {
            for ((window, _), workflows) in WINDOWS.into_iter().zip(runs.windows) {
                let service = || runs.service.clone();
                let of = |workflow| WorkflowNumbers { service: service(), window, workflow };
                numbers.extend(workflows.into_iter().map(of));
            }
        }
        Ok(numbers)
    }

    /// Every place, and how many of them had to be linked anew for want of memory.
    fn places(
        &self,
        reader: &Reader,
        now_ms: i64,
    ) -> Result<(Vec<PlaceNumbers>, usize), LedgerError> {
        let mut warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        let windows_ms: Vec<i64> = WINDOWS.iter().map(|(_, ms)| *ms).chain([now_ms]).collect();
        let answers = warm.answers(reader, &self.ask(0, now_ms), &windows_ms)?;
        let place = |mut answers: Vec<Answer>| {
            let Answer { service, environment, report: ever, .. } = answers.pop()?;
            let names = WINDOWS.into_iter().map(|(name, _)| name);
            let reports = answers.into_iter().map(|answer| answer.report);
            Some(PlaceNumbers { service, environment, windows: names.zip(reports).collect(), ever })
        };
        Ok((answers.into_iter().filter_map(place).collect(), warm.cold()))
    }

    /// The numbers as they were computed, and the standing of the sources at this moment.
    fn delivered(&self) -> Delivered {
        let numbers = self.numbers().clone();
        let now_ms = (self.rounds.clock)();
        let standings = self.rounds.board.standings().into_iter();
        let sources = standings.map(|(source, standing)| {
            let rejects = numbers.rejects.iter().find(|(name, _)| *name == source);
            source_numbers(source, &standing, rejects.map_or(0, |(_, total)| *total), now_ms)
        });
        let (places, workflows) = (numbers.places.clone(), numbers.workflows.clone());
        let Numbers { places_omitted, places_cold, .. } = *numbers;
        Delivered { places, places_omitted, places_cold, workflows, sources: sources.collect() }
    }
}

/// The places that were deployed last, in the order of their names, and how many more there are:
/// environments of pull requests come and go by the thousand.
fn kept(mut places: Vec<PlaceNumbers>) -> (Vec<PlaceNumbers>, usize) {
    let omitted = places.len().saturating_sub(PLACES_MAX);
    if omitted > 0 {
        places.sort_by_key(|place| Reverse(place.ever.last_deployment_ms));
        places.truncate(PLACES_MAX);
        places.sort_by(|a, b| (&a.service, &a.environment).cmp(&(&b.service, &b.environment)));
    }
    (places, omitted)
}

fn source_numbers(source: String, standing: &Standing, rejects: u64, now_ms: i64) -> SourceNumbers {
    let age = |until_ms: i64| now_ms.saturating_sub(until_ms) as f64 / 1e3;
    SourceNumbers {
        source,
        watermark_age_s: standing.complete_until_ms.map(age),
        rejects,
        gaps: standing.gaps,
        remaining: standing.remaining,
    }
}

const DAY_MS: i64 = 24 * 3_600_000;
/// The windows of the metrics.
const WINDOWS: [(&str, i64); 3] = [("7d", 7 * DAY_MS), ("30d", 30 * DAY_MS), ("90d", 90 * DAY_MS)];
/// Some 250 samples each.
const PLACES_MAX: usize = 500;
/// Numbers that nothing changed grow old by this much at most.
const RECOMPUTE_EVERY: Duration = Duration::from_secs(60);
/// A walk over the versions that are served.
const SIGHT_EVERY: Duration = Duration::from_secs(5);
/// How long facts are waited for after the first of them.
const SETTLE: Duration = Duration::from_secs(2);
/// A full disk is not emptied faster.
const RETRY_AFTER: Duration = Duration::from_secs(10);
