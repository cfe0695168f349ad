//! OTLP/JSON to OTLP protobuf in one pass, so that everything behind the door knows one form; a
//! tree of JSON values or of generated structs would cost many times the body in memory before the
//! first bound could be checked.
//!
//! The rules are those of the OTLP specification, and where it is silent those of the proto3 JSON
//! mapping:
//! - Only lowerCamelCase keys are known. Unknown keys are skipped with everything below them, at
//!   any depth, without recursion.
//! - `traceId`, `spanId` and `parentSpanId` are hex of either case and of any even length: whether
//!   an id has the right length is for the reader of the protobuf to judge. Other `bytes` are
//!   base64, standard or URL-safe, padded or not.
//! - Enums are integers; a name is a fault, because the specification forbids it. Values without a
//!   name pass.
//! - Integers may be numbers or strings, also `1e3` and `5.0`; doubles also `"NaN"`, `"Infinity"`,
//!   `"-Infinity"`.
//! - `null` is an absent field. In a list, a `null` message is an empty message, so that the places
//!   of its neighbours stay what they were; a `null` number or string is a fault.
//! - A key given twice, and several members of a oneof, are all written, and so mean what protobuf
//!   says: the last one wins, messages merge, lists concatenate.
//! - Where a whole batch would be lost for a blemish, the blemish is repaired or passed over: a
//!   lone surrogate becomes U+FFFD, raw control characters stay in their strings, a byte order mark
//!   is skipped.
//!
//! The output is what a protobuf encoder writes (minimal lengths, packed lists), in the order of
//! the JSON keys. Zeros are written, because a later zero must win over an earlier value.

mod fault;
mod limits;
mod scalar;
mod schema;
mod value;
pub(crate) mod writer;

pub use fault::{JsonFault, Place};
pub use limits::Limits;

use crate::Signal;
use schema::Message;
use value::Transcoder;

/// Writes the protobuf form of the OTLP/JSON export request of `signal` in `body`.
///
/// Memory: the output, which begins with room for half of the body and doubles when it must, plus
/// the longest string with an escape in it, plus two words for each message of 128 bytes or more.
/// Time: linear in the body.
///
/// # Errors
/// A [`JsonFault`] for the first fault in the body; nothing of the request is to be used then.
pub fn transcode(signal: Signal, body: &[u8], limits: Limits) -> Result<Vec<u8>, JsonFault> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|error| fault::not_utf8(body, &error))?;
    Transcoder::new(body.len(), limits).run(text, root(signal))
}

fn root(signal: Signal) -> &'static Message {
    match signal {
        Signal::Traces => &schema::TRACES,
        Signal::Logs => &schema::LOGS,
        Signal::Metrics => &schema::METRICS,
    }
}
