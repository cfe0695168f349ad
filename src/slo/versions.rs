//! Events of each objective by the version that served them: whose deployment spends the budget is
//! asked in the middle of an incident, and the counters of versions know no objective.
//!
//! A resource has one version, so its events are gathered first and put on their rows together: a
//! request pays nothing for them.

use redora_model::identity::Tenant;
use redora_model::slo::{Counts, Objective};

use crate::series::{Book, Carry, Hasher, Key, Limits, Row, Size, Staged, Upkeep, Weights};

/// The book of versions of all objectives.
#[derive(Debug)]
pub(super) struct Versions {
    book: Book<Events>,
    key: Key,
    /// The version whose requests follow; empty where the resource names none.
    version: Vec<u8>,
    now_ms: u64,
}

/// Good and bad events of one objective that one version served.
#[derive(Debug, Default)]
pub struct Events {
    counts: Counts,
    good_carry: Carry,
    bad_carry: Carry,
}

impl Events {
    /// Events since the row was created.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

impl Row for Events {
    type Hit = [Weights; 2];
    type Context<'c> = ();

    fn apply(&mut self, [good, bad]: [Weights; 2], (): &()) {
        let counts =
            Counts { good: self.good_carry.take_all(good), bad: self.bad_carry.take_all(bad) };
        self.counts = self.counts.and(counts);
    }
}

impl Versions {
    /// An empty book.
    pub(super) fn new(hasher: &Hasher) -> Self {
        let book = Book::new(Limits::default(), hasher.clone());
        Self { book, key: Key::new(), version: Vec::new(), now_ms: 0 }
    }

    /// The events that follow were served by this version.
    pub(super) fn name(&mut self, version: &[u8], now_ms: u64) {
        self.version.clear();
        self.version.extend_from_slice(version);
        self.now_ms = now_ms;
    }

    /// Stages good and bad events of the version named last. Without a version there is nothing to
    /// tell apart.
    pub(super) fn stage(&mut self, objective: &Objective, events: [Weights; 2]) {
        if self.version.is_empty() {
            return;
        }
        self.key.clear();
        self.key.push(Tenant::single().as_str().as_bytes());
        self.key.push(objective.service.as_str().as_bytes());
        self.key.push(objective.name.as_bytes());
        let objective = self.key.mark();
        self.key.push(&self.version);
        let now_ms = self.now_ms;
        if self.book.stage(&self.key, events, now_ms, Events::default) == Staged::Full {
            // As many rows as objectives at most, so that no bound is needed.
            self.key.rewind(objective);
            self.key.push(OTHER);
            self.book.stage_last(&self.key, events, now_ms, Events::default);
        }
    }

    /// Counts what was staged.
    pub(super) fn commit(&mut self) {
        self.book.commit(&());
    }

    /// Forgets what was staged.
    pub(super) fn discard(&mut self) {
        self.book.discard();
    }

    /// Removes versions that have not served for long.
    pub(super) fn expire(&mut self, uptime_ms: u64) {
        self.book.expire(uptime_ms);
    }

    /// Takes new limits.
    pub(super) fn limit(&mut self, limits: Limits) {
        self.book.limit(limits);
    }

    /// How full the book is.
    pub(super) fn size(&self) -> Size {
        self.book.size()
    }

    /// Rows by tenant, service, objective and version.
    pub(super) fn book(&self) -> &Book<Events> {
        &self.book
    }
}

/// Where events of versions that did not fit are counted.
const OTHER: &[u8] = b"other";

#[cfg(test)]
mod tests;
