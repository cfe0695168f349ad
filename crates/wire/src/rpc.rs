//! What an OTLP server answers, written by hand: five tiny messages do not justify a code generator
//! and its runtime in the agent.
//!
//! Texts that a peer hears are cut at [`MESSAGE_BYTES_MAX`], because some of them quote what the
//! peer sent.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Signal;
use crate::json::writer::put_varint;

/// The longest message or description in an answer, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// The form of an answer, which must be that of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `application/x-protobuf`, and gRPC.
    Protobuf,
    /// `application/json`.
    Json,
}

/// The gRPC codes that an OTLP server has a use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Code {
    /// Done.
    Ok = 0,
    /// The client went away.
    Cancelled = 1,
    /// The request is wrong in itself and fails again.
    InvalidArgument = 3,
    /// The answer came too late.
    DeadlineExceeded = 4,
    /// There is no such thing.
    NotFound = 5,
    /// The caller is known and not allowed.
    PermissionDenied = 7,
    /// Over a limit; worth a retry only with [`Detail::RetryInfo`].
    ResourceExhausted = 8,
    /// No such method, or no such compression.
    Unimplemented = 12,
    /// A defect of the server.
    Internal = 13,
    /// Not now; worth a retry.
    Unavailable = 14,
    /// The caller is not known.
    Unauthenticated = 16,
}

/// A `google.rpc.Status`, the body of every refusal over HTTP and the details of one over gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// What kind of refusal.
    pub code: Code,
    /// English text for the peer's log.
    pub message: &'a str,
    /// What the peer's program may act on.
    pub detail: Option<Detail<'a>>,
}

/// One detail of a [`Status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail<'a> {
    /// The peer may send the same request again after this time.
    RetryInfo(Duration),
    /// One field of the request is wrong.
    BadRequest {
        /// The path to the field, empty for the request as a whole.
        field: &'a str,
        /// What is wrong with it, and the cure.
        description: &'a str,
    },
}

impl Encoding {
    /// The media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        }
    }
}

impl Code {
    /// The number, as in the header `grpc-status`.
    #[must_use]
    pub fn as_i32(self) -> i32 {
        self as i32
    }
}

impl Status<'_> {
    /// The answer in the given form.
    #[must_use]
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Protobuf => self.to_protobuf(),
            Encoding::Json => self.to_json(),
        }
    }

    /// `google.rpc.Status` as protobuf.
    #[must_use]
    pub fn to_protobuf(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_integer(&mut out, 1, self.code as u64);
        put_bytes(&mut out, 2, cut(self.message).as_bytes());
        if let Some(detail) = &self.detail {
            let mut any = Vec::new();
            put_bytes(&mut any, 1, detail.type_url().as_bytes());
            put_bytes(&mut any, 2, &detail.to_protobuf());
            put_bytes(&mut out, 3, &any);
        }
        out
    }

    /// `google.rpc.Status` as proto3 JSON, defaults left out.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut status = json!({});
        if self.code != Code::Ok {
            status["code"] = json!(self.code.as_i32());
        }
        if !self.message.is_empty() {
            status["message"] = json!(cut(self.message));
        }
        if let Some(detail) = &self.detail {
            status["details"] = json!([detail.to_json()]);
        }
        status.to_string().into_bytes()
    }

    /// The value of the header `grpc-status-details-bin`, the only way in which
    /// [`Detail::RetryInfo`] reaches a gRPC client: the protobuf form in base64 without padding.
    #[must_use]
    pub fn to_grpc_details(&self) -> String {
        base64(&self.to_protobuf())
    }

    /// The value of the header `grpc-message`: see [`grpc_message`].
    #[must_use]
    pub fn to_grpc_message(&self) -> Cow<'_, str> {
        grpc_message(self.message)
    }
}

