//! The span attributes that say what a request was, old and stable semantic conventions under one
//! name each: instrumentations of both generations meet in one agent, often in one trace.

use redora_wire::{KeyValue, Value};

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
    /// The host in the URL that was called, all that old conventions tell of a client's peer. The
    /// rest of a URL is never kept: it may be different for every span.
    UrlHost,
}

/// Every fact, in the order of their declaration.
const ALL: [Attribute; ATTRIBUTES] = [
    Attribute::HttpMethod,
    Attribute::HttpRoute,
    Attribute::HttpStatus,
    Attribute::UrlTemplate,
    Attribute::RpcSystem,
    Attribute::RpcService,
    Attribute::RpcMethod,
    Attribute::RpcStatus,
    Attribute::DbSystem,
    Attribute::DbNamespace,
    Attribute::DbOperation,
    Attribute::DbCollection,
    Attribute::DbSummary,
    Attribute::MessagingSystem,
    Attribute::MessagingOperation,
    Attribute::MessagingDestination,
    Attribute::MessagingTemplate,
    Attribute::MessagingTemporary,
    Attribute::ErrorType,
    Attribute::PeerService,
    Attribute::ServerAddress,
    Attribute::UrlHost,
];

/// How many facts there are.
const ATTRIBUTES: usize = Attribute::UrlHost as usize + 1;

/// The facts of one span, filled while its bytes are walked and used again for the next.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    present: u32,
    stable: u32,
    values: [Value<'a>; ATTRIBUTES],
}

impl Default for Attributes<'_> {
    fn default() -> Self {
        Self { present: 0, stable: 0, values: [Value::Empty; ATTRIBUTES] }
    }
}

impl<'a> Attributes<'a> {
    /// Forgets the span before.
    pub fn clear(&mut self) {
        (self.present, self.stable) = (0, 0);
    }

    /// Notes an attribute if it is one of the facts; where both generations are set, the stable one
    /// stands.
    pub fn see(&mut self, attribute: KeyValue<'a>) {
        let Some((fact, generation)) = classify(attribute.key) else { return };
        let bit = 1 << fact as u32;
        if generation == Generation::Old && self.stable & bit != 0 {
            return;
        }
        self.present |= bit;
        if generation == Generation::Stable {
            self.stable |= bit;
        }
        self.values[fact as usize] = match (fact, attribute.value) {
            (Attribute::UrlHost, Value::String(url)) => Value::String(host(url)),
            (_, value) => value,
        };
    }

    /// The value of a fact.
    #[must_use]
    pub fn value(&self, fact: Attribute) -> Option<Value<'a>> {
        (self.present & (1 << fact as u32) != 0).then(|| self.values[fact as usize])
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

    /// The facts that were seen, in the order of their declaration.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Attribute, Value<'a>)> + '_ {
        let mut left = self.present;
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            Some((*ALL.get(at)?, self.values[at]))
        })
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    Old,
    Stable,
}

