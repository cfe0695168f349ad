//! Slices of time as events, through the whole book: when they count, what a clock, a restart and a
//! reload do to the one under way, and which alerts they can raise.

use redora_model::slo::TIERS;

use super::records::{errors, line, log, over};
use super::*;
use crate::record::Match;

/// A full hour, at which slices of every length here begin.
const START_MS: u64 = 1_790_002_800_000;
const MINUTE_S: u64 = 60;

fn sliced(objective: Watched, seconds: u64) -> Watched {
    Watched { slices: Some(slices(seconds)), ..objective }
}

/// So many good and bad requests of this moment.
fn serve(digest: &Digest, good: usize, bad: usize, now_ms: u64) {
    let good = (0..good).map(|_| span(2, 1));
    take(digest, good.chain((0..bad).map(|_| failed(span(2, 1)))).collect(), now_ms);
}

#[test]
fn a_slice_counts_once_it_has_ended_whatever_the_indicator() {
    let slow = || span(2, 300_000_001);
    let latency = sliced(watched("latency", LATENCY, Select::default()), MINUTE_S);
    let records = sliced(over(Match::default(), Told::Bad(errors())), MINUTE_S);
    let digest = digest(vec![sliced(availability(), MINUTE_S), latency, records]);
    // 18 of 19 requests are good, which is less than 95 %; all of them are slow enough for 5 %.
    let spans = || (0..18).map(|_| span(2, 1)).chain([failed(slow())]).collect::<Vec<_>>();
    take(&digest, spans(), START_MS);
    log(&digest, vec![line(9, "x")], START_MS + 1);
    assert_eq!(totals(&digest), [(0, 0); 3]);
    digest.advance(START_MS + 59_999);
    assert_eq!(totals(&digest), [(0, 0); 3]);
    digest.advance(START_MS + 60_000);
    assert_eq!(totals(&digest), [(0, 1), (0, 1), (1, 0)]);
    // The next slice, with one good request more, and the one after it, which is not over.
    take(&digest, spans(), START_MS + 60_000);
    take(&digest, vec![span(2, 1)], START_MS + 119_999);
    take(&digest, vec![slow()], START_MS + 120_000);
    assert_eq!(totals(&digest), [(1, 1), (1, 1), (1, 0)]);
    // An hour without requests has no slices.
    digest.advance(START_MS + 60 * MINUTE_MS);
    assert_eq!(totals(&digest), [(2, 1), (1, 2), (1, 0)]);
}

#[test]
fn sampled_spans_weigh_in_a_slice_what_they_stand_for() {
    let digest = digest(vec![sliced(availability(), MINUTE_S)]);
    // Two spans stand for 18 requests each: two good of three would make a bad slice.
    let sampled = trace::Span { trace_state: "ot=th:f2".into(), ..span(2, 1) };
    take(&digest, vec![sampled.clone(), sampled, failed(span(2, 1))], START_MS);
    digest.advance(START_MS + MINUTE_MS);
    assert_eq!(totals(&digest), [(1, 0)]);
}

#[test]
fn what_comes_late_counts_in_the_slice_of_its_arrival() {
    let digest = digest(vec![sliced(availability(), MINUTE_S)]);
    serve(&digest, 1, 0, START_MS + MINUTE_MS);
    // Its clock is a little behind that of the batch before.
    serve(&digest, 0, 1, START_MS + MINUTE_MS - 5);
    digest.advance(START_MS + 2 * MINUTE_MS);
    assert_eq!(totals(&digest), [(0, 1)]);
}

#[test]
fn a_clock_that_jumps_ends_one_slice_at_most() {
    let digest = digest(vec![sliced(availability(), MINUTE_S)]);
    serve(&digest, 0, 1, START_MS);
    // Set back: nothing has ended, and the slice goes on for the time that it had left.
    digest.advance(START_MS - DAY_MS);
    serve(&digest, 0, 1, START_MS - DAY_MS + 30_000);
    assert_eq!(totals(&digest), [(0, 0)]);
    digest.advance(START_MS - DAY_MS + 60_000);
    assert_eq!(totals(&digest), [(0, 1)]);
    // Set forward: what was under way has ended, and nothing else has.
    serve(&digest, 0, 1, START_MS - DAY_MS + 61_000);
    digest.advance(START_MS + 10 * DAY_MS);
    assert_eq!(totals(&digest), [(0, 2)]);
    // It counts where it ended, eleven days ago.
    assert_eq!(bad(&digest, START_MS + 10 * DAY_MS), ([0; 7], 2));
}

#[test]
fn the_slice_under_way_survives_a_restart_and_counts_where_it_ended() {
    let slos = || vec![sliced(availability(), 600)];
    let before = digest(slos());
    serve(&before, 0, 1, START_MS + 30_000);
    let (_, kept) = before.kept(0).expect("there were commits");
    assert_eq!(totals(&before), [(0, 0)]);

    // Back at once: more of the slice comes, and it counts once.
    let after = digest(slos());
    assert_eq!(after.resume(&kept, START_MS + 40_000), Ok(1));
    serve(&after, 18, 0, START_MS + 50_000);
    assert_eq!(totals(&after), [(0, 0)]);
    after.advance(START_MS + 600_000);
    assert_eq!(totals(&after), [(0, 1)], "18 of 19 are less than 95 %");

    for (at_ms, windows, own, total) in [
        (START_MS + 599_999, [0; 7], 0, 0),
        (START_MS + 600_000, [1; 7], 1, 1),
        (START_MS + 600_000 + 8 * MINUTE_MS, [0, 1, 1, 1, 1, 1, 1], 1, 1),
        (START_MS + 2 * DAY_MS, [0, 0, 0, 0, 0, 0, 1], 1, 1),
        (START_MS + 40 * DAY_MS, [0; 7], 0, 1),
        // The clock was set back in between: no time has passed.
        (START_MS - DAY_MS, [0; 7], 0, 0),
    ] {
        let after = digest(slos());
        assert_eq!(after.resume(&kept, at_ms), Ok(1));
        assert_eq!(bad(&after, at_ms), (windows, own), "{at_ms}");
        assert_eq!(totals(&after), [(0, total)], "{at_ms}");
    }
}

