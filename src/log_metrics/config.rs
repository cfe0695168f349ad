//! A configured counter over log records: which records it counts, and which attributes become
//! its labels.

use redora_model::dimension::Dimension;
use regex::Regex;

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

/// What a record must have to be counted; an absent part asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Severity numbers that count.
    pub severity: Option<SeverityRange>,
    /// What the body must say.
    pub body: Option<Body>,
    /// Attributes that must be present with exactly this value, as text.
    pub attributes: Vec<(String, String)>,
}

/// A closed range of OTLP severity numbers, 0 (unspecified) to 24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeverityRange {
    /// The lowest number that counts.
    pub min: u8,
    /// The highest number that counts.
    pub max: u8,
}

/// What a record's text body must say.
#[derive(Clone, Debug)]
pub enum Body {
    /// This text somewhere in it, as written.
    Contains(String),
    /// This expression somewhere in it.
    Matches(Regex),
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Body::Contains(text), Body::Contains(other)) => text == other,
            (Body::Matches(expression), Body::Matches(other)) => {
                expression.as_str() == other.as_str()
            }
            _ => false,
        }
    }
}

impl Eq for Body {}
