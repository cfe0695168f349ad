//! Documents as real SDKs send them, and what each rule of the mapping makes of a value.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use redora_wire::Signal;

use crate::{logs, metrics, traces, transcoded};

fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(any(value)), key_strindex: 0 }
}

fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

fn array(values: Vec<AnyValue>) -> Value {
    Value::ArrayValue(ArrayValue { values })
}

/// The one value of the one attribute of a span with this value in JSON.
fn attribute(value: &str) -> Option<Value> {
    let mut span = span(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#));
    span.attributes.remove(0).value.and_then(|value| value.value)
}

/// A span with these members.
fn span(members: &str) -> Span {
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{members}}}]}}]}}]}}"#);
    traces(&body).resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

/// The exporter of the JavaScript SDK: numbers for small integers, no `schemaUrl`, counts of zero.
const NODE_SPANS: &str = r#"{"resourceSpans":[{"resource":{"attributes":[
{"key":"service.name","value":{"stringValue":"shop"}},
{"key":"process.pid","value":{"intValue":4711}},
{"key":"process.command_args","value":{"arrayValue":{"values":[
{"stringValue":"/usr/bin/node"},{"stringValue":"server.js"}]}}}],"droppedAttributesCount":0},
"scopeSpans":[{"scope":{"name":"@opentelemetry/instrumentation-http","version":"0.57.0"},"spans":[
{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",
"parentSpanId":"eee19b7ec3c1b173","name":"GET /cart/:id","kind":2,
"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000",
"attributes":[{"key":"http.response.status_code","value":{"intValue":500}},
{"key":"load","value":{"doubleValue":0.25}},{"key":"cached","value":{"boolValue":false}},
{"key":"nothing","value":{}}],
"droppedAttributesCount":0,"events":[{"attributes":[
{"key":"exception.message","value":{"stringValue":"caf\u00e9 \ud83d\ude00 \"out\""}}],
"name":"exception","timeUnixNano":"1544712660500000000","droppedAttributesCount":1}],
"droppedEventsCount":0,"status":{"code":2,"message":"boom"},"links":[{"attributes":[],
"spanId":"00f067aa0ba902b7","traceId":"4bf92f3577b34da6a3ce929d0e0e4736",
"droppedAttributesCount":0,"flags":257}],"droppedLinksCount":0,"flags":257}]}]}]}"#;

#[test]
fn spans_of_the_javascript_sdk() {
    let mut request = traces(NODE_SPANS);
    assert_eq!(request.resource_spans.len(), 1);
    let mut resource_spans = request.resource_spans.remove(0);
    let args = array(vec![any(text("/usr/bin/node")), any(text("server.js"))]);
    let resource = Resource {
        attributes: vec![
            pair("service.name", text("shop")),
            pair("process.pid", Value::IntValue(4711)),
            pair("process.command_args", args),
        ],
        ..Resource::default()
    };
    assert_eq!(resource_spans.resource, Some(resource));
    let scope_spans = resource_spans.scope_spans.remove(0);
    let scope = InstrumentationScope {
        name: "@opentelemetry/instrumentation-http".to_owned(),
        version: "0.57.0".to_owned(),
        ..InstrumentationScope::default()
    };
    assert_eq!(scope_spans.scope, Some(scope));
    assert_eq!(scope_spans.spans, [node_span()]);
}

fn node_span() -> Span {
    Span {
        trace_id: 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c_u128.to_be_bytes().to_vec(),
        span_id: 0xeee1_9b7e_c3c1_b174_u64.to_be_bytes().to_vec(),
        trace_state: String::new(),
        parent_span_id: 0xeee1_9b7e_c3c1_b173_u64.to_be_bytes().to_vec(),
        flags: 257,
        name: "GET /cart/:id".to_owned(),
        kind: 2,
        start_time_unix_nano: 1_544_712_660_000_000_000,
        end_time_unix_nano: 1_544_712_661_000_000_000,
        attributes: vec![
            pair("http.response.status_code", Value::IntValue(500)),
            pair("load", Value::DoubleValue(0.25)),
            pair("cached", Value::BoolValue(false)),
            KeyValue {
                key: "nothing".to_owned(),
                value: Some(AnyValue { value: None }),
                key_strindex: 0,
            },
        ],
        events: vec![Event {
            time_unix_nano: 1_544_712_660_500_000_000,
            name: "exception".to_owned(),
            attributes: vec![pair("exception.message", text("café \u{1F600} \"out\""))],
            dropped_attributes_count: 1,
        }],
        links: vec![Link {
            trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes().to_vec(),
            span_id: 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes().to_vec(),
            flags: 257,
            ..Link::default()
        }],
        status: Some(Status { message: "boom".to_owned(), code: 2 }),
        ..Span::default()
    }
}

