//! Bodies that are wrong by accident or on purpose: each is refused with the place and the cure,
//! within its limits, and no fault repeats a value.

use redora_wire::Signal;
use redora_wire::json::{JsonFault, Limits, transcode};

use crate::transcoded;

fn check(body: impl AsRef<[u8]>, expected: &str) {
    let body = body.as_ref();
    let fault = transcoded(Signal::Traces, body).expect_err(expected);
    assert_eq!(fault.to_string(), expected, "{}", String::from_utf8_lossy(body));
}

/// A traces document whose one span has these members, from line 2 on.
fn span(members: &str) -> String {
    format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{{}},{{\n{members}}}]}}]}}]}}")
}

fn value(json: &str) -> String {
    span(&format!("\"attributes\":[{{\"value\":{json}}}]"))
}

#[test]
fn bodies_that_are_no_json_object() {
    check("", "line 1 column 0: the body is not JSON: EOF while parsing a value");
    check("{", "line 1 column 1: the body is not JSON: EOF while parsing an object");
    check("{} x", "line 1 column 4: the body is not JSON: trailing characters");
    check("{}{}", "line 1 column 3: the body is not JSON: trailing characters");
    check("{\"a\":1,}", "line 1 column 8: the body is not JSON: trailing comma");
    check("{a:1}", "line 1 column 2: the body is not JSON: key must be a string");
    check("1e999", "line 1 column 5: the body is not JSON: number out of range");
    for body in ["[]", "null", "7", "\"secret\"", "true"] {
        let fault = transcoded(Signal::Logs, body.as_bytes()).expect_err(body);
        let text = fault.to_string();
        assert!(text.ends_with("must be one object, as in {\"resourceLogs\": [...]}"), "{text}");
        assert!(matches!(fault, JsonFault::NotAnObject { .. }), "{body}");
    }
}

#[test]
fn bytes_that_are_no_utf8() {
    check(b"{\n \"a\": \"\xFF\"}", "line 2 column 8: the body is not UTF-8; encode it as UTF-8");
    // UTF-16, as some Windows tools write it, and a surrogate in bytes instead of an escape.
    check(b"\xFF\xFE{\0}\0", "line 1 column 1: the body is not UTF-8; encode it as UTF-8");
    check(b"{\"\xED\xA0\x80\":1}", "line 1 column 3: the body is not UTF-8; encode it as UTF-8");
}

#[test]
fn values_of_the_wrong_kind_name_their_field_and_the_cure() {
    let span_fault = |members: &str, at: &str, rest: &str| {
        check(span(members), &format!("{at}: resourceSpans[0].scopeSpans[0].spans[1].{rest}"));
    };
    span_fault(
        "\"kind\":\"SPAN_KIND_SERVER\"",
        "line 2 column 25",
        "kind must be the enum value's number, as OTLP/JSON forbids its name",
    );
    span_fault("\"name\":5", "line 2 column 8", "name must be a string");
    span_fault("\"name\":[\"a\"]", "line 2 column 8", "name must be a string");
    span_fault("\"status\":[]", "line 2 column 9", "status must be an object");
    span_fault("\"events\":{}", "line 2 column 9", "events must be an array");
    span_fault("\"events\":[{},5]", "line 2 column 14", "events[1] must be an object");
    span_fault(
        "\"startTimeUnixNano\":\"yesterday\"",
        "line 2 column 31",
        "startTimeUnixNano must be an unsigned integer of 64 bits, as a string or a number",
    );
    let hex = "must be hex, two digits a byte (32 for a trace id, 16 for a span id); OTLP/JSON \
               does not take base64 here";
    for id in ["abc", "W47/95gDgQPSabYzgT/GDA==", "zz", "\\u00e9"] {
        let fault = transcoded(Signal::Traces, span(&format!("\"traceId\":\"{id}\"")).as_bytes());
        let fault = fault.expect_err(id);
        assert_eq!(fault.path(), "resourceSpans[0].scopeSpans[0].spans[1].traceId");
        assert!(
            matches!(fault, JsonFault::Id { .. }) && fault.to_string().ends_with(hex),
            "{fault}"
        );
    }
}

#[test]
fn numbers_that_do_not_fit() {
    let refused = |json: &str| match transcoded(Signal::Traces, value(json).as_bytes()) {
        Err(JsonFault::Type { path, .. }) => assert!(path.contains(".value."), "{path}"),
        other => panic!("{json}: {other:?}"),
    };
    for int in ["9223372036854775808", "-9223372036854775809", "1e19", "1.5", "1e300", "true", "[]"]
    {
        refused(&format!("{{\"intValue\":{int}}}"));
    }
    for int in ["\"\"", "\"9223372036854775808\"", "\"1e400\"", "\"NaN\"", "\"0x10\"", "{}"] {
        refused(&format!("{{\"intValue\":{int}}}"));
    }
    for double in ["\"nan\"", "\"+Infinity\"", "\"1e400\"", "\"\"", "false"] {
        refused(&format!("{{\"doubleValue\":{double}}}"));
    }
    for bool in ["0", "\"true\"", "{}"] {
        refused(&format!("{{\"boolValue\":{bool}}}"));
    }
    refused("{\"bytesValue\":\"?\"}");
    refused("{\"arrayValue\":[]}");
    let huge = value(&format!("{{\"doubleValue\":{}}}", "9".repeat(400)));
    let fault = transcoded(Signal::Traces, huge.as_bytes()).expect_err("400 digits").to_string();
    assert!(fault.starts_with("line 2 column 438: resourceSpans[0]."), "{fault}");
    assert!(fault.contains(".doubleValue must be a number"), "{fault}");
    check(value("{\"doubleValue\":NaN}"), "line 2 column 39: the body is not JSON: expected value");
}

