//! `redora health`: one HTTP request by hand, so that an image without a shell and without curl can
//! check itself.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Outcome;
use super::args::HealthOptions;

/// Where an agent with the default configuration answers; containers may have only one of the two
/// families.
const DEFAULT_URLS: [&str; 2] = ["http://127.0.0.1:9464/readyz", "http://[::1]:9464/readyz"];

/// The reason of an agent that is not ready fits well into it.
const BODY_BYTES_MAX: usize = 4096;

/// Asks an agent whether it is ready and says so.
pub(super) fn health(options: &HealthOptions) -> Outcome {
    let urls = match &options.url {
        Some(url) => vec![url.clone()],
        None => DEFAULT_URLS.map(Uri::from_static).to_vec(),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            super::complain(&format_args!("cannot start: {error}"));
            return Outcome::Failed;
        }
    };
    let answer = runtime.block_on(first_answer(urls, options.timeout));
    // A name still being resolved sits in a thread that must not hold the exit.
    runtime.shutdown_background();
    match answer {
        Ok(()) => super::print(b"ready\n"),
        Err(faults) => {
            for (url, fault) in faults {
                super::complain(&format_args!("{url}: {fault}"));
            }
            Outcome::Failed
        }
    }
}

/// Why an agent does not count as ready.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("cannot reach the agent: {0}; is redora running, and is this its admin port?")]
    Unreachable(io::Error),
    #[error("no answer within {} ms; try a longer --timeout", .0.as_millis())]
    Silent(Duration),
    #[error("the answer is not HTTP ({0}); is this the admin port of redora?")]
    NotHttp(hyper::Error),
    #[error("not ready: {status}{reason}")]
    NotReady { status: StatusCode, reason: Reason },
}

/// What the agent said about itself, made safe for a terminal.
#[derive(Debug)]
struct Reason(String);

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.trim() {
            "" => Ok(()),
            text => write!(out, ": {}", text.escape_debug()),
        }
    }
}

/// Asks all addresses at once, since a firewall may swallow the packets to one of them. The first
/// success counts; otherwise every fault is returned in the order of the addresses.
async fn first_answer(urls: Vec<Uri>, limit: Duration) -> Result<(), Vec<(Uri, Fault)>> {
    let mut questions = JoinSet::new();
    for (place, url) in urls.into_iter().enumerate() {
        questions.spawn(async move {
            let answer = timeout(limit, ask(&url)).await;
            let fault = answer.unwrap_or(Err(Fault::Silent(limit)));
            fault.map_err(|fault| (place, url, fault))
        });
    }
    let mut faults = Vec::new();
    while let Some(answer) = questions.join_next().await {
        match answer.expect("a question neither panics nor is aborted") {
            Ok(()) => return Ok(()),
            Err(fault) => faults.push(fault),
        }
    }
    faults.sort_by_key(|(place, ..)| *place);
    Err(faults.into_iter().map(|(_, url, fault)| (url, fault)).collect())
}

/// One request over one connection.
async fn ask(url: &Uri) -> Result<(), Fault> {
    let socket = connect(url).await.map_err(Fault::Unreachable)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(socket)).await.map_err(Fault::NotHttp)?;
    let request = Request::get(url.path_and_query().map_or("/readyz", |path| path.as_str()))
        .header(header::HOST, url.authority().map_or("", |authority| authority.as_str()))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .expect("a parsed URL makes a valid request");
    let exchange = async {
        let response = sender.send_request(request).await.map_err(Fault::NotHttp)?;
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(());
        }
        let reason = first_bytes(response.into_body()).await;
        Err(Fault::NotReady { status, reason: Reason(String::from_utf8_lossy(&reason).into()) })
    };
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // The connection ends before the exchange only when it broke, which the exchange then
        // reports.
        _ = connection => exchange.await,
    }
}

/// What the body starts with; of a longer or broken one the rest is of no interest.
async fn first_bytes(mut body: Incoming) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < BODY_BYTES_MAX
        && let Some(Ok(frame)) = body.frame().await
    {
        let data = frame.data_ref().map_or(&[][..], |data| data);
        bytes.extend_from_slice(&data[..data.len().min(BODY_BYTES_MAX - bytes.len())]);
    }
    bytes
}

/// Connects to the first address of the host that accepts.
async fn connect(url: &Uri) -> io::Result<TcpStream> {
    let host = url.host().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let addresses: Vec<SocketAddr> =
        lookup_host((host, url.port_u16().unwrap_or(80))).await?.collect();
    TcpStream::connect(&addresses[..]).await
}

/// Why a URL was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlFault {
    #[error("write it as http://HOST:PORT")]
    Form,
    #[error("only http is built in; the admin port of redora does not speak https")]
    Scheme,
}

/// A URL that can be asked; without a path it asks for readiness.
pub(super) fn parse_url(text: &str) -> Result<Uri, UrlFault> {
    let url: Uri = text.parse().map_err(|_| UrlFault::Form)?;
    match url.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(UrlFault::Scheme),
        _ => return Err(UrlFault::Form),
    }
    if url.host().is_none_or(str::is_empty) {
        return Err(UrlFault::Form);
    }
    if url.path() != "/" || url.query().is_some() {
        return Ok(url);
    }
    let mut parts = url.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/readyz"));
    Uri::from_parts(parts).map_err(|_| UrlFault::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_and_a_bare_one_asks_for_readiness() {
        let url = |text| parse_url(text).map(|url| url.to_string());
        assert_eq!(url("http://10.0.0.7:9464").unwrap(), "http://10.0.0.7:9464/readyz");
        assert_eq!(url("http://[::1]:9464/").unwrap(), "http://[::1]:9464/readyz");
        assert_eq!(url("http://h/healthz").unwrap(), "http://h/healthz");
        assert_eq!(url("https://h"), Err(UrlFault::Scheme));
        for text in ["", "h:9464", "/readyz", "ftp://h", "http://", "http:// h"] {
            assert_eq!(url(text), Err(UrlFault::Form), "{text}");
        }
    }

    #[test]
    fn a_reason_cannot_move_the_cursor() {
        let reason = Reason("\x1b[2Jdraining\n".into());
        assert_eq!(reason.to_string(), ": \\u{1b}[2Jdraining");
    }
}
