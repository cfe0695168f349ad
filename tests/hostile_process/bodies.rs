//! Bodies that are hostile by what they hold: too many of something, too deep, too long, cut off,
//! or no text; over HTTP and gRPC alike.

use std::ops::Range;

use crate::case::{Case, PROTOBUF, compress};
use crate::encode::{
    attribute, field, fixed64, group, integer, lying_field, record, request, span, text,
};

pub(crate) fn cases() -> Vec<Case> {
    [many(), bombs(), lies(), deep(), texts(), numbers()].into_iter().flatten().collect()
}

/// Four kilobytes of gzip each, with two million things of two bytes in them.
fn many() -> Vec<Case> {
    let empty = |number| field(number, b"").repeat(2_000_000);
    let in_scope = |items: Vec<u8>| field(1, &field(2, &items));
    let one = |items: Vec<u8>| in_scope(field(2, &items));
    let spread = |number| {
        let item = field(number, &attribute(b"", b"").repeat(20));
        in_scope(field(2, &item).repeat(10_000))
    };
    vec![
        Case::spans("empty spans", in_scope(empty(2))).refused(413, 8),
        Case::logs("empty log records", in_scope(empty(2))).refused(413, 8),
        Case::spans("empty attributes of a span", one(empty(9))).counts(1),
        Case::logs("empty attributes of a record", one(empty(6))).counts(1),
        Case::spans("empty attributes over many spans", spread(9)).counts(10_000),
        Case::logs("empty attributes over many records", spread(6)).counts(10_000),
        Case::spans("empty events", one(empty(11))).counts(1),
        Case::spans("empty links", one(empty(13))).counts(1),
        Case::spans("empty resource spans", empty(1)),
        Case::logs("empty resource logs", empty(1)),
        Case::spans("empty scope spans", field(1, &empty(2))),
        Case::logs("empty scope logs", field(1, &empty(2))),
        Case::spans("empty spans to the limit", in_scope(field(2, b"").repeat(100_000)))
            .counts(100_000),
        Case::spans("empty attributes of a resource", field(1, &field(1, &empty(1)))),
    ]
    .into_iter()
    .map(|case| case.compressed("gzip"))
    .collect()
}

/// Compression that holds more than it may, or something else than it says.
fn bombs() -> Vec<Case> {
    let good = || request(b"hostile", &[span(b"work", b"")]);
    let twice = compress("gzip", &compress("gzip", &good()));
    let garbage = [compress("gzip", &good()), b"garbage".to_vec()].concat();
    let cut = compress("gzip", &good());
    let pieces = compress("gzip", b"").repeat(2_000);
    let bomb = |coding| {
        let name = match coding {
            "gzip" => "gzip bomb",
            "zstd" => "zstd bomb",
            _ => "deflate bomb",
        };
        Case::spans(name, vec![0; 200 << 20]).compressed(coding).refused(413, 8)
    };
    let gzip = |name, body| Case::spans(name, body).labelled(PROTOBUF, "gzip");
    vec![
        bomb("gzip"),
        bomb("zstd"),
        bomb("deflate"),
        gzip("gzip in gzip", twice).refused(400, 3),
        gzip("gzip with garbage behind it", garbage).refused(400, 3),
        gzip("gzip cut off", cut[..cut.len() - 9].to_vec()).refused(400, 3),
        gzip("gzip of thousands of empty members", pieces).refused(400, 3),
        gzip("no gzip at all", good()).refused(400, 3),
        Case::spans("gzip that nobody named", compress("gzip", &good())).refused(400, 3),
        Case::spans("two codings at once", good())
            .labelled(PROTOBUF, "gzip, gzip")
            .refused(415, 12),
        Case::spans("a coding that is not spoken", good())
            .labelled(PROTOBUF, "br")
            .refused(415, 12),
        Case::spans("zeros over the limit", vec![0; (20 << 20) + 1]).refused(413, 8),
    ]
}