impl Detail<'_> {
    fn type_url(&self) -> &'static str {
        match self {
            Detail::RetryInfo(_) => "type.googleapis.com/google.rpc.RetryInfo",
            Detail::BadRequest { .. } => "type.googleapis.com/google.rpc.BadRequest",
        }
    }

    fn to_protobuf(self) -> Vec<u8> {
        let (mut out, mut inner) = (Vec::new(), Vec::new());
        match self {
            Detail::RetryInfo(delay) => {
                put_integer(&mut inner, 1, seconds(delay));
                put_integer(&mut inner, 2, u64::from(delay.subsec_nanos()));
            }
            Detail::BadRequest { field, description } => {
                put_bytes(&mut inner, 1, cut(field).as_bytes());
                put_bytes(&mut inner, 2, cut(description).as_bytes());
            }
        }
        put_bytes(&mut out, 1, &inner);
        out
    }

    fn to_json(self) -> Value {
        match self {
            Detail::RetryInfo(delay) => {
                json!({ "@type": self.type_url(), "retryDelay": duration_text(delay) })
            }
            Detail::BadRequest { field, description } => json!({
                "@type": self.type_url(),
                "fieldViolations": [{ "field": cut(field), "description": cut(description) }],
            }),
        }
    }
}

/// The `Export…ServiceResponse` of a signal: full success without `partial`, else how many items
/// were rejected and why.
///
/// A success must be the empty message, so nothing rejected and nothing said (`Some((0, ""))`) is
/// one too; nothing rejected with a message is a warning.
#[must_use]
pub fn export_response(
    signal: Signal,
    partial: Option<(u64, &str)>,
    encoding: Encoding,
) -> Vec<u8> {
    let partial = partial.filter(|(rejected, message)| *rejected > 0 || !message.is_empty());
    // The field is an int64; more items than it can count do not fit into any request.
    let partial = partial.map(|(rejected, message)| (rejected.min(INT64_MAX), cut(message)));
    match (encoding, partial) {
        (Encoding::Protobuf, None) => Vec::new(),
        (Encoding::Json, None) => b"{}".to_vec(),
        (Encoding::Protobuf, Some((rejected, message))) => {
            let (mut out, mut inner) = (Vec::new(), Vec::new());
            put_integer(&mut inner, 1, rejected);
            put_bytes(&mut inner, 2, message.as_bytes());
            put_bytes(&mut out, 1, &inner);
            out
        }
        (Encoding::Json, Some((rejected, message))) => {
            let mut inner = json!({});
            if rejected > 0 {
                inner[rejected_key(signal)] = json!(rejected.to_string());
            }
            if !message.is_empty() {
                inner["errorMessage"] = json!(message);
            }
            json!({ "partialSuccess": inner }).to_string().into_bytes()
        }
    }
}

/// A text as the value of the header `grpc-message`: what is not printable ASCII, and `%` itself,
/// as `%XX`; cut at [`MESSAGE_BYTES_MAX`] before that. The result is a valid header value.
#[must_use]
pub fn grpc_message(message: &str) -> Cow<'_, str> {
    let message = cut(message);
    if message.bytes().all(is_plain) {
        return Cow::Borrowed(message);
    }
    let mut encoded = String::with_capacity(message.len() + 16);
    for byte in message.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 0xF)]));
        }
    }
    Cow::Owned(encoded)
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'%'
}

fn rejected_key(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "rejectedSpans",
        Signal::Logs => "rejectedLogRecords",
        Signal::Metrics => "rejectedDataPoints",
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MESSAGE_BYTES_MAX)]
}

/// Whole seconds within what `google.protobuf.Duration` allows, ten thousand years.
fn seconds(delay: Duration) -> u64 {
    delay.as_secs().min(315_576_000_000)
}

/// `1.5s`: seconds with as many decimals as it takes, up to nine.
fn duration_text(delay: Duration) -> String {
    let whole = seconds(delay);
    let text = format!("{whole}.{:09}", delay.subsec_nanos());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}s")
}

fn put_integer(out: &mut Vec<u8>, number: u32, value: u64) {
    if value > 0 {
        put_varint(out, u64::from(number << 3));
        put_varint(out, value);
    }
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number << 3 | 2));
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut bits = [0; 4];
        bits[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(bits);
        for digit in 0..=chunk.len() {
            let index = bits >> (18 - 6 * digit) & 0x3F;
            text.push(char::from(BASE64[index as usize]));
        }
    }
    text
}

const INT64_MAX: u64 = i64::MAX as u64;
const HEX: &[u8; 16] = b"0123456789ABCDEF";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
