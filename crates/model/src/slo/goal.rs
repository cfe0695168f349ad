//! The share of events that must be good, kept as a whole number of trillionths: `1 - 0.999` as a
//! float is not a thousandth, and every burn rate would be wrong in its last digits.

use std::fmt;

/// A share from one percent to just below all, exact to a trillionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Goal(u64);

impl Goal {
    /// The share that a text says, `99.9%` or `0.999`.
    ///
    /// All is no goal, since nothing could ever fail without breaking it; less than a percent is
    /// none either, since who writes `0.999%` means something else. Nor is a share with more than
    /// twelve digits after the point, ten of a percentage.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, decimals_max) = match text.strip_suffix('%') {
            Some(percent) => (percent.trim_end(), 10),
            None => (text, 12),
        };
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let legal = !whole.is_empty()
            && whole.len() <= 3
            && decimals.len() <= decimals_max
            && !number.ends_with('.')
            && digits(whole)
            && digits(decimals);
        if !legal {
            return None;
        }
        let zeros = decimals_max - decimals.len();
        let scaled: u64 = format!("{whole}{decimals}{:0<zeros$}", "").parse().ok()?;
        (LOWEST..TRILLION).contains(&scaled).then_some(Self(scaled))
    }

    /// The share of events that must be good, from 0 to 1.
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.0 as f64 / TRILLION as f64
    }

    /// The share of events that may be bad, from 0 to 1.
    #[must_use]
    pub fn budget(self) -> f64 {
        self.bad_per_trillion() as f64 / TRILLION as f64
    }

    /// How many of a trillion events may be bad; never 0.
    pub(super) fn bad_per_trillion(self) -> u64 {
        TRILLION - self.0
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / PERCENT, self.0 % PERCENT);
        let decimals = format!("{rest:010}");
        match decimals.trim_end_matches('0') {
            "" => write!(out, "{whole}%"),
            decimals => write!(out, "{whole}.{decimals}%"),
        }
    }
}

pub(super) const TRILLION: u64 = 1_000_000_000_000;
const PERCENT: u64 = TRILLION / 100;
const LOWEST: u64 = PERCENT;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_as_percent_or_ratio_and_kept_exactly() {
        for (text, shown, ratio, budget) in [
            ("99.9%", "99.9%", 0.999, 0.001),
            ("0.999", "99.9%", 0.999, 0.001),
            ("99.9 %", "99.9%", 0.999, 0.001),
            ("99%", "99%", 0.99, 0.01),
            ("0.9", "90%", 0.9, 0.1),
            ("099.99%", "99.99%", 0.9999, 0.0001),
            ("1%", "1%", 0.01, 0.99),
            ("99.9999999999%", "99.9999999999%", 0.999_999_999_999, 1e-12),
            ("0.999999999999", "99.9999999999%", 0.999_999_999_999, 1e-12),
        ] {
            let goal = Goal::parse(text).expect(text);
            assert_eq!(goal.to_string(), shown);
            assert_eq!((goal.ratio(), goal.budget()), (ratio, budget), "{text}");
            assert_eq!(Goal::parse(shown), Some(goal));
        }
    }

    #[test]
    fn what_is_no_promise_is_refused() {
        for text in [
            "",
            "%",
            "100%",
            "1",
            "1.0",
            "99.9",
            "0",
            "0%",
            "0.999%",
            "0.009",
            "-0.9",
            "+0.9",
            "9e-1",
            ".9",
            "0.",
            "99.%",
            "101%",
            "99,9%",
            "nan",
            "inf",
            "0.9%%",
            "99.99999999999%",
            "0.9999999999999",
            "9999999999999999999999%",
            " 0.9",
        ] {
            assert_eq!(Goal::parse(text), None, "{text}");
        }
    }
}
