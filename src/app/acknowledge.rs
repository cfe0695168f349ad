//! The one owner of acknowledgement: a request is answered with success only after the books took
//! it. Whatever later has to happen before a success, such as a fsync, is added here and nowhere
//! else.

use std::borrow::Cow;
use std::sync::Arc;

use redora_wire::Signal;

use super::last_scrape::LastScrape;
use crate::digest::Digest;
use crate::expose::Own;
use crate::process::Clock;
use crate::receive::{Batch, Deliver, Refused, Verdict};

/// The reason under which data points are counted that nobody is there to take.
pub(super) const NO_UPSTREAM: &str = "no_upstream";

/// The label `signal` of a request that named no endpoint.
pub(super) const NO_SIGNAL: &str = "none";

/// Counts a batch and says what the peer hears.
pub(super) fn deliver(
    digest: Arc<Digest>,
    own: Arc<Own>,
    last_scrape: Arc<LastScrape>,
    clock: Clock,
) -> Deliver {
    Arc::new(move |batch: Batch| {
        let Batch { tenant, signal, bytes, items } = batch;
        if let Err(fault) = digest.take(&tenant, signal, &bytes, clock.unix_ms()) {
            return Verdict::Malformed(fault);
        }
        if signal == Signal::Metrics && items > 0 {
            own.refused_part(signal.as_str(), NO_UPSTREAM, items);
            return Verdict::Partial {
                rejected: items,
                message: Cow::Borrowed(NO_UPSTREAM_MESSAGE),
            };
        }
        own.accepted(signal.as_str(), items);
        last_scrape.counted();
        Verdict::Accepted
    })
}

/// Counts what was refused.
pub(super) fn refused(own: Arc<Own>) -> Refused {
    Arc::new(move |refusal| {
        let signal = refusal.signal.map_or(NO_SIGNAL, Signal::as_str);
        own.refused(signal, refusal.reason.as_str(), refusal.items);
    })
}

const NO_UPSTREAM_MESSAGE: &str = "metrics are taken for forwarding only, and no upstream is configured; \
     send them to a Prometheus or a Collector";
