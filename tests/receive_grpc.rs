//! OTLP over gRPC, asked by tonic's generated clients as the SDKs use them, and by hand-made frames
//! for what no generated client would send.

#[expect(dead_code, reason = "each suite uses a part of the support")]
mod receive_support;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client as metrics;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use receive_support::{Agent, Answer, Ask, RpcStatus, accept, ask_one, ask_two, within};
use redora::receive::{Limits, Reason, Verdict};
use redora_wire::{Fault, Signal};
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};

const TRACE_EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

fn limits() -> Limits {
    Limits { request_bytes: 64 << 10, items_per_request: 1000, ..Limits::default() }
}

fn spans(count: usize) -> ExportTraceServiceRequest {
    let span = Span { name: "GET /".into(), ..Span::default() };
    let scope = ScopeSpans { spans: vec![span; count], ..ScopeSpans::default() };
    let resource = ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource] }
}

async fn channel(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    within(endpoint.connect()).await.expect("the receiver listens")
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("small");
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

fn call(path: &str, body: Vec<u8>) -> Ask {
    Ask::post(path, "application/grpc", body).with("te", "trailers")
}

#[tokio::test]
async fn generated_clients_export_every_signal_on_both_ports() {
    let agent = Agent::start(limits(), accept);
    for address in [agent.grpc, agent.http] {
        let channel = channel(address).await;
        let mut traces = TraceServiceClient::new(channel.clone());
        let answer = within(traces.export(spans(7))).await.expect("taken").into_inner();
        assert_eq!(answer.partial_success, None);
        let empty = within(traces.export(ExportTraceServiceRequest::default())).await;
        assert_eq!(empty.expect("an empty request succeeds").into_inner().partial_success, None);
        let record = LogRecord { severity_number: 9, ..LogRecord::default() };
        let scope = ScopeLogs { log_records: vec![record; 5], ..ScopeLogs::default() };
        let resource = ResourceLogs { scope_logs: vec![scope], ..ResourceLogs::default() };
        let logs = ExportLogsServiceRequest { resource_logs: vec![resource] };
        within(LogsServiceClient::new(channel.clone()).export(logs)).await.expect("taken");
        let metrics = ExportMetricsServiceRequest::default();
        within(metrics::MetricsServiceClient::new(channel).export(metrics)).await.expect("taken");
    }
    assert_eq!(agent.items(), 2 * (7 + 5));
    let signals: Vec<Signal> =
        agent.batches.lock().expect("no panic in here").iter().map(|batch| batch.signal).collect();
    use Signal::{Logs, Metrics, Traces};
    assert_eq!(signals, [Traces, Traces, Logs, Metrics].repeat(2));
    assert_eq!(agent.refused(), []);
}

#[tokio::test]
async fn compressed_messages_are_taken() {
    let agent = Agent::start(limits(), accept);
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Zstd] {
        let client = TraceServiceClient::new(channel(agent.grpc).await);
        let mut client = client.send_compressed(encoding).accept_compressed(encoding);
        within(client.export(spans(500))).await.expect("taken");
    }
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &spans(500).encode_to_vec()).expect("a vector");
    let zlib = encoder.finish().expect("a vector");
    let deflate = call(TRACE_EXPORT, framed(1, &zlib)).with("grpc-encoding", "deflate");
    assert_eq!(ask_two(agent.grpc, &deflate).await.header("grpc-status"), Some("0"));
    // The flag decides for each message: an encoding that is named need not be used.
    let plain = call(TRACE_EXPORT, framed(0, &spans(500).encode_to_vec()));
    let unused = ask_two(agent.grpc, &plain.with("grpc-encoding", "gzip")).await;
    assert_eq!(unused.header("grpc-status"), Some("0"));
    assert_eq!(agent.items(), 4 * 500);
}

#[tokio::test]
async fn many_calls_share_a_connection() {
    let agent = Agent::start(Limits { streams_per_connection: 2, ..limits() }, accept);
    let client = TraceServiceClient::new(channel(agent.grpc).await);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut client = client.clone();
        calls.spawn(async move { client.export(spans(100)).await });
    }
    for answer in within(calls.join_all()).await {
        answer.expect("calls over the bound of streams wait");
    }
    assert_eq!(agent.items(), 50 * 100);
}

