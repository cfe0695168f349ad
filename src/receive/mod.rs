//! A socket's OTLP request to a [`Batch`]: the one place where sizes, encodings and tenants are
//! decided, so that everything behind it sees plain protobuf of a known number of items.
//!
//! Both ports speak OTLP over gRPC and over HTTP, in protobuf and JSON, over HTTP/1.1 and HTTP/2;
//! the content type decides. A request goes through path, method and content type (`http`, `grpc`),
//! its body within limit, time and the memory of all requests (`body`, `budget`), decompression
//! (`inflate`), JSON to protobuf and the count of items (`door`) to the delivery, whose verdict is
//! answered (`denial` for all that is refused).
//!
//! What hyper itself refuses, before there is a request, has no `google.rpc.Status` for a body:
//! bytes that are no HTTP (400) and heads that are too large (431).

mod body;
mod budget;
mod config;
mod denial;
mod door;
mod grpc;
mod http;
mod inflate;
mod reply;
mod tenant;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redora_model::identity::Tenant;
use redora_wire::{Fault, Signal};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::listen::{self, BindError, Bounds, Drained, Tell};
use budget::Budget;
use door::Door;
use tenant::Tenancy;

pub use config::{Config, Limits};

/// The sockets of both ports.
#[derive(Debug)]
pub struct Listeners {
    /// Of the port that SDKs call the gRPC port.
    pub grpc: Vec<TcpListener>,
    /// Of the port that SDKs call the HTTP port.
    pub http: Vec<TcpListener>,
}

impl Listeners {
    /// Binds the addresses of `config`. Also returns those that the machine does not have, for a
    /// warning; each port has at least one other.
    ///
    /// # Errors
    /// Every fault of both ports, each naming its address and the cure.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn bind(config: &Config) -> Result<(Self, Vec<BindError>), Vec<BindError>> {
        match (listen::bind_all(&config.grpc), listen::bind_all(&config.http)) {
            (Ok(grpc), Ok(http)) => {
                let absent = grpc.absent.into_iter().chain(http.absent).collect();
                Ok((Self { grpc: grpc.listeners, http: http.listeners }, absent))
            }
            (grpc, http) => {
                let faults = [grpc.err(), http.err()];
                Err(faults.into_iter().flatten().flatten().collect())
            }
        }
    }
}

/// Receives on `listeners` until `stop` becomes true or its sender is gone, and then until the
/// requests in flight are answered, at most [`Limits::drain_timeout`] long.
///
/// Every request is either delivered, and answered as the verdict says, or refused before;
/// `refused` hears of both kinds of refusal. `deliver` and `refused` run on the connections' tasks,
/// several at a time.
pub async fn serve(
    limits: Limits,
    listeners: Listeners,
    deliver: Deliver,
    refused: Refused,
    tell: Tell,
    stop: watch::Receiver<bool>,
) -> Drained {
    let bounds = Bounds {
        connections: limits.connections,
        streams_per_connection: limits.streams_per_connection,
        header_timeout: limits.header_timeout,
        drain_timeout: limits.drain_timeout,
    };
    let budget = Budget::new(limits.memory_bytes);
    let door = Door { limits, budget, tenancy: Tenancy::single(), deliver, refused };
    let door = Arc::new(door);
    let port = |listeners| {
        let door = door.clone();
        let handle = move |_peer, request| door.clone().answer(request);
        listen::serve(listeners, handle, bounds.clone(), tell.clone(), stop.clone())
    };
    let (grpc, http) = tokio::join!(port(listeners.grpc), port(listeners.http));
    Drained { cut: grpc.cut + http.cut }
}

/// One export request after the door: decompressed protobuf, counted, and assigned to its tenant.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Whose data it is.
    pub tenant: Tenant,
    /// Which request message `bytes` holds.
    pub signal: Signal,
    /// The export request, always protobuf: JSON is transcoded before a batch exists.
    pub bytes: Bytes,
    /// Spans, log records or data points in it, counted on the wire.
    pub items: u64,
}

/// What became of a batch, decided by the acknowledgement policy that the wiring passes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything in it was taken.
    Accepted,
    /// The request was taken but for `rejected` of its items; the peer must not send it again.
    Partial {
        /// Items that were not taken; 0 makes the message a warning.
        rejected: u64,
        /// What the peer is told, in English.
        message: Cow<'static, str>,
    },
    /// The bytes are no such request; nothing of it was counted.
    Malformed(Fault),
    /// Not now; the peer may send the same request again.
    Busy {
        /// How long the peer is asked to wait.
        retry_after: Duration,
    },
}

/// Takes a batch and says what became of it. Called on a connection's task; does not block on I/O.
pub type Deliver = Arc<dyn Fn(Batch) -> Verdict + Send + Sync>;

/// Hears of every request that was refused before a batch was delivered or by the delivery itself.
pub type Refused = Arc<dyn Fn(Refusal) + Send + Sync>;

/// A refused request, for the agent's own counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The signal whose endpoint was called; `None` where the path or method named none.
    pub signal: Option<Signal>,
    /// Why.
    pub reason: Reason,
    /// Items in the request, where they could be counted before it was refused.
    pub items: Option<u64>,
}

/// Why a request was refused: the closed set behind the label `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The body or one of its compressed layers does not decode.
    Malformed,
    /// More bytes than `limits.request_bytes`, before or after decompression.
    TooLarge,
    /// More items than `limits.spans_per_request`.
    TooManyItems,
    /// A content type that is neither protobuf, JSON nor gRPC.
    ContentType,
    /// A content or message encoding that is not spoken here.
    Encoding,
    /// No such path or gRPC method.
    NotFound,
    /// Another method than POST.
    Method,
    /// The body took longer than its time-out or ended before its length.
    Incomplete,
    /// The memory budget or the books were full; the peer may retry.
    Busy,
}

impl Reason {
    /// Every reason, so that each counter is born at 0.
    pub const ALL: [Reason; 9] = [
        Reason::Malformed,
        Reason::TooLarge,
        Reason::TooManyItems,
        Reason::ContentType,
        Reason::Encoding,
        Reason::NotFound,
        Reason::Method,
        Reason::Incomplete,
        Reason::Busy,
    ];

    /// The value of the label `reason`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Malformed => "malformed",
            Reason::TooLarge => "too_large",
            Reason::TooManyItems => "too_many_items",
            Reason::ContentType => "content_type",
            Reason::Encoding => "encoding",
            Reason::NotFound => "not_found",
            Reason::Method => "method",
            Reason::Incomplete => "incomplete",
            Reason::Busy => "busy",
        }
    }
}
