//! Everything in the table of hostile requests against a receiver: its stated answer, bounded
//! memory, and the next good request answered right.

#[path = "hostile/table.rs"]
mod table;

#[expect(dead_code, reason = "each suite uses a part of the support")]
mod receive_support;

use std::net::SocketAddr;
use std::process::Command;

use prost::Message;
use receive_support::{Agent, Answer, Ask, RpcStatus, accept, ask_one, ask_two};
use redora::receive::{Limits, Reason};
use table::{Case, Expected, REQUEST_BYTES, cases};

/// Twice the limit of a body: it may be held once as it came and once decompressed.
const EXTRA_BYTES_MAX: usize = 2 * REQUEST_BYTES;

fn ask_of(case: &Case) -> Ask {
    let mut ask = Ask::post(case.path, "", case.body.clone());
    ask.headers = case.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    ask
}

/// The same body as a gRPC call, where it can be one.
fn call_of(case: &Case) -> Option<Ask> {
    let header =
        |wanted| case.headers.iter().find(|(name, _)| *name == wanted).map(|found| found.1);
    if header("content-type") != Some("application/x-protobuf") {
        return None;
    }
    let encoding = header("content-encoding");
    let length = u32::try_from(case.body.len()).expect("small").to_be_bytes();
    let body = [&[u8::from(encoding.is_some())][..], &length, &case.body].concat();
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let ask = Ask::post(path, "application/grpc", body);
    Some(encoding.map_or(ask.clone(), |encoding| ask.with("grpc-encoding", encoding)))
}

fn check(case: &Case, answer: &Answer, agent: &Agent) {
    let taken: u64 =
        agent.batches.lock().expect("no panic in here").drain(..).map(|batch| batch.items).sum();
    let reasons: Vec<Reason> = agent.refused().into_iter().map(|refusal| refusal.reason).collect();
    let (status, code, items, reason) = match case.expected {
        Expected::Taken { items } | Expected::MalformedInside { items } => (200, 0, items, None),
        Expected::Malformed => (400, 3, 0, Some(Reason::Malformed)),
        Expected::TooLarge => (413, 8, 0, Some(Reason::TooLarge)),
        Expected::TooManyItems => (413, 8, 0, Some(Reason::TooManyItems)),
        Expected::Unsupported => (415, 12, 0, Some(Reason::Encoding)),
    };
    match answer.header("grpc-status") {
        Some(found) => assert_eq!(found, code.to_string(), "{}", case.name),
        None => assert_eq!(answer.status.as_u16(), status, "{}: {answer:?}", case.name),
    }
    if status != 200 && answer.header("content-type") == Some("application/x-protobuf") {
        let body = RpcStatus::decode(&answer.body[..]).expect("a status");
        assert_eq!(body.code, code, "{}: {body:?}", case.name);
    }
    assert_eq!(taken, items, "{}", case.name);
    assert_eq!(reasons, Vec::from_iter(reason), "{}", case.name);
}

async fn good_requests_pass(agent: &Agent, after: &str) {
    let body = b"\x0a\x06\x12\x04\x12\x02\x30\x02".to_vec();
    let good = Ask::post("/v1/traces", "application/x-protobuf", body);
    assert_eq!(ask_one(agent.http, &good).await.status, 200, "after {after}");
    let taken: Vec<u64> = agent
        .batches
        .lock()
        .expect("no panic in here")
        .drain(..)
        .map(|batch| batch.items)
        .collect();
    assert_eq!(taken, [1], "after {after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_request_gets_its_answer_and_the_next_one_passes() {
    let agent = Agent::start(Limits::default(), accept);
    for case in cases() {
        check(&case, &ask_one(agent.http, &ask_of(&case)).await, &agent);
        check(&case, &ask_two(agent.http, &ask_of(&case)).await, &agent);
        if let Some(call) = call_of(&case) {
            check(&case, &ask_two(agent.grpc, &call).await, &agent);
        }
        good_requests_pass(&agent, case.name).await;
    }
}

/// Set for the child in which nothing but the receiver takes memory.
const CHILD: &str = "REDORA_TEST_HOSTILE_ADDRESS";

/// The receiver runs in a process of its own, whose peak the kernel measures; the bodies are built
/// and sent here.
#[test]
fn no_hostile_request_takes_more_than_twice_the_limit_of_a_body() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if std::env::var_os(CHILD).is_some() {
        return runtime.block_on(serve_until_told());
    }
    let mut child = Command::new(std::env::current_exe().expect("the test knows itself"))
        .args([
            "--exact",
            "no_hostile_request_takes_more_than_twice_the_limit_of_a_body",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the test runs itself");
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
    let address = lines
        .by_ref()
        .map(|line| line.expect("text"))
        .find_map(|line| line.split_once("listening on ").map(|(_, address)| address.to_owned()))
        .expect("the child says where it listens");
    let address: SocketAddr = address.trim().parse().expect("an address");
    runtime.block_on(async {
        // What one good request takes is no extra.
        let good = Ask::post("/v1/traces", "application/json", "{}");
        assert_eq!(ask_one(address, &good).await.status, 200);
        let before = peak_bytes(child.id());
        for case in cases() {
            ask_one(address, &ask_of(&case)).await;
            let extra = peak_bytes(child.id()).saturating_sub(before);
            assert!(extra <= EXTRA_BYTES_MAX, "{} took {extra} bytes", case.name);
        }
    });
    drop(child.stdin.take());
    lines.for_each(drop);
    assert!(child.wait().expect("a child").success());
}

async fn serve_until_told() {
    // The recorder would keep what it was given.
    let agent = Agent::start_forgetful(Limits::default());
    println!("listening on {}", agent.http);
    let told = tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin()));
    told.await.expect("no panic").expect("the parent ends it by closing the pipe");
    assert_eq!(agent.stop().await.cut, 0);
}

/// The largest resident size so far of a process, by Linux.
fn peak_bytes(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes << 10
}
