//! The one room that asks the system for time, randomness, environment and signals, so that every
//! other room takes them as arguments and can be tested without a machine around it.

mod clock;
mod descriptors;
mod drain;
mod log_lines;
mod logs;
mod signals;
mod system;
mod telemetry;
mod traces;
mod version;
mod whole_file;

pub use clock::{Clock, ManualClock};
pub use descriptors::descriptors_max;
pub use drain::{Drain, Unfinished};
pub use logs::{Fault as LogFault, Format as LogFormat, Settings as LogSettings};
pub use signals::{Signals, signals};
pub use system::System;
pub use telemetry::{Telemetry, TelemetryError};
pub use traces::spans;
pub use version::{REVISION, VERSION};
pub use whole_file::{load_whole, save_whole, set_aside};

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// How long a stop may take before the process leaves with work unfinished.
///
/// Ten seconds is the patience of `docker stop`, a third of that of Kubernetes, and the longest an
/// SDK waits for one export. It is shared: [`FLUSH_LIMIT`] of it is kept for the last own traces.
pub const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The part of [`STOP_LIMIT`] that is kept for sending the last own traces and log lines.
pub const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// The part of [`STOP_LIMIT`] in which every organ has to end.
pub const DRAIN_LIMIT: Duration = STOP_LIMIT.saturating_sub(FLUSH_LIMIT);

/// The value of an environment variable; `None` when it is unset or is not Unicode.
///
/// An empty value is returned as it is, since only its reader knows whether empty means unset.
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the one place that asks"))]
pub fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A random number that differs from run to run, for the hashers of tables whose keys come from
/// outside.
pub fn seed() -> u64 {
    // The standard library draws its hash keys from the system once per thread, which saves a
    // dependency.
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ() {
        assert_ne!(seed(), seed());
    }

    #[test]
    fn the_environment_is_read_and_absence_is_told() {
        assert!(env("PATH").is_some());
        assert_eq!(env("REDORA_NO_SUCH_VARIABLE"), None);
    }
}
