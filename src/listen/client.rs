//! One GET over one connection, for the agent's questions to another agent; a client library with
//! pools, redirects and TLS would be most of the binary.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// The longest answer that [`get`] takes.
pub const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// The URL has another scheme than http, or no host.
    #[error("only URLs as http://HOST:PORT/PATH can be asked")]
    Url,
    /// Nobody accepts the connection.
    #[error("cannot connect: {0}")]
    Unreachable(#[source] io::Error),
    /// The time-out passed.
    #[error("no answer within {} ms", .0.as_millis())]
    Silent(Duration),
    /// What came back is no HTTP, or broke off.
    #[error("the answer is not HTTP: {0}")]
    NotHttp(#[source] hyper::Error),
    /// The body broke off or is longer than [`ANSWER_BYTES_MAX`].
    #[error("the answer breaks off or is longer than {ANSWER_BYTES_MAX} bytes")]
    Body,
}

/// Asks `url` once, over HTTP/1.1, and returns the status and the body.
///
/// # Errors
/// A [`GetError`]; every status counts as an answer.
pub async fn get(url: &Uri, limit: Duration) -> Result<(StatusCode, Bytes), GetError> {
    timeout(limit, ask(url)).await.unwrap_or(Err(GetError::Silent(limit)))
}

async fn ask(url: &Uri) -> Result<(StatusCode, Bytes), GetError> {
    let (Some("http"), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return Err(GetError::Url);
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(80);
    let socket = connect(host, port).await.map_err(GetError::Unreachable)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(socket)).await.map_err(GetError::NotHttp)?;
    let request = Request::get(url.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, authority.as_str())
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| GetError::Url)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(GetError::NotHttp)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, body.map_err(|_| GetError::Body)?.to_bytes()))
    };
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // A connection that ends first has broken, which the exchange then reports.
        _ = connection => exchange.await,
    }
}

async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    TcpStream::connect(&addresses[..]).await
}
