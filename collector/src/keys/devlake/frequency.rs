//! Days with a deployment, in the weeks and months of a window. Its days are counted back from its
//! end in steps of 24 hours of the wall clock, so that the first day may be missing, and a day
//! inside is counted from midnight to midnight.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::super::Query;

/// Medians of days with a deployment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) per_week: Option<u64>,
    pub(super) per_month: Option<u64>,
}

/// The medians over the weeks, from Monday, and the months that the window's days touch.
pub(super) fn days(finished_ms: impl Iterator<Item = i64>, query: &Query) -> Days {
    let date = |ms: i64| Some(moment(ms, &query.zone)?.date());
    let deployed: HashSet<Date> = finished_ms.filter_map(date).collect();
    let (mut weeks, mut months) = (BTreeMap::new(), BTreeMap::new());
    for day in window(query) {
        let is_deployed = u64::from(deployed.contains(&day));
        let since_monday = i64::from(day.weekday().to_monday_zero_offset());
        let Ok(monday) = day.checked_sub(since_monday.days()) else { continue };
        *weeks.entry(monday).or_insert(0) += is_deployed;
        *months.entry(day.first_of_month()).or_insert(0) += is_deployed;
    }
    Days { per_week: middle(weeks), per_month: middle(months) }
}

/// The days of a window, the last one first.
fn window(query: &Query) -> Vec<Date> {
    let ends = moment(query.to_ms, &query.zone).zip(moment(query.from_ms, &query.zone));
    let Some((last, first)) = ends else { return Vec::new() };
    let back = |days: i64| last.checked_sub(days.days()).ok();
    let moments = (0..DAYS_MAX).map_while(back).take_while(|moment| *moment > first);
    moments.map(|moment| moment.date()).collect()
}

fn moment(ms: i64, zone: &TimeZone) -> Option<jiff::civil::DateTime> {
    Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone()).datetime())
}

/// The lower of the middle values, as for every median of DevLake.
fn middle(counts: BTreeMap<Date, u64>) -> Option<u64> {
    let mut counts: Vec<u64> = counts.into_values().collect();
    counts.sort_unstable();
    let last = counts.len().checked_sub(1)?;
    Some(counts[last / 2])
}

/// The dashboard looks back no further.
const DAYS_MAX: i64 = 400;
