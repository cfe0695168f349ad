//! Where the receiver listens and what it accepts, each default beside its reason.

use std::net::SocketAddr;
use std::time::Duration;

/// The receiver's checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Addresses of the port that SDKs call the gRPC port; both ports speak both protocols.
    pub grpc: Vec<SocketAddr>,
    /// Addresses of the port that SDKs call the HTTP port.
    pub http: Vec<SocketAddr>,
    /// Bounds on what one peer may ask for.
    pub limits: Limits,
}

/// Every bound of the receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of one request, before and after decompression.
    pub request_bytes: usize,
    /// Items (spans, log records, data points) of one request.
    pub items_per_request: u64,
    /// Bytes of all request bodies in flight together, compressed and decompressed.
    pub memory_bytes: usize,
    /// Open connections over all listeners of one port.
    pub connections: usize,
    /// HTTP/2 streams that one connection may have open.
    pub streams_per_connection: u32,
    /// From accept, or from the end of the last request, to the end of the next request's headers.
    pub header_timeout: Duration,
    /// From the headers of a request to the end of its body.
    pub body_timeout: Duration,
    /// From the stop to the moment when unfinished requests are cut.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // The Collector's limit for HTTP: SDK batches of 512 spans are a fiftieth of it.
            request_bytes: 20 << 20,
            // 200 times an SDK's usual batch; staging it costs a few MiB.
            items_per_request: 100_000,
            // Three largest requests at once, so that one peer cannot starve the others.
            memory_bytes: 64 << 20,
            // A sidecar serves a handful of processes; gunicorn with 256 workers still fits
            // four times.
            connections: 1024,
            // More bodies in flight cost memory and time and gain no throughput.
            streams_per_connection: 16,
            // SDKs hold their connection open between exports of 60 s at the most.
            header_timeout: Duration::from_secs(75),
            // 20 MiB over a 10 Mbit/s line is 17 s.
            body_timeout: Duration::from_secs(30),
            // `docker stop` kills after 10 s; what is behind the receiver has to drain after it.
            drain_timeout: Duration::from_secs(5),
        }
    }
}
