//! How a command ends and speaks: its exit code, its data on stdout, its complaints on stderr. The
//! print macros would panic on a closed pipe.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// What every command ends with, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// The command did what it was asked for.
    Done,
    /// The command could not do it, though it was asked well.
    Failed,
    /// The usage or the configuration is wrong.
    Wrong,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::Wrong => 2,
        })
    }
}

/// Writes data to stdout. A reader that left early, as `head` does, has what it wanted and is no
/// failure.
pub(super) fn print(data: &[u8]) -> Outcome {
    let mut out = io::stdout().lock();
    match out.write_all(data).and_then(|()| out.flush()) {
        Ok(()) => Outcome::Done,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Done,
        Err(error) => {
            complain(&format_args!("cannot write to stdout: {error}"));
            Outcome::Failed
        }
    }
}

/// Writes a complaint to stderr, in the form that clap uses too.
pub(super) fn complain(complaint: &dyn Display) {
    // Without stderr there is nobody left to tell; the exit code still says it.
    let _ = writeln!(io::stderr(), "error: {complaint}");
}

/// Writes to stderr what is no complaint but worth a look.
pub(super) fn tell(note: &dyn Display) {
    let _ = writeln!(io::stderr(), "{note}");
}
