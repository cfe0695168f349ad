//! The binary: nothing but the hand-over to the command line, so that all behaviour lies in the
//! library and its tests.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;

use redora::config::Config;
use redora::process::System;

fn main() -> ExitCode {
    // The one call site of the agent: `redora::cli::main(redora::app::run)`.
    redora::cli::main(async |_: Config, _: Option<PathBuf>, mut system: System| {
        drop(system.boot);
        system.signals.stopped().await;
        Ok::<_, Infallible>(())
    })
}
