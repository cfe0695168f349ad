//! The attribute keys that say something about a request: those of the semantic conventions, old
//! and stable, and the configured dimensions. Nine in ten keys of a span say nothing, so a key is
//! told from its first and last eight bytes, and only what looks known is compared.

use redora_model::dimension::Dimension;

/// A fact about a request, whatever the convention called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// The HTTP request method.
    HttpMethod,
    /// The route that matched, with placeholders.
    HttpRoute,
    /// The HTTP response status code.
    HttpStatus,
    /// The template of a client's URL.
    UrlTemplate,
    /// The RPC system: grpc, connectrpc, …
    RpcSystem,
    /// The RPC service, where it is not part of the method.
    RpcService,
    /// The RPC method.
    RpcMethod,
    /// The RPC status, a number or a name.
    RpcStatus,
    /// The database system.
    DbSystem,
    /// The database's name.
    DbNamespace,
    /// The database operation.
    DbOperation,
    /// The table or collection.
    DbCollection,
    /// The low-cardinality summary of the query.
    DbSummary,
    /// The messaging system.
    MessagingSystem,
    /// What was done with the message.
    MessagingOperation,
    /// The queue or topic.
    MessagingDestination,
    /// The template of queue or topic.
    MessagingTemplate,
    /// Whether the destination is temporary or anonymous, so that its name says nothing.
    MessagingTemporary,
    /// The class of the error, present on a failed request.
    ErrorType,
    /// The service that was called, by name.
    PeerService,
    /// The host that was called.
    ServerAddress,
    /// The URL that was called, of which only the host is asked for.
    Url,
}

/// How many facts there are.
pub(super) const ATTRIBUTES: usize = Attribute::Url as usize + 1;

/// The keys that are looked for, by a hash of their ends.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    /// For each hash the number of a word, or [`VACANT`]; a word that finds its place taken stands
    /// in the next vacant one.
    places: Box<[u16; PLACES]>,
    words: Vec<Word>,
    watched: usize,
}

#[derive(Clone, Debug)]
struct Word {
    ends: Ends,
    key: Box<[u8]>,
    meaning: Meaning,
}

/// What a key says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    /// The fact, and whether the convention that calls it so is the stable one.
    pub(super) fact: Option<(Attribute, Generation)>,
    /// Which of the configured dimensions it is.
    pub(super) dimension: Option<u16>,
    /// Which of the attributes that objectives ask for it is.
    pub(super) watched: Option<u16>,
}

/// Which of the conventions calls a fact so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// Before the conventions were stable; much of what runs still says it so.
    Old,
    /// The stable conventions.
    Stable,
}

impl Vocabulary {
    /// The keys of the conventions and of these dimensions.
    #[must_use]
    pub fn new(dimensions: &[Dimension]) -> Self {
        Self::watching(dimensions, &[])
    }

    /// The same with keys that are looked for and say nothing of a request's labels.
    #[must_use]
    pub fn watching(dimensions: &[Dimension], watched: &[String]) -> Self {
        let watched = &watched[..watched.len().min(WATCHED_MAX)];
        let places = Box::new([VACANT; PLACES]);
        let mut vocabulary = Self { places, words: Vec::new(), watched: watched.len() };
        for (key, fact, generation) in KEYS {
            vocabulary.meaning_mut(key.as_bytes()).fact = Some((fact, generation));
        }
        for (number, dimension) in dimensions.iter().enumerate().take(DIMENSIONS_MAX) {
            let key = dimension.attribute.as_bytes();
            vocabulary.meaning_mut(key).dimension = Some(number as u16);
        }
        for (number, key) in watched.iter().enumerate() {
            vocabulary.meaning_mut(key.as_bytes()).watched = Some(number as u16);
        }
        vocabulary
    }

    /// How many keys objectives ask for.
    pub(super) fn watched(&self) -> usize {
        self.watched
    }

