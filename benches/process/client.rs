//! The load: connections of hyper's client that send the same encoded requests over and over,
//! because a generator that encodes while it sends would compete with the server for the machine.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Which door of the server is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// OTLP over HTTP/1.1.
    Http,
    /// OTLP over gRPC.
    Grpc,
}

/// Requests as they are sent, encoded before the clock runs.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    protocol: Protocol,
    gzip: bool,
    bodies: Arc<[Bytes]>,
    spans: usize,
}

/// What became of requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Requests answered with success.
    pub(crate) answered: u64,
    /// Requests that were told to come again.
    pub(crate) refused: u64,
}

impl Load {
    /// Prepares requests of a number of spans each.
    pub(crate) fn new(
        protocol: Protocol,
        gzip: bool,
        requests: &[Vec<u8>],
        spans: usize,
    ) -> io::Result<Self> {
        let bodies = requests.iter().map(|request| body(protocol, gzip, request));
        Ok(Self { protocol, gzip, bodies: bodies.collect::<io::Result<_>>()?, spans })
    }

    /// Spans of a number of requests.
    pub(crate) fn spans(&self, requests: u64) -> u64 {
        requests * self.spans as u64
    }

    fn request(&self, number: usize) -> Request<Full<Bytes>> {
        let body = Full::new(self.bodies[number % self.bodies.len()].clone());
        let request = match self.protocol {
            Protocol::Http => Request::post("/v1/traces")
                .header(header::HOST, "localhost")
                .header(header::CONTENT_TYPE, "application/x-protobuf"),
            Protocol::Grpc => Request::post(GRPC_URI)
                .header(header::CONTENT_TYPE, "application/grpc")
                .header(header::TE, "trailers"),
        };
        let encoding = match self.protocol {
            Protocol::Http => header::CONTENT_ENCODING,
            Protocol::Grpc => header::HeaderName::from_static("grpc-encoding"),
        };
        let request = if self.gzip { request.header(encoding, "gzip") } else { request };
        request.body(body).expect("constant headers are valid")
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) enum Connection {
    /// One request at a time.
    One(http1::SendRequest<Full<Bytes>>),
    /// Many requests at a time.
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr, protocol: Protocol) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stream = TokioIo::new(stream);
        // Whoever sends on a connection sees the error of the task that drives it.
        match protocol {
            Protocol::Http => {
                let (sender, connection) = http1::handshake(stream).await.map_err(other)?;
                tokio::spawn(connection);
                Ok(Connection::One(sender))
            }
            Protocol::Grpc => {
                // Streams over a bound that the server had no time to tell would be refused.
                let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                    .initial_max_send_streams(0)
                    .handshake(stream)
                    .await
                    .map_err(other)?;
                tokio::spawn(connection);
                Ok(Connection::Two(sender))
            }
        }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&mut self, load: &Load, number: usize) -> io::Result<Tally> {
        let request = load.request(number);
        let response = match self {
            Connection::One(sender) => {
                sender.ready().await.map_err(other)?;
                sender.send_request(request).await
            }
            Connection::Two(sender) => {
                sender.ready().await.map_err(other)?;
                sender.send_request(request).await
            }
        };
        judge(load.protocol, response.map_err(other)?).await
    }
}

/// Opens `connections` with `in_flight` requests each. HTTP/1.1 has one request in flight a
/// connection, so that it gets as many connections as there are requests.
pub(crate) async fn open(
    address: SocketAddr,
    protocol: Protocol,
    connections: usize,
    in_flight: usize,
) -> io::Result<Vec<Connection>> {
    let mut open = Vec::new();
    for _ in 0..connections {
        match Connection::open(address, protocol).await? {
            Connection::Two(sender) => {
                open.extend((0..in_flight).map(|_| Connection::Two(sender.clone())));
            }
            one => {
                open.push(one);
                for _ in 1..in_flight {
                    open.push(Connection::open(address, protocol).await?);
                }
            }
        }
    }
    Ok(open)
}

/// Sends on each of `connections`, one request after the other, for as long as `time`.
pub(crate) async fn flood(
    connections: Vec<Connection>,
    load: &Load,
    time: Duration,
) -> io::Result<(Vec<Connection>, Tally)> {
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for (first, mut connection) in connections.into_iter().enumerate() {
        let load = load.clone();
        tasks.spawn(async move {
            let (mut tally, mut number) = (Tally::default(), first);
            while Instant::now() < end {
                tally.add(connection.send(&load, number).await?);
                number += 1;
            }
            io::Result::Ok((connection, tally))
        });
    }
    let (mut connections, mut tally) = (Vec::new(), Tally::default());
    while let Some(ended) = tasks.join_next().await {
        let (connection, its) = ended.map_err(io::Error::other)??;
        connections.push(connection);
        tally.add(its);
    }
    Ok((connections, tally))
}

/// Sends a request each `period` for as long as `time`.
pub(crate) async fn trickle(
    connection: &mut Connection,
    load: &Load,
    period: Duration,
    time: Duration,
) -> io::Result<Tally> {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut tally = Tally::default();
    for number in 0..time.as_millis() / period.as_millis() {
        ticks.tick().await;
        tally.add(connection.send(load, number as usize).await?);
    }
    Ok(tally)
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.refused += other.refused;
    }
}

/// Success, or one of the refusals after which a client tries again; anything else is a mistake
/// here.
async fn judge(protocol: Protocol, response: Response<Incoming>) -> io::Result<Tally> {
    let (head, body) = response.into_parts();
    let collected = body.collect().await.map_err(other)?;
    let trailers = collected.trailers().unwrap_or(&head.headers);
    let grpc = trailers.get("grpc-status").map(|status| status.as_bytes());
    match (protocol, head.status.as_u16(), grpc) {
        (Protocol::Http, 200, _) | (Protocol::Grpc, 200, Some(b"0")) => {
            Ok(Tally { answered: 1, refused: 0 })
        }
        (Protocol::Http, 429 | 503, _) | (Protocol::Grpc, 200, Some(b"8" | b"14")) => {
            Ok(Tally { answered: 0, refused: 1 })
        }
        (_, status, grpc) => {
            let grpc = grpc.map(String::from_utf8_lossy);
            Err(io::Error::other(format!("answered with HTTP {status}, gRPC {grpc:?}")))
        }
    }
}

/// A request's body: compressed where asked for, in gRPC's frame where that is spoken.
fn body(protocol: Protocol, gzip: bool, request: &[u8]) -> io::Result<Bytes> {
    let mut message = request.to_vec();
    if gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        io::Write::write_all(&mut encoder, request)?;
        message = encoder.finish()?;
    }
    if protocol == Protocol::Http {
        return Ok(message.into());
    }
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(gzip.into());
    framed.put_u32(message.len() as u32);
    framed.extend_from_slice(&message);
    Ok(framed.freeze())
}

fn other(error: hyper::Error) -> io::Error {
    io::Error::other(error)
}

/// HTTP/2 needs scheme and authority.
const GRPC_URI: &str =
    "http://localhost/opentelemetry.proto.collector.trace.v1.TraceService/Export";
