//! The command line: words in, an exit code out. Exit codes are 0 done, 1 failed while running, 2
//! wrong usage or configuration; data goes to stdout, logs and complaints to stderr.

mod args;
mod check;
mod complete;
mod configuration;
mod health;
mod run;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::config::Config;
use crate::process::System;
use args::{Args, Command};

/// What every command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
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

/// Reads the command line of this process and does what it says.
///
/// `run` is the agent itself, called for `redora run` on a multi-threaded tokio runtime with the
/// checked configuration, the file that it came from (read again on reload; none with built-in
/// defaults) and what the system gives. It ends after the drain; an error becomes exit code 1. It is
/// an argument because the wiring of the agent does not belong to its door.
pub fn main<R, E>(run: R) -> ExitCode
where
    R: AsyncFnOnce(Config, Option<PathBuf>, System) -> Result<(), E>,
    E: Display,
{
    // A usage error leaves here with exit code 2, --help and --version with 0.
    let args = Args::parse();
    match args.command.unwrap_or(Command::Run(args.run)) {
        Command::Run(options) => run::run(options, run),
        Command::Check(options) => check::check(options),
        Command::Health(options) => health::health(&options),
        Command::Completions(options) => complete::completions(options.shell),
    }
    .into()
}

/// Writes data to stdout. A reader that left early, as `head` does, has what it wanted and is no
/// failure.
fn print(data: &[u8]) -> Outcome {
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
fn complain(complaint: &dyn Display) {
    // Without stderr there is nobody left to tell; the exit code still says it.
    let _ = writeln!(io::stderr(), "error: {complaint}");
}
