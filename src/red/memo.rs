//! Where spans that say the same went: most spans of a service repeat a few dozen sets of words,
//! and for these one comparison stands in for naming the operation, judging the outcome and finding
//! four rows.
//!
//! An entry points at rows by their slots, so it is forgotten whenever a row may have been removed.
//! Spans are remembered from their second time on; a stream of names that never repeat leaves no
//! trace here.

use std::hash::{BuildHasher, Hasher as _};

use hashbrown::HashTable;
use redora_model::identity::Tenant;
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

/// What was found, by what the spans said. When it is full it begins anew.
#[derive(Debug)]
pub(super) struct Memo {
    hasher: Hasher,
    places: HashTable<Place>,
    /// Every source there is in `places`; a span's is a number here.
    sources: HashTable<Source>,
    source: u32,
    /// The hash of the span that was looked for last, if it may be remembered.
    hash: Option<u64>,
    words: Vec<u8>,
}

#[derive(Debug)]
struct Place {
    hash: u64,
    source: u32,
    kind: i32,
    status_code: i32,
    words: Box<[u8]>,
    found: Found,
}

/// Who sends spans: tenant, service and the dimensions of its resource.
#[derive(Debug)]
struct Source {
    hash: u64,
    number: u32,
    words: Box<[u8]>,
}

impl Memo {
    pub(super) fn new(hasher: &Hasher) -> Self {
        Self {
            hasher: hasher.clone(),
            places: HashTable::new(),
            sources: HashTable::new(),
            source: NO_SOURCE,
            hash: None,
            words: Vec::new(),
        }
    }

    /// The spans that follow are of this service, with these dimensions of their resource.
    pub(super) fn source(&mut self, tenant: &Tenant, service: &[u8], dimensions: &Picked<'_>) {
        self.words.clear();
        push(&mut self.words, 0, tenant.as_str().as_bytes());
        push(&mut self.words, 0, service);
        for value in dimensions.of_resource() {
            push(&mut self.words, u8::from(value.is_some()), value.unwrap_or_default().bytes());
        }
        self.source = if self.words.len() > WORDS_BYTES_MAX { NO_SOURCE } else { self.number() };
        self.words.shrink_to(WORDS_BYTES_MAX);
    }

    /// The number of the source whose words were written.
    fn number(&mut self) -> u32 {
        let hash = self.hasher.hash_one(&self.words[..]);
        let same = |source: &Source| source.hash == hash && *source.words == self.words[..];
        if let Some(source) = self.sources.find(hash, same) {
            return source.number;
        }
        if self.sources.len() == SOURCES_MAX {
            self.clear();
        }
        let number = self.sources.len() as u32;
        let words = Box::from(&self.words[..]);
        self.sources.insert_unique(hash, Source { hash, number, words }, |source| source.hash);
        number
    }

    /// What was found when a span last said the same.
    pub(super) fn look(&mut self, span: &Span<'_>, attributes: &Attributes<'_>) -> Option<&Found> {
        self.hash = None;
        if self.source == NO_SOURCE {
            return None;
        }
        let mut hasher = self.hasher.build_hasher();
        let calls = Kind::of(span.kind).calls();
        let mut bytes = span.name.len();
        hasher.write_u32(self.source);
        hasher.write_i32(span.kind);
        hasher.write_i32(span.status_code);
        hasher.write(span.name);
        attributes.parts(calls).for_each(|(number, part)| {
            hasher.write_u8(number);
            hasher.write(part);
            bytes = bytes.saturating_add(part.len());
        });
        if bytes > WORDS_BYTES_MAX {
            return None;
        }
        let hash = hasher.finish();
        self.hash = Some(hash);
        let same = |place: &Place| {
            place.hash == hash
                && place.source == self.source
                && place.kind == span.kind
                && place.status_code == span.status_code
                && says(&place.words, span.name, attributes.parts(calls))
        };
        self.places.find(hash, same).map(|place| &place.found)
    }

    /// Remembers what was found about the span that was looked for last.
    pub(super) fn keep(&mut self, span: &Span<'_>, attributes: &Attributes<'_>, found: Found) {
        let Some(hash) = self.hash.take() else { return };
        if self.places.len() == PLACES_MAX {
            self.places.clear();
        }
        self.words.clear();
        push(&mut self.words, 0, span.name);
        attributes
            .parts(found.kind.calls())
            .for_each(|(number, part)| push(&mut self.words, number, part));
        let words = Box::from(&self.words[..]);
        let Span { kind, status_code, .. } = *span;
        let place = Place { hash, source: self.source, kind, status_code, words, found };
        self.places.insert_unique(hash, place, |place| place.hash);
    }