#[tokio::test]
async fn limits_are_final_and_business_is_not() {
    let agent = Agent::start(limits(), |batch| match batch.signal {
        Signal::Traces => Verdict::Busy { retry_after: Duration::from_millis(1500) },
        Signal::Logs => Verdict::Malformed(Fault::Truncated),
        Signal::Metrics => {
            Verdict::Partial { rejected: 3, message: Cow::Borrowed("no upstream for metrics") }
        }
    });
    let channel = channel(agent.grpc).await;
    let mut traces = TraceServiceClient::new(channel.clone())
        .max_encoding_message_size(usize::MAX)
        .send_compressed(CompressionEncoding::Gzip);
    let busy = within(traces.export(spans(1))).await.expect_err("busy");
    assert_eq!(busy.code(), Code::Unavailable);
    let details = RpcStatus::decode(busy.details()).expect("a status");
    assert_eq!(details.code, 14);
    assert!(details.details[0].type_url.ends_with("/google.rpc.RetryInfo"), "{details:?}");
    // RetryInfo { retry_delay: 1.5 s }
    assert_eq!(details.details[0].value, [10, 8, 8, 1, 16, 128, 202, 181, 238, 1]);

    let mut plain = TraceServiceClient::new(channel.clone());
    for too_much in [
        within(plain.export(spans(20_000))).await,
        within(traces.export(spans(20_000))).await,
        within(plain.export(spans(1001))).await,
    ] {
        let status = too_much.expect_err("over a limit");
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        assert_eq!(status.details(), b"", "with RetryInfo it would be sent again");
        assert!(status.message().contains("smaller batches"), "{status:?}");
    }

    let malformed = LogsServiceClient::new(channel.clone());
    let malformed = within(malformed.clone().export(ExportLogsServiceRequest::default())).await;
    assert_eq!(malformed.expect_err("malformed").code(), Code::InvalidArgument);
    let partial = metrics::MetricsServiceClient::new(channel);
    let partial = within(partial.clone().export(ExportMetricsServiceRequest::default())).await;
    let said = partial.expect("taken").into_inner().partial_success.expect("a part");
    assert_eq!(
        (said.rejected_data_points, &said.error_message[..]),
        (3, "no upstream for metrics")
    );

    let reasons: Vec<Reason> = agent.refused().into_iter().map(|refusal| refusal.reason).collect();
    use Reason::{Busy, Malformed, TooLarge, TooManyItems};
    assert_eq!(reasons, [Busy, TooLarge, TooLarge, TooManyItems, Malformed]);
}

#[track_caller]
fn check(rule: &str, answer: &Answer, code: i32) {
    assert_eq!(answer.status, 200, "{rule}: {answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/grpc"), "{rule}");
    assert_eq!(answer.header("grpc-status"), Some(&code.to_string()[..]), "{rule}: {answer:?}");
}

#[tokio::test]
async fn frames_that_no_generated_client_sends_are_answered() {
    let agent = Agent::start(limits(), accept);
    let one = spans(1).encode_to_vec();
    let export = |body| call(TRACE_EXPORT, body);
    let rows: Vec<(&str, Ask, i32)> = vec![
        (
            "content type with proto",
            Ask::post(TRACE_EXPORT, "application/grpc+proto", framed(0, &one)),
            0,
        ),
        ("an empty message", export(framed(0, b"")), 0),
        ("no message", export(Vec::new()), 3),
        ("a cut prefix", export(vec![0, 0, 0]), 3),
        ("a message shorter than its length", export(framed(0, &one)[..9].to_vec()), 3),
        ("two messages", export([framed(0, &one), framed(0, &one)].concat()), 3),
        ("an unknown flag", export(framed(2, &one)), 3),
        ("a length over the limit", export(vec![0, 0xFF, 0xFF, 0xFF, 0xFF, 1]), 8),
        ("garbage", export(framed(0, b"garbage")), 3),
        ("compressed without a name", export(framed(1, &one)), 13),
        ("not what it is named", export(framed(1, &one)).with("grpc-encoding", "gzip"), 3),
        ("an unknown compression", export(framed(1, &one)).with("grpc-encoding", "snappy"), 12),
        ("an unknown method", call(&TRACE_EXPORT.replace("Export", "Import"), framed(0, b"")), 12),
        ("an unknown service", call("/shop.Cart/Export", framed(0, b"")), 12),
        ("GET", export(Vec::new()).method("GET"), 3),
        ("health of all", call("/grpc.health.v1.Health/Check", framed(0, b"")), 0),
        ("health of another", call("/grpc.health.v1.Health/Check", framed(0, b"\x0a\x04shop")), 5),
    ];
    for (rule, ask, code) in rows {
        for address in [agent.grpc, agent.http] {
            let answer = ask_two(address, &ask).await;
            check(rule, &answer, code);
            if code == 12 {
                let accepted = answer.header("grpc-accept-encoding");
                assert_eq!(accepted, Some("identity,gzip,zstd,deflate"), "{rule}");
            }
        }
    }
    let health = ask_two(agent.grpc, &call("/grpc.health.v1.Health/Check", framed(0, b""))).await;
    assert_eq!(&health.body[..], framed(0, &[8, 1]), "SERVING");
    assert_eq!(agent.items(), 2);
}

#[tokio::test]
async fn grpc_without_http_2_is_told_what_to_send() {
    let agent = Agent::start(limits(), accept);
    let ask = Ask::post("/v1/traces", "application/grpc", framed(0, b""));
    let answer = ask_one(agent.grpc, &ask).await;
    assert_eq!(answer.status, 415);
    let status = RpcStatus::decode(&answer.body[..]).expect("a status");
    assert!(status.message.contains("HTTP/2"), "{status:?}");
}
