//! Small files that are replaced as a whole, so that a kill at any moment leaves the old one or the
//! new one: an append would leave half of one in the way of the next start.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The bytes of a file; `None` where there is none.
///
/// # Errors
/// It is there and cannot be read, or is larger than any that was written.
pub fn load_whole(path: &Path) -> io::Result<Option<Vec<u8>>> {
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

/// Puts these bytes in the place of a file, making its folder where there is none.
///
/// # Errors
/// The disk takes no more; the file is then what it was before.
pub fn save_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
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

/// Ten times the largest that redora writes.
const BYTES_MAX: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_moved_aside_when_it_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data/slo.state");
        assert_eq!(load_whole(&path).expect("no file is no fault"), None);
        for bytes in [b"first".as_slice(), b"2nd"] {
            save_whole(&path, bytes).expect("written");
            assert_eq!(load_whole(&path).expect("read").as_deref(), Some(bytes));
        }
        for _ in 0..2 {
            let aside = set_aside(&path).expect("renamed");
            assert_eq!(load_whole(&aside).expect("read").as_deref(), Some(b"2nd".as_slice()));
            assert_eq!(load_whole(&path).expect("gone"), None);
            save_whole(&path, b"2nd").expect("written");
        }
        let names = fs::read_dir(folder.path().join("data")).expect("a folder").count();
        assert_eq!(names, 2, "nothing else is left behind");
    }
}
