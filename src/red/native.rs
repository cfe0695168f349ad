//! A native histogram of schema 3: eight buckets to every doubling, kept sparse because a request's
//! durations fill a handful of the hundreds that the scale has.
//!
//! Source of the bucket formula: Prometheus' exponential schemas, bucket i covers
//! (2^((i−1)/2^schema), 2^(i/2^schema)].

/// Counts per exponential bucket, at most [`BUCKETS_MAX`] of them: past that the schema is halved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    zero: u64,
    schema: i8,
    /// The index that the first of `numbers` is for.
    first: i16,
    /// For each index the number of its count, from 1; 0 where it has none.
    numbers: Vec<u8>,
    counts: Vec<u64>,
}

impl Default for Native {
    fn default() -> Self {
        Self { zero: 0, schema: SCHEMA, first: 0, numbers: Vec::new(), counts: Vec::new() }
    }
}

impl Native {
    /// Adds `count` durations of `nanos`; 0 has a bucket of its own.
    pub fn add(&mut self, nanos: u64, count: u64) {
        if nanos == 0 {
            self.zero = self.zero.saturating_add(count);
            return;
        }
        let index = bucket_index(nanos as f64 / 1e9);
        let place = shrink(index, SCHEMA - self.schema).wrapping_sub(self.first);
        let number = self.numbers.get(place as usize).copied().unwrap_or(0);
        match self.counts.get_mut(usize::from(number).wrapping_sub(1)) {
            Some(bucket) => *bucket = bucket.saturating_add(count),
            None => self.add_first(index, count),
        }
    }

    /// Adds to a bucket that stood at 0; `index` is that of the finest schema.
    #[cold]
    fn add_first(&mut self, index: i16, count: u64) {
        while self.counts.len() == BUCKETS_MAX {
            self.halve();
        }
        let at = shrink(index, SCHEMA - self.schema);
        self.reach(at);
        let number = &mut self.numbers[(at - self.first) as usize];
        if *number == 0 {
            self.counts.reserve_exact(1);
            self.counts.push(0);
            *number = self.counts.len() as u8;
        }
        let bucket = &mut self.counts[usize::from(*number) - 1];
        *bucket = bucket.saturating_add(count);
    }

    /// Makes `numbers` reach an index, which is within the few hundred that durations have.
    fn reach(&mut self, index: i16) {
        if self.numbers.is_empty() {
            self.first = index;
        }
        let before = (self.first - index).max(0) as usize;
        let after = (index - self.first + 1).max(0) as usize;
        self.numbers.reserve_exact(before + after.saturating_sub(self.numbers.len()));
        self.numbers.splice(..0, std::iter::repeat_n(0, before));
        self.first = self.first.min(index);
        self.numbers.resize(self.numbers.len().max(after), 0);
    }

    /// The exponential schema at present, 3 or less.
    #[must_use]
    pub fn schema(&self) -> i32 {
        i32::from(self.schema)
    }

    /// Durations of exactly 0.
    #[must_use]
    pub fn zero(&self) -> u64 {
        self.zero
    }

    /// Bucket indexes and counts, rising.
    pub fn buckets(&self) -> impl Iterator<Item = (i16, u64)> + '_ {
        let indexes = (self.first..).zip(&self.numbers);
        indexes.filter_map(|(index, number)| {
            let count = self.counts.get(usize::from(*number).wrapping_sub(1))?;
            Some((index, *count))
        })
    }

    /// Merges each pair of buckets: one schema lower, at least half as many.
    fn halve(&mut self) {
        let schema = self.schema - 1;
        let mut half = Self { zero: self.zero, schema, ..Self::default() };
        let steps = SCHEMA - schema;
        for (index, count) in self.buckets() {
            // Upper bounds are the same in every schema that has them.
            half.add_first(shrink(index, 1) << steps, count);
        }
        *self = half;
    }
}

/// The bucket of a positive, normal number of seconds in [`SCHEMA`].
fn bucket_index(seconds: f64) -> i16 {
    let bits = seconds.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i16 - 1023;
    let fraction = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    let within = BOUNDS.iter().filter(|bound| fraction > **bound).count() as i16;
    exponent * BOUNDS.len() as i16 + within
}

