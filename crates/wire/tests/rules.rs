//! The wire's rules one by one, by hand: what a property finds once in a thousand runs stands here
//! for good, with the fault that the sender is told.

mod oracle;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use redora_wire::logs::{self, LogRecord};
use redora_wire::trace::{self, Span};
use redora_wire::{DEPTH_MAX, Fault, Signal, Value};

/// Wraps a body into length-delimited fields with these one-byte keys, the last one innermost.
fn framed(keys: &[u8], body: &[u8]) -> Vec<u8> {
    keys.iter().rev().fold(body.to_vec(), |body, &key| {
        let mut framed = vec![key];
        prost::encoding::encode_varint(body.len() as u64, &mut framed);
        framed.extend(body);
        framed
    })
}

/// What checking a span alone and as part of a request says; both must agree with each other and
/// with prost.
fn fault_of_span(span: &[u8]) -> Option<Fault> {
    let request = framed(&[0x0a, 0x12, 0x12], span);
    oracle::check(Signal::Traces, &request);
    let fault = Span::read(span, |_| {}).err();
    assert_eq!(redora_wire::check(Signal::Traces, &request).err(), fault);
    fault
}

#[test]
fn a_field_with_the_wrong_wire_type_is_named() {
    let check = |span: &[u8], message, field, found, expected| {
        let fault = Fault::WireType { message, field, found, expected };
        assert_eq!(fault_of_span(span), Some(fault), "{span:x?}");
    };
    check(&[0x08, 0x01], "Span", 1, 0, 2);
    check(&[0x32, 0x01, 0x02], "Span", 6, 2, 0);
    check(&[0x38, 0x01], "Span", 7, 0, 1);
    check(&[0x2b, 0x2c], "Span", 5, 3, 2);
    check(&[0x2f], "Span", 5, 7, 2);
    check(&framed(&[0x4a], &[0x08, 0x01]), "KeyValue", 1, 0, 2);
    check(&framed(&[0x4a, 0x12], &[0x18 | 2, 0x00]), "AnyValue", 3, 2, 0);
    check(&framed(&[0x4a, 0x12, 0x2a], &[0x08, 0x01]), "ArrayValue", 1, 0, 2);
    check(&framed(&[0x5a], &[0x08, 0x01]), "Span.Event", 1, 0, 1);
    check(&framed(&[0x6a], &[0x30, 0x01]), "Span.Link", 6, 0, 5);
    check(&framed(&[0x7a], &[0x12 & !2, 0x01]), "Status", 2, 0, 2);
    check(&[0x81, 0x01, 0, 0, 0, 0, 0, 0, 0, 0], "Span", 16, 1, 5);
}

#[test]
fn broken_framing_is_named() {
    let check = |span: &[u8], fault| assert_eq!(fault_of_span(span), Some(fault), "{span:x?}");
    check(&[0x2a, 0x05, b'a'], Fault::Truncated);
    check(&[0x39, 0, 0], Fault::Truncated);
    check(&[0x30], Fault::Truncated);
    check(&[&[0x30][..], &[0xff; 10]].concat(), Fault::VarintTooLong);
    check(&[&[0x2a][..], &[0xff; 9], &[0x01]].concat(), Fault::Truncated);
    check(&[0x00, 0x00], Fault::FieldNumberZero);
    check(&[0x80, 0x80, 0x80, 0x80, 0x10, 0x00], Fault::FieldNumberTooLarge);
    check(&[0x9e, 0x06], Fault::WireTypeUnknown { field: 99, found: 6 });
    check(&[0x9c, 0x06], Fault::GroupEndUnexpected { field: 99 });
    check(&[0x9b, 0x06, 0xa4, 0x06], Fault::GroupEndUnexpected { field: 100 });
    check(&[0x9b, 0x06], Fault::Truncated);
    assert_eq!(fault_of_span(&[0x9b, 0x06, 0x9b, 0x06, 0x9c, 0x06, 0x9c, 0x06]), None);
    assert_eq!(fault_of_span(&[0x98, 0x06, 0x01]), None);
}

