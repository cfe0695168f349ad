//! Durations of one label set: classic buckets with integer bounds, an exact sum and, where wanted,
//! a native histogram beside them. Nanoseconds stay integers until they are printed, because a
//! float sum of a week's requests drifts.

use std::num::NonZeroU64;

use super::native::Native;
use super::{Buckets, Config};

/// One span as every book of this room counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// How long it took; `None` when its times make no duration.
    pub nanos: Option<u64>,
    /// The trace and span that it was, where both ids are valid.
    pub trace: Option<Trace>,
}

/// Where a span is found again: the ids of an exemplar, as whole words, which are copied for every
/// span of every family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    trace_id: [u64; 2],
    span_id: NonZeroU64,
}

impl Trace {
    /// The ids, if both have their length and are not all zero.
    #[inline]
    #[must_use]
    pub fn new(trace_id: &[u8], span_id: &[u8]) -> Option<Self> {
        let (&[high, low], []) = trace_id.as_chunks::<8>() else { return None };
        let trace_id = [u64::from_be_bytes(high), u64::from_be_bytes(low)];
        let span_id = NonZeroU64::new(u64::from_be_bytes(span_id.try_into().ok()?))?;
        (trace_id != [0; 2]).then_some(Self { trace_id, span_id })
    }

    /// The trace's id as it was sent, not all zero.
    #[must_use]
    pub fn trace_id(&self) -> [u8; 16] {
        let [high, low] = self.trace_id.map(u128::from);
        (high << u64::BITS | low).to_be_bytes()
    }

    /// The span's id as it was sent, not all zero.
    #[must_use]
    pub fn span_id(&self) -> [u8; 8] {
        self.span_id.get().to_be_bytes()
    }
}

/// What a family of histograms has in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    bounds_ns: Box<[u64]>,
    bounds: Box<[f64]>,
    /// For each number of bits, the bucket of the least duration that has as many.
    first: [u8; u64::BITS as usize + 1],
    units_per_second: f64,
    native: bool,
    exemplars: bool,
}

impl Shape {
    /// The shape of the request durations: the configured buckets, in seconds.
    #[must_use]
    pub fn requests(config: &Config) -> Self {
        let bounds = config.buckets.seconds();
        let bounds_ns = bounds.iter().map(|seconds| whole_nanos(*seconds)).collect();
        let shape = Self::new(bounds_ns, bounds.into(), 1.0, config.exemplars);
        Self { native: config.native_histograms, ..shape }
    }

    /// The buckets of Tempo's metrics generator: fourteen doublings from 2 ms, in seconds.
    #[must_use]
    pub fn tempo(exemplars: bool) -> Self {
        let bounds_ns: Box<[u64]> = (0..14).map(|i| 2_000_000 << i).collect();
        let bounds = bounds_ns.iter().map(|ns| *ns as f64 / 1e9).collect();
        Self::new(bounds_ns, bounds, 1.0, exemplars)
    }

    /// The buckets of the Collector's span metrics connector, in milliseconds.
    #[must_use]
    pub fn spanmetrics(exemplars: bool) -> Self {
        let bounds_ns = SPANMETRICS_MS.iter().map(|ms| ms * 1_000_000).collect();
        let bounds = SPANMETRICS_MS.iter().map(|ms| *ms as f64).collect();
        Self::new(bounds_ns, bounds, 1e3, exemplars)
    }

    fn new(
        bounds_ns: Box<[u64]>,
        bounds: Box<[f64]>,
        units_per_second: f64,
        exemplars: bool,
    ) -> Self {
        let mut first = [0; u64::BITS as usize + 1];
        for (bits, first) in first.iter_mut().enumerate().skip(1) {
            let least = 1_u64 << (bits - 1);
            *first = bounds_ns.iter().filter(|bound| **bound < least).count() as u8;
        }
        Self { bounds_ns, bounds, first, units_per_second, native: false, exemplars }
    }

    /// The bucket of a duration: its number of bits leads to within a bound or two.
    fn bucket(&self, nanos: u64) -> usize {
        let bits = u64::BITS - nanos.leading_zeros();
        let first = usize::from(self.first[bits as usize]);
        first + self.bounds_ns[first..].iter().take_while(|bound| **bound < nanos).count()
    }

    /// Upper bounds in the family's unit, without the infinite one.
    #[must_use]
    pub fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    /// Nanoseconds in the family's unit.
    #[must_use]
    pub fn in_units(&self, nanos: u64) -> f64 {
        nanos as f64 * self.units_per_second / 1e9
    }
}

/// An exemplar: the span that last fell into a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exemplar {
    /// Which span it was.
    pub trace: Trace,
    /// Its duration.
    pub nanos: u64,
    /// When it arrived, in milliseconds since the Unix epoch: a span's own clock may be off by
    /// years.
    pub at_ms: u64,
}

