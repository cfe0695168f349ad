//! The accept loops: no error of the system ends them, no number of peers outgrows its bound, and a
//! stop lets requests in flight finish. A bare `accept().await?` stops serving at the first full
//! table of descriptors.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};

use super::connection::{Shared, drive, stopped};
use super::{Bounds, Event, Tell};

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Drained {
    /// Connections whose requests were not finished by the deadline and were cut.
    pub cut: usize,
}

/// Answers every request that comes to one of `listeners` with `handle`, which is told the peer's
/// address, until `stop` becomes true or its sender is gone; then accepts no more, lets requests in
/// flight finish within [`Bounds::drain_timeout`] and cuts the rest.
///
/// `handle` runs on the connection's task (HTTP/1.1) or on one of its own (HTTP/2). If it panics,
/// its connection or stream ends and nothing else. Dropping the returned future cuts every
/// connection.
pub async fn serve<H, F, B>(
    listeners: Vec<TcpListener>,
    handle: H,
    bounds: Bounds,
    tell: Tell,
    stop: watch::Receiver<bool>,
) -> Drained
where
    H: Fn(SocketAddr, Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let places = Arc::new(Semaphore::new(bounds.connections.min(Semaphore::MAX_PERMITS)));
    let shared = Arc::new(Shared { handle, bounds, tell });
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(accept_loop(listener, shared.clone(), places.clone(), stop.clone()));
    }
    let mut cut = 0;
    while let Some(ended) = loops.join_next().await {
        cut += ended.expect("an accept loop neither panics nor is aborted").cut;
    }
    Drained { cut }
}

async fn accept_loop<H, F, B>(
    listener: TcpListener,
    shared: Arc<Shared<H>>,
    places: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
) -> Drained
where
    H: Fn(SocketAddr, Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connections = JoinSet::new();
    let mut stopping = stop.clone();
    let accept_all = async {
        let mut trouble = Trouble::default();
        loop {
            tokio::select! {
                Some(ended) = connections.join_next() => report(&ended),
                stream = accept(&listener, &mut trouble, &shared.tell) => {
                    if places.available_permits() == 0 {
                        (shared.tell)(Event::AtCapacity);
                        let limit = shared.bounds.connections;
                        tracing::debug!(event = "connections_at_limit", limit);
                    }
                    // Holding on to this one peer leaves those behind it in the system's backlog.
                    let place = places.clone().acquire_owned().await;
                    let place = place.expect("the semaphore is never closed");
                    let connection = drive(stream, shared.clone(), stop.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stopped(&mut stopping) => {}
        () = accept_all => {}
    }
    drop(listener);
    drain(connections, shared.bounds.drain_timeout).await
}

/// Waits for the connections, which have seen the same stop, and cuts those that outlast the
/// deadline.
async fn drain(mut connections: JoinSet<()>, limit: Duration) -> Drained {
    let deadline = Instant::now() + limit;
    loop {
        match timeout_at(deadline, connections.join_next()).await {
            Ok(Some(ended)) => report(&ended),
            Ok(None) => return Drained { cut: 0 },
            Err(_elapsed) => {
                let cut = connections.len();
                connections.shutdown().await;
                return Drained { cut };
            }
        }
    }
}

/// The next connection, however long the system refuses to hand it out.
async fn accept(listener: &TcpListener, trouble: &mut Trouble, tell: &Tell) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => {
                trouble.over();
                return stream;
            }
            Err(error) => {
                if is_of_one_connection(&error) {
                    continue;
                }
                tell(Event::AcceptFailed);
                sleep(trouble.pause_after(&error)).await;
            }
        }
    }
}

/// Errors that the peer or the network inflicted on the one connection that was waiting; accept(2)
/// asks to treat them like "try again". All others are the system's and would come again at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::Interrupted
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::TimedOut
    )
}

/// A row of failures to accept: a pause that doubles, and one line of log for many of them.
#[derive(Debug, Default)]
struct Trouble {
    failures: u32,
    last: Option<Instant>,
}

impl Trouble {
    fn pause_after(&mut self, error: &io::Error) -> Duration {
        // Logged at 1, 2, 4, 8 failures and so on: the first at once, and one line an hour in the
        // long run.
        if (self.failures + 1).is_power_of_two() {
            tracing::warn!(event = "accept_failed", failures = self.failures + 1, %error);
        }
        let pause = PAUSE_MIN.saturating_mul(1 << self.failures.min(10)).min(PAUSE_MAX);
        self.failures = self.failures.saturating_add(1);
        self.last = Some(Instant::now());
        pause
    }

    /// A connection was accepted. While every other one fails the trouble is not over: it would be
    /// logged anew each time.
    fn over(&mut self) {
        if self.last.is_some_and(|last| last.elapsed() >= CALM) {
            tracing::info!(event = "accept_recovered", failures = self.failures);
            *self = Self::default();
        }
    }
}

fn report(ended: &Result<(), JoinError>) {
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        tracing::error!(event = "connection_panicked");
    }
}

/// Without a failure for so long, accepting works again.
const CALM: Duration = Duration::from_secs(1);

/// Short, because a descriptor may be free again in a moment.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// Long enough to cost nothing, short enough that peers with a time-out of 10 s still get through.
const PAUSE_MAX: Duration = Duration::from_secs(1);
