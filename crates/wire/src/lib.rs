//! OTLP requests read in place: views that borrow from the request's bytes, because building
//! objects from them costs ten times the reading and lets a small body demand a large memory.
//!
//! The views accept what a protobuf decoder generated from OTLP's .proto files accepts and report
//! the same values, with one difference: text is handed out as bytes and need not be UTF-8, so that
//! one bad name does not lose a batch. Whoever makes a label of it replaces what is not UTF-8 by
//! U+FFFD. Nothing here allocates.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

mod count;
mod cursor;
mod fault;
mod holder;
pub mod logs;
mod message;
mod schema;
mod text;
pub mod trace;
mod value;

pub use count::{check, count};
pub use fault::{DEPTH_MAX, Fault};
pub use holder::{OfResource, OfScope};
pub use message::{Messages, Resource, Scope};
pub use text::write_text;
pub use value::{Array, Encoded, KeyValue, KeyValues, KvList, Value, Values};

pub mod json;
pub mod rpc;

/// What an OTLP request carries, named after its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans, `ExportTraceServiceRequest`.
    Traces,
    /// Log records, `ExportLogsServiceRequest`.
    Logs,
    /// Data points, `ExportMetricsServiceRequest`.
    Metrics,
}

impl Signal {
    /// Every signal, for tables that must be complete.
    pub const ALL: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

    /// The name in paths, configuration and the label `signal`: `traces`, `logs`, `metrics`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Logs => "logs",
            Signal::Metrics => "metrics",
        }
    }
}
