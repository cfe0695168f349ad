//! Whether a request was good: the span's status decides where it is set, and what the request
//! itself says where it is not, because most instrumentation leaves a server's 5xx unset in one
//! convention and sets it in the other.
//!
//! Source: semantic conventions for HTTP and RPC spans. A 4xx is the caller's error, so it fails a
//! CLIENT span only; a gRPC server answers for the codes that say that it failed, a client for
//! every code but OK.

use super::attributes::Attributes;
use super::vocabulary::Attribute;

/// The role of a span, from its OTLP number; what is unspecified or unknown is internal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Work inside a service.
    Internal,
    /// A request that was served.
    Server,
    /// A request that was made.
    Client,
    /// A message that was sent.
    Producer,
    /// A message that was processed.
    Consumer,
}

impl Kind {
    /// The kind behind OTLP's number.
    #[must_use]
    pub fn of(number: i32) -> Self {
        match number {
            2 => Kind::Server,
            3 => Kind::Client,
            4 => Kind::Producer,
            5 => Kind::Consumer,
            _ => Kind::Internal,
        }
    }

    /// The value of the label `kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Internal => "internal",
            Kind::Server => "server",
            Kind::Client => "client",
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
        }
    }

    /// Whether such a span is a request that the service itself served.
    #[must_use]
    pub fn serves(self) -> bool {
        matches!(self, Kind::Server | Kind::Consumer)
    }

    /// Whether such a span is the calling side of an edge between services.
    pub(super) fn calls(self) -> bool {
        matches!(self, Kind::Client | Kind::Producer)
    }
}

/// Whether a request counts as good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It did what it should.
    Ok,
    /// It failed.
    Error,
}

impl Outcome {
    /// Both, in the order in which rows keep them.
    pub const ALL: [Outcome; 2] = [Outcome::Ok, Outcome::Error];

    /// The value of the label `outcome`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
        }
    }

    /// The outcome of a span.
    #[must_use]
    pub fn of(kind: Kind, span_status: i32, attributes: &Attributes<'_>) -> Self {
        let failed = match span_status {
            SPAN_STATUS_OK => false,
            SPAN_STATUS_ERROR => true,
            _ => failed_by_attributes(kind, attributes),
        };
        if failed { Outcome::Error } else { Outcome::Ok }
    }
}

/// OTLP's span status `STATUS_CODE_OK`: whoever set it has looked, so nothing else is asked.
pub(super) const SPAN_STATUS_OK: i32 = 1;
/// OTLP's span status `STATUS_CODE_ERROR`.
pub(super) const SPAN_STATUS_ERROR: i32 = 2;

/// A span status as the place of its row's side; what OTLP does not know is unset.
pub(super) fn span_status(number: i32) -> u8 {
    match number {
        SPAN_STATUS_OK => 1,
        SPAN_STATUS_ERROR => 2,
        _ => 0,
    }
}

/// How a request was answered: an HTTP class, a gRPC code, or nothing of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status(u8);

impl Status {
    /// Neither HTTP nor RPC.
    pub const NONE: Status = Status(0);

    /// What the span's attributes say of the answer.
    #[must_use]
    pub fn of(attributes: &Attributes<'_>) -> Self {
        if let Some(code) = grpc_code(attributes) {
            return Status(GRPC_BASE + code);
        }
        match attributes.number(Attribute::HttpStatus) {
            Some(status @ 100..600) => Status((status / 100) as u8),
            _ => Status::NONE,
        }
    }

    /// The status under which the counter of the outcome that has not happened yet stands at 0.
    #[must_use]
    pub fn opposite(self, kind: Kind, outcome: Outcome) -> Self {
        match (self.0, outcome) {
            (0, _) => Status::NONE,
            (1..GRPC_BASE, Outcome::Error) => Status(2),
            (1..GRPC_BASE, Outcome::Ok) if kind == Kind::Client => Status(4),
            (1..GRPC_BASE, Outcome::Ok) => Status(5),
            (_, Outcome::Error) => Status(GRPC_BASE),
            (_, Outcome::Ok) => Status(GRPC_BASE + GRPC_INTERNAL),
        }
    }

    /// The value of the label `status`: `2xx`, `NOT_FOUND`, or empty.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self.0 {
            0 => "",
            class @ 1..GRPC_BASE => HTTP_CLASSES[usize::from(class) - 1],
            code => GRPC_CODES[usize::from(code - GRPC_BASE)],
        }
    }
}

