//! The binary: nothing but the hand-over to the command line, so that all behaviour lies in the library and its tests.

use std::convert::Infallible;
use std::process::ExitCode;

fn main() -> ExitCode {
    redora::cli::main(async |mut start: redora::cli::Start| {
        drop(start.boot);
        start.signals.stopped().await;
        Ok::<_, Infallible>(())
    })
}