/// Counts of durations; created with the first of them, so that an empty one never exists.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Box<[Bucket]>,
    sum_ns: u128,
    native: Option<Native>,
    /// One for each bucket that was ever hit, which are few of them.
    exemplars: Vec<Exemplar>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    count: u64,
    /// The number of its exemplar, from 1; 0 where it has none.
    exemplar: u8,
}

impl Histogram {
    /// An empty histogram, about to take its first duration.
    #[must_use]
    pub fn new(shape: &Shape) -> Self {
        Self {
            buckets: vec![Bucket::default(); shape.bounds_ns.len() + 1].into(),
            sum_ns: 0,
            native: shape.native.then(Native::default),
            exemplars: Vec::new(),
        }
    }

    /// Adds `count` requests of `nanos` each.
    pub fn add(
        &mut self,
        shape: &Shape,
        nanos: u64,
        count: u64,
        trace: Option<Trace>,
        now_ms: u64,
    ) {
        let bucket = &mut self.buckets[shape.bucket(nanos)];
        bucket.count = bucket.count.saturating_add(count);
        let sum_ns = u128::from(nanos) * u128::from(count);
        self.sum_ns = self.sum_ns.saturating_add(sum_ns);
        if let Some(native) = &mut self.native {
            native.add(nanos, count);
        }
        if let (true, Some(trace)) = (shape.exemplars, trace) {
            let exemplar = Exemplar { trace, nanos, at_ms: now_ms };
            match self.exemplars.get_mut(usize::from(bucket.exemplar).wrapping_sub(1)) {
                Some(kept) => *kept = exemplar,
                None => {
                    self.exemplars.reserve_exact(1);
                    self.exemplars.push(exemplar);
                    bucket.exemplar = self.exemplars.len() as u8;
                }
            }
        }
    }

    /// Counts per classic bucket, not cumulated, the infinite one last.
    #[must_use]
    pub fn counts(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.buckets.iter().map(|bucket| bucket.count)
    }

    /// How many durations there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts().fold(0, u64::saturating_add)
    }

    /// All durations together, in the family's unit.
    #[must_use]
    pub fn sum(&self, shape: &Shape) -> f64 {
        self.sum_ns as f64 * shape.units_per_second / 1e9
    }

    /// The native histogram, where one is kept.
    #[must_use]
    pub fn native(&self) -> Option<&Native> {
        self.native.as_ref()
    }

    /// The exemplar of a classic bucket.
    #[must_use]
    pub fn exemplar(&self, bucket: usize) -> Option<&Exemplar> {
        let number = usize::from(self.buckets.get(bucket)?.exemplar);
        self.exemplars.get(number.wrapping_sub(1))
    }
}

/// The last whole nanosecond that is not above a bound as it is printed.
fn whole_nanos(seconds: f64) -> u64 {
    let nearest = (seconds * 1e9).round() as u64;
    nearest - u64::from(nearest as f64 / 1e9 > seconds)
}

/// Upper bounds of the connector's default histogram in milliseconds.
const SPANMETRICS_MS: [u64; 16] =
    [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000];

