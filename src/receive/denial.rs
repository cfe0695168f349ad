//! Why a request is refused and what its peer hears, in one table: an OTLP client decides by status
//! code alone whether it sends again or drops its data, so that no handler may choose a code by
//! itself.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use http::StatusCode;
use redora_wire::json::JsonFault;
use redora_wire::rpc::{Code, Detail, Encoding, Status};
use redora_wire::{Fault, Signal};

use super::Reason;
use super::budget::Exhausted;
use super::inflate::InflateFault;

/// A refused request with what is known of it.
#[derive(Debug)]
pub(super) struct Denied {
    pub(super) signal: Option<Signal>,
    /// Items in it, where they could be counted.
    pub(super) items: Option<u64>,
    pub(super) why: Denial,
}

/// Why. Each variant is another answer.
#[derive(Debug)]
pub(super) enum Denial {
    /// No protobuf of OTLP.
    Protobuf(Fault),
    /// No OTLP/JSON.
    Json(JsonFault),
    /// A compressed layer does not decode.
    Compressed(InflateFault),
    /// The five bytes before a gRPC message and what follows them do not agree.
    Framing(&'static str),
    /// A compressed gRPC message whose compression is not named.
    CompressionUnnamed,
    /// More bytes than the limit.
    TooLarge { bytes_max: usize },
    /// More items than the limit.
    TooManyItems { items: u64, items_max: u64 },
    /// A content type that is not taken here.
    ContentType { grpc: bool },
    /// A compression that is not spoken here.
    Encoding,
    /// No such path over HTTP.
    Path,
    /// No such gRPC method.
    GrpcMethod,
    /// A health check for a service that is not here.
    HealthService,
    /// Another HTTP method than POST.
    Method,
    /// The body did not come in time.
    Slow { timeout: Duration },
    /// The body ended before its end.
    Broken,
    /// Not now.
    Busy { retry_after: Duration },
}

impl From<Exhausted> for Denial {
    fn from(_: Exhausted) -> Self {
        // Bodies in flight are gone in milliseconds; a whole second is the least that HTTP can ask
        // for.
        Denial::Busy { retry_after: Duration::from_secs(1) }
    }
}

impl Denial {
    pub(super) fn reason(&self) -> Reason {
        match self {
            Denial::Protobuf(_)
            | Denial::Json(_)
            | Denial::Compressed(_)
            | Denial::Framing(_)
            | Denial::CompressionUnnamed => Reason::Malformed,
            Denial::TooLarge { .. } => Reason::TooLarge,
            Denial::TooManyItems { .. } => Reason::TooManyItems,
            Denial::ContentType { .. } => Reason::ContentType,
            Denial::Encoding => Reason::Encoding,
            Denial::Path | Denial::GrpcMethod | Denial::HealthService => Reason::NotFound,
            Denial::Method => Reason::Method,
            Denial::Slow { .. } | Denial::Broken => Reason::Incomplete,
            Denial::Busy { .. } => Reason::Busy,
        }
    }

