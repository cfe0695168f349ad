//! `redora completions`: the script is made in memory first, because the generator panics on a
//! stdout that closes early.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Outcome;
use super::args::Args;

/// Prints the completion script of a shell.
pub(super) fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "redora", &mut script);
    super::print(&script)
}
