//! The body of an answer: one text, or chunks that are made only as fast as the peer takes them, so
//! that a scrape of many megabytes costs the memory of one chunk.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::slot::Slot;

/// The body of an answer of the admin port.
pub struct Body(Kind);

enum Kind {
    /// What is left of a text.
    Text(Bytes),
    /// A text of this length that is not sent. It does not look ended, for hyper would take its
    /// length for 0.
    Unsent(u64),
    /// Nothing, or nothing more.
    Emptied,
    /// What is made on demand.
    Chunks { chunks: Chunks, slot: Slot },
}

/// Why a body ended early, which breaks off the answer, so that half a scrape is never taken for a
/// whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The peer held its scrape for longer than the bound.
    #[error("the peer took too long over its scrape")]
    TooSlow,
}

/// The next chunk of a body, `None` at its end; never asked again after that.
///
/// Called only when the peer has taken what came before, on a thread that serves others too: a
/// chunk is some tens of KiB, made without waiting. An empty chunk is allowed and sends nothing.
pub type Chunks = Box<dyn FnMut() -> Option<Bytes> + Send>;

impl Body {
    pub(super) fn text(text: String) -> Self {
        Self(Kind::Text(text.into()))
    }

    pub(super) fn chunks(chunks: Chunks, slot: Slot) -> Self {
        Self(Kind::Chunks { chunks, slot })
    }

    /// The body of the answer to HEAD: nothing, after which a scrape has done all it was asked for.
    pub(super) fn emptied(mut self) -> Self {
        match &mut self.0 {
            Kind::Text(text) => Self(Kind::Unsent(text.len() as u64)),
            Kind::Chunks { slot, .. } => {
                slot.settled = true;
                Self(Kind::Emptied)
            }
            Kind::Unsent(_) | Kind::Emptied => self,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let body = self.get_mut();
        let next = match &mut body.0 {
            Kind::Text(rest) => Some(std::mem::take(rest)).filter(|text| !text.is_empty()),
            Kind::Unsent(_) | Kind::Emptied => None,
            Kind::Chunks { slot, .. } if slot.deadline <= Instant::now() => {
                slot.fail(&BodyError::TooSlow);
                body.0 = Kind::Emptied;
                return Poll::Ready(Some(Err(BodyError::TooSlow)));
            }
            Kind::Chunks { chunks, slot } => {
                let next = slot.span.in_scope(chunks);
                if next.is_none() {
                    slot.settled = true;
                    // Gives the slot back now, since hyper may keep a finished body for a while.
                    body.0 = Kind::Emptied;
                }
                next
            }
        };
        Poll::Ready(next.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Text(rest) => rest.is_empty(),
            Kind::Emptied => true,
            Kind::Unsent(_) | Kind::Chunks { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Text(rest) => SizeHint::with_exact(rest.len() as u64),
            Kind::Unsent(length) => SizeHint::with_exact(*length),
            Kind::Emptied => SizeHint::with_exact(0),
            Kind::Chunks { .. } => SizeHint::default(),
        }
    }
}

/// Reads a body of at most `bytes_max` within `limit` and forgets it; false when it is more, late
/// or broken.
pub(super) async fn discard<B>(body: B, bytes_max: usize, limit: Duration) -> bool
where
    B: http_body::Body<Data = Bytes>,
{
    let reading = async {
        let mut left = bytes_max;
        let mut body = pin!(body);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(bytes) else { return false };
            left = rest;
        }
        true
    };
    tokio::time::timeout(limit, reading).await.unwrap_or(false)
}
