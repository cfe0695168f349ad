//! Keys of the RED families, written once per service and continued per span, and what happens when
//! a family is full: the request then counts in `operation="other"` of its service, so that a
//! service's sum stays exact.

use redora_model::identity::Tenant;

use super::attributes::Attributes;
use super::graph::Peer;
use super::operation;
use super::outcome::Kind;
use super::row::{Calls, Edge, Hit, Requests, Spans};
use crate::series::{Book, Key, Mark, Picked, Row, Staged, Weight};

/// Where rows that did not fit are counted.
pub(super) const OTHER: &[u8] = b"other";

/// Keys that are being written.
#[derive(Debug, Default)]
pub(super) struct Keys {
    spans: Prefixed,
    spans_slot: Option<u32>,
    request: Prefixed,
    call: Prefixed,
    edge: Prefixed,
    name: Vec<u8>,
    kind: &'static str,
    call_kind: &'static str,
    dimensions: usize,
}

/// A key that begins with tenant and service, and the places to come back to.
#[derive(Debug, Default)]
struct Prefixed {
    key: Key,
    tenant: Mark,
    service: Mark,
    /// Room for the keys of `other` rows: a flood of names allocates nothing.
    other: Key,
}

impl Prefixed {
    fn service(&mut self, tenant: &Tenant, service: &[u8]) {
        self.key.clear();
        self.key.push(tenant.as_str().as_bytes());
        self.tenant = self.key.mark();
        self.key.push(service);
        self.service = self.key.mark();
    }

    /// Stages a hit on the row of the whole key, or on `other` of the service, or on `other` of all
    /// services. `rest` writes what follows the name in the key of an `other` row. Gives the
    /// position of a row that was there before, unless it is an `other` one.
    fn stage<R: Row>(
        &mut self,
        book: &mut Book<R>,
        hit: R::Hit,
        now_ms: u64,
        born: impl Fn() -> R,
        rest: impl Fn(&mut Key),
    ) -> Option<u32> {
        match book.stage(&self.key, hit, now_ms, &born) {
            Staged::Known(slot) => return Some(slot),
            Staged::Created(_) => return None,
            Staged::Full => {}
        }
        let other = &mut self.other;
        other.branch(&self.key, self.service);
        other.push(OTHER);
        rest(other);
        if book.stage_overflow(other, hit, now_ms, &born) == Staged::Full {
            other.branch(&self.key, self.tenant);
            other.push(OTHER);
            other.push(OTHER);
            rest(other);
            book.stage_last(other, hit, now_ms, &born);
        }
        None
    }
}

impl Keys {
    /// Begins the keys of a service.
    pub(super) fn service(&mut self, tenant: &Tenant, service: &[u8]) {
        for prefixed in [&mut self.spans, &mut self.request, &mut self.call, &mut self.edge] {
            prefixed.service(tenant, service);
        }
        self.spans_slot = None;
    }

    /// Writes the key of a request: tenant, service, operation, kind, dimensions.
    pub(super) fn operation(&mut self, kind: Kind, name: &[u8], attributes: &Attributes<'_>) {
        let dimensions = attributes.dimensions();
        self.name.clear();
        operation::write(kind, name, attributes, &mut self.name);
        self.kind = kind.as_str();
        self.dimensions = dimensions.len();
        let key = &mut self.request.key;
        key.rewind(self.request.service);
        key.push(&self.name);
        key.push(self.kind.as_bytes());
        dimensions.push_to(key);
        // A name may be as long as a request, and its room would be held for ever.
        self.name.clear();
        self.name.shrink_to(NAME_BYTES_KEPT);
    }

    /// Stages a request on the key written last.
    pub(super) fn stage_request(
        &mut self,
        book: &mut Book<Requests>,
        hit: Hit,
        now_ms: u64,
        born: impl Fn() -> Requests,
    ) -> Option<u32> {
        let (kind, dimensions) = (self.kind, self.dimensions);
        self.request.stage(book, hit, now_ms, born, |key| rest(key, kind, dimensions))
    }

    /// Writes the key of a call: tenant, service, the span's own name and kind, dimensions.
    pub(super) fn call(&mut self, name: &[u8], kind: i32, dimensions: &Picked<'_>) {
        self.call_kind = span_kind(kind);
        self.dimensions = dimensions.len();
        let key = &mut self.call.key;
        key.rewind(self.call.service);
        key.push(name);
        key.push(self.call_kind.as_bytes());
        dimensions.push_to(key);
    }

    /// Stages a call on the key written last.
    pub(super) fn stage_call(
        &mut self,
        book: &mut Book<Calls>,
        hit: Hit,
        now_ms: u64,
    ) -> Option<u32> {
        let (kind, dimensions) = (self.call_kind, self.dimensions);
        self.call.stage(book, hit, now_ms, Calls::born, |key| rest(key, kind, dimensions))
    }

    /// Stages an edge from the service to its peer.
    pub(super) fn stage_edge(
        &mut self,
        book: &mut Book<Edge>,
        peer: &Peer<'_>,
        hit: Hit,
        now_ms: u64,
    ) -> Option<u32> {
        let key = &mut self.edge.key;
        key.rewind(self.edge.service);
        key.push(peer.server);
        key.push(peer.connection_type.as_bytes());
        let rest = |key: &mut Key| key.push(b"");
        self.edge.stage(book, hit, now_ms, Edge::born, rest)
    }

    /// Stages a span of the service itself.
    pub(super) fn stage_spans(&mut self, book: &mut Book<Spans>, weight: Weight, now_ms: u64) {
        if let Some(slot) = self.spans_slot {
            return book.stage_at(slot, weight);
        }
        let spans = &mut self.spans;
        match book.stage(&spans.key, weight, now_ms, Spans::default) {
            Staged::Known(slot) | Staged::Created(slot) => self.spans_slot = Some(slot),
            Staged::Full => {
                spans.other.branch(&spans.key, spans.tenant);
                spans.other.push(OTHER);
                book.stage_last(&spans.other, weight, now_ms, Spans::default);
            }
        }
    }
}

/// An `other` row keeps the kind; its dimensions are empty, as they would be as many as the names.
fn rest(key: &mut Key, kind: &str, dimensions: usize) {
    key.push(kind.as_bytes());
    for _ in 0..dimensions {
        key.push(b"");
    }
}

/// OTLP's name of a span kind, as other tools print it.
fn span_kind(kind: i32) -> &'static str {
    match kind {
        1 => "SPAN_KIND_INTERNAL",
        2 => "SPAN_KIND_SERVER",
        3 => "SPAN_KIND_CLIENT",
        4 => "SPAN_KIND_PRODUCER",
        5 => "SPAN_KIND_CONSUMER",
        _ => "SPAN_KIND_UNSPECIFIED",
    }
}

/// Room for a name that is kept between spans: four times what a label may hold.
const NAME_BYTES_KEPT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_as_long_as_a_request_leaves_no_room_behind() {
        let mut keys = Keys::default();
        let name = "long ".repeat(1 << 20);
        let attributes = Attributes::default();
        keys.service(&Tenant::single(), name.as_bytes());
        keys.operation(Kind::Server, name.as_bytes(), &attributes);
        keys.call(name.as_bytes(), 2, &Picked::default());
        assert!(keys.name.capacity() <= 2 * NAME_BYTES_KEPT, "{}", keys.name.capacity());
        for prefixed in [&keys.request, &keys.call] {
            assert!(prefixed.key.bytes().len() < 1024);
        }
    }
}
