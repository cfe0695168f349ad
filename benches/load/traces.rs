//! Requests of spans as SDKs of several services send them: about ten attributes and 546 bytes a
//! span, both generations of the semantic conventions, one error in twenty; spans of one shape
//! would flatter every cache.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use crate::random::Random;

/// A source of requests; the same seed gives the same requests.
pub(crate) struct Traces {
    random: Random,
    requests: usize,
}

impl Traces {
    /// Requests from a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), requests: 0 }
    }

    /// One request of a number of spans, all of one service, as an SDK's batch is.
    pub(crate) fn request(&mut self, spans: usize) -> Vec<u8> {
        let service = SERVICES[self.requests % SERVICES.len()];
        self.requests += 1;
        let spans = (0..spans).map(|_| span(service, &mut self.random)).collect();
        encode(service, spans)
    }

    /// Several requests of a number of spans each, one service after the other.
    pub(crate) fn requests(&mut self, requests: usize, spans: usize) -> Vec<Vec<u8>> {
        (0..requests).map(|_| self.request(spans)).collect()
    }
}

/// A request of server spans, one for each of these operations, that all took the same time, half a
/// millisecond to two seconds by the seed: a label set of its own for each.
pub(crate) fn label_sets(operations: std::ops::Range<usize>, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let nanos = (1 << random.below(12)) * (500_000 + random.below(500_000));
    let spans = operations.map(|operation| {
        let mut span = bare(2, &self::operation(operation), &mut random);
        let route = span.name.trim_start_matches("GET ").to_owned();
        span.end_time_unix_nano = span.start_time_unix_nano + nanos;
        span.attributes = http_server(&route, 200, &mut random);
        span
    });
    encode("shop-frontend", spans.collect())
}

/// The name of one of those operations.
pub(crate) fn operation(number: usize) -> String {
    format!("GET /catalogue/{}/items", letters(number))
}

/// A number in letters, since digits in a name look like an id.
fn letters(mut number: usize) -> String {
    let mut text = String::new();
    for _ in 0..5 {
        text.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
    }
    text
}

fn encode(service: &str, spans: Vec<Span>) -> Vec<u8> {
    let scope = |name: &str| InstrumentationScope {
        name: name.into(),
        version: "1.42.0".into(),
        ..Default::default()
    };
    let mut scope_spans: Vec<ScopeSpans> = ["http", "client", "messaging"]
        .map(|library| ScopeSpans {
            scope: Some(scope(&format!("opentelemetry.instrumentation.{library}"))),
            ..Default::default()
        })
        .into();
    for span in spans {
        let library = match span.kind {
            2 => 0,
            3 => 1,
            _ => 2,
        };
        scope_spans[library].spans.push(span);
    }
    scope_spans.retain(|scope| !scope.spans.is_empty());
    let part =
        ResourceSpans { resource: Some(resource(service)), scope_spans, ..Default::default() };
    ExportTraceServiceRequest { resource_spans: vec![part] }.encode_to_vec()
}

fn resource(service: &str) -> Resource {
    let pod = format!("{service}-7d4b9c8f6d-x2vqz");
    let attributes = [
        ("service.name", service),
        ("service.namespace", "shop"),
        ("service.version", "2026.11.3"),
        ("service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09"),
        ("vcs.ref.head.revision", "9d59409acf479dfa0df1aa568182e43e43df8bbe"),
        ("deployment.environment.name", "production"),
        ("k8s.namespace.name", "shop"),
        ("k8s.pod.name", &pod),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.language", "java"),
        ("telemetry.sdk.version", "1.58.0"),
    ];
    let attributes = attributes.map(|(key, value)| text(key, value)).into();
    Resource { attributes, ..Default::default() }
}

/// A span of the mix that a service sends.
fn span(service: &str, random: &mut Random) -> Span {
    let failed = random.percent(5);
    let mut span = match random.below(10) {
        0..4 => server(service, failed, random),
        4..6 => client(failed, random),
        6..8 => database(random),
        8 => rpc(failed, random),
        _ => message(random),
    };
    if failed {
        fail(&mut span, random);
    }
    span
}

fn server(service: &str, failed: bool, random: &mut Random) -> Span {
    let route = random.pick(&ROUTES);
    let method = random.pick(&["GET", "GET", "POST"]);
    let status = if failed { 500 } else { random.pick(&[200, 200, 200, 201, 404]) };
    let mut span = bare(2, &format!("{method} {route}"), random);
    // Every other service still speaks the conventions of 2022.
    span.attributes = if service.len().is_multiple_of(2) {
        http_server(route, status, random)
    } else {
        http_server_old(route, status, random)
    };
    span
}

fn http_server(route: &str, status: i64, random: &mut Random) -> Vec<KeyValue> {
    let path = route.replace("{id}", &random.below(100_000).to_string());
    vec![
        text("http.request.method", "GET"),
        text("url.scheme", "https"),
        text("url.path", &path),
        text("http.route", route),
        number("http.response.status_code", status),
        text("network.protocol.version", "1.1"),
        text("server.address", "shop.example.com"),
        number("server.port", 443),
        text("client.address", "203.0.113.24"),
        text("user_agent.original", USER_AGENT),
    ]
}

fn http_server_old(route: &str, status: i64, random: &mut Random) -> Vec<KeyValue> {
    let target = route.replace("{id}", &random.below(100_000).to_string());
    vec![
        text("http.method", "GET"),
        text("http.scheme", "https"),
        text("http.target", &target),
        text("http.route", route),
        number("http.status_code", status),
        text("http.flavor", "1.1"),
        text("net.host.name", "shop.example.com"),
        number("net.host.port", 443),
        text("net.sock.peer.addr", "203.0.113.24"),
        text("http.user_agent", USER_AGENT),
    ]
}

