//! What peers do to a socket that no HTTP client library would: drip, stall, vanish, flood, and
//! stay over a stop.

#[expect(dead_code, reason = "each suite uses a part of the support")]
mod receive_support;

use std::net::SocketAddr;
use std::pin::Pin;
use std::process::Command;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use receive_support::{Agent, Ask, accept, ask_one, ask_two, read_answer, within};
use redora::listen::{self, Event, GetError};
use redora::receive::{Limits, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const JSON: &str = "application/json";
const ONE_SPAN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET /"}]}]}]}"#;
const SHORT: Duration = Duration::from_millis(200);

fn one_span() -> Ask {
    Ask::post("/v1/traces", JSON, ONE_SPAN)
}

fn limits() -> Limits {
    Limits { request_bytes: 64 << 10, ..Limits::default() }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("the receiver listens")
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).await.expect("the receiver reads");
}

/// What comes until the receiver closes; a reset counts as closing.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = within(stream.read_to_end(&mut bytes)).await;
    bytes
}

async fn refused_as(agent: &Agent, reason: Reason) {
    within(async {
        loop {
            if agent.refused().iter().any(|refusal| refusal.reason == reason) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn heard(agent: &mut Agent, expected: Event) {
    while within(agent.events.recv()).await.expect("the receiver runs") != expected {}
}

#[tokio::test]
async fn a_connection_carries_many_requests_one_by_one_and_at_once() {
    let agent = Agent::start(limits(), accept);
    let mut stream = connect(agent.http).await;
    for _ in 0..3 {
        send(&mut stream, &one_span().to_bytes()).await;
        assert_eq!(read_answer(&mut stream).await.status, 200);
    }
    // Pipelined, with a refusal in the middle that must not end the connection.
    let missing = Ask::post("/nowhere", JSON, "{}").to_bytes();
    let two = [one_span().to_bytes(), missing, one_span().to_bytes()].concat();
    send(&mut stream, &two).await;
    for status in [200, 404, 200] {
        assert_eq!(read_answer(&mut stream).await.status.as_u16(), status);
    }
    assert_eq!(agent.items(), 5);
}

#[tokio::test]
async fn chunked_bodies_come_in_any_pieces() {
    let agent = Agent::start(limits(), accept);
    let mut stream = connect(agent.http).await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: agent\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let pieces: String = ONE_SPAN.chars().map(|byte| format!("1\r\n{byte}\r\n")).collect();
    send(&mut stream, format!("{head}{pieces}0\r\n\r\n").as_bytes()).await;
    assert_eq!(read_answer(&mut stream).await.status, 200);
    let body = "x".repeat(1000);
    let endless = format!("3e8\r\n{body}\r\n").repeat(70);
    send(&mut stream, format!("{head}{endless}0\r\n\r\n").as_bytes()).await;
    assert_eq!(read_answer(&mut stream).await.status, 413, "a limit without an announced length");
    send(&mut stream, &one_span().to_bytes()).await;
    assert_eq!(read_answer(&mut stream).await.status, 200, "the rest was read and passed over");
    assert_eq!(agent.items(), 2);
}

#[tokio::test]
async fn a_peer_that_writes_first_and_reads_then_sees_its_413() {
    let agent = Agent::start(limits(), accept);
    let mut stream = connect(agent.http).await;
    // Far more than the buffers of both sockets: whoever closed now would reset the answer away.
    let large = Ask::post("/v1/traces", "application/x-protobuf", vec![0; 400 << 10]);
    send(&mut stream, &large.to_bytes()).await;
    assert_eq!(read_answer(&mut stream).await.status, 413);
    send(&mut stream, &one_span().to_bytes()).await;
    assert_eq!(read_answer(&mut stream).await.status, 200);
}

#[tokio::test]
async fn a_length_over_the_limit_is_refused_before_the_body() {
    let agent = Agent::start(limits(), accept);
    let head = "POST /v1/traces HTTP/1.1\r\nhost: agent\r\ncontent-type: application/json\r\n\
                content-length: 99999999999\r\n";
    let mut stream = connect(agent.http).await;
    send(&mut stream, format!("{head}\r\n").as_bytes()).await;
    assert_eq!(read_answer(&mut stream).await.status, 413);
    let mut asking = connect(agent.http).await;
    send(&mut asking, format!("{head}expect: 100-continue\r\n\r\n").as_bytes()).await;
    let answer = read_answer(&mut asking).await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (413, Some("close")));
    assert_eq!(rest(&mut asking).await, b"");
}

#[tokio::test]
async fn announced_lengths_reserve_nothing() {
    let agent = Agent::start(Limits { memory_bytes: 64 << 10, ..limits() }, accept);
    let head = "POST /v1/traces HTTP/1.1\r\nhost: agent\r\ncontent-type: application/json\r\n\
                content-length: 65536\r\n\r\n{";
    let mut idle = Vec::new();
    for _ in 0..100 {
        let mut stream = connect(agent.http).await;
        send(&mut stream, head.as_bytes()).await;
        idle.push(stream);
    }
    assert_eq!(ask_one(agent.http, &one_span()).await.status, 200);
}

#[tokio::test]
async fn slow_bodies_end_and_vanished_peers_are_counted() {
    let agent = Agent::start(Limits { body_timeout: SHORT, ..limits() }, accept);
    let head = "POST /v1/traces HTTP/1.1\r\nhost: agent\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{";
    let mut slow = connect(agent.http).await;
    send(&mut slow, head.as_bytes()).await;
    let answer = read_answer(&mut slow).await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (408, Some("close")));
    assert_eq!(rest(&mut slow).await, b"");
    refused_as(&agent, Reason::Incomplete).await;

    let patient = Agent::start(limits(), accept);
    let mut vanishing = connect(patient.http).await;
    send(&mut vanishing, head.as_bytes()).await;
    drop(vanishing);
    refused_as(&patient, Reason::Incomplete).await;
    assert_eq!(ask_one(patient.http, &one_span()).await.status, 200);
}

#[tokio::test]
async fn peers_that_say_nothing_or_half_a_head_are_cut() {
    let mut agent = Agent::start(Limits { header_timeout: SHORT, ..limits() }, accept);
    for beginning in
        [&b""[..], b"PRI * HTTP/2.0\r\n", b"POST /v1/tr", b"POST / HTTP/1.1\r\nhost: a\r\n"]
    {
        let mut stream = connect(agent.http).await;
        send(&mut stream, beginning).await;
        rest(&mut stream).await;
        heard(&mut agent, Event::Cut).await;
    }
    // An idle connection ends as well, after its answer.
    let mut idle = connect(agent.http).await;
    send(&mut idle, &one_span().to_bytes()).await;
    assert_eq!(read_answer(&mut idle).await.status, 200);
    assert_eq!(rest(&mut idle).await, b"");
    // HTTP/2 without requests, by a peer that acknowledges nothing.
    let mut deaf = connect(agent.http).await;
    send(&mut deaf, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    rest(&mut deaf).await;
    heard(&mut agent, Event::Cut).await;
    assert_eq!(ask_two(agent.http, &one_span()).await.status, 200);
}

#[tokio::test]
async fn bytes_that_are_no_http_and_endless_heads_are_answered_and_closed() {
    let agent = Agent::start(limits(), accept);
    let mut stream = connect(agent.http).await;
    send(&mut stream, b"\x16\x03\x01 this is TLS\r\n\r\n").await;
    assert!(rest(&mut stream).await.starts_with(b"HTTP/1.1 400"));
    let mut stream = connect(agent.http).await;
    let endless = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(40 << 10));
    send(&mut stream, endless.as_bytes()).await;
    assert!(rest(&mut stream).await.starts_with(b"HTTP/1.1 431"));
    assert_eq!(ask_one(agent.http, &one_span()).await.status, 200);
}

#[tokio::test]
async fn over_the_bound_of_connections_peers_wait_and_others_go_on() {
    let mut agent = Agent::start(Limits { connections: 2, ..limits() }, accept);
    let mut first = connect(agent.http).await;
    let mut second = connect(agent.http).await;
    for stream in [&mut first, &mut second] {
        send(stream, &one_span().to_bytes()).await;
        assert_eq!(read_answer(stream).await.status, 200);
    }
    let mut third = connect(agent.http).await;
    send(&mut third, &one_span().to_bytes()).await;
    heard(&mut agent, Event::AtCapacity).await;
    send(&mut first, &one_span().to_bytes()).await;
    assert_eq!(read_answer(&mut first).await.status, 200, "existing peers are not disturbed");
    assert_eq!(agent.items(), 3);
    drop(second);
    assert_eq!(read_answer(&mut third).await.status, 200, "a place became free");
}

#[tokio::test]
async fn a_stop_finishes_what_has_begun_and_ends_idle_peers() {
    let agent = Agent::start(limits(), accept);
    let mut idle = connect(agent.http).await;
    send(&mut idle, &one_span().to_bytes()).await;
    assert_eq!(read_answer(&mut idle).await.status, 200);
    let bytes = one_span().to_bytes();
    let (beginning, end) = bytes.split_at(bytes.len() - 10);
    let mut busy = connect(agent.http).await;
    // The answer to 100-continue shows that the request has begun.
    let text = String::from_utf8(beginning.to_vec()).expect("text");
    let asking = text.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    send(&mut busy, asking.as_bytes()).await;
    assert_eq!(read_answer(&mut busy).await.status, 100);
    agent.begin_stop();
    assert_eq!(rest(&mut idle).await, b"", "an idle connection ends at once");
    send(&mut busy, end).await;
    let answer = read_answer(&mut busy).await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (200, Some("close")));
    assert_eq!(agent.items(), 2);
    let address = agent.http;
    assert_eq!(within(agent.stop()).await.cut, 0);
    TcpStream::connect(address).await.expect_err("nobody listens any more");
}

/// A body that goes on until its sender is dropped.
struct Pieces(mpsc::UnboundedReceiver<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

#[tokio::test]
async fn a_stop_finishes_streams_and_takes_no_more() {
    let agent = Agent::start(limits(), accept);
    let io = TokioIo::new(connect(agent.grpc).await);
    let shaken = http2::handshake(TokioExecutor::new(), io).await;
    let (mut sender, connection) = shaken.expect("the receiver speaks HTTP/2");
    let connection = tokio::spawn(connection);
    let (pieces, body) = mpsc::unbounded_channel();
    let request = http::Request::post("http://agent/v1/traces").header("content-type", JSON);
    let answer = tokio::spawn(sender.send_request(request.body(Pieces(body)).expect("valid")));
    let (beginning, end) = ONE_SPAN.split_at(20);
    pieces.send(Bytes::from_static(beginning.as_bytes())).expect("the stream is open");
    // An answer on another stream shows that the first one has begun, since frames keep their
    // order.
    let none = Pieces(mpsc::unbounded_channel().1);
    let missing = http::Request::post("http://agent/nowhere").body(none).expect("valid");
    assert_eq!(within(sender.send_request(missing)).await.expect("an answer").status(), 404);
    agent.begin_stop();
    within(async { while TcpStream::connect(agent.grpc).await.is_ok() {} }).await;
    pieces.send(Bytes::from_static(end.as_bytes())).expect("the stream is still open");
    drop(pieces);
    let answer = within(answer).await.expect("no panic").expect("begun before the stop");
    assert_eq!(answer.status(), 200);
    within(connection).await.expect("no panic").expect("the receiver says goodbye");
    assert_eq!(agent.items(), 1);
    assert_eq!(within(agent.stop()).await.cut, 0);
}

#[tokio::test]
async fn a_status_can_be_asked_for() {
    let agent = Agent::start(limits(), accept);
    let url = |text: String| text.parse::<http::Uri>().expect("a URL");
    let ask = async |text: String| listen::get(&url(text), Duration::from_secs(20)).await;
    let (status, body) = ask(format!("http://{}/v1/traces?x", agent.http)).await.expect("HTTP");
    assert_eq!(status, 405);
    assert!(!body.is_empty());
    let nobody = listen::bind("127.0.0.1:0".parse().expect("an address")).expect("loopback");
    let address = nobody.local_addr().expect("bound");
    let silent = listen::get(&url(format!("http://{address}/")), SHORT).await;
    assert!(matches!(silent, Err(GetError::Silent(SHORT))), "{silent:?}");
    drop(nobody);
    let gone = ask(format!("http://{address}/")).await;
    assert!(matches!(gone, Err(GetError::Unreachable(_))), "{gone:?}");
    let plain = ask(format!("https://{}/", agent.http)).await;
    assert!(matches!(plain, Err(GetError::Untrusted(_))), "{plain:?}");
    let other = ask("ftp://localhost/".to_owned()).await;
    assert!(matches!(other, Err(GetError::Url)), "{other:?}");
}

#[tokio::test]
async fn a_stop_cuts_who_does_not_finish() {
    let agent = Agent::start(Limits { drain_timeout: SHORT, ..limits() }, accept);
    let mut stalled = connect(agent.http).await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: agent\r\ncontent-type: application/json\r\n\
                content-length: 100\r\nexpect: 100-continue\r\n\r\n";
    send(&mut stalled, head.as_bytes()).await;
    assert_eq!(read_answer(&mut stalled).await.status, 100);
    assert_eq!(within(agent.stop()).await.cut, 1);
    assert_eq!(rest(&mut stalled).await, b"");
}

/// Set for the child that runs with few descriptors.
const CHILD: &str = "REDORA_TEST_FEW_DESCRIPTORS";

#[test]
fn a_full_table_of_descriptors_does_not_end_the_accept_loop() {
    if std::env::var_os(CHILD).is_some() {
        return tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(run_out_of_descriptors());
    }
    let program = std::env::current_exe().expect("the test knows itself");
    let child = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""])
        .arg(program)
        .args(["--exact", "a_full_table_of_descriptors_does_not_end_the_accept_loop"])
        .env(CHILD, "1")
        .output()
        .expect("sh runs");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

async fn run_out_of_descriptors() {
    let mut agent = Agent::start(limits(), accept);
    let mut early = connect(agent.http).await;
    send(&mut early, &one_span().to_bytes()).await;
    assert_eq!(read_answer(&mut early).await.status, 200);
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    // One descriptor for the peer's end of a connection, none for the receiver's.
    files.pop();
    let mut waiting = connect(agent.http).await;
    send(&mut waiting, &one_span().to_bytes()).await;
    heard(&mut agent, Event::AcceptFailed).await;
    send(&mut early, &one_span().to_bytes()).await;
    assert_eq!(read_answer(&mut early).await.status, 200, "existing peers are not disturbed");
    drop(files);
    assert_eq!(read_answer(&mut waiting).await.status, 200, "and it recovers");
    assert_eq!(agent.items(), 3);
}
