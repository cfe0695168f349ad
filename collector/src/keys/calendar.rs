//! Days and weeks as people count them: in a time zone, with weeks from Monday. A day is not
//! 86,400 seconds where clocks change, so the calendar is asked and nothing is divided.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit, Zoned, ZonedDifference};

/// Deployments of a week.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Week {
    /// Its Monday, `2026-11-16`.
    pub monday: String,
    /// How many there were; a week without one is 0.
    pub deployments: u64,
}

/// The days with at least one of these moments, and the number of moments in every week that a
/// window touches; moments outside of it do not count.
pub(super) fn count(moments_ms: &[i64], from_ms: i64, to_ms: i64, zone: &TimeZone) -> Counted {
    let Some((first, last)) = monday(from_ms, zone).zip(monday(to_ms.saturating_sub(1), zone))
    else {
        return Counted::default();
    };
    let weeks = first.until(ZonedDifference::new(&last).largest(Unit::Week));
    let weeks = weeks.map_or(0, |span| span.get_weeks()).max(0) as usize;
    let mut counted = Counted { days: 0, weeks: Vec::new() };
    let mut days: Vec<_> = moments_ms.iter().filter_map(|ms| Some(at(*ms, zone)?.date())).collect();
    days.sort_unstable();
    for week in 0..=weeks.min(WEEKS_MAX) {
        let Ok(start) = first.checked_add((week as i64).weeks()) else { break };
        let monday = start.date();
        let Ok(next) = monday.checked_add(1.week()) else { break };
        let deployments = days.iter().filter(|day| (monday..next).contains(day)).count() as u64;
        counted.weeks.push(Week { monday: monday.to_string(), deployments });
    }
    days.dedup();
    counted.days = days.len();
    counted
}

/// What [`count`] finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Days with at least one.
    pub(super) days: usize,
    /// Every week, in order.
    pub(super) weeks: Vec<Week>,
}

/// The start of the Monday at or before a moment.
fn monday(ms: i64, zone: &TimeZone) -> Option<Zoned> {
    let day = at(ms, zone)?;
    let back = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(back.days()).ok()?.start_of_day().ok()
}

fn at(ms: i64, zone: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone()))
}

/// Weeks of a window that are listed: twenty years.
const WEEKS_MAX: usize = 1043;

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time").as_millisecond()
    }

    fn check(zone: &str, window: [&str; 2], moments: &[&str], days: usize, weeks: &[(&str, u64)]) {
        let zone = TimeZone::get(zone).expect("a zone");
        let moments: Vec<_> = moments.iter().map(|text| ms(text)).collect();
        let counted = count(&moments, ms(window[0]), ms(window[1]), &zone);
        let seen: Vec<_> =
            counted.weeks.iter().map(|week| (week.monday.as_str(), week.deployments)).collect();
        assert_eq!((counted.days, &seen[..]), (days, weeks));
    }

    #[test]
    fn weeks_start_on_monday_and_those_without_a_deployment_are_zero() {
        let window = ["2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z"];
        let moments = ["2026-11-01T12:00:00Z", "2026-11-16T00:00:00Z", "2026-11-16T23:59:59Z"];
        let weeks = [("2026-10-26", 1), ("2026-11-02", 0), ("2026-11-09", 0), ("2026-11-16", 2)];
        check("UTC", window, &moments, 2, &weeks);
    }

    #[test]
    fn a_day_is_one_of_the_time_zone() {
        // Late on Sunday in London is Monday in Auckland; clocks changed in Berlin on 25 October.
        let window = ["2026-11-08T00:00:00Z", "2026-11-10T00:00:00Z"];
        let moments = ["2026-11-08T22:00:00Z"];
        check("Europe/London", window, &moments, 1, &[("2026-11-02", 1), ("2026-11-09", 0)]);
        check("Pacific/Auckland", window, &moments, 1, &[("2026-11-02", 0), ("2026-11-09", 1)]);
        let window = ["2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z"];
        let moments = ["2026-10-24T22:30:00Z", "2026-10-25T22:30:00Z"];
        check("Europe/Berlin", window, &moments, 1, &[("2026-10-19", 2), ("2026-10-26", 0)]);
    }

    #[test]
    fn times_that_no_calendar_has_count_nowhere() {
        let zone = TimeZone::UTC;
        assert_eq!(count(&[], i64::MIN, i64::MAX, &zone), Counted::default());
        let wide = count(&[i64::MAX, 0], 0, 1, &zone);
        assert_eq!((wide.days, wide.weeks.len()), (1, 1));
    }
}