fn client(failed: bool, random: &mut Random) -> Span {
    let host = random.pick(&["payments.internal.example.com", "stock.internal.example.com"]);
    let id = random.below(100_000);
    let status = if failed { 503 } else { 200 };
    // Some instrumentation names the span after the path, id and all.
    let name = if random.percent(30) { format!("GET /v1/items/{id}") } else { "GET".to_owned() };
    let mut span = bare(3, &name, random);
    span.attributes = vec![
        text("http.request.method", "GET"),
        text("url.full", &format!("https://{host}/v1/items/{id}?expand=price&currency=EUR")),
        text("server.address", host),
        number("server.port", 443),
        number("http.response.status_code", status),
        text("network.protocol.version", "2"),
        text("network.peer.address", "10.4.17.23"),
        number("network.peer.port", 443),
        text("thread.name", "http-client-worker-pool-3"),
        number("thread.id", 41),
    ];
    span
}

fn database(random: &mut Random) -> Span {
    let table = random.pick(&["orders", "order_items", "customers", "stock"]);
    let mut span = bare(3, &format!("SELECT shop.{table}"), random);
    let columns = "id, customer_id, status, currency, total, created_at, updated_at";
    let query =
        format!("SELECT {columns} FROM shop.{table} WHERE customer_id = $1 AND status = $2");
    span.attributes = vec![
        text("db.system.name", "postgresql"),
        text("db.namespace", "shop"),
        text("db.operation.name", "SELECT"),
        text("db.collection.name", table),
        text("db.query.text", &query),
        text("server.address", "orders-db.internal.example.com"),
        number("server.port", 5432),
        text("network.peer.address", "10.4.2.11"),
        text("thread.name", "request-worker-17"),
        number("thread.id", 57),
    ];
    span
}

fn rpc(failed: bool, random: &mut Random) -> Span {
    let method = random.pick(&["Reserve", "Release", "Quote"]);
    let mut span = bare(random.pick(&[2, 3]), &format!("shop.stock.v1.Stock/{method}"), random);
    span.attributes = vec![
        text("rpc.system", "grpc"),
        text("rpc.service", "shop.stock.v1.Stock"),
        text("rpc.method", method),
        number("rpc.grpc.status_code", if failed { 14 } else { 0 }),
        text("server.address", "stock.internal.example.com"),
        number("server.port", 8443),
        text("network.peer.address", "10.4.17.31"),
        text("network.transport", "tcp"),
        text("thread.name", "grpc-default-executor-12"),
        text("user_agent.original", "grpc-java-netty/1.76.0"),
    ];
    span
}

fn message(random: &mut Random) -> Span {
    let topic = random.pick(&["orders.created", "orders.paid", "stock.changed"]);
    let (kind, operation) = random.pick(&[(4, "send"), (5, "process")]);
    let mut span = bare(kind, &format!("{operation} {topic}"), random);
    span.attributes = vec![
        text("messaging.system", "kafka"),
        text("messaging.destination.name", topic),
        text("messaging.operation.name", operation),
        text("messaging.operation.type", operation),
        text("messaging.consumer.group.name", "orders-worker"),
        text("messaging.client.id", "orders-worker-2-9f6c"),
        number("messaging.kafka.message.offset", random.below(1 << 30) as i64),
        text("messaging.destination.partition.id", "11"),
        text("server.address", "kafka-2.internal.example.com"),
        number("messaging.message.body.size", 1894),
    ];
    span
}

/// A span with ids and times, and a duration spread over four decades.
fn bare(kind: i32, name: &str, random: &mut Random) -> Span {
    let start = 1_790_000_000_000_000_000 + random.below(1_000_000_000);
    let scale = random.pick(&[100_000, 1_000_000, 10_000_000, 10_000_000, 100_000_000]);
    Span {
        trace_id: random.bytes(16),
        span_id: random.bytes(8),
        parent_span_id: random.bytes(8),
        flags: 0x101,
        name: name.into(),
        kind,
        start_time_unix_nano: start,
        end_time_unix_nano: start + scale + random.below(scale * 9),
        status: Some(Status::default()),
        ..Default::default()
    }
}

/// What an SDK records of an exception.
fn fail(span: &mut Span, random: &mut Random) {
    span.status = Some(Status { code: 2, message: "upstream timed out".into() });
    span.attributes.push(text("error.type", "java.net.SocketTimeoutException"));
    span.events.push(Event {
        time_unix_nano: span.end_time_unix_nano - random.below(1000),
        name: "exception".into(),
        attributes: vec![
            text("exception.type", "java.net.SocketTimeoutException"),
            text("exception.message", "timeout after 2000 ms"),
            text("exception.stacktrace", STACK),
        ],
        ..Default::default()
    });
}

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

const SERVICES: [&str; 5] = ["shop-frontend", "checkout", "payments", "stock", "orders-worker"];

const ROUTES: [&str; 8] = [
    "/",
    "/catalogue/{id}",
    "/catalogue/{id}/reviews",
    "/basket",
    "/basket/items/{id}",
    "/orders",
    "/orders/{id}",
    "/health",
];

const USER_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

const STACK: &str = "java.net.SocketTimeoutException: timeout after 2000 ms\n\
    \tat com.example.shop.http.Client.exchange(Client.java:214)\n\
    \tat com.example.shop.payments.Gateway.authorise(Gateway.java:87)\n\
    \tat com.example.shop.checkout.Checkout.submit(Checkout.java:142)";
