//! Takes a body off its connection within its limit and its time, paying from the budget for what
//! has come and not for what a header promises: a thousand idle peers that each announce 20 MiB
//! cost nothing.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::listen::Incoming;

use super::budget::{DOUBLED_MAX, Held, Hold, give_own_pages};
use super::denial::Denial;

/// Bytes joined as they come. A body of one piece stays that piece; only more of them are copied
/// together.
///
/// Pieces are never kept side by side, because a peer that sends a byte at a time would make each
/// byte cost the thirty that a reference to it takes.
#[derive(Debug)]
pub(super) struct Gather {
    piece: Bytes,
    joined: Vec<u8>,
    hold: Hold,
    bytes_max: usize,
    /// What the peer announced, at most `bytes_max`: where growth by doubling ends.
    announced: usize,
}

impl Gather {
    /// Gathers at most `bytes_max` bytes; refuses at once what is announced to be more.
    pub(super) fn new(
        hold: Hold,
        bytes_max: usize,
        announced: Option<u64>,
    ) -> Result<Self, Denial> {
        let announced = match announced.map(usize::try_from) {
            None => bytes_max,
            Some(Ok(announced)) if announced <= bytes_max => announced,
            Some(_) => return Err(Denial::TooLarge { bytes_max }),
        };
        Ok(Self { piece: Bytes::new(), joined: Vec::new(), hold, bytes_max, announced })
    }

    pub(super) fn len(&self) -> usize {
        self.piece.len() + self.joined.len()
    }

    pub(super) fn push(&mut self, piece: Bytes) -> Result<(), Denial> {
        let length = self.len() + piece.len();
        if length > self.bytes_max {
            return Err(Denial::TooLarge { bytes_max: self.bytes_max });
        }
        if self.len() == 0 {
            self.hold.resize(length)?;
            self.piece = piece;
            return Ok(());
        }
        self.make_room(length)?;
        let first = std::mem::take(&mut self.piece);
        self.joined.extend_from_slice(&first);
        self.joined.extend_from_slice(&piece);
        Ok(())
    }

    /// Pays for `length` bytes in `joined` and allocates them.
    fn make_room(&mut self, length: usize) -> Result<(), Denial> {
        if length <= self.joined.capacity() {
            if self.joined.capacity() > DOUBLED_MAX {
                self.hold.resize(length)?;
            }
            return Ok(());
        }
        let announced = self.announced.max(length);
        let doubled = match length.saturating_mul(2).max(JOINED_MIN) {
            // One step more would be the last one.
            most if most >= announced / 2 => announced,
            part => part,
        };
        if doubled <= DOUBLED_MAX {
            self.hold.resize(doubled + self.piece.len())?;
            self.joined.reserve_exact(doubled - self.joined.len());
        } else {
            self.hold.resize(length + self.piece.len())?;
            give_own_pages(&mut self.joined, self.bytes_max)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Held {
        let bytes = if self.joined.is_empty() { self.piece } else { Bytes::from(self.joined) };
        Held { bytes, hold: self.hold }
    }
}

/// The whole body of a request over plain HTTP.
pub(super) async fn collect(
    body: &mut Incoming,
    hold: Hold,
    bytes_max: usize,
    limit: Duration,
) -> Result<Held, Denial> {
    let mut gather = Gather::new(hold, bytes_max, body.size_hint().exact())?;
    within(limit, async {
        while let Some(piece) = next_piece(body).await? {
            gather.push(piece)?;
        }
        Ok(gather.finish())
    })
    .await
}

/// The one message of a unary gRPC request.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) compressed: bool,
    pub(super) held: Held,
}

/// The whole body of a unary gRPC request: five bytes of flag and length, and the message.
pub(super) async fn collect_message(
    body: &mut Incoming,
    hold: Hold,
    bytes_max: usize,
    limit: Duration,
) -> Result<Message, Denial> {
    within(limit, async {
        let mut prefix = Prefix::default();
        let mut first = loop {
            let piece = next_piece(body).await?;
            let mut piece = piece.ok_or(Denial::Framing("the request ends before its message"))?;
            if prefix.take(&mut piece) {
                break piece;
            }
        };
        let (compressed, length) = prefix.read()?;
        let mut gather = Gather::new(hold, bytes_max, Some(length))?;
        loop {
            if (gather.len() + first.len()) as u64 > length {
                return Err(Denial::Framing("the request goes on after its one message"));
            }
            if !first.is_empty() {
                gather.push(first)?;
            }
            match next_piece(body).await? {
                Some(piece) => first = piece,
                None if gather.len() as u64 == length => break,
                None => return Err(Denial::Framing("the message is shorter than its length says")),
            }
        }
        Ok(Message { compressed, held: gather.finish() })
    })
    .await
}

/// Reads on without keeping anything, so that a peer that writes its whole body before it reads
/// sees its answer instead of a reset connection. Ends after `bytes_max` or `limit`.
pub(super) async fn discard(mut body: Incoming, bytes_max: usize, limit: Duration) {
    let read_on = async {
        let mut read = 0;
        while let Ok(Some(piece)) = next_piece(&mut body).await {
            read += piece.len();
            if read > bytes_max {
                return;
            }
        }
    };
    let _ = timeout(limit, read_on).await;
}

/// The five bytes before a gRPC message, however they are cut into pieces.
#[derive(Debug, Default)]
struct Prefix {
    bytes: [u8; 5],
    length: usize,
}

impl Prefix {
    /// Moves bytes out of `piece`; true when all five are there.
    fn take(&mut self, piece: &mut Bytes) -> bool {
        let missing = &mut self.bytes[self.length..];
        let length = missing.len().min(piece.len());
        piece.copy_to_slice(&mut missing[..length]);
        self.length += length;
        self.length == self.bytes.len()
    }

    fn read(&self) -> Result<(bool, u64), Denial> {
        let [flag, length @ ..] = self.bytes;
        let compressed = match flag {
            0 => false,
            1 => true,
            _ => return Err(Denial::Framing("the flag before the message is neither 0 nor 1")),
        };
        Ok((compressed, u64::from(u32::from_be_bytes(length))))
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Denial>>,
) -> Result<T, Denial> {
    timeout(limit, work).await.unwrap_or(Err(Denial::Slow { timeout: limit }))
}

/// The next bytes; `None` at the end. Trailers are passed over.
async fn next_piece(body: &mut Incoming) -> Result<Option<Bytes>, Denial> {
    let mut body = Pin::new(body);
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(_)) => return Err(Denial::Broken),
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
        }
    }
}

/// The least that is allocated to join pieces.
const JOINED_MIN: usize = 16 << 10;
