//! What a caller pushes: families and samples that borrow everything, because rows are encoded
//! under a lock and copied nowhere but into the output.

/// A label's name and value. Both may hold any text: names are escaped by the negotiated scheme.
pub type Label<'a> = (&'a str, &'a str);

/// What a family measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A sum that only grows. Its samples end in `_total`.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// A distribution in classic buckets, and in native ones beside them where the format has them.
    Histogram,
    /// Facts as labels with the value 1. Its samples end in `_info`; outside OpenMetrics it is a
    /// gauge.
    Info,
    /// A value of which nothing is known.
    Unknown,
}

/// A group of samples under one name.
#[derive(Clone, Copy, Debug)]
pub struct Family<'a> {
    /// The name as a query spells it: counters with `_total`, infos with `_info` (either is added
    /// where it is missing), histograms without a suffix.
    pub name: &'a str,
    /// One line for people. An empty text writes no HELP.
    pub help: &'a str,
    /// What the family measures.
    pub kind: Kind,
    /// The unit in words, `seconds`. Left out where the name does not end in it, as OpenMetrics
    /// demands.
    pub unit: Option<&'a str>,
}

/// An observation to look at more closely, most often by its trace.
#[derive(Clone, Copy, Debug)]
pub struct Exemplar<'a> {
    /// Usually `trace_id` and `span_id`. An exemplar with more than 128 characters in all names and
    /// values together is left out, because OpenMetrics forbids it.
    pub labels: &'a [Label<'a>],
    /// The observed value, in the family's unit.
    pub value: f64,
    /// When it was observed, in milliseconds since 1970. Prometheus keeps a native histogram's
    /// exemplar only with it.
    pub timestamp_ms: Option<u64>,
}

/// A classic bucket.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    /// The largest value that falls into it.
    pub upper: f64,
    /// How many observations are at most `upper`.
    pub cumulative: u64,
    /// One observation of this bucket.
    pub exemplar: Option<Exemplar<'a>>,
}

/// A distribution.
#[derive(Clone, Copy, Debug)]
pub struct Histogram<'a> {
    /// The number of observations, which is also the count of the bucket `+Inf`.
    pub count: u64,
    /// The sum of the observations, in the family's unit.
    pub sum: f64,
    /// Classic buckets, ascending. The bucket `+Inf` is implied by `count`; a last bucket with an
    /// infinite `upper` is needed only to carry an exemplar, and its `cumulative` is not read.
    pub buckets: &'a [Bucket<'a>],
    /// The same observations in exponential buckets. Sent only in protobuf, the only format that
    /// carries them.
    pub native: Option<Native<'a>>,
    /// When counting began, in milliseconds since 1970.
    pub created_ms: Option<u64>,
}

/// Exponential buckets of non-negative observations. Bucket `i` holds what is above `base^(i-1)`
/// and at most `base^i`, where `base` is `2^(2^-schema)`.
///
/// Prometheus refuses a whole scrape over one histogram that does not add up, so buckets that are
/// unsound (a schema outside -4 to 8, indices not ascending, counts that miss the histogram's
/// count) are left out and the classic ones stay.
#[derive(Clone, Copy, Debug)]
pub struct Native<'a> {
    /// The resolution, from -4 (a bucket spans sixteen doublings) to 8 (256 buckets a doubling).
    pub schema: i32,
    /// What is at most this far from zero counts as zero. A 0 is sent as 1e-128, because Prometheus
    /// takes an empty histogram without a threshold for a classic one.
    pub zero_threshold: f64,
    /// The number of observations that count as zero.
    pub zero_count: u64,
    /// Index and count (not cumulative) of each bucket, ascending by index.
    pub positive: &'a [(i32, u64)],
}
