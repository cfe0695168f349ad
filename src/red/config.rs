//! What the RED book keeps per request, each default beside its reason.

use redora_model::dimension::Dimension;
use thiserror::Error;

/// The checked configuration of the RED book.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Span attributes that become labels of the request metrics.
    pub dimensions: Vec<Dimension>,
    /// Upper bounds of the classic duration buckets.
    pub buckets: Buckets,
    /// Whether native histograms are kept beside the classic ones.
    pub native_histograms: bool,
    /// Whether buckets and counters carry the trace that last hit them.
    pub exemplars: bool,
    /// Metric families kept under the names of other tools.
    pub compat: Compat,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dimensions: Vec::new(),
            buckets: Buckets::default(),
            native_histograms: true,
            exemplars: true,
            compat: Compat { tempo: true, spanmetrics: false },
        }
    }
}

/// Metric families that dashboards made for other tools read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compat {
    /// `traces_spanmetrics_*` and `traces_service_graph_*` as Tempo's metrics generator names them.
    pub tempo: bool,
    /// `traces_span_metrics_*` as the Collector's connector names them.
    pub spanmetrics: bool,
}

/// Upper bounds of classic buckets in seconds: finite, positive, rising, at most [`Buckets::MAX`].
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets(Vec<f64>);

/// Why bounds are no buckets.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum BucketsFault {
    /// No bound at all.
    #[error("needs at least one bound")]
    Empty,
    /// More bounds than a series may cost.
    #[error("has {0} bounds, at most {max} are kept per series", max = Buckets::MAX)]
    TooMany(usize),
    /// A bound that is no time.
    #[error("{0} is no bound in seconds, use numbers from 1e-9 to 1e9")]
    Value(f64),
    /// A bound that does not rise above the one before.
    #[error("{0} does not rise above the bound before it")]
    Order(f64),
}

impl Buckets {
    /// Bounds that one series may have.
    pub const MAX: usize = 64;

    /// Bounds in seconds, without the infinite one.
    pub fn new(bounds: &[f64]) -> Result<Self, BucketsFault> {
        if bounds.is_empty() {
            return Err(BucketsFault::Empty);
        }
        if bounds.len() > Self::MAX {
            return Err(BucketsFault::TooMany(bounds.len()));
        }
        if let Some(bad) = bounds.iter().find(|b| !(1e-9..=1e9).contains(*b)) {
            return Err(BucketsFault::Value(*bad));
        }
        if let Some(pair) = bounds.windows(2).find(|pair| pair[1] <= pair[0]) {
            return Err(BucketsFault::Order(pair[1]));
        }
        Ok(Self(bounds.to_vec()))
    }

    /// The bounds in seconds.
    #[must_use]
    pub fn seconds(&self) -> &[f64] {
        &self.0
    }
}

impl Default for Buckets {
    /// The semantic conventions' advice for HTTP durations.
    fn default() -> Self {
        Self(vec![0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_cannot_be_buckets_say_why() {
        assert_eq!(Buckets::new(&[]), Err(BucketsFault::Empty));
        assert_eq!(Buckets::new(&[1.0; 65]), Err(BucketsFault::TooMany(65)));
        assert_eq!(Buckets::new(&[0.1, 0.1]), Err(BucketsFault::Order(0.1)));
        assert_eq!(Buckets::new(&[-1.0]), Err(BucketsFault::Value(-1.0)));
        assert!(Buckets::new(&[f64::NAN]).is_err());
        assert!(Buckets::new(&[f64::INFINITY]).is_err());
    }
}
