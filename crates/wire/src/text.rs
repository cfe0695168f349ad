//! A value as text for a label: strings as they are, everything else as JSON would spell it, cut at
//! a bound because a list in an attribute may be as long as the request.

use std::io::Write;

use crate::value::Value;

/// Appends the text of `value` to `out`, which is then at most about `bytes_max` longer: a list
/// stops at the bound, a string is not cut here.
pub fn write_text(value: Value<'_>, bytes_max: usize, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => out.extend_from_slice(text),
        Value::Empty => {}
        value => write_json(value, out.len() + bytes_max, out),
    }
}

fn write_json(value: Value<'_>, end: usize, out: &mut Vec<u8>) {
    match value {
        Value::Empty => out.extend_from_slice(b"null"),
        Value::String(text) => write_quoted(text, end, out),
        Value::Bool(flag) => write_display(flag, out),
        Value::Int(number) => write_display(number, out),
        Value::Double(number) => write_display(number, out),
        Value::Bytes(bytes) => write_base64(bytes, end, out),
        Value::Array(values) => {
            out.push(b'[');
            for (i, value) in values.iter().enumerate() {
                if out.len() >= end {
                    break;
                }
                separate(i, out);
                write_json(value, end, out);
            }
            out.push(b']');
        }
        Value::KvList(attributes) => {
            out.push(b'{');
            for (i, attribute) in attributes.iter().enumerate() {
                if out.len() >= end {
                    break;
                }
                separate(i, out);
                write_quoted(attribute.key, end, out);
                out.push(b':');
                write_json(attribute.value.read(), end, out);
            }
            out.push(b'}');
        }
    }
}

fn separate(i: usize, out: &mut Vec<u8>) {
    if i > 0 {
        out.push(b',');
    }
}

fn write_display(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    write!(out, "{value}").expect("a vector takes every write");
}

fn write_quoted(text: &[u8], end: usize, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        if out.len() >= end {
            break;
        }
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0..0x20 => write_display(format_args!("\\u{byte:04x}"), out),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}

fn write_base64(bytes: &[u8], end: usize, out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in bytes.chunks(3) {
        if out.len() >= end {
            break;
        }
        let group = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for i in 0..4 {
            let digit = BASE64[(bits >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= chunk.len() { digit } else { b'=' });
        }
    }
    out.push(b'"');
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1 as proto;
    use prost::Message;

    use super::*;
    use crate::KeyValue;

    fn text(value: proto::any_value::Value, bytes_max: usize) -> String {
        let value = Some(proto::AnyValue { value: Some(value) });
        let attribute = proto::KeyValue { key: "k".into(), value, ..Default::default() };
        let bytes = attribute.encode_to_vec();
        let attribute = KeyValue::read(&bytes, crate::DEPTH_MAX).expect("prost encodes protobuf");
        let mut out = Vec::new();
        write_text(attribute.value.read(), bytes_max, &mut out);
        String::from_utf8(out).expect("text of valid strings is valid")
    }

    fn any(value: proto::any_value::Value) -> proto::AnyValue {
        proto::AnyValue { value: Some(value) }
    }

    #[test]
    fn values_read_as_json_would_spell_them() {
        use proto::any_value::Value as V;
        assert_eq!(text(V::StringValue("a \"b\"".into()), 99), "a \"b\"");
        assert_eq!(text(V::IntValue(-3), 99), "-3");
        assert_eq!(text(V::DoubleValue(0.5), 99), "0.5");
        assert_eq!(text(V::BoolValue(true), 99), "true");
        assert_eq!(text(V::BytesValue(b"hello".to_vec()), 99), "\"aGVsbG8=\"");
        assert_eq!(text(V::BytesValue(b"a".to_vec()), 99), "\"YQ==\"");
        let values = vec![any(V::StringValue("a\"\n".into())), any(V::IntValue(2))];
        let list = V::ArrayValue(proto::ArrayValue { values });
        assert_eq!(text(list, 99), r#"["a\"\u000a",2]"#);
    }

    #[test]
    fn a_long_list_stops_at_the_bound() {
        use proto::any_value::Value as V;
        let values = (0..10_000).map(|i| any(V::IntValue(i))).collect();
        let cut = text(V::ArrayValue(proto::ArrayValue { values }), 50);
        assert!(cut.starts_with("[0,1,2") && cut.len() < 60, "{cut}");
    }
}
