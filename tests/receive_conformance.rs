//! What an OTLP server must and should do over plain HTTP, a row for each rule, asked through real
//! sockets over HTTP/1.1 and HTTP/2 on both ports.

#[expect(dead_code, reason = "each suite uses a part of the support")]
mod receive_support;

use std::borrow::Cow;
use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use receive_support::{Agent, Answer, Ask, RpcStatus, accept, ask_one, ask_two};
use redora::receive::{Limits, Reason, Verdict};
use redora_wire::{Fault, Signal};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const ONE_SPAN_JSON: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET /"}]}]}]}"#;

/// What a row expects.
enum Expect {
    /// Success in the request's form, with so many items delivered.
    Items(u64),
    /// A refusal with a `google.rpc.Status` of this code in the given form, counted under the
    /// reason.
    Refused { status: u16, code: i32, form: &'static str, reason: Reason },
}

struct Row {
    rule: &'static str,
    ask: Ask,
    expect: Expect,
    /// A header that the answer must carry.
    header: Option<(&'static str, &'static str)>,
}

fn row(rule: &'static str, ask: Ask, expect: Expect) -> Row {
    Row { rule, ask, expect, header: None }
}

fn refused(status: u16, code: i32, reason: Reason) -> Expect {
    Expect::Refused { status, code, form: PROTOBUF, reason }
}

fn spans(count: usize) -> Vec<u8> {
    let span = Span { name: "GET /".into(), ..Span::default() };
    let scope = ScopeSpans { spans: vec![span; count], ..ScopeSpans::default() };
    let resource = ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource] }.encode_to_vec()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).expect("compressible")
}

fn limits() -> Limits {
    Limits { request_bytes: 64 << 10, items_per_request: 1000, ..Limits::default() }
}

fn traces(content_type: &str, body: impl Into<Vec<u8>>) -> Ask {
    Ask::post("/v1/traces", content_type, body)
}

