//! Each source in its rounds: a step is read, its facts and its place go into the ledger in one
//! transaction, and what it has to wait for is a row beside them. There is no queue between sources
//! and ledger, so a crash loses nothing but the step at hand, which is read again.
//!
//! A round begins by the schedule of its source and ends when everything up to its beginning is
//! read. Sources share the ledger and nothing else: one that is slow, limited or broken delays no
//! other.

mod board;
mod door;
mod forecast;
mod github;
mod inbox;
mod round;
mod rounds;
mod source;
mod step;
mod store;

pub use board::{Board, Standing};
pub use door::{ALERTMANAGER, Doors, GITHUB, INCIDENTS, PAGERDUTY, Refused};
pub use forecast::Survey;
pub use github::GitHub;
pub use round::{Clock, End, Told, round};
pub use rounds::{Rounds, Timed};
pub use source::{Reader, Source};
pub use step::Unseen;
pub use store::{Stood, Store, Wait};

#[cfg(test)]
mod tests;
