//! The ledger's file: looked at before it is opened to be written, so that a file of another
//! program, a newer one or a damaged one is left as it is.

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::schema::{APPLICATION_ID, STEPS};
use super::{Ledger, OpenError, Reader};

impl Ledger {
    /// Opens a ledger, which is created if there is no file, and brings an old one up to date.
    ///
    /// # Errors
    /// The file is in use, another program's, newer, damaged or not accessible.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        if file.is_dir() {
            return Err(OpenError::Directory(file.to_owned()));
        }
        let lock = lock(file)?;
        let sqlite = |fault| OpenError::explain(file, fault);
        let taken = match inspect(file)? {
            Some(taken) => taken,
            None => create(file)?,
        };
        let mut db = Connection::open(file).map_err(sqlite)?;
        // FULL makes a commit wait for the disk: what was stored survives a power cut.
        db.execute_batch("PRAGMA synchronous = FULL;").map_err(sqlite)?;
        db.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).map_err(sqlite)?;
        set_up(&db).map_err(sqlite)?;
        take_steps(&mut db, taken).map_err(sqlite)?;
        Ok(Self { reader: Reader { db }, _lock: lock })
    }
}

impl Reader {
    /// Opens a ledger to be read, whoever writes it meanwhile, as it is at this moment.
    ///
    /// # Errors
    /// There is none, it is another program's, of another version, damaged or not accessible.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        if file.is_dir() {
            return Err(OpenError::Directory(file.to_owned()));
        }
        let known = STEPS.len();
        match inspect(file)? {
            None => return Err(OpenError::Absent(file.to_owned())),
            Some(found) if found < known => {
                return Err(OpenError::Older { file: file.to_owned(), found, known });
            }
            Some(_) => {}
        }
        let sqlite = |fault| OpenError::explain(file, fault);
        let db = Connection::open_with_flags(file, READ_ONLY).map_err(sqlite)?;
        set_up(&db).map_err(sqlite)?;
        // The first question fixes the moment that all later ones see.
        db.execute_batch("BEGIN; SELECT number FROM generation;").map_err(sqlite)?;
        Ok(Self { db })
    }
}

fn set_up(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "cache_size", -CACHE_KIB_MAX)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

/// Makes a ledger under another name and renames it when it is whole, so that a start that was
/// killed leaves either no ledger or a good one; hands back the steps that it has taken.
fn create(file: &Path) -> Result<usize, OpenError> {
    let sqlite = |fault| OpenError::explain(file, fault);
    let system = |fault| OpenError::System { file: file.to_owned(), fault };
    // It would be taken for the new ledger's log, and written into it.
    for ending in ["-wal", "-journal"] {
        let log = beside(file, ending);
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            return Err(OpenError::Orphan { log, file: file.to_owned() });
        }
    }
    let unfinished = beside(file, ".unfinished");
    for ending in ["", "-wal", "-shm", "-journal"] {
        match std::fs::remove_file(beside(&unfinished, ending)) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(system(fault)),
            _ => {}
        }
    }
    let mut db = Connection::open(&unfinished).map_err(sqlite)?;
    db.execute_batch("PRAGMA synchronous = FULL;").map_err(sqlite)?;
    take_steps(&mut db, 0).map_err(sqlite)?;
    // At the end, when no log is needed any more to make the file whole.
    db.execute_batch("PRAGMA journal_mode = WAL;").map_err(sqlite)?;
    db.close().map_err(|(_, fault)| sqlite(fault))?;
    std::fs::rename(&unfinished, file).map_err(system)?;
    // The new name is on the disk before a fact is.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(system)?;
    folder.sync_all().map_err(system)?;
    Ok(STEPS.len())
}

/// Brings a file up to date, a step a transaction.
fn take_steps(db: &mut Connection, taken: usize) -> rusqlite::Result<()> {
    for (number, step) in STEPS.iter().enumerate().skip(taken) {
        let version = number + 1;
        let transaction = db.transaction()?;
        transaction.execute_batch(step)?;
        transaction.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};"
        ))?;
        transaction.commit()?;
    }
    Ok(())
}

/// How many steps the file has taken; none where there is no file, or nothing in it.
fn inspect(file: &Path) -> Result<Option<usize>, OpenError> {
    let system = |fault| OpenError::System { file: file.to_owned(), fault };
    match std::fs::metadata(file) {
        Ok(data) if data.len() == 0 => return Ok(None),
        Ok(data) if is_cut(file, data.len()).map_err(system)? => {
            return Err(OpenError::Damaged(file.to_owned()));
        }
        Ok(_) => {}
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(system(fault)),
    }
    let sqlite = |fault| OpenError::explain(file, fault);
    let db = Connection::open_with_flags(file, READ_ONLY).map_err(sqlite)?;
    db.busy_timeout(BUSY).map_err(sqlite)?;
    let ask = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let application = match ask("application_id") {
        // A rollback journal has to be applied first, and no ledger has one.
        Err(rusqlite::Error::SqliteFailure(fault, _))
            if fault.extended_code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK =>
        {
            return Err(OpenError::Foreign(file.to_owned()));
        }
        answer => answer.map_err(sqlite)?,
    };
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign(file.to_owned()));
    }
    match usize::try_from(ask("user_version").map_err(sqlite)?) {
        Ok(taken @ 1..) if taken <= STEPS.len() => Ok(Some(taken)),
        Ok(found @ 1..) => {
            let file = file.to_owned();
            Err(OpenError::Newer { file, found, known: STEPS.len() })
        }
        _ => Err(OpenError::Damaged(file.to_owned())),
    }
}

/// Whether the file ends inside a page, which SQLite would fill up without a word. A log beside it
/// may still hold the rest of the page, and is SQLite's to apply.
fn is_cut(file: &Path, len: u64) -> io::Result<bool> {
    if std::fs::metadata(beside(file, "-wal")).is_ok_and(|log| log.len() > 0) {
        return Ok(false);
    }
    let mut header = [0; 18];
    let mut start = File::open(file)?.take(header.len() as u64);
    match start.read_exact(&mut header) {
        Ok(()) => {}
        Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => return Ok(true),
        Err(fault) => return Err(fault),
    }
    // Two bytes cannot hold 65536: the format writes it as 1.
    let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 1 << 16,
        bytes => u64::from(bytes),
    };
    Ok(header.starts_with(b"SQLite format 3\0") && !len.is_multiple_of(page_bytes))
}

fn lock(file: &Path) -> Result<File, OpenError> {
    let system = |fault| OpenError::System { file: file.to_owned(), fault };
    let beside = beside(file, ".lock");
    let lock = File::options().create(true).append(true).open(beside).map_err(system)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(file.to_owned())),
        Err(TryLockError::Error(fault)) => Err(system(fault)),
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

const READ_ONLY: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// How long a question waits while the log of a killed process is applied by another one.
const BUSY: Duration = Duration::from_secs(5);

/// The most memory for pages: facts arrive in the order of their hashes, all over the index, and
/// with SQLite's own 2 MiB most of them read a page from the file.
const CACHE_KIB_MAX: i32 = 65_536;

/// Pages that the log collects, 32 MiB of them, before they go to the file: a batch touches a page
/// of the index for nearly every fact, and a page that many batches touch is written there once.
const LOG_PAGES: u32 = 8000;

/// Every statement of this room.
const STATEMENTS_KEPT: usize = 32;
