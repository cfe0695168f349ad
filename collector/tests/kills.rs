//! A process that stores facts, is read meanwhile and killed: whatever it said it had stored is
//! there, every batch is there whole or not at all, and the next process goes on where they end.

#![expect(clippy::unwrap_used, reason = "what fails to be set up here is the failure to be shown")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use redora_collector::ledger::{
    Batch, Cursor, Delivery, InboxBounds, Ledger, LedgerError, Reader, Received,
};
use redora_model::fact::{Fact, Sighting, What};
use redora_model::identity::{Environment, Service};

/// What a child does.
const STORES: &str = "a_child_stores_until_it_is_killed";
const TAKES_IN: &str = "a_child_takes_in_until_it_is_killed";
/// How often the process is killed.
const KILLS: u32 = 300;
/// After so many a new ledger is begun, for after each kill all that is in one is compared.
const KILLS_A_LEDGER: u32 = 30;
/// How many first starts are killed.
const STARTS: u32 = 300;
/// How often the writer is read while it writes.
const READS: u32 = 50;
/// Facts that are stored together.
const FACTS: u64 = 20;
/// Tells the child which ledger to fill.
const LEDGER: &str = "REDORA_TEST_LEDGER";

/// Held while this process has a ledger open and while it starts another one, which until it is
/// the other program has every file of this one open, locks included.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn what_was_stored_survives_hundreds_of_kills() {
    let folder = tempfile::tempdir().unwrap();
    let (mut all, mut stored, mut random) = (0, 0, 7_u32);
    for kill in 0..KILLS {
        if kill % KILLS_A_LEDGER == 0 {
            (all, stored) = (all + stored, 0);
        }
        let file = folder.path().join(format!("{}.sqlite", kill / KILLS_A_LEDGER));
        let mut child = child(&file, Stdio::piped());
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
    all += stored;
    assert!(all > u64::from(KILLS), "{all} batches are too few to have tried anything");
}

