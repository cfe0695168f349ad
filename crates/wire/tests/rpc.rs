//! The hand-written answers against prost and serde_json.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use proptest::prelude::*;
use prost::Message;
use redora_wire::Signal;
use redora_wire::rpc::{
    Code, Detail, Encoding, MESSAGE_BYTES_MAX, Status, export_response, grpc_message,
};
use serde_json::{Value, json};

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<ProtoDuration>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, prost::Message)]
struct ProtoDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// `google.rpc.BadRequest`.
#[derive(Clone, PartialEq, prost::Message)]
struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    field_violations: Vec<FieldViolation>,
}

/// `google.rpc.BadRequest.FieldViolation`.
#[derive(Clone, PartialEq, prost::Message)]
struct FieldViolation {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(string, tag = "2")]
    description: String,
}

const BAD: Status<'static> = Status {
    code: Code::InvalidArgument,
    message: "bad \"kind\" – 50 %",
    detail: Some(Detail::BadRequest { field: "resourceSpans[0]", description: "send a number" }),
};

fn retry(millis: u64) -> Status<'static> {
    let detail = Some(Detail::RetryInfo(Duration::from_millis(millis)));
    Status { code: Code::ResourceExhausted, message: "busy", detail }
}

fn parsed(json: &[u8]) -> Value {
    serde_json::from_slice(json).expect("an answer is JSON")
}

#[test]
fn a_status_without_details() {
    let status = Status { code: Code::Unimplemented, message: "no such method", detail: None };
    let decoded = RpcStatus::decode(status.to_protobuf().as_slice()).expect("protobuf");
    let expected =
        RpcStatus { code: 12, message: "no such method".to_owned(), details: Vec::new() };
    assert_eq!(decoded, expected);
    assert_eq!(parsed(&status.to_json()), json!({"code": 12, "message": "no such method"}));
    let ok = Status { code: Code::Ok, message: "", detail: None };
    assert_eq!(RpcStatus::decode(ok.to_protobuf().as_slice()), Ok(RpcStatus::default()));
    assert_eq!(ok.encode(Encoding::Json), b"{}");
}

#[test]
fn a_bad_request_names_the_field() {
    let decoded = RpcStatus::decode(BAD.encode(Encoding::Protobuf).as_slice()).expect("protobuf");
    assert_eq!((decoded.code, decoded.message.as_str()), (3, BAD.message));
    assert_eq!(decoded.details[0].type_url, "type.googleapis.com/google.rpc.BadRequest");
    let detail = BadRequest::decode(decoded.details[0].value.as_slice()).expect("protobuf");
    let violation = FieldViolation {
        field: "resourceSpans[0]".to_owned(),
        description: "send a number".to_owned(),
    };
    assert_eq!(detail.field_violations, [violation]);
    let expected = json!({"code": 3, "message": BAD.message, "details": [{
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": "resourceSpans[0]", "description": "send a number"}],
    }]});
    assert_eq!(parsed(&BAD.to_json()), expected);
}

