//! Decompression that never writes past its limit and believes no size that a body states about
//! itself: four kilobytes of gzip can hold four megabytes of spans, and its trailer may say
//! anything.
//!
//! A body is decompressed at once, after it has come, so that at any time no more bodies are held
//! decompressed than threads run. Decoders that let one write decide how much is written out are no
//! use here.

use std::fmt;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::budget::{Exhausted, Held, Hold};
use super::denial::Denial;

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

    fn as_str(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Zstd => "zstd",
            Coding::Deflate => "deflate",
        }
    }
}

/// Decompresses all of `input` into at most `bytes_max` bytes; the budget of `input` pays for the
/// output, too.
pub(super) fn inflate(coding: Coding, input: &Held, bytes_max: usize) -> Result<Held, Denial> {
    let compressed = &input.bytes[..];
    let mut output = Output {
        bytes: Vec::new(),
        hold: input.hold.sibling(),
        bytes_max,
        // OTLP shrinks to a tenth or so: two steps of growth in most cases.
        step: compressed.len().saturating_mul(4).max(OUTPUT_MIN),
    };
    match coding {
        Coding::Gzip => gzip(compressed, &mut output)?,
        Coding::Deflate => deflate(compressed, &mut output)?,
        Coding::Zstd => zstd(compressed, &mut output)?,
    }
    Ok(Held { bytes: Bytes::from(output.bytes), hold: output.hold })
}

/// A vector that pays before it grows.
struct Output {
    bytes: Vec<u8>,
    hold: Hold,
    bytes_max: usize,
    step: usize,
}

impl Output {
    /// Leaves room for at least one byte more, which over the limit is the byte that proves it.
    fn grow(&mut self) -> Result<(), Denial> {
        if self.bytes.len() > self.bytes_max {
            return Err(Denial::TooLarge { bytes_max: self.bytes_max });
        }
        if self.bytes.len() == self.bytes.capacity() {
            let wanted = self.bytes.len().saturating_mul(2).max(self.step);
            let capacity = wanted.min(self.bytes_max.saturating_add(1));
            self.hold.resize(capacity)?;
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        Ok(())
    }
}

fn gzip(mut input: &[u8], output: &mut Output) -> Result<(), Denial> {
    for _ in 0..PIECES_MAX {
        let mut decoder = Decompress::new_gzip(WINDOW_BITS);
        input = stream(Coding::Gzip, &mut decoder, input, output)?;
        if input.is_empty() {
            return Ok(());
        }
    }
    Err(Denial::Compressed(InflateFault::Pieces(Coding::Gzip)))
}

fn deflate(input: &[u8], output: &mut Output) -> Result<(), Denial> {
    // A zlib header is a multiple of 31 whose low nibble says deflate; raw streams practically
    // never look so.
    let zlib = matches!(input, [first, second, ..]
        if first & 0x0F == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31));
    let rest = stream(Coding::Deflate, &mut Decompress::new(zlib), input, output)?;
    if rest.is_empty() {
        Ok(())
    } else {
        Err(Denial::Compressed(InflateFault::Trailing(Coding::Deflate)))
    }
}

/// Runs one stream to its end and returns what follows it.
fn stream<'a>(
    coding: Coding,
    decoder: &mut Decompress,
    mut input: &'a [u8],
    output: &mut Output,
) -> Result<&'a [u8], Denial> {
    loop {
        output.grow()?;
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let status = decoder
            .decompress_vec(input, &mut output.bytes, FlushDecompress::None)
            .map_err(|_| Denial::Compressed(InflateFault::Corrupt(coding)))?;
        let read = usize::try_from(decoder.total_in() - read).unwrap_or(input.len());
        input = &input[read..];
        if status == Status::StreamEnd {
            return within(output).map(|()| input);
        }
        if read == 0 && decoder.total_out() == written {
            return Err(Denial::Compressed(InflateFault::Truncated(coding)));
        }
    }
}

fn zstd(mut input: &[u8], output: &mut Output) -> Result<(), Denial> {
    let fault = |fault| Denial::Compressed(fault);
    let corrupt = || fault(InflateFault::Corrupt(Coding::Zstd));
    let mut decoder = Decoder::new().map_err(|_| Denial::from(Exhausted))?;
    let window_log = ZSTD_WINDOW_MAX.ilog2();
    decoder.set_parameter(DParameter::WindowLogMax(window_log)).map_err(|_| corrupt())?;
    // The decoder keeps the window beside the output until all frames are read.
    let mut window_hold = output.hold.sibling();
    let mut window_max = 0;
    for _ in 0..PIECES_MAX {
        let window =
            window_bytes(input).ok_or_else(|| fault(InflateFault::Truncated(Coding::Zstd)))?;
        if window > ZSTD_WINDOW_MAX {
            return Err(fault(InflateFault::Window));
        }
        window_max = window_max.max(window);
        window_hold.resize(window_max as usize)?;
        loop {
            output.grow()?;
            let written = output.bytes.len();
            let mut source = InBuffer::around(input);
            let mut sink = OutBuffer::around_pos(&mut output.bytes, written);
            let ended = decoder.run(&mut source, &mut sink).map_err(|_| corrupt())? == 0;
            let read = source.pos();
            input = &input[read..];
            if ended {
                break;
            }
            if read == 0 && output.bytes.len() == written {
                return Err(fault(InflateFault::Truncated(Coding::Zstd)));
            }
        }
        within(output)?;
        if input.is_empty() {
            return Ok(());
        }
    }
    Err(fault(InflateFault::Pieces(Coding::Zstd)))
}

fn within(output: &Output) -> Result<(), Denial> {
    if output.bytes.len() > output.bytes_max {
        return Err(Denial::TooLarge { bytes_max: output.bytes_max });
    }
    Ok(())
}

/// The memory that a zstd frame asks its decoder for, RFC 8878 section 3.1.1.1. `None` when the
/// header is cut off. What is no frame at all needs none, and the decoder refuses it.
fn window_bytes(frame: &[u8]) -> Option<u64> {
    let magic = frame.first_chunk::<4>()?;
    if *magic != ZSTD_MAGIC {
        return Some(0);
    }
    let descriptor = *frame.get(4)?;
    let single_segment = descriptor & 0x20 != 0;
    if !single_segment {
        let window = u64::from(*frame.get(5)?);
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * (window & 7));
    }
    let id_bytes = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size_bytes = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let size = frame.get(5 + id_bytes..)?.get(..size_bytes)?;
    let mut number = [0; 8];
    number[..size_bytes].copy_from_slice(size);
    let content = u64::from_le_bytes(number);
    // Content of 256 to 65,791 bytes is written less 256.
    Some(if size_bytes == 2 { content + 256 } else { content })
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

/// The least output that is allocated at once; below it growing costs more than memory.
const OUTPUT_MIN: usize = 4 << 10;

/// Gzip members or zstd frames in one body. Each costs a fresh decoder, and a piece of nothing is
/// 20 bytes long; 20 MiB in the 64 KiB blocks of the block-wise compressors are 320.
const PIECES_MAX: usize = 1024;

/// RFC 9659: what decoders of the content coding support and encoders stay within.
const ZSTD_WINDOW_MAX: u64 = 8 << 20;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The largest window of deflate, 32 KiB.
const WINDOW_BITS: u8 = 15;

#[cfg(test)]
mod tests;