#[test]
fn an_attribute_whose_lengths_disagree_is_no_usual_one() {
    let attribute = |bytes: &[u8]| fault_of_span(&framed(&[0x4a], bytes));
    let text = |length: usize| vec![b'x'; length];
    let pair = |value: u8, string: u8, text: &[u8]| {
        attribute(&[&[0x0a, 0x01, b'k', 0x12, value, 0x0a, string], text].concat())
    };
    assert_eq!(pair(5, 3, b"abc"), None);
    assert_eq!(pair(4, 3, b"abc"), Some(Fault::Truncated));
    assert_eq!(pair(6, 3, b"abc"), Some(Fault::Truncated));
    assert_eq!(pair(5, 2, b"abc"), Some(Fault::Truncated));
    assert_eq!(pair(5, 4, b"abc"), Some(Fault::Truncated));
    assert_eq!(pair(127, 125, &text(125)), None);
    // From 128 on a length has two bytes; taken for one byte, these would seem to agree.
    assert_eq!(pair(128, 126, &text(126)), Some(Fault::Truncated));
    assert_eq!(pair(133, 131, &text(131)), Some(Fault::Truncated));
    let key_of_128 = [&[0x0a, 0x80][..], &text(128), &[0x12, 0x02, 0x0a, 0x00]].concat();
    assert!(attribute(&key_of_128).is_some());
}

#[test]
fn an_iterator_ends_after_its_first_fault() {
    let request = [framed(&[0x0a], &[0x12, 0x00]), vec![0x0a, 0x7f], vec![0x0a, 0x00]].concat();
    let mut resources = trace::resource_spans(&request);
    assert!(resources.next().is_some_and(|first| first.is_ok()));
    assert_eq!(resources.next().map(|second| second.err()), Some(Some(Fault::Truncated)));
    assert!(resources.next().is_none());
    assert!(resources.next().is_none());
}

#[test]
fn nesting_ends_where_prost_ends_it() {
    // A request holds the resource, the scope, the span, the attribute and its value: five levels.
    let attribute = |arrays: usize, innermost: &[u8]| {
        let path = [&[0x4a, 0x12][..], &[0x2a, 0x0a].repeat(arrays)].concat();
        fault_of_span(&framed(&path, innermost))
    };
    let fits = (DEPTH_MAX as usize - 5) / 2;
    assert_eq!(attribute(fits, &[0x18, 0x01]), None);
    assert_eq!(attribute(fits, &[0x98, 0x06, 0x01]), None);
    assert_eq!(attribute(fits, &[0x2a, 0x00]), None);
    assert_eq!(attribute(fits, &[0x2a, 0x02, 0x0a, 0x00]), Some(Fault::TooDeep));
    assert_eq!(attribute(fits, &[0x2a, 0x03, 0x98, 0x06, 0x01]), Some(Fault::TooDeep));
    assert_eq!(attribute(fits + 1, &[]), Some(Fault::TooDeep));

    let groups = |signal: Signal, outer: &[u8], deep: usize| {
        let nested = [[0x9b, 0x06].repeat(deep), [0x9c, 0x06].repeat(deep)].concat();
        let request = framed(outer, &nested);
        oracle::check(signal, &request);
        redora_wire::check(signal, &request).err()
    };
    for signal in Signal::ALL {
        for outer in [&[][..], &[0x0a], &[0x0a, 0x0a], &[0x0a, 0x12], &[0x0a, 0x12, 0x0a]] {
            let fits = DEPTH_MAX as usize - outer.len();
            assert_eq!(groups(signal, outer, fits), None, "{outer:x?}");
            assert_eq!(groups(signal, outer, fits + 1), Some(Fault::TooDeep), "{outer:x?}");
        }
    }
}

#[test]
fn a_resource_may_stand_behind_its_spans_and_in_parts() {
    let service =
        framed(&[0x0a, 0x0a], &[&[0x0a, 0x01, b's'][..], &framed(&[0x12, 0x0a], b"shop")].concat());
    let region =
        framed(&[0x0a, 0x0a], &[&[0x0a, 0x01, b'r'][..], &framed(&[0x12, 0x0a], b"eu")].concat());
    let scope = framed(&[0x12, 0x12], &[0x2a, 0x01, b'n']);
    let request = framed(&[0x0a], &[service, scope, region].concat());
    oracle::check(Signal::Traces, &request);
    let resource_spans = trace::resource_spans(&request).next().expect("one").expect("valid");
    let mut seen = Vec::new();
    let mut note = |key, value| seen.push((key, value));
    let resource = resource_spans.resource();
    resource.read(|attribute| note(attribute.key, attribute.value.read())).expect("valid");
    let pair =
        |key: &'static str, value: &'static str| (key.as_bytes(), Value::String(value.as_bytes()));
    assert_eq!(seen, [pair("s", "shop"), pair("r", "eu")]);
    assert_eq!(redora_wire::count(Signal::Traces, &request), Ok(1));
}

