//! The words between the receiver and whoever wires it: what is delivered, what became of it, and
//! what was refused.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redora_model::identity::Tenant;
use redora_wire::{Fault, Signal};

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
