//! A process that is killed while it stores facts: whatever it said it had stored is there, every
//! batch is there whole or not at all, and the next process goes on where the facts end.

#![expect(clippy::unwrap_used, reason = "what fails to be set up here is the failure to be shown")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use redora_collector::ledger::{Batch, Cursor, Ledger, LedgerError};
use redora_model::fact::{Fact, Sighting, What};
use redora_model::identity::{Environment, Service};

/// How often the process is killed.
const KILLS: u32 = 300;
/// Facts that are stored together.
const FACTS: u64 = 20;
/// Tells the child which ledger to fill.
const LEDGER: &str = "REDORA_TEST_LEDGER";

#[test]
fn what_was_stored_survives_hundreds_of_kills() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    let (mut stored, mut random) = (0, 7_u32);
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_child_stores_until_it_is_killed", "--nocapture"])
            .env(LEDGER, &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // From before the file is open until some batches on, in the middle of the next one.
        let patience = (random >> 24) as usize % 6;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said = lines.filter_map(|line| line.strip_prefix("stored ")?.parse().ok());
        let said: Vec<u64> = said.take(patience).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let known = said.last().copied().unwrap_or(stored);
        let there = check(&file);
        assert!(there >= known, "kill {kill}: batch {known} was stored, {there} is there");
        stored = there;
    }
    assert!(stored > u64::from(KILLS), "{stored} batches are too few to have tried anything");
}

/// Not a test of its own: the process that is killed.
#[test]
fn a_child_stores_until_it_is_killed() {
    let Some(file) = std::env::var_os(LEDGER) else { return };
    let mut ledger = Ledger::open(Path::new(&file)).unwrap();
    let last = ledger.cursor("test", "batch").unwrap().map_or(0, |place| place.parse().unwrap());
    for number in last + 1.. {
        ledger.append(&batch(number)).unwrap();
        let mut out = std::io::stdout().lock();
        // The parent is gone when nobody reads any more.
        if writeln!(out, "stored {number}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn batch(number: u64) -> Batch {
    let fact = |place: u64| Fact {
        source: "test".into(),
        id: format!("{number}/{place}"),
        as_of_ms: 1,
        what: What::Sighting(Sighting {
            service: Service::new("shop"),
            environment: Environment::new("production"),
            version: String::new(),
            revision: None,
            first_ms: number as i64,
            last_ms: place as i64,
        }),
    };
    let (source, name, place) = ("test".into(), "batch".into(), number.to_string());
    let facts = (0..FACTS).map(fact).collect();
    Batch { facts, cursors: vec![Cursor { source, name, place }], rejects: Vec::new() }
}

/// The number of the last batch that is there; all before it are, each whole.
fn check(file: &Path) -> u64 {
    let ledger = Ledger::open(file).unwrap();
    let cursor = ledger.cursor("test", "batch").unwrap();
    let last: u64 = cursor.map_or(0, |place| place.parse().unwrap());
    let mut expected = (1..=last).flat_map(|number| batch(number).facts);
    ledger
        .export(|fact| {
            assert_eq!(Some(fact), expected.next());
            Ok::<_, LedgerError>(())
        })
        .unwrap();
    assert_eq!(expected.next(), None, "the cursor is ahead of its facts");
    last
}
