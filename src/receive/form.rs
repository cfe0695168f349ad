//! What a request's body claims to be: the content type alone decides which protocol answers.

use http::{HeaderMap, header};
use redora_wire::rpc::Encoding;

/// What the body of a request is, by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain(Encoding),
    Grpc,
    Unknown { grpc: bool },
}

impl Form {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let value = value.unwrap_or_default();
        let media_type = value.split(';').next().unwrap_or_default().trim_ascii();
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        if is("application/x-protobuf") {
            Form::Plain(Encoding::Protobuf)
        } else if is("application/json") {
            Form::Plain(Encoding::Json)
        } else if is("application/grpc") || is("application/grpc+proto") {
            Form::Grpc
        } else {
            let grpc = media_type
                .get(..16)
                .is_some_and(|start| start.eq_ignore_ascii_case("application/grpc"));
            Form::Unknown { grpc }
        }
    }
}
