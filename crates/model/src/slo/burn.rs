//! How fast a budget burns, and when that is worth an alert. Thresholds are computed from shares of
//! the budget and never rounded: a table of them is right for one window alone.

use super::goal::{Goal, TRILLION};

/// Good and bad events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that kept the promise.
    pub good: u64,
    /// Events that broke it.
    pub bad: u64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { good: self.good.saturating_add(other.good), bad: self.bad.saturating_add(other.bad) }
    }

    /// How many times faster than allowed events were bad: 1 spends the budget exactly within its
    /// window. 0 where there were no events, since nothing of the budget was spent.
    #[must_use]
    pub fn burn_rate(self, goal: Goal) -> f64 {
        let total = u128::from(self.good) + u128::from(self.bad);
        if total == 0 {
            return 0.0;
        }
        // Whole numbers up to here, so that the one division is the only rounding.
        let bad = u128::from(self.bad) * u128::from(TRILLION);
        let allowed = total.saturating_mul(u128::from(goal.bad_per_trillion()));
        bad as f64 / allowed as f64
    }

    /// What is left of the budget when these are the events of its window: 1 for all of it, 0 for
    /// none, less for more spent than there was. Weighted by events, so that a bad minute at night
    /// costs what it cost users.
    #[must_use]
    pub fn budget_remaining(self, goal: Goal) -> f64 {
        1.0 - self.burn_rate(goal)
    }
}

/// A share of the budget, and the time in which its loss alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// How urgent it is.
    pub severity: Severity,
    /// How much of the budget is lost, in percent.
    pub share_percent: u64,
    /// The time in which it is lost; its name is the label `burn_tier` of an alert.
    pub long: BurnWindow,
    /// The end of that time, in which it must still burn: an alert ends soon after its cause.
    pub short: BurnWindow,
    /// How long it must burn before the alert fires: a scrape or two, so that one that came late
    /// does not alert.
    pub wait: Hold,
    /// How long the alert goes on firing when it burns no more.
    pub keep: Hold,
}

/// How urgent a burn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Someone is woken.
    Page,
    /// Someone looks at it in the morning.
    Ticket,
}

impl Severity {
    /// Both.
    pub const ALL: [Severity; 2] = [Severity::Page, Severity::Ticket];

    /// The value of the labels `severity` and `tier`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Page => "page",
            Severity::Ticket => "ticket",
        }
    }
}

/// A stretch of time up to now over which a burn rate is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurnWindow {
    /// The value of the label `window`.
    pub name: &'static str,
    /// Its length.
    pub seconds: u64,
}

/// A time for which an alert holds back or holds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// As Prometheus writes it.
    pub name: &'static str,
    /// Its length.
    pub seconds: u64,
}

impl Tier {
    /// The burn rate above which this share of the budget is lost in the long window.
    #[must_use]
    pub fn factor(&self, window_s: u64) -> f64 {
        let lost = u128::from(self.share_percent) * u128::from(window_s);
        lost as f64 / (100 * self.long.seconds) as f64
    }

    /// Whether the events of the long and of the short window are worth an alert, for an objective
    /// with a window of so many seconds.
    ///
    /// Fewer bad events than [`BAD_EVENTS_MIN`] never are: at a request a minute a single failure
    /// would be a burn of any size.
    #[must_use]
    pub fn fires(&self, goal: Goal, window_s: u64, long: Counts, short: Counts) -> bool {
        long.bad >= BAD_EVENTS_MIN && self.burns(goal, window_s, long, short)
    }

    /// The same, however few the bad events are.
    pub(super) fn burns(&self, goal: Goal, window_s: u64, long: Counts, short: Counts) -> bool {
        let factor = self.factor(window_s);
        long.burn_rate(goal) > factor && short.burn_rate(goal) > factor
    }
}

/// Bad events of the long window below which no tier fires.
pub const BAD_EVENTS_MIN: u64 = 3;

const M5: BurnWindow = BurnWindow { name: "5m", seconds: 300 };
const M30: BurnWindow = BurnWindow { name: "30m", seconds: 1_800 };
const H1: BurnWindow = BurnWindow { name: "1h", seconds: 3_600 };
const H2: BurnWindow = BurnWindow { name: "2h", seconds: 7_200 };
const H6: BurnWindow = BurnWindow { name: "6h", seconds: 21_600 };
const D1: BurnWindow = BurnWindow { name: "1d", seconds: 86_400 };
const D3: BurnWindow = BurnWindow { name: "3d", seconds: 259_200 };

/// Every window that some tier looks at, the shortest first.
pub const BURN_WINDOWS: [BurnWindow; 7] = [M5, M30, H1, H2, H6, D1, D3];

