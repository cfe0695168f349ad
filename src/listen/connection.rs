//! Drives one connection to its end: requests to the service, GOAWAY or `connection: close` on a
//! stop, and the end of peers that stand still. hyper alone would keep a silent HTTP/2 peer, or one
//! that stops reading, forever.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::first_bytes::{self, Protocol, Socket, Traffic};
use super::{Bounds, Event, HEADER_BYTES_MAX, READ_BUFFER_BYTES, Tell, WINDOW_BYTES};

/// Everything that all connections of a set of listeners share.
pub(super) struct Shared<H> {
    pub(super) handle: H,
    pub(super) bounds: Bounds,
    pub(super) tell: Tell,
}

/// Serves `stream` until the peer closes, stands still, or `stop` is true and its last request is
/// answered.
pub(super) async fn drive<H, F, B>(
    stream: TcpStream,
    shared: Arc<Shared<H>>,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(SocketAddr, Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Without an address the peer is gone already.
    let Ok(peer) = stream.peer_addr() else { return };
    // Answers are a few bytes that the next request may be waiting for. A socket that refuses is
    // already broken.
    let _ = stream.set_nodelay(true);
    let traffic = Arc::new(Traffic::default());
    let header_timeout = shared.bounds.header_timeout;
    let first = tokio::select! {
        biased;
        first = timeout(header_timeout, first_bytes::read(stream, traffic.clone())) => first,
        () = stopped(&mut stop) => return,
    };
    let (socket, protocol) = match first {
        Ok(Some(first)) => first,
        Ok(None) => return,
        Err(_silent) => return (shared.tell)(Event::Cut),
    };
    let service = {
        let (shared, traffic) = (shared.clone(), traffic.clone());
        service_fn(move |request| {
            traffic.requests.fetch_add(1, Ordering::Relaxed);
            let answer = (shared.handle)(peer, request);
            async move { Ok::<_, std::convert::Infallible>(answer.await) }
        })
    };
    let watch = Watch { traffic, period: header_timeout, stop };
    let cut = match protocol {
        Protocol::One => watch.over(one(header_timeout).serve_connection(socket, service)).await,
        Protocol::Two => watch.over(two(&shared.bounds).serve_connection(socket, service)).await,
    };
    if cut {
        (shared.tell)(Event::Cut);
    }
}

/// Returns once `stop` is true, or nobody is left who could make it so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn one(header_timeout: Duration) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // A peer that has sent all it will send still waits for its answers.
        .half_close(true)
        .header_read_timeout(header_timeout)
        .max_header_size(HEADER_BYTES_MAX)
        .max_buf_size(READ_BUFFER_BYTES);
    builder
}

fn two(bounds: &Bounds) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(bounds.streams_per_connection)
        .max_header_list_size(HEADER_BYTES_MAX as u32)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        // A dead peer is found by an unanswered ping; one that only sleeps answers.
        .keep_alive_interval(bounds.header_timeout)
        .keep_alive_timeout(bounds.header_timeout.min(PING_TIMEOUT));
    builder
}

/// When a connection has to end that does not end by itself.
struct Watch {
    traffic: Arc<Traffic>,
    period: Duration,
    stop: watch::Receiver<bool>,
}

impl Watch {
    /// Polls `connection` to its end; true when it was cut or failed.
    async fn over<C>(mut self, connection: C) -> bool
    where
        C: Connection,
    {
        let mut connection = std::pin::pin!(connection);
        let mut ticks = interval_at(Instant::now() + self.period, self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut bytes, mut requests) = (0, 0);
        let mut closing = false;
        loop {
            tokio::select! {
                biased;
                result = connection.as_mut() => return result.is_err(),
                () = stopped(&mut self.stop), if !closing => {
                    closing = true;
                    connection.as_mut().close();
                }
                _ = ticks.tick() => {
                    let still = if C::MANY_STREAMS {
                        // Pings move bytes, so that only requests tell whether anybody is there.
                        let before = requests;
                        requests = self.traffic.requests.load(Ordering::Relaxed);
                        before == requests
                    } else {
                        let before = bytes;
                        bytes = self.traffic.bytes.load(Ordering::Relaxed);
                        before == bytes
                    };
                    if still && (closing || !C::MANY_STREAMS) {
                        return true;
                    }
                    if still {
                        closing = true;
                        connection.as_mut().close();
                    }
                }
            }
        }
    }
}

/// The two kinds of connection that hyper has no common name for.
trait Connection: Future<Output = Result<(), hyper::Error>> {
    /// Whether requests run side by side, with frames of the connection's own between them.
    const MANY_STREAMS: bool;

    /// Takes no further request and ends after those that it has.
    fn close(self: Pin<&mut Self>);
}

impl<S, B> Connection for http1::Connection<Socket, S>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    const MANY_STREAMS: bool = false;

    fn close(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S, F, B> Connection for http2::Connection<Socket, S, TokioExecutor>
where
    S: HttpService<Incoming, Future = F, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    F: Future<Output = Result<Response<B>, S::Error>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    const MANY_STREAMS: bool = true;

    fn close(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// The longest wait for the answer to a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
