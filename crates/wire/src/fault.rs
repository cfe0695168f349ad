//! Why bytes are no OTLP request: a small copyable enum instead of a message string, because a
//! fault is decided in the innermost loop and worded only when a peer is told.

use std::fmt;

/// The first thing found wrong with a request. Every variant is the sender's fault and no retry
/// cures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A length or a value reaches past the end of its message.
    Truncated,
    /// A varint has more than ten bytes or more than 64 bits.
    VarintTooLong,
    /// A field's number is 0, which protobuf reserves.
    FieldNumberZero,
    /// A field's number does not fit into 29 bits.
    FieldNumberTooLarge,
    /// A field's wire type is 6 or 7, which protobuf does not define.
    WireTypeUnknown {
        /// The field's number.
        field: u32,
        /// The wire type it was sent with.
        found: u8,
    },
    /// A field that OTLP defines was sent with another wire type than its own.
    WireType {
        /// The message's name in OTLP, such as `Span`.
        message: &'static str,
        /// The field's number in that message.
        field: u32,
        /// The wire type it was sent with, 0 to 7.
        found: u8,
        /// The wire type that OTLP gives it.
        expected: u8,
    },
    /// A group ends that was not open, or another one than was opened last.
    GroupEndUnexpected {
        /// The field number of the group's end.
        field: u32,
    },
    /// Messages or groups stand more than [`DEPTH_MAX`] deep in one another.
    TooDeep,
}

/// How deep messages and groups may be nested, the request itself not counted: the limit of the
/// common protobuf decoders.
pub const DEPTH_MAX: u32 = 100;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Fault::Truncated => f.write_str(
                "a length or value reaches past the end of its message; was the body cut off?",
            ),
            Fault::VarintTooLong => f.write_str("a varint has more than 64 bits"),
            Fault::FieldNumberZero => {
                f.write_str("a field has the number 0; is the body really OTLP protobuf?")
            }
            Fault::FieldNumberTooLarge => {
                f.write_str("a field number exceeds 29 bits; is the body really OTLP protobuf?")
            }
            Fault::WireTypeUnknown { field, found } => write!(
                f,
                "field {field} has wire type {found}, which protobuf does not define; \
                 is the body really OTLP protobuf?"
            ),
            Fault::WireType { message, field, found, expected } => write!(
                f,
                "{message} field {field} is sent as {} where OTLP has {}; \
                 was it encoded with another version of the schema?",
                wire_type_name(found),
                wire_type_name(expected)
            ),
            Fault::GroupEndUnexpected { field } => {
                write!(f, "a group of field {field} ends that was not the one opened last")
            }
            Fault::TooDeep => {
                write!(f, "messages or groups are nested more than {DEPTH_MAX} deep")
            }
        }
    }
}

impl std::error::Error for Fault {}

fn wire_type_name(wire_type: u8) -> &'static str {
    match wire_type {
        0 => "a varint",
        1 => "a 64-bit value",
        2 => "a length-delimited value",
        3 => "a group",
        4 => "the end of a group",
        5 => "a 32-bit value",
        _ => "an undefined wire type",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_what_an_sdk_author_has_to_look_at() {
        let check = |fault: Fault, expected: &str| {
            assert!(fault.to_string().contains(expected), "{fault} lacks {expected:?}");
        };
        check(Fault::Truncated, "past the end of its message");
        check(Fault::VarintTooLong, "64 bits");
        check(Fault::FieldNumberZero, "number 0");
        check(Fault::FieldNumberTooLarge, "29 bits");
        check(Fault::WireTypeUnknown { field: 9, found: 7 }, "field 9 has wire type 7");
        check(
            Fault::WireType { message: "Span", field: 7, found: 0, expected: 1 },
            "Span field 7 is sent as a varint where OTLP has a 64-bit value",
        );
        check(Fault::GroupEndUnexpected { field: 3 }, "field 3");
        check(Fault::TooDeep, "100 deep");
    }
}