#[test]
fn nulls_in_lists_of_numbers_are_faults() {
    let body = "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"histogram\":{\
                \"dataPoints\":[{\"bucketCounts\":[1,null]}]}}]}]}]}";
    let fault = transcoded(Signal::Metrics, body.as_bytes()).expect_err("a null count");
    assert_eq!(
        fault.path(),
        "resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[0].bucketCounts[1]"
    );
}

#[test]
fn nesting_is_bounded_where_it_is_kept_and_skipped_where_it_is_not() {
    let nested = |levels: usize| {
        let open = "{\"arrayValue\":{\"values\":[".repeat(levels);
        value(&format!("{open}{}", "]}}".repeat(levels)))
    };
    // The document takes 9 brackets down to the value and each level 3 more.
    assert!(transcoded(Signal::Traces, nested(30).as_bytes()).is_ok());
    for levels in [31, 5_000] {
        let fault = transcoded(Signal::Traces, nested(levels).as_bytes()).expect_err("too deep");
        assert!(matches!(fault, JsonFault::TooDeep { depth: 100, .. }), "{fault:?}");
        let cure = " is inside more than 100 objects and arrays; flatten the value";
        assert!(fault.to_string().ends_with(&format!("{}{cure}", fault.path())), "{fault}");
        assert!(fault.path().len() < 250, "{}", fault.path());
        assert!(fault.path().starts_with("resourceSpans[0].scopeSpans[0].spans[1].attributes"));
    }
    let maps = "{\"kvlistValue\":{\"values\":[{\"value\":".repeat(5_000);
    let fault = transcoded(Signal::Traces, value(&maps).as_bytes()).expect_err("too deep");
    assert!(matches!(fault, JsonFault::TooDeep { .. }), "{fault:?}");

    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
        assert!(transcoded(Signal::Traces, span(&format!("\"x\":{deep}")).as_bytes()).is_ok());
        assert!(transcoded(Signal::Traces, deep.as_bytes()).is_err() || open != "[");
        for known in ["name", "kind", "traceId", "attributes", "status"] {
            let body = span(&format!("\"{known}\":{deep}"));
            let result = transcoded(Signal::Traces, body.as_bytes());
            let skipped = known == "status" && open != "[";
            assert_eq!(result.is_ok(), skipped, "{known} {open}");
        }
    }
}

#[test]
fn the_deepest_document_fits_on_a_small_stack() {
    let open = "{\"arrayValue\":{\"values\":[".repeat(5_000);
    let body = value(&open);
    let limits = Limits { depth: usize::MAX, output_bytes: usize::MAX };
    let walk = move || transcode(Signal::Traces, body.as_bytes(), limits);
    let walked = std::thread::Builder::new().stack_size(512 << 10).spawn(walk).expect("a thread");
    let fault = walked.join().expect("no overflow").expect_err("too deep");
    assert!(matches!(fault, JsonFault::TooDeep { depth: Limits::DEPTH_MAX, .. }), "{fault:?}");
}

#[test]
fn output_is_bounded_to_the_byte() {
    let body = span(&format!("\"name\":\"{}\"", "x".repeat(500)));
    let bytes = transcoded(Signal::Traces, body.as_bytes()).expect("a good body");
    for output_bytes in 0..bytes.len() + 10 {
        let limits = Limits { depth: Limits::DEPTH, output_bytes };
        let result = transcode(Signal::Traces, body.as_bytes(), limits);
        if output_bytes < bytes.len() {
            assert_eq!(result, Err(JsonFault::TooLarge { output_bytes }));
        } else {
            assert_eq!(result.as_ref(), Ok(&bytes));
        }
    }
    let text = JsonFault::TooLarge { output_bytes: 7 }.to_string();
    assert_eq!(text, "the request takes more than 7 bytes as protobuf; send smaller batches");
}

#[test]
fn lists_that_grow_in_protobuf_stop_at_the_bound() {
    let body = format!(
        "{{\"resourceMetrics\":[{{\"scopeMetrics\":[{{\"metrics\":[{{\"histogram\":{{\
         \"dataPoints\":[{{\"explicitBounds\":[0{}]}}]}}}}]}}]}}]}}",
        ",0".repeat(100_000)
    );
    let output_bytes = 300_000;
    let result = transcode(Signal::Metrics, body.as_bytes(), Limits::of_output(output_bytes));
    assert_eq!(result, Err(JsonFault::TooLarge { output_bytes }));
}

#[test]
fn no_fault_repeats_a_value() {
    for bad in ["\"kind\":\"hunter2\"", "\"traceId\":\"hunter2\"", "\"name\":[\"hunter2\"]"] {
        let fault = transcoded(Signal::Traces, span(bad).as_bytes()).expect_err(bad);
        assert!(!format!("{fault} {fault:?}").contains("hunter2"), "{fault:?}");
    }
    let fault = transcoded(Signal::Traces, b"{\"hunter2\" \"hunter2\"}").expect_err("no colon");
    assert!(!format!("{fault} {fault:?}").contains("hunter2"), "{fault:?}");
}
