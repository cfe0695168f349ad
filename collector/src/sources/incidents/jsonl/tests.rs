//! Logs of incidents, whole and in pieces, with every kind of bad line.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;

use proptest::prelude::*;
use redora_model::fact::What;
use redora_model::identity::{Environment, Service};

use super::*;

fn tongue() -> Tongue {
    Tongue::Record(Origin {
        source: "jsonl:incidents".to_owned(),
        service: Some(Service::new("shop")),
        environment: Some(Environment::new("production")),
    })
}

/// Follows to the end from `cursor`, which is moved on.
fn read(path: &Path, cursor: &mut Option<String>) -> (Vec<Fact>, Vec<String>) {
    let (mut facts, mut bad) = (Vec::new(), Vec::new());
    loop {
        let batch = follow(path, cursor.as_deref(), &tongue()).expect("readable");
        facts.extend(batch.facts);
        bad.extend(batch.bad.iter().map(ToString::to_string));
        *cursor = Some(batch.cursor);
        if !batch.more {
            return (facts, bad);
        }
    }
}

/// What holds of several versions, in the words of the model.
fn winners(facts: Vec<Fact>) -> BTreeMap<String, (i64, String)> {
    let mut winners = BTreeMap::new();
    for fact in facts {
        let version = (fact.as_of_ms, serde_json::to_string(&fact).expect("JSON"));
        let held = winners.entry(fact.id).or_insert_with(|| version.clone());
        *held = version.max(held.clone());
    }
    winners
}

const GOOD: &str = r#"{"id": "a", "started_at": 1709294400, "resolved_at": 1709294460}"#;

#[test]
fn a_bad_line_is_set_aside_by_its_number_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let long = "x".repeat(LINE_BYTES_MAX as usize + 1);
    let lines: Vec<&[u8]> = vec![
        GOOD.as_bytes(),
        b"no JSON",
        b"",
        b"{\"id\": \"\xff\", \"started_at\": 1709294400}",
        b"  \r",
        br#"{"id": "b", "started_at": "yesterday"}"#,
        br#"{"id": "", "started_at": 1709294400}"#,
        br#"{"id": "c", "started_at": 1709294400, "resolvd_at": 1709294460}"#,
        long.as_bytes(),
        br#"{"started_at": 1709294400}"#,
        br#"{"id": 7, "started_at": 1709294400}"#,
        br#"{"id": "grows", "started_at""#,
    ];
    fs::write(&path, lines.join(&b'\n')).expect("written");
    let (facts, bad) = read(&path, &mut None);
    let ids: Vec<&str> = facts.iter().map(|fact| fact.id.as_str()).collect();
    assert_eq!(ids, ["a", "7"]);
    let expected = [
        "2: no incident: expected",
        "4: no incident: invalid unicode",
        "6: no incident: `yesterday`",
        "7: an incident needs an id",
        "8: no incident: unknown field `resolvd_at`",
        "9: longer than",
        "10: no incident: missing field `id`",
    ];
    assert_eq!(bad.len(), expected.len(), "{bad:#?}");
    for (bad, expected) in bad.iter().zip(expected) {
        assert!(bad.starts_with(expected), "{bad}");
    }
}

#[test]
fn a_cursor_that_is_none_costs_reading_again_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    fs::write(&path, format!("{GOOD}\n")).expect("written");
    let batch = follow(&path, Some("no cursor"), &tongue()).expect("readable");
    assert_eq!((batch.facts.len(), batch.gap, batch.more), (1, true, false));
    let batch = follow(&path, Some(&batch.cursor), &tongue()).expect("readable");
    assert_eq!((batch.facts.len(), batch.gap), (0, false));
}

#[test]
fn what_a_line_leaves_open_is_as_configured() {
    let line = br#"{"id": 1, "started_at": 1709294400, "service": " cart ", "environment": ""}"#;
    let fact = tongue().read(line).expect("an incident").expect("not blank");
    let What::Incident(incident) = &fact.what else { panic!("{fact:?}") };
    assert_eq!(incident.service, Some(Service::new("cart")));
    assert_eq!(incident.environment, Some(Environment::new("production")));
    assert_eq!(fact.source, "jsonl:incidents");
}

#[test]
fn a_log_may_be_the_history_of_a_status_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let line = r#"{"id": "9", "title": "Down", "impact": "minor", "started_at": 1709294400}"#;
    fs::write(&path, line).expect("written");
    let Tongue::Record(origin) = tongue() else { panic!("a record") };
    let services = BTreeMap::new();
    let tongue =
        Tongue::Statuspage(statuspage::Config { origin, none_is_disruption: false, services });
    let batch = follow(&path, None, &tongue).expect("readable");
    assert_eq!((batch.facts.len(), batch.bad.len(), batch.gap), (1, 0, false));
    assert_eq!(batch.facts[0].id, "9");
}

/// A line of a log, good or bad.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let record =
        (0..5u8, 1..1000i64, 0..1000i64, any::<bool>()).prop_map(|(id, started, lasted, note)| {
            let (started, end) = (1_709_294_400 + started, 1_709_294_400 + started + lasted);
            let title = if note { "naïve \u{1f6d1} \\n" } else { "" };
            format!(
                r#"{{"id":"{id}","started_at":{started},"resolved_at":{end},"title":"{title}"}}"#
            )
            .into_bytes()
        });
    prop_oneof![
        4 => record,
        1 => prop::collection::vec(b'\n' + 1.., 0..40),
        1 => prop::collection::vec(..b'\n', 0..40),
        1 => Just(b"\r".to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_of_a_log_into_appends_and_rotations_leaves_the_same_facts(
        lines in prop::collection::vec(line(), 0..12),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8), 0..6),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut bytes = lines.join(&b'\n');
        bytes.push(b'\n');
        let whole = folder.path().join("whole");
        fs::write(&whole, &bytes).expect("written");
        let (expected, bad_expected) = read(&whole, &mut None);

        let path = folder.path().join("log");
        let mut places: Vec<(usize, u8)> =
            cuts.iter().map(|(at, what)| (at.index(bytes.len() + 1), *what)).collect();
        places.push((bytes.len(), 0));
        places.sort_unstable();
        let (mut facts, mut bad, mut cursor, mut from) = (Vec::new(), 0, None, 0);
        for (rotation, (to, what)) in places.into_iter().enumerate() {
            let mut file =
                OpenOptions::new().append(true).create(true).open(&path).expect("opens");
            file.write_all(&bytes[from..to]).expect("written");
            from = to;
            if what < 2 || cursor.is_none() || to == bytes.len() {
                let (some, set_aside) = read(&path, &mut cursor);
                facts.extend(some);
                bad += set_aside.len();
            }
            // Rotations are between lines, as those of a writer who ends what it begins.
            let ended = to > 0 && bytes[to - 1] == b'\n';
            let rotated = folder.path().join(format!("log-{}", rotation + 20_240_301));
            if what > 0 && ended && fs::metadata(&path).expect("there").len() > 0 {
                fs::rename(&path, rotated).expect("renamed");
                // Nothing of its own is in the new file until the next append.
                fs::write(&path, "").expect("begun");
            }
        }
        prop_assert_eq!(bad, bad_expected.len());
        prop_assert_eq!(winners(facts), winners(expected));
    }

    #[test]
    fn no_line_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _fact = tongue().read(&bytes);
    }
}
