//! How fast a source is being read, and when it will be. The pace of the last minute and not that
//! since the beginning, because queries, lists and a server's moods differ by more than any average
//! tells; and only of time that was worked, because a wait for a limit says nothing of the pace.

use std::collections::VecDeque;

/// The last minute of work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pace {
    /// When the work at hand began.
    since_ms: i64,
    parts: VecDeque<Part>,
}

/// Some work: what it took, and what it takes as a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) took_ms: u64,
    pub(super) usual_ms: u64,
}

impl Pace {
    pub(super) fn from(since_ms: i64) -> Self {
        Self { since_ms, parts: VecDeque::new() }
    }

    /// Some work is done, begun when that before was or when the wait was over.
    pub(super) fn worked(&mut self, now_ms: i64, usual_ms: u64) {
        let took_ms = u64::try_from(now_ms.saturating_sub(self.since_ms)).unwrap_or(0);
        self.since_ms = now_ms;
        match self.parts.back_mut().filter(|last| last.took_ms < PART_MS) {
            Some(last) => {
                last.took_ms += took_ms;
                last.usual_ms += usual_ms;
            }
            None => self.parts.push_back(Part { took_ms, usual_ms }),
        }
        while self.parts.len() > 1 && self.lately().took_ms - self.parts[0].took_ms >= LATELY_MS {
            self.parts.pop_front();
        }
    }

    /// Nothing is done before then.
    pub(super) fn waits(&mut self, until_ms: i64) {
        self.since_ms = until_ms;
    }

    /// The work of the last minute.
    pub(super) fn lately(&self) -> Part {
        let sum = |all: Part, part: &Part| Part {
            took_ms: all.took_ms + part.took_ms,
            usual_ms: all.usual_ms + part.usual_ms,
        };
        self.parts.iter().fold(Part::default(), sum)
    }
}

/// How long what usually takes `left_ms` still lasts: at the pace of the last work, or the usual
/// one before there was any, and after a wait that is known.
pub(super) fn eta_ms(left_ms: u64, lately: Part, wait_ms: u64) -> u64 {
    let Part { took_ms, usual_ms } = lately;
    let work_ms = match usual_ms {
        0 => left_ms,
        usual_ms => {
            let work_ms = u128::from(left_ms) * u128::from(took_ms) / u128::from(usual_ms);
            u64::try_from(work_ms).unwrap_or(u64::MAX)
        }
    };
    work_ms.saturating_add(wait_ms)
}

/// Long enough to hold some dozen requests, short enough to follow a server that gets slow.
const LATELY_MS: u64 = 60_000;
/// Steps are taken together up to here, so that a minute of quick ones is no long list.
const PART_MS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_lasts_as_long_as_the_last_minute_tells() {
        let part = |took_ms, usual_ms| Part { took_ms, usual_ms };
        for (left_ms, lately, wait_ms, eta, why) in [
            (90_000, part(0, 0), 0, 90_000, "the usual pace before any other"),
            (90_000, part(60_000, 60_000), 0, 90_000, "the usual pace"),
            (90_000, part(60_000, 20_000), 0, 270_000, "three times as slow"),
            (90_000, part(10_000, 60_000), 0, 15_000, "six times as fast"),
            (90_000, part(60_000, 60_000), 600_000, 690_000, "after a limit"),
            (0, part(60_000, 1), 0, 0, "nothing is left"),
            (0, part(0, 0), 5_000, 5_000, "only a wait is left"),
            (90_000, part(60_000, 0), 0, 90_000, "it took time and did nothing"),
            (u64::MAX, part(u64::MAX, 1), u64::MAX, u64::MAX, "as long as can be told"),
        ] {
            assert_eq!(eta_ms(left_ms, lately, wait_ms), eta, "{why}");
        }
    }

    #[test]
    fn a_minute_is_remembered_and_a_wait_is_no_work() {
        let mut pace = Pace::from(0);
        for at_s in 1..=300 {
            pace.worked(at_s * 1_000, 500);
        }
        assert_eq!(pace.lately(), Part { took_ms: 60_000, usual_ms: 30_000 });
        pace.waits(3_600_000);
        pace.worked(3_601_000, 2_000);
        assert_eq!(pace.lately(), Part { took_ms: 60_000, usual_ms: 31_500 });
        for at_ms in 0..100_000 {
            pace.worked(3_601_000 + at_ms, 1);
        }
        assert!(pace.parts.len() < 70, "{}", pace.parts.len());
        let mut set_back = Pace::from(10_000);
        set_back.worked(0, 100);
        assert_eq!(set_back.lately(), Part { took_ms: 0, usual_ms: 100 });
    }
}
