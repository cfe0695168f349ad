//! Where a followed file is by now: under its own name, or beside it under one that a rotation gave
//! it. The names are only looked at to find candidates; what a file holds decides.

use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::cursor::Cursor;
use super::fault::FollowFault;

/// A file to read, and how.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) part: Part,
    pub(super) file: File,
    /// Whether it is the file that the cursor is of.
    pub(super) resumes: bool,
    /// Whether that file is nowhere.
    pub(super) gap: bool,
}

/// The file that goes on where another one ended.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) part: Part,
    /// Whether one between them is compressed and was passed over.
    pub(super) skipped: bool,
}

/// One file of a log that is rotated.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    pub(super) device: u64,
    pub(super) inode: u64,
    modified: SystemTime,
    pub(super) bytes: u64,
}

/// The file that the cursor is of; without a cursor the one at `path`. If the file is nowhere, the
/// oldest that is left, because which of them came after it is not known.
pub(super) fn find(path: &Path, cursor: Option<&Cursor>) -> Result<Found, FollowFault> {
    let mut current = None;
    if let Some(part) = part(path)? {
        let mut file = part.open()?;
        let is_it = |cursor: &Cursor| part.is_of(&mut file, cursor);
        let resumes = cursor.map(is_it).transpose()?;
        if resumes != Some(false) {
            return Ok(Found { part, file, resumes: resumes.is_some(), gap: false });
        }
        current = Some(Found { part, file, resumes: false, gap: true });
    }
    let Some(cursor) = cursor else { return Err(FollowFault::Missing(path.display().to_string())) };
    let readable = |part: &Part| !part.is_compressed() && !part.is_empty();
    for part in parts(path)?.into_iter().filter(readable).rev() {
        let mut file = part.open()?;
        if part.is_of(&mut file, cursor)? {
            return Ok(Found { part, file, resumes: true, gap: false });
        }
        current = Some(Found { part, file, resumes: false, gap: true });
    }
    current.ok_or_else(|| FollowFault::Missing(path.display().to_string()))
}

/// The file after `part` that holds something, unless `part` is the one at `path`.
pub(super) fn after(path: &Path, part: &Part) -> Result<Option<Next>, FollowFault> {
    if part.path == path {
        return Ok(None);
    }
    let mut skipped = false;
    let parts = parts(path)?;
    let here = parts.iter().position(|other| other.inode == part.inode);
    for next in parts.into_iter().skip(here.map_or(usize::MAX, |at| at + 1)) {
        if next.is_compressed() {
            skipped = true;
        } else if !next.is_empty() {
            return Ok(Some(Next { part: next, skipped }));
        }
    }
    let current = self::part(path)?.filter(|current| !current.is_empty());
    Ok(current.map(|part| Next { part, skipped }))
}

/// The rotated files, the oldest first: by when they were written last, and where a coarse clock
/// does not tell, by their names.
fn parts(path: &Path) -> Result<Vec<Part>, FollowFault> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let fault = |fault| io_fault(folder, fault);
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?.file_name();
        let rest = entry.as_encoded_bytes().strip_prefix(name);
        if let Some([b'.' | b'-', digit, ..]) = rest
            && digit.is_ascii_digit()
        {
            match part(&folder.join(&entry)) {
                Ok(part) => parts.extend(part),
                Err(FollowFault::Irregular(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
    }
    parts.sort_by_cached_key(|part| {
        (part.modified, Reverse(part.generation(name.len())), part.path.clone())
    });
    Ok(parts)
}

/// What stands at a path, before it is opened: opening a pipe would wait for its writer.
fn part(path: &Path) -> Result<Option<Part>, FollowFault> {
    let about: Metadata = match fs::metadata(path) {
        Ok(about) => about,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(io_fault(path, fault)),
    };
    if !about.is_file() {
        return Err(FollowFault::Irregular(path.display().to_string()));
    }
    Ok(Some(Part {
        path: path.to_owned(),
        device: about.dev(),
        inode: about.ino(),
        modified: about.modified().map_err(|fault| io_fault(path, fault))?,
        bytes: about.len(),
    }))
}

impl Part {
    fn open(&self) -> Result<File, FollowFault> {
        File::open(&self.path).map_err(|fault| io_fault(&self.path, fault))
    }

    fn is_of(&self, file: &mut File, cursor: &Cursor) -> Result<bool, FollowFault> {
        let is_it = cursor.is_of(file, self.device, self.inode);
        is_it.map_err(|fault| io_fault(&self.path, fault))
    }

    fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    fn is_compressed(&self) -> bool {
        let end = self.path.extension().unwrap_or_default();
        ["gz", "zst", "bz2", "xz"].iter().any(|compressed| end == *compressed)
    }

    /// The number of a part that gets a higher one with each rotation (`log.1`, `log.2.gz`); 0 of
    /// one that is named by its date, which sorts as it is.
    fn generation(&self, stem_length: usize) -> u32 {
        let name = self.path.file_name().unwrap_or_default().as_encoded_bytes();
        let rest = name.get(stem_length + 1..).unwrap_or_default();
        let digits = rest.split(|byte| *byte == b'.').next().unwrap_or_default();
        let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        number.filter(|number| *number < DATES_FROM).unwrap_or_default()
    }
}

fn io_fault(path: &Path, fault: io::Error) -> FollowFault {
    FollowFault::Io { path: path.display().to_string(), fault }
}

/// No log keeps so many generations, and no date is as low.
const DATES_FROM: u32 = 100_000;
