//! Why a repository could not be read, each with its cure, because libgit2's own words name neither
//! the file nor what to do.

use std::io;
use std::path::{Path, PathBuf};

use git2::{ErrorClass, ErrorCode};

use crate::sources::glob::BadPattern;

/// What ends a reading. Its facts so far stay true; the cursor is not moved.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Nothing is there.
    #[error("{path}: no such folder; clone the repository there, or correct `path`")]
    NoSuchPath {
        /// The configured path.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{path}: permission denied; let the user that redora runs as read the repository")]
    NoPermission {
        /// The configured path.
        path: PathBuf,
    },
    /// Something is there, but no repository.
    #[error(
        "{path}: not a git repository; name the folder that holds .git, or a bare repository itself"
    )]
    NotARepository {
        /// The configured path.
        path: PathBuf,
    },
    /// The folder belongs to someone else, who could have planted it.
    #[error(
        "{path}: owned by another user; give it to the user that redora runs as, or trust it with \
         `git config --global --add safe.directory {path}`"
    )]
    UnsafeOwner {
        /// The configured path.
        path: PathBuf,
    },
    /// A repository without a commit.
    #[error("{path}: no commits yet; push or fetch the first one")]
    Empty {
        /// The configured path.
        path: PathBuf,
    },
    /// The branch is not there.
    #[error("{path}: no branch `{branch}`; set `branch` to one of: {has}")]
    NoBranch {
        /// The configured path.
        path: PathBuf,
        /// The configured branch.
        branch: String,
        /// Branches that are there, some of them where there are many.
        has: String,
    },
    /// A pattern of the configuration can match nothing.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    /// A repository of a form that cannot be read, or whose refs are damaged.
    #[error(
        "{path}: {what}; look at it with `git fsck`; repositories with SHA-256 or reftable are not \
         supported: mirror them with `git clone --bare` into SHA-1 and files"
    )]
    Unreadable {
        /// The configured path.
        path: PathBuf,
        /// What libgit2 said.
        what: String,
    },
    /// Whoever takes the facts asked to stop.
    #[error("the reading was stopped by its taker; read again from the same cursor")]
    Stopped,
}

impl GitError {
    /// Says why `path` could not be opened.
    pub(super) fn of_open(path: &Path, error: &git2::Error) -> Self {
        let path = path.to_owned();
        match (std::fs::read_dir(&path), error.code(), error.class()) {
            (Err(fault), ..) => Self::of_io(path, &fault),
            (_, ErrorCode::Owner, _) => Self::UnsafeOwner { path },
            (_, ErrorCode::NotFound, ErrorClass::Repository) => Self::of_head(path),
            _ => Self::of(&path, error),
        }
    }

    /// Says that something which must be readable is not.
    pub(super) fn of(path: &Path, error: &git2::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), what: error.message().to_owned() }
    }

    /// A folder that may be listed can still hide what is in it.
    fn of_head(path: PathBuf) -> Self {
        for head in [path.join(".git/HEAD"), path.join("HEAD")] {
            if let Err(fault) = std::fs::File::open(head)
                && fault.kind() == io::ErrorKind::PermissionDenied
            {
                return Self::NoPermission { path };
            }
        }
        Self::NotARepository { path }
    }

    pub(super) fn of_io(path: PathBuf, fault: &io::Error) -> Self {
        match fault.kind() {
            io::ErrorKind::NotFound => Self::NoSuchPath { path },
            io::ErrorKind::PermissionDenied => Self::NoPermission { path },
            _ => Self::NotARepository { path },
        }
    }
}
