//! What storing and reading facts costs on a real file, beside what the ledger must bear; a test
//! would fail on a busy machine, and a figure that is only printed can be compared.
//!
//! A word sets the number of commits: `cargo bench -p redora-collector --bench ledger -- 1000000`.

use std::path::Path;
use std::time::{Duration, Instant};

use redora_collector::api::{self, Ask, Zone};
use redora_collector::ledger::{Appended, Batch, Ledger, Scope};
use redora_collector::link::Rules;
use redora_model::fact::{Commit, Deployment, Fact, State, Status, What};
use redora_model::identity::{Environment, Repository, Revision, Service};

/// Commits of one repository, unless a word says another number.
const COMMITS: u64 = 200_000;
/// Deployments, evenly over the services.
const DEPLOYMENTS: u64 = 20_000;
const SERVICES: u64 = 100;
/// Deployments that come one by one.
const SINGLE: u64 = 500;
/// Facts that are stored together, as `redora dora import` does.
const FACTS_PER_BATCH: usize = 1000;

fn main() {
    let commits = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(COMMITS);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ledger.sqlite");
    let mut ledger = Ledger::open(&file).expect("a new ledger");
    store(&mut ledger, "deployments, new", (0..DEPLOYMENTS).map(deployment));
    store(&mut ledger, "commits, new", (0..commits).map(commit));
    store(&mut ledger, "commits, known", (0..commits.min(COMMITS)).map(commit));
    let ((), took) = timed(|| (0..SINGLE).for_each(|number| single(&mut ledger, number)));
    println!("{:<40} {:>10.2} ms", "a batch of one fact", ms(took) / SINGLE as f64);
    println!("{:<40} {:>10.0} bytes a fact", "file", bytes(&file) / (commits + DEPLOYMENTS) as f64);
    drop(ledger);
    let (ledger, opening) = timed(|| Ledger::open(&file).expect("the same ledger"));
    println!("{:<40} {:>10.1} ms", "open", ms(opening));
    let places = || ledger.places().expect("places").len() as u64;
    read("places", places);
    let place = Scope::Place { service: "service-7", environment: "production" };
    read("deployments of one place", || count(&ledger, "deployment", place));
    read("commits of one repository", || count(&ledger, "commit", Scope::Repository("o/shop")));
    read("commits of a repository without any", || {
        count(&ledger, "commit", Scope::Repository("o/none"))
    });
    let ask = Ask {
        service: Some("service-7".to_owned()),
        environment: None,
        window_ms: 90 * 86_400_000,
        at_ms: at_ms(DEPLOYMENTS),
        zone: Zone::named("UTC").expect("every list of zones has it"),
        rules: Rules::default(),
    };
    // Reading the repository's commits is most of it.
    read("the answer of one place", || {
        api::answers(&ledger, &ask).expect("it answers").len() as u64
    });
}

fn store(ledger: &mut Ledger, name: &str, facts: impl Iterator<Item = Fact>) {
    let facts: Vec<Fact> = facts.collect();
    let batches: Vec<Batch> = facts
        .chunks(FACTS_PER_BATCH)
        .map(|facts| Batch { facts: facts.to_vec(), ..Batch::default() })
        .collect();
    let (appended, took) = timed(|| {
        let one = |batch| ledger.append(batch).expect("the disk takes it");
        batches.iter().map(one).fold(Appended::default(), |all, one| Appended {
            new: all.new + one.new,
            known: all.known + one.known,
            ..all
        })
    });
    assert_eq!(appended.new + appended.known, facts.len() as u64, "every fact was stored once");
    let rate = facts.len() as f64 / took.as_secs_f64();
    println!("{name:<40} {rate:>10.0} facts/s   (at least 20000)");
}

/// As a webhook or a cursor's step is stored: alone, and waited for.
fn single(ledger: &mut Ledger, number: u64) {
    let facts = vec![deployment(DEPLOYMENTS + number)];
    ledger.append(&Batch { facts, ..Batch::default() }).expect("the disk takes it");
}

fn read(name: &str, mut look: impl FnMut() -> u64) {
    let (found, took) = timed(&mut look);
    println!("{name:<40} {:>10.1} ms       {found} found", ms(took));
}

fn count(ledger: &Ledger, kind: &str, scope: Scope<'_>) -> u64 {
    let mut found = 0;
    ledger.winners(kind, scope, |_| found += 1).expect("it can be read");
    found
}

fn commit(number: u64) -> Fact {
    let commit = Commit {
        repository: Repository::new("o/shop"),
        parents: number
            .checked_sub(1)
            .map(|parent| Revision::new(&sha(parent)))
            .into_iter()
            .collect(),
        authored_ms: at_ms(number),
        committed_ms: at_ms(number),
        patch: Some(sha(number + (1 << 40))),
        reverts: Vec::new(),
        services: None,
    };
    fact("git:/srv/shop.git", sha(number), number, What::Commit(commit))
}

fn deployment(number: u64) -> Fact {
    let statuses = [State::Queued, State::InProgress, State::Success]
        .map(|state| Status { at_ms: at_ms(number) + 60_000 * (1 + state as i64), state });
    let deployment = Deployment {
        repository: Repository::new("o/shop"),
        service: Service::new(&format!("service-{}", number % SERVICES)),
        environment: Environment::new("production"),
        created_ms: at_ms(number),
        revision: Some(Revision::new(&sha(number))),
        version: String::new(),
        statuses: statuses.into(),
        attempt: 1,
        region: String::new(),
        url: String::new(),
    };
    fact("github:o/shop", number.to_string(), number, What::Deployment(deployment))
}

fn fact(source: &str, id: String, number: u64, what: What) -> Fact {
    Fact { source: source.into(), id, as_of_ms: at_ms(number), what }
}

/// Every two minutes from 2022 on.
fn at_ms(number: u64) -> i64 {
    1_640_995_200_000 + 120_000 * number as i64
}

/// As far apart as real ones: an index of them is filled everywhere at once.
fn sha(number: u64) -> String {
    let mix = |salt: u64| {
        let mixed = (number ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    format!("{:016x}{:016x}{:08x}", mix(1), mix(2), mix(3) as u32)
}

fn bytes(file: &Path) -> f64 {
    std::fs::metadata(file).expect("it is there").len() as f64
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = what();
    (value, start.elapsed())
}