#[test]
fn a_log_record_with_every_kind_of_body_and_upper_case_ids() {
    let request = logs(
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{
        "timeUnixNano":"1544712660300000000","observedTimeUnixNano":1544712660300000001,
        "severityNumber":10,"severityText":"Information","eventName":"paid",
        "traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174",
        "body":{"kvlistValue":{"values":[
            {"key":"n","value":{"intValue":"-10"}},
            {"key":"many","value":{"arrayValue":{"values":[{"boolValue":true},null,
                {"bytesValue":"_-8"}]}}}]}},
        "attributes":[{"key":"map","value":{"kvlistValue":{"values":[]}}}],"flags":1}]}]}]}"#,
    );
    let record = &request.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!(record.time_unix_nano, 1_544_712_660_300_000_000);
    assert_eq!(record.observed_time_unix_nano, 1_544_712_660_300_000_001);
    assert_eq!((record.severity_number, record.flags), (10, 1));
    assert_eq!(
        (record.severity_text.as_str(), record.event_name.as_str()),
        ("Information", "paid")
    );
    assert_eq!(record.trace_id[..4], [0x5B, 0x8E, 0xFF, 0xF7]);
    assert_eq!(record.span_id[..4], [0xEE, 0xE1, 0x9B, 0x7E]);
    let many = vec![
        any(Value::BoolValue(true)),
        AnyValue::default(),
        any(Value::BytesValue(vec![255, 239])),
    ];
    let body = Value::KvlistValue(KeyValueList {
        values: vec![pair("n", Value::IntValue(-10)), pair("many", array(many))],
    });
    assert_eq!(record.body, Some(any(body)));
    let empty = Value::KvlistValue(KeyValueList { values: Vec::new() });
    assert_eq!(record.attributes, [pair("map", empty)]);
}

const METRICS: &str = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
{"name":"c","unit":"1","description":"a counter","sum":{"aggregationTemporality":1,
 "isMonotonic":true,"dataPoints":[{"asDouble":5,"startTimeUnixNano":"1","timeUnixNano":"2"}]}},
{"name":"g","gauge":{"dataPoints":[{"asInt":"-7","timeUnixNano":"2"}]}},
{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"2","sum":2.5,
 "bucketCounts":["1",1,"0"],"explicitBounds":[1,"Infinity"],"min":0,"max":2}]}},
{"name":"e","exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[{"count":3,"sum":10,
 "scale":-1,"zeroCount":"1","positive":{"offset":-3,"bucketCounts":["0","2"]},"zeroThreshold":0.5
 }]}}]}]}]}"#;

#[test]
fn metrics_of_every_kind() {
    let request = metrics(METRICS);
    let data: Vec<&Data> = request.resource_metrics[0].scope_metrics[0]
        .metrics
        .iter()
        .filter_map(|metric| metric.data.as_ref())
        .collect();
    let [
        Data::Sum(sum),
        Data::Gauge(gauge),
        Data::Histogram(histogram),
        Data::ExponentialHistogram(e),
    ] = data[..]
    else {
        panic!("{data:?}");
    };
    assert!(sum.is_monotonic);
    assert_eq!(sum.aggregation_temporality, 1);
    let point = NumberDataPoint {
        start_time_unix_nano: 1,
        time_unix_nano: 2,
        value: Some(number_data_point::Value::AsDouble(5.0)),
        ..NumberDataPoint::default()
    };
    assert_eq!(sum.data_points, [point]);
    assert_eq!(gauge.data_points[0].value, Some(number_data_point::Value::AsInt(-7)));
    let point = HistogramDataPoint {
        count: 2,
        sum: Some(2.5),
        bucket_counts: vec![1, 1, 0],
        explicit_bounds: vec![1.0, f64::INFINITY],
        min: Some(0.0),
        max: Some(2.0),
        ..HistogramDataPoint::default()
    };
    assert_eq!(histogram.data_points, [point]);
    let point = ExponentialHistogramDataPoint {
        count: 3,
        sum: Some(10.0),
        scale: -1,
        zero_count: 1,
        positive: Some(Buckets { offset: -3, bucket_counts: vec![0, 2] }),
        zero_threshold: 0.5,
        ..ExponentialHistogramDataPoint::default()
    };
    assert_eq!(e.data_points, [point]);
}