/// What an unset status leaves to the attributes.
fn failed_by_attributes(kind: Kind, attributes: &Attributes<'_>) -> bool {
    if attributes.is_set(Attribute::ErrorType) {
        return true;
    }
    let http = attributes.number(Attribute::HttpStatus).unwrap_or(0);
    let grpc = grpc_code(attributes).unwrap_or(0);
    match kind {
        Kind::Server => (500..600).contains(&http) || GRPC_SERVER_FAULTS.contains(&grpc),
        Kind::Client => (400..600).contains(&http) || grpc != 0,
        Kind::Internal | Kind::Producer | Kind::Consumer => false,
    }
}

/// The gRPC code of an RPC, from its number or its name; Connect spells the same codes in lower
/// case.
fn grpc_code(attributes: &Attributes<'_>) -> Option<u8> {
    if let Some(number) = attributes.number(Attribute::RpcStatus) {
        return u8::try_from(number).ok().filter(|code| usize::from(*code) < GRPC_CODES.len());
    }
    let name = attributes.text(Attribute::RpcStatus)?;
    GRPC_CODES
        .iter()
        .position(|code| code.as_bytes().eq_ignore_ascii_case(name))
        .or_else(|| name.eq_ignore_ascii_case(b"CANCELED").then_some(1))
        .map(|code| code as u8)
}

const HTTP_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Statuses from this number on are gRPC codes.
const GRPC_BASE: u8 = 6;
const GRPC_INTERNAL: u8 = 13;

const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS.
const GRPC_SERVER_FAULTS: [u8; 6] = [2, 4, 12, 13, 14, 15];

#[cfg(test)]
mod tests {
    use redora_wire::Value;

    use super::*;
    use crate::red::attributes::facts;

