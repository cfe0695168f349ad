//! The low-cardinality name of what a span did. Span names alone would not do: Node calls every
//! request `GET`, others put the path with its ids there.
//!
//! Source: the naming rules of the semantic conventions, tried in this order. SERVER: HTTP route,
//! RPC, messaging. CLIENT: URL template, RPC, database, messaging. PRODUCER and CONSUMER:
//! messaging. An HTTP span that is none of these keeps its name, unless that is a raw path: then
//! the method stands alone, which says less than what is spoken over HTTP. Where no rule applies,
//! and for INTERNAL spans, the span's own name with its generated parts taken out.

use super::attributes::Attributes;
use super::outcome::Kind;
use super::template::template;
use super::vocabulary::Attribute;

/// Writes the operation of a span into `out`, which is empty before.
pub(super) fn write(kind: Kind, name: &[u8], attributes: &Attributes<'_>, out: &mut Vec<u8>) {
    let rules: &[Rule] = match kind {
        Kind::Server => &[http_route, rpc, messaging, http_method],
        Kind::Client => &[http_template, rpc, database, messaging, http_method],
        Kind::Producer | Kind::Consumer => &[messaging],
        Kind::Internal => &[],
    };
    if !rules.iter().any(|rule| rule(name, attributes, out)) {
        template(name, out);
    }
}

/// Writes a name and says so, or leaves `out` alone.
type Rule = fn(&[u8], &Attributes<'_>, &mut Vec<u8>) -> bool;

/// `GET /items/{id}` where the route is known.
fn http_route(_: &[u8], attributes: &Attributes<'_>, out: &mut Vec<u8>) -> bool {
    http(attributes, Attribute::HttpRoute, out)
}

fn http_template(_: &[u8], attributes: &Attributes<'_>, out: &mut Vec<u8>) -> bool {
    http(attributes, Attribute::UrlTemplate, out)
}

fn http(attributes: &Attributes<'_>, target: Attribute, out: &mut Vec<u8>) -> bool {
    let Some(target) = attributes.text(target) else { return false };
    if let Some(method) = attributes.text(Attribute::HttpMethod) {
        write_method(method, out);
        out.push(b' ');
    }
    out.extend_from_slice(target);
    true
}

/// `GET` in the place of a raw path.
fn http_method(name: &[u8], attributes: &Attributes<'_>, out: &mut Vec<u8>) -> bool {
    match attributes.text(Attribute::HttpMethod) {
        Some(method) if raw_path(name) => write_method(method, out),
        _ => return false,
    }
    true
}

/// `_OTHER` is how the conventions spell a method that is none; in a name they call it HTTP.
fn write_method(method: &[u8], out: &mut Vec<u8>) {
    if METHODS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(method)) {
        out.extend(method.iter().map(u8::to_ascii_uppercase));
    } else {
        out.extend_from_slice(b"HTTP");
    }
}

/// Whether a name is empty or holds a path without placeholders, which is one name for every path
/// that is asked for.
fn raw_path(name: &[u8]) -> bool {
    let placeholder = |pair: &[u8]| matches!(pair, [b'/', b':' | b'*' | b'{' | b'<' | b'[' | b'$']);
    let path = name.contains(&b'/') && !name.windows(2).any(placeholder);
    name.is_empty() || path
}

/// `pkg.Service/Method`: one attribute in the current convention, two in the one before.
fn rpc(_: &[u8], attributes: &Attributes<'_>, out: &mut Vec<u8>) -> bool {
    let service = attributes.text(Attribute::RpcService);
    let method = attributes.text(Attribute::RpcMethod);
    match (service, method) {
        (_, Some(method)) if method.contains(&b'/') => template(method, out),
        (Some(service), method) => {
            template(service, out);
            if let Some(method) = method {
                out.push(b'/');
                template(method, out);
            }
        }
        (None, Some(method)) => template(method, out),
        (None, None) => return false,
    }
    true
}

