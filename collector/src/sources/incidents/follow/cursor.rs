//! Where a followed file was left, and how it is told again under another name. Digests of what was
//! read and not the inode alone, because a log that is copied and emptied keeps its inode.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How far a file was read; a value of some bytes for the caller to store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// Where the file's inode is.
    pub(super) device: u64,
    /// The file, however it is called by now.
    pub(super) inode: u64,
    /// Bytes that were read.
    pub(super) offset: u64,
    /// Lines that were read.
    pub(super) lines: u64,
    /// Digest of the first bytes that were read.
    head: u64,
    /// Digest of the last bytes that were read.
    tail: u64,
    /// Whether `offset` is within a line that is too long.
    pub(super) skipping: bool,
}

impl Cursor {
    /// The beginning of a file.
    pub(super) fn beginning(device: u64, inode: u64) -> Self {
        Self { device, inode, offset: 0, lines: 0, head: 0, tail: 0, skipping: false }
    }

    /// The same place in a copy of the file.
    pub(super) fn at(&self, device: u64, inode: u64) -> Self {
        Self { device, inode, ..self.clone() }
    }

    /// Whether this is the file that was read, whatever it is called.
    pub(super) fn is_of(&self, file: &mut File, device: u64, inode: u64) -> io::Result<bool> {
        if self.offset == 0 {
            return Ok((self.device, self.inode) == (device, inode));
        }
        // A file that became shorter is another one, and seeking past its end reads nothing.
        Ok(digests(file, self.offset)? == Some((self.head, self.tail)))
    }

    /// Keeps what tells the file again, unless it was emptied meanwhile.
    pub(super) fn probe(&mut self, file: &mut File) -> io::Result<bool> {
        let Some(digests) = digests(file, self.offset)? else { return Ok(false) };
        (self.head, self.tail) = digests;
        Ok(true)
    }
}

/// Digests of the first and last bytes of what stands before `offset`; `None` if less does.
fn digests(file: &mut File, offset: u64) -> io::Result<Option<(u64, u64)>> {
    let length = offset.min(PROBE_BYTES);
    let head = digest(file, 0, length)?;
    let tail = digest(file, offset - length, length)?;
    Ok(head.zip(tail))
}

fn digest(file: &mut File, from: u64, length: u64) -> io::Result<Option<u64>> {
    let mut bytes = [0; PROBE_BYTES as usize];
    let bytes = &mut bytes[..length as usize];
    file.seek(SeekFrom::Start(from))?;
    match file.read_exact(bytes) {
        Ok(()) => {}
        Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(fault) => return Err(fault),
    }
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(bytes));
    Ok(Some(u64::from_le_bytes([a, b, c, d, e, f, g, h])))
}

/// How many bytes at each end of what was read tell a file again.
pub const PROBE_BYTES: u64 = 256;
