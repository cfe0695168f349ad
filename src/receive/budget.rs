//! The memory that all request bodies together may take, reserved before it is allocated; a limit
//! for each request alone would let a thousand peers take a thousand times as much.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Bytes that are still free to be reserved.
#[derive(Debug)]
pub(super) struct Budget {
    free: AtomicUsize,
}

/// A part of a [`Budget`], given back when dropped.
#[derive(Debug)]
pub(super) struct Hold {
    budget: Arc<Budget>,
    bytes: usize,
}

/// The budget has not that much left just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Bytes together with the part of the budget that they take, for as long as anybody refers to
/// them.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    pub(super) hold: Hold,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { free: AtomicUsize::new(bytes) })
    }

    /// A part of 0 bytes.
    pub(super) fn hold(self: &Arc<Self>) -> Hold {
        Hold { budget: self.clone(), bytes: 0 }
    }

    fn take(&self, bytes: usize) -> Result<(), Exhausted> {
        self.free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(bytes))
            .map(|_| ())
            .map_err(|_| Exhausted)
    }
}

impl Hold {
    /// Makes the part `bytes` large in all, or leaves it as it is.
    pub(super) fn resize(&mut self, bytes: usize) -> Result<(), Exhausted> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.budget.take(more)?,
            None => {
                self.budget.free.fetch_add(self.bytes - bytes, Ordering::Relaxed);
            }
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Another part of the same budget, of 0 bytes.
    pub(super) fn sibling(&self) -> Hold {
        self.budget.hold()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.free.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

impl Held {
    /// Plain bytes whose last clone gives the memory back to the budget.
    pub(super) fn into_bytes(self) -> Bytes {
        if self.bytes.is_empty() { Bytes::new() } else { Bytes::from_owner(self) }
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(budget: &Budget) -> usize {
        budget.free.load(Ordering::Relaxed)
    }

    #[test]
    fn what_is_reserved_is_given_back_by_the_last_clone() {
        let budget = Budget::new(100);
        let mut hold = budget.hold();
        hold.resize(60).expect("free");
        assert_eq!(hold.sibling().resize(41), Err(Exhausted));
        hold.resize(30).expect("smaller always fits");
        assert_eq!(free(&budget), 70);
        let bytes = Held { bytes: Bytes::from_static(b"body"), hold }.into_bytes();
        let clone = bytes.slice(1..3);
        drop(bytes);
        assert_eq!(free(&budget), 70);
        assert_eq!(&clone[..], b"od");
        drop(clone);
        assert_eq!(free(&budget), 100);
    }

    #[test]
    fn a_refused_part_keeps_its_size() {
        let budget = Budget::new(10);
        let mut hold = budget.hold();
        hold.resize(10).expect("free");
        assert_eq!(hold.resize(usize::MAX), Err(Exhausted));
        assert_eq!(free(&budget), 0);
        drop(hold);
        assert_eq!(free(&budget), 10);
    }
}