/// The query's summary, else `SELECT shop.items`, else the system's name.
fn database(_: &[u8], attributes: &Attributes<'_>, out: &mut Vec<u8>) -> bool {
    if let Some(summary) = attributes.text(Attribute::DbSummary) {
        template(summary, out);
        return true;
    }
    let parts = [Attribute::DbNamespace, Attribute::DbCollection];
    let target = parts.map(|part| attributes.text(part));
    match attributes.text(Attribute::DbOperation) {
        Some(operation) => {
            template(operation, out);
            write_target(target, b" ", out);
        }
        None if target.iter().any(Option::is_some) => write_target(target, b"", out),
        None => match attributes.text(Attribute::DbSystem) {
            Some(system) => out.extend_from_slice(system),
            None => return false,
        },
    }
    true
}

fn write_target(target: [Option<&[u8]>; 2], before: &[u8], out: &mut Vec<u8>) {
    let mut separator = before;
    for part in target.into_iter().flatten() {
        out.extend_from_slice(separator);
        template(part, out);
        separator = b".";
    }
}

/// `publish orders`: the destination's template where there is one, its name unless it is made up
/// for one use.
fn messaging(_: &[u8], attributes: &Attributes<'_>, out: &mut Vec<u8>) -> bool {
    let temporary = attributes.is_set(Attribute::MessagingTemporary);
    let destination = attributes.text(Attribute::MessagingTemplate).or_else(|| {
        let name = attributes.text(Attribute::MessagingDestination)?;
        Some(if temporary { b"(temporary)".as_slice() } else { name })
    });
    match (attributes.text(Attribute::MessagingOperation), destination) {
        (None, None) => return false,
        (None, Some(destination)) => template(destination, out),
        (Some(operation), destination) => {
            template(operation, out);
            if let Some(destination) = destination {
                out.push(b' ');
                template(destination, out);
            }
        }
    }
    true
}

/// The methods that the conventions know; anything else would let a peer choose names.
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];

#[cfg(test)]
mod tests {
    use redora_wire::Value;

    use super::*;
    use crate::red::attributes::facts;

    fn check(kind: Kind, name: &str, pairs: &[(&str, &str)], expected: &str) {
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| (*key, Value::String(value.as_bytes()))).collect();
        let attributes = facts(&pairs);
        let mut out = Vec::new();
        write(kind, name.as_bytes(), &attributes, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{kind:?} {name} {pairs:?}");
    }

    #[test]
    fn http_servers_by_route() {
        let route = ("http.route", "/items/<int:item>");
        check(Kind::Server, "x", &[("http.method", "GET"), route], "GET /items/<int:item>");
        check(Kind::Server, "x", &[("http.request.method", "GET"), route], "GET /items/<int:item>");
        let get = [("http.request.method", "GET")];
        check(Kind::Server, "GET /items/7", &get, "GET");
        check(Kind::Server, "/wp-login.php", &get, "GET");
        check(Kind::Server, "", &get, "GET");
        check(Kind::Server, "GET /items/{id}", &get, "GET /items/{id}");
        check(Kind::Server, "GET /items/:id", &get, "GET /items/:id");
        check(Kind::Server, "ItemsController.show", &get, "ItemsController.show");
        check(Kind::Server, "GET", &[("http.request.method", "get")], "GET");
        check(Kind::Server, "/", &[("http.request.method", "get")], "GET");
        check(
            Kind::Server,
            "x",
            &[("http.request.method", "_OTHER"), route],
            "HTTP /items/<int:item>",
        );
        check(Kind::Server, "/x", &[("http.method", "A8F31B")], "HTTP");
    }

    #[test]
    fn http_clients_by_template() {
        let get = ("http.request.method", "GET");
        check(Kind::Client, "GET", &[get], "GET");
        check(Kind::Client, "GET", &[get, ("url.template", "/u/{id}")], "GET /u/{id}");
        check(Kind::Client, "GET", &[get, ("http.route", "/u/{id}")], "GET");
    }

    #[test]
    fn rpcs_by_method() {
        let both = [("rpc.service", "shop.Cart"), ("rpc.method", "Add")];
        check(Kind::Server, "x", &both, "shop.Cart/Add");
        check(Kind::Client, "x", &[("rpc.method", "shop.Cart/Add")], "shop.Cart/Add");
        check(Kind::Client, "x", &[("rpc.service", "shop.Cart")], "shop.Cart");
        check(Kind::Client, "x", &[("rpc.method", "ping")], "ping");
        let generated = [("rpc.service", "shop.Cart"), ("rpc.method", "8fe1a3b2")];
        check(Kind::Server, "x", &generated, "shop.Cart/{id}");
    }

