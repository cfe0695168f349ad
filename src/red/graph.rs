//! Who called whom, as the caller tells it: client, producer and database spans name their peer,
//! and no span has to wait in memory for its other half.
//!
//! The price is said in the documentation: the server's time on an edge is the duration that the
//! client measured.

use super::attributes::Attributes;
use super::outcome::Kind;
use super::vocabulary::Attribute;

/// The far end of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer<'a> {
    /// The name of the service, database, queue or host that was called.
    pub(super) server: &'a [u8],
    /// What kind of thing it is, in the words of Tempo's service graph.
    pub(super) connection_type: &'static str,
}

impl<'a> Peer<'a> {
    /// The peer that a span names, if it is the calling side of an edge and names one.
    #[must_use]
    pub(super) fn of(kind: Kind, attributes: &Attributes<'a>) -> Option<Self> {
        if !kind.calls() {
            return None;
        }
        let service = attributes.text(Attribute::PeerService);
        if let Some(system) = attributes.text(Attribute::DbSystem) {
            let name = attributes.text(Attribute::DbNamespace);
            let server = service.or(name).unwrap_or(system);
            return Some(Self { server, connection_type: "database" });
        }
        if let Some(system) = attributes.text(Attribute::MessagingSystem) {
            let server = service.or_else(|| destination(attributes)).unwrap_or(system);
            return Some(Self { server, connection_type: "messaging_system" });
        }
        match (service, attributes.host()) {
            (Some(server), _) => Some(Self { server, connection_type: "" }),
            (None, Some(server)) => Some(Self { server, connection_type: "virtual_node" }),
            (None, None) => None,
        }
    }
}

/// The queue or topic, unless it was made up for one use.
fn destination<'a>(attributes: &Attributes<'a>) -> Option<&'a [u8]> {
    attributes.text(Attribute::MessagingTemplate).or_else(|| {
        let temporary = attributes.is_set(Attribute::MessagingTemporary);
        attributes.text(Attribute::MessagingDestination).filter(|_| !temporary)
    })
}

#[cfg(test)]
mod tests {
    use redora_wire::Value;

    use super::*;
    use crate::red::attributes::facts;

    fn check(kind: Kind, pairs: &[(&str, &str)], expected: Option<(&str, &'static str)>) {
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| (*key, Value::String(value.as_bytes()))).collect();
        let attributes = facts(&pairs);
        let peer = Peer::of(kind, &attributes);
        let expected = expected
            .map(|(server, connection_type)| Peer { server: server.as_bytes(), connection_type });
        assert_eq!(peer, expected, "{kind:?} {pairs:?}");
    }

    #[test]
    fn a_calling_span_names_its_peer() {
        let address = ("server.address", "10.0.0.7");
        check(Kind::Client, &[("peer.service", "cart"), address], Some(("cart", "")));
        check(Kind::Client, &[("service.peer.name", "cart")], Some(("cart", "")));
        check(Kind::Client, &[address], Some(("10.0.0.7", "virtual_node")));
        check(
            Kind::Client,
            &[("net.peer.name", "cart.local")],
            Some(("cart.local", "virtual_node")),
        );
        let url = ("http.url", "http://cart.local:8080/items/7");
        check(Kind::Client, &[url], Some(("cart.local", "virtual_node")));
        check(Kind::Client, &[url, address], Some(("10.0.0.7", "virtual_node")));
        let database = [("db.system", "postgresql"), address];
        check(Kind::Client, &database, Some(("postgresql", "database")));
        let named = [("db.system.name", "postgresql"), ("db.namespace", "shop")];
        check(Kind::Client, &named, Some(("shop", "database")));
        let message = [("messaging.system", "kafka"), ("messaging.destination.name", "orders")];
        check(Kind::Producer, &message, Some(("orders", "messaging_system")));
        check(Kind::Producer, &message[..1], Some(("kafka", "messaging_system")));
        let database = |name| Some((name, "database"));
        let both = [("db.system", "mysql"), ("db.name", "shop"), ("peer.service", "orders-db")];
        check(Kind::Client, &both, database("orders-db"));
        check(Kind::Producer, &both[..2], database("shop"));
        let queue = |name| Some((name, "messaging_system"));
        let named = [message[0], message[1], ("peer.service", "broker"), address];
        check(Kind::Client, &named, queue("broker"));
        let template = [message[0], message[1], ("messaging.destination.template", "o-{id}")];
        check(Kind::Producer, &template, queue("o-{id}"));
        let temporary = [message[0], message[1], ("messaging.destination.temporary", "true")];
        check(Kind::Producer, &temporary, queue("kafka"));
    }

    #[test]
    fn a_called_span_and_one_without_a_peer_make_no_edge() {
        check(Kind::Server, &[("peer.service", "cart")], None);
        check(Kind::Internal, &[("db.system", "sqlite")], None);
        check(Kind::Consumer, &[("messaging.system", "kafka")], None);
        check(Kind::Client, &[], None);
    }
}