#[test]
fn an_attribute_reads_the_same_in_every_order_of_its_fields() {
    let (key, text) = (framed(&[0x0a], b"k"), framed(&[0x12, 0x0a], b"text"));
    let number = |varint: &[u8]| framed(&[0x12], &[&[0x18], varint].concat());
    let empty = vec![0x12, 0x00];
    let text_of = |bytes: &'static [u8]| (b"k".as_slice(), Value::String(bytes));
    for (fields, expected) in [
        (vec![key.clone(), text.clone()], text_of(b"text")),
        (vec![text.clone(), key.clone()], text_of(b"text")),
        (vec![key.clone(), text.clone(), empty.clone()], text_of(b"text")),
        (vec![empty.clone(), key.clone()], (b"k", Value::Empty)),
        (vec![key.clone(), empty], (b"k", Value::Empty)),
        (vec![key.clone(), text.clone(), number(&[7])], (b"k", Value::Int(7))),
        (vec![key.clone(), number(&[0xac, 0x02])], (b"k", Value::Int(300))),
        (vec![key.clone(), number(&[&[0xff; 9][..], &[0x01]].concat())], (b"k", Value::Int(-1))),
        (vec![key.clone(), key.clone(), text.clone()], text_of(b"text")),
        (vec![text], (b"", Value::String(b"text"))),
        (vec![key], (b"k", Value::Empty)),
    ] {
        let span = framed(&[0x4a], &fields.concat());
        oracle::check(Signal::Traces, &framed(&[0x0a, 0x12, 0x12], &span));
        let mut seen = Vec::new();
        trace::Span::read(&span, |attribute| seen.push(attribute)).expect("valid");
        let seen: Vec<_> = seen.iter().map(|pair| (pair.key, pair.value.read())).collect();
        assert_eq!(seen, [expected], "{fields:x?}");
    }
}

#[test]
fn a_number_that_is_no_varint_is_no_attribute() {
    for varint in [&[][..], &[0x80], &[0x80, 0x80], &[0x01, 0x01], &[0xff; 10], &[0x80, 0x01, 0x01]]
    {
        let pair = [framed(&[0x0a], b"k"), framed(&[0x12], &[&[0x18], varint].concat())].concat();
        oracle::check(Signal::Traces, &framed(&[0x0a, 0x12, 0x12, 0x4a], &pair));
        assert!(trace::Span::read(&framed(&[0x4a], &pair), |_| {}).is_err(), "{varint:x?}");
    }
}

fn body_of(fields: &[Vec<u8>]) -> String {
    let record = fields.concat();
    oracle::check(Signal::Logs, &framed(&[0x0a, 0x12, 0x12], &record));
    format!("{:?}", LogRecord::read(&record, |_| {}).expect("valid").body)
}

#[test]
fn values_merge_as_protobuf_says() {
    let int = |number: u8| vec![0x18, number];
    let array = |number: u8| framed(&[0x2a, 0x0a], &int(number));
    let list = |number: u8| framed(&[0x32, 0x0a, 0x12], &int(number));
    let body = |parts: &[Vec<u8>]| framed(&[0x2a], &parts.concat());

    assert_eq!(body_of(&[]), "Empty");
    assert_eq!(body_of(&[body(&[])]), "Empty");
    assert_eq!(body_of(&[body(&[int(1), int(2)])]), "Int(2)");
    assert_eq!(body_of(&[body(&[int(1)]), body(&[])]), "Int(1)");
    assert_eq!(body_of(&[body(&[int(1), vec![0x40, 0x07]])]), "Empty");
    assert_eq!(body_of(&[body(&[array(1), array(2)])]), "Array([Int(1), Int(2)])");
    assert_eq!(body_of(&[body(&[array(1)]), body(&[array(2)])]), "Array([Int(1), Int(2)])");
    assert_eq!(
        body_of(&[body(&[array(1), int(9), array(2)]), vec![0x10, 0x01], body(&[array(3)])]),
        "Array([Int(2), Int(3)])"
    );
    assert_eq!(body_of(&[body(&[array(1)]), body(&[array(2), int(3)])]), "Int(3)");
    assert_eq!(
        body_of(&[body(&[array(1), list(2)]), body(&[list(3)])]),
        "KvList([KeyValue { key: [], value: Int(2) }, KeyValue { key: [], value: Int(3) }])"
    );
    assert_eq!(body_of(&[body(&[list(1), array(2)])]), "Array([Int(2)])");
    assert_eq!(
        body_of(&[framed(
            &[0x2a, 0x2a],
            &[framed(&[0x0a], &array(1)), framed(&[0x0a], &array(2))].concat()
        )]),
        "Array([Array([Int(1)]), Array([Int(2)])])"
    );
}