    #[test]
    fn what_is_spoken_over_http_is_named_before_the_method_alone() {
        let post = ("http.request.method", "POST");
        let connect = [post, ("rpc.service", "shop.Cart"), ("rpc.method", "Add")];
        for kind in [Kind::Server, Kind::Client] {
            check(kind, "/shop.Cart/Add", &connect, "shop.Cart/Add");
        }
        let search = [post, ("db.operation.name", "search"), ("db.collection.name", "items")];
        check(Kind::Client, "POST /items/_search", &search, "search items");
        let queue = [post, ("messaging.destination.name", "orders")];
        check(Kind::Server, "/queue", &queue, "orders");
        let routed = [post, ("http.route", "/rpc"), ("rpc.method", "shop.Cart/Add")];
        check(Kind::Server, "/rpc", &routed, "POST /rpc");
    }

    #[test]
    fn a_route_without_a_method_is_still_the_operation() {
        check(Kind::Server, "/items/7", &[("http.route", "/items/{id}")], "/items/{id}");
        check(Kind::Client, "x", &[("url.template", "/u/{id}")], "/u/{id}");
    }

    #[test]
    fn databases_by_operation_and_collection() {
        let old = [("db.system", "mysql"), ("db.operation", "SELECT"), ("db.name", "shop")];
        check(Kind::Client, "x", &old, "SELECT shop");
        let stable = [
            ("db.operation.name", "SELECT"),
            ("db.namespace", "shop"),
            ("db.collection.name", "items"),
        ];
        check(Kind::Client, "x", &stable, "SELECT shop.items");
        check(Kind::Client, "x", &stable[1..], "shop.items");
        check(Kind::Client, "x", &[("db.query.summary", "SELECT items")], "SELECT items");
        check(Kind::Client, "x", &[("db.system", "redis")], "redis");
        let summed = [("db.query.summary", "SELECT items"), ("db.operation.name", "SELECT")];
        check(Kind::Client, "x", &summed, "SELECT items");
        let table = [("db.operation", "SELECT"), ("db.sql.table", "items_4711")];
        check(Kind::Client, "x", &table, "SELECT items_{id}");
        check(Kind::Client, "x", &[("db.namespace", "tenant-4711")], "tenant-{id}");
        check(Kind::Client, "x", &[("db.operation", "GET")], "GET");
        check(Kind::Producer, "x", &table, "x");
        check(Kind::Server, "span", &[("db.system", "redis")], "span");
    }

    #[test]
    fn messages_by_destination() {
        let kafka = [("messaging.operation", "process"), ("messaging.destination", "orders")];
        check(Kind::Consumer, "x", &kafka, "process orders");
        let named = [
            ("messaging.operation.name", "send"),
            ("messaging.operation.type", "publish"),
            ("messaging.destination.name", "reply-8fe1a3b2"),
        ];
        check(Kind::Producer, "x", &named, "send reply-{id}");
        check(Kind::Producer, "x", &[("messaging.destination.template", "/c/{id}")], "/c/{id}");
        check(Kind::Internal, "work 4711", &kafka, "work {id}");
        for kind in [Kind::Server, Kind::Client] {
            check(kind, "x", &kafka, "process orders");
        }
        let temporary = [kafka[0], kafka[1], ("messaging.destination.temporary", "true")];
        check(Kind::Consumer, "x", &temporary, "process (temporary)");
        let template = [temporary[0], temporary[2], ("messaging.destination.template", "o.{id}")];
        check(Kind::Consumer, "x", &template, "process o.{id}");
        check(Kind::Consumer, "x", &kafka[..1], "process");
        check(Kind::Consumer, "x", &kafka[1..], "orders");
        check(Kind::Consumer, "/x", &[("http.request.method", "GET")], "/x");
    }

    #[test]
    fn a_name_of_its_own_is_kept() {
        for kind in [Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer, Kind::Internal] {
            check(kind, "checkout", &[], "checkout");
            check(kind, "", &[], "");
        }
    }
}
