//! What the RED book keeps for one operation: both outcomes in one row, so that the counter of
//! errors stands at 0 from the operation's first request on, and lives as long as it.

use super::histogram::{Histogram, Observation, Shape};
use super::outcome::{Kind, Outcome, Status};
use crate::series::{Carry, Row, Weight};

/// What a commit knows beside the hits: the batch's observations, to which hits point, and the
/// time.
#[derive(Debug)]
pub struct Commit<'c> {
    /// The histograms' common shape.
    pub shape: &'c Shape,
    /// The spans of the batch.
    pub observations: &'c [Observation],
    /// When the batch arrived.
    pub now_ms: u64,
}

/// One span on its row.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Its place in the batch's observations.
    pub observation: u32,
    /// Which of the row's sides it belongs to.
    pub side: u8,
    /// How it was answered.
    pub status: Status,
    /// How many requests it stands for.
    pub weight: Weight,
}

/// Both outcomes of an operation.
#[derive(Debug)]
pub struct Requests {
    sides: [Side; 2],
}

/// One outcome: counts by status, and durations once there was one.
#[derive(Debug, Default)]
pub struct Side {
    statuses: Vec<(Status, u64)>,
    carry: Carry,
    histogram: Option<Box<Histogram>>,
}

impl Requests {
    /// The row of an operation whose first request is about to be counted; the other outcome stands
    /// at 0.
    #[must_use]
    pub fn born(kind: Kind, outcome: Outcome, status: Status) -> Self {
        let mut row = Self { sides: [Side::default(), Side::default()] };
        let other = 1 - outcome as usize;
        row.sides[other].statuses = vec![(status.opposite(kind, outcome), 0)];
        row
    }

    /// The counts of an outcome.
    #[must_use]
    pub fn side(&self, outcome: Outcome) -> &Side {
        &self.sides[outcome as usize]
    }
}

impl Side {
    /// Requests by status.
    #[must_use]
    pub fn statuses(&self) -> &[(Status, u64)] {
        &self.statuses
    }

    /// Durations, if there were any.
    #[must_use]
    pub fn histogram(&self) -> Option<&Histogram> {
        self.histogram.as_deref()
    }

    fn count(&mut self, status: Status, count: u64) {
        match self.statuses.iter_mut().find(|(known, _)| *known == status) {
            Some((_, total)) => *total = total.saturating_add(count),
            None => {
                self.statuses.reserve_exact(1);
                self.statuses.push((status, count));
            }
        }
    }
}

impl Row for Requests {
    type Hit = Hit;
    type Context<'c> = Commit<'c>;

    fn apply(&mut self, hit: Hit, commit: &Commit<'_>) {
        let side = &mut self.sides[usize::from(hit.side)];
        let count = side.carry.take(hit.weight);
        side.count(hit.status, count);
        let observation = &commit.observations[hit.observation as usize];
        if let (Some(nanos), 1..) = (observation.nanos, count) {
            let histogram =
                side.histogram.get_or_insert_with(|| Histogram::new(commit.shape).into());
            histogram.add(commit.shape, nanos, count, observation.trace, commit.now_ms);
        }
    }
}

/// Calls under the names of another tool: one histogram for each of the three span statuses, whose
/// count is the number of calls, since these tools give a duration of 0 to a span that ends before
/// it starts.
#[derive(Debug)]
pub struct Calls {
    sides: [Option<Box<Histogram>>; 3],
    carries: [Carry; 3],
}

impl Calls {
    /// A row without calls.
    #[must_use]
    pub fn born() -> Self {
        Self { sides: [None, None, None], carries: [Carry::default(); 3] }
    }

    /// The calls that ended in a span status.
    #[must_use]
    pub fn side(&self, span_status: usize) -> Option<&Histogram> {
        self.sides[span_status].as_deref()
    }
}

impl Row for Calls {
    type Hit = Hit;
    type Context<'c> = Commit<'c>;

    fn apply(&mut self, hit: Hit, commit: &Commit<'_>) {
        let side = usize::from(hit.side);
        let count = self.carries[side].take(hit.weight);
        if count == 0 {
            return;
        }
        let observation = &commit.observations[hit.observation as usize];
        let histogram = self.sides[side].get_or_insert_with(|| Histogram::new(commit.shape).into());
        let nanos = observation.nanos.unwrap_or(0);
        histogram.add(commit.shape, nanos, count, observation.trace, commit.now_ms);
    }
}

/// An edge of the service graph: calls from one service to another as the caller saw them.
#[derive(Debug)]
pub struct Edge {
    failed: u64,
    failed_carry: Carry,
    carry: Carry,
    histogram: Option<Box<Histogram>>,
}

impl Edge {
    /// An edge without calls.
    #[must_use]
    pub fn born() -> Self {
        Self { failed: 0, failed_carry: Carry::default(), carry: Carry::default(), histogram: None }
    }

    /// All calls.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.histogram().map_or(0, Histogram::count)
    }

    /// Calls that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// All calls by duration.
    #[must_use]
    pub fn histogram(&self) -> Option<&Histogram> {
        self.histogram.as_deref()
    }
}

impl Row for Edge {
    type Hit = Hit;
    type Context<'c> = Commit<'c>;

    fn apply(&mut self, hit: Hit, commit: &Commit<'_>) {
        if usize::from(hit.side) == Outcome::Error as usize {
            self.failed = self.failed.saturating_add(self.failed_carry.take(hit.weight));
        }
        let count = self.carry.take(hit.weight);
        if count == 0 {
            return;
        }
        let observation = &commit.observations[hit.observation as usize];
        let histogram = self.histogram.get_or_insert_with(|| Histogram::new(commit.shape).into());
        let nanos = observation.nanos.unwrap_or(0);
        histogram.add(commit.shape, nanos, count, observation.trace, commit.now_ms);
    }
}

/// Spans of one service: as they arrived, and as the requests that they stand for.
#[derive(Debug, Default)]
pub struct Spans {
    observed: u64,
    represented: u64,
    carry: Carry,
}

impl Spans {
    /// Spans that arrived.
    #[must_use]
    pub fn observed(&self) -> u64 {
        self.observed
    }

    /// Spans that were made, the unsampled ones included.
    #[must_use]
    pub fn represented(&self) -> u64 {
        self.represented
    }
}

impl Row for Spans {
    type Hit = Weight;
    type Context<'c> = ();

    fn apply(&mut self, weight: Weight, (): &()) {
        self.observed += 1;
        self.represented = self.represented.saturating_add(self.carry.take(weight));
    }
}
