//! A local clone or bare repository into facts, read through its objects and not through the `git`
//! program, which an image without a shell does not have.
//!
//! [`read`] hands out a [`Commit`](redora_model::fact::Commit) for every commit of one branch and
//! of all tags that the last reading did not see, and a
//! [`Deployment`](redora_model::fact::Deployment) for every tag that a rule names. It blocks on the
//! disk: call it where blocking is allowed. It never writes to the repository, and fetching is left
//! to whoever keeps the clone.

mod config;
mod cursor;
mod error;
mod object;
mod patch;
mod read;
mod tags;
mod walk;

pub use config::{Config, ServicePaths, TagRule};
pub use cursor::{Cursor, Fault, Reading, Rewrite, Skipped};
pub use error::GitError;
pub use read::{Fresh, count, read};

#[cfg(test)]
mod tests;
