//! Rounds over a real clone and a real ledger.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use redora_model::identity::{Environment, Repository, Service};

use super::store::Yield;
use super::*;
use crate::ledger::{Ledger, Scope};
use crate::sources::git;
use crate::sources::incidents::Origin;
use crate::sources::incidents::jsonl::Tongue;

const NOW_MS: i64 = 1_800_000_000_000;

fn run_git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn clone_with(folder: &Path, commits: usize) -> Source {
    run_git(folder, &["init", "-q", "-b", "main"]);
    for number in 0..commits {
        run_git(folder, &["commit", "-q", "--allow-empty", "-m", &number.to_string()]);
    }
    run_git(folder, &["tag", "v1"]);
    let mut config = git::Config::new(folder.to_owned(), Repository::new("o/shop"), "main");
    let (service, production) = (Service::new("shop"), Environment::new("production"));
    config.tags.push(git::TagRule::new("v*", service, production).expect("a pattern"));
    Source { name: format!("git:{}", folder.display()), reader: Reader::Git(config) }
}

fn store(folder: &Path) -> Store {
    Store::new(Ledger::open(&folder.join("ledger.sqlite")).expect("a new ledger"))
}

fn stopped(now_ms: i64) -> (Clock, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(now_ms));
    let shown = Arc::clone(&now);
    (Arc::new(move || shown.load(Ordering::Relaxed)), now)
}

fn count(store: &Store, kind: &str) -> usize {
    let mut count = 0;
    store.ledger().winners(kind, Scope::All, |_| count += 1).expect("readable");
    count
}

async fn fresh_facts(source: &Source, store: &Store, clock: &Clock) -> (u64, End) {
    let mut facts = 0;
    let end = round(source, store, clock, 1, |told| {
        if let Told::Stepped { fresh, .. } = told {
            facts += fresh;
        }
    });
    let end = end.await.expect("a ledger");
    (facts, end)
}

