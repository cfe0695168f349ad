//! What the rules need of one log record, gathered while its bytes are walked: the attributes that
//! some rule asks for, and nothing of the others.

use redora_wire::KeyValue;
use redora_wire::logs::LogRecord;

use super::config::Rule;
use crate::record::{Seen, Text};
use crate::series::Picked;

/// One record under the eyes of every rule.
#[derive(Debug, Default)]
pub struct Watch<'a> {
    rules: Vec<Watched<'a>>,
}

/// What one rule has seen of the record.
#[derive(Debug)]
struct Watched<'a> {
    labels: Picked<'a>,
    seen: Seen,
}

impl<'a> Watch<'a> {
    /// A watch over the records of one batch.
    #[must_use]
    pub fn new(rules: &[Rule]) -> Self {
        let watched = |rule: &Rule| Watched {
            labels: Picked::new(rule.labels.len()),
            seen: Seen::new(&rule.matches),
        };
        Self { rules: rules.iter().map(watched).collect() }
    }

    /// A new resource begins.
    pub fn clear_resource(&mut self) {
        self.rules.iter_mut().for_each(|watched| watched.labels.clear_resource());
    }

    /// Notes a resource's attribute, which may become a label.
    pub fn see_resource(&mut self, rules: &[Rule], attribute: KeyValue<'a>) {
        for (watched, rule) in self.rules.iter_mut().zip(rules) {
            watched.labels.see_resource(&rule.labels, attribute);
        }
    }

    /// A new record begins.
    pub fn clear(&mut self) {
        for watched in &mut self.rules {
            watched.labels.clear();
            watched.seen.clear();
        }
    }

    /// Notes an attribute of the record.
    pub fn see(&mut self, rules: &[Rule], attribute: KeyValue<'a>) {
        for (watched, rule) in self.rules.iter_mut().zip(rules) {
            watched.labels.see(&rule.labels, attribute);
            watched.seen.see(&rule.matches, attribute);
        }
    }

    /// Whether the record matches the rule of this number. `text` is room for its body.
    pub(super) fn matches(
        &self,
        number: usize,
        rule: &Rule,
        record: &LogRecord<'_>,
        text: &mut Text,
    ) -> bool {
        rule.matches.fits(record, &self.rules[number].seen, text)
    }

    /// The labels of the rule of this number.
    pub(super) fn labels(&self, number: usize) -> &Picked<'a> {
        &self.rules[number].labels
    }
}
