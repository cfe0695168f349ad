//! How each source stands, for metrics and pages: written by the rounds, read by whoever shows it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::store::Wait;

/// The standing of every source, shared.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<BTreeMap<String, Standing>>>);

/// How one source stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Everything that changed before was read, in milliseconds since the Unix epoch; `None` while
    /// its first round lasts.
    pub complete_until_ms: Option<i64>,
    /// What it waits for.
    pub wait: Option<Wait>,
    /// Why it was not read, and the cure; until a round ends well.
    pub fault: Option<String>,
    /// Stretches that may be missing, seen since the start.
    pub gaps: u64,
    /// Requests that its server still allows, where it says so.
    pub remaining: Option<u64>,
}

impl Board {
    /// Changes the standing of a source.
    pub fn note(&self, source: &str, change: impl FnOnce(&mut Standing)) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(board.entry(source.to_owned()).or_default());
    }

    /// How all stand, by name.
    #[must_use]
    pub fn standings(&self) -> BTreeMap<String, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
