//! `redora completions`: the script is made in memory first, because the generator panics on a
//! stdout that closes early.

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Args;
use super::outcome::{self, Outcome};

/// Prints the completion script of a shell.
pub(super) fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "redora", &mut script);
    outcome::print(&script)
}
