//! The body of every answer: nothing, a few bytes, or a few bytes and gRPC's trailers. One type
//! instead of a boxed body, because each request makes one.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// The bytes and trailers that are still to be sent.
#[derive(Debug, Default)]
pub(super) struct Reply {
    bytes: Bytes,
    trailers: Option<HeaderMap>,
}

impl Reply {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes: Bytes::from(bytes), trailers: None }
    }

    pub(super) fn with_trailers(bytes: Vec<u8>, trailers: HeaderMap) -> Self {
        Self { bytes: Bytes::from(bytes), trailers: Some(trailers) }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = if self.bytes.is_empty() {
            self.trailers.take().map(Frame::trailers)
        } else {
            Some(Frame::data(std::mem::take(&mut self.bytes)))
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        // With trailers to come no length is announced: gRPC clients do not expect one.
        match self.trailers {
            None => SizeHint::with_exact(self.bytes.len() as u64),
            Some(_) => SizeHint::default(),
        }
    }
}