    /// What a key says, if it says anything.
    #[inline]
    pub(super) fn meaning(&self, key: &[u8]) -> Option<&Meaning> {
        let ends = Ends::of(key);
        let mut at = ends.place();
        loop {
            let word = self.words.get(usize::from(self.places[at % PLACES]))?;
            if word.ends == ends && (ends.are_all() || *word.key == *key) {
                return Some(&word.meaning);
            }
            at += 1;
        }
    }

    /// The meaning of a key, which is one that is looked for from here on.
    fn meaning_mut(&mut self, key: &[u8]) -> &mut Meaning {
        let ends = Ends::of(key);
        let known = self.words.iter().position(|word| *word.key == *key);
        let number = known.unwrap_or_else(|| {
            let mut at = ends.place();
            while self.places[at % PLACES] != VACANT {
                at += 1;
            }
            self.places[at % PLACES] = self.words.len() as u16;
            self.words.push(Word { ends, key: key.into(), meaning: Meaning::default() });
            self.words.len() - 1
        });
        &mut self.words[number].meaning
    }
}

/// A key's length, its first and its last eight bytes; all of it where it has at most sixteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    length: usize,
    first: u64,
    last: u64,
}

impl Ends {
    #[inline]
    fn of(key: &[u8]) -> Self {
        let (first, last) = match (key.first_chunk(), key.last_chunk()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (short(key), 0),
        };
        Self { length: key.len(), first, last }
    }

    #[inline]
    fn are_all(self) -> bool {
        self.length <= 16
    }

    /// The upper bits of a product depend on all bits of both ends.
    #[inline]
    fn place(self) -> usize {
        let mixed = self.first ^ self.last.rotate_left(29) ^ self.length as u64;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PLACES.ilog2())) as usize
    }
}

