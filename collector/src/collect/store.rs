//! The ledger as the sources share it: one writer behind a lock, for SQLite has one anyway, and the
//! places that every source goes on from.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redora_model::fact::Fact;
use serde::{Deserialize, Serialize};

use crate::ledger::{Appended, Batch, Cursor, Ledger, LedgerError, Reader, Reject};

/// The ledger, shared.
#[derive(Clone, Debug)]
pub struct Store(Arc<Mutex<Ledger>>);

/// Not before then, and why; kept in the ledger, so that a restart does not shorten a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The earliest moment, in milliseconds since the Unix epoch.
    pub until_ms: i64,
    /// What is waited for.
    pub why: String,
}

/// What a step of a source gave, to be stored together.
#[derive(Debug, Default)]
pub(super) struct Yield {
    pub(super) facts: Vec<Fact>,
    pub(super) rejects: Vec<Reject>,
    /// Where the source goes on, in its own words; `None` where that did not move.
    pub(super) place: Option<String>,
    /// What it has to wait for; an earlier wait ends by itself.
    pub(super) wait: Option<Wait>,
    /// Up to when everything was read, where a round came to its end.
    pub(super) complete_until_ms: Option<i64>,
    /// Deliveries of the inbox that this is the end of.
    pub(super) handled: Vec<i64>,
}

/// Where a source stands, as anyone may ask who has the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stood {
    /// Where it goes on, in its own words.
    pub place: Option<String>,
    /// What it waits for.
    pub wait: Option<Wait>,
}

impl Stood {
    /// Where a source stands by a ledger that is only read.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn read(ledger: &Reader, source: &str, now_ms: i64) -> Result<Self, LedgerError> {
        let place = ledger.cursor(source, PLACE)?;
        Ok(Self { place, wait: wait(ledger, source, now_ms)? })
    }
}

impl Store {
    /// Where a source stands.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn stood(&self, source: &str, now_ms: i64) -> Result<Stood, LedgerError> {
        Stood::read(&self.ledger(), source, now_ms)
    }

    /// Shares a ledger.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Self(Arc::new(Mutex::new(ledger)))
    }

    /// The ledger for as long as the guard is held; keep that short. A panic while it was held
    /// undid its transaction, so what is there is whole.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a source goes on.
    pub(super) fn place(&self, source: &str) -> Result<Option<String>, LedgerError> {
        self.ledger().cursor(source, PLACE)
    }

    /// What a source waits for, if that is later than `now_ms`.
    pub(super) fn wait(&self, source: &str, now_ms: i64) -> Result<Option<Wait>, LedgerError> {
        wait(&self.ledger(), source, now_ms)
    }

    /// Up to when a source is completely read.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn complete_until_ms(&self, source: &str) -> Result<Option<i64>, LedgerError> {
        Ok(self.ledger().cursor(source, COMPLETE)?.and_then(|text| text.parse().ok()))
    }

    /// Stores what a delivery gave together with its end; nothing about any source's place.
    pub(super) fn end(&self, yields: Yield) -> Result<Appended, LedgerError> {
        let Yield { facts, rejects, handled, .. } = yields;
        self.ledger().append(&Batch { facts, cursors: Vec::new(), rejects, handled })
    }

    /// Stores what a step gave, whole or not at all.
    pub(super) fn keep(&self, source: &str, yields: Yield) -> Result<Appended, LedgerError> {
        let Yield { facts, rejects, place, wait, complete_until_ms, handled } = yields;
        let cursor = |name: &str, place| {
            let (source, name) = (source.to_owned(), name.to_owned());
            Cursor { source, name, place }
        };
        let mut cursors = Vec::new();
        if let Some(wait) = wait {
            let wait = serde_json::to_string(&wait).expect("a number and a text are JSON");
            cursors.push(cursor(WAIT, wait));
        }
        cursors.extend(place.map(|place| cursor(PLACE, place)));
        cursors.extend(complete_until_ms.map(|until_ms| cursor(COMPLETE, until_ms.to_string())));
        self.ledger().append(&Batch { facts, cursors, rejects, handled })
    }
}

fn wait(ledger: &Reader, source: &str, now_ms: i64) -> Result<Option<Wait>, LedgerError> {
    let text = ledger.cursor(source, WAIT)?;
    let wait: Option<Wait> = text.and_then(|text| serde_json::from_str(&text).ok());
    // No limit lasts longer: a clock that was set back does not stop a source for a year.
    let latest_ms = now_ms.saturating_add(WAIT_MS_MAX);
    Ok(wait.filter(|wait| wait.until_ms > now_ms && wait.until_ms < latest_ms))
}

/// The names under which the ledger keeps them.
const PLACE: &str = "place";
const WAIT: &str = "wait";
const COMPLETE: &str = "complete";

/// Longer than any limit that a server names.
const WAIT_MS_MAX: i64 = 25 * 3_600_000;
