//! OTLP requests read in place: views that borrow from the request's bytes, because building
//! objects from them costs ten times the reading and lets a small body demand a large memory.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

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

/// Why bytes are no OTLP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A length or a value reaches past the end of its message.
    Truncated,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Fault::Truncated => "a length or value reaches past the end of its message",
        })
    }
}

impl std::error::Error for Fault {}
