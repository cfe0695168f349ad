//! What this build is, told by the build itself, because a binary cannot ask a repository.

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The revision that this build was made from, when the build was told in `REDORA_REVISION`.
pub const REVISION: Option<&str> = match option_env!("REDORA_REVISION") {
    Some(revision) if !revision.is_empty() => Some(revision),
    _ => None,
};
