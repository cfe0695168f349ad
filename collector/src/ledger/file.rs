//! The ledger's file: looked at before it is opened to be written, so that a file of another
//! program, a newer one or a damaged one is left as it is.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Ledger;
use super::schema::{APPLICATION_ID, STEPS};

/// Why a file cannot be the ledger. The file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes it.
    #[error("{} is in use by another redora; stop it, or give each its own data_dir", .0.display())]
    InUse(PathBuf),
    /// It is a SQLite file of another program.
    #[error("{} is a database of another program; name another data_dir", .0.display())]
    Foreign(PathBuf),
    /// It was written by a later version.
    #[error(
        "{} has version {found} of the ledger, and this redora knows {known}; run the newer \
         redora, or restore a copy from before its first run",
        file.display()
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: usize,
        /// The latest that this program knows.
        known: usize,
    },
    /// It is no SQLite file, or a damaged one.
    #[error(
        "{} is no ledger, or it is damaged; move it away and restore a copy or import an export",
        .0.display()
    )]
    Damaged(PathBuf),
    /// The system does not let it be used.
    #[error("{} cannot be opened: {fault}", file.display())]
    System {
        /// The file.
        file: PathBuf,
        /// What the system says.
        fault: io::Error,
    },
    /// SQLite cannot use it for another reason.
    #[error("{} cannot be used: {fault}", file.display())]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        fault: rusqlite::Error,
    },
}

impl Ledger {
    /// Opens a ledger, which is created if there is no file, and brings an old one up to date.
    ///
    /// # Errors
    /// The file is in use, another program's, newer, damaged or not accessible.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        let lock = lock(file)?;
        let sqlite = |fault| explain(file, fault);
        let taken = inspect(file)?;
        let mut db = Connection::open(file).map_err(sqlite)?;
        // FULL makes a commit wait for the disk: what was stored survives a power cut.
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
            .map_err(sqlite)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        for (number, step) in STEPS.iter().enumerate().skip(taken) {
            let transaction = db.transaction().map_err(sqlite)?;
            transaction.execute_batch(step).map_err(sqlite)?;
            transaction
                .execute_batch(&format!(
                    "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};",
                    number + 1
                ))
                .map_err(sqlite)?;
            transaction.commit().map_err(sqlite)?;
        }
        Ok(Self { db, _lock: lock })
    }
}

/// How many steps the file has taken; 0 for one that is not there or empty.
fn inspect(file: &Path) -> Result<usize, OpenError> {
    match std::fs::metadata(file) {
        Ok(data) if data.len() == 0 => return Ok(0),
        Ok(_) => {}
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(fault) => return Err(OpenError::System { file: file.to_owned(), fault }),
    }
    let sqlite = |fault| explain(file, fault);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags).map_err(sqlite)?;
    let ask = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (application, version) =
        (ask("application_id").map_err(sqlite)?, ask("user_version").map_err(sqlite)?);
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign(file.to_owned()));
    }
    match usize::try_from(version) {
        Ok(taken @ 1..) if taken <= STEPS.len() => Ok(taken),
        Ok(found @ 1..) => {
            let file = file.to_owned();
            Err(OpenError::Newer { file, found, known: STEPS.len() })
        }
        _ => Err(OpenError::Damaged(file.to_owned())),
    }
}

fn lock(file: &Path) -> Result<File, OpenError> {
    let system = |fault| OpenError::System { file: file.to_owned(), fault };
    let mut beside = file.as_os_str().to_owned();
    beside.push(".lock");
    let lock = File::options().create(true).append(true).open(beside).map_err(system)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(file.to_owned())),
        Err(TryLockError::Error(fault)) => Err(system(fault)),
    }
}

fn explain(file: &Path, fault: rusqlite::Error) -> OpenError {
    let file = file.to_owned();
    match fault.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::Damaged(file),
        _ => OpenError::Sqlite { file, fault },
    }
}

/// Every statement of this room.
const STATEMENTS_KEPT: usize = 32;
