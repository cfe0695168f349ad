//! The whole agent against a table of hostile inputs, each with its stated answer: that every part
//! withstands them alone does not say that the process does, whose memory is one.
//!
//! The rule for memory: while a case is answered, the process takes at most 16 MiB, or twice the
//! size of the body where that is more: of the body without compression if it is within
//! `limits.request_bytes`, since it is then read, and of the one that was sent if it is over, since
//! it is then refused. A MiB beside the body is for code that is paged in; where a case fills the
//! books, what these keep by their own limits comes on top.

#![expect(clippy::unwrap_used, reason = "what fails to be set up here is the failure to be shown")]

#[path = "hostile_process/agent.rs"]
mod agent;
#[path = "hostile_process/bodies.rs"]
mod bodies;
#[path = "hostile_process/case.rs"]
mod case;
#[path = "hostile_process/encode.rs"]
mod encode;
#[path = "hostile_process/framing.rs"]
mod framing;
#[path = "hostile_process/json.rs"]
mod json;
#[path = "hostile_process/peer.rs"]
mod peer;

use agent::Agent;
use case::{Case, PROTOBUF, Sent};

#[test]
fn hostile_bodies_are_answered_within_memory() {
    every_case(bodies::cases());
}

#[test]
fn hostile_json_is_answered_within_memory() {
    every_case(json::cases());
}

#[test]
fn a_million_names_stay_within_the_series_of_the_books() {
    every_case(bodies::names());
}

#[test]
fn lying_frames_and_hidden_requests_are_refused() {
    let agent = Agent::start();
    let mut faults = Vec::new();
    let mut counted = 0;
    for case in framing::on_http_1() {
        let answers = peer::raw(agent.http, &case.bytes, case.ends);
        if answers != case.answers {
            faults.push(format!("{}: answers {answers:?}, not {:?}", case.name, case.answers));
        }
        counted += case.counted;
    }
    for (name, found, expected) in framing::on_grpc(&agent) {
        if found != expected {
            faults.push(format!("{name}: gRPC status {found}, not {expected}"));
        }
    }
    let scrape = agent.scrape();
    assert_eq!(scrape.sum("redora_requests_total", Some("hidden")), 0.0);
    assert_eq!(scrape.sum("redora_requests_total", Some("hostile")), counted as f64);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    agent.stop();
}

#[test]
fn floods_of_frames_end_their_connection_and_nothing_else() {
    let agent = Agent::start();
    assert_eq!(good_requests(&agent), Vec::<String>::new());
    let resident = agent.reset_peak();
    for (name, opening, again) in framing::floods() {
        let code = framing::flood(agent.grpc, &opening, &again);
        assert_eq!(code, Some(framing::CALM), "{name}");
    }
    let taken = agent.peak().saturating_sub(resident);
    assert!(taken < MEMORY_FLOOR, "the floods take {taken} bytes");
    let quiet = Case::spans("quiet", Vec::new()).http_only();
    assert_eq!(good_requests(&agent), Vec::<String>::new());
    assert_eq!(counts(&agent, &quiet), Vec::<String>::new());
    agent.stop();
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let agent = Agent::start_unread("debug");
    assert_eq!(good_requests(&agent), Vec::<String>::new());
    // Each writes a line; a pipe takes 64 KiB of them.
    let lost = peer::head("/nowhere", &[("Content-Length", "0")]).repeat(2_000);
    let last = peer::head("/nowhere", &[("Connection", "close")]);
    assert_eq!(peer::raw(agent.http, &[lost, last].concat(), false), [404; 2_001]);
    assert_eq!(good_requests(&agent), Vec::<String>::new());
    let quiet = Case::spans("quiet", Vec::new()).http_only();
    assert_eq!(counts(&agent, &quiet), Vec::<String>::new());
    agent.stop();
}

/// The same agent through the small cases again and again: what a case leaves behind would add up.
/// After the large ones the allocator keeps blocks of their size, which is no growth.
#[test]
fn nothing_of_a_case_stays() {
    let agent = Agent::start();
    let mut cases: Vec<Case> = bodies::cases().into_iter().chain(json::cases()).collect();
    cases.retain(|case| case.sent.iter().all(|sent| sent.decoded_bytes < SMALL_BYTES));
    let mut resident = Vec::new();
    for _ in 0..12 {
        for case in &cases {
            assert_eq!(answers(&agent, case), Vec::<String>::new(), "{}", case.name);
        }
        resident.push(agent.resident());
    }
    let grown = resident[11].saturating_sub(resident[3]);
    assert!(grown <= SMALL_BYTES, "grown by {grown} bytes: {resident:?}");
    agent.stop();
}

