//! Good and bad events of the last stretch of time in buckets of equal length: enough to say what
//! any shorter window holds, in memory that is decided before the first event.

use redora_model::slo::Counts;

/// Buckets up to now. Time is counted in milliseconds and never goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    bucket_ms: u64,
    /// The bucket that is being filled, numbered from the start of time.
    newest: u64,
    /// Good and bad of each bucket, at its number modulo their length. Arrays of zeros cost no
    /// memory until they are written.
    buckets: Box<[[u64; 2]]>,
}

impl Ring {
    /// Empty buckets of this length, for windows of up to so many of them.
    pub(super) fn new(bucket_ms: u64, buckets: usize, at_ms: u64) -> Self {
        // One more, since the newest is not full.
        let buckets = vec![[0; 2]; buckets + 1].into_boxed_slice();
        Self { bucket_ms, newest: at_ms / bucket_ms, buckets }
    }

    /// Adds events of this moment, or of the newest bucket where the moment is before it.
    pub(super) fn add(&mut self, at_ms: u64, counts: Counts) {
        self.advance(at_ms);
        let place = self.place(self.newest);
        let [good, bad] = &mut self.buckets[place];
        *good = good.saturating_add(counts.good);
        *bad = bad.saturating_add(counts.bad);
    }

    /// Empties what is too old by now.
    fn advance(&mut self, at_ms: u64) {
        let now = at_ms / self.bucket_ms;
        if now <= self.newest {
            return;
        }
        if now - self.newest >= self.buckets.len() as u64 {
            self.buckets.fill([0; 2]);
        } else {
            for bucket in self.newest + 1..=now {
                let place = self.place(bucket);
                self.buckets[place] = [0; 2];
            }
        }
        self.newest = now;
    }

    /// The events of the last `window_ms` before a moment. Buckets are counted whole: the window
    /// reaches back at least its length, and at most one bucket further.
    pub(super) fn sum(&self, at_ms: u64, window_ms: u64) -> Counts {
        let now = (at_ms / self.bucket_ms).max(self.newest);
        let back = window_ms.div_ceil(self.bucket_ms).min(self.buckets.len() as u64 - 1);
        let kept = self.newest.saturating_sub(self.buckets.len() as u64 - 1);
        let first = now.saturating_sub(back).max(kept);
        (first..=self.newest).fold(Counts::default(), |sum, bucket| {
            let [good, bad] = self.buckets[self.place(bucket)];
            sum.and(Counts { good, bad })
        })
    }

    /// Every bucket that holds something, by its number, the oldest first.
    pub(super) fn filled(&self) -> impl Iterator<Item = (u64, Counts)> + '_ {
        let kept = self.newest.saturating_sub(self.buckets.len() as u64 - 1);
        (kept..=self.newest).filter_map(|bucket| {
            let [good, bad] = self.buckets[self.place(bucket)];
            (good > 0 || bad > 0).then_some((bucket, Counts { good, bad }))
        })
    }

    /// Puts back what [`Ring::filled`] gave; what is older than the ring reaches, or newer than the
    /// bucket that is being filled, is left out.
    pub(super) fn put(&mut self, bucket: u64, counts: Counts) {
        if bucket <= self.newest && self.newest - bucket < self.buckets.len() as u64 {
            let place = self.place(bucket);
            self.buckets[place] = [counts.good, counts.bad];
        }
    }

    fn place(&self, bucket: u64) -> usize {
        (bucket % self.buckets.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(bad: u64) -> Counts {
        Counts { good: 0, bad }
    }

    #[test]
    fn a_window_holds_whole_buckets_and_at_most_one_too_many() {
        let mut ring = Ring::new(10, 6, 1000);
        for at_ms in (1000..1060).step_by(10) {
            ring.add(at_ms, bad(1));
        }
        for (at_ms, window_ms, expected) in [
            (1059, 10, 2),
            (1059, 11, 3),
            (1059, 60, 6),
            (1059, 1000, 6),
            (1060, 60, 6),
            (1069, 60, 6),
            (1070, 60, 5),
            (1070, 10, 0),
            (1119, 60, 1),
            (1120, 60, 0),
            (u64::MAX, 60, 0),
        ] {
            assert_eq!(ring.sum(at_ms, window_ms), bad(expected), "{window_ms} at {at_ms}");
        }
    }

    #[test]
    fn old_buckets_are_emptied_however_long_nothing_came() {
        for gap_ms in [10, 60, 70, 80, 700, 1_000_000] {
            let mut ring = Ring::new(10, 6, 0);
            ring.add(5, bad(7));
            ring.add(5 + gap_ms, bad(1));
            let old = if gap_ms <= 60 { 7 } else { 0 };
            assert_eq!(ring.sum(5 + gap_ms, 60), bad(1 + old), "{gap_ms}");
        }
    }

    #[test]
    fn events_of_the_past_count_in_the_newest_bucket() {
        let mut ring = Ring::new(10, 6, 100);
        ring.add(150, bad(1));
        ring.add(20, bad(2));
        assert_eq!(ring.sum(150, 10), bad(3));
        assert_eq!(ring.sum(20, 10), bad(3));
    }

    #[test]
    fn what_is_written_down_is_put_back() {
        let mut ring = Ring::new(10, 6, 0);
        for at_ms in [500, 530, 540, 560] {
            ring.add(at_ms, Counts { good: at_ms, bad: 1 });
        }
        let mut other = Ring::new(10, 6, 569);
        for (bucket, counts) in ring.filled() {
            other.put(bucket, counts);
        }
        assert_eq!(other, ring);
        for bucket in [0, 49, 57, u64::MAX] {
            other.put(bucket, bad(9));
            assert_eq!(other, ring, "{bucket}");
        }
    }
}
