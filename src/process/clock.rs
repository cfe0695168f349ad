//! The time as a value that is handed in: one small enum instead of a trait, because there are two
//! clocks and no third.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time. Copies are cheap and agree with each other.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System { start: Instant },
    Manual(Arc<ManualState>),
}

#[derive(Debug)]
struct ManualState {
    start_unix_nanos: u64,
    elapsed_nanos: AtomicU64,
}

/// Moves the clock that came with it from [`Clock::manual`].
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<ManualState>);

impl Clock {
    /// The clock of the machine.
    #[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the one place that asks"))]
    pub fn system() -> Self {
        Self(Kind::System { start: Instant::now() })
    }

    /// A clock that stands at `unix_nanos` until it is moved, for tests.
    pub fn manual(unix_nanos: u64) -> (Self, ManualClock) {
        let state = Arc::new(ManualState {
            start_unix_nanos: unix_nanos,
            elapsed_nanos: AtomicU64::new(0),
        });
        (Self(Kind::Manual(Arc::clone(&state))), ManualClock(state))
    }

    /// Nanoseconds since 1970 by the wall clock, which an administrator or NTP may set back; 0
    /// before 1970.
    #[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the one place that asks"))]
    pub fn unix_nanos(&self) -> u64 {
        match &self.0 {
            Kind::System { .. } => {
                nanos(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
            }
            Kind::Manual(state) => {
                state.start_unix_nanos.saturating_add(state.elapsed_nanos.load(Ordering::Relaxed))
            }
        }
    }

    /// Milliseconds since 1970 by the wall clock, with the caveats of [`Clock::unix_nanos`].
    pub fn unix_ms(&self) -> u64 {
        self.unix_nanos() / 1_000_000
    }

    /// Time since the clock was made. It never steps back, so ages and expiries are measured with
    /// it.
    #[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the one place that asks"))]
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Kind::System { start } => start.elapsed(),
            Kind::Manual(state) => {
                Duration::from_nanos(state.elapsed_nanos.load(Ordering::Relaxed))
            }
        }
    }
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.elapsed_nanos.fetch_add(nanos(by), Ordering::Relaxed);
    }
}

/// 64 bits of nanoseconds reach to the year 2554, past which time stands still rather than wraps.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand_and_its_copies_with_it() {
        let (clock, hand) = Clock::manual(1_700_000_000_000_000_000);
        let copy = clock.clone();
        assert_eq!(clock.unix_ms(), 1_700_000_000_000);
        assert_eq!(clock.elapsed(), Duration::ZERO);
        hand.advance(Duration::from_millis(1500));
        assert_eq!(copy.unix_nanos(), 1_700_000_001_500_000_000);
        assert_eq!(copy.elapsed(), Duration::from_millis(1500));
    }

    #[test]
    fn the_system_clock_tells_a_time_of_this_century() {
        let clock = Clock::system();
        let before = clock.elapsed();
        assert!(clock.unix_nanos() > 1_700_000_000_000_000_000);
        assert!(clock.elapsed() >= before);
    }
}
