//! `redora slo …`: objectives apart from the agent that counts for them.

mod import;
mod rehearse;
mod rehearsed;

use super::args::SloCommand;
use super::outcome::Outcome;

/// Does what a subcommand says.
pub(super) fn slo(command: SloCommand) -> Outcome {
    match command {
        SloCommand::Import(options) => import::import(&options),
        SloCommand::Rehearse(options) => rehearse::rehearse(*options),
    }
}
