//! A socket's OTLP request to a [`Batch`]: the one place where sizes, encodings and tenants are
//! decided, so that everything behind it sees plain protobuf of a known number of items.
//!
//! Both ports speak OTLP over gRPC and over HTTP, in protobuf and JSON, over HTTP/1.1 and HTTP/2;
//! the content type decides. A request goes through path, method and content type (`http`, `grpc`),
//! its body within limit, time and the memory of all requests (`body`, `budget`), decompression
//! (`inflate`), JSON to protobuf and the count of items (`door`) to the delivery, whose verdict is
//! answered (`denial` for all that is refused).
//!
//! What hyper itself refuses, before there is a request, has no `google.rpc.Status` for a body:
//! bytes that are no HTTP (400) and heads that are too large (431).

mod batch;
mod body;
mod budget;
mod coding;
mod config;
mod denial;
mod door;
mod form;
mod grpc;
mod http;
mod inflate;
mod reply;
mod tenant;

use std::sync::Arc;

use ::http::{Request, Response, Version};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::listen::{self, BindError, Bounds, Drained, Incoming, Tell};
use budget::Budget;
use door::Door;
use form::Form;
use reply::Reply;
use tenant::Tenancy;

pub use batch::{Batch, Deliver, Reason, Refusal, Refused, Verdict};
pub use config::{Config, Limits};

/// The sockets of both ports.
#[derive(Debug)]
pub struct Listeners {
    /// Of the port that SDKs call the gRPC port.
    pub grpc: Vec<TcpListener>,
    /// Of the port that SDKs call the HTTP port.
    pub http: Vec<TcpListener>,
}

impl Listeners {
    /// Binds the addresses of `config`. Also returns those that the machine does not have, for a
    /// warning; each port has at least one other.
    ///
    /// # Errors
    /// Every fault of both ports, each naming its address and the cure.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn bind(config: &Config) -> Result<(Self, Vec<BindError>), Vec<BindError>> {
        match (listen::bind_all(&config.grpc), listen::bind_all(&config.http)) {
            (Ok(grpc), Ok(http)) => {
                let absent = grpc.absent.into_iter().chain(http.absent).collect();
                Ok((Self { grpc: grpc.listeners, http: http.listeners }, absent))
            }
            (grpc, http) => {
                let faults = [grpc.err(), http.err()];
                Err(faults.into_iter().flatten().flatten().collect())
            }
        }
    }
}

/// Receives on `listeners` until `stop` becomes true or its sender is gone, and then until the
/// requests in flight are answered, at most [`Limits::drain_timeout`] long.
///
/// Every request is either delivered, and answered as the verdict says, or refused before;
/// `refused` hears of both kinds of refusal. `deliver` and `refused` run on the connections' tasks,
/// several at a time.
pub async fn serve(
    limits: Limits,
    listeners: Listeners,
    deliver: Deliver,
    refused: Refused,
    tell: Tell,
    stop: watch::Receiver<bool>,
) -> Drained {
    let bounds = Bounds {
        connections: limits.connections,
        streams_per_connection: limits.streams_per_connection,
        header_timeout: limits.header_timeout,
        drain_timeout: limits.drain_timeout,
    };
    let budget = Budget::new(limits.memory_bytes);
    let door = Door { limits, budget, tenancy: Tenancy::single(), deliver, refused };
    let door = Arc::new(door);
    let port = |listeners| {
        let door = door.clone();
        let handle = move |_peer, request| answer(door.clone(), request);
        listen::serve(listeners, handle, bounds.clone(), tell.clone(), stop.clone())
    };
    let (grpc, http) = tokio::join!(port(listeners.grpc), port(listeners.http));
    Drained { cut: grpc.cut + http.cut }
}

/// Lets the protocol of the content type answer.
async fn answer(door: Arc<Door>, request: Request<Incoming>) -> Response<Reply> {
    match Form::of(request.headers()) {
        Form::Grpc if request.version() == Version::HTTP_2 => grpc::answer(&door, request).await,
        form => http::answer(&door, form, request).await,
    }
}
