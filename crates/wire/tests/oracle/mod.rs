//! Holds the views against prost's decoder of the same bytes, field by field. One file for the
//! properties, the corpus and the fuzz targets, so that what the fuzzer finds is a test as soon as
//! its file is committed.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{self as common, any_value};
use opentelemetry_proto::tonic::logs::v1 as logs_proto;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::resource::v1 as resource_proto;
use opentelemetry_proto::tonic::trace::v1 as trace_proto;
use prost::{DecodeError, Message};
use redora_wire::logs::LogRecord;
use redora_wire::trace::Span;
use redora_wire::{Fault, KeyValue, Resource, Scope, Signal, Value, logs, trace};

/// Asserts that the views take and refuse what prost does, text that is not UTF-8 aside, and see
/// the same values.
pub(crate) fn check(signal: Signal, request: &[u8]) {
    let counted = redora_wire::count(signal, request);
    let checked = redora_wire::check(signal, request);
    let walked = match signal {
        Signal::Traces => walk_traces(request),
        Signal::Logs => walk_logs(request),
        Signal::Metrics => checked,
    };
    assert_eq!(walked.ok(), checked.ok(), "{walked:?}, {checked:?}: the walk and the check differ");
    if walked.is_ok() {
        assert_eq!(counted, walked, "the count and the walk differ");
    }
    match signal {
        Signal::Traces => {
            if let Some(decoded) = agreed(ExportTraceServiceRequest::decode(request), walked) {
                assert_eq!(walked, Ok(same_traces(request, &decoded)));
            }
        }
        Signal::Logs => {
            if let Some(decoded) = agreed(ExportLogsServiceRequest::decode(request), walked) {
                assert_eq!(walked, Ok(same_logs(request, &decoded)));
            }
        }
        Signal::Metrics => {
            if let Some(decoded) = agreed(ExportMetricsServiceRequest::decode(request), walked) {
                assert_eq!(walked, Ok(data_points(&decoded)));
            }
        }
    }
}

/// The decoded message where both take it; panics where only one does.
fn agreed<M>(decoded: Result<M, DecodeError>, walked: Result<u64, Fault>) -> Option<M> {
    match (decoded, walked) {
        (Ok(decoded), Ok(_)) => Some(decoded),
        (Ok(_), Err(fault)) => panic!("prost takes what is refused: {fault}"),
        (Err(error), Ok(_)) => {
            let only_utf8 = error.to_string().contains("not UTF-8");
            assert!(only_utf8, "prost refuses what is taken: {error}");
            None
        }
        (Err(_), Err(_)) => None,
    }
}

fn walk_traces(request: &[u8]) -> Result<u64, Fault> {
    let mut spans = 0;
    for resource_spans in trace::resource_spans(request) {
        let resource_spans = resource_spans?;
        resource_spans.resource().read(|attribute| look_into(attribute.value.read()))?;
        for scope_spans in resource_spans.scopes() {
            for span in scope_spans?.items() {
                Span::read(span?, |attribute| look_into(attribute.value.read()))?;
                spans += 1;
            }
        }
    }
    Ok(spans)
}

fn walk_logs(request: &[u8]) -> Result<u64, Fault> {
    let mut records = 0;
    for resource_logs in logs::resource_logs(request) {
        let resource_logs = resource_logs?;
        resource_logs.resource().read(|attribute| look_into(attribute.value.read()))?;
        for scope_logs in resource_logs.scopes() {
            for record in scope_logs?.items() {
                let record =
                    LogRecord::read(record?, |attribute| look_into(attribute.value.read()))?;
                look_into(record.body);
                records += 1;
            }
        }
    }
    Ok(records)
}

/// Reads all of a value, as a consumer might before a fault behind it is known.
fn look_into(value: Value<'_>) {
    match value {
        Value::Array(array) => array.iter().for_each(look_into),
        Value::KvList(list) => list.iter().for_each(|pair| look_into(pair.value.read())),
        _ => {}
    }
}

fn same_traces(request: &[u8], decoded: &ExportTraceServiceRequest) -> u64 {
    let mut spans = 0;
    let mut resources = trace::resource_spans(request);
    for expected in &decoded.resource_spans {
        let resource_spans = next(&mut resources);
        same_resource(resource_spans.resource(), expected.resource.as_ref());
        same_text(resource_spans.schema_url(), &expected.schema_url);
        let mut scopes = resource_spans.scopes();
        for expected in &expected.scope_spans {
            let scope_spans = next(&mut scopes);
            same_scope(|each| scope_spans.scope(each), expected.scope.as_ref());
            same_text(scope_spans.schema_url(), &expected.schema_url);
            let mut bodies = scope_spans.items();
            for expected in &expected.spans {
                same_span(next(&mut bodies), expected);
                spans += 1;
            }
            assert!(bodies.next().is_none());
        }
        assert!(scopes.next().is_none());
    }
    assert!(resources.next().is_none());
    spans
}

fn same_logs(request: &[u8], decoded: &ExportLogsServiceRequest) -> u64 {
    let mut records = 0;
    let mut resources = logs::resource_logs(request);
    for expected in &decoded.resource_logs {
        let resource_logs = next(&mut resources);
        same_resource(resource_logs.resource(), expected.resource.as_ref());
        same_text(resource_logs.schema_url(), &expected.schema_url);
        let mut scopes = resource_logs.scopes();
        for expected in &expected.scope_logs {
            let scope_logs = next(&mut scopes);
            same_scope(|each| scope_logs.scope(each), expected.scope.as_ref());
            same_text(scope_logs.schema_url(), &expected.schema_url);
            let mut bodies = scope_logs.items();
            for expected in &expected.log_records {
                same_record(next(&mut bodies), expected);
                records += 1;
            }
            assert!(bodies.next().is_none());
        }
        assert!(scopes.next().is_none());
    }
    assert!(resources.next().is_none());
    records
}

