//! What a case is: what is sent, what has to be answered and what may be counted of it, as plain
//! data, so that the tables read as the statement they are.

use std::io::Write;

use crate::encode;

/// One hostile input with its answer.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) sent: Vec<Sent>,
    /// The status of each request over HTTP.
    pub(crate) http: u16,
    /// The gRPC status of each; none for what cannot be sent so.
    pub(crate) grpc: Option<u16>,
    /// Items that are counted over each transport.
    pub(crate) counted: u64,
    /// Memory that the books keep for good, by their limits, beside the rule of the requests.
    pub(crate) rows_bytes: u64,
}

/// A body as it goes over the wire.
pub(crate) struct Sent {
    pub(crate) logs: bool,
    pub(crate) kind: &'static str,
    pub(crate) coding: &'static str,
    pub(crate) body: Vec<u8>,
    /// Its size without compression.
    pub(crate) decoded_bytes: u64,
}

impl Case {
    /// A request of spans in protobuf that is taken whole, with nothing to count.
    pub(crate) fn spans(name: &'static str, body: Vec<u8>) -> Self {
        Self::of(name, false, PROTOBUF, body)
    }

    /// The same with log records.
    pub(crate) fn logs(name: &'static str, body: Vec<u8>) -> Self {
        Self::of(name, true, PROTOBUF, body)
    }

    /// The same with spans in JSON, over HTTP alone.
    pub(crate) fn json(name: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { grpc: None, ..Self::of(name, false, JSON, body.into()) }
    }

    fn of(name: &'static str, logs: bool, kind: &'static str, body: Vec<u8>) -> Self {
        let decoded_bytes = body.len() as u64;
        let sent = vec![Sent { logs, kind, coding: "", body, decoded_bytes }];
        Self { name, sent, http: 200, grpc: Some(0), counted: 0, rows_bytes: 0 }
    }

    /// One span that is counted, whatever stands in these further fields.
    pub(crate) fn odd_span(name: &'static str, more: &[u8]) -> Self {
        Self::one_span(name, encode::span(b"work", more))
    }

    /// The same with a span of the case's own.
    pub(crate) fn one_span(name: &'static str, span: Vec<u8>) -> Self {
        Self::spans(name, encode::request(b"hostile", &[span])).counts(1)
    }

    /// One log record that is counted.
    pub(crate) fn one_record(name: &'static str, record: Vec<u8>) -> Self {
        Self::logs(name, encode::request(b"hostile", &[record])).counts(1)
    }

    /// Sends one more request of the same kind.
    pub(crate) fn and(mut self, other: Case) -> Self {
        self.counted += other.counted;
        self.sent.extend(other.sent);
        self
    }

    pub(crate) fn counts(mut self, items: u64) -> Self {
        self.counted = items;
        self
    }

    /// Refused with this status over HTTP and, where it goes over gRPC too, with this one there.
    pub(crate) fn refused(mut self, http: u16, grpc: u16) -> Self {
        (self.http, self.counted) = (http, 0);
        self.grpc = self.grpc.map(|_| grpc);
        self
    }

    pub(crate) fn http_only(mut self) -> Self {
        self.grpc = None;
        self
    }

    pub(crate) fn keeps(mut self, rows_bytes: u64) -> Self {
        self.rows_bytes = rows_bytes;
        self
    }

    /// Says that the bodies are of this content type or coding without making them so.
    pub(crate) fn labelled(mut self, kind: &'static str, coding: &'static str) -> Self {
        for sent in &mut self.sent {
            (sent.kind, sent.coding) = (kind, coding);
        }
        self
    }

    /// Compresses the bodies.
    pub(crate) fn compressed(mut self, coding: &'static str) -> Self {
        for sent in &mut self.sent {
            sent.body = compress(coding, &sent.body);
            sent.coding = coding;
        }
        self
    }
}

pub(crate) fn compress(coding: &str, body: &[u8]) -> Vec<u8> {
    use flate2::{Compression, write};
    let best = Compression::best();
    match coding {
        "gzip" => {
            let mut encoder = write::GzEncoder::new(Vec::new(), best);
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = write::ZlibEncoder::new(Vec::new(), best);
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => zstd::bulk::compress(body, 3).unwrap(),
        other => panic!("no coding {other}"),
    }
}

/// OTLP over HTTP in protobuf.
pub(crate) const PROTOBUF: &str = "application/x-protobuf";
/// OTLP over HTTP in JSON.
pub(crate) const JSON: &str = "application/json";
