//! Incidents from the logs and hooks that already tell of them, so that nobody keeps a second list
//! for DORA's sake. Each tongue is a pure function from bytes to facts; the one part that touches
//! the disk, [`follow`], knows no tongue.
//!
//! Order of arrival is never trusted: a fact's `as_of_ms` comes from the payload's own times, so a
//! delivery that is repeated or late leaves the same facts holding.

pub mod alertmanager;
pub mod follow;
pub mod generic;
pub mod jsonl;
mod moment;
pub mod pagerduty;
mod reading;
mod record;
pub mod statuspage;
mod turns;

pub use reading::{ELEMENTS_MAX, Fault, Origin, Reading, Reject};
