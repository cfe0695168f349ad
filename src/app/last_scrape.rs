//! Holds the exit until what was counted last has been scraped: a counter that ends between two
//! scrapes takes the last requests of a service with it, and those are the ones that tell why it
//! stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use redora_exposition::{Options, accept_encoding, negotiate};
use tokio::sync::Notify;

use crate::admin::{Scrape, ScrapeRequest, ScrapeResponse};
use crate::expose::Expose;

/// Whether something was counted that no scrape has taken.
#[derive(Debug, Default)]
pub(super) struct LastScrape {
    has_scraper: AtomicBool,
    batches: AtomicU64,
    batches_scraped: AtomicU64,
    scraped: Notify,
}

impl LastScrape {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Something was counted.
    pub(super) fn counted(&self) {
        self.batches.fetch_add(1, Ordering::AcqRel);
    }

    /// Waits for a scrape, if there is someone who scrapes and something to take.
    pub(super) async fn wait(&self, limit: Duration) {
        let batches = || self.batches.load(Ordering::Acquire);
        let wanted = || {
            self.has_scraper.load(Ordering::Acquire)
                && self.batches_scraped.load(Ordering::Acquire) < batches()
        };
        let scraped = async {
            loop {
                let next = self.scraped.notified();
                if !wanted() {
                    return;
                }
                next.await;
            }
        };
        if tokio::time::timeout(limit, scraped).await.is_err() {
            tracing::warn!(event = "last_scrape_missed", waited_s = limit.as_secs());
        }
    }

    /// A scrape begins: if it is read to its end, it takes all that was counted before, which is
    /// the number of batches given here.
    fn begin(&self) -> u64 {
        self.batches.load(Ordering::Acquire)
    }

    /// A scrape was read to its end.
    fn end(&self, batches: u64) {
        self.has_scraper.store(true, Ordering::Release);
        self.batches_scraped.fetch_max(batches, Ordering::AcqRel);
        self.scraped.notify_waiters();
    }
}

/// What the admin port answers a scrape with.
pub(super) fn scrape(expose: Expose, last_scrape: Arc<LastScrape>) -> Scrape {
    Arc::new(move |request: ScrapeRequest| {
        let batches = last_scrape.begin();
        let given = |header: String| Some(header).filter(|header| !header.is_empty());
        let negotiated = negotiate(given(request.accept).as_deref());
        let compression = accept_encoding(given(request.accept_encoding).as_deref());
        let mut pieces = expose.scrape(negotiated, compression, Options::default());
        let last_scrape = last_scrape.clone();
        ScrapeResponse {
            content_type: HeaderValue::from_str(&negotiated.content_type())
                .expect("a content type is made of header characters"),
            content_encoding: compression.content_encoding().map(HeaderValue::from_static),
            chunks: Box::new(move || {
                let piece = pieces.next();
                if piece.is_none() {
                    last_scrape.end(batches);
                }
                piece
            }),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_without_a_scraper_or_without_news() {
        let last_scrape = LastScrape::new();
        last_scrape.counted();
        // Who only asks for the head takes nothing and is no scraper.
        last_scrape.begin();
        last_scrape.wait(Duration::MAX).await;
        last_scrape.end(last_scrape.begin());
        last_scrape.wait(Duration::MAX).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_counted_after_a_scrape_waits_for_the_next_one() {
        let last_scrape = Arc::new(LastScrape::new());
        let early = last_scrape.begin();
        last_scrape.counted();
        last_scrape.end(early);
        let waiting = tokio::spawn({
            let last_scrape = last_scrape.clone();
            async move { last_scrape.wait(Duration::from_secs(3600)).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        last_scrape.end(last_scrape.begin());
        waiting.await.expect("the wait ends with the scrape");
    }

    #[tokio::test(start_paused = true)]
    async fn a_scrape_that_broke_off_has_taken_nothing() {
        let last_scrape = LastScrape::new();
        last_scrape.end(last_scrape.begin());
        last_scrape.counted();
        last_scrape.begin();
        let start = tokio::time::Instant::now();
        last_scrape.wait(Duration::from_secs(5)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_is_bounded() {
        let last_scrape = LastScrape::new();
        last_scrape.end(last_scrape.begin());
        last_scrape.counted();
        let start = tokio::time::Instant::now();
        last_scrape.wait(Duration::from_secs(5)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(5));
    }
}