#[tokio::test]
async fn a_second_round_reads_only_what_is_new() {
    let (clone, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (source, store) = (clone_with(clone.path(), 3), store(home.path()));
    let (clock, now) = stopped(NOW_MS);
    let (fresh, end) = fresh_facts(&source, &store, &clock).await;
    assert_eq!(fresh, 4);
    assert_eq!(end, End { complete_until_ms: Some(NOW_MS), ..End::default() });
    assert_eq!((count(&store, "commit"), count(&store, "deployment")), (3, 1));
    let generation = store.ledger().generation().unwrap();

    now.fetch_add(60_000, Ordering::Relaxed);
    fresh_facts(&source, &store, &clock).await;
    assert_eq!(store.ledger().generation().unwrap(), generation, "nothing is new");
    assert_eq!(store.complete_until_ms(&source.name).unwrap(), Some(NOW_MS + 60_000));

    run_git(clone.path(), &["commit", "-q", "--allow-empty", "-m", "one more"]);
    fresh_facts(&source, &store, &clock).await;
    assert_eq!((count(&store, "commit"), count(&store, "deployment")), (4, 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_leaves_the_place() {
    let (clone, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (source, store) = (clone_with(clone.path(), 1), store(home.path()));
    let (clock, _) = stopped(NOW_MS);
    fresh_facts(&source, &store, &clock).await;
    let moved = clone.path().with_extension("moved");
    std::fs::rename(clone.path(), &moved).unwrap();
    let (_, end) = fresh_facts(&source, &store, &clock).await;
    assert_eq!(end.complete_until_ms, None);
    assert!(end.refused[0].contains("clone the repository there"), "{end:?}");
    std::fs::rename(&moved, clone.path()).unwrap();
    let (_, end) = fresh_facts(&source, &store, &clock).await;
    assert_eq!(end.refused, Vec::<String>::new());
    assert_eq!(count(&store, "commit"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_outlives_a_restart_and_ends_by_itself() {
    let (clone, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = clone_with(clone.path(), 1);
    let wait = Wait { until_ms: NOW_MS + 3_600_000, why: "used up".into() };
    let first = store(home.path());
    let kept = Yield { wait: Some(wait.clone()), ..Yield::default() };
    first.keep(&source.name, kept).unwrap();
    drop(first);

    let store = store(home.path());
    assert_eq!(store.wait(&source.name, NOW_MS).unwrap(), Some(wait));
    let (clock, now) = stopped(NOW_MS);
    let ticking = tokio::spawn(async move {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            now.fetch_add(1000, Ordering::Relaxed);
        }
    });
    let (_, end) = fresh_facts(&source, &store, &clock).await;
    ticking.abort();
    assert!(end.complete_until_ms >= Some(NOW_MS + 3_600_000), "{end:?}");
    assert_eq!(store.wait(&source.name, NOW_MS + 3_600_000).unwrap(), None);
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_a_source_for_a_year() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    let wait = Some(Wait { until_ms: NOW_MS, why: "used up".into() });
    store.keep("s", Yield { wait, ..Yield::default() }).unwrap();
    assert!(store.wait("s", NOW_MS - 1000).unwrap().is_some());
    assert!(store.wait("s", NOW_MS).unwrap().is_none());
    assert!(store.wait("s", NOW_MS - 365 * 86_400_000).unwrap().is_none());
}

/// What a source has ahead of it by now: objects of each stream.
async fn ahead(source: &Source, survey: &Survey, store: &Store) -> Vec<(&'static str, u64)> {
    let Stood { place, .. } = store.stood(&source.name, NOW_MS).unwrap();
    let ahead = source.ahead(survey, place.as_deref());
    ahead.iter().map(|ahead| (ahead.stream, ahead.objects)).collect()
}

#[tokio::test]
async fn a_clone_tells_what_is_new_in_it_before_it_is_read() {
    let (clone, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (source, store) = (clone_with(clone.path(), 3), store(home.path()));
    let survey = source.survey(None, NOW_MS, 1).await.unwrap();
    assert_eq!(ahead(&source, &survey, &store).await, [("commits", 3), ("deployments", 1)]);
    let (clock, _) = stopped(NOW_MS);
    let (fresh, _) = fresh_facts(&source, &store, &clock).await;
    assert_eq!(fresh, 4, "as many as were announced");
    assert_eq!(ahead(&source, &survey, &store).await, [("commits", 0), ("deployments", 0)]);

    run_git(clone.path(), &["commit", "-q", "--allow-empty", "-m", "one more"]);
    run_git(clone.path(), &["tag", "v2"]);
    run_git(clone.path(), &["tag", "unlike"]);
    let Stood { place, wait } = store.stood(&source.name, NOW_MS).unwrap();
    assert_eq!(wait, None);
    let survey = source.survey(place.as_deref(), NOW_MS, 1).await.unwrap();
    assert_eq!(ahead(&source, &survey, &store).await, [("commits", 1), ("deployments", 1)]);
    let gone = Source {
        name: "git:/nowhere".into(),
        reader: Reader::Git(git::Config::new("/nowhere".into(), Repository::new("o/r"), "main")),
    };
    let Unseen::Refused(why) = gone.survey(None, NOW_MS, 1).await.unwrap_err() else {
        panic!("it waits for nothing")
    };
    assert!(why.contains("clone the repository there"), "{why}");
}

#[tokio::test]
async fn a_log_tells_how_many_bytes_are_unread_through_a_rotation() {
    let home = tempfile::tempdir().unwrap();
    let (path, store) = (home.path().join("incidents.jsonl"), store(home.path()));
    let origin = Origin { source: "log".into(), service: None, environment: None };
    let (log, name) = (path.clone(), "jsonl:log".to_owned());
    let source = Source { name, reader: Reader::Log { path: log, tongue: Tongue::Record(origin) } };
    std::fs::write(&path, "no incident\n".repeat(100)).unwrap();
    let survey = source.survey(None, NOW_MS, 1).await.unwrap();
    assert_eq!(ahead(&source, &survey, &store).await, [("bytes", 1_200)]);
    let (clock, _) = stopped(NOW_MS);
    let mut read = 0;
    let end = round(&source, &store, &clock, 1, |told| {
        if let Told::Stepped { read: bytes, .. } = told {
            read += bytes;
        }
    });
    end.await.unwrap();
    assert_eq!(read, 1_200, "as many as were announced");
    assert_eq!(ahead(&source, &survey, &store).await, [("bytes", 0)]);

    let more = "no incident\n".repeat(10);
    let old = path.with_extension("jsonl.1");
    std::fs::rename(&path, &old).unwrap();
    std::fs::write(&old, "no incident\n".repeat(110)).unwrap();
    std::fs::write(&path, &more).unwrap();
    let Stood { place, .. } = store.stood(&source.name, NOW_MS).unwrap();
    let survey = source.survey(place.as_deref(), NOW_MS, 1).await.unwrap();
    assert_eq!(ahead(&source, &survey, &store).await, [("bytes", 240)]);
    let end = round(&source, &store, &clock, 1, |_| ());
    end.await.unwrap();
    assert_eq!(ahead(&source, &survey, &store).await, [("bytes", 0)]);
}
