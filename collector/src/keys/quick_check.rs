//! The score of the DORA Quick Check (dora.dev/quickcheck) from what was measured, beside the means
//! of its industry benchmark of 2025. The check asks people to choose an answer; here the number
//! chooses it.
//!
//! Source of the scale and of the means: the check's own program in the repository of dora.dev as
//! of June 2026, its edition of 2025, all industries. Six answers are 0, 2, 4, … 10; a percentage
//! is 10 at 0 % and 0 at 100 %; the score is the mean of all five.

use serde::Serialize;

use super::bands::Measured;

/// The scores of a place, from 0 to 10, where 10 is best.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuickCheck {
    /// The mean of all five; absent while one of them is not measured.
    pub score: Option<f64>,
    /// That of the benchmark.
    pub industry_mean: f64,
    /// One by one.
    pub metrics: Vec<Score>,
}

/// The score of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// `lead_time`, `deployment_frequency`, `recovery_time`, `change_failure_rate` or
    /// `rework_rate`.
    pub metric: &'static str,
    /// Its score.
    pub score: Option<f64>,
    /// That of the benchmark.
    pub industry_mean: f64,
}

/// Scores what was measured.
#[must_use]
pub fn quick_check(measured: &Measured) -> QuickCheck {
    let metric = |metric, score, industry_mean| Score { metric, score, industry_mean };
    let metrics = vec![
        metric("lead_time", measured.lead_time_s.map(duration), 5.5),
        metric("deployment_frequency", measured.between_s.map(frequency), 4.8),
        metric("recovery_time", measured.recovery_s.map(duration), 7.4),
        // The benchmark says how much fails, 1.9 and 2.2 of 10; the check turns it around.
        metric("change_failure_rate", measured.failure_ratio.map(percentage), 8.1),
        metric("rework_rate", measured.rework_ratio.map(percentage), 7.8),
    ];
    let mean = |of: fn(&Score) -> Option<f64>| {
        let all: Option<Vec<f64>> = metrics.iter().map(of).collect();
        all.map(|all| all.iter().sum::<f64>() / all.len() as f64)
    };
    QuickCheck {
        score: mean(|metric| metric.score),
        industry_mean: mean(|metric| Some(metric.industry_mean)).unwrap_or_default(),
        metrics,
    }
}

/// Less than an hour, a day, a week, a month, six months, or more.
fn duration(seconds: f64) -> f64 {
    answer(DURATIONS.iter().filter(|limit| seconds < **limit).count())
}

/// Two or more a day, one a day, a week, a month, in six months, or fewer. The check calls the
/// first one on demand, and the second one between once per hour and once per day.
fn frequency(between_s: f64) -> f64 {
    answer(FREQUENCIES.iter().filter(|limit| between_s <= **limit).count())
}

/// The score of an answer that is so many steps better than the worst one.
fn answer(steps: usize) -> f64 {
    steps as f64 * 2.0
}

fn percentage(ratio: f64) -> f64 {
    // The check takes whole percents.
    10.0 - (ratio.clamp(0.0, 1.0) * 100.0).round() / 10.0
}

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 24.0 * HOUR_S;
/// A twelfth of 365.25 days.
const MONTH_S: f64 = 2_629_800.0;
const DURATIONS: [f64; 5] = [HOUR_S, DAY_S, 7.0 * DAY_S, MONTH_S, 6.0 * MONTH_S];
const FREQUENCIES: [f64; 5] = [DAY_S / 2.0, DAY_S, 7.0 * DAY_S, MONTH_S, 6.0 * MONTH_S];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_worth_what_the_check_gives_for_it() {
        let hours = [0.9, 1.0, 23.0, 24.0, 168.0, 731.0, 4384.0];
        let found = hours.map(|hours| duration(hours * HOUR_S));
        assert_eq!(found, [10.0, 8.0, 8.0, 6.0, 4.0, 2.0, 0.0]);
        let found = hours.map(|hours| frequency(hours * HOUR_S));
        assert_eq!(found, [10.0, 10.0, 8.0, 8.0, 6.0, 2.0, 0.0]);
        assert_eq!([0.0, 0.054, 0.2, 1.0].map(percentage), [10.0, 9.5, 8.0, 0.0]);
    }

    #[test]
    fn the_score_is_the_mean_of_five_and_absent_while_one_is_not_measured() {
        let mut measured = Measured {
            between_s: Some(3.0 * DAY_S),
            lead_time_s: Some(2.0 * DAY_S),
            failure_ratio: Some(0.1),
            recovery_s: Some(2.0 * HOUR_S),
            restore_s: None,
            rework_ratio: Some(0.0),
        };
        let check = quick_check(&measured);
        let scores: Vec<_> = check.metrics.iter().filter_map(|metric| metric.score).collect();
        assert_eq!(scores, [6.0, 6.0, 8.0, 9.0, 10.0]);
        assert_eq!(check.score, Some(7.8));
        assert!((check.industry_mean - 6.72).abs() < 1e-9, "{check:?}");
        measured.recovery_s = None;
        let check = quick_check(&measured);
        assert_eq!((check.score, check.metrics[2].score), (None, None));
    }
}