/// The tiers, the most urgent first.
pub const TIERS: [Tier; 4] = [
    tier(Severity::Page, 2, [H1, M5], [("1m", 60), ("5m", 300)]),
    tier(Severity::Page, 5, [H6, M30], [("2m", 120), ("10m", 600)]),
    tier(Severity::Ticket, 10, [D1, H2], [("10m", 600), ("30m", 1_800)]),
    tier(Severity::Ticket, 10, [D3, H6], [("30m", 1_800), ("1h", 3_600)]),
];

const fn tier(
    severity: Severity,
    share_percent: u64,
    [long, short]: [BurnWindow; 2],
    [wait, keep]: [(&'static str, u64); 2],
) -> Tier {
    let (wait, keep) =
        (Hold { name: wait.0, seconds: wait.1 }, Hold { name: keep.0, seconds: keep.1 });
    Tier { severity, share_percent, long, short, wait, keep }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(text: &str) -> Goal {
        Goal::parse(text).expect(text)
    }

    fn counts(good: u64, bad: u64) -> Counts {
        Counts { good, bad }
    }

    const DAY_S: u64 = 86_400;

    #[test]
    fn factors_follow_from_shares_and_the_window() {
        for (days, expected) in [
            (30, [14.4, 6.0, 3.0, 1.0]),
            (28, [13.44, 5.6, 2.8, 14.0 / 15.0]),
            (31, [14.88, 6.2, 3.1, 31.0 / 30.0]),
            (7, [3.36, 1.4, 0.7, 7.0 / 30.0]),
        ] {
            assert_eq!(TIERS.map(|tier| tier.factor(days * DAY_S)), expected, "{days} days");
        }
    }

    #[test]
    fn a_burn_that_lasts_the_long_window_takes_the_tiers_share() {
        for tier in TIERS {
            let long_of_window = tier.long.seconds as f64 / (30 * DAY_S) as f64;
            let share = tier.factor(30 * DAY_S) * long_of_window;
            assert!(
                (share - tier.share_percent as f64 / 100.0).abs() < 1e-12,
                "{}",
                tier.long.name
            );
        }
    }

    #[test]
    fn a_burn_rate_is_the_share_of_bad_events_over_the_share_that_may_be() {
        for (target, good, bad, rate) in [
            ("99.9%", 999, 1, 1.0),
            ("99.9%", 0, 7, 1000.0),
            ("99.9%", 1000, 0, 0.0),
            ("99%", 80, 20, 20.0),
            ("99.9%", 998_560, 1_440, 1.44),
            ("90%", 0, 1, 10.0),
            ("99.9%", 0, 0, 0.0),
        ] {
            assert_eq!(counts(good, bad).burn_rate(goal(target)), rate, "{target} {good} {bad}");
        }
    }

    #[test]
    fn a_budget_is_whole_when_idle_and_below_zero_when_overspent() {
        for (good, bad, remaining) in
            [(0, 0, 1.0), (100, 0, 1.0), (1998, 2, 0.0), (1999, 1, 0.5), (997, 3, -2.0)]
        {
            assert_eq!(counts(good, bad).budget_remaining(goal("99.9%")), remaining);
        }
    }

    #[test]
    fn counts_beyond_any_service_are_still_numbers() {
        let most = counts(u64::MAX, u64::MAX).and(counts(1, 1));
        assert_eq!(most, counts(u64::MAX, u64::MAX));
        assert_eq!(most.burn_rate(goal("50%")), 1.0);
    }

    #[test]
    fn an_alert_needs_both_windows_and_three_bad_events() {
        let page = TIERS[0];
        let window_s = 30 * DAY_S;
        let burning = counts(985, 15);
        for (long, short, fires) in [
            (burning, burning, true),
            (burning, counts(100, 0), false),
            (counts(1000, 0), burning, false),
            (counts(0, 2), counts(0, 2), false),
            (counts(0, 3), counts(0, 3), true),
            (counts(0, 3), counts(0, 1), true),
            (counts(9856, 144), counts(9856, 144), false),
            (counts(0, 0), counts(0, 0), false),
        ] {
            let found = page.fires(goal("99.9%"), window_s, long, short);
            assert_eq!(found, fires, "{long:?} {short:?}");
        }
    }

    #[test]
    fn every_window_of_a_tier_is_one_that_is_kept() {
        let kept: Vec<u64> = BURN_WINDOWS.iter().map(|window| window.seconds).collect();
        assert!(kept.is_sorted());
        for tier in TIERS {
            assert!(BURN_WINDOWS.contains(&tier.long) && BURN_WINDOWS.contains(&tier.short));
            assert_eq!(tier.long.seconds, 12 * tier.short.seconds, "{}", tier.long.name);
        }
    }
}
