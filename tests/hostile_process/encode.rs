//! Protobuf written field by field, because an encoder made from the schema refuses to write what a
//! hostile peer writes.

/// A field with a length: text, bytes or a message.
pub(crate) fn field(number: u64, body: &[u8]) -> Vec<u8> {
    let mut out = lying_field(number, body.len() as u64);
    out.extend_from_slice(body);
    out
}

/// Only the tag and the length of such a field; what follows may be shorter.
pub(crate) fn lying_field(number: u64, length: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(number << 3 | 2, &mut out);
    varint(length, &mut out);
    out
}

/// A field with a variable integer.
pub(crate) fn integer(number: u64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(number << 3, &mut out);
    varint(value, &mut out);
    out
}

/// A field of eight bytes.
pub(crate) fn fixed64(number: u64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(number << 3 | 1, &mut out);
    out.extend_from_slice(&value.to_le_bytes());
    out
}

/// The start (wire type 3) or end (4) of a group.
pub(crate) fn group(number: u64, wire_type: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(number << 3 | wire_type, &mut out);
    out
}

/// A `KeyValue` with this encoded `AnyValue`.
pub(crate) fn attribute(key: &[u8], value: &[u8]) -> Vec<u8> {
    [field(1, key), field(2, value)].concat()
}

/// An `AnyValue` that holds a string.
pub(crate) fn text(value: &[u8]) -> Vec<u8> {
    field(1, value)
}

/// A server span with this name and one second of duration; `more` is appended.
pub(crate) fn span(name: &[u8], more: &[u8]) -> Vec<u8> {
    let times = [fixed64(7, SECOND), fixed64(8, 2 * SECOND)].concat();
    [&field(1, &[7; 16]), &field(2, &[7; 8]), &field(5, name), &integer(6, 2), &times, more]
        .concat()
}

/// A log record of severity INFO with this body; `more` is appended.
pub(crate) fn record(body: &[u8], more: &[u8]) -> Vec<u8> {
    [&fixed64(1, SECOND), &integer(2, 9), &field(5, &text(body)), more].concat()
}

/// A whole request with these items of one service, spans or log records alike.
pub(crate) fn request(service: &[u8], items: &[Vec<u8>]) -> Vec<u8> {
    let scope: Vec<u8> = items.iter().flat_map(|item| field(2, item)).collect();
    let resource = field(1, &attribute(b"service.name", &text(service)));
    field(1, &[field(1, &resource), field(2, &scope)].concat())
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A second in nanoseconds.
const SECOND: u64 = 1_000_000_000;
