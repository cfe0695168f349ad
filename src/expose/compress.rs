//! Compression of a scrape's body as it is made. The fastest levels: a scrape is text that repeats
//! itself, and the agent's CPU belongs to the service beside it.

use std::io::Write;

use bytes::Bytes;
use flate2::write::GzEncoder;
use redora_exposition::Compression;

/// A compressor that pieces pass through.
pub(super) enum Compressor {
    Identity,
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Finished,
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Identity => "Identity",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
            Self::Finished => "Finished",
        })
    }
}

impl Compressor {
    pub(super) fn new(compression: Compression) -> Self {
        match compression {
            Compression::Identity => Self::Identity,
            Compression::Gzip => {
                Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::fast()))
            }
            Compression::Zstd => Self::Zstd(
                zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)
                    .expect("the level is one that zstd has"),
            ),
        }
    }

    /// Compresses a piece; what comes out may be empty while the compressor gathers.
    pub(super) fn piece(&mut self, plain: Vec<u8>) -> Bytes {
        match self {
            Self::Identity | Self::Finished => plain.into(),
            Self::Gzip(encoder) => {
                encoder.write_all(&plain).expect(INTO_MEMORY);
                std::mem::take(encoder.get_mut()).into()
            }
            Self::Zstd(encoder) => {
                encoder.write_all(&plain).expect(INTO_MEMORY);
                std::mem::take(encoder.get_mut()).into()
            }
        }
    }

    /// Compresses the last piece and ends the stream.
    pub(super) fn finish(&mut self, plain: Vec<u8>) -> Bytes {
        let head = self.piece(plain);
        let tail = match std::mem::replace(self, Self::Finished) {
            Self::Identity | Self::Finished => return head,
            Self::Gzip(encoder) => encoder.finish().expect(INTO_MEMORY),
            Self::Zstd(encoder) => encoder.finish().expect(INTO_MEMORY),
        };
        [head, tail.into()].concat().into()
    }
}

const INTO_MEMORY: &str = "writing into memory does not fail";

/// zstd's fastest regular level: half a MiB of window.
const ZSTD_LEVEL: i32 = 1;
