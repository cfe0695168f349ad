//! What the rules need of one log record, gathered while its bytes are walked: the attributes that
//! some rule asks for, and nothing of the others.

use redora_wire::logs::LogRecord;
use redora_wire::{KeyValue, Value};

use super::config::{Body, Match, Rule};
use crate::series::{Picked, spells};

/// One record under the eyes of every rule.
#[derive(Debug)]
pub struct Watch<'a> {
    rules: Vec<Watched<'a>>,
}

/// What one rule has seen of the record.
#[derive(Debug)]
struct Watched<'a> {
    labels: Picked<'a>,
    attributes: Vec<bool>,
}

impl<'a> Watch<'a> {
    /// A watch over the records of one batch.
    #[must_use]
    pub fn new(rules: &[Rule]) -> Self {
        let watched = |rule: &Rule| Watched {
            labels: Picked::new(rule.labels.len()),
            attributes: vec![false; rule.matches.attributes.len()],
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
            watched.attributes.fill(false);
        }
    }

    /// Notes an attribute of the record.
    pub fn see(&mut self, rules: &[Rule], attribute: KeyValue<'a>) {
        for (watched, rule) in self.rules.iter_mut().zip(rules) {
            watched.labels.see(&rule.labels, attribute);
            for (seen, (key, value)) in watched.attributes.iter_mut().zip(&rule.matches.attributes)
            {
                if key.as_bytes() == attribute.key {
                    *seen = spells(attribute.value.read(), value.as_bytes());
                }
            }
        }
    }

    /// Whether the record matches the rule of this number. `text` is room for its body.
    pub(super) fn matches(
        &self,
        number: usize,
        rule: &Rule,
        severity: u8,
        record: &LogRecord<'_>,
        text: &mut Vec<u8>,
    ) -> bool {
        let Match { severity: range, body, .. } = &rule.matches;
        range.is_none_or(|range| (range.min..=range.max).contains(&severity))
            && self.rules[number].attributes.iter().all(|seen| *seen)
            && body.as_ref().is_none_or(|body| says(record.body, body, text, BODY_DEPTH_MAX))
    }

    /// The labels of the rule of this number.
    pub(super) fn labels(&self, number: usize) -> &Picked<'a> {
        &self.rules[number].labels
    }
}

/// Whether some text in the body says what is asked for; a structured body says it in any of its
/// values.
fn says(value: Value<'_>, body: &Body, text: &mut Vec<u8>, depth: u32) -> bool {
    match value {
        Value::String(line) => line_says(plain(line, text), body),
        Value::Array(values) if depth > 0 => {
            values.iter().any(|value| says(value, body, text, depth - 1))
        }
        Value::KvList(attributes) if depth > 0 => {
            attributes.iter().any(|attribute| says(attribute.value.read(), body, text, depth - 1))
        }
        _ => false,
    }
}

fn line_says(line: &[u8], body: &Body) -> bool {
    let line = String::from_utf8_lossy(line);
    match body {
        Body::Contains(text) => line.contains(text.as_str()),
        Body::Matches(expression) => expression.is_match(&line),
    }
}

/// A line without terminal escapes: colours must not come between the letters of a word.
fn plain<'l>(line: &'l [u8], text: &'l mut Vec<u8>) -> &'l [u8] {
    if !line.contains(&ESCAPE) {
        return line;
    }
    text.clear();
    let mut rest = line;
    while let Some((first, after)) = rest.split_first() {
        rest = match (*first, after) {
            (ESCAPE, [b'[', sequence @ ..]) => {
                let end = sequence.iter().position(|byte| (0x40..0x7f).contains(byte));
                end.map_or(&[][..], |end| &sequence[end + 1..])
            }
            (ESCAPE, [_, after @ ..]) => after,
            (ESCAPE, []) => &[],
            (byte, after) => {
                text.push(byte);
                after
            }
        };
    }
    text
}

const ESCAPE: u8 = 0x1b;

/// Levels of a structured body that are searched: deeper ones are data, not a message.
const BODY_DEPTH_MAX: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_out_of_a_line() {
        for (line, expected) in [
            ("plain", "plain"),
            ("\u{1b}[31mcard \u{1b}[1;4mdecl\u{1b}[0mined\u{1b}[0m", "card declined"),
            ("cut off \u{1b}[3", "cut off "),
            ("\u{1b}", ""),
            ("\u{1b}(Bx", "Bx"),
        ] {
            assert_eq!(plain(line.as_bytes(), &mut Vec::new()), expected.as_bytes(), "{line:?}");
        }
    }
}
