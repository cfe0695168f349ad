//! What other programs push to `/webhooks/…`, taken in by a function that is handed in. The body is
//! read to a bound; who may push is decided by whoever takes it, except at doors without a
//! signature, which ask for what any change asks for here.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::Semaphore;

use super::answer::{set, text};
use super::body::Body;
use super::reload::{self, TokenCheck};

/// Takes what was pushed, durably, before it answers.
pub type Push = Arc<dyn Fn(Pushed) -> PushAnswer + Send + Sync>;

/// What a [`Push`] ends with.
pub type PushAnswer = Pin<Box<dyn Future<Output = Result<(), NotTaken>> + Send>>;

/// A request that pushes.
#[derive(Debug)]
pub struct Pushed {
    /// The last part of the path.
    pub door: &'static str,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why something was not taken; the text goes to the peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Nobody listens at this door.
    #[error("{0}")]
    Closed(String),
    /// The peer does not prove who it is.
    #[error("{0}")]
    Unproved(String),
    /// The request is none of this door.
    #[error("{0}")]
    Malformed(String),
    /// There is no room for now.
    #[error("{0}")]
    Full(String),
}

/// A door by the path that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Door {
    pub(super) name: &'static str,
    /// Whether what comes in proves itself.
    pub(super) is_signed: bool,
}

/// Every door.
const DOORS: [Door; 4] = [
    Door { name: "github", is_signed: true },
    Door { name: "pagerduty", is_signed: true },
    Door { name: "alertmanager", is_signed: false },
    Door { name: "incidents", is_signed: false },
];

impl Door {
    /// The door at a path.
    pub(super) fn at(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/webhooks/")?;
        DOORS.into_iter().find(|door| door.name == name)
    }
}

/// Takes one request in.
pub(super) async fn answer<B>(
    push: Option<&Push>,
    slots: &Arc<Semaphore>,
    token: Option<&TokenCheck>,
    door: Door,
    peer: SocketAddr,
    request: Request<B>,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let Some(push) = push else {
        return text(
            StatusCode::NOT_FOUND,
            "nothing listens here; see `delivery` in the configuration",
        );
    };
    let (parts, body) = request.into_parts();
    if !door.is_signed
        && let Err(refusal) = reload::permit(peer, &parts, token)
    {
        return reload::refused(&refusal);
    }
    let Ok(_slot) = slots.try_acquire() else {
        return busy("too many deliveries at once; try again in a second");
    };
    #[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
    let collected =
        tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let body = match collected {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => {
            let reason = format!("the body is over {BODY_BYTES_MAX} bytes");
            return text(StatusCode::PAYLOAD_TOO_LARGE, &reason);
        }
        Ok(Err(_)) => return text(StatusCode::BAD_REQUEST, "the body broke off"),
        Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
    };
    match push(Pushed { door: door.name, headers: parts.headers, body }).await {
        Ok(()) => text(StatusCode::ACCEPTED, "taken"),
        Err(NotTaken::Closed(reason)) => text(StatusCode::NOT_FOUND, &reason),
        Err(NotTaken::Unproved(reason)) => text(StatusCode::UNAUTHORIZED, &reason),
        Err(NotTaken::Malformed(reason)) => text(StatusCode::BAD_REQUEST, &reason),
        Err(NotTaken::Full(reason)) => busy(&reason),
    }
}

fn busy(reason: &str) -> Response<Body> {
    let mut busy = text(StatusCode::SERVICE_UNAVAILABLE, reason);
    set(busy.headers_mut(), header::RETRY_AFTER, "1");
    busy
}

/// Deliveries whose bodies may be read at once.
pub(super) const PUSHES_MAX: usize = 4;
/// What most servers push stays far below; GitHub's largest pushes of commits, up to 25 MB, are
/// found by the next reading instead.
const BODY_BYTES_MAX: usize = 4 << 20;
/// Senders give up after ten seconds.
const BODY_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(10);