    /// The status over HTTP. Clients send again after 503 and, of those below, after nothing else.
    pub(super) fn http_status(&self) -> StatusCode {
        match self {
            Denial::Protobuf(_)
            | Denial::Json(_)
            | Denial::Compressed(_)
            | Denial::Framing(_)
            | Denial::CompressionUnnamed
            | Denial::Broken => StatusCode::BAD_REQUEST,
            Denial::TooLarge { .. } | Denial::TooManyItems { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Denial::ContentType { .. } | Denial::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Denial::Path | Denial::GrpcMethod | Denial::HealthService => StatusCode::NOT_FOUND,
            Denial::Method => StatusCode::METHOD_NOT_ALLOWED,
            Denial::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
            Denial::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The gRPC code. Clients send again after UNAVAILABLE, DEADLINE_EXCEEDED and CANCELLED; after
    /// RESOURCE_EXHAUSTED only with RetryInfo, which therefore never goes with it here.
    pub(super) fn code(&self) -> Code {
        match self {
            Denial::Protobuf(_)
            | Denial::Json(_)
            | Denial::Compressed(_)
            | Denial::Framing(_)
            | Denial::ContentType { .. }
            | Denial::Method => Code::InvalidArgument,
            // The gRPC protocol asks for this code, although the fault is the client's.
            Denial::CompressionUnnamed => Code::Internal,
            Denial::TooLarge { .. } | Denial::TooManyItems { .. } => Code::ResourceExhausted,
            Denial::Encoding | Denial::GrpcMethod => Code::Unimplemented,
            Denial::Path | Denial::HealthService => Code::NotFound,
            Denial::Slow { .. } => Code::DeadlineExceeded,
            Denial::Broken => Code::Cancelled,
            Denial::Busy { .. } => Code::Unavailable,
        }
    }

    /// How long the peer is asked to wait, when it may send the same again.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Denial::Busy { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// The `google.rpc.Status`, handed to `encode`.
    pub(super) fn with_status<T>(&self, encode: impl FnOnce(&Status<'_>) -> T) -> T {
        let message = self.message();
        let detail = match self {
            Denial::Busy { retry_after } => Some(Detail::RetryInfo(*retry_after)),
            Denial::Json(fault) => {
                Some(Detail::BadRequest { field: fault.path(), description: &message })
            }
            _ if self.reason() == Reason::Malformed => {
                Some(Detail::BadRequest { field: "", description: &message })
            }
            _ => None,
        };
        encode(&Status { code: self.code(), message: &message, detail })
    }

    /// The body of an answer over HTTP.
    pub(super) fn to_body(&self, encoding: Encoding) -> Vec<u8> {
        self.with_status(|status| status.encode(encoding))
    }

    /// What is wrong and what cures it.
    fn message(&self) -> Cow<'static, str> {
        let mut text = String::new();
        let written = match self {
            Denial::Protobuf(fault) => write!(text, "{fault}"),
            Denial::Json(fault) => write!(text, "{fault}"),
            Denial::Compressed(fault) => write!(text, "{fault}"),
            Denial::TooLarge { bytes_max } => write!(
                text,
                "the request is larger than {bytes_max} bytes, compressed or decompressed; send \
                 smaller batches or raise limits.request_bytes"
            ),
            Denial::TooManyItems { items, items_max } => write!(
                text,
                "the request holds {items} items and at most {items_max} are taken; send smaller \
                 batches or raise limits.spans_per_request"
            ),
            Denial::Slow { timeout } => write!(
                text,
                "the body did not arrive within {} s; send smaller batches or compress them",
                timeout.as_secs_f64()
            ),
            other => return Cow::Borrowed(other.fixed_message()),
        };
        written.expect("a string takes what is written to it");
        Cow::Owned(text)
    }

    fn fixed_message(&self) -> &'static str {
        match self {
            Denial::Framing(what) => what,
            Denial::CompressionUnnamed => {
                "the message is compressed and grpc-encoding does not say how; set grpc-encoding"
            }
            Denial::ContentType { grpc: false } => {
                "set content-type to application/x-protobuf or application/json, or send gRPC \
                 (application/grpc)"
            }
            Denial::ContentType { grpc: true } => {
                "gRPC is taken as application/grpc over HTTP/2 alone; without HTTP/2 send \
                 application/x-protobuf to /v1/traces, /v1/logs or /v1/metrics"
            }
            Denial::Encoding => "compress with one of gzip, zstd, deflate, or not at all",
            Denial::Path => {
                "no such path; send to /v1/traces, /v1/logs or /v1/metrics (an endpoint that is \
                 set for one signal alone must hold the path)"
            }
            Denial::GrpcMethod => {
                "no such method; call Export of opentelemetry.proto.collector's TraceService, \
                 LogsService or MetricsService"
            }
            Denial::HealthService => "no such service; ask for \"\" or an OTLP service",
            Denial::Method => "telemetry is sent with POST",
            Denial::Broken => "the body ended before its end",
            Denial::Busy { .. } => "the agent is busy; send the same request again later",
            Denial::Protobuf(_)
            | Denial::Json(_)
            | Denial::Compressed(_)
            | Denial::TooLarge { .. }
            | Denial::TooManyItems { .. }
            | Denial::Slow { .. } => "",
        }
    }
}