#[test]
fn a_retry_delay_in_both_forms() {
    let check = |delay: Duration, seconds: i64, nanos: i32, text: &str| {
        let status = Status { detail: Some(Detail::RetryInfo(delay)), ..retry(0) };
        let decoded = RpcStatus::decode(status.to_protobuf().as_slice()).expect("protobuf");
        assert_eq!(decoded.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
        let info = RetryInfo::decode(decoded.details[0].value.as_slice()).expect("protobuf");
        assert_eq!(info.retry_delay, Some(ProtoDuration { seconds, nanos }));
        let detail = &parsed(&status.to_json())["details"][0];
        assert_eq!(detail["retryDelay"], json!(text));
        assert_eq!(detail["@type"], json!("type.googleapis.com/google.rpc.RetryInfo"));
    };
    check(Duration::ZERO, 0, 0, "0s");
    check(Duration::from_millis(1500), 1, 500_000_000, "1.5s");
    check(Duration::from_secs(30), 30, 0, "30s");
    check(Duration::from_nanos(1), 0, 1, "0.000000001s");
    check(Duration::from_secs(u64::MAX), 315_576_000_000, 0, "315576000000s");
}

#[test]
fn grpc_details_are_base64_without_padding() {
    // 08 08 12 04 62 75 73 79 1a ..: code 8, message "busy", one detail.
    let header = retry(0).to_grpc_details();
    assert!(header.starts_with("CAgSBGJ1c3kaL"), "{header}");
    assert!(!header.contains('='));
    for message in ["", "a", "ab", "abc"] {
        let status = Status { code: Code::Ok, message, detail: None };
        let expected = ["EgA", "EgFh", "EgJhYg", "EgNhYmM"][message.len()];
        assert_eq!(status.to_grpc_details(), expected);
    }
}

#[test]
fn full_success_is_the_empty_message() {
    for signal in Signal::ALL {
        for partial in [None, Some((0, ""))] {
            assert_eq!(export_response(signal, partial, Encoding::Protobuf), b"");
            assert_eq!(export_response(signal, partial, Encoding::Json), b"{}");
        }
    }
}

#[test]
fn partial_success_in_every_signal() {
    let bytes = |signal| export_response(signal, Some((3, "no upstream")), Encoding::Protobuf);
    let error_message = "no upstream".to_owned();
    let traces = ExportTracePartialSuccess { rejected_spans: 3, error_message };
    assert_eq!(
        ExportTraceServiceResponse::decode(bytes(Signal::Traces).as_slice()),
        Ok(ExportTraceServiceResponse { partial_success: Some(traces) })
    );
    let error_message = "no upstream".to_owned();
    let logs = ExportLogsPartialSuccess { rejected_log_records: 3, error_message };
    assert_eq!(
        ExportLogsServiceResponse::decode(bytes(Signal::Logs).as_slice()),
        Ok(ExportLogsServiceResponse { partial_success: Some(logs) })
    );
    let error_message = "no upstream".to_owned();
    let metrics = ExportMetricsPartialSuccess { rejected_data_points: 3, error_message };
    assert_eq!(
        ExportMetricsServiceResponse::decode(bytes(Signal::Metrics).as_slice()),
        Ok(ExportMetricsServiceResponse { partial_success: Some(metrics) })
    );

    let keys = ["rejectedSpans", "rejectedLogRecords", "rejectedDataPoints"];
    for (signal, key) in Signal::ALL.into_iter().zip(keys) {
        let json = export_response(signal, Some((3, "no upstream")), Encoding::Json);
        let expected = json!({"partialSuccess": {key: "3", "errorMessage": "no upstream"}});
        assert_eq!(parsed(&json), expected);
    }
}

#[test]
fn a_warning_rejects_nothing() {
    let json = export_response(Signal::Logs, Some((0, "deprecated")), Encoding::Json);
    assert_eq!(parsed(&json), json!({"partialSuccess": {"errorMessage": "deprecated"}}));
    let bytes = export_response(Signal::Logs, Some((u64::MAX, "")), Encoding::Protobuf);
    let decoded = ExportLogsServiceResponse::decode(bytes.as_slice()).expect("protobuf");
    let partial = decoded.partial_success.expect("some were rejected");
    assert_eq!(partial.rejected_log_records, i64::MAX);
}

#[test]
fn long_texts_are_cut_between_characters() {
    let long = "é".repeat(MESSAGE_BYTES_MAX);
    let cut = "é".repeat(MESSAGE_BYTES_MAX / 2);
    let odd = format!("a{long}");
    let json = export_response(Signal::Traces, Some((1, &odd)), Encoding::Json);
    let message = parsed(&json)["partialSuccess"]["errorMessage"].clone();
    assert_eq!(message.as_str().map(str::len), Some(MESSAGE_BYTES_MAX - 1));

    let detail = Some(Detail::BadRequest { field: &long, description: &long });
    let status = Status { code: Code::InvalidArgument, message: &long, detail };
    let decoded = RpcStatus::decode(status.to_protobuf().as_slice()).expect("protobuf");
    assert_eq!(decoded.message, cut);
    let bad = BadRequest::decode(decoded.details[0].value.as_slice()).expect("protobuf");
    assert_eq!(bad.field_violations[0].field, cut);
    assert_eq!(bad.field_violations[0].description, cut);
    assert_eq!(parsed(&status.to_json())["message"], json!(cut));
    assert_eq!(status.to_grpc_message().len(), 3 * MESSAGE_BYTES_MAX);
}

#[test]
fn grpc_messages_are_percent_encoded() {
    let check = |text: &str, expected: &str| assert_eq!(grpc_message(text), expected);
    check("", "");
    check(
        "all printable: !\"#$&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~",
        "all printable: !\"#$&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~",
    );
    check("50 %", "50 %25");
    check("a\r\nb\t\u{7F}", "a%0D%0Ab%09%7F");
    check("é – 😀", "%C3%A9 %E2%80%93 %F0%9F%98%80");
}

proptest! {
    #[test]
    fn grpc_messages_decode_to_what_they_were(text in any::<String>()) {
        let encoded = grpc_message(&text);
        prop_assert!(encoded.bytes().all(|byte| (0x20..0x7F).contains(&byte)));
        let mut decoded = Vec::new();
        let mut rest = encoded.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            if first == b'%' {
                let digits = std::str::from_utf8(&after[..2]).expect("ASCII");
                decoded.push(u8::from_str_radix(digits, 16).expect("hex"));
                rest = &after[2..];
            } else {
                decoded.push(first);
                rest = after;
            }
        }
        prop_assert_eq!(decoded, text.as_bytes());
    }

    #[test]
    fn any_text_is_valid_json(text in any::<String>(), rejected in any::<u64>()) {
        let answer = export_response(Signal::Traces, Some((rejected, &text)), Encoding::Json);
        let json = parsed(&answer);
        if !text.is_empty() {
            prop_assert_eq!(json["partialSuccess"]["errorMessage"].as_str(), Some(text.as_str()));
        }
    }
}
