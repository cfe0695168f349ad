//! Real files: what is stored, what wins, and which files are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use redora_model::fact::{Claim, Link, Sighting};
use redora_model::identity::{Environment, Service};
use rusqlite::Connection;

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

fn link(id: &str, as_of_ms: i64, holds: bool) -> Fact {
    let what = What::Link(Link {
        claim: Claim::Repair,
        subject: format!("deployment:test:{id}"),
        object: String::new(),
        rule: "manual".into(),
        holds,
    });
    Fact { source: "test".into(), id: id.into(), as_of_ms, what }
}

/// Few ids, moments and contents, so that versions repeat, correct and contradict each other.
fn any_fact() -> impl Strategy<Value = Fact> {
    ("[ab]", "[1-4]", 0..4_i64, 0..3_i64, any::<bool>()).prop_map(
        |(source, id, as_of_ms, content, is_link)| {
            let fact = if is_link {
                link(&id, as_of_ms, content == 0)
            } else {
                sighting(&id, as_of_ms, content)
            };
            Fact { source, ..fact }
        },
    )
}

/// The same facts twice: in two orders, each cut into batches in its own way.
fn two_histories() -> impl Strategy<Value = [Vec<Vec<Fact>>; 2]> {
    let facts = proptest::collection::vec(any_fact(), 1..60);
    let orders = facts.prop_flat_map(|facts| (Just(facts.clone()).prop_shuffle(), Just(facts)));
    (orders, 1..20_usize, 1..20_usize).prop_map(|((one, other), first, second)| {
        [(one, first), (other, second)]
            .map(|(facts, size)| facts.chunks(size).map(<[Fact]>::to_vec).collect())
    })
}

fn line(fact: &Fact) -> String {
    serde_json::to_string(fact).unwrap()
}

/// What holds, every version there is, and what the ledger said of the batches.
fn told(batches: &[Vec<Fact>]) -> (BTreeSet<String>, Vec<String>, Appended) {
    let (_folder, file) = place("ledger.sqlite");
    let mut ledger = Ledger::open(&file).unwrap();
    let mut all = Appended::default();
    for facts in batches {
        let before = ledger.generation().unwrap();
        let one = ledger.append(&batch(facts)).unwrap();
        let grew = ledger.generation().unwrap() > before;
        assert_eq!(grew, one.new + one.corrected > 0, "a result is old when a winner changed");
        all.new += one.new;
        all.corrected += one.corrected;
        all.stale += one.stale;
        all.known += one.known;
    }
    let (mut holds, mut versions) = (BTreeSet::new(), Vec::new());
    for kind in ["sighting", "link"] {
        let keep = |fact: Fact| assert!(holds.insert(line(&fact)), "{fact:?} is there twice");
        ledger.winners(kind, Scope::All, keep).unwrap();
    }
    ledger
        .export(|fact| {
            versions.push(line(&fact));
            Ok::<_, LedgerError>(())
        })
        .unwrap();
    (holds, versions, all)
}

proptest! {
    // Each case waits for the disk some dozen times.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_the_order_and_the_batches_the_same_facts_hold(histories in two_histories()) {
        let facts: Vec<&Fact> = histories[0].iter().flatten().collect();
        let mut latest: BTreeMap<_, (i64, String)> = BTreeMap::new();
        for fact in &facts {
            let version = (fact.as_of_ms, line(fact));
            let known = latest.entry((fact.what.kind(), &fact.source, &fact.id)).or_default();
            *known = known.clone().max(version);
        }
        let different: BTreeSet<String> = facts.iter().map(|fact| line(fact)).collect();
        let expected: BTreeSet<String> = latest.values().map(|(_, line)| line.clone()).collect();
        for batches in &histories {
            let (holds, versions, appended) = told(batches);
            prop_assert_eq!(&holds, &expected);
            prop_assert_eq!(versions.len(), different.len(), "each version is kept once");
            prop_assert_eq!(&versions.into_iter().collect::<BTreeSet<_>>(), &different);
            let Appended { new, corrected, stale, known } = appended;
            prop_assert_eq!(new, latest.len() as u64);
            prop_assert_eq!(new + corrected + stale, different.len() as u64);
            prop_assert_eq!(new + corrected + stale + known, facts.len() as u64);
        }
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
        ledger
            .append(&Batch { facts, cursors: vec![cursor(place)], rejects, ..Batch::default() })
            .unwrap();
    }
    drop(ledger);
    let ledger = Ledger::open(&file).unwrap();
    assert_eq!(winners(&ledger).len(), 2);
    assert_eq!(ledger.cursor("test", "line").unwrap().as_deref(), Some("4"));
    assert_eq!(ledger.cursor("test", "page").unwrap(), None);
    assert_eq!(ledger.rejects().unwrap(), [("test".to_owned(), 1200)]);
    let kept: u32 = ledger.db.query_row("SELECT count(*) FROM rejects", [], |r| r.get(0)).unwrap();
    assert_eq!(kept, REJECTS_KEPT);
    let newest = Reject { reason: "the newest".into(), ..reject };
    let rejects = vec![newest.clone()];
    let mut ledger = ledger;
    ledger.append(&Batch { rejects, ..Batch::default() }).unwrap();
    let mut shown = Vec::new();
    ledger.rejected("test", |reject| shown.push(reject)).unwrap();
    assert_eq!((shown.len(), &shown[0]), (REJECTS_KEPT as usize, &newest));
}

