//! OTLP/JSON as some SDK might write it: any order of keys, any permitted form of a value, unknown
//! keys in between. Messages are taken apart without `..`, so that a field which OTLP gains later
//! fails to compile here and reminds the tables.

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

/// What some SDK would write for a value; none for an absent field.
pub(crate) trait Emit {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String>;
}

/// Bytes that are hex in JSON.
struct Id<'a>(&'a [u8]);

/// Bytes that are base64 in JSON.
struct Base64<'a>(&'a [u8]);

/// A message given as its fields, in any order.
macro_rules! emit {
    ($message:ident { $($field:ident $(as $wrap:ident)?: $key:literal),* $(,)? }
     $(, $oneof:ident: { $($variant:path $(as $with:ident)?: $name:literal),* $(,)? })?) => {
        impl Emit for $message {
            fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
                let $message { $($field,)* $($oneof)? } = self;
                let mut fields = Vec::new();
                fields.append(&mut vec![$(($key, emit!(@value $field $($wrap)?).emit(d))),*]);
                $(match $oneof {
                    None => {}
                    $(Some($variant(value)) => {
                        fields.push(($name, Some(present(&emit!(@value value $($with)?), d))));
                    })*
                })?
                Some(object(fields, d))
            }
        }
    };
    (@value $field:ident) => { $field };
    (@value $field:ident $wrap:ident) => { $wrap($field) };
}

type TraceRequest = trace::v1::ExportTraceServiceRequest;
type LogsRequest = logs::v1::ExportLogsServiceRequest;
type MetricsRequest = metrics::v1::ExportMetricsServiceRequest;

