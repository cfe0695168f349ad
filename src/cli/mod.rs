//! The command line: words in, an exit code out. Exit codes are 0 done, 1 failed while running, 2
//! wrong usage or configuration; data goes to stdout, logs and complaints to stderr.

mod args;
mod check;
mod columns;
mod complete;
mod configuration;
mod dora;
mod health;
mod outcome;
mod render;
mod run;
mod slo;
mod values;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::app::AppError;
use crate::config::Config;
use crate::process::System;
use args::{Args, Command};

/// Reads the command line of this process and does what it says.
///
/// `run` is the agent itself, called for `redora run` on a multi-threaded tokio runtime with the
/// checked configuration, the file that it came from (read again on reload; none with built-in
/// defaults) and what the system gives. It ends after the drain; an error becomes exit code 1 or 2.
/// It is an argument because the wiring of the agent does not belong to its door.
pub fn main<R>(run: R) -> ExitCode
where
    R: AsyncFnOnce(Config, Option<PathBuf>, System) -> Result<(), AppError>,
{
    // A usage error leaves here with exit code 2, --help and --version with 0.
    let args = Args::parse();
    match args.command.unwrap_or(Command::Run(args.run)) {
        Command::Run(options) => run::run(options, run),
        Command::Check(options) => check::check(options),
        Command::Health(options) => health::health(&options),
        Command::Render(options) => render::render(options),
        Command::Slo(command) => slo::slo(command),
        Command::Dora(command) => dora::dora(command),
        Command::Completions(options) => complete::completions(options.shell),
    }
    .into()
}
