//! The binary: nothing but the hand-over to the command line, so that all behaviour lies in the
//! library and its tests.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

use std::process::ExitCode;

fn main() -> ExitCode {
    redora::cli::main(redora::app::run)
}