#[test]
fn values_in_every_form_that_is_accepted() {
    let check =
        |json: &str, expected: Option<Value>| assert_eq!(attribute(json), expected, "{json}");
    check("null", None);
    check("{}", None);
    check(r#"{"stringValue":null}"#, None);
    check(r#"{"future":1}"#, None);
    check(r#"{"stringValue":""}"#, Some(text("")));
    check(r#"{"intValue":1e3}"#, Some(Value::IntValue(1000)));
    check(r#"{"intValue":-0}"#, Some(Value::IntValue(0)));
    check(r#"{"intValue":5.0}"#, Some(Value::IntValue(5)));
    check(r#"{"intValue":"1e3"}"#, Some(Value::IntValue(1000)));
    check(r#"{"intValue":"-9223372036854775808"}"#, Some(Value::IntValue(i64::MIN)));
    check(r#"{"intValue":9223372036854775807}"#, Some(Value::IntValue(i64::MAX)));
    check(r#"{"doubleValue":1}"#, Some(Value::DoubleValue(1.0)));
    check(r#"{"doubleValue":"-Infinity"}"#, Some(Value::DoubleValue(f64::NEG_INFINITY)));
    check(r#"{"doubleValue":0.1}"#, Some(Value::DoubleValue(0.1)));
    check(r#"{"bytesValue":"/+8="}"#, Some(Value::BytesValue(vec![255, 239])));
    // The last member of a oneof wins, whichever it is.
    check(r#"{"intValue":1,"stringValue":"x"}"#, Some(text("x")));
    check(r#"{"stringValue":"x","intValue":0}"#, Some(Value::IntValue(0)));
    // A lone surrogate must not cost the batch.
    check(r#"{"stringValue":"a\ud800b"}"#, Some(text("a\u{FFFD}b")));
    check(r#"{"stringValue":"\udc00\ud83d\ude00\ud83d"}"#, Some(text("\u{FFFD}\u{1F600}\u{FFFD}")));
    check(r#"{"stringValue":"\ud7ff\ud800\n"}"#, Some(text("\u{D7FF}\u{FFFD}\n")));
    check("{\"stringValue\":\"raw\ttab\"}", Some(text("raw\ttab")));
}

#[test]
fn keys_given_twice_mean_what_protobuf_says() {
    assert_eq!(span(r#""kind":3,"kind":0"#).kind, 0);
    assert_eq!(span(r#""name":"a","name":"b","name":null"#).name, "b");
    let merged = span(r#""status":{"code":2},"status":{"message":"m"}"#).status;
    assert_eq!(merged, Some(Status { message: "m".to_owned(), code: 2 }));
    let joined = span(r#""events":[{"name":"a"}],"events":[{"name":"b"},null]"#).events;
    let names: Vec<&str> = joined.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["a", "b", ""]);
}

#[test]
fn ids_of_any_length_are_passed_on() {
    assert_eq!(span(r#""traceId":"""#).trace_id, b"");
    assert_eq!(span(r#""traceId":"00""#).trace_id, [0]);
    assert_eq!(span(&format!(r#""traceId":"{}""#, "aB".repeat(17))).trace_id, [0xAB; 17]);
}

#[test]
fn only_camel_case_keys_are_known() {
    assert_eq!(span(r#""trace_id":7,"NAME":{},"start_time_unix_nano":[]"#), Span::default());
}

#[test]
fn empty_documents_and_a_byte_order_mark() {
    for signal in Signal::ALL {
        for body in ["{}", " {\r\n} ", "\u{FEFF}{}", r#"{"unknown":[1,{"a":null}]}"#] {
            assert_eq!(transcoded(signal, body.as_bytes()), Ok(Vec::new()), "{body:?}");
        }
    }
    let body = br#"{"resourceSpans":null}"#;
    assert_eq!(transcoded(Signal::Traces, body), Ok(Vec::new()));
}

#[test]
fn the_bytes_are_those_of_a_protobuf_encoder() {
    let long = "x".repeat(200);
    let body =
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":"{long}"}}]}}]}}]}}"#);
    let bytes = transcoded(Signal::Traces, body.as_bytes()).expect("a good body");
    assert_eq!(bytes, prost::Message::encode_to_vec(&traces(&body)));
}
