//! OTLP over plain HTTP: which requests are ours, and answers in the form of the request. A router
//! crate would give answers of its own for what it does not know, and every answer here must be a
//! `google.rpc.Status`.

use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::{Body, Incoming};
use redora_wire::Signal;
use redora_wire::rpc::{Encoding, export_response};

use super::body::{collect, discard};
use super::denial::{Denial, Denied};
use super::door::{Door, Form, Taken, coding};
use super::inflate::Coding;
use super::reply::Reply;

/// Answers one request that is not gRPC over HTTP/2.
pub(super) async fn answer(door: &Door, form: Form, request: Request<Incoming>) -> Response<Reply> {
    let encoding = match form {
        Form::Plain(encoding) => encoding,
        Form::Grpc | Form::Unknown { .. } => Encoding::Protobuf,
    };
    let signal = signal_of(request.uri().path());
    let (parts, mut body) = request.into_parts();
    let outcome = take(door, form, signal, &parts, &mut body).await;
    match outcome {
        Ok(taken) => {
            let partial = match &taken {
                Taken::Whole => None,
                Taken::Partly { rejected, message } => Some((*rejected, message.as_ref())),
            };
            let signal = signal.expect("only a known signal is taken");
            let bytes = export_response(signal, partial, encoding);
            response(StatusCode::OK, encoding, bytes)
        }
        Err(denied) => {
            door.tell(&denied);
            let mut response = refusal(&denied.why, encoding);
            if parts.version < Version::HTTP_2 && !body.is_end_stream() {
                leave(door, &denied.why, &parts, body, &mut response);
            }
            response
        }
    }
}

/// A response in the form of its request.
fn response(status: StatusCode, encoding: Encoding, bytes: Vec<u8>) -> Response<Reply> {
    let mut response = Response::new(Reply::of(bytes));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(encoding.content_type());
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn refusal(why: &Denial, encoding: Encoding) -> Response<Reply> {
    let mut response = response(why.http_status(), encoding, why.to_body(encoding));
    let headers = response.headers_mut();
    if let Some(wait) = why.retry_after() {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    match why {
        Denial::Method => {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        Denial::Encoding => {
            let accepted = HeaderValue::from_static(Coding::ACCEPTED);
            headers.insert(header::ACCEPT_ENCODING, accepted);
        }
        _ => {}
    }
    response
}

async fn take(
    door: &Door,
    form: Form,
    signal: Option<Signal>,
    parts: &http::request::Parts,
    body: &mut Incoming,
) -> Result<Taken, Denied> {
    let denied = |why| Denied { signal, items: None, why };
    let Some(known) = signal else {
        return Err(denied(Denial::Path));
    };
    if parts.method != Method::POST {
        return Err(denied(Denial::Method));
    }
    let encoding = match form {
        Form::Plain(encoding) => encoding,
        Form::Grpc => return Err(denied(Denial::ContentType { grpc: true })),
        Form::Unknown { grpc } => return Err(denied(Denial::ContentType { grpc })),
    };
    let coding = coding(&parts.headers, header::CONTENT_ENCODING).map_err(denied)?;
    let limits = &door.limits;
    let hold = door.budget.hold();
    let held = collect(body, hold, limits.request_bytes, limits.body_timeout).await;
    door.take(known, encoding, coding, held.map_err(denied)?)
}

/// Sees to it that an HTTP/1.1 peer that is still sending gets the answer.
fn leave(
    door: &Door,
    why: &Denial,
    parts: &http::request::Parts,
    body: Incoming,
    response: &mut Response<Reply>,
) {
    // Who asked whether to send sends nothing now; who was too slow had its time.
    let silent = parts.headers.contains_key(header::EXPECT);
    if silent || matches!(why, Denial::Slow { .. } | Denial::Broken) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return;
    }
    let bytes_max = door.limits.request_bytes.saturating_mul(DISCARD_FACTOR);
    tokio::spawn(discard(body, bytes_max, door.limits.body_timeout));
}

fn signal_of(path: &str) -> Option<Signal> {
    match path {
        "/v1/traces" => Some(Signal::Traces),
        "/v1/logs" => Some(Signal::Logs),
        "/v1/metrics" => Some(Signal::Metrics),
        _ => None,
    }
}

/// How many times the limit is read from a refused peer before it is cut off. Reading costs time
/// and no memory, and a peer that misses its answer would send the same again.
const DISCARD_FACTOR: usize = 8;
