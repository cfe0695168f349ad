//! Requests that somebody sends to break an agent, or by a broken encoder, each with the answer
//! that it gets: one table, for the receiver alone and for the whole process.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A request and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Vec<u8>,
    pub(crate) expected: Expected,
}

/// What the peer hears and what is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Success, with so many items taken.
    Taken { items: u64 },
    /// 400: sent again, it fails again.
    Malformed,
    /// 413, for its bytes.
    TooLarge,
    /// 413, for its items.
    TooManyItems,
    /// 415.
    Unsupported,
    /// Whether it is malformed shows only to a reader of every byte: taken by the receiver alone,
    /// 400 from an agent that derives something from it.
    MalformedInside { items: u64 },
}

/// The limits that the table is written for: the defaults.
pub(crate) const REQUEST_BYTES: usize = 20 << 20;

/// Every case.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = many_of_nothing();
    cases.extend(compression());
    cases.extend(lying_lengths());
    cases.extend(depth());
    cases.extend(values());
    cases
}

/// Kilobytes on the wire that would be gigabytes of objects.
fn many_of_nothing() -> Vec<Case> {
    let repeated = |name, unit: &[u8], count, around: &[u8], expected| {
        gzip_case(name, gzip_nested(around, unit, count), expected)
    };
    vec![
        // ResourceSpans { ScopeSpans { spans: [{}, {}, ...] } }: two bytes a span.
        repeated(
            "two million empty spans",
            b"\x12\x00",
            2_000_000,
            b"\x0a\x12",
            Expected::TooManyItems,
        ),
        // Span { attributes: [{}, {}, ...] }
        repeated(
            "two million empty attributes of one span",
            b"\x4a\x00",
            2_000_000,
            b"\x0a\x12\x12",
            Expected::Taken { items: 1 },
        ),
        repeated(
            "two million empty events",
            b"\x5a\x00",
            2_000_000,
            b"\x0a\x12\x12",
            Expected::Taken { items: 1 },
        ),
        // Resource { attributes: [{}, {}, ...] }
        repeated(
            "two million empty resource attributes",
            b"\x0a\x00",
            2_000_000,
            b"\x0a\x0a",
            Expected::Taken { items: 0 },
        ),
        repeated(
            "five million empty resources",
            b"\x0a\x00",
            5_000_000,
            b"",
            Expected::Taken { items: 0 },
        ),
        repeated(
            "five million empty scopes",
            b"\x12\x00",
            5_000_000,
            b"\x0a",
            Expected::Taken { items: 0 },
        ),
        repeated(
            "as many empty spans as are allowed",
            b"\x12\x00",
            100_000,
            b"\x0a\x12",
            Expected::Taken { items: 100_000 },
        ),
        repeated("one empty span more", b"\x12\x00", 100_001, b"\x0a\x12", Expected::TooManyItems),
        json_case(
            "a million empty spans in JSON",
            format!(
                r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}{{}}]}}]}}]}}"#,
                "{},".repeat(999_999)
            ),
            Expected::TooManyItems,
        ),
    ]
}

fn compression() -> Vec<Case> {
    let span = b"\x0a\x04\x12\x02\x12\x00";
    let twice = gzip(&gzip(span));
    let mut lying = gzip(span);
    let trailer = lying.len() - 4;
    lying[trailer..].copy_from_slice(&[0xFF; 4]);
    let mut two_codings = gzip_case("gzip in gzip, declared", twice.clone(), Expected::Unsupported);
    two_codings.headers[1].1 = "gzip, gzip";
    let zeros = |bytes| gzip_nested(b"", b"\0", bytes);
    vec![
        gzip_case("a bomb of zeros", zeros(100 << 20), Expected::TooLarge),
        gzip_case("zeros one byte over the limit", zeros(REQUEST_BYTES + 1), Expected::TooLarge),
        gzip_case("zeros up to the limit", zeros(REQUEST_BYTES), Expected::Malformed),
        gzip_case("a bomb in a bomb", gzip(&zeros(100 << 20)), Expected::Malformed),
        gzip_case("gzip in gzip, undeclared", twice, Expected::Malformed),
        two_codings,
        gzip_case("a trailer that claims 4 GiB", lying, Expected::Malformed),
        gzip_case(
            "a hundred thousand empty members",
            gzip(b"").repeat(100_000),
            Expected::Malformed,
        ),
        Case {
            name: "a zstd frame that claims 2^60 bytes",
            headers: vec![("content-type", PROTOBUF), ("content-encoding", "zstd")],
            body: b"\x28\xB5\x2F\xFD\xE0\0\0\0\0\0\0\0\x10\x01\0\0".to_vec(),
            ..protobuf_case("", Vec::new(), Expected::Malformed)
        },
        Case {
            name: "a zstd window of 2 TiB",
            headers: vec![("content-type", PROTOBUF), ("content-encoding", "zstd")],
            body: b"\x28\xB5\x2F\xFD\0\xF8\x01\0\0".to_vec(),
            ..protobuf_case("", Vec::new(), Expected::Malformed)
        },
    ]
}

