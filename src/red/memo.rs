//! Where spans that say the same went: most spans of a service repeat a few dozen sets of words,
//! and for these one comparison stands in for naming the operation, judging the outcome and finding
//! four rows.
//!
//! An entry points at rows by their slots, so it is forgotten whenever a row may have been removed.
//! Spans are remembered from their second time on; a stream of names that never repeat leaves no
//! trace here.

use std::hash::BuildHasher;

use redora_model::identity::Tenant;
use redora_wire::Value;
use redora_wire::trace::Span;

use super::attributes::Attributes;
use super::outcome::{Kind, Outcome, Status};
use crate::series::{Hasher, Picked};

/// What was found out about a span, and the rows that it counts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) outcome: Outcome,
    pub(super) status: Status,
    pub(super) request: u32,
    pub(super) tempo: Option<u32>,
    pub(super) spanmetrics: Option<u32>,
    pub(super) edge: Option<u32>,
}

/// A table of what was found, one place for each hash.
#[derive(Debug)]
pub(super) struct Memo {
    hasher: Hasher,
    places: Vec<Option<Place>>,
    words: Vec<u8>,
    service: usize,
    hash: Option<u64>,
}

#[derive(Clone, Debug)]
struct Place {
    hash: u64,
    words: Box<[u8]>,
    found: Found,
}

impl Memo {
    pub(super) fn new(hasher: &Hasher) -> Self {
        Self {
            hasher: hasher.clone(),
            places: Vec::new(),
            words: Vec::new(),
            service: 0,
            hash: None,
        }
    }

    /// The spans that follow are of this service.
    pub(super) fn service(&mut self, tenant: &Tenant, service: &[u8]) {
        self.words.clear();
        self.words.shrink_to(WORDS_BYTES_MAX);
        write(&mut self.words, tenant.as_str().as_bytes());
        // A longer one makes words that are too long to be remembered.
        write(&mut self.words, &service[..service.len().min(WORDS_BYTES_MAX)]);
        self.service = self.words.len();
    }

    /// What was found when a span last said the same.
    pub(super) fn look(
        &mut self,
        span: &Span<'_>,
        attributes: &Attributes<'_>,
        dimensions: &Picked<'_>,
    ) -> Option<Found> {
        self.hash = None;
        self.words.truncate(self.service);
        let whole = self.write_words(span, attributes, dimensions);
        if !whole || self.words.len() > WORDS_BYTES_MAX {
            return None;
        }
        let hash = self.hasher.hash_one(&self.words[..]);
        self.hash = Some(hash);
        let place = self.places.get(hash as usize % PLACES)?.as_ref()?;
        (place.hash == hash && *place.words == self.words[..]).then_some(place.found)
    }

    /// Remembers what was found about the span that was looked for last.
    pub(super) fn keep(&mut self, found: Found) {
        let Some(hash) = self.hash else { return };
        if self.places.is_empty() {
            self.places.resize(PLACES, None);
        }
        let words = Box::from(&self.words[..]);
        self.places[hash as usize % PLACES] = Some(Place { hash, words, found });
    }

    /// Forgets everything: a row may be gone.
    pub(super) fn clear(&mut self) {
        self.places = Vec::new();
    }

    /// Everything that decides a span's rows, and nothing else; says whether it could be written.
    fn write_words(
        &mut self,
        span: &Span<'_>,
        attributes: &Attributes<'_>,
        dimensions: &Picked<'_>,
    ) -> bool {
        if span.name.len() > WORDS_BYTES_MAX {
            return false;
        }
        write(&mut self.words, span.name);
        self.words.extend_from_slice(&span.kind.to_le_bytes());
        self.words.extend_from_slice(&span.status_code.to_le_bytes());
        for (fact, value) in attributes.iter() {
            self.words.push(fact as u8);
            if !write_value(&mut self.words, value) {
                return false;
            }
        }
        self.words.push(u8::MAX);
        dimensions.iter().all(|value| write_value(&mut self.words, value.unwrap_or(Value::Empty)))
    }
}

/// A part and its length, which is at most [`WORDS_BYTES_MAX`].
#[inline]
fn write(words: &mut Vec<u8>, part: &[u8]) {
    words.extend_from_slice(&(part.len() as u16).to_le_bytes());
    words.extend_from_slice(part);
}

#[inline]
fn write_value(words: &mut Vec<u8>, value: Value<'_>) -> bool {
    match value {
        Value::Empty => words.push(0),
        Value::String(text) if text.len() <= WORDS_BYTES_MAX => {
            words.push(1);
            write(words, text);
        }
        Value::Bool(flag) => words.extend_from_slice(&[2, u8::from(flag)]),
        Value::Int(number) => {
            words.push(3);
            words.extend_from_slice(&number.to_le_bytes());
        }
        Value::Double(number) => {
            words.push(4);
            words.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::String(_) | Value::Array(_) | Value::KvList(_) | Value::Bytes(_) => return false,
    }
    true
}

/// Twice the label sets of a busy service; with its words about half a MiB when full.
const PLACES: usize = 1024;

/// Longer words than these are content, and comparing them would cost more than it saves.
const WORDS_BYTES_MAX: usize = 512;
