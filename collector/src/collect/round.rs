//! One round of one source: steps until everything up to its beginning is read, with every wait
//! that its server asks for. The same for a command that someone watches and for the agent.

use std::sync::Arc;
use std::time::Duration;

use super::source::Source;
use super::step::{Moment, Step};
use super::store::{Store, Wait};
use crate::ledger::LedgerError;

/// Tells the time in milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What happened within a round.
#[derive(Debug)]
pub enum Told<'a> {
    /// A step was read and stored.
    Stepped {
        /// Facts that were not known so.
        fresh: u64,
        /// Objects that were read, known ones too; bytes of a log.
        read: u64,
        /// Elements that are no facts.
        rejects: u64,
        /// Requests that it cost.
        requests: u64,
        /// Stretches that may be missing.
        gaps: u64,
        /// Requests that the server still allows.
        remaining: Option<u64>,
    },
    /// The source waits.
    Waiting(&'a Wait),
    /// Something cannot be read before someone acts; the text names the cure.
    Refused(&'a str),
}

/// How a round ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Everything that changed before was read; `None` where nothing could be.
    pub complete_until_ms: Option<i64>,
    /// What could not be read, each with its cure.
    pub refused: Vec<String>,
    /// Whether some of that takes another configuration.
    pub misconfigured: bool,
}

/// Reads a source until its round is over. Being dropped loses the step at hand and nothing else.
///
/// # Errors
/// The ledger cannot be written; what was stored before is there.
pub async fn round(
    source: &Source,
    store: &Store,
    clock: &Clock,
    seed: u64,
    mut tell: impl FnMut(Told<'_>),
) -> Result<End, LedgerError> {
    let mut end = End::default();
    for turn in 0.. {
        if let Some(wait) = store.wait(&source.name, clock())? {
            tell(Told::Waiting(&wait));
            sleep_until(wait.until_ms, clock).await;
        }
        let moment = Moment { now_ms: clock(), random: random(seed, turn) };
        let step = source.step(store, moment).await?;
        let Step { fresh, read, rejected: rejects, requests, gaps, remaining, .. } = step;
        tell(Told::Stepped { fresh, read, rejects, requests, gaps, remaining });
        end.misconfigured |= step.misconfigured;
        if let Some(refused) = step.refused {
            tell(Told::Refused(&refused));
            end.refused.push(refused);
        }
        if step.over {
            // What was refused is not complete, however far the rest is.
            end.complete_until_ms = step.complete_until_ms.filter(|_| end.refused.is_empty());
            break;
        }
    }
    Ok(end)
}

/// A number of a seed's sequence, random enough to spread retries.
pub(super) fn random(seed: u64, turn: u64) -> u64 {
    (seed ^ turn).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(turn) >> 16
}

/// Sleeps until the wall clock shows a time, looking at it every minute, because it may be set and
/// machines sleep.
pub(super) async fn sleep_until(at_ms: i64, clock: &Clock) {
    loop {
        let left_ms = at_ms.saturating_sub(clock());
        let Ok(left_ms @ 1..) = u64::try_from(left_ms) else { return };
        tokio::time::sleep(Duration::from_millis(left_ms.min(60_000))).await;
    }
}