#[test]
fn a_slice_counts_in_the_period_of_its_last_moment() {
    // 2026-10-01T00:00:00Z, at which slices of a minute end and those of eleven minutes do not.
    let october_ms = 1_790_812_800_000;
    let spent = |seconds: u64, served_ms: u64, seen_ms: u64| {
        let digest = digest(vec![sliced(calendar(Period::Month), seconds)]);
        serve(&digest, 0, 1, october_ms - DAY_MS);
        digest.advance(october_ms - DAY_MS / 2);
        serve(&digest, 0, 1, served_ms);
        let own = bad(&digest, seen_ms).1;
        assert_eq!(totals(&digest), [(0, 2)]);
        own
    };
    assert_eq!(spent(MINUTE_S, october_ms - 2 * MINUTE_MS, october_ms - 1), 2);
    assert_eq!(spent(MINUTE_S, october_ms - 1, october_ms), 0, "September is over");
    assert_eq!(spent(MINUTE_S, october_ms, october_ms + MINUTE_MS), 1);
    for seen_ms in [october_ms + 7 * MINUTE_MS, october_ms + DAY_MS] {
        assert_eq!(spent(660, october_ms - 1, seen_ms), 1, "it ends in October");
    }
}

#[test]
fn a_reload_keeps_the_slice_under_way_unless_slices_change() {
    for (reloaded, expected) in [
        (sliced(availability(), MINUTE_S), (0, 1)),
        (sliced(availability(), 30), (1, 0)),
        (availability(), (18, 0)),
    ] {
        let digest = digest(vec![sliced(availability(), MINUTE_S)]);
        serve(&digest, 0, 1, START_MS);
        digest.reconfigure(settings(vec![reloaded.clone()]));
        serve(&digest, 18, 0, START_MS + 1);
        digest.advance(START_MS + MINUTE_MS);
        assert_eq!(totals(&digest), [expected], "{:?}", reloaded.slices);
    }
}

#[test]
fn a_tier_needs_slices_no_longer_than_its_short_window() {
    let often = |fired: usize, looks: usize| match fired {
        0 => "never",
        fired if fired == looks => "always",
        _ => "now and then",
    };
    let (always, seldom, never) = ("always", "now and then", "never");
    for (minutes, expected) in [
        (1, [always; 4]),
        (5, [always; 4]),
        (10, [seldom, always, always, always]),
        (20, [seldom, always, always, always]),
        (30, [never, always, always, always]),
        (60, [never, seldom, always, always]),
    ] {
        let digest = digest(vec![sliced(availability(), minutes * 60)]);
        let mut fired = [0; 4];
        // Ten hours of failure, of which the last five are looked at.
        for minute in 0..600 {
            let now_ms = START_MS + minute * MINUTE_MS;
            serve(&digest, 0, 1, now_ms);
            digest.read(|books| {
                let one = books.slo.standings().next().expect("an objective");
                for (tier, fired) in TIERS.iter().zip(&mut fired) {
                    let (long, short) = (one.last(tier.long), one.last(tier.short));
                    let goal = one.watched.objective.goal;
                    let fires = tier.fires(goal, one.window_s(), long, short);
                    *fired += usize::from(minute >= 300 && fires);
                }
            });
        }
        assert_eq!(fired.map(|fired| often(fired, 300)), expected, "slices of {minutes} minutes");
    }
}

#[test]
fn two_bad_slices_alert_nobody_and_three_do() {
    let digest = digest(vec![sliced(availability(), MINUTE_S)]);
    let fires = || {
        digest.read(|books| {
            let one = books.slo.standings().next().expect("an objective");
            let goal = one.watched.objective.goal;
            let last = |tier: &redora_model::slo::Tier| {
                tier.fires(goal, one.window_s(), one.last(tier.long), one.last(tier.short))
            };
            TIERS.iter().any(last)
        })
    };
    for minute in 0..3 {
        // A thousand failures in a minute are one bad minute.
        serve(&digest, 0, 1000, START_MS + minute * MINUTE_MS);
        assert!(!fires(), "{minute} minutes have ended");
    }
    digest.advance(START_MS + 3 * MINUTE_MS);
    assert!(fires());
}

#[test]
fn a_file_from_before_there_were_slices_is_read() {
    // Written by redora 0.1.0 on 2026-11-21: a good and a bad request for either objective.
    let kept = include_bytes!("../../../tests/data/slo-1.state");
    let written_ms = 1_795_275_454_513;
    let of = |name: &str, window: Window| {
        let mut watched = availability();
        watched.objective.name = name.to_owned();
        watched.objective.service = Service::new("s");
        watched.objective.window = window;
        watched
    };
    let month = Window::Calendar { period: Period::Month, time_zone: "UTC".to_owned() };
    let digest = digest(vec![of("a", MONTH), of("m", month)]);
    assert_eq!(digest.resume(kept, written_ms), Ok(2));
    assert_eq!(bad(&digest, written_ms), ([1; 7], 1));
    let spent: Vec<Counts> =
        digest.read(|books| books.slo.standings().map(|one| one.spent()).collect());
    assert_eq!(spent, [Counts { good: 1, bad: 1 }; 2]);
}
