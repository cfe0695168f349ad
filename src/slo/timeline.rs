//! The time that windows are reckoned in: it runs with the wall clock and never goes back, since a
//! clock that is set back would otherwise open windows that were closed.

/// How far back the wall clock goes before it counts as set. Requests that were stamped one after
/// the other may be counted in another order, and NTP slews.
const SET_BACK_MS: u64 = 10_000;

/// A moment that only moves forward, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timeline {
    /// The moment. It is the wall clock's as long as that is never set back.
    at_ms: u64,
    /// What the wall clock showed there; 0 before it was looked at.
    wall_ms: u64,
}

impl Timeline {
    /// Goes on from a moment at which the wall clock showed this.
    pub(super) fn resumed(at_ms: u64, wall_ms: u64) -> Self {
        Self { at_ms, wall_ms }
    }

    /// Moves on to what the wall clock shows. Set forward, it takes everything in between for past;
    /// set back, it goes on from where it was.
    pub(super) fn advance(&mut self, wall_ms: u64) {
        if self.wall_ms == 0 {
            (self.at_ms, self.wall_ms) = (wall_ms, wall_ms);
        } else if wall_ms > self.wall_ms {
            self.at_ms = self.at_ms.saturating_add(wall_ms - self.wall_ms);
            self.wall_ms = wall_ms;
        } else if self.wall_ms - wall_ms > SET_BACK_MS {
            self.wall_ms = wall_ms;
        }
    }

    pub(super) fn at_ms(self) -> u64 {
        self.at_ms
    }

    pub(super) fn wall_ms(self) -> u64 {
        self.wall_ms
    }

    /// What the wall clock showed at an earlier moment, if it was not set since.
    pub(super) fn wall_ms_at(self, at_ms: u64) -> u64 {
        self.wall_ms.saturating_sub(self.at_ms.saturating_sub(at_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_with_the_wall_clock_and_never_back() {
        let mut timeline = Timeline::default();
        for (wall_ms, at_ms) in [
            (1_000_000, 1_000_000),
            (1_060_000, 1_060_000),
            // Two requests in another order.
            (1_059_990, 1_060_000),
            (1_060_010, 1_060_010),
            // Set back by ten minutes, and a minute more.
            (460_010, 1_060_010),
            (520_010, 1_120_010),
            // Set right again, and what is between is past.
            (1_120_010, 1_720_010),
            (1_120_011, 1_720_011),
        ] {
            timeline.advance(wall_ms);
            assert_eq!(timeline.at_ms(), at_ms, "at {wall_ms}");
        }
    }
}
