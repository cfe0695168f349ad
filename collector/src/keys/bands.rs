//! Where measured numbers lie among the levels that a year's report describes. Every metric stands
//! for itself: levels are clusters of answers to a survey, and a mean of levels is none of them.

mod years;

use serde::Serialize;

use super::{Query, Report};
use years::{Band, Bounds, YEARS};

/// What is held against levels and scales, from a report.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// The mean time between deployments, in seconds; absent where there was none.
    pub between_s: Option<f64>,
    /// The median from the first commit to the deployment, in seconds.
    pub lead_time_s: Option<f64>,
    /// The confirmed share of failed deployments.
    pub failure_ratio: Option<f64>,
    /// The median recovery from a failed deployment, in seconds.
    pub recovery_s: Option<f64>,
    /// The median duration of an incident, whatever caused it, in seconds.
    pub restore_s: Option<f64>,
    /// The share of unplanned repairs.
    pub rework_ratio: Option<f64>,
}

impl Measured {
    /// The numbers of a report.
    #[must_use]
    pub fn of(report: &Report, query: &Query) -> Self {
        let window_s = query.to_ms.saturating_sub(query.from_ms) as f64 / 1e3;
        let deployments = report.frequency.n;
        let mut lead_times = report.lead_time.iter();
        let lead_time = lead_times.find(|lead| (lead.start, lead.end) == ("commit", "deployed"));
        Self {
            between_s: (deployments > 0).then(|| window_s / deployments as f64),
            lead_time_s: lead_time.and_then(|lead| lead.spread.p50_s),
            failure_ratio: report.failure.confirmed_ratio,
            recovery_s: report.recovery.p50_s,
            restore_s: report.incidents.duration.p50_s,
            rework_ratio: report.rework.ratio,
        }
    }
}

/// A year's levels, with where the measured numbers lie.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bands {
    /// The year of the report.
    pub year: u16,
    /// Where its levels are taken from.
    pub source: &'static str,
    /// By metric.
    pub metrics: Vec<Standing>,
}

/// Where one metric lies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// `deployment_frequency`, `lead_time`, `change_failure_rate`, `recovery_time` or, up to 2022,
    /// `time_to_restore`.
    pub metric: &'static str,
    /// A ratio, or seconds; of a frequency the seconds between two deployments.
    pub value: Option<f64>,
    /// The best level that has the value, with those that the report describes alike; none, where
    /// it lies between the levels.
    pub levels: Vec<&'static str>,
    /// All levels, the best one first.
    pub bands: Vec<Level>,
}

/// A level in the report's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Level {
    /// `elite`, `high`, `medium` or `low`.
    pub level: &'static str,
    /// How the report describes it.
    pub words: &'static str,
}

/// The years whose levels are known.
pub fn years() -> impl Iterator<Item = u16> {
    YEARS.iter().map(|year| year.year)
}

/// The levels of a year with where the numbers lie; `None` for a year that is not known.
#[must_use]
pub fn bands(year: u16, measured: &Measured) -> Option<Bands> {
    let year = YEARS.iter().find(|known| known.year == year)?;
    let recovery = if year.is_recovery { measured.recovery_s } else { measured.restore_s };
    let recovery_name = if year.is_recovery { "recovery_time" } else { "time_to_restore" };
    let metrics = vec![
        standing("deployment_frequency", measured.between_s, year.frequency),
        standing("lead_time", measured.lead_time_s, year.lead_time),
        standing("change_failure_rate", measured.failure_ratio, year.failure),
        standing(recovery_name, recovery, year.recovery),
    ];
    Some(Bands { year: year.year, source: year.source, metrics })
}

