//! Requests of log records as a service's logging bridge sends them: mostly INFO, some warnings
//! that rules look for; records without text would make matching look free.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::random::Random;
use crate::traces::text;

/// One request of a number of records of one service.
pub(crate) fn request(records: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let log_records = (0..records).map(|_| record(&mut random)).collect();
    let part = ResourceLogs {
        resource: Some(Resource {
            attributes: vec![text("service.name", "payments"), text("service.version", "7")],
            ..Default::default()
        }),
        scope_logs: vec![ScopeLogs { log_records, ..Default::default() }],
        ..Default::default()
    };
    ExportLogsServiceRequest { resource_logs: vec![part] }.encode_to_vec()
}

fn record(random: &mut Random) -> LogRecord {
    let id = random.below(1_000_000);
    let (severity_number, severity_text, line) = match random.below(20) {
        0 => (13, "WARN", format!("payment {id} declined by the issuer, code 51")),
        1 => (17, "ERROR", format!("payment {id} failed, upstream timed out after 2000 ms")),
        2..8 => (9, "INFO", format!("payment {id} authorised, capture scheduled, took 48 ms")),
        _ => (9, "INFO", format!("request for payment {id} answered with 200 in 12 ms")),
    };
    let now = 1_790_000_000_000_000_000 + random.below(1_000_000_000);
    LogRecord {
        time_unix_nano: now,
        observed_time_unix_nano: now,
        severity_number,
        severity_text: severity_text.into(),
        body: Some(AnyValue { value: Some(Value::StringValue(line)) }),
        attributes: vec![
            text("code.namespace", "com.example.payments.Authorisation"),
            text("thread.name", "request-worker-17"),
            text("payment.method", random.pick(&["card", "invoice", "wallet"])),
            text("payment.provider", "acme"),
        ],
        trace_id: random.bytes(16),
        span_id: random.bytes(8),
        ..Default::default()
    }
}
