//! A file that others append to and rotate, read on from where the last step ended. Steps and not a
//! watcher: between them nothing is open and nothing waits, and the caller stores the [`Cursor`] in
//! the transaction that stores what was read.
//!
//! What was read is known again by its bytes (digests of its first and last [`PROBE_BYTES`]), what
//! has not been read at all by device and inode. So:
//!
//! | what happened to the file | what a step does |
//! | --- | --- |
//! | it grew | goes on where it was |
//! | renamed, and a new one begun | reads the renamed one to its end, then those after it |
//! | copied and emptied | reads the copy to its end, then the file from its beginning |
//! | emptied or replaced, without a trace | reads what is left from the oldest; this is a gap |
//! | its last line has no newline yet | offers the line, and offers it again until it has one |
//! | a line is too long | offers that once, and passes over the line |
//!
//! In doubt a file is read again, never skipped: a fact that is stored twice is one fact. A rotated
//! file stands beside the followed one and is called the same, with a dot or hyphen and a digit
//! after it (`log.1`, `log-20240301`). It is left once a later one holds bytes: by then the writer
//! has moved on. A change within what was read before is not seen.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

mod cursor;
mod fault;
mod rotated;

pub use cursor::{Cursor, PROBE_BYTES};
pub use fault::FollowFault;
use rotated::{Found, Part};