/// The index of the same bucket `steps` schemas lower.
fn shrink(index: i16, steps: i8) -> i16 {
    // Upper bounds are inclusive, so the last bucket of a group is a multiple of the group's size.
    ((index - 1) >> steps) + 1
}

/// Factor 1.09 between bounds: a quantile read from it errs by less than 4.5 %.
const SCHEMA: i8 = 3;

/// Buckets of one histogram: 20 doublings at the finest schema, from 10 µs to 10 s.
pub const BUCKETS_MAX: usize = 160;

/// 2^(i/8) for i in 0..8, the lower bounds within one doubling, to the nearest double.
const BOUNDS: [f64; 8] = [
    1.0,
    1.0905077326652577,
    1.189207115002721,
    1.2968395546510096,
    std::f64::consts::SQRT_2,
    1.5422108254079407,
    1.681792830507429,
    1.8340080864093424,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(index: i16, schema: i32) -> f64 {
        (f64::from(index) / f64::from(schema).exp2()).exp2()
    }

    #[test]
    fn a_duration_lies_within_its_bucket() {
        for nanos in [1, 2, 3, 999, 1_000_000, 30_000_001, 1_000_000_000, 77_000_000_000, u64::MAX]
        {
            let index = bucket_index(nanos as f64 / 1e9);
            let seconds = nanos as f64 / 1e9;
            assert!(seconds <= upper(index, 3) * (1.0 + 1e-12), "{nanos} above {index}");
            assert!(seconds > upper(index - 1, 3) * (1.0 - 1e-12), "{nanos} below {index}");
        }
    }

    #[test]
    fn powers_of_two_are_the_upper_bounds_of_their_buckets() {
        for (seconds, index) in [(0.5, -8), (1.0, 0), (2.0, 8), (4.0, 16)] {
            assert_eq!(bucket_index(seconds), index, "{seconds}");
        }
        assert_eq!(bucket_index(1.0000001), 1);
    }

    #[test]
    fn lower_schemas_hold_the_same_durations() {
        for index in -40..40 {
            for steps in 1..6 {
                let coarse = shrink(index, steps);
                let size = 1 << steps;
                assert!(coarse * size >= index && (coarse - 1) * size < index, "{index} {steps}");
            }
        }
    }

    #[test]
    fn it_stays_within_its_bound_and_loses_nothing() {
        let mut native = Native::default();
        let mut nanos = 1_u64;
        let mut added = 0;
        while nanos < u64::MAX / 2 {
            native.add(nanos, 2);
            added += 2;
            nanos += nanos / 40 + 1;
        }
        native.add(0, 5);
        assert!(native.buckets().count() <= BUCKETS_MAX);
        assert!(native.schema() < 3, "so wide a range does not fit the finest schema");
        assert_eq!(native.buckets().map(|(_, count)| count).sum::<u64>(), added);
        assert_eq!(native.zero(), 5);
        assert!(native.buckets().is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn a_histogram_that_was_halved_keeps_and_takes_durations_in_their_buckets() {
        let mut native = Native::default();
        let rise = |nanos: &u64| nanos.checked_add(nanos / 20 + 1);
        let mut all: Vec<u64> = std::iter::successors(Some(1_u64), rise).collect();
        all.extend_from_within(..);
        for nanos in &all {
            native.add(*nanos, 1);
        }
        let steps = SCHEMA - native.schema;
        assert!(steps > 0);
        let mut expected = std::collections::BTreeMap::new();
        for nanos in &all {
            *expected.entry(shrink(bucket_index(*nanos as f64 / 1e9), steps)).or_insert(0) += 1;
        }
        assert!(native.buckets().eq(expected));
    }

    #[test]
    fn bounds_are_the_powers_that_their_formula_gives() {
        for (i, bound) in BOUNDS.iter().enumerate() {
            assert!((bound - (i as f64 / 8.0).exp2()).abs() < 1e-15, "{i}");
        }
    }
}