#[test]
fn who_reads_beside_a_writer_sees_whole_batches_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    let mut child = child(&file, Stdio::piped());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut reads = 0;
    for line in lines {
        let Some(stored) = line.strip_prefix("stored ") else { continue };
        // However far the writer is meanwhile, what it said is there.
        let there = check_read(&Reader::open(&file).unwrap());
        assert!(there >= stored.parse().unwrap(), "batch {stored} was stored, {there} is there");
        let error = Ledger::open(&file).expect_err("the child writes it").to_string();
        assert!(error.contains("in use by another redora"), "{error}");
        reads += 1;
        if reads == READS {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(reads, READS, "the child ended");
    // The log that the writer left is read without it, too.
    let there = check_read(&Reader::open(&file).unwrap());
    assert_eq!(check(&file), there);
}

/// What a killed first start leaves, none, half or all of a ledger, is one for the next start.
#[test]
fn a_first_start_survives_its_kill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let name = |start: u32, ending: &str| folder.path().join(format!("{start}.sqlite{ending}"));
    let (mut longest, mut halves, mut random) = (Duration::ZERO, 0, 11_u32);
    for start in 0..STARTS {
        let mut child = child(&name(start, ""), Stdio::null());
        wait_for(&name(start, ".lock"), &mut child);
        let locked = Instant::now();
        if start < 5 {
            // Not killed before it has a ledger, to see how long that takes at present.
            wait_for(&name(start, ""), &mut child);
            longest = longest.max(locked.elapsed());
        }
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let patience = longest * (random >> 16) / (1 << 16);
        while locked.elapsed() < patience {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        halves += u32::from(name(start, ".unfinished").exists());
        check(&name(start, ""));
        assert!(!name(start, ".unfinished").exists(), "a start leaves nothing of an earlier one");
    }
    assert!(halves > STARTS / 20, "only {halves} kills met a half ledger");
}

/// Whatever was taken in waits, or its fact is there, and never both.
#[test]
fn no_delivery_is_lost_or_handled_twice_over_hundreds_of_kills() {
    let folder = tempfile::tempdir().unwrap();
    let (mut taken, mut handled, mut random) = (0, 0, 13_u32);
    let mut all = 0;
    for kill in 0..KILLS {
        if kill % KILLS_A_LEDGER == 0 {
            (all, taken) = (all + handled, 0);
        }
        let file = folder.path().join(format!("{}.sqlite", kill / KILLS_A_LEDGER));
        let mut child = child_that(TAKES_IN, &file, Stdio::piped());
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let patience = (random >> 24) as usize % 6;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said = lines.filter_map(|line| line.strip_prefix("received ")?.parse().ok());
        let said: Vec<u64> = said.take(patience).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let known = said.last().copied().unwrap_or(taken);
        (taken, handled) = check_inbox(&file);
        assert!(taken >= known, "kill {kill}: delivery {known} was taken, {taken} are there");
    }
    all += handled;
    assert!(all > u64::from(KILLS) / 2, "{all} are too few to have tried");
}

/// Not a test of its own: the process that is killed.
#[test]
fn a_child_takes_in_until_it_is_killed() {
    let Some(file) = std::env::var_os(LEDGER) else { return };
    let mut ledger = Ledger::open(Path::new(&file)).unwrap();
    let bounds = InboxBounds::default();
    for number in check_deliveries(&ledger).0 + 1.. {
        assert_eq!(ledger.receive(&delivery(number), &bounds).unwrap(), Received::New);
        let mut out = std::io::stdout().lock();
        if writeln!(out, "received {number}").and_then(|()| out.flush()).is_err() {
            return;
        }
        // The oldest end a few deliveries later, each with its fact.
        for waiting in ledger.deliveries(10).unwrap().iter().rev().skip(3) {
            let name = waiting.delivery.id.parse().unwrap();
            let facts = batch(name).facts[..1].to_vec();
            let handled = vec![waiting.number];
            ledger.append(&Batch { facts, handled, ..Batch::default() }).unwrap();
        }
        assert_eq!(ledger.receive(&delivery(number), &bounds).unwrap(), Received::Known);
    }
}

fn delivery(number: u64) -> Delivery {
    let (door, id) = ("test".to_owned(), number.to_string());
    Delivery { door, id, headers: Vec::new(), body: number.to_be_bytes().into(), at_ms: 1 }
}

fn check_inbox(file: &Path) -> (u64, u64) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    check_deliveries(&Ledger::open(file).unwrap())
}

/// How many deliveries were taken in, and how many are facts.
fn check_deliveries(ledger: &Reader) -> (u64, u64) {
    let mut there = BTreeSet::new();
    ledger
        .export(|fact| {
            let (number, _) = fact.id.split_once('/').unwrap();
            assert!(there.insert(number.parse().unwrap()), "{number} was handled twice");
            Ok::<_, LedgerError>(())
        })
        .unwrap();
    let handled = there.len() as u64;
    for waiting in ledger.deliveries(u32::MAX).unwrap() {
        let number: u64 = waiting.delivery.id.parse().unwrap();
        assert_eq!(waiting.delivery, delivery(number));
        assert!(there.insert(number), "{number} was handled and waits");
    }
    let taken = there.len() as u64;
    assert!(there.into_iter().eq(1..=taken), "one of {taken} is lost");
    (taken, handled)
}

fn child(ledger: &Path, out: Stdio) -> Child {
    child_that(STORES, ledger, out)
}

fn child_that(does: &str, ledger: &Path, out: Stdio) -> Child {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", does, "--nocapture"])
        .env(LEDGER, ledger)
        .stdout(out)
        .spawn()
        .unwrap()
}

fn wait_for(file: &Path, child: &mut Child) {
    while !file.exists() {
        assert_eq!(child.try_wait().unwrap(), None, "the child ended without {}", file.display());
        std::thread::yield_now();
    }
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
    Batch { facts, cursors: vec![Cursor { source, name, place }], ..Batch::default() }
}

/// The number of the last batch that is there; all before it are, each whole.
fn check(file: &Path) -> u64 {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    check_read(&Ledger::open(file).unwrap())
}

fn check_read(ledger: &Reader) -> u64 {
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
