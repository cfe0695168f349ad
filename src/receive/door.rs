//! The steps from a collected body to a verdict, once for both transports, so that no limit can
//! hold on one port and be forgotten on the other.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, Version, header};
use hyper::body::Incoming;
use redora_wire::json::{self, JsonFault};
use redora_wire::rpc::Encoding;
use redora_wire::{Signal, count};

use super::budget::{Budget, Held};
use super::denial::{Denial, Denied};
use super::inflate::{Coding, inflate};
use super::reply::Reply;
use super::tenant::Tenancy;
use super::{Batch, Deliver, Limits, Refusal, Refused, Verdict, grpc, http as plain};

/// What all connections of both ports share.
pub(super) struct Door {
    pub(super) limits: Limits,
    pub(super) budget: Arc<Budget>,
    pub(super) tenancy: Tenancy,
    pub(super) deliver: Deliver,
    pub(super) refused: Refused,
}

/// What a request was taken as: the part of a [`Verdict`] that is no refusal.
#[derive(Debug)]
pub(super) enum Taken {
    /// All of it.
    Whole,
    /// All but so many items.
    Partly { rejected: u64, message: std::borrow::Cow<'static, str> },
}

/// What the body of a request is, by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain(Encoding),
    Grpc,
    Unknown { grpc: bool },
}

impl Door {
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Reply> {
        match Form::of(request.headers()) {
            Form::Grpc if request.version() == Version::HTTP_2 => {
                grpc::answer(&self, request).await
            }
            form => plain::answer(&self, form, request).await,
        }
    }

    /// Takes a body as it came. Does not wait for anything, so that what it holds decompressed or
    /// transcoded it holds for one thread at a time.
    pub(super) fn take(
        &self,
        signal: Signal,
        encoding: Encoding,
        coding: Option<Coding>,
        body: Held,
    ) -> Result<Taken, Denied> {
        let decoded = match coding {
            None => Ok(body),
            Some(coding) => inflate(coding, &body, self.limits.request_bytes),
        };
        let decoded = match encoding {
            Encoding::Protobuf => decoded,
            Encoding::Json => decoded.and_then(|body| self.transcode(signal, &body)),
        };
        let denied = |items, why| Denied { signal: Some(signal), items, why };
        let request = decoded.map_err(|why| denied(None, why))?;
        let items =
            count(signal, &request.bytes).map_err(|fault| denied(None, Denial::Protobuf(fault)))?;
        let items_max = self.limits.items_per_request;
        if items > items_max {
            return Err(denied(Some(items), Denial::TooManyItems { items, items_max }));
        }
        self.deliver(signal, request.into_bytes(), items).map_err(|why| denied(Some(items), why))
    }

    /// The protobuf form of a JSON body. It pays for the size of the body at first, which mostly is
    /// twice of what is needed, and starts again with as much as the limit allows when it is not.
    fn transcode(&self, signal: Signal, body: &Held) -> Result<Held, Denial> {
        let bytes_max = self.limits.request_bytes;
        let mut hold = body.hold.sibling();
        let mut bytes_paid = body.bytes.len().min(bytes_max);
        loop {
            hold.resize(bytes_paid)?;
            let limits = json::Limits::of_output(bytes_paid);
            match json::transcode(signal, &body.bytes, limits) {
                Ok(bytes) => {
                    hold.resize(bytes.capacity())?;
                    return Ok(Held { bytes: Bytes::from(bytes), hold });
                }
                Err(JsonFault::TooLarge { .. }) if bytes_paid < bytes_max => {
                    bytes_paid = bytes_max.min(body.bytes.len().saturating_mul(JSON_GROWTH_MAX));
                    if bytes_paid <= limits.output_bytes {
                        bytes_paid = bytes_max;
                    }
                }
                Err(JsonFault::TooLarge { .. }) => return Err(Denial::TooLarge { bytes_max }),
                Err(fault) => return Err(Denial::Json(fault)),
            }
        }
    }

    fn deliver(&self, signal: Signal, bytes: Bytes, items: u64) -> Result<Taken, Denial> {
        let tenant = self.tenancy.tenant();
        match (self.deliver)(Batch { tenant, signal, bytes, items }) {
            Verdict::Accepted => Ok(Taken::Whole),
            Verdict::Partial { rejected, message } => Ok(Taken::Partly { rejected, message }),
            Verdict::Malformed(fault) => Err(Denial::Protobuf(fault)),
            Verdict::Busy { retry_after } => Err(Denial::Busy { retry_after }),
        }
    }

    /// Makes a refusal known to the agent's counters.
    pub(super) fn tell(&self, denied: &Denied) {
        let reason = denied.why.reason();
        tracing::debug!(
            event = "request_refused",
            reason = reason.as_str(),
            signal = denied.signal.map(Signal::as_str),
            items = denied.items,
        );
        (self.refused)(Refusal { signal: denied.signal, reason, items: denied.items });
    }
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
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

/// The one coding that the header `name` lists; `identity` counts for none.
pub(super) fn coding(headers: &HeaderMap, name: HeaderName) -> Result<Option<Coding>, Denial> {
    let mut found = None;
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| Denial::Encoding)?;
        for token in value.split(',').map(str::trim_ascii) {
            if token.is_empty() || token.eq_ignore_ascii_case("identity") {
                continue;
            }
            let coding = Coding::named(token).ok_or(Denial::Encoding)?;
            // Layer upon layer would multiply the work that a small body asks for.
            if found.replace(coding).is_some() {
                return Err(Denial::Encoding);
            }
        }
    }
    Ok(found)
}

/// How much larger than its JSON a request can get as protobuf: lists of doubles, two bytes of text
/// each.
const JSON_GROWTH_MAX: usize = 4;