/// Up to seven bytes as a number.
#[inline]
fn short(key: &[u8]) -> u64 {
    key.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Sixteen for each key of the conventions, so that a key which says nothing finds its place vacant
/// at the first look.
const PLACES: usize = 1024;

const VACANT: u16 = u16::MAX;

/// Far more than a configuration may name, and so few that places stay vacant and that facts and
/// dimensions are numbered by one byte.
const DIMENSIONS_MAX: usize = 128;

/// Keys that all objectives together may ask for; more than a team can remember.
pub const WATCHED_MAX: usize = 64;

const _: () = assert!(ATTRIBUTES + DIMENSIONS_MAX <= u8::MAX as usize);

use Attribute as A;
use Generation::{Old, Stable};

/// The semantic conventions' keys of what decides a request's labels.
const KEYS: [(&str, Attribute, Generation); 42] = [
    ("http.request.method", A::HttpMethod, Stable),
    ("http.method", A::HttpMethod, Old),
    ("http.route", A::HttpRoute, Stable),
    ("http.response.status_code", A::HttpStatus, Stable),
    ("http.status_code", A::HttpStatus, Old),
    ("url.full", A::Url, Stable),
    ("http.url", A::Url, Old),
    ("url.template", A::UrlTemplate, Stable),
    ("rpc.system.name", A::RpcSystem, Stable),
    ("rpc.system", A::RpcSystem, Old),
    ("rpc.service", A::RpcService, Old),
    ("rpc.method", A::RpcMethod, Stable),
    ("rpc.response.status_code", A::RpcStatus, Stable),
    ("rpc.status_code", A::RpcStatus, Stable),
    ("rpc.grpc.status_code", A::RpcStatus, Old),
    ("rpc.connect_rpc.error_code", A::RpcStatus, Old),
    ("db.system.name", A::DbSystem, Stable),
    ("db.system", A::DbSystem, Old),
    ("db.namespace", A::DbNamespace, Stable),
    ("db.name", A::DbNamespace, Old),
    ("db.operation.name", A::DbOperation, Stable),
    ("db.operation", A::DbOperation, Old),
    ("db.collection.name", A::DbCollection, Stable),
    ("db.sql.table", A::DbCollection, Old),
    ("db.mongodb.collection", A::DbCollection, Old),
    ("db.cassandra.table", A::DbCollection, Old),
    ("db.query.summary", A::DbSummary, Stable),
    ("messaging.system", A::MessagingSystem, Stable),
    ("messaging.operation.name", A::MessagingOperation, Stable),
    ("messaging.operation.type", A::MessagingOperation, Old),
    ("messaging.operation", A::MessagingOperation, Old),
    ("messaging.destination.name", A::MessagingDestination, Stable),
    ("messaging.destination", A::MessagingDestination, Old),
    ("messaging.destination.template", A::MessagingTemplate, Stable),
    ("messaging.destination.temporary", A::MessagingTemporary, Stable),
    ("messaging.destination.anonymous", A::MessagingTemporary, Stable),
    ("messaging.temp_destination", A::MessagingTemporary, Stable),
    ("error.type", A::ErrorType, Stable),
    ("service.peer.name", A::PeerService, Stable),
    ("peer.service", A::PeerService, Old),
    ("server.address", A::ServerAddress, Stable),
    ("net.peer.name", A::ServerAddress, Old),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_none_that_only_looks_like_one() {
        let vocabulary = Vocabulary::new(&[]);
        for (key, fact, generation) in KEYS {
            let meaning = Meaning { fact: Some((fact, generation)), ..Meaning::default() };
            assert_eq!(vocabulary.meaning(key.as_bytes()), Some(&meaning), "{key}");
            for at in 0..key.len() {
                let mut other = key.as_bytes().to_vec();
                other[at] ^= 1;
                assert_eq!(vocabulary.meaning(&other), None, "{key} with another byte at {at}");
                let head = &key[..at];
                let is_key = KEYS.iter().any(|(key, ..)| *key == head);
                assert_eq!(vocabulary.meaning(head.as_bytes()).is_some(), is_key, "{head}");
            }
        }
        for key in ["", ".", "http", "http.", "url.path", "error.message", "service.name", "db.x"] {
            assert_eq!(vocabulary.meaning(key.as_bytes()), None, "{key}");
        }
    }

    #[test]
    fn a_dimension_may_be_a_fact_and_any_key_may_be_a_dimension() {
        let long = "a".repeat(40);
        let same_ends = format!("{}b{}", &long[..20], &long[21..]);
        let keys = ["http.route", "x", "", &long, &same_ends];
        let vocabulary = Vocabulary::new(&keys.map(Dimension::new));
        for (number, key) in keys.iter().enumerate() {
            let meaning = vocabulary.meaning(key.as_bytes()).expect(key);
            assert_eq!(meaning.dimension, Some(number as u16), "{key}");
            assert_eq!(meaning.fact.is_some(), number == 0, "{key}");
        }
    }

    #[test]
    fn a_watched_key_may_be_a_fact_and_a_dimension_too() {
        let watched = ["http.route", "x", "only.watched"].map(str::to_owned);
        let vocabulary = Vocabulary::watching(&[Dimension::new("x")], &watched);
        for (number, key) in watched.iter().enumerate() {
            let meaning = vocabulary.meaning(key.as_bytes()).expect(key);
            assert_eq!(meaning.watched, Some(number as u16), "{key}");
            assert_eq!(meaning.fact.is_some(), number == 0, "{key}");
            assert_eq!(meaning.dimension.is_some(), number == 1, "{key}");
        }
    }

    #[test]
    fn so_many_dimensions_that_places_would_run_out_are_not_taken() {
        let many: Vec<_> = (0..2000).map(|n| Dimension::new(&format!("d{n}"))).collect();
        let vocabulary = Vocabulary::new(&many);
        assert_eq!(vocabulary.meaning(b"d127").and_then(|m| m.dimension), Some(127));
        assert_eq!(vocabulary.meaning(b"d128"), None);
    }
}
