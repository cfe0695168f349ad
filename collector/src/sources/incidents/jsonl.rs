//! A followed log of incidents, one a line, into facts: where the following of files, which knows
//! no tongue, meets the tongues, which know no file.
//!
//! The form of redora's own lines stands in `record.rs`. Blank lines are passed over. A line
//! without its newline is read if it is whole already, because the last line of a log may never get
//! one; if it is not it may still grow, and is no fault.

use std::path::Path;

use redora_model::fact::Fact;

use super::follow::{self, Cursor, FollowFault, LINE_BYTES_MAX, Line, Sizes};
use super::reading::{Fault, Origin, Reading, Reject};
use super::record;
use super::statuspage;

/// What a log's lines are.
#[derive(Clone, Debug)]
pub enum Tongue {
    /// redora's own record.
    Record(Origin),
    /// An incident as a status page tells it.
    Statuspage(statuspage::Config),
}

/// What a step brought.
#[derive(Debug)]
pub struct Batch {
    /// The incidents.
    pub facts: Vec<Fact>,
    /// What was set aside, by the number of its line.
    pub bad: Vec<Reject>,
    /// Where the next step begins; to be stored with the facts.
    pub cursor: String,
    /// How many bytes of the log it read.
    pub bytes: u64,
    /// Whether there is more to read at once.
    pub more: bool,
    /// Whether the rest of an earlier file was not found, so that incidents may be missing.
    pub gap: bool,
}

/// Reads on from `cursor`, or from the beginning of the log, by one bounded step. A cursor that is
/// none costs reading the log again, and a gap: older files of a rotated log are not looked for.
///
/// # Errors
/// The file cannot be read; nothing is lost, and the same cursor may be tried again.
pub fn follow(path: &Path, cursor: Option<&str>, tongue: &Tongue) -> Result<Batch, FollowFault> {
    let known = known(cursor);
    let lost = cursor.is_some() && known.is_none();
    let mut reading = Reading::default();
    let step = follow::step(path, known.as_ref(), STEP_BYTES, |number, line| match line {
        Line::TooLong => reading.take(number, Err(Fault::TooLong { max: LINE_BYTES_MAX })),
        Line::Whole(bytes) => reading.take(number, tongue.read(bytes)),
        Line::Unended(bytes) => reading.facts.extend(tongue.read(bytes).ok().flatten()),
    })?;
    let Reading { facts, rejects: bad, .. } = reading;
    let cursor = serde_json::to_string(&step.cursor).expect("numbers and flags are JSON");
    let (bytes, more, gap) = (step.bytes, step.more, step.gap || lost);
    Ok(Batch { facts, bad, cursor, bytes, more, gap })
}

/// What there is to read of a log from `cursor` on, without reading it.
///
/// # Errors
/// The file cannot be read.
pub fn sizes(path: &Path, cursor: Option<&str>) -> Result<Sizes, FollowFault> {
    follow::sizes(path, known(cursor).as_ref())
}

/// How many bytes of that are not read by a later cursor.
#[must_use]
pub fn left(sizes: &Sizes, cursor: Option<&str>) -> u64 {
    sizes.left(known(cursor).as_ref())
}

fn known(cursor: Option<&str>) -> Option<Cursor> {
    cursor.and_then(|text| serde_json::from_str(text).ok())
}

impl Tongue {
    /// The incident of a line, if it holds anything.
    ///
    /// # Errors
    /// It holds something else.
    pub fn read(&self, line: &[u8]) -> Result<Option<Fact>, Fault> {
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        match self {
            Tongue::Record(origin) => record::line(line, origin).map(Some),
            Tongue::Statuspage(config) => statuspage::line(line, config).map(Some),
        }
    }
}

/// Some ten thousand incidents: enough to be quick, and little enough to hold.
pub const STEP_BYTES: u64 = 4 << 20;

#[cfg(test)]
mod tests;
