//! The buckets of every objective as bytes, so that a restart gives no budget back.
//!
//! Format: `redora-slo` in ASCII, one byte of version (2), the CRC-32 of what follows (four bytes,
//! little-endian), then numbers as LEB128 and texts as their length and UTF-8: the wall clock and
//! the timeline in milliseconds, the number of objectives, and for each its service, its name, its
//! identity, start, end, good and bad of its period (0 where it has none), and its rings: minutes,
//! quarters of an hour, budget (empty where it has none), and number, good and bad of the slice
//! that is under way (0 where it has none). A ring is the number of its filled buckets, and of each
//! its distance from the one before, good and bad. Version 1, which is read as well, has no slices.

use flate2::Crc;
use redora_model::slo::Counts;
use thiserror::Error;

use super::calendar::Stretch;
use super::config::Watched;
use super::ring::Ring;
use super::slice::Slice;
use super::tally::{Spent, Tally};
use super::timeline::Timeline;

/// Why bytes are no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StateFault {
    /// It does not begin as one.
    #[error("is no state of objectives")]
    Foreign,
    /// Another version wrote it.
    #[error("was written by another version of redora, in format {0}")]
    Version(u8),
    /// Bytes are missing or are not what was written.
    #[error("is damaged: its checksum does not hold")]
    Checksum,
    /// The checksum holds, and what it covers makes no sense.
    #[error("is damaged: it ends early or holds a number that is none")]
    Content,
}