/// A file as an earlier redora left it, with one fact in it.
fn old_file(file: &Path, version: usize) {
    let db = Connection::open(file).unwrap();
    db.execute_batch(&schema::STEPS[..version].concat()).unwrap();
    let id = schema::APPLICATION_ID;
    db.execute_batch(&format!("PRAGMA application_id = {id}; PRAGMA user_version = {version};"))
        .unwrap();
    db.execute(
        "INSERT INTO facts VALUES
         (1, 'sighting', 'test', 'old', 1, 1, '', 'shop', 'production', 1, ?1)",
        [line(&sighting("old", 1, 2))],
    )
    .unwrap();
}

#[test]
fn a_file_of_each_earlier_version_is_brought_up_to_date() {
    for version in 1..schema::STEPS.len() {
        let (_folder, file) = place("ledger.sqlite");
        old_file(&file, version);
        let mut ledger = Ledger::open(&file).unwrap();
        ledger.append(&batch(&[sighting("new", 1, 2), sighting("old", 2, 3)])).unwrap();
        assert_eq!(winners(&ledger), [sighting("new", 1, 2), sighting("old", 2, 3)]);
        assert!(ledger.rejects().unwrap().is_empty());
        assert_eq!(ledger.inbox().unwrap(), (0, 0));
    }
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

    refused(folder.path(), "is a directory");
    refused(&folder.path().join("absent/ledger.sqlite"), "a folder that redora may write");
}

/// The log holds what the file does not: neither may be touched.
#[test]
fn a_foreign_file_with_a_log_is_left_alone() {
    let (folder, file) = place("theirs.sqlite");
    let theirs = Connection::open(&file).unwrap();
    theirs.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a);").unwrap();
    let copy = folder.path().join("copy.sqlite");
    let log = folder.path().join("copy.sqlite-wal");
    std::fs::copy(&file, &copy).unwrap();
    std::fs::copy(folder.path().join("theirs.sqlite-wal"), &log).unwrap();
    let before = std::fs::read(&log).unwrap();
    refused(&copy, "another program");
    assert!(!before.is_empty());
    assert_eq!(std::fs::read(&log).unwrap(), before);
}

#[test]
fn a_file_that_was_cut_is_refused_and_left_alone() {
    let (_folder, file) = place("ledger.sqlite");
    let mut ledger = Ledger::open(&file).unwrap();
    let facts: Vec<Fact> = (0..300).map(|n| sighting(&n.to_string(), 1, 1)).collect();
    ledger.append(&batch(&facts)).unwrap();
    drop(ledger);
    let whole = std::fs::read(&file).unwrap();
    // Inside the header, between pages, inside the last page.
    for len in [1, 17, 99, 4096, whole.len() - 4096, whole.len() - 4095, whole.len() - 1] {
        std::fs::write(&file, &whole[..len]).unwrap();
        refused(&file, "damaged");
        let error = Reader::open(&file).expect_err("refused").to_string();
        assert!(error.contains("damaged"), "{len}: {error}");
    }
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(winners(&Ledger::open(&file).unwrap()).len(), 300);
}

#[test]
fn a_file_with_nothing_in_it_is_a_new_ledger() {
    let (folder, file) = place("ledger.sqlite");
    std::fs::write(&file, b"").unwrap();
    // What a killed first start leaves.
    std::fs::write(folder.path().join("ledger.sqlite.unfinished"), "half").unwrap();
    let error = Reader::open(&file).expect_err("nothing to read").to_string();
    assert!(error.contains("there is no ledger"), "{error}");
    Ledger::open(&file).unwrap().append(&batch(&[sighting("1", 1, 1)])).unwrap();
    assert_eq!(winners(&Ledger::open(&file).unwrap()).len(), 1);
    assert!(!folder.path().join("ledger.sqlite.unfinished").exists());
}

