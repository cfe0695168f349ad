//! `/metrics`: what a scrape asks for and gets, as plain values, so that the exposition behind it
//! knows nothing of HTTP but its negotiation.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use tokio::sync::Semaphore;

use super::answer::{set, text};
use super::body::{Body, Chunks};
use super::slot::Slot;

/// Answers a scrape: the head at once, the chunks on demand.
pub type Scrape = Arc<dyn Fn(ScrapeRequest) -> ScrapeResponse + Send + Sync>;

/// What the scraper can read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrapeRequest {
    /// All `Accept` headers, joined by commas; empty when there is none or it is no text.
    pub accept: String,
    /// All `Accept-Encoding` headers likewise.
    pub accept_encoding: String,
}

/// The answer to a scrape.
pub struct ScrapeResponse {
    /// The form of the exposition, with its version.
    pub content_type: HeaderValue,
    /// How the chunks are compressed; none when they are plain.
    pub content_encoding: Option<HeaderValue>,
    /// The body.
    pub chunks: Chunks,
}

/// Starts a scrape if there is a slot.
pub(super) fn answer(
    scrape: &Scrape,
    slots: &Arc<Semaphore>,
    headers: &HeaderMap,
) -> Response<Body> {
    let Ok(permit) = Arc::clone(slots).try_acquire_owned() else {
        let mut busy = text(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many scrapes at once; try again in a second",
        );
        set(busy.headers_mut(), header::RETRY_AFTER, "1");
        return busy;
    };
    let slot = Slot::new(permit);
    let request = ScrapeRequest {
        accept: joined(headers, header::ACCEPT),
        accept_encoding: joined(headers, header::ACCEPT_ENCODING),
    };
    let ScrapeResponse { content_type, content_encoding, chunks } =
        slot.span.in_scope(|| scrape(request));
    let mut response = Response::new(Body::chunks(chunks, slot));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    if let Some(encoding) = content_encoding {
        headers.insert(header::CONTENT_ENCODING, encoding);
    }
    set(headers, header::VARY, "accept, accept-encoding");
    response
}

fn joined(headers: &HeaderMap, name: HeaderName) -> String {
    let values: Vec<_> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::slot::SCRAPE_TIME_MAX;
    use bytes::Bytes;
    use http_body_util::BodyExt;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_stops_reading_loses_its_slot_and_its_answer() {
        let scrape: Scrape = Arc::new(|_| ScrapeResponse {
            content_type: HeaderValue::from_static("text/plain"),
            content_encoding: None,
            chunks: Box::new(|| Some(Bytes::from_static(b"more"))),
        });
        let slots = Arc::new(Semaphore::new(1));
        let mut first = answer(&scrape, &slots, &HeaderMap::new());
        assert!(first.body_mut().frame().await.unwrap().is_ok());
        let busy = answer(&scrape, &slots, &HeaderMap::new());
        assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);

        tokio::time::advance(SCRAPE_TIME_MAX).await;
        let _freed = slots.acquire().await.unwrap();
        assert!(first.body_mut().frame().await.unwrap().is_err());
        assert!(first.body_mut().frame().await.is_none());
    }
}
