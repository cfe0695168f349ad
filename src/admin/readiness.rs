//! Whether the agent takes requests, as a state with its reason instead of a bare yes or no, since
//! an operator wants to know what to wait for.

use std::fmt;

use http::{Response, StatusCode};

use super::answer::text;
use super::body::Body;

/// Whether the agent takes requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Not all listeners are bound.
    Starting,
    /// All listeners are bound.
    Ready,
    /// The agent is about to stop.
    Draining,
}

impl fmt::Display for Readiness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Starting => "starting: not all listeners are bound",
            Self::Ready => "ready",
            Self::Draining => "draining: the agent is about to stop",
        })
    }
}

/// The answer of `/readyz`.
pub(super) fn answer(readiness: Readiness) -> Response<Body> {
    let status = match readiness {
        Readiness::Ready => StatusCode::OK,
        Readiness::Starting | Readiness::Draining => StatusCode::SERVICE_UNAVAILABLE,
    };
    text(status, &readiness.to_string())
}
