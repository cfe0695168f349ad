//! `redora dora backfill`: one round of every source at once, with someone watching. It is what the
//! agent does at its start, so an interruption costs nothing that was stored.

use std::sync::Arc;

use redora_collector::collect::{Clock as UnixMs, End, Rounds, Store, Told, round};
use redora_collector::ledger::LedgerError;
use tokio::task::JoinSet;

use super::sources::timed;
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
}

/// Reads every configured source once, telling `watch` of each step, and gives what became of
/// each, in the order of their names.
///
/// # Errors
/// A source cannot be read as configured, or the ledger cannot be used.
pub async fn backfill(
    config: &Config,
    clock: Clock,
    seed: u64,
    watch: Arc<dyn Fn(&Progress) + Send + Sync>,
) -> Result<Vec<(Progress, End)>, DeliveryError> {
    let sources = timed(&config.delivery, unix_ms(&clock)())?;
    let store = Store::new(open(config)?);
    let mut running: JoinSet<Result<(Progress, End), LedgerError>> = JoinSet::new();
    for (number, timed) in (0..).zip(sources) {
        let (store, clock, watch) = (store.clone(), unix_ms(&clock), watch.clone());
        let seed = Rounds::seed_of(seed, number);
        running.spawn(async move {
            let source = timed.source;
            let mut progress = Progress { source: source.name.clone(), ..Progress::default() };
            let end = round(&source, &store, &clock, seed, |told| {
                progress.take(&told);
                watch(&progress);
            });
            let end = end.await?;
            Ok((progress, end))
        });
    }
    let mut ended = Vec::new();
    while let Some(joined) = running.join_next().await {
        ended.push(joined.expect("no source is cancelled, and none panics")?);
    }
    ended.sort_by(|(a, _), (b, _)| a.source.cmp(&b.source));
    Ok(ended)
}

impl Progress {
    fn take(&mut self, told: &Told<'_>) {
        self.waits = None;
        match told {
            Told::Stepped { fresh, rejects, requests, .. } => {
                self.fresh += fresh;
                self.rejects += rejects;
                self.requests += requests;
            }
            Told::Waiting(wait) => self.waits = Some((wait.why.clone(), wait.until_ms)),
            Told::Refused(_) => {}
        }
    }
}

/// The agent's clock as the collector reads it.
pub(super) fn unix_ms(clock: &Clock) -> UnixMs {
    let clock = clock.clone();
    Arc::new(move || i64::try_from(clock.unix_ms()).unwrap_or(i64::MAX))
}