/// The fact behind a key. Told apart by the key's first bytes, one after the other, since nine in
/// ten keys are none.
fn classify(key: &[u8]) -> Option<(Attribute, Generation)> {
    use Attribute as A;
    use Generation::{Old, Stable};
    Some(match key {
        [b'h', b't', b't', b'p', b'.', rest @ ..] => match rest {
            b"request.method" => (A::HttpMethod, Stable),
            b"method" => (A::HttpMethod, Old),
            b"route" => (A::HttpRoute, Stable),
            b"response.status_code" => (A::HttpStatus, Stable),
            b"status_code" => (A::HttpStatus, Old),
            b"url" => (A::UrlHost, Old),
            _ => return None,
        },
        [b'r', b'p', b'c', b'.', rest @ ..] => return classify_rpc(rest),
        [b'd', b'b', b'.', rest @ ..] => return classify_db(rest),
        [b'm', b'e', b's', b's', b'a', b'g', b'i', b'n', b'g', b'.', rest @ ..] => {
            return classify_messaging(rest);
        }
        b"url.template" => (A::UrlTemplate, Stable),
        b"url.full" => (A::UrlHost, Stable),
        b"error.type" => (A::ErrorType, Stable),
        b"service.peer.name" => (A::PeerService, Stable),
        b"peer.service" => (A::PeerService, Old),
        b"server.address" => (A::ServerAddress, Stable),
        b"net.peer.name" => (A::ServerAddress, Old),
        _ => return None,
    })
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

fn classify_rpc(rest: &[u8]) -> Option<(Attribute, Generation)> {
    use Attribute as A;
    use Generation::{Old, Stable};
    Some(match rest {
        b"system.name" => (A::RpcSystem, Stable),
        b"system" => (A::RpcSystem, Old),
        b"service" => (A::RpcService, Old),
        b"method" => (A::RpcMethod, Stable),
        b"response.status_code" | b"status_code" => (A::RpcStatus, Stable),
        b"grpc.status_code" | b"connect_rpc.error_code" => (A::RpcStatus, Old),
        _ => return None,
    })
}

fn classify_db(rest: &[u8]) -> Option<(Attribute, Generation)> {
    use Attribute as A;
    use Generation::{Old, Stable};
    Some(match rest {
        b"system.name" => (A::DbSystem, Stable),
        b"system" => (A::DbSystem, Old),
        b"namespace" => (A::DbNamespace, Stable),
        b"name" => (A::DbNamespace, Old),
        b"operation.name" => (A::DbOperation, Stable),
        b"operation" => (A::DbOperation, Old),
        b"collection.name" => (A::DbCollection, Stable),
        b"sql.table" | b"mongodb.collection" | b"cassandra.table" => (A::DbCollection, Old),
        b"query.summary" => (A::DbSummary, Stable),
        _ => return None,
    })
}

fn classify_messaging(rest: &[u8]) -> Option<(Attribute, Generation)> {
    use Attribute as A;
    use Generation::{Old, Stable};
    Some(match rest {
        b"system" => (A::MessagingSystem, Stable),
        b"operation.name" => (A::MessagingOperation, Stable),
        b"operation.type" | b"operation" => (A::MessagingOperation, Old),
        b"destination.name" => (A::MessagingDestination, Stable),
        b"destination" => (A::MessagingDestination, Old),
        b"destination.template" => (A::MessagingTemplate, Stable),
        b"destination.temporary" | b"destination.anonymous" | b"temp_destination" => {
            (A::MessagingTemporary, Stable)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see<'a>(pairs: &[(&'a str, Value<'a>)]) -> Attributes<'a> {
        let mut attributes = Attributes::default();
        for (key, value) in pairs {
            attributes.see(KeyValue { key: key.as_bytes(), value: *value });
        }
        attributes
    }

    #[test]
    fn both_generations_are_one_fact_and_the_stable_one_stands() {
        for order in [[0, 1], [1, 0]] {
            let pairs = [
                ("http.method", Value::String(b"OLD")),
                ("http.request.method", Value::String(b"STABLE")),
            ];
            let attributes = see(&order.map(|i| pairs[i]));
            assert_eq!(attributes.text(Attribute::HttpMethod), Some(b"STABLE".as_slice()));
        }
        let old = see(&[("http.status_code", Value::Int(404))]);
        assert_eq!(old.number(Attribute::HttpStatus), Some(404));
    }

    #[test]
    fn a_cleared_set_holds_nothing_of_the_span_before() {
        let mut attributes = see(&[("http.request.method", Value::String(b"GET"))]);
        attributes.clear();
        assert_eq!(attributes.value(Attribute::HttpMethod), None);
        attributes.see(KeyValue { key: b"http.method", value: Value::String(b"PUT") });
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
            assert_eq!(see(&[("rpc.status_code", value)]).number(Attribute::RpcStatus), number);
        }
    }

    #[test]
    fn only_the_host_of_a_url_is_a_fact() {
        for (url, expected) in [
            ("http://cart.local:8080/items/7?q=1", "cart.local"),
            ("https://user:pass@cart.local", "cart.local"),
            ("http://[::1]:8080/x", "[::1]"),
            ("http://[::1]", "[::1]"),
            ("http://cart?x", "cart"),
            ("/items/7", ""),
            ("", ""),
        ] {
            for key in ["http.url", "url.full"] {
                let attributes = see(&[(key, Value::String(url.as_bytes()))]);
                let host = attributes.value(Attribute::UrlHost);
                assert_eq!(host, Some(Value::String(expected.as_bytes())), "{url}");
            }
        }
    }

    #[test]
    fn other_keys_are_no_facts() {
        for key in ["", ".", "http", "http.", "url.path", "error.message", "service.name", "db.x"] {
            assert_eq!(classify(key.as_bytes()), None, "{key}");
        }
    }
}