// The number of a bucket or of its exemplar is kept in one byte.
const _: () = assert!(Buckets::MAX < u8::MAX as usize && SPANMETRICS_MS.len() < u8::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(id: u8) -> Option<Trace> {
        Trace::new(&[id; 16], &[id; 8])
    }

    #[test]
    fn a_bucket_is_found_as_if_all_bounds_were_asked() {
        let own = Shape::requests(&Config::default());
        for shape in [own, Shape::tempo(true), Shape::spanmetrics(true)] {
            let around = shape.bounds_ns.iter().flat_map(|bound| [bound - 1, *bound, bound + 1]);
            let powers = (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits]);
            for nanos in around.chain(powers).chain([u64::MAX]) {
                let asked = shape.bounds_ns.iter().filter(|bound| **bound < nanos).count();
                assert_eq!(shape.bucket(nanos), asked, "{nanos}");
            }
        }
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let shape = Shape::requests(&Config::default());
        let mut histogram = Histogram::new(&shape);
        for nanos in [0, 5_000_000, 5_000_001, 10_000_000_000, 10_000_000_001, u64::MAX] {
            histogram.add(&shape, nanos, 1, None, 0);
        }
        let mut expected = [0; 15];
        (expected[0], expected[1], expected[13], expected[14]) = (2, 1, 1, 2);
        assert!(histogram.counts().eq(expected), "{histogram:?}");
    }

    #[test]
    fn a_bound_between_two_nanoseconds_takes_the_lower_one() {
        for (bound, within) in [(1.5e-9, 1), (2.9e-9, 2), (3e-9, 3), (0.123_456_789_6, 123_456_789)]
        {
            let buckets = Buckets::new(&[bound]).expect("a bound");
            let shape = Shape::requests(&Config { buckets, ..Config::default() });
            let mut histogram = Histogram::new(&shape);
            histogram.add(&shape, within, 1, trace(1), 0);
            histogram.add(&shape, within + 1, 1, trace(2), 0);
            assert!(histogram.counts().eq([1, 1]), "{bound}");
            for (bucket, inside) in [(0, true), (1, false)] {
                let value = histogram.exemplar(bucket).map(|e| shape.in_units(e.nanos));
                assert_eq!(value.map(|value| value <= bound), Some(inside), "{bound} {value:?}");
            }
        }
    }

    #[test]
    fn sums_are_exact_where_floats_would_drift() {
        let shape = Shape::requests(&Config::default());
        let mut histogram = Histogram::new(&shape);
        for _ in 0..1_000 {
            histogram.add(&shape, 100_000_000, 10_000, None, 0);
        }
        assert_eq!(histogram.sum(&shape).to_bits(), 1_000_000_f64.to_bits());
        assert_eq!(histogram.native().map(|native| native.buckets().count()), Some(1));
    }

    #[test]
    fn each_bucket_keeps_the_span_that_hit_it_last() {
        let shape = Shape::requests(&Config::default());
        let mut histogram = Histogram::new(&shape);
        for (nanos, id) in [(1_000_000, 1), (2_000_000, 2), (30_000_000, 3)] {
            histogram.add(&shape, nanos, 1, trace(id), 42);
        }
        let of = |bucket| histogram.exemplar(bucket).map(|e| (e.trace.trace_id()[0], e.nanos));
        assert_eq!((of(0), of(1), of(3)), (Some((2, 2_000_000)), None, Some((3, 30_000_000))));
    }

    #[test]
    fn what_is_switched_off_is_not_kept() {
        let config = Config { native_histograms: false, exemplars: false, ..Config::default() };
        for shape in [Shape::requests(&config), Shape::tempo(false), Shape::spanmetrics(false)] {
            let mut histogram = Histogram::new(&shape);
            histogram.add(&shape, 1, 1, trace(1), 0);
            assert!(histogram.native().is_none() && histogram.exemplar(0).is_none());
        }
    }

    #[test]
    fn counts_stand_at_their_limit() {
        let shape = Shape::requests(&Config::default());
        let mut histogram = Histogram::new(&shape);
        for nanos in [0, 1, u64::MAX, u64::MAX] {
            histogram.add(&shape, nanos, u64::MAX, None, 0);
        }
        assert_eq!(histogram.count(), u64::MAX);
        assert_eq!(histogram.counts().next(), Some(u64::MAX));
    }

    #[test]
    fn ids_that_are_all_zero_or_of_another_length_are_no_trace() {
        assert_eq!(Trace::new(&[0; 16], &[1; 8]), None);
        assert_eq!(Trace::new(&[1; 16], &[0; 8]), None);
        assert_eq!(Trace::new(&[1; 15], &[1; 8]), None);
        assert_eq!(Trace::new(&[1; 16], &[1; 9]), None);
        let id: [u8; 16] = std::array::from_fn(|i| i as u8);
        let trace = Trace::new(&id, &id[8..]).expect("valid ids");
        assert_eq!((trace.trace_id(), &trace.span_id()[..]), (id, &id[8..]));
        assert!(Trace::new(&[[0; 15].as_slice(), &[1]].concat(), &[1; 8]).is_some());
    }

    #[test]
    fn the_profiles_have_the_bounds_of_the_tools_they_speak_for() {
        let tempo = Shape::tempo(true);
        assert_eq!(tempo.bounds().len(), 14);
        assert_eq!((tempo.bounds()[0], tempo.bounds()[13]), (0.002, 16.384));
        assert!(
            tempo.bounds().windows(2).all(|pair| pair[1].to_bits() == (pair[0] * 2.0).to_bits())
        );
        let own = Shape::requests(&Config::default());
        for shape in [&own, &tempo, &Shape::spanmetrics(true)] {
            for (bucket, bound) in shape.bounds().iter().enumerate() {
                let mut histogram = Histogram::new(shape);
                histogram.add(shape, shape.bounds_ns[bucket], 1, None, 0);
                assert_eq!(histogram.counts().nth(bucket), Some(1), "{bound} is in its bucket");
                assert_eq!(histogram.sum(shape).to_bits(), bound.to_bits());
            }
        }
        let spanmetrics = Shape::spanmetrics(true);
        assert_eq!((spanmetrics.bounds()[0], spanmetrics.bounds()[15]), (2.0, 15_000.0));
        let expected = [
            2.0, 4.0, 6.0, 8.0, 10.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1e3, 1.4e3, 2e3, 5e3, 1e4,
            1.5e4,
        ];
        assert_eq!(spanmetrics.bounds(), expected);
        assert_eq!(spanmetrics.in_units(1_500_000), 1.5);
    }
}