    /// Forgets everything: a row may be gone.
    pub(super) fn clear(&mut self) {
        self.places = HashTable::new();
        self.sources = HashTable::new();
        // Numbers begin anew, so the one at hand may soon be another source's.
        self.source = NO_SOURCE;
    }
}

/// Adds a part of a span's words: its number, its length, which is at most [`WORDS_BYTES_MAX`], and
/// itself. A longer one makes words that are not kept.
fn push(words: &mut Vec<u8>, number: u8, part: &[u8]) {
    let [low, high] = (part.len() as u16).to_le_bytes();
    words.extend_from_slice(&[number, low, high]);
    words.extend_from_slice(&part[..part.len().min(WORDS_BYTES_MAX + 1)]);
}

/// Whether these are the words of a span.
#[inline]
fn says<'p>(words: &[u8], name: &[u8], parts: impl Iterator<Item = (u8, &'p [u8])>) -> bool {
    let Some(rest) = after(words, 0, name) else { return false };
    let mut parts = parts;
    let rest = parts.try_fold(rest, |rest, (number, part)| after(rest, number, part));
    rest.is_some_and(<[u8]>::is_empty)
}

/// What follows a part, if the words begin with it.
#[inline]
fn after<'w>(words: &'w [u8], number: u8, part: &[u8]) -> Option<&'w [u8]> {
    let (&[found, low, high], rest) = words.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    if found != number || length != part.len() {
        return None;
    }
    let (same, rest) = rest.split_at_checked(length)?;
    (same == part).then_some(rest)
}

/// Four times the label sets of a busy service; with its words about a MiB when full.
const PLACES_MAX: usize = 4096;

const SOURCES_MAX: usize = 1024;

/// The number of a source that is not remembered.
const NO_SOURCE: u32 = u32::MAX;

/// Longer words than these are content, and comparing them would cost more than it saves.
const WORDS_BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(request: u32) -> Found {
        Found {
            kind: Kind::Server,
            outcome: Outcome::Ok,
            status: Status::NONE,
            request,
            tempo: None,
            spanmetrics: None,
            edge: None,
        }
    }

    fn span(name: &str) -> Span<'_> {
        Span { name: name.as_bytes(), ..Span::default() }
    }

    fn memo(service: &str) -> Memo {
        let mut memo = Memo::new(&Hasher::default());
        memo.source(&Tenant::single(), service.as_bytes(), &Picked::default());
        memo
    }

    #[test]
    fn a_span_is_known_by_all_that_it_says_and_by_who_sent_it() {
        let attributes = Attributes::default();
        let mut memo = memo("shop");
        assert_eq!(memo.look(&span("GET"), &attributes), None);
        memo.keep(&span("GET"), &attributes, found(7));
        assert_eq!(memo.look(&span("GET"), &attributes), Some(&found(7)));
        for other in
            [span("PUT"), Span { kind: 3, ..span("GET") }, Span { status_code: 2, ..span("GET") }]
        {
            assert_eq!(memo.look(&other, &attributes), None, "{other:?}");
        }
        memo.source(&Tenant::single(), b"basket", &Picked::default());
        assert_eq!(memo.look(&span("GET"), &attributes), None);
        memo.source(&Tenant::single(), b"shop", &Picked::default());
        assert_eq!(memo.look(&span("GET"), &attributes), Some(&found(7)));
        memo.clear();
        assert_eq!(memo.look(&span("GET"), &attributes), None);
    }

    #[test]
    fn what_is_too_long_is_not_remembered() {
        let attributes = Attributes::default();
        let long = "x".repeat(WORDS_BYTES_MAX + 1);
        let mut of_long_service = memo(&long);
        let mut of_long_name = memo("shop");
        for (memo, name) in [(&mut of_long_service, "GET"), (&mut of_long_name, &long)] {
            for _ in 0..2 {
                assert_eq!(memo.look(&span(name), &attributes), None);
                memo.keep(&span(name), &attributes, found(1));
            }
            assert_eq!(memo.places.len(), 0);
        }
    }

    #[test]
    fn it_stays_within_its_bounds() {
        let attributes = Attributes::default();
        let mut memo = memo("shop");
        for i in 0..=PLACES_MAX {
            let name = format!("operation {i}");
            assert_eq!(memo.look(&span(&name), &attributes), None);
            memo.keep(&span(&name), &attributes, found(i as u32));
            assert_eq!(memo.look(&span(&name), &attributes), Some(&found(i as u32)));
        }
        assert_eq!(memo.places.len(), 1);
        for i in 0..SOURCES_MAX {
            let service = format!("service {i}");
            memo.source(&Tenant::single(), service.as_bytes(), &Picked::default());
        }
        assert_eq!(memo.sources.len(), 1);
    }
}
