//! The delivery half of a running agent: the rounds of its sources and the numbers that follow from
//! them, on a thread of its own, so that neither a page of a server nor a long history makes the
//! receiver of telemetry wait.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use redora_collector::api;
use redora_collector::collect::{Board, Rounds, Standing, Store};
use redora_collector::ledger::{LedgerError, Reader};
use tokio::sync::{Notify, oneshot};

use super::backfill::unix_ms;
use super::sources::timed;
use super::{Ask, DeliveryError, LEDGER_FILE, Rules, Zone, open, rules};
use crate::config::Config;
use crate::expose::{Delivered, Latest, PlaceNumbers, SourceNumbers};
use crate::process::Clock;

/// The delivery half at work; dropping it stops the rounds.
pub struct Delivering {
    latest: Arc<Mutex<Arc<Delivered>>>,
    _stop: oneshot::Sender<()>,
}

/// What the thread works with.
struct Work {
    rounds: Rounds,
    ledger: std::path::PathBuf,
    rules: Rules,
    zone: Zone,
    latest: Arc<Mutex<Arc<Delivered>>>,
}

impl Delivering {
    /// Starts the delivery half, if the configuration names anything to read or to listen to.
    ///
    /// # Errors
    /// A source cannot be read as configured, or the ledger cannot be opened.
    pub fn start(config: &Config, clock: &Clock, seed: u64) -> Result<Option<Self>, DeliveryError> {
        if config.delivery.is_empty() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let unix_ms = unix_ms(clock);
        let sources = {
            let _entered = runtime.enter();
            timed(&config.delivery, unix_ms())?
        };
        let latest = Arc::<Mutex<Arc<Delivered>>>::default();
        let work = Arc::new(Work {
            rounds: Rounds {
                store: Store::new(open(config)?),
                board: Board::default(),
                clock: unix_ms,
                seed,
                changed: Arc::new(Notify::new()),
            },
            ledger: config.data_dir.join(LEDGER_FILE),
            rules: rules(config),
            zone: Zone::named(&config.delivery.time_zone).expect("the zone was checked"),
            latest: latest.clone(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new().name("redora-delivery".to_owned()).spawn(move || {
            runtime.block_on(async {
                let reading = work.rounds.clone();
                tokio::select! {
                    () = reading.run(sources) => work.keep_publishing().await,
                    () = work.keep_publishing() => {}
                    _ = stopped => {}
                }
            });
            // A clone that is being read is let go; what it stored is stored.
            runtime.shutdown_timeout(Duration::from_secs(1));
        })?;
        Ok(Some(Self { latest, _stop: stop }))
    }

    /// What the delivery half found last.
    pub fn latest(&self) -> Latest {
        let latest = self.latest.clone();
        Arc::new(move || latest.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Work {
    /// Computes the numbers, anew when facts came and every minute, because windows move.
    async fn keep_publishing(self: &Arc<Self>) {
        loop {
            let work = self.clone();
            if let Err(panicked) = tokio::task::spawn_blocking(move || work.publish()).await {
                tracing::error!(event = "numbers_failed", %panicked, "the last ones stay");
            }
            let changed = tokio::time::timeout(RECOMPUTE_EVERY, self.rounds.changed.notified());
            if changed.await.is_ok() {
                // More is likely on its way: a page comes after a page.
                tokio::time::sleep(SETTLE).await;
            }
        }
    }

    fn publish(&self) {
        match self.delivered() {
            Ok(delivered) => {
                let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
                *latest = Arc::new(delivered);
            }
            Err(error) => tracing::error!(event = "numbers_failed", %error, "the last ones stay"),
        }
    }

    fn delivered(&self) -> Result<Delivered, DeliveryError> {
        let reader = Reader::open(&self.ledger)?;
        let now_ms = (self.rounds.clock)();
        let rejects = reader.rejects()?;
        let standings = self.rounds.board.standings();
        let sources = standings
            .into_iter()
            .map(|(source, standing)| {
                let rejects = rejects.iter().find(|(name, _)| *name == source);
                numbers(source, &standing, rejects.map_or(0, |(_, total)| *total), now_ms)
            })
            .collect();
        Ok(Delivered { places: self.places(&reader, now_ms)?, sources })
    }

    fn places(&self, reader: &Reader, now_ms: i64) -> Result<Vec<PlaceNumbers>, LedgerError> {
        let answers = |window_ms| {
            let (zone, rules) = (self.zone.clone(), self.rules.clone());
            let (service, environment) = (None, None);
            api::answers(
                reader,
                &Ask { service, environment, window_ms, at_ms: now_ms, zone, rules },
            )
        };
        let mut places: Vec<PlaceNumbers> = answers(now_ms)?
            .into_iter()
            .map(|answer| PlaceNumbers {
                service: answer.service,
                environment: answer.environment,
                windows: Vec::new(),
                ever: answer.report,
            })
            .collect();
        for (name, window_ms) in WINDOWS {
            for (place, answer) in places.iter_mut().zip(answers(window_ms)?) {
                place.windows.push((name, answer.report));
            }
        }
        Ok(places)
    }
}

fn numbers(source: String, standing: &Standing, rejects: u64, now_ms: i64) -> SourceNumbers {
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
/// Numbers that nothing changed grow old by this much at most.
const RECOMPUTE_EVERY: Duration = Duration::from_secs(60);
/// How long facts are waited for after the first of them.
const SETTLE: Duration = Duration::from_secs(2);