emit!(TraceRequest { resource_spans: "resourceSpans" });
emit!(LogsRequest { resource_logs: "resourceLogs" });
emit!(MetricsRequest { resource_metrics: "resourceMetrics" });
emit!(ResourceSpans { resource: "resource", scope_spans: "scopeSpans", schema_url: "schemaUrl" });
emit!(ScopeSpans { scope: "scope", spans: "spans", schema_url: "schemaUrl" });
emit!(ResourceLogs { resource: "resource", scope_logs: "scopeLogs", schema_url: "schemaUrl" });
emit!(ScopeLogs { scope: "scope", log_records: "logRecords", schema_url: "schemaUrl" });
emit!(ResourceMetrics {
    resource: "resource",
    scope_metrics: "scopeMetrics",
    schema_url: "schemaUrl",
});
emit!(ScopeMetrics { scope: "scope", metrics: "metrics", schema_url: "schemaUrl" });
emit!(Resource {
    attributes: "attributes",
    dropped_attributes_count: "droppedAttributesCount",
    entity_refs: "entityRefs",
});
emit!(EntityRef {
    schema_url: "schemaUrl",
    r#type: "type",
    id_keys: "idKeys",
    description_keys: "descriptionKeys",
});
emit!(InstrumentationScope {
    name: "name",
    version: "version",
    attributes: "attributes",
    dropped_attributes_count: "droppedAttributesCount",
});
emit!(KeyValue { key: "key", value: "value", key_strindex: "keyStrindex" });
emit!(ArrayValue { values: "values" });
emit!(KeyValueList { values: "values" });
emit!(AnyValue {}, value: {
    Value::StringValue: "stringValue",
    Value::BoolValue: "boolValue",
    Value::IntValue: "intValue",
    Value::DoubleValue: "doubleValue",
    Value::ArrayValue: "arrayValue",
    Value::KvlistValue: "kvlistValue",
    Value::BytesValue as Base64: "bytesValue",
    Value::StringValueStrindex: "stringValueStrindex",
});
emit!(Span {
    trace_id as Id: "traceId",
    span_id as Id: "spanId",
    trace_state: "traceState",
    parent_span_id as Id: "parentSpanId",
    flags: "flags",
    name: "name",
    kind as Enum: "kind",
    start_time_unix_nano: "startTimeUnixNano",
    end_time_unix_nano: "endTimeUnixNano",
    attributes: "attributes",
    dropped_attributes_count: "droppedAttributesCount",
    events: "events",
    dropped_events_count: "droppedEventsCount",
    links: "links",
    dropped_links_count: "droppedLinksCount",
    status: "status",
});
emit!(Event {
    time_unix_nano: "timeUnixNano",
    name: "name",
    attributes: "attributes",
    dropped_attributes_count: "droppedAttributesCount",
});
emit!(Link {
    trace_id as Id: "traceId",
    span_id as Id: "spanId",
    trace_state: "traceState",
    attributes: "attributes",
    dropped_attributes_count: "droppedAttributesCount",
    flags: "flags",
});
emit!(Status { message: "message", code as Enum: "code" });
emit!(LogRecord {
    time_unix_nano: "timeUnixNano",
    observed_time_unix_nano: "observedTimeUnixNano",
    severity_number as Enum: "severityNumber",
    severity_text: "severityText",
    body: "body",
    attributes: "attributes",
    dropped_attributes_count: "droppedAttributesCount",
    flags: "flags",
    trace_id as Id: "traceId",
    span_id as Id: "spanId",
    event_name: "eventName",
});
emit!(Metric {
    name: "name",
    description: "description",
    unit: "unit",
    metadata: "metadata",
}, data: {
    Data::Gauge: "gauge",
    Data::Sum: "sum",
    Data::Histogram: "histogram",
    Data::ExponentialHistogram: "exponentialHistogram",
    Data::Summary: "summary",
});
emit!(Gauge { data_points: "dataPoints" });
emit!(Sum {
    data_points: "dataPoints",
    aggregation_temporality as Enum: "aggregationTemporality",
    is_monotonic: "isMonotonic",
});
emit!(Histogram {
    data_points: "dataPoints",
    aggregation_temporality as Enum: "aggregationTemporality",
});
emit!(ExponentialHistogram {
    data_points: "dataPoints",
    aggregation_temporality as Enum: "aggregationTemporality",
});
emit!(Summary { data_points: "dataPoints" });
emit!(NumberDataPoint {
    attributes: "attributes",
    start_time_unix_nano: "startTimeUnixNano",
    time_unix_nano: "timeUnixNano",
    exemplars: "exemplars",
    flags: "flags",
}, value: {
    number_data_point::Value::AsDouble: "asDouble",
    number_data_point::Value::AsInt: "asInt",
});
emit!(HistogramDataPoint {
    attributes: "attributes",
    start_time_unix_nano: "startTimeUnixNano",
    time_unix_nano: "timeUnixNano",
    count: "count",
    sum: "sum",
    bucket_counts: "bucketCounts",
    explicit_bounds: "explicitBounds",
    exemplars: "exemplars",
    flags: "flags",
    min: "min",
    max: "max",
});
emit!(ExponentialHistogramDataPoint {
    attributes: "attributes",
    start_time_unix_nano: "startTimeUnixNano",
    time_unix_nano: "timeUnixNano",
    count: "count",
    sum: "sum",
    scale: "scale",
    zero_count: "zeroCount",
    positive: "positive",
    negative: "negative",
    flags: "flags",
    exemplars: "exemplars",
    min: "min",
    max: "max",
    zero_threshold: "zeroThreshold",
});
emit!(Buckets { offset: "offset", bucket_counts: "bucketCounts" });
emit!(SummaryDataPoint {
    attributes: "attributes",
    start_time_unix_nano: "startTimeUnixNano",
    time_unix_nano: "timeUnixNano",
    count: "count",
    sum: "sum",
    quantile_values: "quantileValues",
    flags: "flags",
});
emit!(ValueAtQuantile { quantile: "quantile", value: "value" });
emit!(Exemplar {
    filtered_attributes: "filteredAttributes",
    time_unix_nano: "timeUnixNano",
    span_id as Id: "spanId",
    trace_id as Id: "traceId",
}, value: {
    exemplar::Value::AsDouble: "asDouble",
    exemplar::Value::AsInt: "asInt",
});

/// An integer that may not be a string.
struct Enum<'a>(&'a i32);

impl Emit for Enum<'_> {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
        unless_default(self.0, self.0.to_string(), d)
    }
}

