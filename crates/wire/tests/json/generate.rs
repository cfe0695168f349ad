//! Requests with every field of every message, so that a wrong number in a table cannot hide.

use opentelemetry_proto::tonic::collector::{logs, metrics, trace};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use crate::dice::Dice;

pub(crate) fn traces(d: &mut Dice<'_>) -> trace::v1::ExportTraceServiceRequest {
    trace::v1::ExportTraceServiceRequest {
        resource_spans: d.list(|d| ResourceSpans {
            resource: d.maybe(resource),
            scope_spans: d.list(|d| ScopeSpans {
                scope: d.maybe(scope),
                spans: d.list(span),
                schema_url: d.text(),
            }),
            schema_url: d.text(),
        }),
    }
}

pub(crate) fn logs(d: &mut Dice<'_>) -> logs::v1::ExportLogsServiceRequest {
    logs::v1::ExportLogsServiceRequest {
        resource_logs: d.list(|d| ResourceLogs {
            resource: d.maybe(resource),
            scope_logs: d.list(|d| ScopeLogs {
                scope: d.maybe(scope),
                log_records: d.list(log_record),
                schema_url: d.text(),
            }),
            schema_url: d.text(),
        }),
    }
}

pub(crate) fn metrics(d: &mut Dice<'_>) -> metrics::v1::ExportMetricsServiceRequest {
    metrics::v1::ExportMetricsServiceRequest {
        resource_metrics: d.list(|d| ResourceMetrics {
            resource: d.maybe(resource),
            scope_metrics: d.list(|d| ScopeMetrics {
                scope: d.maybe(scope),
                metrics: d.list(metric),
                schema_url: d.text(),
            }),
            schema_url: d.text(),
        }),
    }
}

fn resource(d: &mut Dice<'_>) -> Resource {
    Resource {
        attributes: d.list(key_value),
        dropped_attributes_count: d.u32(),
        entity_refs: d.list(|d| EntityRef {
            schema_url: d.text(),
            r#type: d.text(),
            id_keys: d.list(Dice::text),
            description_keys: d.list(Dice::text),
        }),
    }
}

fn scope(d: &mut Dice<'_>) -> InstrumentationScope {
    InstrumentationScope {
        name: d.text(),
        version: d.text(),
        attributes: d.list(key_value),
        dropped_attributes_count: d.u32(),
    }
}

fn key_value(d: &mut Dice<'_>) -> KeyValue {
    nested_key_value(d, 4)
}

fn nested_key_value(d: &mut Dice<'_>, depth: u32) -> KeyValue {
    KeyValue { key: d.text(), value: d.maybe(|d| any_value(d, depth)), key_strindex: d.i32() }
}

fn any_value(d: &mut Dice<'_>, depth: u32) -> AnyValue {
    let value = match d.below(if depth == 0 { 7 } else { 9 }) {
        0 => None,
        1 => Some(Value::StringValue(d.text())),
        2 => Some(Value::BoolValue(d.flip())),
        3 => Some(Value::IntValue(d.i64())),
        4 => Some(Value::DoubleValue(d.f64())),
        5 => Some(Value::BytesValue(d.bytes())),
        6 => Some(Value::StringValueStrindex(d.i32())),
        7 => Some(Value::ArrayValue(ArrayValue { values: d.list(|d| any_value(d, depth - 1)) })),
        _ => Some(Value::KvlistValue(KeyValueList {
            values: d.list(|d| nested_key_value(d, depth - 1)),
        })),
    };
    AnyValue { value }
}

fn span(d: &mut Dice<'_>) -> Span {
    Span {
        trace_id: d.bytes(),
        span_id: d.bytes(),
        trace_state: d.text(),
        parent_span_id: d.bytes(),
        flags: d.u32(),
        name: d.text(),
        kind: d.i32(),
        start_time_unix_nano: d.u64(),
        end_time_unix_nano: d.u64(),
        attributes: d.list(key_value),
        dropped_attributes_count: d.u32(),
        events: d.list(|d| Event {
            time_unix_nano: d.u64(),
            name: d.text(),
            attributes: d.list(key_value),
            dropped_attributes_count: d.u32(),
        }),
        dropped_events_count: d.u32(),
        links: d.list(|d| Link {
            trace_id: d.bytes(),
            span_id: d.bytes(),
            trace_state: d.text(),
            attributes: d.list(key_value),
            dropped_attributes_count: d.u32(),
            flags: d.u32(),
        }),
        dropped_links_count: d.u32(),
        status: d.maybe(|d| Status { message: d.text(), code: d.i32() }),
    }
}

