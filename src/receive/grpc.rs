//! OTLP over gRPC: unary calls framed by hand on HTTP/2, because a generated server decodes every
//! message into objects and costs ten times the reading.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use hyper::body::Incoming;
use redora_wire::Signal;
use redora_wire::rpc::{Code, Encoding, export_response};

use super::body::{Message, collect_message};
use super::denial::{Denial, Denied};
use super::door::{Door, Taken, coding};
use super::reply::Reply;

/// Answers one gRPC call.
pub(super) async fn answer(door: &Door, request: Request<Incoming>) -> Response<Reply> {
    let call = Call::of(request.uri().path());
    let signal = match call {
        Some(Call::Export(signal)) => Some(signal),
        _ => None,
    };
    let (parts, mut body) = request.into_parts();
    let denied = |why| Denied { signal, items: None, why };
    let outcome = match call {
        _ if parts.method != Method::POST => Err(denied(Denial::Method)),
        None => Err(denied(Denial::GrpcMethod)),
        Some(Call::Health) => health(door, &mut body).await.map_err(denied),
        Some(Call::Export(signal)) => export(door, signal, &parts.headers, &mut body).await,
    };
    match outcome {
        Ok(message) => success(&message),
        Err(denied) => {
            door.tell(&denied);
            refusal(&denied.why)
        }
    }
}

/// The methods that exist.
#[derive(Clone, Copy, Debug)]
enum Call {
    Export(Signal),
    Health,
}

impl Call {
    fn of(path: &str) -> Option<Self> {
        if path == "/grpc.health.v1.Health/Check" {
            return Some(Call::Health);
        }
        let service = path.strip_prefix('/')?.strip_suffix("/Export")?;
        Signal::ALL.into_iter().find(|signal| service_of(*signal) == service).map(Call::Export)
    }
}

fn service_of(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "opentelemetry.proto.collector.trace.v1.TraceService",
        Signal::Logs => "opentelemetry.proto.collector.logs.v1.LogsService",
        Signal::Metrics => "opentelemetry.proto.collector.metrics.v1.MetricsService",
    }
}

async fn export(
    door: &Door,
    signal: Signal,
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Result<Vec<u8>, Denied> {
    let denied = |why| Denied { signal: Some(signal), items: None, why };
    let coding = coding(headers, GRPC_ENCODING).map_err(denied)?;
    let limits = &door.limits;
    let hold = door.budget.hold();
    let message = collect_message(body, hold, limits.request_bytes, limits.body_timeout).await;
    let Message { compressed, held } = message.map_err(denied)?;
    let coding = match (compressed, coding) {
        (false, _) => None,
        (true, Some(coding)) => Some(coding),
        (true, None) => return Err(denied(Denial::CompressionUnnamed)),
    };
    let taken = door.take(signal, Encoding::Protobuf, coding, held)?;
    let partial = match &taken {
        Taken::Whole => None,
        Taken::Partly { rejected, message } => Some((*rejected, message.as_ref())),
    };
    Ok(export_response(signal, partial, Encoding::Protobuf))
}

/// `grpc.health.v1.Health/Check`: whoever reaches this is answered that it is served.
async fn health(door: &Door, body: &mut Incoming) -> Result<Vec<u8>, Denial> {
    let limit = door.limits.body_timeout;
    let message = collect_message(body, door.budget.hold(), HEALTH_BYTES_MAX, limit).await?;
    let asked = &message.held.bytes[..];
    let is_named = |name: &str| {
        matches!(asked, [0x0A, length, rest @ ..]
            if usize::from(*length) == rest.len() && rest == name.as_bytes())
    };
    if asked.is_empty() || Signal::ALL.into_iter().any(|signal| is_named(service_of(signal))) {
        // Field 1, the status: 1 is SERVING.
        return Ok(vec![0x08, 0x01]);
    }
    Err(Denial::HealthService)
}

fn success(message: &[u8]) -> Response<Reply> {
    let mut framed = Vec::with_capacity(5 + message.len());
    framed.push(0);
    let length = u32::try_from(message.len()).expect("an answer is a few kilobytes at the most");
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    response(Reply::with_trailers(framed, trailers))
}

/// A refusal without a message: gRPC's "trailers only", one frame of headers.
fn refusal(why: &Denial) -> Response<Reply> {
    let mut response = response(Reply::default());
    let headers = response.headers_mut();
    why.with_status(|status| {
        headers.insert(GRPC_STATUS, HeaderValue::from(status.code.as_i32()));
        let text = HeaderValue::from_str(&status.to_grpc_message());
        headers.insert(GRPC_MESSAGE, text.expect("percent-encoding leaves printable ASCII alone"));
        if status.detail.is_some() {
            let details = HeaderValue::from_str(&status.to_grpc_details());
            headers.insert(GRPC_STATUS_DETAILS, details.expect("base64 is printable ASCII"));
        }
        if status.code == Code::Unimplemented {
            headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static(GRPC_CODINGS));
        }
    });
    response
}

fn response(reply: Reply) -> Response<Reply> {
    let mut response = Response::new(reply);
    let content_type = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// The codings as gRPC lists them.
const GRPC_CODINGS: &str = "identity,gzip,zstd,deflate";

/// A health check names a service.
const HEALTH_BYTES_MAX: usize = 256;