/// Writes down where the timeline is and what is in the buckets.
pub(super) fn write<'t>(
    time: Timeline,
    tallies: impl ExactSizeIterator<Item = (&'t Watched, &'t Tally)>,
) -> Vec<u8> {
    let mut body = Vec::new();
    number(&mut body, time.wall_ms());
    number(&mut body, time.at_ms());
    number(&mut body, tallies.len() as u64);
    for (watched, tally) in tallies {
        let objective = &watched.objective;
        for part in [objective.service.as_str(), &objective.name, &watched.identity()] {
            number(&mut body, part.len() as u64);
            body.extend_from_slice(part.as_bytes());
        }
        let (stretch, counts, budget) = match &tally.spent {
            Spent::Calendar { begun, counts, .. } => (*begun, *counts, None),
            Spent::Rolling { ring, .. } => (Stretch::default(), Counts::default(), Some(ring)),
        };
        for value in [stretch.start_ms, stretch.end_ms, counts.good, counts.bad] {
            number(&mut body, value);
        }
        for kept in [Some(&tally.minutes), Some(&tally.quarters), budget] {
            ring(&mut body, kept);
        }
        let (slice, counts) = tally.slice.as_ref().map(Slice::filled).unwrap_or_default();
        for value in [slice, counts.good, counts.bad] {
            number(&mut body, value);
        }
    }
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    bytes.extend_from_slice(&checksum(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

fn ring(body: &mut Vec<u8>, ring: Option<&Ring>) {
    let filled: Vec<_> = ring.into_iter().flat_map(Ring::filled).collect();
    number(body, filled.len() as u64);
    let mut before = 0;
    for (bucket, counts) in filled {
        for value in [bucket - before, counts.good, counts.bad] {
            number(body, value);
        }
        before = bucket;
    }
}

/// What was written down.
#[derive(Debug)]
pub(super) struct State {
    pub(super) time: Timeline,
    pub(super) kept: Vec<Kept>,
}

/// What was written down of one objective.
#[derive(Debug)]
pub(super) struct Kept {
    service: String,
    name: String,
    identity: String,
    stretch: Stretch,
    counts: Counts,
    /// Minutes, quarters of an hour, budget.
    rings: [Vec<(u64, Counts)>; 3],
    /// The slice that was under way.
    slice: (u64, Counts),
}

impl Kept {
    /// Whether it is of this objective as it is now.
    pub(super) fn is_of(&self, watched: &Watched) -> bool {
        let objective = &watched.objective;
        self.service == objective.service.as_str()
            && self.name == objective.name
            && self.identity == watched.identity()
    }

    /// Everything as it was then.
    pub(super) fn tally(&self, watched: &Watched, then: Timeline) -> Tally {
        let mut tally = Tally::new(watched, then);
        let [minutes, quarters, budget] = &self.rings;
        let put = |ring: &mut Ring, filled: &[(u64, Counts)]| {
            filled.iter().for_each(|(bucket, counts)| ring.put(*bucket, *counts));
        };
        put(&mut tally.minutes, minutes);
        put(&mut tally.quarters, quarters);
        match &mut tally.spent {
            Spent::Rolling { ring, .. } => put(ring, budget),
            Spent::Calendar { stretch, begun, counts, .. } => {
                (*stretch, *begun, *counts) = (self.stretch, self.stretch, self.counts);
            }
        }
        if let Some(slice) = &mut tally.slice {
            slice.put(self.slice, then.at_ms());
        }
        tally
    }
}

/// Reads what [`write`] wrote.
pub(super) fn read(bytes: &[u8]) -> Result<State, StateFault> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(StateFault::Foreign)?;
    let (version, rest) = rest.split_first().ok_or(StateFault::Checksum)?;
    let has_slices = match *version {
        WITHOUT_SLICES => false,
        VERSION => true,
        other => return Err(StateFault::Version(other)),
    };
    let (sum, body) = rest.split_first_chunk().ok_or(StateFault::Checksum)?;
    if u32::from_le_bytes(*sum) != checksum(body) {
        return Err(StateFault::Checksum);
    }
    let mut reader = Reader(body);
    let state = reader.state(has_slices).ok_or(StateFault::Content)?;
    if reader.0.is_empty() { Ok(state) } else { Err(StateFault::Content) }
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn state(&mut self, has_slices: bool) -> Option<State> {
        let (wall_ms, at_ms) = (self.number()?, self.number()?);
        let objectives = self.number()?;
        let mut kept = Vec::new();
        for _ in 0..objectives {
            kept.push(self.kept(has_slices)?);
        }
        Some(State { time: Timeline::resumed(at_ms, wall_ms), kept })
    }

    fn kept(&mut self, has_slices: bool) -> Option<Kept> {
        let (service, name, identity) = (self.text()?, self.text()?, self.text()?);
        let stretch = Stretch { start_ms: self.number()?, end_ms: self.number()? };
        let counts = self.counts()?;
        let rings = [self.ring()?, self.ring()?, self.ring()?];
        let slice = if has_slices { (self.number()?, self.counts()?) } else { Default::default() };
        (stretch.start_ms <= stretch.end_ms).then_some(Kept {
            service,
            name,
            identity,
            stretch,
            counts,
            rings,
            slice,
        })
    }

    fn counts(&mut self) -> Option<Counts> {
        Some(Counts { good: self.number()?, bad: self.number()? })
    }

    fn ring(&mut self) -> Option<Vec<(u64, Counts)>> {
        let filled = self.number()?;
        let mut buckets = Vec::new();
        let mut bucket = 0_u64;
        for _ in 0..filled {
            bucket = bucket.checked_add(self.number()?)?;
            buckets.push((bucket, self.counts()?));
        }
        Some(buckets)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return None;
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

fn number(body: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        body.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    body.push(value as u8);
}

fn checksum(body: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(body);
    crc.sum()
}

const MAGIC: &[u8] = b"redora-slo";
const VERSION: u8 = 2;
const WITHOUT_SLICES: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A body with a checksum that holds.
    fn sealed(body: &[u8]) -> Vec<u8> {
        [MAGIC, &[VERSION], &checksum(body).to_le_bytes(), body].concat()
    }

    #[test]
    fn numbers_come_back_and_those_beyond_64_bits_are_none() {
        for value in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::MAX - 1, u64::MAX] {
            let mut body = Vec::new();
            number(&mut body, value);
            assert_eq!(Reader(&body).number(), Some(value));
            assert_eq!(Reader(&body[..body.len() - 1]).number(), None, "{value} cut");
        }
        let mut beyond = vec![0xff; 9];
        beyond.push(2);
        assert_eq!(Reader(&beyond).number(), None);
        assert_eq!(Reader(&[0x80; 11]).number(), None);
    }

    #[test]
    fn counts_that_promise_more_than_there_is_end_early() {
        let mut body = vec![0, 0];
        number(&mut body, u64::MAX);
        assert_eq!(read(&sealed(&body)).err(), Some(StateFault::Content));
        assert_eq!(read(&sealed(&[0, 0, 0, 0])).err(), Some(StateFault::Content));
        assert!(read(&sealed(&[0, 0, 0])).is_ok_and(|state| state.kept.is_empty()));
    }

    proptest! {
        #[test]
        fn any_body_is_answered(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _read = read(&sealed(&body));
            let _read = read(&body);
        }
    }
}