#[test]
fn metrics_of_one_kind_add_up_and_another_kind_replaces_them() {
    let points = |kind: u8, points: usize| framed(&[kind], &[0x0a, 0x00].repeat(points));
    let check = |fields: &[Vec<u8>], expected| {
        let request = framed(&[0x0a, 0x12, 0x12], &fields.concat());
        oracle::check(Signal::Metrics, &request);
        assert_eq!(redora_wire::count(Signal::Metrics, &request), Ok(expected));
    };
    for kind in [0x2a, 0x3a, 0x4a, 0x52, 0x5a] {
        check(&[points(kind, 3)], 3);
        check(&[points(kind, 3), vec![0x0a, 0x00], points(kind, 2)], 5);
    }
    check(&[points(0x2a, 3), points(0x3a, 2)], 2);
    check(&[points(0x2a, 3), points(0x3a, 2), points(0x2a, 1)], 1);
    check(&[points(0x2a, 3), points(0x5a, 0)], 0);
}

#[test]
fn text_that_is_not_utf8_is_handed_out_as_it_is() {
    let span = [0x2a, 0x02, b'a', 0xff];
    let request = framed(&[0x0a, 0x12, 0x12], &span);
    assert!(ExportTraceServiceRequest::decode(request.as_slice()).is_err());
    assert_eq!(redora_wire::check(Signal::Traces, &request), Ok(1));
    assert_eq!(Span::read(&span, |_| {}).map(|span| span.name), Ok(&b"a\xff"[..]));
}

#[test]
fn counting_needs_only_the_frames() {
    let broken_span = framed(&[0x0a, 0x12, 0x12], &[0x2a, 0x7f]);
    assert_eq!(redora_wire::count(Signal::Traces, &broken_span), Ok(1));
    assert_eq!(redora_wire::check(Signal::Traces, &broken_span), Err(Fault::Truncated));
    let wrong = Fault::WireType { message: "ScopeLogs", field: 2, found: 0, expected: 2 };
    let as_varint = framed(&[0x0a, 0x12], &[0x10, 0x01]);
    assert_eq!(redora_wire::count(Signal::Logs, &as_varint), Err(wrong));
    let empty_spans = framed(&[0x0a, 0x12], &[0x12, 0x00].repeat(100_000));
    assert_eq!(redora_wire::count(Signal::Traces, &empty_spans), Ok(100_000));
}

#[test]
fn the_kinds_of_a_span_and_its_duration() {
    let span = Span { start_unix_nano: 5, end_unix_nano: 12, ..Span::default() };
    assert_eq!(span.duration_nanos(), Some(7));
    let backwards = Span { start_unix_nano: 12, end_unix_nano: 5, ..span };
    assert_eq!(backwards.duration_nanos(), None);
    // A negative enum value takes ten bytes on the wire.
    let negative = [&[0x30][..], &[0xff; 9], &[0x01]].concat();
    assert_eq!(Span::read(&negative, |_| {}).map(|span| span.kind), Ok(-1));
}

#[test]
fn lists_are_equal_by_what_they_hold() {
    let value = |bytes: &'static [u8]| LogRecord::read(bytes, |_| {}).expect("valid").body;
    let plain = value(&[0x2a, 0x06, 0x2a, 0x04, 0x0a, 0x02, 0x18, 0x01]);
    let padded = value(&[0x2a, 0x07, 0x2a, 0x05, 0x0a, 0x03, 0x18, 0x81, 0x00]);
    let other = value(&[0x2a, 0x06, 0x2a, 0x04, 0x0a, 0x02, 0x18, 0x02]);
    assert_eq!(plain, padded);
    assert_ne!(plain, other);
    assert_ne!(plain, Value::Empty);
    assert!(logs::resource_logs(&[]).next().is_none());
}