    fn judged(
        kind: Kind,
        span_status: i32,
        pairs: &[(&str, Value<'_>)],
    ) -> (Outcome, &'static str) {
        let attributes = facts(pairs);
        (Outcome::of(kind, span_status, &attributes), Status::of(&attributes).as_str())
    }

    #[test]
    fn http_errors_by_side_and_convention() {
        use Kind::{Client, Server};
        use Outcome::{Error, Ok};
        for (kind, code, expected) in [
            (Server, 200, (Ok, "2xx")),
            (Server, 302, (Ok, "3xx")),
            (Server, 404, (Ok, "4xx")),
            (Server, 500, (Error, "5xx")),
            (Client, 200, (Ok, "2xx")),
            (Client, 404, (Error, "4xx")),
            (Client, 503, (Error, "5xx")),
            (Kind::Internal, 503, (Ok, "5xx")),
            (Server, 499, (Ok, "4xx")),
            (Server, 599, (Error, "5xx")),
            (Server, 600, (Ok, "")),
            (Server, 100, (Ok, "1xx")),
            (Server, 99, (Ok, "")),
            (Client, 399, (Ok, "3xx")),
            (Client, 400, (Error, "4xx")),
            (Client, 499, (Error, "4xx")),
            (Client, 599, (Error, "5xx")),
            (Client, 600, (Ok, "")),
            (Kind::Producer, 503, (Ok, "5xx")),
            (Kind::Consumer, 404, (Ok, "4xx")),
            (Server, 0, (Ok, "")),
            (Server, 1000, (Ok, "")),
            (Server, -500, (Ok, "")),
        ] {
            for key in ["http.status_code", "http.response.status_code"] {
                assert_eq!(
                    judged(kind, 0, &[(key, Value::Int(code))]),
                    expected,
                    "{kind:?} {code}"
                );
            }
        }
    }

    #[test]
    fn a_set_span_status_decides() {
        let five = [("http.response.status_code", Value::Int(500))];
        assert_eq!(judged(Kind::Server, SPAN_STATUS_OK, &five), (Outcome::Ok, "5xx"));
        let two = [("http.response.status_code", Value::Int(200))];
        assert_eq!(judged(Kind::Server, SPAN_STATUS_ERROR, &two), (Outcome::Error, "2xx"));
        assert_eq!(judged(Kind::Server, 77, &five).0, Outcome::Error, "an unknown status is unset");
    }

    #[test]
    fn grpc_errors_by_side() {
        for code in 0..17_u8 {
            let by_number = [("rpc.grpc.status_code", Value::Int(i64::from(code)))];
            let name = GRPC_CODES[usize::from(code)];
            let by_name = [("rpc.status_code", Value::String(name.as_bytes()))];
            for pairs in [&by_number, &by_name] {
                let server_fault = [2, 4, 12, 13, 14, 15].contains(&code);
                let (server, status) = judged(Kind::Server, 0, pairs);
                assert_eq!((server == Outcome::Error, status), (server_fault, name));
                assert_eq!(judged(Kind::Client, 0, pairs).0 == Outcome::Error, code != 0, "{name}");
            }
        }
        let connect = [("rpc.connect_rpc.error_code", Value::String(b"not_found"))];
        assert_eq!(judged(Kind::Client, 0, &connect), (Outcome::Error, "NOT_FOUND"));
        let odd = [("rpc.grpc.status_code", Value::Int(99))];
        assert_eq!(judged(Kind::Client, 0, &odd), (Outcome::Ok, ""));
    }

    #[test]
    fn an_rpc_over_http_is_told_by_its_own_code() {
        let pairs = [
            ("http.response.status_code", Value::Int(200)),
            ("rpc.grpc.status_code", Value::Int(13)),
        ];
        assert_eq!(judged(Kind::Server, 0, &pairs), (Outcome::Error, "INTERNAL"));
        let connect = [("rpc.connect_rpc.error_code", Value::String(b"canceled"))];
        assert_eq!(judged(Kind::Server, 0, &connect), (Outcome::Ok, "CANCELLED"));
        let odd = [("http.status_code", Value::Int(404)), ("rpc.status_code", Value::Int(17))];
        assert_eq!(judged(Kind::Server, 0, &odd), (Outcome::Ok, "4xx"), "17 is no gRPC code");
        let words = [("rpc.status_code", Value::String(b"-32601"))];
        assert_eq!(judged(Kind::Client, 0, &words), (Outcome::Ok, ""));
    }

    #[test]
    fn the_outcome_that_did_not_happen_has_the_status_it_would_have() {
        use Kind::{Client, Server};
        use Outcome::{Error, Ok};
        let http = |code| ("http.status_code", Value::Int(code));
        let grpc = |code| ("rpc.grpc.status_code", Value::Int(code));
        for (kind, outcome, pair, expected) in [
            (Server, Ok, http(200), "5xx"),
            (Server, Ok, http(404), "5xx"),
            (Client, Ok, http(200), "4xx"),
            (Kind::Internal, Ok, http(100), "5xx"),
            (Server, Error, http(500), "2xx"),
            (Client, Error, http(404), "2xx"),
            (Server, Ok, grpc(0), "INTERNAL"),
            (Client, Ok, grpc(0), "INTERNAL"),
            (Server, Error, grpc(13), "OK"),
            (Client, Error, grpc(5), "OK"),
            (Server, Ok, http(0), ""),
            (Server, Error, http(0), ""),
        ] {
            let opposite = Status::of(&facts(&[pair])).opposite(kind, outcome);
            assert_eq!(opposite.as_str(), expected, "{kind:?} {outcome:?} {pair:?}");
        }
    }

    #[test]
    fn kinds_are_told_by_their_numbers() {
        let kinds: Vec<_> = (-1..7).map(|number| Kind::of(number).as_str()).collect();
        let (internal, named) = ("internal", ["server", "client", "producer", "consumer"]);
        assert_eq!(kinds[..3], [internal; 3]);
        assert_eq!(kinds[3..7], named);
        assert_eq!(kinds[7], internal, "a later kind");
        let serves = (1..6).filter(|number| Kind::of(*number).serves());
        assert_eq!(serves.collect::<Vec<_>>(), [2, 5]);
    }

    #[test]
    fn an_error_type_fails_any_kind() {
        for kind in [Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer, Kind::Internal] {
            let pairs = [("error.type", Value::String(b"timeout"))];
            assert_eq!(judged(kind, 0, &pairs).0, Outcome::Error, "{kind:?}");
            assert_eq!(judged(kind, SPAN_STATUS_OK, &pairs).0, Outcome::Ok, "{kind:?}");
        }
        assert_eq!(judged(Kind::Client, 0, &[("error.type", Value::String(b""))]).0, Outcome::Ok);
    }
}
