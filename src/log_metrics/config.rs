//! A configured counter over log records: which records it counts, and which attributes become
//! its labels.

use redora_model::dimension::Dimension;

use crate::record::Match;

/// One entry of `log_metrics`: the counter `redora_log_<name>_total`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The middle of the metric's name: a lower-case letter, then lower-case letters, digits and
    /// underscores.
    pub name: String,
    /// Which records count.
    pub matches: Match,
    /// Record attributes, or resource attributes where the record has none, that become labels.
    pub labels: Vec<Dimension>,
}

impl Rule {
    /// The name of the rule's counter.
    #[must_use]
    pub fn metric(&self) -> String {
        format!("redora_log_{}_total", self.name)
    }
}
