//! Tells HTTP/2 from HTTP/1.1 by a connection's first bytes, within a time-out; hyper-util's
//! detection would wait for them forever and so let silent peers fill the table of connections.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Anything that is not HTTP/2; hyper answers with 400 what is no HTTP/1.1 either.
    One,
    /// HTTP/2 with prior knowledge.
    Two,
}

/// A connection whose first bytes are read again by hyper, with its traffic counted.
pub(super) struct Socket {
    first: [u8; PREFACE.len()],
    /// The part of `first` that hyper has yet to read.
    unread: std::ops::Range<usize>,
    stream: TokioIo<TcpStream>,
    traffic: Arc<Traffic>,
}

/// What has moved on a connection, so that its driver sees when nothing does.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// Bytes in both directions.
    pub(super) bytes: AtomicU64,
    /// Requests that came.
    pub(super) requests: AtomicU64,
}

/// Reads until the protocol is certain. `None` when the peer closed before that or broke off.
pub(super) async fn read(
    mut stream: TcpStream,
    traffic: Arc<Traffic>,
) -> Option<(Socket, Protocol)> {
    let mut first = [0; PREFACE.len()];
    let mut length = 0;
    let protocol = loop {
        match stream.read(&mut first[length..]).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => length += read,
        }
        if first[..length] != PREFACE[..length] {
            break Protocol::One;
        }
        if length == PREFACE.len() {
            break Protocol::Two;
        }
    };
    let stream = TokioIo::new(stream);
    Some((Socket { first, unread: 0..length, stream, traffic }, protocol))
}

impl Socket {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut TokioIo<TcpStream>> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl Traffic {
    fn moved(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.remaining();
        if !self.unread.is_empty() {
            let length = self.unread.len().min(before);
            let (start, end) = (self.unread.start, self.unread.start + length);
            buffer.put_slice(&self.first[start..end]);
            self.unread.start = end;
            return Poll::Ready(Ok(()));
        }
        // hyper offers buffers of known size and the stream reports nothing about what it filled,
        // so that the call itself is taken for movement; it is only ready when bytes, the end or an
        // error came.
        ready!(self.as_mut().stream().poll_read(cx, buffer))?;
        self.traffic.moved(1);
        Poll::Ready(Ok(()))
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.as_mut().stream().poll_write(cx, bytes))?;
        self.traffic.moved(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.as_mut().stream().poll_write_vectored(cx, slices))?;
        self.traffic.moved(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
