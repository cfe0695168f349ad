//! A record held against what is asked of it: attributes are noted while its bytes are walked, so
//! that only those that somebody asks for cost a comparison of their value.

use redora_wire::KeyValue;
use redora_wire::logs::LogRecord;

use super::asked::Match;
use super::severity;
use super::text::Text;
use crate::series::spells;

/// Which attributes of a match one record has.
#[derive(Clone, Debug, Default)]
pub struct Seen(Vec<bool>);

impl Seen {
    /// None of them yet.
    #[must_use]
    pub fn new(asked: &Match) -> Self {
        Self(vec![false; asked.attributes.len()])
    }

    /// A new record begins.
    pub fn clear(&mut self) {
        self.0.fill(false);
    }

    /// Notes an attribute of the record; of one that stands twice the last value counts.
    pub fn see(&mut self, asked: &Match, attribute: KeyValue<'_>) {
        for (seen, (key, value)) in self.0.iter_mut().zip(&asked.attributes) {
            if key.as_bytes() == attribute.key {
                *seen = spells(attribute.value.read(), value.as_bytes());
            }
        }
    }
}

impl Match {
    /// Whether a record has all that is asked for; `seen` has seen its attributes, and `text` is
    /// room for its body.
    #[must_use]
    pub fn fits(&self, record: &LogRecord<'_>, seen: &Seen, text: &mut Text) -> bool {
        self.severity.is_none_or(|range| range.contains(severity(record)))
            && seen.0.iter().all(|seen| *seen)
            && self.body.as_ref().is_none_or(|body| text.says(record.body, body))
    }
}