/// Lengths and tags that do not hold.
fn lies() -> Vec<Case> {
    let truncated = |name, bytes: Vec<u8>| Case::spans(name, bytes).refused(400, 3);
    let in_span = |more: Vec<u8>| request(b"hostile", &[span(b"first", b""), span(b"work", &more)]);
    let whole = request(b"hostile", &[span(b"work", b"")]);
    vec![
        truncated("a length past the end", lying_field(1, 10)),
        truncated("a length of 2^63", lying_field(1, 1 << 63)),
        truncated("a length of 2^64 - 1", lying_field(1, u64::MAX)),
        truncated("an attribute longer than its span", in_span(lying_field(9, 1_000))),
        truncated("a name of 4 GiB", in_span(lying_field(5, 1 << 32))),
        truncated("a varint of eleven bytes", in_span([&[0x30][..], &[0xFF; 11]].concat())),
        truncated("field number 0", in_span(vec![0x02, 0x00])),
        truncated("a name as a number", in_span(integer(5, 1))),
        truncated("a start time as text", in_span(field(7, b"now"))),
        truncated("wire type 7", in_span(vec![0x0F])),
        truncated("a request cut off", whole[..whole.len() - 1].to_vec()),
        truncated("text", b"hello, is this the agent?".to_vec()),
        Case::logs("a record cut off", whole[..whole.len() - 1].to_vec()).refused(400, 3),
    ]
}

/// Five thousand levels of everything that nests.
fn deep() -> Vec<Case> {
    let nested = |wrap: fn(&[u8]) -> Vec<u8>| {
        let mut value = text(b"bottom");
        for _ in 0..LEVELS {
            value = wrap(&value);
        }
        value
    };
    let arrays = nested(|value| field(5, &field(1, value)));
    let lists = nested(|value| field(6, &field(1, &attribute(b"k", value))));
    let groups = [group(100, 3).repeat(LEVELS), group(100, 4).repeat(LEVELS)].concat();
    let open = group(100, 3).repeat(1_000_000);
    let deep_span = |name, value: &[u8]| {
        Case::odd_span(name, &field(9, &attribute(b"hostile", value))).refused(400, 3)
    };
    let deep_body = |value: &[u8]| record(b"", &field(5, value));
    vec![
        deep_span("arrays in arrays", &arrays),
        deep_span("lists in lists", &lists),
        Case::one_record("arrays in the body", deep_body(&arrays)).refused(400, 3),
        Case::one_record("lists in the body", deep_body(&lists)).refused(400, 3),
        Case::odd_span("groups in groups", &groups).refused(400, 3),
        Case::spans("groups around nothing", groups.clone()).refused(400, 3),
        Case::spans("a million open groups", open).refused(400, 3),
        Case::odd_span("a flat unknown group", &[group(100, 3), group(100, 4)].concat()),
    ]
}

/// Bytes that are no text, and text that must not leave its quotes.
fn texts() -> Vec<Case> {
    let hostile = |value: &[u8]| field(9, &attribute(b"hostile", &text(value)));
    let bad = b"\xFF\xFE\xC0\x80\xED\xA0\x80\xF5";
    let breakout = "\n\"} 1\nredora_requests_total{service=\"forged\"} 99\r\n\\\0\u{2028}\u{202E}";
    let breaking = breakout.as_bytes();
    let service = |service: &[u8]| request(service, &[span(b"work", b"")]);
    vec![
        Case::one_span("a name that is no UTF-8", span(bad, b"")),
        Case::odd_span("a key that is no UTF-8", &field(9, &attribute(bad, &text(b"v")))),
        Case::odd_span("a value that is no UTF-8", &hostile(bad)),
        Case::spans("a service that is no UTF-8", service(bad)).counts(1),
        Case::one_record("a body that is no UTF-8", record(bad, b"")),
        Case::one_record("a severity that is no UTF-8", record(b"", &field(3, bad))),
        Case::one_span("a name that breaks out", span(breaking, b"")),
        Case::odd_span("a value that breaks out", &hostile(breaking)),
        Case::spans("a service that breaks out", service(breaking)).counts(1),
        Case::one_span("a name of 300 KB", span(&[b'n'; 300_000], b"")),
        Case::one_span("a name of 300 KB of ids", span(&b"/0a1b2c3d4e5f".repeat(23_000), b"")),
        Case::odd_span("a value of 300 KB", &hostile(&[0xC3; 300_000])),
        Case::spans("a service of 300 KB", service(&[b's'; 300_000])).counts(1),
        Case::spans("a service of ten megabytes", service(&[0xE2; 10 << 20])).counts(1),
        Case::odd_span("a tracestate of 64 KiB", &field(3, &b"vendor=1".repeat(8 << 10))),
        Case::one_span("no name", span(b"", b"")),
        Case::spans("an empty service", service(b"")).counts(1),
    ]
}

