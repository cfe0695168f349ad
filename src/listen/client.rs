//! One GET over one connection, for questions to another agent and to a Prometheus; a client
//! library with pools, redirects and cookies would be more than all of the questions.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::tls::{self, Distrust};

/// The longest answer that [`get`] takes.
pub const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// The URL has another scheme than http and https, or no host.
    #[error("only URLs as http://HOST:PORT/PATH can be asked")]
    Url,
    /// Nobody accepts the connection.
    #[error("cannot connect: {0}")]
    Unreachable(#[source] io::Error),
    /// Whoever accepts it is not to be trusted.
    #[error(transparent)]
    Untrusted(#[from] Distrust),
    /// The time-out passed.
    #[error("no answer within {} ms", .0.as_millis())]
    Silent(Duration),
    /// What came back is no HTTP, or broke off.
    #[error("the answer is not HTTP: {0}")]
    NotHttp(#[source] hyper::Error),
    /// The body broke off.
    #[error("the answer breaks off")]
    Body,
    /// The body is longer than asked for.
    #[error("the answer is longer than {bytes_max} bytes")]
    TooLong {
        /// What was asked for.
        bytes_max: usize,
    },
}

/// What is asked, and how much is taken for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// What is asked for.
    pub url: &'q Uri,
    /// What the other side shall see of who asks.
    pub authorization: Option<&'q HeaderValue>,
    /// The longest body.
    pub bytes_max: usize,
    /// How long the whole of it may take.
    pub limit: Duration,
}

/// Asks `url` once, over HTTP/1.1, and returns the status and the body.
///
/// # Errors
/// A [`GetError`]; every status counts as an answer.
pub async fn get(url: &Uri, limit: Duration) -> Result<(StatusCode, Bytes), GetError> {
    ask(Question { url, authorization: None, bytes_max: ANSWER_BYTES_MAX, limit }).await
}

/// Asks once, over HTTP/1.1, and returns the status and the body.
///
/// # Errors
/// A [`GetError`]; every status counts as an answer.
pub async fn ask(question: Question<'_>) -> Result<(StatusCode, Bytes), GetError> {
    let limit = question.limit;
    timeout(limit, exchange(question)).await.unwrap_or(Err(GetError::Silent(limit)))
}

async fn exchange(question: Question<'_>) -> Result<(StatusCode, Bytes), GetError> {
    let url = question.url;
    let (is_tls, authority) = match (url.scheme_str(), url.authority()) {
        (Some("http"), Some(authority)) => (false, authority),
        (Some("https"), Some(authority)) => (true, authority),
        _ => return Err(GetError::Url),
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let socket = connect(host, port).await.map_err(GetError::Unreachable)?;
    if is_tls {
        converse(tls::connect(host, socket).await?, authority.as_str(), question).await
    } else {
        converse(socket, authority.as_str(), question).await
    }
}

async fn converse(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    authority: &str,
    question: Question<'_>,
) -> Result<(StatusCode, Bytes), GetError> {
    let Question { url, authorization, bytes_max, .. } = question;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(socket)).await.map_err(GetError::NotHttp)?;
    let mut request = Request::get(url.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, authority)
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| GetError::Url)?;
    if let Some(authorization) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
    }
    let exchange = async {
        let response = sender.send_request(request).await.map_err(GetError::NotHttp)?;
        let status = response.status();
        #[cfg_attr(
            not(test),
            expect(clippy::disallowed_methods, reason = "the body is limited before")
        )]
        let body = Limited::new(response.into_body(), bytes_max).collect().await;
        match body {
            Ok(body) => Ok((status, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(GetError::TooLong { bytes_max }),
            Err(_) => Err(GetError::Body),
        }
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
