//! Why the ledger cannot be opened, read or written, each with its cure; SQLite's own words tell a
//! full disk from a damaged file, but not what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a file cannot be the ledger. The file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes it.
    #[error("{} is in use by another redora; stop it, or give each its own data_dir", .0.display())]
    InUse(PathBuf),
    /// There is none, and whoever only reads makes none.
    #[error(
        "there is no ledger at {}; collect or import facts first, or correct data_dir",
        .0.display()
    )]
    Absent(PathBuf),
    /// It is no file.
    #[error(
        "{} is a directory; the ledger is a file: move it away or name another data_dir",
        .0.display()
    )]
    Directory(PathBuf),
    /// Its log is there without it: the file was moved away alone, or the log was left behind.
    #[error(
        "{} belongs to a ledger that is not there; move it to the ledger that was moved from {}, \
         or away",
        log.display(), file.display()
    )]
    Orphan {
        /// The log.
        log: PathBuf,
        /// Where its ledger was.
        file: PathBuf,
    },
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
    /// It was written by an earlier version, and whoever only reads does not bring it up to date.
    #[error(
        "{} has version {found} of the ledger, and this redora reads {known}; let this redora \
         import or collect once, which brings the file up to date",
        file.display()
    )]
    Older {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: usize,
        /// The one that can be read.
        known: usize,
    },
    /// It is no SQLite file, or a damaged one.
    #[error(
        "{} is no ledger, or it is damaged; move it away and restore a copy or import an export",
        .0.display()
    )]
    Damaged(PathBuf),
    /// The disk is full.
    #[error("the disk of {} is full; free some space and start again", .0.display())]
    Full(PathBuf),
    /// The system does not let it be used.
    #[error(
        "{} cannot be opened: {fault}; data_dir has to be a folder that redora may write",
        file.display()
    )]
    System {
        /// The file.
        file: PathBuf,
        /// What the system says.
        fault: io::Error,
    },
    /// SQLite cannot use it for another reason.
    #[error(
        "{} cannot be used: {fault}; see that redora may write the file and its folder",
        file.display()
    )]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        fault: rusqlite::Error,
    },
}

impl OpenError {
    /// What SQLite says of a file, as what there is to do.
    pub(super) fn explain(file: &Path, fault: rusqlite::Error) -> Self {
        let file = file.to_owned();
        match fault.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged(file),
            Some(ErrorCode::DiskFull) => Self::Full(file),
            _ => Self::Sqlite { file, fault },
        }
    }
}

/// The open ledger cannot be read or written. Of a batch that was not stored, nothing was.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk is full: the same batch is taken once there is space.
    #[error(
        "the ledger's disk is full; free some space: this batch was not stored, earlier ones are"
    )]
    Full,
    /// The file is damaged: no batch will be taken any more.
    #[error(
        "the ledger is damaged: {0}; stop redora, move the file away and restore a copy or import \
         an export"
    )]
    Damaged(rusqlite::Error),
    /// SQLite says so: lost permission, a disk that fails.
    #[error("the ledger cannot be used: {0}; this batch was not stored, earlier ones are")]
    Sqlite(rusqlite::Error),
    /// A stored line is no fact any more.
    #[error("fact {number} of the ledger cannot be read: {fault}; was the file changed by hand?")]
    Unreadable {
        /// Its place in the order of appending.
        number: i64,
        /// What is wrong.
        fault: serde_json::Error,
    },
    /// What a stored delivery came with is not its headers any more.
    #[error(
        "delivery {number} of the ledger cannot be read: {fault}; was the file changed by hand?"
    )]
    UnreadableDelivery {
        /// What a batch that ends it names it by.
        number: i64,
        /// What is wrong.
        fault: serde_json::Error,
    },
}

/// Why a delivery was not taken in. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// As many wait as may: the sender tries again when some were handled.
    #[error(
        "the inbox is full: {rows} deliveries of {bytes} bytes wait to be handled; see why their \
         source is not read, and send this one again afterwards"
    )]
    InboxFull {
        /// How many wait.
        rows: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// The ledger does not take it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<rusqlite::Error> for LedgerError {
    fn from(fault: rusqlite::Error) -> Self {
        match fault.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged(fault),
            _ => Self::Sqlite(fault),
        }
    }
}
