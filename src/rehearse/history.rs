//! A history as JSON lines, which any tool can write that has counted something: a query of a
//! warehouse, an export of another monitoring system, a guess about the year to come.
//!
//! Format: a JSON object a line in UTF-8, at most [`LINE_BYTES_MAX`] bytes; blank lines are passed
//! over. Lines are numbered from 1, the blank ones too.
//!
//! | key | what |
//! | --- | --- |
//! | `at` | the time from which on the events happened, RFC 3339 with an offset |
//! | `service`, `slo` | the objective |
//! | `good`, `bad` | whole numbers of events |
//!
//! A record covers the time up to the next one of its objective, at most a minute: its events are
//! counted at the end of the minute that `at` lies in, with those of other records of it. Where
//! there is no record nothing happened. The records of an objective are in the order of time, to
//! the minute; those of several may be mixed.

use std::io::{self, BufRead, Read};

use redora_model::slo::Counts;
use serde::Deserialize;

use super::play::{Late, Name, Recorded, Rehearsal};

/// A line that was set aside.
#[derive(Debug, thiserror::Error)]
#[error("line {number}: {fault}")]
pub struct BadLine {
    /// Its number, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub fault: LineFault,
}

/// Why a line was set aside.
#[derive(Debug, thiserror::Error)]
pub enum LineFault {
    /// It is longer than any record.
    #[error("longer than {LINE_BYTES_MAX} bytes; is this a file of one record a line?")]
    TooLong,
    /// It is no JSON, or not the JSON of a record.
    #[error(
        "no record: {0}; write {{\"at\": \"2026-01-01T00:00:00Z\", \"service\": \"shop\", \
         \"slo\": \"availability\", \"good\": 120, \"bad\": 3}}"
    )]
    Json(#[from] serde_json::Error),
    /// Its time is none.
    #[error("`at` is no time after 1970; write it as 2026-01-01T00:00:00Z")]
    Moment,
    /// It names no objective.
    #[error("a record needs a service and an slo that are not empty")]
    Nameless,
    /// It cannot be counted.
    #[error(transparent)]
    Late(#[from] Late),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    at: String,
    service: String,
    slo: String,
    good: u64,
    bad: u64,
}

/// Reads a history to its end and tells it to a rehearsal; records after `until_min` are passed
/// over. Lines that are none go to `on_bad`. `moment` reads RFC 3339 into milliseconds.
///
/// # Errors
/// The input cannot be read any further.
pub fn read(
    input: impl BufRead,
    rehearsal: &mut Rehearsal,
    until_min: Option<u64>,
    moment: fn(&str) -> Option<i64>,
    mut on_bad: impl FnMut(BadLine),
) -> io::Result<()> {
    lines(input, LINE_BYTES_MAX, |number, line| {
        let line = line.ok_or(LineFault::TooLong);
        if let Err(fault) = line.and_then(|line| take(line, rehearsal, until_min, moment)) {
            on_bad(BadLine { number, fault });
        }
    })
}

/// Hands each line of an input to `on_line` with its number from 1; nothing for one of more than
/// `bytes_max` bytes.
///
/// # Errors
/// The input cannot be read any further.
pub fn lines(
    mut input: impl BufRead,
    bytes_max: u64,
    mut on_line: impl FnMut(u64, Option<&[u8]>),
) -> io::Result<()> {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        input.by_ref().take(bytes_max + 1).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        let is_whole = bytes.len() as u64 <= bytes_max;
        if !is_whole && bytes.last() != Some(&b'\n') {
            input.skip_until(b'\n')?;
        }
        on_line(number, is_whole.then_some(&bytes[..]));
    }
    Ok(())
}

fn take(
    line: &[u8],
    rehearsal: &mut Rehearsal,
    until_min: Option<u64>,
    moment: fn(&str) -> Option<i64>,
) -> Result<(), LineFault> {
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    let Record { at, service, slo, good, bad } = serde_json::from_slice(line)?;
    if service.is_empty() || slo.is_empty() {
        return Err(LineFault::Nameless);
    }
    let at_ms = moment(&at).and_then(|ms| u64::try_from(ms).ok()).ok_or(LineFault::Moment)?;
    let end_min = at_ms / 60_000 + 1;
    if until_min.is_some_and(|until_min| end_min > until_min) {
        return Ok(());
    }
    let name = Name { service, slo };
    Ok(rehearsal.tell(&name, end_min, Counts { good, bad }, Recorded::default())?)
}

/// Many times the longest record.
pub const LINE_BYTES_MAX: u64 = 16 << 10;

#[cfg(test)]
mod tests;
