//! Histories as people write them, and as nobody should; whatever a line holds, it costs itself.

use proptest::prelude::*;
use redora_model::slo::Goal;
use redora_model::slo::replay::Gaps;

use super::*;
use crate::rehearse::{Ask, Report};

/// A whole number of milliseconds stands for a time: the calendar is somebody else's.
fn moment(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn record(minute: u64, slo: &str, good: u64, bad: u64) -> String {
    let at = minute * 60_000;
    format!(r#"{{"at":"{at}","service":"shop","slo":"{slo}","good":{good},"bad":{bad}}}"#)
}

fn rehearsed(text: &[u8]) -> (Report, Vec<(u64, String)>) {
    let goal = Goal::parse("99.9%");
    let ask = Ask { goal, window_s: Some(30 * 86_400), ..Ask::default() };
    let mut rehearsal = Rehearsal::new(ask, Gaps::Idle, 0);
    let mut bad = Vec::new();
    let on_bad = |line: BadLine| bad.push((line.number, line.fault.to_string()));
    read(text, &mut rehearsal, None, moment, on_bad).expect("a slice can be read");
    (rehearsal.report(None, None, 0), bad)
}

#[test]
fn records_of_a_minute_are_added_up_whatever_stands_between() {
    let lines = [
        record(10, "up", 5, 1),
        record(10, "fast", 7, 0),
        "  ".to_owned(),
        record(10, "up", 4, 1),
        record(11, "fast", 1, 0),
        record(12, "up", 1, 1),
    ];
    let (report, bad) = rehearsed(lines.join("\r\n").as_bytes());
    assert_eq!(bad, []);
    let counts: Vec<_> =
        report.objectives.iter().map(|it| (it.slo.as_str(), it.good, it.bad)).collect();
    assert_eq!(counts, [("fast", 8, 0), ("up", 10, 3)]);
    assert_eq!((report.from_ms, report.to_ms), (10 * 60_000, 13 * 60_000));
    // Three of them, and one in four is bad.
    let fired = &report.objectives[1].firings;
    assert!(fired.is_empty(), "the minute after next would page: {fired:?}");
}

#[test]
fn a_bad_line_is_set_aside_by_its_number_and_the_rest_goes_on() {
    let long = "x".repeat(LINE_BYTES_MAX as usize + 5);
    let lines = [
        record(10, "up", 5, 1),
        "no record".to_owned(),
        long,
        record(9, "up", 5, 1),
        record(11, "", 5, 1),
        record(11, "up", 5, 1).replace("bad", "worse"),
        record(11, "up", 5, 1).replace(":5", ":-5"),
        record(11, "up", 5, 1).replace("660000", "noon"),
        record(11, "up", 5, 1).replace("660000", "-660000"),
        record(11, "up", 5, 1),
    ];
    let (report, bad) = rehearsed(lines.join("\n").as_bytes());
    let expected = [
        (2, "no record"),
        (3, "longer than"),
        (4, "sort the records by time"),
        (5, "not empty"),
        (6, "unknown field `worse`"),
        (7, "invalid value"),
        (8, "2026-01-01T00:00:00Z"),
        (9, "2026-01-01T00:00:00Z"),
    ];
    assert_eq!(bad.len(), expected.len(), "{bad:?}");
    for ((number, fault), (line, words)) in bad.iter().zip(expected) {
        assert!(*number == line && fault.contains(words), "{number}: {fault}");
    }
    assert_eq!((report.objectives[0].good, report.objectives[0].bad), (10, 2));
}

#[test]
fn more_objectives_than_a_rehearsal_holds_are_refused_one_by_one() {
    let lines: Vec<_> = (0..2_001).map(|at| record(10, &format!("slo-{at}"), 1, 0)).collect();
    let (report, bad) = rehearsed(lines.join("\n").as_bytes());
    assert_eq!((report.objectives.len(), bad.len(), bad[0].0), (2_000, 1, 2_001));
    assert!(bad[0].1.contains("name a --service or an --slo"), "{}", bad[0].1);
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        rehearsed(&bytes);
    }

}

proptest! {
    // Each of the gaps is walked through for three days.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_records_are_too_strange(
        records in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 0..20)
    ) {
        let mut records = records;
        records.sort_unstable();
        let lines = records.iter().map(|(at, good, bad)| {
            format!(r#"{{"at":"{at}","service":"s","slo":"o","good":{good},"bad":{bad}}}"#)
        });
        rehearsed(lines.collect::<Vec<_>>().join("\n").as_bytes());
    }
}
