//! Costs of the parts inside one core: walking, digesting and exposing without a socket; a profile
//! of the whole process cannot tell a slower walk from a noisier machine, a ratio to prost in one
//! run can.
//!
//! Every time is the best of many rounds, since another process can only make a round slower. A
//! word selects a part: `cargo bench --bench parts -- digest`, `memory`, `logs`, `slo` or `scrape`.

#[path = "load/logs.rs"]
mod logs;
#[path = "parts/memory.rs"]
mod memory;
#[path = "load/random.rs"]
mod random;
#[path = "load/report.rs"]
mod report;
#[path = "parts/scrape.rs"]
mod scrape;
#[path = "parts/settings.rs"]
mod settings;
#[path = "parts/slo.rs"]
mod slo;
#[path = "load/traces.rs"]
mod traces;

use std::hint::black_box;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use redora::digest::Digest;
use redora::red;
use redora::series::Hasher;
use redora_model::identity::Tenant;
use redora_wire::trace::{Span, resource_spans};
use redora_wire::{Fault, Signal, count};

use report::Figure;
use settings::settings;
use traces::Traces;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` only asks whether this builds.
    if !words.iter().any(|word| word == "--bench") {
        println!("measures only under `cargo bench`");
        return;
    }
    let all = words.iter().all(|word| word.starts_with("--"));
    let wanted = |part: &str| all || words.iter().any(|word| word == part);
    // First, while there is no freed memory that rows could hide in.
    if wanted("memory") {
        memory::label_sets();
    }
    if wanted("digest") {
        let walk_ns = decoding();
        digesting(walk_ns);
    }
    if wanted("logs") {
        log_records();
    }
    if wanted("slo") {
        slo::objectives();
        slo::record_objectives();
    }
    if wanted("scrape") {
        scrape::label_sets();
    }
}

/// What reading the bytes costs, beside prost; returns the walk in nanoseconds a span.
fn decoding() -> f64 {
    let requests = Traces::new(1).requests(REQUESTS, SPANS);
    let spans = REQUESTS * SPANS;
    let bytes = requests.iter().map(Vec::len).sum::<usize>() / spans;
    report::heading(&format!("decode, {bytes} bytes a span, {SPANS} spans a request"));
    let decode_ns = best_ns(spans, || {
        for request in &requests {
            black_box(ExportTraceServiceRequest::decode(request.as_slice())).expect("valid");
        }
    });
    let walk_ns = best_ns(spans, || {
        requests.iter().for_each(|request| walk(black_box(request)).expect("valid"));
    });
    let count_ns = best_ns(spans, || {
        for request in &requests {
            black_box(count(Signal::Traces, black_box(request))).expect("valid");
        }
    });
    for (name, value) in
        [("walk", walk_ns), ("count", count_ns), ("prost decode and drop", decode_ns)]
    {
        let note = format!("prost / this = {:.1}", decode_ns / value);
        report::print(&Figure { name, value, unit: "ns/span", budget: None, note });
    }
    walk_ns
}

/// Reads every span as the digest does, and does nothing with it.
fn walk(request: &[u8]) -> Result<(), Fault> {
    for part in resource_spans(request) {
        for scope in part?.scopes() {
            for span in scope?.items() {
                black_box(Span::read(span?, |attribute| {
                    black_box(attribute);
                })?);
            }
        }
    }
    Ok(())
}

/// What the books cost on top of the walk, feature by feature.
fn digesting(walk_ns: f64) {
    report::heading("digest, walk included");
    let requests = Traces::new(1).requests(REQUESTS, SPANS);
    for (name, config) in settings::variants() {
        let everything = name == settings::EVERYTHING;
        let digest = Digest::new(settings(config, Vec::new()), Hasher::default());
        let value = best_ns(REQUESTS * SPANS, || take(&digest, Signal::Traces, &requests));
        let budget = everything.then_some(walk_ns + BOOKS_NS);
        let rows = digest.read(|books| books.red.requests().book.len());
        let note = format!("walk + {:.0}, {rows} operations", value - walk_ns);
        report::print(&Figure { name, value, unit: "ns/span", budget, note });
    }
    let small = Traces::new(1).requests(1000, 1);
    let digest = Digest::new(settings(red::Config::default(), Vec::new()), Hasher::default());
    let value = best_ns(small.len(), || take(&digest, Signal::Traces, &small));
    let note = "defaults".to_owned();
    let name = "one span a request";
    report::print(&Figure { name, value, unit: "ns/span", budget: None, note });
}

fn log_records() {
    report::heading("log records, walk included");
    let requests: Vec<_> = (0..REQUESTS as u64).map(|seed| logs::request(SPANS, seed)).collect();
    for (name, rules) in [("no rule", Vec::new()), ("five rules", settings::rules())] {
        let settings = settings(red::Config::default(), rules);
        let digest = Digest::new(settings, Hasher::default());
        let value = best_ns(REQUESTS * SPANS, || take(&digest, Signal::Logs, &requests));
        let matched: usize =
            digest.read(|books| books.log_metrics.matched().iter().map(|book| book.len()).sum());
        let note = format!("{matched} label sets of rules");
        report::print(&Figure { name, value, unit: "ns/item", budget: None, note });
    }
}

fn take(digest: &Digest, signal: Signal, requests: &[Vec<u8>]) {
    for request in requests {
        digest.take(&Tenant::single(), signal, black_box(request), NOW_MS).expect("valid");
    }
}

/// Nanoseconds an item in the best of many rounds.
fn best_ns(items: usize, mut round: impl FnMut()) -> f64 {
    round();
    let mut best = Duration::MAX;
    let start = Instant::now();
    while start.elapsed() < MEASURED {
        let begin = Instant::now();
        round();
        best = best.min(begin.elapsed());
    }
    best.as_nanos() as f64 / items as f64
}

/// Long enough for a hundred rounds, some of which no other process disturbs.
const MEASURED: Duration = Duration::from_millis(700);

/// Requests in a round: 2 MiB, two of each service at least, as a busy agent's caches see them.
const REQUESTS: usize = 10;

/// Spans in a request: the SDKs' usual batch.
const SPANS: usize = 512;

/// What all books together may cost on top of the walk.
const BOOKS_NS: f64 = 100.0;

/// The time of arrival, in milliseconds since the Unix epoch.
const NOW_MS: u64 = 1_790_000_000_000;