fn accepted_rows() -> Vec<Row> {
    use Expect::Items;
    let ten = spans(10);
    let encoded = |coding: &str, body| traces(PROTOBUF, body).with("content-encoding", coding);
    vec![
        row("protobuf is taken", traces(PROTOBUF, ten.clone()), Items(10)),
        row("JSON is taken", traces(JSON, ONE_SPAN_JSON), Items(1)),
        row("an empty protobuf request succeeds", traces(PROTOBUF, ""), Items(0)),
        row("an empty JSON request succeeds", traces(JSON, "{}"), Items(0)),
        row("logs have a path", Ask::post("/v1/logs", PROTOBUF, ""), Items(0)),
        row("metrics have a path", Ask::post("/v1/metrics", PROTOBUF, ""), Items(0)),
        row("a query is no part of the path", Ask::post("/v1/logs?a=b", PROTOBUF, ""), Items(0)),
        row("gzip is taken", encoded("gzip", gzip(&ten)), Items(10)),
        row("x-gzip is gzip", encoded("x-gzip", gzip(&ten)), Items(10)),
        row("names of codings have no case", encoded("GZip", gzip(&ten)), Items(10)),
        row("zstd is taken", encoded("zstd", zstd(&ten)), Items(10)),
        row("deflate is zlib", encoded("deflate", zlib(&ten)), Items(10)),
        row("deflate without zlib is taken", encoded("deflate", raw_deflate(&ten)), Items(10)),
        row("identity is no coding", encoded("identity", ten.clone()), Items(10)),
        row("identity beside gzip is nothing", encoded("identity, gzip", gzip(&ten)), Items(10)),
        row(
            "gzip of several members is one body",
            encoded("gzip", [gzip(&ten), gzip(&ten)].concat()),
            Items(20),
        ),
        row(
            "JSON may be compressed",
            traces(JSON, gzip(ONE_SPAN_JSON.as_bytes())).with("content-encoding", "gzip"),
            Items(1),
        ),
        row(
            "parameters and case of the content type do not matter",
            traces("Application/JSON ; charset=utf-8", ONE_SPAN_JSON),
            Items(1),
        ),
        row("as many items as the limit are taken", traces(PROTOBUF, spans(1000)), Items(1000)),
        row("unknown JSON fields are ignored", traces(JSON, r#"{"new":[1]}"#), Items(0)),
    ]
}

/// The same refusal of a JSON request.
fn json(expect: Expect) -> Expect {
    match expect {
        Expect::Refused { status, code, reason, .. } => {
            Expect::Refused { status, code, reason, form: JSON }
        }
        other => other,
    }
}

/// Refused for the head of the request.
fn misdirected_rows() -> Vec<Row> {
    let ten = spans(10);
    let encoded = |coding: &str, body| traces(PROTOBUF, body).with("content-encoding", coding);
    let not_found = || refused(404, 5, Reason::NotFound);
    let unsupported = || refused(415, 3, Reason::ContentType);
    vec![
        row("an unknown path is 404", Ask::post("/v1/spans", PROTOBUF, ""), not_found()),
        row("the root is 404", Ask::post("/", JSON, "{}"), json(not_found())),
        row("profiles are 404", Ask::post("/v1development/profiles", PROTOBUF, ""), not_found()),
        Row {
            header: Some(("allow", "POST")),
            ..row("GET is 405", traces("", "").method("GET"), refused(405, 3, Reason::Method))
        },
        row("PUT is 405", traces(JSON, "{}").method("PUT"), json(refused(405, 3, Reason::Method))),
        row("no content type is 415", traces("", ten.clone()), unsupported()),
        row("another content type is 415", traces("text/plain", ten.clone()), unsupported()),
        row("gRPC-Web is 415", traces("application/grpc-web", ten.clone()), unsupported()),
        row("gRPC with JSON is 415", traces("application/grpc+json", ten.clone()), unsupported()),
        Row {
            header: Some(("accept-encoding", "gzip, zstd, deflate")),
            ..row(
                "an unknown coding is 415",
                encoded("br", ten.clone()),
                refused(415, 12, Reason::Encoding),
            )
        },
        row(
            "two codings are 415",
            encoded("gzip, gzip", gzip(&gzip(&ten))),
            refused(415, 12, Reason::Encoding),
        ),
    ]
}

/// Refused for the body of the request.
fn malformed_rows() -> Vec<Row> {
    let ten = spans(10);
    let encoded = |coding: &str, body| traces(PROTOBUF, body).with("content-encoding", coding);
    let large = vec![0; (64 << 10) + 1];
    let malformed = || refused(400, 3, Reason::Malformed);
    let too_large = || refused(413, 8, Reason::TooLarge);
    vec![
        row("gzip inside gzip is 400", encoded("gzip", gzip(&gzip(&ten))), malformed()),
        row("garbage is 400", traces(PROTOBUF, "garbage"), malformed()),
        row("plain bytes as gzip are 400", encoded("gzip", ten.clone()), malformed()),
        row("a cut gzip is 400", encoded("gzip", gzip(&ten)[..20].to_vec()), malformed()),
        row(
            "bytes behind gzip are 400",
            encoded("gzip", [gzip(&ten), b"tail".to_vec()].concat()),
            malformed(),
        ),
        row("an empty body is no gzip", encoded("gzip", Vec::new()), malformed()),
        row("no JSON is 400 in JSON", traces(JSON, "resourceSpans"), json(malformed())),
        row("no body is no JSON", traces(JSON, ""), json(malformed())),
        row(
            "enums by name are 400",
            traces(JSON, ONE_SPAN_JSON.replace(r#""name":"GET /""#, r#""kind":"SERVER""#)),
            json(malformed()),
        ),
        row("too large is 413", traces(PROTOBUF, large.clone()), too_large()),
        row("too large JSON is 413", traces(JSON, large.clone()), json(too_large())),
        row("too large after gzip is 413", encoded("gzip", gzip(&large)), too_large()),
        row("too large after zstd is 413", encoded("zstd", zstd(&large)), too_large()),
        row("too large after deflate is 413", encoded("deflate", zlib(&large)), too_large()),
        row(
            "too many items are 413",
            traces(PROTOBUF, spans(1001)),
            refused(413, 8, Reason::TooManyItems),
        ),
    ]
}

fn check_answer(place: &str, row: &Row, answer: &Answer) {
    if let Some((name, value)) = row.header {
        assert_eq!(answer.header(name), Some(value), "{place}");
    }
    let Expect::Refused { status, code, form, .. } = row.expect else {
        assert_eq!(answer.status, 200, "{place}: {answer:?}");
        let json = row.ask.headers.iter().any(|(_, value)| value.to_lowercase().contains("json"));
        // A success has its partial_success unset: the empty message.
        let (form, body) = if json { (JSON, &b"{}"[..]) } else { (PROTOBUF, &b""[..]) };
        assert_eq!(answer.header("content-type"), Some(form), "{place}");
        assert_eq!(&answer.body[..], body, "{place}");
        return;
    };
    assert_eq!(answer.status.as_u16(), status, "{place}: {answer:?}");
    assert_eq!(answer.header("content-type"), Some(form), "{place}");
    let (found, message) = if form == JSON {
        let body: serde_json::Value = serde_json::from_slice(&answer.body).expect("a JSON status");
        (body["code"].as_i64(), body["message"].as_str().expect("a message").to_owned())
    } else {
        let body = RpcStatus::decode(&answer.body[..]).expect("a protobuf status");
        (Some(i64::from(body.code)), body.message)
    };
    assert_eq!(found, Some(i64::from(code)), "{place}");
    assert!(message.len() > 10, "{place}: a message names the cure, {message:?}");
    assert_eq!(answer.header("retry-after"), None, "{place}: a retry would not help");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rule_holds_over_both_versions_on_both_ports() {
    let agent = Agent::start(limits(), accept);
    let rows = [accepted_rows(), misdirected_rows(), malformed_rows()];
    for row in rows.iter().flatten() {
        for (version, address) in
            [("1.1", agent.http), ("1.1", agent.grpc), ("2", agent.http), ("2", agent.grpc)]
        {
            let place = format!("{} (HTTP/{version}, {address})", row.rule);
            let before = agent.items();
            let answer = match version {
                "1.1" => ask_one(address, &row.ask).await,
                _ => ask_two(address, &row.ask).await,
            };
            check_answer(&place, row, &answer);
            let refusals: Vec<Reason> =
                agent.refused().into_iter().map(|refusal| refusal.reason).collect();
            match row.expect {
                Expect::Items(items) => {
                    assert_eq!(agent.items() - before, items, "{place}");
                    assert_eq!(refusals, [], "{place}");
                }
                Expect::Refused { reason, .. } => {
                    assert_eq!(agent.items(), before, "{place}");
                    assert_eq!(refusals, [reason], "{place}");
                }
            }
        }
    }
    assert_eq!(agent.stop().await.cut, 0);
}

#[tokio::test]
async fn verdicts_become_answers() {
    let agent = Agent::start(limits(), |batch| match batch.signal {
        Signal::Metrics => {
            Verdict::Partial { rejected: batch.items, message: Cow::Borrowed("no upstream") }
        }
        Signal::Traces => Verdict::Busy { retry_after: Duration::from_millis(1200) },
        Signal::Logs => Verdict::Malformed(Fault::Truncated),
    });
    let partial = ask_one(agent.http, &Ask::post("/v1/metrics", PROTOBUF, "")).await;
    assert_eq!(partial.status, 200);
    let body = ExportMetricsServiceResponse::decode(&partial.body[..]).expect("a response");
    let said = body.partial_success.expect("a warning");
    assert_eq!((said.rejected_data_points, &said.error_message[..]), (0, "no upstream"));

    let busy = ask_one(agent.http, &traces(JSON, ONE_SPAN_JSON)).await;
    assert_eq!(busy.status, 503);
    assert_eq!(busy.header("retry-after"), Some("2"), "whole seconds, rounded up");
    let body: serde_json::Value = serde_json::from_slice(&busy.body).expect("a JSON status");
    assert_eq!(body["code"], 14);
    assert_eq!(body["details"][0]["retryDelay"], "1.2s");

    let malformed = ask_one(agent.http, &Ask::post("/v1/logs", PROTOBUF, "")).await;
    assert_eq!(malformed.status, 400);
    let body = RpcStatus::decode(&malformed.body[..]).expect("a status");
    assert!(body.details[0].type_url.ends_with("google.rpc.BadRequest"), "{body:?}");
    let reasons: Vec<_> =
        agent.refused().into_iter().map(|refusal| (refusal.reason, refusal.items)).collect();
    assert_eq!(reasons, [(Reason::Busy, Some(1)), (Reason::Malformed, Some(0))]);
}

#[tokio::test]
async fn what_is_delivered_is_what_was_sent() {
    let agent = Agent::start(limits(), accept);
    let plain = spans(3);
    ask_one(agent.http, &traces(PROTOBUF, plain.clone())).await;
    ask_one(agent.http, &traces(PROTOBUF, gzip(&plain)).with("content-encoding", "gzip")).await;
    let batches = agent.batches.lock().expect("no panic in here");
    for batch in batches.iter() {
        assert_eq!(batch.bytes, plain);
        assert_eq!((batch.signal, batch.items), (Signal::Traces, 3));
    }
    assert_eq!(batches.len(), 2);
}

#[tokio::test]
async fn a_full_budget_is_busy_and_recovers() {
    let agent = Agent::start(Limits { memory_bytes: 4096, ..limits() }, accept);
    let busy = ask_one(agent.http, &traces(PROTOBUF, spans(1000))).await;
    assert_eq!((busy.status.as_u16(), busy.header("retry-after")), (503, Some("1")));
    // The recorder keeps the batch, and with it the memory that the budget counts.
    let kept = spans(300);
    assert_eq!(ask_one(agent.http, &traces(PROTOBUF, kept.clone())).await.status, 200);
    assert_eq!(ask_one(agent.http, &traces(PROTOBUF, kept.clone())).await.status, 503);
    agent.batches.lock().expect("no panic in here").clear();
    let again = ask_one(agent.http, &traces(PROTOBUF, kept)).await;
    assert_eq!(again.status, 200);
    ExportTraceServiceResponse::decode(&again.body[..]).expect("a response");
}