fn lying_lengths() -> Vec<Case> {
    vec![
        protobuf_case("a length past the end", b"\x0a\x7f\x12\x00".to_vec(), Expected::Malformed),
        protobuf_case(
            "a length of 2^63",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(),
            Expected::Malformed,
        ),
        protobuf_case(
            "a varint of eleven bytes",
            [b"\x0a".as_slice(), &[0xFF; 11]].concat(),
            Expected::Malformed,
        ),
        protobuf_case(
            "a length past the end of its parent",
            b"\x0a\x04\x12\x7f\x12\x00".to_vec(),
            Expected::Malformed,
        ),
        protobuf_case(
            "a length past the end of a span",
            b"\x0a\x06\x12\x04\x12\x02\x2a\x7f".to_vec(),
            Expected::MalformedInside { items: 1 },
        ),
        protobuf_case("zeros, as many as allowed", vec![0; REQUEST_BYTES], Expected::Malformed),
        protobuf_case("zeros, one more", vec![0; REQUEST_BYTES + 1], Expected::TooLarge),
        protobuf_case("field number 0", b"\x02\x00".to_vec(), Expected::Malformed),
        protobuf_case("a group that never ends", b"\x0b".repeat(5000), Expected::Malformed),
        protobuf_case(
            "random bytes",
            (0..4096_u32).map(|at| ((at * at) >> 3) as u8).collect(),
            Expected::Malformed,
        ),
    ]
}

fn depth() -> Vec<Case> {
    // AnyValue { array_value { values: [AnyValue { ... } ] } } as an attribute of a span.
    let mut value = Vec::new();
    for _ in 0..2500 {
        value = field(0x2A, &field(0x0A, &value));
    }
    let attribute = field(0x4A, &field(0x12, &value));
    let deep = field(0x0A, &field(0x12, &field(0x12, &attribute)));
    let json = |open: &str, close: &str| {
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"value":{}{}}}]}}}}]}}"#,
            open.repeat(2500),
            close.repeat(2500)
        )
    };
    vec![
        protobuf_case("5,000 levels of protobuf", deep, Expected::MalformedInside { items: 1 }),
        json_case(
            "5,000 levels of JSON values",
            json(r#"{"arrayValue":{"values":["#, "]}}"),
            Expected::Malformed,
        ),
        json_case(
            "5,000 levels under an unknown key",
            format!(r#"{{"new":{}{}}}"#, "[".repeat(5000), "]".repeat(5000)),
            Expected::Taken { items: 0 },
        ),
        json_case("5,000 open brackets", "[".repeat(5000), Expected::Malformed),
    ]
}

fn values() -> Vec<Case> {
    let name = |bytes: &[u8]| field(0x0A, &field(0x12, &field(0x12, &field(0x2A, bytes))));
    let nan = [&b"\x21"[..], &f64::NAN.to_le_bytes()].concat();
    let attribute = field(0x4A, &[field(0x0A, b"k"), field(0x12, &nan)].concat());
    let with_nan = field(0x0A, &field(0x12, &field(0x12, &attribute)));
    let spans =
        |span: &str| format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
    vec![
        protobuf_case(
            "a name that is not UTF-8",
            name(b"GET /\xff\xfe"),
            Expected::Taken { items: 1 },
        ),
        protobuf_case(
            "a name of a megabyte",
            name(&vec![b'x'; 1 << 20]),
            Expected::Taken { items: 1 },
        ),
        protobuf_case("NaN as an attribute", with_nan, Expected::Taken { items: 1 }),
        Case {
            body: spans(r#"{"name":"X"}"#).replace('X', "\u{1}").into_bytes(),
            ..json_case("control characters", String::new(), Expected::Taken { items: 1 })
        },
        Case {
            body: [b"{\"resourceSpans\":\"", &b"\xff\xfe"[..], b"\"}"].concat(),
            ..json_case("JSON that is not UTF-8", String::new(), Expected::Malformed)
        },
        json_case("a lone surrogate", spans(r#"{"name":"\ud800"}"#), Expected::Taken { items: 1 }),
        json_case("NaN in JSON", spans(r#"{"startTimeUnixNano":NaN}"#), Expected::Malformed),
        json_case(
            "a time beyond 64 bits",
            spans(r#"{"startTimeUnixNano":1e30}"#),
            Expected::Malformed,
        ),
        json_case(
            "an end before its start",
            spans(r#"{"startTimeUnixNano":"5","endTimeUnixNano":"1"}"#),
            Expected::Taken { items: 1 },
        ),
    ]
}

const PROTOBUF: &str = "application/x-protobuf";

fn protobuf_case(name: &'static str, body: Vec<u8>, expected: Expected) -> Case {
    Case { name, path: "/v1/traces", headers: vec![("content-type", PROTOBUF)], body, expected }
}

fn json_case(name: &'static str, body: String, expected: Expected) -> Case {
    let headers = vec![("content-type", "application/json")];
    Case { headers, ..protobuf_case(name, body.into_bytes(), expected) }
}

fn gzip_case(name: &'static str, body: Vec<u8>, expected: Expected) -> Case {
    let headers = vec![("content-type", PROTOBUF), ("content-encoding", "gzip")];
    Case { headers, ..protobuf_case(name, body, expected) }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_nested(b"", bytes, 1)
}

/// `unit` repeated, inside one message for each tag of `around`, compressed without ever being
/// held.
fn gzip_nested(around: &[u8], unit: &[u8], count: usize) -> Vec<u8> {
    let mut length = unit.len() * count;
    let mut heads = Vec::new();
    for tag in around.iter().rev() {
        let head = [&[*tag][..], &varint(length)].concat();
        length += head.len();
        heads.push(head);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let mut write = |bytes: &[u8]| encoder.write_all(bytes).expect("a vector takes all");
    heads.iter().rev().for_each(|head| write(head));
    let block = unit.repeat(count.min(1000));
    let mut left = unit.len() * count;
    while left > 0 {
        let part = left.min(block.len());
        write(&block[..part]);
        left -= part;
    }
    encoder.finish().expect("a vector takes all")
}

fn field(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag][..], &varint(body.len()), body].concat()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7F {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