fn next<T>(views: &mut impl Iterator<Item = Result<T, Fault>>) -> T {
    views.next().expect("as many views as decoded messages").expect("walked before")
}

fn same_resource(resource: Resource<'_>, expected: Option<&resource_proto::Resource>) {
    let mut attributes = Vec::new();
    resource.read(|attribute| attributes.push(attribute)).expect("walked before");
    same_attributes(&attributes, expected.map_or(&[], |resource| &resource.attributes));
}

fn same_scope<'a>(
    read: impl FnOnce(&mut dyn FnMut(KeyValue<'a>)) -> Result<Scope<'a>, Fault>,
    expected: Option<&common::InstrumentationScope>,
) {
    let mut attributes = Vec::new();
    let scope = read(&mut |attribute| attributes.push(attribute)).expect("walked before");
    let absent = common::InstrumentationScope::default();
    let expected = expected.unwrap_or(&absent);
    assert_eq!(scope.name, expected.name.as_bytes());
    assert_eq!(scope.version, expected.version.as_bytes());
    same_attributes(&attributes, &expected.attributes);
}

fn same_span(bytes: &[u8], expected: &trace_proto::Span) {
    let mut attributes = Vec::new();
    let span = Span::read(bytes, |attribute| attributes.push(attribute)).expect("walked before");
    let status = expected.status.clone().unwrap_or_default();
    let seen = Span {
        trace_id: &expected.trace_id,
        span_id: &expected.span_id,
        parent_span_id: &expected.parent_span_id,
        trace_state: expected.trace_state.as_bytes(),
        name: expected.name.as_bytes(),
        kind: expected.kind,
        flags: expected.flags,
        start_unix_nano: expected.start_time_unix_nano,
        end_unix_nano: expected.end_time_unix_nano,
        status_code: status.code,
        status_message: status.message.as_bytes(),
    };
    assert_eq!(span, seen);
    same_attributes(&attributes, &expected.attributes);
}

fn same_record(bytes: &[u8], expected: &logs_proto::LogRecord) {
    let mut attributes = Vec::new();
    let record =
        LogRecord::read(bytes, |attribute| attributes.push(attribute)).expect("walked before");
    same_value(record.body, expected.body.as_ref());
    let seen = LogRecord {
        time_unix_nano: expected.time_unix_nano,
        observed_time_unix_nano: expected.observed_time_unix_nano,
        severity_number: expected.severity_number,
        severity_text: expected.severity_text.as_bytes(),
        body: Value::Empty,
        trace_id: &expected.trace_id,
        span_id: &expected.span_id,
        flags: expected.flags,
        event_name: expected.event_name.as_bytes(),
    };
    assert_eq!(LogRecord { body: Value::Empty, ..record }, seen);
    same_attributes(&attributes, &expected.attributes);
}

fn same_attributes(seen: &[KeyValue<'_>], expected: &[common::KeyValue]) {
    assert_eq!(seen.len(), expected.len());
    for (seen, expected) in seen.iter().zip(expected) {
        assert_eq!(seen.key, expected.key.as_bytes());
        same_value(seen.value.read(), expected.value.as_ref());
    }
}

fn same_value(seen: Value<'_>, expected: Option<&common::AnyValue>) {
    use any_value::Value as Expected;
    match (seen, expected.and_then(|value| value.value.as_ref())) {
        (Value::Empty, None | Some(Expected::StringValueStrindex(_))) => {}
        (Value::String(seen), Some(Expected::StringValue(text))) => {
            assert_eq!(seen, text.as_bytes());
        }
        (Value::Bool(seen), Some(Expected::BoolValue(truth))) => assert_eq!(seen, *truth),
        (Value::Int(seen), Some(Expected::IntValue(number))) => assert_eq!(seen, *number),
        (Value::Double(seen), Some(Expected::DoubleValue(number))) => {
            assert_eq!(seen.to_bits(), number.to_bits());
        }
        (Value::Bytes(seen), Some(Expected::BytesValue(bytes))) => assert_eq!(seen, bytes),
        (Value::Array(seen), Some(Expected::ArrayValue(array))) => {
            assert_eq!(seen.iter().count(), array.values.len());
            for (seen, expected) in seen.iter().zip(&array.values) {
                same_value(seen, Some(expected));
            }
        }
        (Value::KvList(seen), Some(Expected::KvlistValue(list))) => {
            same_attributes(&seen.iter().collect::<Vec<_>>(), &list.values);
        }
        (seen, expected) => panic!("{seen:?} is not {expected:?}"),
    }
}

fn same_text(seen: Result<&[u8], Fault>, expected: &str) {
    assert_eq!(seen, Ok(expected.as_bytes()));
}

fn data_points(decoded: &ExportMetricsServiceRequest) -> u64 {
    let metrics = decoded
        .resource_metrics
        .iter()
        .flat_map(|resource| &resource.scope_metrics)
        .flat_map(|scope| &scope.metrics);
    let points = metrics.map(|metric| match &metric.data {
        None => 0,
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
        Some(Data::Summary(summary)) => summary.data_points.len(),
    });
    points.sum::<usize>() as u64
}
