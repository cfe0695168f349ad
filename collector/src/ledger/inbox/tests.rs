//! A real file: what waits, what is known, and how far the inbox grows.

use redora_model::fact::{Fact, Sighting, What};
use redora_model::identity::{Environment, Service};

use super::*;
use crate::ledger::{Batch, Scope};

const BOUNDS: InboxBounds = InboxBounds { rows_max: 3, bytes_max: 1000, ids_max: 4, ids_ms: 1000 };

fn ledger() -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    (folder, ledger)
}

fn delivery(id: &str, at_ms: i64) -> Delivery {
    let headers = vec![("x-github-event".to_owned(), "deployment".to_owned())];
    let body = b"{\xff}\0".to_vec();
    Delivery { door: "github".into(), id: id.into(), headers, body, at_ms }
}

fn fact() -> Fact {
    let what = What::Sighting(Sighting {
        service: Service::new("shop"),
        environment: Environment::new("production"),
        version: String::new(),
        revision: None,
        first_ms: 1,
        last_ms: 2,
    });
    Fact { source: "test".into(), id: "1".into(), as_of_ms: 1, what }
}

fn ids(ledger: &Ledger) -> Vec<String> {
    ledger.deliveries(100).unwrap().into_iter().map(|waiting| waiting.delivery.id).collect()
}

fn handle(ledger: &mut Ledger, id: &str) {
    let waiting = ledger.deliveries(100).unwrap();
    let one = waiting.iter().find(|waiting| waiting.delivery.id == id).unwrap();
    ledger.append(&Batch { handled: vec![one.number], ..Batch::default() }).unwrap();
}

#[test]
fn a_delivery_waits_until_its_facts_are_stored_and_is_known_afterwards() {
    let (folder, mut ledger) = ledger();
    for (id, received) in [("a", Received::New), ("b", Received::New), ("a", Received::Known)] {
        assert_eq!(ledger.receive(&delivery(id, 1), &BOUNDS).unwrap(), received, "{id}");
    }
    let other = Delivery { door: "pagerduty".into(), ..delivery("a", 2) };
    assert_eq!(ledger.receive(&other, &BOUNDS).unwrap(), Received::New, "another door's id");
    drop(ledger);

    let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    let waiting = ledger.deliveries(100).unwrap();
    let deliveries: Vec<Delivery> = waiting.iter().map(|one| one.delivery.clone()).collect();
    assert_eq!(deliveries, [delivery("a", 1), delivery("b", 1), other], "byte for byte");
    assert_eq!(ledger.deliveries(1).unwrap(), waiting[..1]);

    let handled = vec![waiting[0].number];
    ledger.append(&Batch { facts: vec![fact()], handled, ..Batch::default() }).unwrap();
    assert_eq!(ids(&ledger), ["b", "a"]);
    assert_eq!(ledger.receive(&delivery("a", 3), &BOUNDS).unwrap(), Received::Known);
    assert_eq!(ids(&ledger), ["b", "a"], "it is not handled twice");
}

#[test]
fn a_batch_that_is_not_stored_ends_no_delivery() {
    let (_folder, mut ledger) = ledger();
    ledger.receive(&delivery("a", 1), &BOUNDS).unwrap();
    ledger
        .db
        .execute_batch(
            "CREATE TRIGGER no BEFORE UPDATE ON generation
        BEGIN SELECT raise(ABORT, 'no'); END",
        )
        .unwrap();
    let handled = vec![ledger.deliveries(1).unwrap()[0].number];
    let batch = Batch { facts: vec![fact()], handled, ..Batch::default() };
    ledger.append(&batch).expect_err("the trigger forbids it");
    assert_eq!(ids(&ledger), ["a"]);
    ledger.db.execute_batch("DROP TRIGGER no").unwrap();
    ledger.append(&batch).unwrap();
    assert_eq!(ids(&ledger), [""; 0]);
    let mut facts = 0;
    ledger.winners("sighting", Scope::All, |_| facts += 1).unwrap();
    assert_eq!(facts, 1);
}

#[test]
fn a_full_inbox_says_so_and_takes_again_when_some_were_handled() {
    let (_folder, mut ledger) = ledger();
    for id in ["a", "b", "c"] {
        ledger.receive(&delivery(id, 1), &BOUNDS).unwrap();
    }
    let before = ledger.inbox().unwrap();
    let error = ledger.receive(&delivery("d", 1), &BOUNDS).expect_err("three wait");
    assert!(error.to_string().starts_with("the inbox is full: 3 deliveries"), "{error}");
    assert_eq!(ledger.receive(&delivery("a", 1), &BOUNDS).unwrap(), Received::Known);
    assert_eq!(ledger.inbox().unwrap(), before);
    handle(&mut ledger, "b");
    assert_eq!(ledger.receive(&delivery("d", 1), &BOUNDS).unwrap(), Received::New);
    assert_eq!(ids(&ledger), ["a", "c", "d"]);

    handle(&mut ledger, "a");
    let large = Delivery { body: vec![b' '; 1000], ..delivery("e", 1) };
    let error = ledger.receive(&large, &BOUNDS).expect_err("1000 bytes and headers");
    assert!(matches!(error, ReceiveError::InboxFull { rows: 2, .. }), "{error}");
    let fits = Delivery { body: vec![b' '; 800], ..large };
    assert_eq!(ledger.receive(&fits, &BOUNDS).unwrap(), Received::New);
}

#[test]
fn ids_are_forgotten_by_age_and_number_but_never_while_they_wait() {
    let (_folder, mut ledger) = ledger();
    let rows = |ledger: &Ledger| -> u64 {
        ledger.db.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0)).unwrap()
    };
    ledger.receive(&delivery("waits", 0), &BOUNDS).unwrap();
    for number in 0..20 {
        let id = number.to_string();
        assert_eq!(ledger.receive(&delivery(&id, 1), &BOUNDS).unwrap(), Received::New);
        handle(&mut ledger, &id);
        assert!(rows(&ledger) <= 2 + BOUNDS.ids_max, "after {number}");
    }
    let mut take = |id: &str, at_ms| ledger.receive(&delivery(id, at_ms), &BOUNDS).unwrap();
    assert_eq!(take("19", 1001), Received::Known);
    assert_eq!(take("19", 1002), Received::New, "after a second it is forgotten");
    assert_eq!(take("waits", 9000), Received::Known);
    // A clock that is set back forgets nothing.
    assert_eq!(take("19", -1), Received::Known);
}

#[test]
fn every_question_is_read_from_its_index() {
    let (_folder, ledger) = ledger();
    for (question, expected) in [
        (WAITING, "INDEX deliveries_waiting"),
        (FILLING, "COVERING INDEX deliveries_waiting"),
        (OLD, "INDEX deliveries_handled (at_ms<?)"),
        (SURPLUS, "PRIMARY KEY (rowid<?)"),
    ] {
        let mut explain = ledger.db.prepare(&format!("EXPLAIN QUERY PLAN {question}")).unwrap();
        let values = vec![0; explain.parameter_count()];
        let steps = explain.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
        let plan: Vec<String> = steps.unwrap().map(Result::unwrap).collect();
        assert!(plan.join("; ").contains(expected), "{question}\n{plan:?}");
        assert!(!plan.join("; ").contains("ORDER BY"), "{question}\n{plan:?}");
    }
}
