//! Quantiles of durations that really happened. A duration without samples is absent, never 0, and
//! one that would be negative is counted and left out, never clamped.
//!
//! Source of the formula: linear interpolation between the closest ranks, number 7 of Hyndman and
//! Fan, which is what spreadsheets, NumPy and Python's `statistics` (inclusive) compute; the median
//! of an even number of samples is then the mean of the two in the middle.

use serde::Serialize;

/// Durations gathered one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    values_ms: Vec<i64>,
    rejected: u64,
}

/// What is shown of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many there were.
    pub n: usize,
    /// Negative ones, which are left out.
    pub rejected: u64,
    /// The median in seconds.
    pub p50_s: Option<f64>,
    /// In seconds.
    pub p75_s: Option<f64>,
    /// In seconds.
    pub p90_s: Option<f64>,
    /// The mean in seconds.
    pub mean_s: Option<f64>,
}

impl Samples {
    /// Takes the time between two moments.
    pub(super) fn span(&mut self, from_ms: i64, to_ms: i64) {
        match to_ms.checked_sub(from_ms) {
            Some(span @ 0..) => self.values_ms.push(span),
            _ => self.rejected += 1,
        }
    }

    /// The same where one of them may not be known: then there is no sample.
    pub(super) fn span_of(&mut self, from_ms: Option<i64>, to_ms: Option<i64>) {
        if let (Some(from_ms), Some(to_ms)) = (from_ms, to_ms) {
            self.span(from_ms, to_ms);
        }
    }

    pub(super) fn spread(mut self) -> Spread {
        self.values_ms.sort_unstable();
        let quantile = |share: f64| quantile(&self.values_ms, share).map(|ms| ms / 1e3);
        let sum: i128 = self.values_ms.iter().map(|value| i128::from(*value)).sum();
        let n = self.values_ms.len();
        Spread {
            n,
            rejected: self.rejected,
            p50_s: quantile(0.5),
            p75_s: quantile(0.75),
            p90_s: quantile(0.9),
            mean_s: (n > 0).then(|| sum as f64 / n as f64 / 1e3),
        }
    }
}

fn quantile(sorted: &[i64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = share * last as f64;
    let below = rank.floor() as usize;
    let (low, high) = (sorted[below] as f64, sorted[(below + 1).min(last)] as f64);
    Some(low + (high - low) * (rank - below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(spans: &[i64]) -> Spread {
        let mut samples = Samples::default();
        spans.iter().for_each(|span| samples.span(0, *span));
        samples.spread()
    }

    #[test]
    fn quantiles_lie_between_the_closest_ranks() {
        let four = spread(&[4000, 1000, 3000, 2000]);
        assert_eq!((four.n, four.p50_s, four.p75_s), (4, Some(2.5), Some(3.25)));
        assert!((four.p90_s.expect("samples") - 3.7).abs() < 1e-9);
        assert_eq!(spread(&[5000]).p90_s, Some(5.0));
        assert_eq!(spread(&[1000, 2000]).mean_s, Some(1.5));
    }

    #[test]
    fn without_samples_there_is_no_duration_and_a_negative_one_is_counted() {
        assert_eq!(spread(&[]), Spread::default());
        let negative = spread(&[-1, 2000]);
        assert_eq!((negative.n, negative.rejected, negative.p50_s), (1, 1, Some(2.0)));
        let mut extreme = Samples::default();
        extreme.span(i64::MIN, i64::MAX);
        extreme.span_of(None, Some(3));
        assert_eq!((extreme.spread().rejected), 1);
    }
}
