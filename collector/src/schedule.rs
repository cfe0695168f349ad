//! When a source is asked next: a cron expression on the wall clock of the configured time zone,
//! and a delay of each source's own, so that many agents do not come to one server in the same
//! second.
//!
//! Expressions have six fields, seconds first (`0 */5 * * * *`), or seven with a year. A time that
//! a change of clocks skips is kept an hour later, one that comes twice is kept once, the first
//! time. Sunday is 1, as the `cron` package counts; names (`Mon-Fri`) are the safer spelling.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// When to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    expression: cron::Schedule,
    zone: TimeZone,
    /// The longest delay after a time of the expression, in milliseconds.
    jitter_ms: u64,
}

/// Why there is no such schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleFault {
    /// The expression is none.
    #[error("is no cron expression with seconds, such as `0 */5 * * * *` for every five minutes")]
    Expression,
    /// It names no time that will ever come.
    #[error("names a time that never comes")]
    Never,
    /// The time zone is unknown.
    #[error("is no time zone of the IANA database, such as Europe/Berlin or UTC")]
    Zone,
}

impl Schedule {
    /// A schedule on the clock of the zone of this IANA name.
    ///
    /// The delay of a source lies between none and a tenth of the time between two of the schedule,
    /// at most `JITTER_MS_MAX`.
    ///
    /// # Errors
    /// The expression or the zone is none, or the expression never comes true.
    pub fn new(expression: &str, zone: &str) -> Result<Self, ScheduleFault> {
        let zone = TimeZone::get(zone).map_err(|_| ScheduleFault::Zone)?;
        let expression =
            cron::Schedule::from_str(expression).map_err(|_| ScheduleFault::Expression)?;
        let mut times =
            expression.after(&carried(civil::DateTime::constant(2000, 1, 3, 0, 0, 0, 0)));
        let first = times.next().ok_or(ScheduleFault::Never)?;
        let apart_ms = times.next().map_or(i64::MAX, |second| {
            second.timestamp_millis().saturating_sub(first.timestamp_millis())
        });
        let jitter_ms = (apart_ms.unsigned_abs() / 10).min(JITTER_MS_MAX);
        Ok(Self { expression, zone, jitter_ms })
    }

    /// The first time after `after_ms`, both in milliseconds since the Unix epoch, with the delay
    /// of the source that `seed` stands for; `None` when no more come.
    #[must_use]
    pub fn next_ms(&self, after_ms: i64, seed: u64) -> Option<i64> {
        let delay_ms = i64::try_from(seed % (self.jitter_ms + 1)).ok()?;
        let after = Timestamp::from_millisecond(after_ms.checked_sub(delay_ms)?).ok()?;
        let local = after.to_zoned(self.zone.clone()).datetime();
        // A wall clock that was set back shows times that have been; an hour or two of them.
        let times = self.expression.after(&carried(local)).take(TIMES_SKIPPED_MAX);
        let instants = times.filter_map(|time| self.instant_ms(time));
        instants.map(|ms| ms.saturating_add(delay_ms)).find(|ms| *ms > after_ms)
    }

    /// The moment at which the zone's wall clock shows what `time` carries.
    fn instant_ms(&self, time: DateTime<Utc>) -> Option<i64> {
        let shown = Timestamp::from_second(time.timestamp()).ok()?.to_zoned(TimeZone::UTC);
        let zoned = self.zone.to_ambiguous_zoned(shown.datetime()).compatible().ok()?;
        Some(zoned.timestamp().as_millisecond())
    }
}

/// The reading of a wall clock, carried as if it were UTC: `cron` reckons in a zone of `chrono`'s,
/// and so it can with the zones of `jiff`, which are bundled.
fn carried(shown: civil::DateTime) -> DateTime<Utc> {
    let seconds = shown.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second());
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

/// Half a minute: enough that a fleet started at once does not return at once.
const JITTER_MS_MAX: u64 = 30_000;
/// Every second of three hours.
const TIMES_SKIPPED_MAX: usize = 3 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, zone: &str, after: &str, expected: &[&str]) {
        let schedule = Schedule::new(expression, zone).expect("a schedule");
        let mut at_ms = after.parse::<Timestamp>().expect("a time").as_millisecond();
        for expected in expected {
            at_ms = schedule.next_ms(at_ms, 0).expect("a next time");
            let shown = Timestamp::from_millisecond(at_ms).expect("a time").to_string();
            assert_eq!(shown, *expected, "{expression} in {zone} after {after}");
        }
    }

    #[test]
    fn times_follow_the_wall_clock_of_the_zone() {
        let every_five = ["2026-11-21T08:05:00Z", "2026-11-21T08:10:00Z"];
        check("0 */5 * * * *", "UTC", "2026-11-21T08:00:00Z", &every_five);
        let mornings = ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"];
        check("0 0 9 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", &mornings);
        let workdays = ["2026-11-20T09:00:00Z", "2026-11-23T09:00:00Z"];
        check("0 0 9 * * Mon-Fri", "UTC", "2026-11-19T10:00:00Z", &workdays);
    }

    #[test]
    fn a_change_of_clocks_neither_loses_nor_doubles_a_time() {
        // 02:30 does not exist on 29 March and comes twice on 25 October.
        let spring = ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"];
        check("0 30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", &spring);
        let autumn = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
        check("0 30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", &autumn);
    }

    #[test]
    fn a_source_has_a_delay_of_its_own_below_a_tenth_of_the_time_between() {
        let schedule = Schedule::new("0 * * * * *", "UTC").expect("every minute");
        let after = |seed| schedule.next_ms(600_000, seed).expect("one") - 600_000;
        assert_eq!((after(0), after(1), after(6000), after(6001)), (60_000, 1, 6000, 60_000));
        let at_ms = schedule.next_ms(600_000, 4321).expect("one");
        assert_eq!(schedule.next_ms(at_ms, 4321), Some(at_ms + 60_000), "and it stays");
    }

    #[test]
    fn what_is_no_schedule_is_told() {
        for (expression, zone, fault) in [
            ("*/5 * * * *", "UTC", ScheduleFault::Expression),
            ("every day", "UTC", ScheduleFault::Expression),
            ("", "UTC", ScheduleFault::Expression),
            ("0 0 0 30 2 *", "UTC", ScheduleFault::Never),
            ("0 * * * * * 1999", "UTC", ScheduleFault::Never),
            ("0 * * * * *", "Europe/Atlantis", ScheduleFault::Zone),
        ] {
            assert_eq!(Schedule::new(expression, zone).err(), Some(fault), "{expression} {zone}");
        }
        let past = Schedule::new("0 0 0 1 1 * 2001", "UTC").expect("it was a time");
        assert_eq!(past.next_ms(1_700_000_000_000, 0), None);
    }
}
