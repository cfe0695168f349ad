//! Slices of time as events, for promises in good minutes instead of good requests: a minute in
//! which a thousand requests failed then costs no more than one in which ten did.

use std::fmt;

use super::burn::Counts;
use super::goal::{Goal, TRILLION};

/// How long a slice is, and when it is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices {
    /// The length of each; slices are numbered from the Unix epoch on.
    pub seconds: u64,
    /// The share of a slice's events that must be good.
    pub good: Share,
}

/// A share from one percent to all, exact to a trillionth. What is promised is a [`Goal`], which
/// leaves something to lose; a slice may well be good only without a single bad event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// At least so many.
    Least(Goal),
    /// All of them.
    All,
}

impl Share {
    /// The share that a text says, as [`Goal::parse`] reads it, or `100%` or `1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "100%" | "1" => Some(Share::All),
            text => Goal::parse(text).map(Share::Least),
        }
    }

    /// Whether so many of these events are good; of none they all are.
    #[must_use]
    pub fn is_kept_by(self, counts: Counts) -> bool {
        let allowed = match self {
            Share::Least(goal) => goal.bad_per_trillion(),
            Share::All => 0,
        };
        // Whole numbers: a slice exactly at the share is good.
        let all = u128::from(counts.good) + u128::from(counts.bad);
        u128::from(counts.bad) * u128::from(TRILLION) <= all * u128::from(allowed)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Share::Least(goal) => goal.fmt(out),
            Share::All => out.write_str("100%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_exactly_at_its_share_is_good() {
        for (share, good, bad, kept) in [
            ("95%", 95, 5, true),
            ("95%", 94, 5, false),
            ("95%", 0, 0, true),
            ("95%", 0, 1, false),
            ("99.9999999999%", 999_999_999_999, 1, true),
            ("99.9999999999%", 999_999_999_998, 1, false),
            ("100%", 7, 0, true),
            ("1", u64::MAX, 1, false),
            ("50%", u64::MAX, u64::MAX, true),
            ("1%", 1, 99, true),
            ("1%", 1, 100, false),
        ] {
            let found = Share::parse(share).expect(share).is_kept_by(Counts { good, bad });
            assert_eq!(found, kept, "{good} good and {bad} bad at {share}");
        }
    }

    #[test]
    fn a_share_is_a_goal_or_all() {
        for (text, shown) in [("95%", "95%"), ("0.95", "95%"), ("100%", "100%"), ("1", "100%")] {
            assert_eq!(Share::parse(text).expect(text).to_string(), shown);
        }
        for text in ["", "101%", "1.1", "0%", "all", "100"] {
            assert_eq!(Share::parse(text), None, "{text}");
        }
    }
}
