//! What linking and counting cost at full size: one service with a long history, as it is when the
//! ledger was read once. A figure that is printed can be compared; a test would fail on a busy
//! machine.
//!
//! Words set the numbers: `cargo bench -p redora-collector --bench keys -- 100000 1000000`.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use redora_collector::keys::{self, Query, Report};
use redora_collector::link::{self, History, Linked, Name, Rules};
use redora_model::fact::{Commit, Deployment, Incident, Nature, State, Status, Turn};
use redora_model::identity::{Environment, Repository, Revision, Service};

const DAY_MS: i64 = 86_400_000;
/// Four years, over which everything is spread evenly.
const SPAN_MS: i64 = 4 * 365 * DAY_MS;

fn main() {
    let mut words = std::env::args().filter_map(|word| word.parse().ok());
    let deployments: i64 = words.next().unwrap_or(100_000);
    let commits: i64 = words.next().unwrap_or(1_000_000);
    let history = history(deployments, commits);
    let before_kib = resident_kib();
    let (linked, took) = timed(|| link::link(&history, &Rules::default()));
    println!("{:<44} {:>10.1} ms", "linking all of it", ms(took));
    println!("{:<44} {:>10} MiB", "what linking keeps", (resident_kib() - before_kib) / 1024);
    drop(history);
    let changes: usize = linked.arrivals.iter().map(|arrival| arrival.changes.len()).sum();
    println!("{:<44} {:>10}", "arrivals", linked.arrivals.len());
    println!("{:<44} {:>10}", "changes", changes);
    for (name, window_ms) in
        [("7d", 7 * DAY_MS), ("30d", 30 * DAY_MS), ("90d", 90 * DAY_MS), ("ever", 5 * SPAN_MS)]
    {
        let mut best = Duration::MAX;
        let mut report = None;
        for _ in 0..5 {
            let (made, took) = timed(|| keys::report(&linked, &query(window_ms)));
            best = best.min(took);
            report = Some(made);
        }
        let n = report.map_or(0, |report: Report| report.frequency.n);
        let name = format!("all metrics of {name} ({n} deployments)");
        println!("{name:<44} {:>10.2} ms   (at most 50)", ms(best));
    }
    touch(&linked);
}

fn history(deployments: i64, commits: i64) -> History {
    let mut history = History { service: "shop".to_owned(), ..History::default() };
    let sha = |number: i64| Revision::new(&format!("{number:040x}"));
    for number in 0..commits {
        let at_ms = number * SPAN_MS / commits;
        let commit = Commit {
            repository: Repository::new("o/shop"),
            parents: (number > 0).then(|| sha(number - 1)).into_iter().collect(),
            authored_ms: at_ms - DAY_MS,
            committed_ms: at_ms,
            patch: None,
            reverts: Vec::new(),
            services: None,
        };
        history.commits.push((sha(number), commit));
    }
    for number in 0..deployments {
        let at_ms = number * SPAN_MS / deployments + 3_600_000;
        // Each hundredth goes back to the one before.
        let revision = if number % 100 == 99 { number - 2 } else { number };
        let deployment = Deployment {
            repository: Repository::new("o/shop"),
            service: Service::new("shop"),
            environment: Environment::new("production"),
            created_ms: at_ms,
            revision: Some(sha(revision * commits / deployments)),
            version: String::new(),
            statuses: vec![Status { at_ms: at_ms + 60_000, state: State::Success }],
            attempt: 1,
            region: String::new(),
            url: String::new(),
        };
        history.deployments.push((Name::new("bench", &number.to_string()), deployment));
    }
    for number in 0..deployments / 20 {
        let started_ms = number * 20 * SPAN_MS / deployments + 2 * 3_600_000;
        let incident = Incident {
            service: Some(Service::new("shop")),
            environment: Some(Environment::new("production")),
            title: String::new(),
            severity: String::new(),
            nature: Nature::Disruption,
            started_ms,
            changes: vec![Turn { at_ms: started_ms + 1_800_000, resolved: true }],
            deployment: None,
            url: String::new(),
        };
        history.incidents.push((Name::new("bench", &number.to_string()), incident));
    }
    history
}

fn query(window_ms: i64) -> Query {
    let now_ms = SPAN_MS + DAY_MS;
    let zone = TimeZone::get("Europe/Berlin").expect("the zones are bundled");
    Query { from_ms: now_ms - window_ms, to_ms: now_ms, now_ms, attribution_ms: DAY_MS, zone }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Keeps what was linked alive until everything is measured.
fn touch(linked: &Linked) {
    std::hint::black_box(linked);
}
