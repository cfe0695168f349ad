//! Decompression that never writes past its limit and believes no size that a body states about
//! itself: four kilobytes of gzip can hold four megabytes of spans, and its trailer may say
//! anything.
//!
//! A body is decompressed at once, after it has come, so that at any time no more bodies are held
//! decompressed than threads run. Decoders that let one write decide how much is written out are no
//! use here.

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::budget::{DOUBLED_MAX, Exhausted, Held, Hold, give_own_pages};
use super::coding::{Coding, InflateFault, PIECES_MAX, ZSTD_WINDOW_MAX};
use super::denial::Denial;

/// Decompresses all of `input` into at most `bytes_max` bytes; the budget of `input` pays for the
/// output, too.
///
/// A body that grows as no telemetry does is measured before any more of it is kept: a bomb then
/// costs the time of passing it through a small buffer, and no memory.
pub(super) fn inflate(coding: Coding, input: &Held, bytes_max: usize) -> Result<Held, Denial> {
    let compressed = input.bytes.len();
    let usual = compressed.saturating_mul(RATIO_USUAL).max(UNMEASURED_MAX);
    if usual < bytes_max {
        let kept = decode(coding, input, Output::keeping(input, usual));
        if !matches!(kept, Err(Denial::TooLarge { .. })) {
            return kept;
        }
        decode(coding, input, Output::measuring(input, bytes_max))?;
    }
    decode(coding, input, Output::keeping(input, bytes_max))
}

fn decode(coding: Coding, input: &Held, mut output: Output) -> Result<Held, Denial> {
    match coding {
        Coding::Gzip => gzip(&input.bytes, &mut output)?,
        Coding::Deflate => deflate(&input.bytes, &mut output)?,
        Coding::Zstd => zstd(&input.bytes, &mut output)?,
    }
    output.finish()
}

/// A buffer that pays before it grows. Small, the decoder writes into it; large, into `tail` and
/// from there into pages of its own, because a decoder fills what capacity it finds, and not all of
/// that is paid for.
struct Output {
    bytes: Vec<u8>,
    tail: Vec<u8>,
    hold: Hold,
    /// Bytes that were measured and not kept.
    passed: usize,
    bytes_max: usize,
    /// The first capacity; 0 where nothing is kept.
    step: usize,
}

impl Output {
    fn keeping(input: &Held, bytes_max: usize) -> Self {
        let hold = input.hold.sibling();
        // OTLP shrinks to a tenth or so: two steps of growth in most cases.
        let step = input.bytes.len().saturating_mul(4).clamp(OUTPUT_MIN, DOUBLED_MAX);
        Self { bytes: Vec::new(), tail: Vec::new(), hold, passed: 0, bytes_max, step }
    }

    fn measuring(input: &Held, bytes_max: usize) -> Self {
        Self { step: 0, tail: Vec::with_capacity(TAIL_BYTES), ..Self::keeping(input, bytes_max) }
    }

    /// A place with room for at least one byte more, which over the limit is the byte that proves
    /// it.
    fn room(&mut self) -> Result<&mut Vec<u8>, Denial> {
        self.settle()?;
        let large = self.tail.capacity() > 0;
        if !large && self.bytes.len() == self.bytes.capacity() {
            let doubled = self.bytes.len().saturating_mul(2).max(self.step);
            if doubled <= DOUBLED_MAX {
                let capacity = doubled.min(self.bytes_max.saturating_add(1));
                self.hold.resize(capacity)?;
                self.bytes.reserve_exact(capacity - self.bytes.len());
            } else {
                let bytes_max = self.bytes_max.saturating_add(TAIL_BYTES);
                give_own_pages(&mut self.bytes, bytes_max)?;
                self.tail.reserve_exact(TAIL_BYTES);
            }
        }
        if self.tail.capacity() == 0 {
            return Ok(&mut self.bytes);
        }
        self.hold.resize(self.bytes.len() + 2 * TAIL_BYTES)?;
        Ok(&mut self.tail)
    }

    /// Takes over what was written to the tail, or only its length, and holds the limit.
    fn settle(&mut self) -> Result<(), Denial> {
        if self.step == 0 {
            self.passed += self.tail.len();
            self.tail.clear();
        }
        self.bytes.append(&mut self.tail);
        if self.bytes.len().max(self.passed) > self.bytes_max {
            return Err(Denial::TooLarge { bytes_max: self.bytes_max });
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Held, Denial> {
        self.settle()?;
        if self.tail.capacity() > 0 {
            self.hold.resize(self.bytes.len())?;
        }
        Ok(Held { bytes: Bytes::from(self.bytes), hold: self.hold })
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
        let place = output.room()?;
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let status = decoder
            .decompress_vec(input, place, FlushDecompress::None)
            .map_err(|_| Denial::Compressed(InflateFault::Corrupt(coding)))?;
        let read = usize::try_from(decoder.total_in() - read).unwrap_or(input.len());
        input = &input[read..];
        if status == Status::StreamEnd {
            return output.settle().map(|()| input);
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
            let place = output.room()?;
            let written = place.len();
            let mut source = InBuffer::around(input);
            let mut sink = OutBuffer::around_pos(place, written);
            let ended = decoder.run(&mut source, &mut sink).map_err(|_| corrupt())? == 0;
            let read = source.pos();
            input = &input[read..];
            if ended {
                break;
            }
            if read == 0 && place.len() == written {
                return Err(fault(InflateFault::Truncated(Coding::Zstd)));
            }
        }
        output.settle()?;
        if input.is_empty() {
            return Ok(());
        }
    }
    Err(fault(InflateFault::Pieces(Coding::Zstd)))
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

/// Telemetry shrinks to a tenth; hardly any of it to less than this.
const RATIO_USUAL: usize = 32;

/// Up to here a body is small, however it was compressed.
const UNMEASURED_MAX: usize = 4 << 20;

/// The least output that is allocated at once; below it growing costs more than memory.
const OUTPUT_MIN: usize = 4 << 10;

/// What a decoder writes at once into a large output: it stays in the processor's cache until it is
/// copied on.
const TAIL_BYTES: usize = 64 << 10;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The largest window of deflate, 32 KiB.
const WINDOW_BITS: u8 = 15;

#[cfg(test)]
mod tests;
