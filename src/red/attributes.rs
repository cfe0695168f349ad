//! The span attributes that say what a request was, old and stable semantic conventions under one
//! name each: instrumentations of both generations meet in one agent, often in one trace.

use redora_wire::{Encoded, KeyValue, Value};

use super::vocabulary::{ATTRIBUTES, Attribute, Generation, Vocabulary};
use crate::series::Picked;

/// The facts and dimensions of one span, filled while its bytes are walked and used again for the
/// next. Values stay as they came until one is asked for.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    present: u32,
    stable: u32,
    facts: [Encoded<'a>; ATTRIBUTES],
    dimensions: Picked<'a>,
    watched: Picked<'a>,
}

impl Default for Attributes<'_> {
    fn default() -> Self {
        Self::new(0)
    }
}

impl<'a> Attributes<'a> {
    /// Room for the facts and so many configured dimensions, none of them seen.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self::watching(dimensions, 0)
    }

    /// The same with room for so many attributes that objectives ask for.
    #[must_use]
    pub fn watching(dimensions: usize, watched: usize) -> Self {
        let facts = [Encoded::default(); ATTRIBUTES];
        let (dimensions, watched) = (Picked::new(dimensions), Picked::new(watched));
        Self { present: 0, stable: 0, facts, dimensions, watched }
    }

    /// Forgets the span before.
    pub fn clear(&mut self) {
        (self.present, self.stable) = (0, 0);
        self.dimensions.clear();
        self.watched.clear();
    }

    /// Notes an attribute if it is looked for; where both generations of the conventions set a
    /// fact, the stable one stands.
    #[inline]
    pub fn see(&mut self, vocabulary: &Vocabulary, attribute: KeyValue<'a>) {
        let Some(meaning) = vocabulary.meaning(attribute.key) else { return };
        if let Some(number) = meaning.dimension {
            self.dimensions.set(usize::from(number), attribute.value);
        }
        if let Some(number) = meaning.watched {
            self.watched.set(usize::from(number), attribute.value);
        }
        let Some((fact, generation)) = meaning.fact else { return };
        if generation == Generation::Old && self.stable & bit(fact) != 0 {
            return;
        }
        self.present |= bit(fact);
        self.stable |= u32::from(generation == Generation::Stable) << fact as u32;
        self.facts[fact as usize] = attribute.value;
    }

    /// Forgets the resource before.
    pub fn clear_resource(&mut self) {
        self.dimensions.clear_resource();
        self.watched.clear_resource();
    }

    /// Notes an attribute of the resource, which may be a dimension or asked for by an objective.
    pub fn see_resource(&mut self, vocabulary: &Vocabulary, attribute: KeyValue<'a>) {
        let Some(meaning) = vocabulary.meaning(attribute.key) else { return };
        if let Some(number) = meaning.dimension {
            self.dimensions.set_resource(usize::from(number), attribute.value);
        }
        if let Some(number) = meaning.watched {
            self.watched.set_resource(usize::from(number), attribute.value);
        }
    }

    /// The values of the attributes that objectives ask for.
    #[must_use]
    pub fn watched(&self) -> &Picked<'a> {
        &self.watched
    }

    /// The values of the configured dimensions.
    #[must_use]
    pub fn dimensions(&self) -> &Picked<'a> {
        &self.dimensions
    }

    /// The value of a fact.
    #[must_use]
    pub fn value(&self, fact: Attribute) -> Option<Value<'a>> {
        let is_present = self.present & bit(fact) != 0;
        is_present.then(|| self.facts[fact as usize].read())
    }

    /// The value of a fact where it is text and not empty.
    #[must_use]
    pub fn text(&self, fact: Attribute) -> Option<&'a [u8]> {
        match self.value(fact)? {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The value of a fact where it is a whole number or spells one.
    #[must_use]
    pub fn number(&self, fact: Attribute) -> Option<i64> {
        match self.value(fact)? {
            Value::Int(number) => Some(number),
            Value::Double(number) if number.fract() == 0.0 => Some(number as i64),
            Value::String(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// Whether a fact is set to something.
    #[must_use]
    pub fn is_set(&self, fact: Attribute) -> bool {
        match self.value(fact) {
            None | Some(Value::Empty | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        }
    }

    /// The host that was called: all that old conventions tell of a client's peer is a URL.
    #[must_use]
    pub fn host(&self) -> Option<&'a [u8]> {
        let host = || self.text(Attribute::Url).map(host).filter(|host| !host.is_empty());
        self.text(Attribute::ServerAddress).or_else(host)
    }

    /// What tells a span's labels from those of others, as numbered parts: equal parts mean equal
    /// facts and dimensions. Who was called matters to the side that `calls` alone, and of a URL
    /// only the host is a part: the rest may be different for every span.
    #[inline(always)]
    pub(super) fn parts(&self, calls: bool) -> impl Iterator<Item = (u8, &'a [u8])> + '_ {
        let named = self.present & if calls { !bit(Attribute::Url) } else { !PEER };
        let facts = Ones(named).map(|at| (at as u8, self.facts[at].bytes()));
        let by_url = calls
            && self.present & bit(Attribute::Url) != 0
            && self.text(Attribute::ServerAddress).is_none();
        let host = if by_url { self.host() } else { None };
        let dimensions = self
            .dimensions
            .own()
            .map(|(number, value)| ((ATTRIBUTES + number) as u8, value.bytes()));
        facts.chain(host.map(|host| (Attribute::Url as u8, host))).chain(dimensions)
    }
}

/// The facts of who was called.
const PEER: u32 = bit(Attribute::PeerService) | bit(Attribute::ServerAddress) | bit(Attribute::Url);

const fn bit(fact: Attribute) -> u32 {
    1 << fact as u32
}

/// The places of the ones in a number, from the lowest on.
struct Ones(u32);

impl Iterator for Ones {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let at = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(at)
    }
}

/// The host of an absolute URL, without user and port; empty where there is none.
fn host(url: &[u8]) -> &[u8] {
    let Some(scheme) = url.windows(3).position(|part| part == b"://") else { return b"" };
    let rest = &url[scheme + 3..];
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let authority = &rest[..end];
    let host = authority.iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1);
    let host = &authority[host..];
    let port = match host.iter().rposition(|byte| *byte == b':') {
        // The colons of an IPv6 address are inside its brackets.
        Some(colon) if !host[colon..].contains(&b']') => colon,
        _ => host.len(),
    };
    &host[..port]
}

/// The facts that these attributes make, for the tests of this room.
#[cfg(test)]
pub(super) fn facts(pairs: &[(&str, Value<'_>)]) -> Attributes<'static> {
    use redora_wire::trace::Span;

    let span = tests::span(pairs).leak();
    let (vocabulary, mut attributes) = (Vocabulary::new(&[]), Attributes::default());
    Span::read(span, |attribute| attributes.see(&vocabulary, attribute)).expect("a span");
    attributes
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1 as proto;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    use prost::Message;
    use redora_model::dimension::Dimension;
    use redora_wire::trace::Span;

    use super::*;

    /// A span with these attributes, encoded.
    pub(super) fn span(pairs: &[(&str, Value<'_>)]) -> Vec<u8> {
        let any = |value: &Value<'_>| match *value {
            Value::String(text) => Any::StringValue(String::from_utf8_lossy(text).into_owned()),
            Value::Bool(flag) => Any::BoolValue(flag),
            Value::Int(number) => Any::IntValue(number),
            Value::Double(number) => Any::DoubleValue(number),
            _ => panic!("no test of this room needs lists or bytes"),
        };
        let attribute = |(key, value): &(&str, Value<'_>)| proto::KeyValue {
            key: (*key).to_owned(),
            value: Some(proto::AnyValue { value: Some(any(value)) }),
            ..Default::default()
        };
        let attributes = pairs.iter().map(attribute).collect();
        let span = opentelemetry_proto::tonic::trace::v1::Span { attributes, ..Default::default() };
        span.encode_to_vec()
    }

    #[test]
    fn both_generations_are_one_fact_and_the_stable_one_stands() {
        for order in [[0, 1], [1, 0]] {
            let pairs = [
                ("http.method", Value::String(b"OLD")),
                ("http.request.method", Value::String(b"STABLE")),
            ];
            let attributes = facts(&order.map(|i| pairs[i]));
            assert_eq!(attributes.text(Attribute::HttpMethod), Some(b"STABLE".as_slice()));
        }
        let old = facts(&[("http.status_code", Value::Int(404))]);
        assert_eq!(old.number(Attribute::HttpStatus), Some(404));
    }

    #[test]
    fn a_cleared_set_holds_nothing_of_the_span_before() {
        let vocabulary = Vocabulary::new(&["tier"].map(Dimension::new));
        let first = span(&[
            ("http.request.method", Value::String(b"GET")),
            ("tier", Value::String(b"gold")),
        ]);
        let second = span(&[("http.method", Value::String(b"PUT"))]);
        let mut attributes = Attributes::new(1);
        Span::read(&first, |attribute| attributes.see(&vocabulary, attribute)).expect("a span");
        assert_eq!(attributes.parts(true).count(), 2);
        attributes.clear();
        assert_eq!(attributes.value(Attribute::HttpMethod), None);
        assert_eq!(attributes.parts(true).count(), 0);
        Span::read(&second, |attribute| attributes.see(&vocabulary, attribute)).expect("a span");
        assert_eq!(attributes.text(Attribute::HttpMethod), Some(b"PUT".as_slice()));
    }

    #[test]
    fn numbers_are_read_from_any_spelling() {
        for (value, number) in [
            (Value::Int(503), Some(503)),
            (Value::String(b"503"), Some(503)),
            (Value::Double(503.0), Some(503)),
            (Value::Double(503.5), None),
            (Value::String(b"OK"), None),
            (Value::Bool(true), None),
        ] {
            assert_eq!(facts(&[("rpc.status_code", value)]).number(Attribute::RpcStatus), number);
        }
    }

    #[test]
    fn only_the_host_of_a_url_is_a_part() {
        for (url, expected) in [
            ("http://cart.local:8080/items/7?q=1", Some("cart.local")),
            ("https://user:pass@cart.local", Some("cart.local")),
            ("http://[::1]:8080/x", Some("[::1]")),
            ("http://[::1]", Some("[::1]")),
            ("http://cart?x", Some("cart")),
            ("/items/7", None),
            ("", None),
        ] {
            for key in ["http.url", "url.full"] {
                let attributes = facts(&[(key, Value::String(url.as_bytes()))]);
                let expected = expected.map(str::as_bytes);
                assert_eq!(attributes.host(), expected, "{url}");
                let parts: Vec<_> = attributes.parts(true).map(|(_, part)| part).collect();
                assert_eq!(parts, Vec::from_iter(expected), "{url}");
            }
        }
    }

    #[test]
    fn a_named_host_stands_before_that_of_the_url_unless_it_is_no_name() {
        let url = ("url.full", Value::String(b"http://cart/items/7".as_slice()));
        for (address, expected) in [
            (Value::String(b"cart.local".as_slice()), "cart.local"),
            (Value::String(b""), "cart"),
            (Value::Int(7), "cart"),
        ] {
            let attributes = facts(&[("server.address", address), url]);
            assert_eq!(attributes.host(), Some(expected.as_bytes()), "{address:?}");
            let hosts = attributes.parts(true).filter(|(_, part)| *part == expected.as_bytes());
            let of_url = usize::from(expected == "cart");
            assert_eq!(hosts.count(), of_url, "{address:?}");
        }
    }
}
