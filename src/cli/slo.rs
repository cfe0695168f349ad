//! `redora slo …`: objectives apart from the agent that counts for them.

mod rehearse;
mod rehearsed;

use super::args::SloCommand;
use super::outcome::Outcome;

/// Does what a subcommand says.
pub(super) fn slo(command: SloCommand) -> Outcome {
    match command {
        SloCommand::Rehearse(options) => rehearse::rehearse(*options),
    }
}
