//! The alerts of histories whose times can be reckoned by hand. That the rules themselves say the
//! same is a story's to tell; here it is told why.

use super::super::TIERS;
use super::*;

const DAY_S: u64 = 86_400;

fn terms(goal: &str, days: u64) -> Option<Terms> {
    let goal = Goal::parse(goal).expect(goal);
    Some(Terms { goal, window_s: days * DAY_S, tiers: Tiers::ALL })
}

/// A history from minute 0 on: for so many minutes each, so many good and bad events.
fn replayed(terms: Option<Terms>, parts: &[(u64, u64, u64)]) -> Replay {
    let mut replay = Replay::new(Gaps::Idle);
    let mut end_min = 0;
    for (minutes, good, bad) in parts {
        for _ in 0..*minutes {
            end_min += 1;
            assert!(replay.minute(end_min, Counts { good: *good, bad: *bad }, terms));
        }
    }
    replay
}

/// Tier, minute of firing, of notification and of the end.
type Shown = (&'static str, u64, Option<u64>, Option<u64>);

fn told(replay: &Replay) -> Vec<Shown> {
    let told = |firing: &Firing| {
        let minute = |at_s: u64| at_s / 60;
        let Firing { tier, fired_s, told, ended_s } = *firing;
        let told = told.map(|told| minute(told.at_s));
        (tier.long.name, minute(fired_s), told, ended_s.map(minute))
    };
    replay.firings().iter().map(told).collect()
}

#[track_caller]
fn check(parts: &[(u64, u64, u64)], expected: &[Shown]) {
    assert_eq!(told(&replayed(terms("99.9%", 30), parts)), expected);
}

#[test]
fn an_outage_of_everything_pages_after_a_minute_and_the_wait() {
    // 14.4 times a thousandth of an hour is 52 s; six times that of six hours is 130 s.
    check(
        &[(480, 600, 0), (30, 0, 600)],
        &[("1h", 482, Some(482), None), ("6h", 485, None, None), ("1d", 502, None, None)],
    );
}

#[test]
fn the_share_that_fails_decides_how_long_it_takes() {
    // Of an hour 864 s at 6 % are 14.4 thousandths, of six hours 36 minutes 6; at 1 % it takes
    // hours, but for the slowest tier.
    let fired = |bad: u64| {
        let replay = replayed(terms("99.9%", 30), &[(480, 1000, 0), (200, 1000 - bad, bad)]);
        told(&replay).iter().map(|told| (told.0, told.1 - 480)).collect::<Vec<_>>()
    };
    assert_eq!(fired(60), [("1h", 16), ("6h", 39), ("1d", 52), ("3d", 54)]);
    assert_eq!(fired(10), [("3d", 96)]);
}

#[test]
fn an_alert_is_kept_for_its_time_and_no_longer() {
    let mut history = vec![(480, 600, 0), (20, 480, 120), (400, 600, 0)];
    // The short window of five minutes is over after five, and the alert five later.
    let replay = replayed(terms("99.9%", 30), &history);
    assert_eq!(told(&replay)[0], ("1h", 486, Some(486), Some(510)));
    // What burns again while it is kept is the same alert.
    history[2] = (7, 600, 0);
    history.extend([(10, 480, 120), (400, 600, 0)]);
    let replay = replayed(terms("99.9%", 30), &history);
    let fast: Vec<_> = told(&replay).into_iter().filter(|told| told.0 == "1h").collect();
    assert_eq!(fast, [("1h", 486, Some(486), Some(527))]);
}

#[test]
fn a_slower_tier_is_told_of_when_the_faster_one_is_over() {
    let replay = replayed(terms("99.9%", 30), &[(480, 600, 0), (20, 300, 300), (60, 600, 0)]);
    let told = told(&replay);
    assert_eq!(told[0], ("1h", 483, Some(483), Some(510)));
    assert_eq!((told[1].0, told[1].2), ("6h", Some(510)), "{told:?}");
    // And nobody is woken a second time.
    let is_new = |firing: &Firing| firing.told.map(|told| told.is_new);
    let new: Vec<_> = replay.firings().iter().map(is_new).collect();
    assert_eq!(new[..2], [Some(true), Some(false)]);
}

#[test]
fn fewer_than_three_bad_events_alert_nobody() {
    let quiet = replayed(terms("99.9%", 30), &[(600, 1, 0), (2, 0, 1), (600, 1, 0)]);
    assert_eq!(told(&quiet), []);
    let paged = replayed(terms("99.9%", 30), &[(600, 1, 0), (3, 0, 1), (600, 1, 0)]);
    assert_eq!(told(&paged)[0].0, "1h");
    // The long windows round what they add up: 13 fifths of an event are three, twelve are not.
    let mut replay = Replay::new(Gaps::Idle);
    let tickets = terms("99.9%", 30)
        .map(|terms| Terms { tiers: Tiers { page: false, ticket: true }, ..terms });
    let mut end_min = 0;
    for (minutes, bad) in [(35, 0), (1, 3), (30, 0)] {
        for _ in 0..minutes {
            end_min += 1;
            replay.minute(end_min, Counts { good: 1, bad }, tickets);
        }
    }
    // Bad since minute 36: in the counts of the minutes 36 to 60, the fifth of which is the first
    // that makes 15 fifths.
    assert_eq!(told(&replay), []);
    for _ in 0..10 {
        end_min += 1;
        replay.minute(end_min, Counts { good: 1, bad: 0 }, tickets);
    }
    assert_eq!(told(&replay), [("1d", 70, Some(70), None)]);
}

/// Five days, for which the story that asks the rules has no time; asked once, promtool of
/// Prometheus 2.42 and of 3.5 said the same minutes, but for one at most.
#[test]
fn long_windows_fill_and_run_out_as_those_of_the_rules_do() {
    let ended = |days: u64, parts: &[(u64, u64, u64)]| {
        let replay = replayed(terms("99.9%", days), parts);
        let told = told(&replay).into_iter();
        told.map(|(tier, fired, _, ended)| (tier, fired, ended.unwrap_or(0))).collect::<Vec<_>>()
    };
    let hour = ended(30, &[(4320, 1000, 0), (60, 800, 200), (2820, 1000, 0)]);
    let expected = [("1h", 4326, 4390), ("6h", 4333, 4420), ("1d", 4366, 4529), ("3d", 4386, 4799)];
    assert_eq!(hour, expected);
    let slow = ended(28, &[(3000, 100, 0), (600, 90, 1), (3600, 100, 0)]);
    assert_eq!(slow, [("6h", 3194, 3625), ("3d", 3348, 3987), ("1d", 3418, 3718)]);
    let thin = ended(30, &[(4320, 1000, 0), (400, 990, 10), (2480, 1000, 0)]);
    assert_eq!(thin, [("6h", 4539, 4742)]);
}

#[test]
fn a_tier_that_is_not_wanted_does_not_fire() {
    let wanted = terms("99.9%", 30)
        .map(|terms| Terms { tiers: Tiers { page: false, ticket: true }, ..terms });
    let replay = replayed(wanted, &[(480, 600, 0), (60, 0, 600)]);
    assert_eq!(told(&replay), [("1d", 502, Some(502), None), ("3d", 516, None, None)]);
    assert_eq!(told(&replayed(None, &[(480, 600, 0), (60, 0, 600)])), []);
}

#[test]
fn a_shorter_window_pages_sooner() {
    let history = [(480, 10_000, 0), (60, 9_861, 139)];
    let fired = |days| replayed(terms("99.9%", days), &history).firings().len();
    // 13.9 times as fast as allowed: above 13.44 of 28 days, below 14.4 of 30.
    let fast = |days| {
        let replay = replayed(terms("99.9%", days), &history);
        replay.firings().iter().any(|firing| firing.tier == TIERS[0])
    };
    assert_eq!((fast(28), fast(30)), (true, false), "{} {}", fired(28), fired(30));
}

#[test]
fn what_lies_between_is_idle_or_unknown() {
    let mut idle = replayed(terms("99.9%", 30), &[(480, 600, 0), (20, 300, 300)]);
    let mut absent = idle.clone();
    absent.gaps = Gaps::Absent;
    for replay in [&mut idle, &mut absent] {
        assert!(replay.minute(900, Counts { good: 600, bad: 0 }, terms("99.9%", 30)));
    }
    // Five minutes after the last bad event nothing burns in the last five, either way.
    assert_eq!((told(&idle)[0].3, told(&absent)[0].3), (Some(510), Some(510)));
    // The six-hour tier burns for half an hour, or until the objective is forgotten.
    assert_eq!((told(&idle)[1].3, told(&absent)[1].3), (Some(540), Some(520)));
}

#[test]
fn a_history_with_holes_of_years_is_replayed_at_once() {
    let mut replay = Replay::new(Gaps::Idle);
    let outage = Counts { good: 0, bad: u64::MAX };
    for start_min in [0, 1 << 20, 1 << 33, 1 << 50] {
        for end_min in start_min..start_min + 10 {
            assert!(replay.minute(end_min, outage, terms("99.9%", 30)), "{end_min}");
        }
        assert!(!replay.minute(start_min, outage, terms("99.9%", 30)));
    }
    let open: Vec<_> = told(&replay).into_iter().filter(|told| told.3.is_none()).collect();
    assert_eq!((told(&replay).len(), open.len()), (14, 2), "{open:?}");
    // A moment that nobody writes down is no reason to fail either.
    assert!(replay.minute(u64::MAX, outage, terms("99.9%", 30)));
}

#[test]
fn skipping_what_is_calm_changes_nothing() {
    let parts = [(480, 600, 0), (20, 300, 300)];
    let mut skipped = replayed(terms("99.9%", 30), &parts);
    let mut walked = replayed(terms("99.9%", 30), &parts);
    let late_min = 500 + 2 * CALM_AFTER_MIN;
    for end_min in 501..late_min {
        walked.minute(end_min, Counts::default(), terms("99.9%", 30));
    }
    for replay in [&mut skipped, &mut walked] {
        for end_min in late_min..late_min + 30 {
            replay.minute(end_min, Counts { good: 1, bad: 1 }, terms("99.9%", 30));
        }
    }
    assert_eq!(skipped.firings(), walked.firings());
    assert!(skipped.firings().len() > 4);
}
