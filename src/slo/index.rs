//! Which objectives a request may concern, found by its service first and by its operation second:
//! a hundred objectives of a hundred operations cost a request one look, not a hundred comparisons.
//! Those over log records stand beside them, and cost a request nothing.

use std::collections::HashMap;

use redora_model::slo::Indicator;

use super::config::Watched;
use super::records::RecordChecks;
use super::verdict::Verdict;
use crate::red::{Judged, Kind, Outcome};
use crate::series::{Hasher, Picked, spells};

/// Every objective by its service.
#[derive(Debug)]
pub(super) struct Index {
    services: HashMap<Box<[u8]>, usize, Hasher>,
    groups: Vec<Group>,
}

/// The objectives of one service.
#[derive(Debug)]
pub(super) struct Group {
    /// Their numbers in the book.
    pub(super) numbers: Vec<u32>,
    /// The kinds of spans that are events of some of them, a bit each.
    kinds: u8,
    /// Those of every operation.
    always: Vec<Check>,
    /// Those of one operation.
    operations: HashMap<Box<[u8]>, Vec<Check>, Hasher>,
    /// Those over log records.
    pub(super) records: RecordChecks,
}

/// One objective as a request is held against it.
#[derive(Debug)]
pub(super) struct Check {
    /// Its number in the book.
    pub(super) number: u32,
    kinds: u8,
    threshold_ns: Option<u64>,
    /// Watched attributes by their number, and what they must be.
    attributes: Box<[(usize, Box<[u8]>)]>,
}

impl Index {
    /// An index of these objectives, which ask for these attributes.
    pub(super) fn new<'w>(
        objectives: impl Iterator<Item = &'w Watched>,
        attributes: &[String],
        hasher: &Hasher,
    ) -> Self {
        let mut index = Self { services: HashMap::with_hasher(hasher.clone()), groups: Vec::new() };
        for (number, watched) in objectives.enumerate() {
            let number = number as u32;
            let service = watched.objective.service.as_str().as_bytes();
            let groups = &mut index.groups;
            let at = *index.services.entry(service.into()).or_insert_with(|| {
                groups.push(Group::new(hasher));
                groups.len() - 1
            });
            let group = &mut groups[at];
            group.numbers.push(number);
            if let Some(records) = &watched.select.records {
                group.records.push(number, &watched.select, records);
                continue;
            }
            let check = Check::new(number, watched, attributes);
            group.kinds |= check.kinds;
            match &watched.select.operation {
                None => group.always.push(check),
                Some(name) => {
                    group.operations.entry(name.as_bytes().into()).or_default().push(check);
                }
            }
        }
        index
    }

    /// The place of the group of a service.
    pub(super) fn service(&self, service: &[u8]) -> Option<usize> {
        // Asked for each resource, of which an agent without objectives sees as many.
        if self.groups.is_empty() { None } else { self.services.get(service).copied() }
    }

    pub(super) fn group(&self, at: usize) -> &Group {
        &self.groups[at]
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }
}

impl Group {
    fn new(hasher: &Hasher) -> Self {
        Self {
            numbers: Vec::new(),
            kinds: 0,
            always: Vec::new(),
            operations: HashMap::with_hasher(hasher.clone()),
            records: RecordChecks::default(),
        }
    }

    /// Whether requests of this kind are events of some objective.
    #[inline]
    pub(super) fn concerns(&self, kind: Kind) -> bool {
        self.kinds & bit(kind) != 0
    }

    /// Whether it matters which operation a request was.
    #[inline]
    pub(super) fn asks_operation(&self) -> bool {
        !self.operations.is_empty()
    }

    /// The objectives of every operation, and those of this one.
    #[inline]
    pub(super) fn checks(&self, operation: &[u8]) -> impl Iterator<Item = &Check> {
        let named = if self.asks_operation() { self.operations.get(operation) } else { None };
        self.always.iter().chain(named.into_iter().flatten())
    }
}

impl Check {
    fn new(number: u32, watched: &Watched, attributes: &[String]) -> Self {
        let select = &watched.select;
        let place = |key: &String| {
            attributes.iter().position(|name| name == key).expect("every key was gathered")
        };
        let asked = select.attributes.iter();
        Self {
            number,
            kinds: select.kind.map_or(bit(Kind::Server) | bit(Kind::Consumer), bit),
            threshold_ns: match watched.objective.indicator {
                Indicator::Latency { threshold_ns } => Some(threshold_ns),
                Indicator::Availability | Indicator::Logs => None,
            },
            attributes: asked.map(|(key, value)| (place(key), value.as_bytes().into())).collect(),
        }
    }

    /// What a request is to the objective. Good is what did not fail and, where there is a
    /// threshold, took no nanosecond longer; without a duration nobody can tell.
    #[inline]
    pub(super) fn judge(&self, judged: &Judged, attributes: &Picked<'_>) -> Verdict {
        let concerns = self.kinds & bit(judged.kind) != 0
            && self.attributes.iter().all(|(number, expected)| {
                attributes.value(*number).is_some_and(|value| spells(value, expected))
            });
        if !concerns {
            return Verdict::None;
        }
        match (judged.outcome, self.threshold_ns, judged.nanos) {
            (Outcome::Error, _, _) => Verdict::Bad,
            (Outcome::Ok, None, _) => Verdict::Good,
            (Outcome::Ok, Some(_), None) => Verdict::None,
            (Outcome::Ok, Some(most), Some(nanos)) if nanos <= most => Verdict::Good,
            (Outcome::Ok, Some(_), Some(_)) => Verdict::Bad,
        }
    }
}

#[inline]
fn bit(kind: Kind) -> u8 {
    1 << kind as u8
}