fn standing(metric: &'static str, value: Option<f64>, bands: &[(&'static str, Band)]) -> Standing {
    let levels = value.map(|value| levels(value, bands)).unwrap_or_default();
    let level = |(level, (words, _)): &(&'static str, Band)| Level { level, words };
    Standing { metric, value, levels, bands: bands.iter().map(level).collect() }
}

/// The best level whose range has the value, and those of the same range. Where a report gives one
/// figure for a level and no range, the figure that is the closest has the value.
fn levels(value: f64, bands: &[(&'static str, Band)]) -> Vec<&'static str> {
    // Reports give whole percents.
    let percent = (value * 100.0).round();
    let distance = |bounds: &Bounds| match bounds {
        Bounds::About(figure) => Some((percent - f64::from(*figure)).abs()),
        _ => None,
    };
    let closest = bands.iter().filter_map(|(_, (_, bounds))| distance(bounds)).reduce(f64::min);
    let has = |bounds: &Bounds| match *bounds {
        Bounds::Below(s) => value < f64::from(s),
        Bounds::Between(from, to) => (f64::from(from)..=f64::from(to)).contains(&value),
        Bounds::Above(s) => value > f64::from(s),
        Bounds::Percent(from, to) => (f64::from(from)..=f64::from(to)).contains(&percent),
        Bounds::About(_) => distance(bounds) == closest,
    };
    let Some((_, (words, _))) = bands.iter().find(|(_, (_, bounds))| has(bounds)) else {
        return Vec::new();
    };
    // `Less than one day` has every minute, too; who is better than that is not meant.
    bands.iter().filter(|(_, band)| band.0 == *words).map(|(level, _)| *level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: f64 = 3600.0;
    const DAY: f64 = 24.0 * HOUR;

    fn check(year: u16, measured: Measured, expected: [&[&str]; 4]) {
        let found = bands(year, &measured).expect("a known year");
        let levels: Vec<_> = found.metrics.iter().map(|standing| &standing.levels[..]).collect();
        assert_eq!(levels, expected, "{year} {measured:?}");
    }

    fn measured(between_s: f64, lead_time_s: f64, failure_ratio: f64, s: f64) -> Measured {
        Measured {
            between_s: Some(between_s),
            lead_time_s: Some(lead_time_s),
            failure_ratio: Some(failure_ratio),
            recovery_s: Some(s),
            restore_s: Some(s),
            rework_ratio: None,
        }
    }

    #[test]
    fn a_number_lies_where_its_year_says() {
        let alike = &["elite", "high", "medium"];
        let fast = measured(6.0 * HOUR, 5.0 * HOUR, 0.051, 0.5 * HOUR);
        check(2018, fast, [&["elite"], &[], alike, &["elite"]]);
        check(2019, fast, [&["elite"], &["elite"], alike, &["elite"]]);
        check(2021, fast, [&["elite"], &[], &["elite"], &["elite"]]);
        check(2022, fast, [&["high"], &[], &["high"], &["high"]]);
        check(2023, fast, [&["elite"], &["elite"], &["elite"], &["elite"]]);
        check(2024, fast, [&["elite"], &["elite"], &["elite"], &["elite"]]);
        let slow = measured(40.0 * DAY, 100.0 * DAY, 0.3, 10.0 * DAY);
        check(2018, slow, [&[], &["low"], &[], &["low"]]);
        check(2021, slow, [&["medium"], &["medium"], &["high", "medium", "low"], &[]]);
        check(2022, slow, [&["low"], &["low"], &["medium"], &["low"]]);
        check(2023, slow, [&[], &[], &["medium"], &[]]);
        // As close to 20 % as to 40 %: the better one.
        check(2024, slow, [&["low"], &["low"], &["high"], &["low"]]);
        let seldom = measured(200.0 * DAY, 200.0 * DAY, 0.64, 2.0 * HOUR);
        check(2021, seldom, [&["low"], &["low"], &[], &["high"]]);
        check(2023, seldom, [&[], &[], &["low"], &["high"]]);
        check(2024, seldom, [&[], &[], &["low"], &["high", "medium"]]);
    }

    #[test]
    fn what_is_not_measured_has_no_level_and_a_year_may_be_unknown() {
        check(2024, Measured::default(), [&[], &[], &[], &[]]);
        assert_eq!(bands(2020, &Measured::default()), None);
        assert_eq!(years().collect::<Vec<_>>(), [2018, 2019, 2021, 2022, 2023, 2024]);
    }

    #[test]
    fn every_year_says_where_it_is_from_and_has_its_levels_in_their_order() {
        for year in years() {
            let found = bands(year, &Measured::default()).expect("a known year");
            assert!(found.source.contains(&year.to_string()), "{found:?}");
            let expected = ["elite", "high", "medium", "low"];
            let expected = if year == 2022 { &expected[1..] } else { &expected[..] };
            for standing in found.metrics {
                let levels: Vec<_> = standing.bands.iter().map(|band| band.level).collect();
                assert_eq!(levels, expected, "{year} {}", standing.metric);
            }
        }
    }
}
