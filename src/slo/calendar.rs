//! The week, month or quarter that a moment lies in: a month is no number of seconds, and where
//! clocks change neither is a day.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use redora_model::slo::Period;

/// Whose calendar it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A stretch of the calendar, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// Its first moment.
    pub start_ms: u64,
    /// The first moment after it.
    pub end_ms: u64,
}

impl Zone {
    /// The zone of this IANA name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// The zone without a place.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The stretch that a moment lies in. Beyond the years that a calendar has it is all of time.
    #[must_use]
    pub fn stretch(&self, period: Period, at_ms: u64) -> Stretch {
        let whole = Stretch { start_ms: 0, end_ms: u64::MAX };
        self.bounds(period, at_ms).unwrap_or(whole)
    }

    fn bounds(&self, period: Period, at_ms: u64) -> Option<Stretch> {
        let at = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
        let day = at.to_zoned(self.0.clone()).date();
        let (first, length) = match period {
            Period::Week => {
                let back = i64::from(day.weekday().to_monday_zero_offset());
                (day.checked_sub(back.days()).ok()?, 1.week())
            }
            Period::Month => (day.first_of_month(), 1.month()),
            Period::Quarter => {
                let back = i64::from((day.month() - 1) % 3);
                (day.first_of_month().checked_sub(back.months()).ok()?, 3.months())
            }
        };
        // East of Greenwich the first period of 1970 starts before it.
        let ms = |start: Zoned| u64::try_from(start.timestamp().as_millisecond().max(0)).ok();
        let next = first.checked_add(length).ok()?;
        Some(Stretch {
            start_ms: ms(first.to_zoned(self.0.clone()).ok()?)?,
            end_ms: ms(next.to_zoned(self.0.clone()).ok()?)?,
        })
    }
}

impl Stretch {
    /// Its length, which for a budget is its window.
    #[must_use]
    pub fn seconds(self) -> u64 {
        (self.end_ms - self.start_ms) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: &str, period: Period, at: &str, start: &str, end: &str) {
        let ms = |text: &str| {
            let moment: Timestamp = text.parse().expect("a moment");
            u64::try_from(moment.as_millisecond()).expect("after 1970")
        };
        let zone = Zone::parse(zone).expect("a zone");
        let expected = Stretch { start_ms: ms(start), end_ms: ms(end) };
        assert_eq!(zone.stretch(period, ms(at)), expected);
        assert_eq!(zone.stretch(period, expected.start_ms), expected);
        assert_eq!(zone.stretch(period, expected.end_ms - 1), expected);
        assert_ne!(zone.stretch(period, expected.end_ms), expected);
    }

    #[test]
    fn periods_start_at_the_midnight_of_the_zone() {
        let at = "2026-11-21T12:00:00Z";
        let [week, month, quarter] = Period::ALL;
        check("UTC", week, at, "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z");
        check("UTC", month, at, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
        check("UTC", quarter, at, "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z");
        let berlin = "Europe/Berlin";
        check(berlin, month, at, "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z");
        let late = "2026-10-31T23:30:00Z";
        check(berlin, month, late, "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z");
        check("UTC", month, late, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
    }

    #[test]
    fn a_month_with_a_change_of_clocks_is_an_hour_longer_or_shorter() {
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        let seconds = |at: &str| {
            let moment: Timestamp = at.parse().expect("a moment");
            let at_ms = u64::try_from(moment.as_millisecond()).expect("after 1970");
            zone.stretch(Period::Month, at_ms).seconds()
        };
        assert_eq!(seconds("2026-10-10T00:00:00Z"), 31 * 86_400 + 3600);
        assert_eq!(seconds("2026-03-10T00:00:00Z"), 31 * 86_400 - 3600);
        assert_eq!(seconds("2026-02-10T00:00:00Z"), 28 * 86_400);
        assert_eq!(seconds("2028-02-10T00:00:00Z"), 29 * 86_400);
    }

    #[test]
    fn the_first_moment_of_all_lies_in_a_period_that_ends() {
        for (zone, period) in ["UTC", "Europe/Berlin", "America/New_York"]
            .into_iter()
            .flat_map(|zone| Period::ALL.map(|period| (zone, period)))
        {
            let stretch = Zone::parse(zone).expect("a zone").stretch(period, 0);
            let days = stretch.seconds() / 86_400;
            assert!(stretch.start_ms == 0 && days < 93, "{zone} {period:?}: {stretch:?}");
        }
    }

    #[test]
    fn a_moment_that_no_calendar_has_lies_in_all_of_time() {
        let zone = Zone::parse("UTC").expect("a zone");
        let whole = Stretch { start_ms: 0, end_ms: u64::MAX };
        assert_eq!(zone.stretch(Period::Month, u64::MAX), whole);
        assert_eq!(Zone::parse("Europe/Nowhere"), None);
    }
}
