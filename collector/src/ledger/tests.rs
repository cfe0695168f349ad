//! Real files: what is stored, what wins, and which files are refused.

use std::path::{Path, PathBuf};

use redora_model::fact::Sighting;
use redora_model::identity::{Environment, Service};

use super::*;

fn sighting(id: &str, as_of_ms: i64, last_ms: i64) -> Fact {
    let what = What::Sighting(Sighting {
        service: Service::new("shop"),
        environment: Environment::new("production"),
        version: String::new(),
        revision: None,
        first_ms: 1,
        last_ms,
    });
    Fact { source: "test".into(), id: id.into(), as_of_ms, what }
}

fn batch(facts: &[Fact]) -> Batch {
    Batch { facts: facts.to_vec(), ..Batch::default() }
}

fn winners(ledger: &Ledger) -> Vec<Fact> {
    let mut facts = Vec::new();
    let scope = Scope::Place { service: "shop", environment: "production" };
    ledger.winners("sighting", scope, |fact| facts.push(fact)).unwrap();
    facts
}

fn place(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    (folder, file)
}

#[test]
fn the_latest_version_wins_and_every_version_is_kept() {
    let (_folder, file) = place("ledger.sqlite");
    let mut ledger = Ledger::open(&file).unwrap();
    let versions = [sighting("1", 5, 10), sighting("1", 7, 20), sighting("1", 6, 30)];
    let expected = [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)];
    for (fact, (new, corrected, stale, known)) in versions.iter().zip(expected) {
        let appended = ledger.append(&batch(std::slice::from_ref(fact))).unwrap();
        assert_eq!(appended, Appended { new, corrected, stale, known }, "{fact:?}");
    }
    let generation = ledger.generation().unwrap();
    let again = ledger.append(&batch(&versions)).unwrap();
    assert_eq!(again, Appended { known: 3, ..Appended::default() });
    assert_eq!(ledger.generation().unwrap(), generation, "nothing that holds has changed");
    assert_eq!(winners(&ledger), [sighting("1", 7, 20)]);
    let mut all = Vec::new();
    ledger
        .export(|fact| {
            all.push(fact);
            Ok::<_, LedgerError>(())
        })
        .unwrap();
    assert_eq!(all, versions);
}

#[test]
fn whatever_the_order_of_arrival_the_same_facts_hold() {
    let facts: Vec<Fact> =
        (0..60).map(|n: i64| sighting(&(n % 7).to_string(), n * 13 % 10, n * 31 % 5)).collect();
    let mut expected = None;
    for turn in [1, 7, 11, 13, 17, 19, 23, 29, 59] {
        let (_folder, file) = place("ledger.sqlite");
        let mut ledger = Ledger::open(&file).unwrap();
        // Steps that share no factor with 60 visit every fact once, in another order each.
        for n in 0..60 {
            ledger.append(&batch(std::slice::from_ref(&facts[n * turn % 60]))).unwrap();
        }
        let holds = winners(&ledger);
        assert_eq!(holds.len(), 7);
        assert_eq!(*expected.get_or_insert_with(|| holds.clone()), holds, "turn {turn}");
    }
}

#[test]
fn facts_cursors_and_rejects_outlive_the_process() {
    let (_folder, file) = place("ledger.sqlite");
    let mut ledger = Ledger::open(&file).unwrap();
    let cursor =
        |place: &str| Cursor { source: "test".into(), name: "line".into(), place: place.into() };
    let reject = Reject {
        source: "test".into(),
        place: "line 3".into(),
        reason: "no fact".into(),
        at_ms: 9,
    };
    for place in ["3", "4"] {
        let rejects = vec![reject.clone(); 600];
        let facts = vec![sighting(place, 1, 1)];
        ledger.append(&Batch { facts, cursors: vec![cursor(place)], rejects }).unwrap();
    }
    drop(ledger);
    let ledger = Ledger::open(&file).unwrap();
    assert_eq!(winners(&ledger).len(), 2);
    assert_eq!(ledger.cursor("test", "line").unwrap().as_deref(), Some("4"));
    assert_eq!(ledger.cursor("test", "page").unwrap(), None);
    assert_eq!(ledger.rejects().unwrap(), [("test".to_owned(), 1200)]);
    let kept: u32 = ledger.db.query_row("SELECT count(*) FROM rejects", [], |r| r.get(0)).unwrap();
    assert_eq!(kept, REJECTS_KEPT);
}

#[test]
fn a_file_of_the_first_version_is_brought_up_to_date() {
    let (_folder, file) = place("ledger.sqlite");
    let db = Connection::open(&file).unwrap();
    db.execute_batch(schema::STEPS[0]).unwrap();
    let id = schema::APPLICATION_ID;
    db.execute_batch(&format!("PRAGMA application_id = {id}; PRAGMA user_version = 1;")).unwrap();
    let body = serde_json::to_string(&sighting("old", 1, 2)).unwrap();
    db.execute(
        "INSERT INTO facts VALUES
         (1, 'sighting', 'test', 'old', 1, 1, '', 'shop', 'production', 1, ?1)",
        [body],
    )
    .unwrap();
    drop(db);
    let mut ledger = Ledger::open(&file).unwrap();
    ledger.append(&batch(&[sighting("new", 1, 2)])).unwrap();
    assert_eq!(winners(&ledger).len(), 2);
    assert!(ledger.rejects().unwrap().is_empty());
}

#[track_caller]
fn refused(file: &Path, words: &str) {
    let before = std::fs::read(file).ok();
    let error = Ledger::open(file).expect_err("refused").to_string();
    assert!(error.contains(words), "{error}");
    assert_eq!(std::fs::read(file).ok(), before, "the file is as it was");
}

#[test]
fn a_file_that_is_no_ledger_is_refused_and_left_alone() {
    let (folder, file) = place("ledger.sqlite");
    std::fs::write(&file, b"SQLite format 3\0 and then nothing of the kind").unwrap();
    refused(&file, "damaged");
    std::fs::write(&file, "a diary").unwrap();
    refused(&file, "damaged");

    let foreign = folder.path().join("foreign.sqlite");
    let db = Connection::open(&foreign).unwrap();
    db.execute_batch("CREATE TABLE t (a); PRAGMA user_version = 1;").unwrap();
    drop(db);
    refused(&foreign, "another program");

    let newer = folder.path().join("newer.sqlite");
    drop(Ledger::open(&newer).unwrap());
    let db = Connection::open(&newer).unwrap();
    db.execute_batch("PRAGMA user_version = 99;").unwrap();
    drop(db);
    refused(&newer, "run the newer redora");

    refused(folder.path(), "cannot be");
    refused(&folder.path().join("absent/ledger.sqlite"), "cannot be opened");
    std::fs::write(folder.path().join("empty.sqlite"), b"").unwrap();
    Ledger::open(&folder.path().join("empty.sqlite")).expect("an empty file is a new ledger");
}

#[test]
fn two_writers_are_told_apart() {
    let (_folder, file) = place("ledger.sqlite");
    let first = Ledger::open(&file).unwrap();
    let error = Ledger::open(&file).expect_err("the first one holds it").to_string();
    assert!(error.contains("in use by another redora"), "{error}");
    drop(first);
    Ledger::open(&file).expect("it is free again");
}