impl Emit for Id<'_> {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
        let upper = d.flip();
        let digits = self.0.iter().map(|byte| match upper {
            true => format!("{byte:02X}"),
            false => format!("{byte:02x}"),
        });
        unless_default(&self.0, format!("\"{}\"", digits.collect::<String>()), d)
    }
}

impl Emit for bool {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
        unless_default(self, self.to_string(), d)
    }
}

impl Emit for f64 {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
        let text = match *self {
            value if value.is_nan() => "\"NaN\"".to_owned(),
            f64::INFINITY => "\"Infinity\"".to_owned(),
            f64::NEG_INFINITY => "\"-Infinity\"".to_owned(),
            value if d.below(8) == 1 => format!("\"{value:e}\""),
            value => format!("{value:?}"),
        };
        unless_default(self, text, d)
    }
}

macro_rules! emit_integer {
    ($($integer:ty),*) => {$(
        impl Emit for $integer {
            fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
                let text = if d.flip() { format!("\"{self}\"") } else { self.to_string() };
                unless_default(self, text, d)
            }
        }
    )*};
}
emit_integer!(i32, u32, i64, u64);

impl Emit for String {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
        let text = if d.flip() {
            let units = self.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            format!("\"{}\"", units.collect::<String>())
        } else {
            serde_json::to_string(self).expect("strings are JSON")
        };
        unless_default(self, text, d)
    }
}

impl<T: Emit> Emit for Option<T> {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
        self.as_ref().map(|value| present(value, d))
    }
}

impl<T: Emit> Emit for Vec<T> {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
        let elements: Vec<String> = self.iter().map(|value| present(value, d)).collect();
        if elements.is_empty() && d.flip() {
            return None;
        }
        Some(format!("[{}]", elements.join([",", " ,\n\t"][d.below(2)])))
    }
}

impl<T: Emit> Emit for &T {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
        (*self).emit(d)
    }
}

impl Emit for Base64<'_> {
    fn emit(&self, d: &mut Dice<'_>) -> Option<String> {
        let mut digits = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        if d.flip() {
            digits[62..].copy_from_slice(b"-_");
        }
        let bits: Vec<u8> =
            self.0.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let sextet =
            |bits: &[u8]| bits.iter().fold(0, |sum, bit| sum << 1 | bit) << (6 - bits.len());
        let mut text: String =
            bits.chunks(6).map(|bits| char::from(digits[usize::from(sextet(bits))])).collect();
        if d.flip() {
            text.push_str(&"=".repeat(text.len().next_multiple_of(4) - text.len()));
        }
        Some(format!("\"{text}\""))
    }
}

fn present<T: Emit>(value: &T, d: &mut Dice<'_>) -> String {
    // A default may be left out of a message, but neither out of a list nor out of a oneof.
    loop {
        if let Some(text) = value.emit(d) {
            return text;
        }
        d.byte();
    }
}

fn unless_default<T: Default + PartialEq>(
    value: &T,
    text: String,
    d: &mut Dice<'_>,
) -> Option<String> {
    let leave_out = *value == T::default() && d.flip();
    if leave_out { None } else { Some(text) }
}

fn object(mut fields: Vec<(&str, Option<String>)>, d: &mut Dice<'_>) -> String {
    const UNKNOWN: [(&str, &str); 4] = [
        ("trace_id", "17"),
        ("x", r#"{"a":[{"b":[[]]},"\"}",null,1e999],"spans":[{}]}"#),
        ("\\ud800", "\"\\udc00\""),
        ("", "[[[[{}]]]]"),
    ];
    if d.below(8) == 1 {
        let (key, value) = UNKNOWN[d.below(UNKNOWN.len())];
        fields.push((key, Some(value.to_owned())));
    }
    if !fields.is_empty() {
        let places = fields.len();
        fields.rotate_left(d.below(places));
    }
    let mut members = Vec::new();
    for (key, value) in fields {
        match value {
            Some(value) => members.push(format!("\"{key}\":{value}")),
            None if d.flip() => members.push(format!("\"{key}\" : null")),
            None => {}
        }
    }
    format!("{{{}}}", members.join([",", ", "][d.below(2)]))
}
