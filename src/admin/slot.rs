//! The slots of running scrapes, which keep many scrapers from holding many snapshots, and take a
//! slot back from a peer that stops reading.

use std::fmt::Display;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use crate::process::spans;

/// The right to one running scrape.
pub(super) struct Slot {
    /// When the slot is taken back.
    pub(super) deadline: Instant,
    /// Whether it is already known how the scrape ended.
    pub(super) settled: bool,
    /// The own trace of the scrape, which ends with the slot.
    pub(super) span: tracing::Span,
    /// Its end gives the slot back early.
    _held: oneshot::Sender<()>,
}

impl Slot {
    /// Occupies the slot that the permit stands for.
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        let deadline = Instant::now() + SCRAPE_TIME_MAX;
        let (held, ended) = oneshot::channel();
        // A peer that stops reading is never polled again, so the deadline needs a watcher of its
        // own.
        tokio::spawn(async move {
            let _ = tokio::time::timeout_at(deadline, ended).await;
            drop(permit);
        });
        Self { deadline, settled: false, span: spans::scrape(), _held: held }
    }

    /// Notes why the scrape did not reach its end.
    pub(super) fn fail(&mut self, reason: &dyn Display) {
        self.settled = true;
        spans::fail(&self.span, reason);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.settled {
            spans::fail(&self.span, &"the peer left before the end");
        }
    }
}

/// Half as long again as the usual scrape timeout; a peer slower than that blocks a slot for the
/// others, who are refused meanwhile.
pub(super) const SCRAPE_TIME_MAX: Duration = Duration::from_secs(15);
