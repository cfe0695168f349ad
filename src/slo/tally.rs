//! What is counted for one objective: totals for Prometheus since the start, and buckets for burn
//! rates and the budget, which outlive the process.
//!
//! Buckets are a minute for windows of up to two hours, a quarter of an hour for up to three days,
//! and a 720th of a rolling window for its budget. A calendar window needs none: it ends at once.

use redora_model::slo::{Counts, Period, Window};

use super::calendar::{Stretch, Zone};
use super::config::Watched;
use super::ring::Ring;
use super::slice::Slice;
use super::timeline::Timeline;
use crate::series::{Carry, Weights};

/// Good and bad events of one objective.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// When it was begun, by the wall clock; 0 until that was looked at.
    born_ms: u64,
    totals: Counts,
    good_carry: Carry,
    bad_carry: Carry,
    pub(super) minutes: Ring,
    pub(super) quarters: Ring,
    pub(super) spent: Spent,
    /// Where slices of time are the events.
    pub(super) slice: Option<Slice>,
}

/// The events of the objective's own window.
#[derive(Clone, Debug)]
pub(super) enum Spent {
    /// Of the last so many seconds.
    Rolling { ring: Ring, seconds: u64 },
    /// Since the start of the period that was begun last; the present one is another as long as the
    /// clock is set back.
    Calendar { zone: Zone, period: Period, stretch: Stretch, begun: Stretch, counts: Counts },
}

impl Tally {
    /// No events yet.
    pub(super) fn new(watched: &Watched, time: Timeline) -> Self {
        let at_ms = time.at_ms();
        let spent = match &watched.objective.window {
            Window::Rolling { seconds } => {
                let bucket_ms = (seconds * 1000 / BUDGET_BUCKETS as u64).max(1);
                Spent::Rolling {
                    ring: Ring::new(bucket_ms, BUDGET_BUCKETS, at_ms),
                    seconds: *seconds,
                }
            }
            Window::Calendar { period, time_zone } => {
                // Whoever configures has asked for the zone before; without one UTC is a calendar.
                let zone = Zone::parse(time_zone).unwrap_or_else(Zone::utc);
                let stretch = zone.stretch(*period, time.wall_ms());
                let counts = Counts::default();
                Spent::Calendar { zone, period: *period, stretch, begun: stretch, counts }
            }
        };
        Self {
            born_ms: time.wall_ms(),
            totals: Counts::default(),
            good_carry: Carry::default(),
            bad_carry: Carry::default(),
            minutes: Ring::new(MINUTE_MS, MINUTES, at_ms),
            quarters: Ring::new(QUARTER_MS, QUARTERS, at_ms),
            spent,
            slice: watched.slices.map(Slice::new),
        }
    }

    /// The same in a process that begins now, and counts from 0 again.
    pub(super) fn reborn(self, time: Timeline) -> Self {
        Self { born_ms: time.wall_ms(), ..self }
    }

    /// Adds what a batch holds; every slice before it has ended.
    pub(super) fn add(&mut self, good: Weights, bad: Weights, at_ms: u64) {
        let counts =
            Counts { good: self.good_carry.take_all(good), bad: self.bad_carry.take_all(bad) };
        match &mut self.slice {
            Some(slice) => slice.add(at_ms, counts),
            None => self.count(counts, at_ms),
        }
    }

    /// Moves on: a slice that has ended counts as of its last moment, and a period that is over
    /// makes the budget whole.
    pub(super) fn advance(&mut self, time: Timeline) {
        if let Some(ended) = self.slice.as_mut().and_then(|slice| slice.end(time.at_ms())) {
            self.turn(time.wall_ms_at(ended.last_ms));
            self.count(ended.event, ended.last_ms);
        }
        self.turn(time.wall_ms());
    }

    fn count(&mut self, counts: Counts, at_ms: u64) {
        self.totals = self.totals.and(counts);
        self.minutes.add(at_ms, counts);
        self.quarters.add(at_ms, counts);
        match &mut self.spent {
            Spent::Rolling { ring, .. } => ring.add(at_ms, counts),
            Spent::Calendar { counts: spent, .. } => *spent = spent.and(counts),
        }
    }

    /// Begins the period that the wall clock shows, if it is a later one. A clock that is set back
    /// changes the period's length and gives no budget back, nor does one that is set right again.
    fn turn(&mut self, wall_ms: u64) {
        if self.born_ms == 0 {
            self.born_ms = wall_ms;
        }
        let Spent::Calendar { zone, period, stretch, begun, counts } = &mut self.spent else {
            return;
        };
        if (stretch.start_ms..stretch.end_ms).contains(&wall_ms) {
            return;
        }
        let before = std::mem::replace(stretch, zone.stretch(*period, wall_ms));
        if wall_ms >= before.end_ms && stretch != begun {
            (*begun, *counts) = (*stretch, Counts::default());
        }
    }

    /// When its totals were 0.
    pub(super) fn born_ms(&self) -> u64 {
        self.born_ms
    }

    /// Events since the start of the process.
    pub(super) fn totals(&self) -> Counts {
        self.totals
    }

    /// Events of the last so many seconds, at most three days.
    pub(super) fn last(&self, seconds: u64, at_ms: u64) -> Counts {
        let fits = seconds * 1000 <= MINUTE_MS * MINUTES as u64;
        let ring = if fits { &self.minutes } else { &self.quarters };
        ring.sum(at_ms, seconds * 1000)
    }

    /// Events of the objective's own window.
    pub(super) fn spent(&self, at_ms: u64) -> Counts {
        match &self.spent {
            Spent::Rolling { ring, seconds } => ring.sum(at_ms, seconds * 1000),
            Spent::Calendar { counts, .. } => *counts,
        }
    }

    /// The length of the objective's own window, of a calendar's that of the present period.
    pub(super) fn window_s(&self) -> u64 {
        match &self.spent {
            Spent::Rolling { seconds, .. } => *seconds,
            Spent::Calendar { stretch, .. } => stretch.seconds(),
        }
    }
}

const MINUTE_MS: u64 = 60_000;
/// Two hours.
const MINUTES: usize = 120;
const QUARTER_MS: u64 = 900_000;
/// Three days.
const QUARTERS: usize = 288;
/// An hour each for thirty days.
const BUDGET_BUCKETS: usize = 720;
