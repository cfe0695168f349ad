//! What a log record is to the objectives of its service: each asks for something else of its text,
//! so they are held against it one after the other, and no index could save that.

use redora_wire::KeyValue;
use redora_wire::logs::LogRecord;

use super::config::{Records, Select, Told};
use super::verdict::Verdict;
use crate::record::{Match, Seen, Text};
use crate::series::{Picked, spells};

/// The objectives over log records of one service.
#[derive(Debug, Default)]
pub struct RecordChecks {
    /// Attributes of a record or its resource that they ask for.
    keys: Vec<Box<[u8]>>,
    checks: Vec<RecordCheck>,
}

/// One objective as a record is held against it.
#[derive(Debug)]
struct RecordCheck {
    /// Its number in the book.
    number: u32,
    /// Attributes by their place in the keys, and what they must be.
    attributes: Box<[(usize, Box<[u8]>)]>,
    records: Records,
}

/// What the objectives need of one log record, gathered while its bytes are walked; it holds
/// nothing for a service without objectives over log records.
#[derive(Debug, Default)]
pub struct Gathered<'a> {
    /// The place of the service's group.
    group: Option<usize>,
    attributes: Picked<'a>,
    /// Of each objective, what was seen for its total and for what tells good from bad.
    seen: Vec<[Seen; 2]>,
}

impl RecordChecks {
    /// Takes in the objective of this number.
    pub(super) fn push(&mut self, number: u32, select: &Select, records: &Records) {
        let mut place = |key: &[u8]| {
            let known = self.keys.iter().position(|known| **known == *key);
            known.unwrap_or_else(|| {
                self.keys.push(key.into());
                self.keys.len() - 1
            })
        };
        let asked = select.attributes.iter();
        let attributes =
            asked.map(|(key, value)| (place(key.as_bytes()), value.as_bytes().into())).collect();
        self.checks.push(RecordCheck { number, attributes, records: records.clone() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// What a record is to each objective, by the objective's number.
    pub(super) fn judge<'c>(
        &'c self,
        record: &'c LogRecord<'_>,
        gathered: &'c Gathered<'_>,
        text: &'c mut Text,
    ) -> impl Iterator<Item = (u32, Verdict)> + 'c {
        self.checks.iter().zip(&gathered.seen).map(move |(check, seen)| {
            (check.number, check.judge(record, &gathered.attributes, seen, text))
        })
    }

    fn place(&self, key: &[u8]) -> Option<usize> {
        self.keys.iter().position(|known| **known == *key)
    }
}

impl RecordCheck {
    fn judge(
        &self,
        record: &LogRecord<'_>,
        attributes: &Picked<'_>,
        [total, told]: &[Seen; 2],
        text: &mut Text,
    ) -> Verdict {
        let concerns = self.attributes.iter().all(|(place, expected)| {
            attributes.value(*place).is_some_and(|value| spells(value, expected))
        });
        if !concerns || !self.records.total.fits(record, total, text) {
            return Verdict::None;
        }
        let good = match &self.records.told {
            Told::Good(asked) => asked.fits(record, told, text),
            Told::Bad(asked) => !asked.fits(record, told, text),
        };
        if good { Verdict::Good } else { Verdict::Bad }
    }

    /// Its total, and what tells good from bad.
    fn asked(&self) -> [&Match; 2] {
        let Records { total, told: Told::Good(told) | Told::Bad(told) } = &self.records;
        [total, told]
    }
}

impl<'a> Gathered<'a> {
    /// Records of a resource follow, whose service has these objectives or none.
    pub(super) fn begin(&mut self, group: Option<(usize, &RecordChecks)>) {
        self.attributes.clear_resource();
        let place = group.map(|(place, _)| place);
        if std::mem::replace(&mut self.group, place) == place {
            return;
        }
        let checks = group.map(|(_, checks)| checks);
        self.attributes = Picked::new(checks.map_or(0, |checks| checks.keys.len()));
        self.seen.clear();
        let all = checks.into_iter().flat_map(|checks| &checks.checks);
        self.seen.extend(all.map(|check| check.asked().map(Seen::new)));
    }

    /// Notes an attribute of the resource.
    pub fn see_resource(&mut self, checks: &RecordChecks, attribute: KeyValue<'a>) {
        if let Some(place) = checks.place(attribute.key) {
            self.attributes.set_resource(place, attribute.value);
        }
    }

    /// A new record begins.
    pub fn clear(&mut self) {
        self.attributes.clear();
        self.seen.iter_mut().flatten().for_each(Seen::clear);
    }

    /// Notes an attribute of the record.
    pub fn see(&mut self, checks: &RecordChecks, attribute: KeyValue<'a>) {
        if let Some(place) = checks.place(attribute.key) {
            self.attributes.set(place, attribute.value);
        }
        for (check, seen) in checks.checks.iter().zip(&mut self.seen) {
            for (asked, seen) in check.asked().into_iter().zip(seen) {
                seen.see(asked, attribute);
            }
        }
    }
}