/// SQLite would write the old log's pages into the new file, or throw them away.
#[test]
fn a_log_without_its_ledger_is_refused_and_kept() {
    let (folder, file) = place("ledger.sqlite");
    let mut ledger = Ledger::open(&file).unwrap();
    ledger.append(&batch(&[sighting("1", 1, 1)])).unwrap();
    let copy = folder.path().join("copy.sqlite");
    let log = folder.path().join("copy.sqlite-wal");
    std::fs::copy(folder.path().join("ledger.sqlite-wal"), &log).unwrap();
    let before = std::fs::read(&log).unwrap();
    let error = Ledger::open(&copy).expect_err("a log alone").to_string();
    assert!(error.contains("a ledger that is not there"), "{error}");
    assert_eq!(std::fs::read(&log).unwrap(), before);
    std::fs::copy(&file, &copy).unwrap();
    assert_eq!(winners(&Ledger::open(&copy).unwrap()).len(), 1, "with its file it is read");
}

/// Its next user has to undo what was begun; a look at it must not.
#[test]
fn a_foreign_file_with_a_journal_is_left_alone() {
    let (folder, file) = place("theirs.sqlite");
    let theirs = Connection::open(&file).unwrap();
    theirs.execute_batch("CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1);").unwrap();
    // Pages that do not fit the memory are written before the commit, and the journal first.
    theirs.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1;").unwrap();
    for _ in 0..40 {
        theirs.execute("INSERT INTO t VALUES (randomblob(3000))", []).unwrap();
    }
    let copy = folder.path().join("copy.sqlite");
    let journal = folder.path().join("copy.sqlite-journal");
    std::fs::copy(&file, &copy).unwrap();
    std::fs::copy(folder.path().join("theirs.sqlite-journal"), &journal).unwrap();
    let before = std::fs::read(&journal).unwrap();
    refused(&copy, "another program");
    assert_eq!(std::fs::read(&journal).unwrap(), before);
}

#[test]
fn a_batch_that_finds_the_disk_full_is_stored_later_and_whole() {
    let (_folder, file) = place("ledger.sqlite");
    let mut ledger = Ledger::open(&file).unwrap();
    ledger.append(&batch(&[sighting("before", 1, 1)])).unwrap();
    let facts: Vec<Fact> = (0..3000).map(|n| sighting(&n.to_string(), 1, 1)).collect();
    // SQLite answers at its own limit as it does at the disk's.
    let limit = |pages: u32| format!("PRAGMA max_page_count = {pages}");
    ledger.db.query_row(&limit(40), [], |_| Ok(())).unwrap();
    let error = ledger.append(&batch(&facts)).expect_err("full");
    assert!(matches!(error, LedgerError::Full), "{error}");
    assert_eq!(winners(&ledger), [sighting("before", 1, 1)]);
    ledger.db.query_row(&limit(1_000_000), [], |_| Ok(())).unwrap();
    assert_eq!(ledger.append(&batch(&facts)).unwrap().new, 3000);
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

#[test]
fn readers_see_one_moment_while_another_writes() {
    let (_folder, file) = place("ledger.sqlite");
    let error = Reader::open(&file).expect_err("there is none").to_string();
    assert!(error.contains("there is no ledger"), "{error}");
    assert!(!file.exists(), "a reader makes no file");

    let mut ledger = Ledger::open(&file).unwrap();
    ledger.append(&batch(&[sighting("1", 1, 1)])).unwrap();
    let reader = Reader::open(&file).unwrap();
    ledger.append(&batch(&[sighting("2", 1, 1)])).unwrap();
    let count = |reader: &Reader| {
        let mut count = 0;
        reader.winners("sighting", Scope::All, |_| count += 1).unwrap();
        count
    };
    assert_eq!((count(&reader), reader.generation().unwrap()), (1, 1));
    let later = Reader::open(&file).unwrap();
    assert_eq!((count(&later), later.generation().unwrap()), (2, 2));
}

#[test]
fn a_reader_leaves_an_old_file_to_the_writer() {
    let (_folder, file) = place("ledger.sqlite");
    old_file(&file, 1);
    let before = std::fs::read(&file).unwrap();
    let error = Reader::open(&file).expect_err("it is older").to_string();
    assert!(error.contains("has version 1") && error.contains("up to date"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
