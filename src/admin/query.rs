//! `/api/v1/…`: questions that are answered in JSON by whoever knows, off the thread that serves
//! others.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::header;
use http::{Response, StatusCode, Uri};
use tokio::sync::Semaphore;

use super::answer::{set, text};
use super::body::Body;

/// Answers a question with a JSON text.
pub type Query = Arc<dyn Fn(Question) -> QueryAnswer + Send + Sync>;

/// What a [`Query`] ends with.
pub type QueryAnswer = Pin<Box<dyn Future<Output = Result<String, Unanswered>> + Send>>;

/// A question: the path below `/api/v1/` and the pairs of the query, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `dora/report`.
    pub path: String,
    /// In their order.
    pub pairs: Vec<(String, String)>,
}

/// Why there is no answer; the text goes to the peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Nobody knows of this.
    #[error("{0}")]
    Unknown(String),
    /// The question is none.
    #[error("{0}")]
    Malformed(String),
    /// Who knows cannot tell now.
    #[error("{0}")]
    Failed(String),
}

/// Answers one question, if there is a slot.
pub(super) async fn answer(
    query: Option<&Query>,
    slots: &Arc<Semaphore>,
    uri: &Uri,
) -> Response<Body> {
    let Some(query) = query else {
        let reason = "nothing is collected here; see `delivery` in the configuration";
        return text(StatusCode::NOT_FOUND, reason);
    };
    let Some(question) = Question::of(uri) else {
        return text(StatusCode::BAD_REQUEST, "the query is no list of key=value in UTF-8");
    };
    let Ok(_slot) = slots.try_acquire() else {
        let mut busy = text(StatusCode::SERVICE_UNAVAILABLE, "another question is being answered");
        set(busy.headers_mut(), header::RETRY_AFTER, "1");
        return busy;
    };
    match query(question).await {
        Ok(json) => {
            let mut response = Response::new(Body::text(json));
            set(response.headers_mut(), header::CONTENT_TYPE, "application/json");
            response
        }
        Err(Unanswered::Unknown(reason)) => text(StatusCode::NOT_FOUND, &reason),
        Err(Unanswered::Malformed(reason)) => text(StatusCode::BAD_REQUEST, &reason),
        Err(Unanswered::Failed(reason)) => text(StatusCode::SERVICE_UNAVAILABLE, &reason),
    }
}

impl Question {
    fn of(uri: &Uri) -> Option<Self> {
        let path = uri.path().strip_prefix("/api/v1/")?.to_owned();
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(key)?, decoded(value)?))
        };
        Some(Self { path, pairs: pairs.map(pair).collect::<Option<_>>()? })
    }
}

/// A text without its percent signs and pluses.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Questions that are answered at once: each may read a whole history.
pub(super) const QUERIES_MAX: usize = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_or_refused() {
        let question = |uri: &str| Question::of(&uri.parse().unwrap());
        let pairs = |list: &[(&str, &str)]| {
            list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(
            question("/api/v1/dora/report?service=a%2Fb+c&window=30d&&at"),
            Some(Question {
                path: "dora/report".into(),
                pairs: pairs(&[("service", "a/b c"), ("window", "30d"), ("at", "")]),
            })
        );
        for bad in ["/api/v1/x?a=%f", "/api/v1/x?a=%zz", "/api/v1/x?a=%ff", "/other?a=b"] {
            assert_eq!(question(bad), None, "{bad}");
        }
    }
}