/// What stands on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line, without its newline.
    Whole(&'a [u8]),
    /// The end of a file that may still grow: a line, or the beginning of one. It comes again.
    Unended(&'a [u8]),
    /// A line of more than [`LINE_BYTES_MAX`] bytes.
    TooLong,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where the next step begins.
    pub cursor: Cursor,
    /// How many bytes of whole lines were read.
    pub bytes: u64,
    /// Whether there is more to read at once.
    pub more: bool,
    /// Whether the rest of an earlier file was not found, so that lines may be missing.
    pub gap: bool,
}

/// Reads on from `cursor`, or from the beginning of the file, and hands each line with its number
/// to `on_line`. A step ends after about `bytes_max` bytes or [`LINES_MAX`] lines, and after at
/// least one line.
///
/// # Errors
/// The file cannot be read. The lines that were handed over come again from the same cursor.
pub fn step(
    path: &Path,
    cursor: Option<&Cursor>,
    bytes_max: u64,
    mut on_line: impl FnMut(u64, Line<'_>),
) -> Result<Step, FollowFault> {
    let io_fault = |fault| FollowFault::Io { path: path.display().to_string(), fault };
    let Found { part, mut file, resumes, mut gap } = rotated::find(path, cursor)?;
    // Asked before the file is read: if there is a later one by now, this one is at its end.
    let next = rotated::after(path, &part)?;
    let mut read = match cursor.filter(|_| resumes) {
        Some(cursor) => cursor.at(part.device, part.inode),
        None => part.beginning(),
    };
    let (before, begin) = (read.clone(), read.offset);
    let more = lines(&mut file, &mut read, bytes_max, &mut on_line).map_err(io_fault)?;
    if !more {
        let mut bytes = Vec::new();
        last(&mut file, &read, &mut bytes).map_err(io_fault)?;
        let line = if next.is_some() { Line::Whole(&bytes) } else { Line::Unended(&bytes) };
        if !bytes.is_empty() {
            on_line(read.lines + 1, line);
        }
        if let Some(next) = next {
            gap |= next.skipped;
            let bytes = part.bytes.saturating_sub(begin);
            return Ok(Step { cursor: next.part.beginning(), bytes, more: true, gap });
        }
    }
    if !read.probe(&mut file).map_err(io_fault)? {
        // Emptied while it was read: there may be a copy that holds more, and the place before this
        // step is known in it, unless that is its beginning.
        gap |= before.offset == 0;
        read = before;
    }
    let bytes = read.offset.saturating_sub(begin);
    Ok(Step { cursor: read, bytes, more, gap })
}

/// The files that a step from `cursor` would read and those after it, by their sizes.
///
/// # Errors
/// The file cannot be read.
pub fn sizes(path: &Path, cursor: Option<&Cursor>) -> Result<Sizes, FollowFault> {
    let Found { part, resumes, .. } = rotated::find(path, cursor)?;
    let read = cursor.filter(|_| resumes).map_or(0, |cursor| cursor.offset);
    let mut sizes = Sizes { read, parts: vec![part.size()] };
    let mut part = part;
    while sizes.parts.len() < PARTS_MAX
        && let Some(next) = rotated::after(path, &part)?
    {
        part = next.part;
        sizes.parts.push(part.size());
    }
    Ok(sizes)
}

/// What there was to read of a log at a time, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of the first that are read already.
    read: u64,
    parts: Vec<Size>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    device: u64,
    inode: u64,
    bytes: u64,
}

impl Sizes {
    /// How many bytes are not read by a cursor that came later.
    #[must_use]
    pub fn left(&self, cursor: Option<&Cursor>) -> u64 {
        let is_of = |cursor: &Cursor, part: &Size| {
            (part.device, part.inode) == (cursor.device, cursor.inode)
        };
        let found = cursor.and_then(|cursor| {
            let at = self.parts.iter().position(|part| is_of(cursor, part))?;
            Some((at, cursor.offset))
        });
        let (at, read) = found.unwrap_or((0, self.read));
        let parts = self.parts.iter().skip(at);
        parts.fold(0, |bytes: u64, part| bytes.saturating_add(part.bytes)).saturating_sub(read)
    }
}

impl Part {
    fn beginning(&self) -> Cursor {
        Cursor::beginning(self.device, self.inode)
    }

    fn size(&self) -> Size {
        Size { device: self.device, inode: self.inode, bytes: self.bytes }
    }
}

/// Hands over lines that have an end. Says whether it stopped at the bound.
fn lines(
    file: &mut File,
    cursor: &mut Cursor,
    bytes_max: u64,
    on_line: &mut impl FnMut(u64, Line<'_>),
) -> io::Result<bool> {
    file.seek(SeekFrom::Start(cursor.offset))?;
    let stop = cursor.offset.saturating_add(bytes_max);
    let last = cursor.lines.saturating_add(LINES_MAX);
    let mut input = BufReader::new(file);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let length = input.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes)? as u64;
        let ended = bytes.pop_if(|byte| *byte == b'\n').is_some();
        if length == 0 {
            return Ok(false);
        }
        if cursor.skipping {
            cursor.skipping = !ended;
        } else if ended {
            let mark = if cursor.offset == 0 { BYTE_ORDER_MARK } else { b"" };
            on_line(cursor.lines + 1, Line::Whole(bytes.strip_prefix(mark).unwrap_or(&bytes)));
        } else if length <= LINE_BYTES_MAX {
            return Ok(false);
        } else {
            on_line(cursor.lines + 1, Line::TooLong);
            cursor.skipping = true;
        }
        cursor.lines += u64::from(ended);
        cursor.offset += length;
        if cursor.offset >= stop || cursor.lines >= last {
            return Ok(true);
        }
    }
}

/// The bytes after the last newline, unless they belong to a line that is too long.
fn last(file: &mut File, cursor: &Cursor, bytes: &mut Vec<u8>) -> io::Result<()> {
    if cursor.skipping {
        return Ok(());
    }
    file.seek(SeekFrom::Start(cursor.offset))?;
    // A line that was ended meanwhile is read up to its end, and comes again as a whole one.
    BufReader::new(file).take(LINE_BYTES_MAX).read_until(b'\n', bytes)?;
    if cursor.offset == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(())
}

/// So that a file of empty or bad lines costs no more memory than one of incidents.
pub const LINES_MAX: u64 = 1 << 14;
/// An incident with some thousand updates; a longer line is another kind of file.
pub const LINE_BYTES_MAX: u64 = 1 << 20;
/// No rotation keeps more files.
const PARTS_MAX: usize = 1_000;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests;
