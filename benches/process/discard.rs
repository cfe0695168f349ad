//! The ceiling: a server on the agent's own listeners that takes a request's body and forgets it.
//! What the agent costs beyond this is the agent's own; what this costs no agent on these sockets
//! can save.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use redora::listen::{self, Bounds};
use tokio::sync::watch;

/// Serves both addresses until the process is killed.
pub(crate) fn run(addresses: &[SocketAddr]) -> io::Result<()> {
    // As the agent's own: a worker for each core.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut listeners = Vec::new();
        for address in addresses {
            listeners.push(listen::bind(*address).map_err(io::Error::other)?);
        }
        let bounds = Bounds {
            connections: 1024,
            streams_per_connection: 16,
            header_timeout: Duration::from_secs(75),
            drain_timeout: Duration::ZERO,
        };
        let (_never, stop) = watch::channel(false);
        let _drained = listen::serve(listeners, discard, bounds, Arc::new(|_| ()), stop).await;
        Ok(())
    })
}

async fn discard(
    _peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<impl Body<Data = Bytes, Error = Infallible> + Send + 'static> {
    let (head, body) = request.into_parts();
    let is_grpc = head.headers.get(header::CONTENT_TYPE).is_some_and(|v| v == "application/grpc");
    // A body that breaks off belongs to a client that is going away.
    drop(body.collect().await);
    let (content_type, answer, trailers) = if is_grpc {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        ("application/grpc", EMPTY_MESSAGE, Some(Ok(trailers)))
    } else {
        ("application/x-protobuf", &[][..], None)
    };
    let body = Full::new(Bytes::from_static(answer)).with_trailers(ready(trailers));
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// The gRPC frame of a message of no bytes.
const EMPTY_MESSAGE: &[u8] = &[0; 5];
