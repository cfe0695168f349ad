//! The one home of hyper: sockets in, requests out, so that the receiver and the admin pages share
//! one answer to dead peers, full tables of descriptors and a stop, which an HTTP framework would
//! leave to each of them.
//!
//! A listener takes HTTP/1.1 and HTTP/2 with prior knowledge on the same port and tells them by the
//! first bytes. Memory a connection may hold before its requests are bounded by their own service:
//! - HTTP/1.1: one read buffer of at most [`READ_BUFFER_BYTES`];
//! - HTTP/2: at most [`WINDOW_BYTES`] of bodies that no service has taken yet, over all its
//!   streams, and one frame of 16 KiB. A megabyte covers 100 MB/s over a line of 10 ms, and is
//!   never waiting for long, because the services read their bodies as they come.

mod bind;
mod client;
mod connection;
mod first_bytes;
mod serve;
mod tls;

use std::sync::Arc;
use std::time::Duration;

/// The body of a request: frames as they come off the connection.
pub use hyper::body::Incoming;

pub use bind::{BindError, Bound, bind, bind_all};
pub use client::{ANSWER_BYTES_MAX, GetError, Question, ask, get};
pub use serve::{Drained, serve};
pub use tls::Distrust;

/// The largest head of a request: request line and headers, with HTTP/2 after decompression.
pub const HEADER_BYTES_MAX: usize = 32 << 10;

/// The largest read buffer of an HTTP/1.1 connection. It starts at 8 KiB and grows with what
/// arrives at once; a body that fits into it is never copied.
pub const READ_BUFFER_BYTES: usize = 128 << 10;

/// The flow control window of an HTTP/2 connection and of each of its streams.
pub const WINDOW_BYTES: u32 = 1 << 20;

/// What the peers of one set of listeners may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Open connections over all listeners together. Who comes later waits in the system's backlog
    /// until one closes, so that a fleet that restarts at once is served late instead of refused.
    pub connections: usize,
    /// HTTP/2 streams that one connection may have open.
    pub streams_per_connection: u32,
    /// From accept, or from the end of the last request, to the end of the next request's headers.
    /// A connection on which nothing moves for as long, or HTTP/2 without a new request for twice
    /// as long, is closed as well.
    pub header_timeout: Duration,
    /// From the stop to the moment when connections with unfinished requests are cut.
    pub drain_timeout: Duration,
}

/// What befell the listeners, for the owner's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A connection could not be accepted, for want of descriptors or memory.
    AcceptFailed,
    /// A connection has to wait, because [`Bounds::connections`] are open.
    AtCapacity,
    /// A connection ended otherwise than by HTTP's rules: its peer stood still, broke off in the
    /// middle of a request, or spoke no HTTP.
    Cut,
}

impl Event {
    /// Every event, so that each counter is born at 0.
    pub const ALL: [Event; 3] = [Event::AcceptFailed, Event::AtCapacity, Event::Cut];

    /// The value of the label `event`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Event::AcceptFailed => "accept_failed",
            Event::AtCapacity => "at_capacity",
            Event::Cut => "cut",
        }
    }
}

/// Hears of every [`Event`]. Called on the accepting and the connections' tasks; must not block.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;