/// Numbers at the end of their range, and ids that are none.
fn numbers() -> Vec<Case> {
    let double = |value: f64| field(9, &attribute(b"hostile", &fixed64(4, value.to_bits())));
    let times = |start, end| [fixed64(7, start), fixed64(8, end)].concat();
    let century = 100 * 365 * 86_400 * 1_000_000_000_u64;
    let now = 1_750_000_000_000_000_000;
    let ids = |trace: &[u8], span: &[u8]| [field(1, trace), field(2, span)].concat();
    vec![
        Case::odd_span("not a number", &double(f64::NAN)),
        Case::odd_span("infinity", &double(f64::INFINITY)),
        Case::odd_span("less than nothing", &double(f64::NEG_INFINITY)),
        Case::odd_span("the end before the start", &times(2, 1)),
        Case::odd_span("no times", &times(0, 0)),
        Case::odd_span("from nothing to the end of time", &times(0, u64::MAX)),
        Case::odd_span("from the end of time", &times(u64::MAX, 0)),
        Case::odd_span("at the end of time", &times(u64::MAX, u64::MAX)),
        Case::odd_span("the year 2001", &times(1_000_000_000_000_000_000, now)),
        Case::odd_span("a hundred years long", &times(now, now + century)),
        Case::odd_span("in a hundred years", &times(now + century, now + century + 1)),
        Case::odd_span("zero ids", &ids(&[0; 16], &[0; 8])),
        Case::odd_span("empty ids", &ids(b"", b"")),
        Case::odd_span("short ids", &ids(&[1; 15], &[1; 7])),
        Case::odd_span("ids of a megabyte", &ids(&[1; 1 << 20], &[1; 1 << 20])),
        Case::odd_span("a kind that is none", &integer(6, u64::MAX)),
        Case::odd_span("a status that is none", &field(15, &integer(3, u64::MAX))),
        Case::one_record("a severity that is none", record(b"", &integer(2, u64::MAX))),
        Case::one_record("a record of the end of time", record(b"", &fixed64(1, u64::MAX))),
        Case::odd_span("dropped counts of 2^64 - 1", &integer(10, u64::MAX)),
    ]
}

/// More label sets than the books keep. They stay, so the limit of series decides the memory.
pub(crate) fn names() -> Vec<Case> {
    let spans = |numbers: Range<u32>| {
        let item = field(2, &span(b"work naaaaa", b""));
        let scope = numbered(&item, numbers);
        let resource = field(1, &attribute(b"service.name", &text(b"hostile")));
        field(1, &[field(1, &resource), field(2, &scope)].concat())
    };
    let services =
        |numbers: Range<u32>| numbered(&request(b"shop naaaaa", &[span(b"work", b"")]), numbers);
    let million = |name, body: &dyn Fn(Range<u32>) -> Vec<u8>| {
        let part = |part: u32| {
            let numbers = part * 100_000..(part + 1) * 100_000;
            Case::spans(name, body(numbers)).counts(100_000)
        };
        (1..10).map(part).fold(part(0), Case::and).keeps(ROWS_BYTES).http_only()
    };
    vec![million("a million span names", &spans), million("a million services", &services)]
}

/// A message once for each number, with `naaaaa` in it as the number in letters, since digits in a
/// name are taken for an id.
fn numbered(message: &[u8], numbers: Range<u32>) -> Vec<u8> {
    let place = message.windows(6).position(|window| window == b"naaaaa").unwrap();
    let mut out = Vec::with_capacity(message.len() * numbers.len());
    for mut number in numbers {
        let start = out.len() + place;
        out.extend_from_slice(message);
        for letter in &mut out[start + 1..start + 6] {
            *letter += (number % 26) as u8;
            number /= 26;
        }
    }
    out
}

const LEVELS: usize = 5_000;

/// What a full book keeps: 20,000 series of two kilobytes, in each of the families that are derived
/// from them.
const ROWS_BYTES: u64 = 96 << 20;