/// Each case has an agent of its own, whose heap no other case has filled before.
fn every_case(cases: Vec<Case>) {
    let mut faults = Vec::new();
    for case in cases {
        let agent = Agent::start();
        let mut faults_here = good_requests(&agent);
        let resident = agent.reset_peak();
        faults_here.extend(answers(&agent, &case));
        let taken = agent.peak().saturating_sub(resident);
        let bound = memory_bound(&case);
        if taken > bound {
            faults_here.push(format!("takes {taken} bytes, {bound} are allowed"));
        }
        faults_here.extend(good_requests(&agent));
        faults_here.extend(counts(&agent, &case));
        println!("{:45} {:8} of {:8} KiB", case.name, taken >> 10, bound >> 10);
        faults.extend(faults_here.iter().map(|fault| format!("{}: {fault}", case.name)));
        agent.stop();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Sends the case over both transports.
fn answers(agent: &Agent, case: &Case) -> Vec<String> {
    let mut faults = Vec::new();
    for sent in &case.sent {
        let path = if sent.logs { "/v1/logs" } else { "/v1/traces" };
        let http = peer::post(agent.http, path, sent.kind, sent.coding, &sent.body);
        if http != case.http {
            faults.push(format!("answered {http}, not {}", case.http));
        }
        let Some(expected) = case.grpc else { continue };
        let grpc = call(agent, sent);
        if grpc != expected {
            faults.push(format!("gRPC status {grpc}, not {expected}"));
        }
    }
    faults
}

fn call(agent: &Agent, sent: &Sent) -> u16 {
    let path = if sent.logs { LOGS_EXPORT } else { TRACE_EXPORT };
    let mut framed = peer::prefix(!sent.coding.is_empty(), sent.body.len());
    framed.extend_from_slice(&sent.body);
    peer::call(agent.grpc, path, sent.coding, framed)
}

/// Known spans of a service of its own over each transport.
fn good_requests(agent: &Agent) -> Vec<String> {
    let body = |service: &str| {
        encode::request(service.as_bytes(), &vec![encode::span(b"good", b""); GOOD])
    };
    let http = peer::post(agent.http, "/v1/traces", PROTOBUF, "", &body(SERVICES[0]));
    let body = body(SERVICES[1]);
    let framed = [peer::prefix(false, body.len()), body].concat();
    let grpc = peer::call(agent.grpc, TRACE_EXPORT, "", framed);
    let mut faults = Vec::new();
    if (http, grpc) != (200, 0) {
        faults.push(format!("good requests are answered {http} and {grpc}"));
    }
    faults
}

/// The good requests before and after the case are counted to the item, as are its own.
fn counts(agent: &Agent, case: &Case) -> Vec<String> {
    let scrape = agent.scrape();
    let mut faults = Vec::new();
    let mut expect = |what: &str, found: f64, expected: u64| {
        if found != expected as f64 {
            faults.push(format!("{what}: {found}, not {expected}"));
        }
    };
    let good = 2 * GOOD as u64;
    for service in SERVICES {
        expect(service, scrape.sum("redora_requests_total", Some(service)), good);
    }
    expect("forged", scrape.sum("redora_requests_total", Some("forged")), 0);
    let transports = 1 + u64::from(case.grpc.is_some());
    let counted = case.counted * transports;
    let logs = case.sent.iter().any(|sent| sent.logs);
    let (spans, records) = if logs { (0, counted) } else { (counted, 0) };
    let all_good = good * SERVICES.len() as u64;
    expect("spans", scrape.sum("redora_requests_total", None), spans + all_good);
    expect("records", scrape.sum("redora_log_records_total", None), records);
    faults
}

fn memory_bound(case: &Case) -> u64 {
    let read = |sent: &Sent| match sent.decoded_bytes {
        over if over > REQUEST_BYTES => sent.body.len() as u64,
        decoded => decoded,
    };
    let largest = case.sent.iter().map(read).max().unwrap_or_default();
    (2 * largest + PAGES).max(MEMORY_FLOOR) + case.rows_bytes
}

/// The default of `limits.request_bytes`.
const REQUEST_BYTES: u64 = 20 << 20;
/// What any request may cost.
const MEMORY_FLOOR: u64 = 16 << 20;
/// Code and stacks that are touched for the first time.
const PAGES: u64 = 1 << 20;
/// Bodies below this are small, and so are eight rounds of all of them.
const SMALL_BYTES: u64 = 1 << 20;
/// Services of the good requests over HTTP and over gRPC.
const SERVICES: [&str; 2] = ["good-http", "good-grpc"];
/// Spans of a good request.
const GOOD: usize = 3;
const TRACE_EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS_EXPORT: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
