//! The admin port: metrics, health, readiness and reload over plain functions that are handed in,
//! so that this room owns no data and a web framework would have nothing to do.
//!
//! Every answer carries `Cache-Control: no-store` and headers that keep a browser from guessing,
//! framing or sharing it. Nothing but `POST` to `/-/reload` and `/webhooks/…` changes anything.

mod answer;
mod body;
mod page;
mod push;
mod query;
mod readiness;
mod reload;
mod scrape;
mod slot;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header;
use http::{Method, Request, Response, StatusCode};
use tokio::sync::{Mutex, Semaphore, watch};

use answer::{harden, set, text};
use push::Door;

pub use body::{Body, BodyError, Chunks};
pub use push::{NotTaken, Push, PushAnswer, Pushed};
pub use query::{Query, QueryAnswer, Question, Unanswered};
pub use readiness::Readiness;
pub use reload::{Reload, ReloadAnswer, ReloadFault, TokenCheck};
pub use scrape::{Scrape, ScrapeRequest, ScrapeResponse};

/// What the admin port reads from and calls.
pub struct Config {
    /// Produces the body of `/metrics`.
    pub scrape: Scrape,
    /// How many scrapes may run at once; each holds a snapshot. [`SCRAPES_MAX`] suits two
    /// Prometheus servers.
    pub scrapes_max: usize,
    /// Whether the agent is ready, and why not.
    pub readiness: watch::Receiver<Readiness>,
    /// Reads the configuration again.
    pub reload: Reload,
    /// Tells whether a bearer token is the configured `admin_token`, in a time that does not depend
    /// on where the first difference stands; none when no token is configured. Watched, because a
    /// reload may change the token.
    pub token: watch::Receiver<Option<TokenCheck>>,
    /// Takes what is pushed to `/webhooks/…`; none where nobody listens.
    pub push: Option<Push>,
    /// Answers questions below `/api/v1/`; none where nobody knows anything.
    pub query: Option<Query>,
}

/// A pair of Prometheus servers, a person with curl, and one to spare.
pub const SCRAPES_MAX: usize = 4;

/// The admin service; copies share their bounds.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

struct Inner {
    scrape: Scrape,
    scrapes: Arc<Semaphore>,
    readiness: watch::Receiver<Readiness>,
    reload: Reload,
    reloading: Arc<Mutex<()>>,
    token: watch::Receiver<Option<TokenCheck>>,
    push: Option<Push>,
    pushes: Arc<Semaphore>,
    query: Option<Query>,
    queries: Arc<Semaphore>,
}

impl Admin {
    /// A service over these functions; binds and starts nothing.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Inner {
            scrape: config.scrape,
            scrapes: Arc::new(Semaphore::new(config.scrapes_max.min(Semaphore::MAX_PERMITS))),
            readiness: config.readiness,
            reload: config.reload,
            reloading: Arc::default(),
            token: config.token,
            push: config.push,
            pushes: Arc::new(Semaphore::new(push::PUSHES_MAX)),
            query: config.query,
            queries: Arc::new(Semaphore::new(query::QUERIES_MAX)),
        }))
    }

    /// Answers one request of `peer`, inside a tokio runtime. The body of a request is read only
    /// where it could matter, and then to its bound.
    pub async fn answer<B>(&self, peer: SocketAddr, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let head_only = request.method() == Method::HEAD;
        let mut response = match Route::of(request.uri().path()) {
            None => text(StatusCode::NOT_FOUND, "not found; / lists what is here"),
            Some(route) if !route.allows(request.method()) => {
                let mut refusal = text(
                    StatusCode::METHOD_NOT_ALLOWED,
                    &format!("this method is not for this path; use {}", route.methods()),
                );
                set(refusal.headers_mut(), header::ALLOW, route.methods());
                refusal
            }
            Some(Route::Index) => page::index(*self.0.readiness.borrow()),
            Some(Route::Health) => text(StatusCode::OK, "ok"),
            Some(Route::Readiness) => readiness::answer(*self.0.readiness.borrow()),
            Some(Route::Metrics) => {
                scrape::answer(&self.0.scrape, &self.0.scrapes, request.headers())
            }
            Some(Route::Reload) => self.0.reload(peer, request).await,
            Some(Route::Push(door)) => {
                let Inner { push, pushes, token, .. } = &*self.0;
                let token = token.borrow().clone();
                push::answer(push.as_ref(), pushes, token.as_ref(), door, peer, request).await
            }
            Some(Route::Query) => {
                query::answer(self.0.query.as_ref(), &self.0.queries, request.uri()).await
            }
        };
        harden(response.headers_mut());
        if head_only { response.map(Body::emptied) } else { response }
    }
}

impl Inner {
    /// Decides, then reloads to the end even if the peer leaves: a reload that stops halfway helps
    /// nobody.
    async fn reload<B>(&self, peer: SocketAddr, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
    {
        let (parts, body) = request.into_parts();
        let token = self.token.borrow().clone();
        if let Err(refusal) = reload::permit(peer, &parts, token.as_ref()) {
            return reload::refused(&refusal);
        }
        if !body::discard(body, REQUEST_BYTES_MAX, REQUEST_TIME_MAX).await {
            let reason = "this request needs no body; send an empty one";
            return text(StatusCode::PAYLOAD_TOO_LARGE, reason);
        }
        let (reload, reloading) = (Arc::clone(&self.reload), Arc::clone(&self.reloading));
        let work = tokio::spawn(async move {
            let _one_at_a_time = reloading.lock().await;
            reload().await
        });
        match work.await {
            Ok(Ok(())) => text(StatusCode::OK, "reloaded"),
            Ok(Err(faults)) => text(
                StatusCode::BAD_REQUEST,
                &format!("{faults}\nnot reloaded; the last good configuration stays"),
            ),
            Err(error) => {
                tracing::error!(%error, "reload broke off");
                text(StatusCode::INTERNAL_SERVER_ERROR, "the reload broke off; see the log")
            }
        }
    }
}

/// The paths that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Index,
    Metrics,
    Health,
    Readiness,
    Reload,
    Push(Door),
    Query,
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Index),
            "/metrics" => Some(Self::Metrics),
            "/healthz" => Some(Self::Health),
            "/readyz" => Some(Self::Readiness),
            "/-/reload" => Some(Self::Reload),
            _ if path.starts_with("/api/v1/") => Some(Self::Query),
            _ => Door::at(path).map(Self::Push),
        }
    }

    fn methods(self) -> &'static str {
        if matches!(self, Self::Reload | Self::Push(_)) { "POST" } else { "GET, HEAD" }
    }

    fn allows(self, method: &Method) -> bool {
        self.methods().split(", ").any(|allowed| method == allowed)
    }
}

/// The body of a request, of which none is needed; some clients send a few bytes with every POST.
const REQUEST_BYTES_MAX: usize = 4096;

/// The time in which such a body must have come.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);
