//! The one file that the book leaves on the disk: replaced as a whole, so that a kill at any moment
//! leaves the old one or the new one, and never in the way of a start.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The bytes of the file; `None` where there is none.
///
/// # Errors
/// It is there and cannot be read, or is larger than any book.
pub fn load(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let mut bytes = Vec::new();
    io::copy(&mut file.take(BYTES_MAX + 1), &mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(Some(bytes))
}

/// Puts these bytes in the place of the file, making its folder where there is none.
///
/// # Errors
/// The disk takes no more; the file is then what it was before.
pub fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    // Renamed before its bytes are down, it would be empty after a power cut.
    file.sync_all()?;
    fs::rename(new, path)
}

/// Moves a file that is none of ours out of the way, over the one that was moved before; gives its
/// new name.
///
/// # Errors
/// It cannot be renamed.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = path.with_extension("set-aside");
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// Ten times what the largest number of objectives fills.
const BYTES_MAX: u64 = 256 << 20;
