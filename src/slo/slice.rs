//! The slice of time that is under way: it becomes one event when it has ended, so that what is
//! counted once is never taken back.

use redora_model::slo::{Counts, Share, Slices};

/// The slice that is being filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    length_ms: u64,
    good: Share,
    /// Numbered from the start of time; of no meaning without events.
    number: u64,
    counts: Counts,
}

/// A slice that had events and has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// The last moment in it.
    pub(super) last_ms: u64,
    /// The one event that it is.
    pub(super) event: Counts,
}

impl Slice {
    pub(super) fn new(slices: Slices) -> Self {
        let length_ms = slices.seconds.saturating_mul(1000).max(1);
        Self { length_ms, good: slices.good, number: 0, counts: Counts::default() }
    }

    /// Adds events of this moment, at which no slice before it is under way any more.
    pub(super) fn add(&mut self, at_ms: u64, counts: Counts) {
        self.number = at_ms / self.length_ms;
        self.counts = self.counts.and(counts);
    }

    /// The slice that was under way, where it had events and has ended by now. Slices since then
    /// had none, however much time passed: nothing came in between.
    pub(super) fn end(&mut self, at_ms: u64) -> Option<Ended> {
        if self.counts == Counts::default() || at_ms / self.length_ms <= self.number {
            return None;
        }
        let good = self.good.is_kept_by(std::mem::take(&mut self.counts));
        let event = Counts { good: u64::from(good), bad: u64::from(!good) };
        let next_ms = (self.number + 1).saturating_mul(self.length_ms);
        Some(Ended { last_ms: next_ms - 1, event })
    }

    /// Its number and what is in it.
    pub(super) fn filled(&self) -> (u64, Counts) {
        (self.number, self.counts)
    }

    /// Puts back what [`Slice::filled`] gave before this moment; of a slice that is yet to come
    /// nobody can have counted anything.
    pub(super) fn put(&mut self, (number, counts): (u64, Counts), at_ms: u64) {
        if number <= at_ms / self.length_ms {
            (self.number, self.counts) = (number, counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice() -> Slice {
        Slice::new(Slices { seconds: 10, good: Share::parse("90%").expect("a share") })
    }

    fn counts(good: u64, bad: u64) -> Counts {
        Counts { good, bad }
    }

    #[test]
    fn a_slice_is_one_event_at_its_end() {
        for (good, bad, event) in
            [(9, 1, counts(1, 0)), (8, 1, counts(0, 1)), (0, 7, counts(0, 1)), (1, 0, counts(1, 0))]
        {
            let mut slice = slice();
            slice.add(25_000, counts(good, 0));
            slice.add(29_999, counts(0, bad));
            assert_eq!(slice.end(29_999), None);
            let ended = Some(Ended { last_ms: 29_999, event });
            assert_eq!(slice.clone().end(u64::MAX), ended, "however late it is seen");
            assert_eq!(slice.end(30_000), ended);
            assert_eq!(slice.end(40_000), None, "a slice without events is none");
        }
    }

    #[test]
    fn what_is_under_way_is_put_back_unless_it_is_yet_to_come() {
        let mut before = slice();
        before.add(25_000, counts(3, 4));
        let mut after = slice();
        after.put(before.filled(), 19_999);
        assert_eq!(after, slice());
        after.put(before.filled(), 20_000);
        assert_eq!(after, before);
        after.put((u64::MAX, counts(1, 1)), u64::MAX);
        assert_eq!(after, before);
    }
}
