//! The hostile peer: HTTP/1.1 written byte by byte, and gRPC frames on a real HTTP/2 connection, so
//! that no client library repairs or refuses what is to be sent.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

/// The head of a POST with these header lines.
pub(crate) fn head(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: agent\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Sends these bytes on one connection, whose sending side it may end, and returns the codes of all
/// status lines until the agent closes it.
pub(crate) fn raw(address: SocketAddr, bytes: &[u8], ends: bool) -> Vec<u16> {
    let mut peer = TcpStream::connect(address).unwrap();
    // A peer that is refused early may find its connection closed while it writes.
    let _ = peer.write_all(bytes);
    if ends {
        peer.shutdown(Shutdown::Write).unwrap();
    }
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    let _ = peer.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let lines = answer.split("HTTP/1.1 ").skip(1);
    lines.map(|line| line.get(..3).unwrap().parse().unwrap()).collect()
}

/// Posts a body over HTTP/1.1; the status.
pub(crate) fn post(address: SocketAddr, path: &str, kind: &str, coding: &str, body: &[u8]) -> u16 {
    let length = body.len().to_string();
    let mut headers =
        vec![("Content-Type", kind), ("Content-Length", &length), ("Connection", "close")];
    if !coding.is_empty() {
        headers.push(("Content-Encoding", coding));
    }
    let mut peer = TcpStream::connect(address).unwrap();
    let _ = peer.write_all(&head(path, &headers)).and_then(|()| peer.write_all(body));
    let mut answer = Vec::new();
    let _ = peer.read_to_end(&mut answer);
    let line = String::from_utf8_lossy(answer.get(9..12).unwrap_or_default()).into_owned();
    line.parse().unwrap_or_else(|_| panic!("no answer: {line:?} of {answer:?}"))
}

/// The five bytes before a gRPC message, saying this length.
pub(crate) fn prefix(compressed: bool, length: usize) -> Vec<u8> {
    let length = u32::try_from(length).unwrap().to_be_bytes();
    [&[u8::from(compressed)], &length[..]].concat()
}

/// Sends bytes as the body of a gRPC call over HTTP/2; the gRPC status.
pub(crate) fn call(address: SocketAddr, path: &str, coding: &str, framed: Vec<u8>) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::post(format!("http://{address}{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if !coding.is_empty() {
            request = request.header("grpc-encoding", coding);
        }
        let request = request.body(Full::new(Bytes::from(framed))).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        let status = |headers: &HeaderMap| {
            headers.get("grpc-status").map(|code| code.to_str().unwrap().parse().unwrap())
        };
        match status(answer.headers()) {
            Some(status) => status,
            None => {
                let body = answer.into_body().collect().await.unwrap();
                status(body.trailers().unwrap()).unwrap()
            }
        }
    })
}

/// How long a connection that should be closed is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