fn log_record(d: &mut Dice<'_>) -> LogRecord {
    LogRecord {
        time_unix_nano: d.u64(),
        observed_time_unix_nano: d.u64(),
        severity_number: d.i32(),
        severity_text: d.text(),
        body: d.maybe(|d| any_value(d, 4)),
        attributes: d.list(key_value),
        dropped_attributes_count: d.u32(),
        flags: d.u32(),
        trace_id: d.bytes(),
        span_id: d.bytes(),
        event_name: d.text(),
    }
}

fn metric(d: &mut Dice<'_>) -> Metric {
    let data = match d.below(6) {
        0 => None,
        1 => Some(Data::Gauge(Gauge { data_points: d.list(number_point) })),
        2 => Some(Data::Sum(Sum {
            data_points: d.list(number_point),
            aggregation_temporality: d.i32(),
            is_monotonic: d.flip(),
        })),
        3 => Some(Data::Histogram(Histogram {
            data_points: d.list(histogram_point),
            aggregation_temporality: d.i32(),
        })),
        4 => Some(Data::ExponentialHistogram(ExponentialHistogram {
            data_points: d.list(exponential_point),
            aggregation_temporality: d.i32(),
        })),
        _ => Some(Data::Summary(Summary { data_points: d.list(summary_point) })),
    };
    Metric {
        name: d.text(),
        description: d.text(),
        unit: d.text(),
        metadata: d.list(key_value),
        data,
    }
}

fn number_point(d: &mut Dice<'_>) -> NumberDataPoint {
    NumberDataPoint {
        attributes: d.list(key_value),
        start_time_unix_nano: d.u64(),
        time_unix_nano: d.u64(),
        exemplars: d.list(exemplar),
        flags: d.u32(),
        value: match d.below(3) {
            0 => None,
            1 => Some(number_data_point::Value::AsDouble(d.f64())),
            _ => Some(number_data_point::Value::AsInt(d.i64())),
        },
    }
}

fn histogram_point(d: &mut Dice<'_>) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: d.list(key_value),
        start_time_unix_nano: d.u64(),
        time_unix_nano: d.u64(),
        count: d.u64(),
        sum: d.maybe(Dice::f64),
        bucket_counts: d.list(Dice::u64),
        explicit_bounds: d.list(Dice::f64),
        exemplars: d.list(exemplar),
        flags: d.u32(),
        min: d.maybe(Dice::f64),
        max: d.maybe(Dice::f64),
    }
}

fn exponential_point(d: &mut Dice<'_>) -> ExponentialHistogramDataPoint {
    ExponentialHistogramDataPoint {
        attributes: d.list(key_value),
        start_time_unix_nano: d.u64(),
        time_unix_nano: d.u64(),
        count: d.u64(),
        sum: d.maybe(Dice::f64),
        scale: d.i32(),
        zero_count: d.u64(),
        positive: d.maybe(buckets),
        negative: d.maybe(buckets),
        flags: d.u32(),
        exemplars: d.list(exemplar),
        min: d.maybe(Dice::f64),
        max: d.maybe(Dice::f64),
        zero_threshold: d.f64(),
    }
}

fn buckets(d: &mut Dice<'_>) -> Buckets {
    Buckets { offset: d.i32(), bucket_counts: d.list(Dice::u64) }
}

fn summary_point(d: &mut Dice<'_>) -> SummaryDataPoint {
    SummaryDataPoint {
        attributes: d.list(key_value),
        start_time_unix_nano: d.u64(),
        time_unix_nano: d.u64(),
        count: d.u64(),
        sum: d.f64(),
        quantile_values: d.list(|d| ValueAtQuantile { quantile: d.f64(), value: d.f64() }),
        flags: d.u32(),
    }
}

fn exemplar(d: &mut Dice<'_>) -> Exemplar {
    Exemplar {
        filtered_attributes: d.list(key_value),
        time_unix_nano: d.u64(),
        span_id: d.bytes(),
        trace_id: d.bytes(),
        value: match d.below(3) {
            0 => None,
            1 => Some(exemplar::Value::AsDouble(d.f64())),
            _ => Some(exemplar::Value::AsInt(d.i64())),
        },
    }
}
