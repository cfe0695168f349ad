//! The rounds of all sources side by side, each by its own schedule: the first at once, because a
//! fresh agent has nothing to show, the others when the schedule says so.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::board::Board;
use super::round::{Clock, End, Told, round, sleep_until};
use super::source::Source;
use super::store::Store;
use crate::ledger::LedgerError;
use crate::schedule::Schedule;

/// A source and when it is read.
pub struct Timed {
    /// The source.
    pub source: Arc<Source>,
    /// When.
    pub schedule: Schedule,
}

/// What all rounds share.
#[derive(Clone)]
pub struct Rounds {
    /// Where facts go.
    pub store: Store,
    /// Where it is noted how each source stands.
    pub board: Board,
    /// What time it is.
    pub clock: Clock,
    /// Keeps the sources of two agents from asking in the same moment.
    pub seed: u64,
    /// Told whenever facts were stored that were not known so.
    pub changed: Arc<Notify>,
}

impl Rounds {
    /// The seed of a source, far from that of any other.
    #[must_use]
    pub fn seed_of(seed: u64, number: u64) -> u64 {
        seed.wrapping_add(SEED_STEP.wrapping_mul(number))
    }

    /// Reads all sources by their schedules; ends only by being dropped.
    pub async fn run(&self, sources: Vec<Timed>) {
        let mut running = JoinSet::new();
        for (number, timed) in (0..).zip(sources) {
            let (rounds, name) = (self.clone(), timed.source.name.clone());
            let seed = Self::seed_of(self.seed, number);
            self.board.note(&name, |_| ());
            running.spawn(async move { rounds.keep_reading(&timed, seed).await });
        }
        while let Some(ended) = running.join_next().await {
            if let Err(panicked) = ended {
                tracing::error!(event = "source_failed", %panicked, "restart redora to read it on");
            }
        }
    }

    async fn keep_reading(&self, timed: &Timed, seed: u64) {
        let name = timed.source.name.as_str();
        if let Ok(complete_until_ms) = self.store.complete_until_ms(name) {
            self.board.note(name, |standing| standing.complete_until_ms = complete_until_ms);
        }
        loop {
            let tell = |told: Told<'_>| self.note(name, told);
            let ended = round(&timed.source, &self.store, &self.clock, seed, tell).await;
            self.ended(name, ended);
            let Some(at_ms) = timed.schedule.next_ms((self.clock)(), seed) else {
                tracing::warn!(event = "schedule_over", source = name, "it names no later time");
                return;
            };
            sleep_until(at_ms, &self.clock).await;
        }
    }

    fn note(&self, name: &str, told: Told<'_>) {
        match told {
            Told::Stepped { fresh, rejects, requests, gaps, remaining, .. } => {
                tracing::debug!(event = "source_read", source = name, fresh, rejects, requests);
                self.board.note(name, |standing| {
                    standing.wait = None;
                    standing.gaps += gaps;
                    standing.remaining = remaining.or(standing.remaining);
                });
                if fresh > 0 {
                    self.changed.notify_one();
                }
            }
            Told::Waiting(wait) => {
                tracing::info!(event = "source_waits", source = name, why = wait.why);
                self.board.note(name, |standing| standing.wait = Some(wait.clone()));
            }
            Told::Refused(reason) => {
                tracing::error!(event = "source_refused", source = name, reason);
                self.board.note(name, |standing| standing.fault = Some(reason.to_owned()));
            }
        }
    }

    fn ended(&self, name: &str, ended: Result<End, LedgerError>) {
        match ended {
            Ok(End { complete_until_ms, refused, .. }) => self.board.note(name, |standing| {
                standing.complete_until_ms = complete_until_ms.or(standing.complete_until_ms);
                if refused.is_empty() {
                    standing.fault = None;
                }
            }),
            Err(error) => {
                tracing::error!(event = "ledger_failed", source = name, %error);
                self.board.note(name, |standing| standing.fault = Some(error.to_string()));
            }
        }
    }
}

/// The golden ratio in 64 bits: its multiples lie far from each other.
const SEED_STEP: u64 = 0x9E37_79B9_7F4A_7C15;
