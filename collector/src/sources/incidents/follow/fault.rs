//! Why a file cannot be followed, apart from the following so that the search for rotated files can
//! say it too.

use std::io;

/// Why a file cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowFault {
    /// Nothing stands there; worth another try, for it may be in the middle of a rotation.
    #[error("{0} does not exist; it is read as soon as it does")]
    Missing(String),
    /// It is a directory, pipe or device.
    #[error("{0} is no regular file; name the log itself")]
    Irregular(String),
    /// The system refuses.
    #[error("{path} cannot be read: {fault}; may this user read it and its directory?")]
    Io {
        /// The file.
        path: String,
        /// Why.
        fault: io::Error,
    },
}
