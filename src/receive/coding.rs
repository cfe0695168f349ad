//! The compressions that peers may use and what can be wrong with their bytes, apart from the
//! decoders, because refusals speak of them too.

use std::fmt;

/// A compression that peers may use, over either transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 1952, also of several members.
    Gzip,
    /// RFC 8878, also of several frames.
    Zstd,
    /// RFC 1950, and RFC 1951 as some clients send it under the same name.
    Deflate,
}

/// Why compressed bytes do not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InflateFault {
    /// The bytes are not of that compression, or damaged.
    Corrupt(Coding),
    /// The bytes end before the compressed data does.
    Truncated(Coding),
    /// Bytes follow after the end of the compressed data.
    Trailing(Coding),
    /// More pieces than [`PIECES_MAX`].
    Pieces(Coding),
    /// A window larger than [`ZSTD_WINDOW_MAX`].
    Window,
}

impl Coding {
    /// The codings as `Accept-Encoding` lists them.
    pub(super) const ACCEPTED: &'static str = "gzip, zstd, deflate";

    /// The coding of that name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            Some(Coding::Gzip)
        } else if name.eq_ignore_ascii_case("zstd") {
            Some(Coding::Zstd)
        } else if name.eq_ignore_ascii_case("deflate") {
            Some(Coding::Deflate)
        } else {
            None
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Zstd => "zstd",
            Coding::Deflate => "deflate",
        }
    }
}

impl fmt::Display for InflateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InflateFault::Corrupt(coding) => write!(
                f,
                "the body is not valid {}; is it compressed as its headers say, and only once?",
                coding.as_str()
            ),
            InflateFault::Truncated(coding) => {
                write!(f, "the {} body ends before its data does; was it cut off?", coding.as_str())
            }
            InflateFault::Trailing(coding) => {
                write!(f, "bytes follow after the end of the {} data", coding.as_str())
            }
            InflateFault::Pieces(coding) => write!(
                f,
                "the {} body has more than {PIECES_MAX} pieces; compress it as one",
                coding.as_str()
            ),
            InflateFault::Window => write!(
                f,
                "the zstd window is larger than {} MiB, which RFC 9659 forbids; use a lower level",
                ZSTD_WINDOW_MAX >> 20
            ),
        }
    }
}

/// Gzip members or zstd frames in one body. Each costs a fresh decoder, and a piece of nothing is
/// 20 bytes long; 20 MiB in the 64 KiB blocks of the block-wise compressors are 320.
pub(super) const PIECES_MAX: usize = 1024;

/// RFC 9659: what decoders of the content coding support and encoders stay within.
pub(super) const ZSTD_WINDOW_MAX: u64 = 8 << 20;
