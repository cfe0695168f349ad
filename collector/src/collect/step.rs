//! What one step of any source came to: the words between the tongues and the rounds.

use super::store::{Store, Wait, Yield};
use crate::ledger::LedgerError;

/// What a step came to, beside what it gave.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// What is to be stored.
    pub(super) yields: Yield,
    /// Facts that were stored and were not known so.
    pub(super) fresh: u64,
    /// Objects that were read, known ones too; bytes of a log.
    pub(super) read: u64,
    /// What was set aside.
    pub(super) rejected: u64,
    /// Requests that it cost.
    pub(super) requests: u64,
    /// What nobody can read before someone acts; the rest of the round goes on.
    pub(super) refused: Option<String>,
    /// Whether that takes another configuration.
    pub(super) misconfigured: bool,
    /// Stretches that may be missing.
    pub(super) gaps: u64,
    /// Requests that the server still allows.
    pub(super) remaining: Option<u64>,
    /// Up to when everything was read, where that is known now.
    pub(super) complete_until_ms: Option<i64>,
    /// Whether the round is over.
    pub(super) over: bool,
}

/// Now, and a number that no two agents share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now_ms: i64,
    pub(super) random: u64,
}

/// Why a source does not tell what it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// It cannot be read before someone acts; the text names the cure.
    Refused(String),
    /// Not before a time.
    Waits(Wait),
}

impl Step {
    /// The step with what it gave in the ledger.
    pub(super) fn stored(mut self, source: &str, store: &Store) -> Result<Self, LedgerError> {
        let yields = std::mem::take(&mut self.yields);
        self.rejected += yields.rejects.len() as u64;
        self.complete_until_ms = yields.complete_until_ms;
        let appended = store.keep(source, yields)?;
        self.fresh += appended.new + appended.corrected;
        Ok(self)
    }
}
