//! The admin port over real sockets: what each path answers, who may reload, and what a slow
//! scraper costs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use redora::admin::{
    Admin, Config, Readiness, Reload, SCRAPES_MAX, Scrape, ScrapeRequest, ScrapeResponse,
    TokenCheck,
};
use redora::listen::{Bounds, bind, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, watch};

/// An admin port under test: functions to hand in, and how peers look to it.
struct Port {
    scrape: Scrape,
    readiness: watch::Receiver<Readiness>,
    reload: Reload,
    token: watch::Receiver<Option<TokenCheck>>,
    /// Real peers of a test all come from this machine, so others have to be made up.
    peer: SocketAddr,
}

impl Default for Port {
    fn default() -> Self {
        Self {
            scrape: Arc::new(|_| plain(["a 1\n", "b 2\n"].map(Bytes::from))),
            readiness: watch::channel(Readiness::Ready).1,
            reload: Arc::new(|| Box::pin(async { Ok(()) })),
            token: watch::channel(None).1,
            peer: "127.0.0.1:40000".parse().unwrap(),
        }
    }
}

fn plain(chunks: impl IntoIterator<Item = Bytes, IntoIter: Send + 'static>) -> ScrapeResponse {
    let mut chunks = chunks.into_iter();
    ScrapeResponse {
        content_type: HeaderValue::from_static("text/plain; version=0.0.4"),
        content_encoding: None,
        chunks: Box::new(move || chunks.next()),
    }
}

impl Port {
    async fn serve(self) -> SocketAddr {
        let Self { scrape, readiness, reload, token, peer } = self;
        let admin = Admin::new(Config {
            scrape,
            scrapes_max: SCRAPES_MAX,
            readiness,
            reload,
            token,
            push: None,
            query: None,
        });
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let handle = move |seen: SocketAddr, request| {
            let admin = admin.clone();
            // A peer from elsewhere cannot be had on loopback; every other one is the socket's own.
            let peer = if peer.ip().is_loopback() { seen } else { peer };
            async move { admin.answer(peer, request).await }
        };
        let bounds = Bounds {
            connections: 64,
            streams_per_connection: 16,
            header_timeout: Duration::from_secs(60),
            drain_timeout: Duration::ZERO,
        };
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            let _drained = serve(vec![listener], handle, bounds, Arc::new(|_| {}), stopped).await;
            drop(stop);
        });
        address
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Sends these lines as one request and reads until the server closes.
async fn ask(address: SocketAddr, first: &str, headers: &[(&str, &str)]) -> Answer {
    let mut socket = send(address, first, headers).await;
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, body: body.to_owned() }
}

async fn send(address: SocketAddr, first: &str, headers: &[(&str, &str)]) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{first} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        request.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

/// Reads from the answer of a running scrape until its head and a first piece of its body are here.
async fn read_start(socket: &mut TcpStream) -> String {
    let mut buffer = vec![0; 4096];
    let read = socket.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

#[tokio::test]
async fn health_says_that_the_process_lives_even_when_it_is_not_ready() {
    let (_sender, readiness) = watch::channel(Readiness::Draining);
    let address = Port { readiness, ..Port::default() }.serve().await;
    let answer = ask(address, "GET /healthz", &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
}

#[tokio::test]
async fn readiness_follows_the_agent_and_gives_the_reason() {
    let (state, readiness) = watch::channel(Readiness::Starting);
    let address = Port { readiness, ..Port::default() }.serve().await;
    for (now, status, body) in [
        (Readiness::Starting, 503, "starting: not all listeners are bound\n"),
        (Readiness::Ready, 200, "ready\n"),
        (Readiness::Draining, 503, "draining: the agent is about to stop\n"),
    ] {
        state.send_replace(now);
        let answer = ask(address, "GET /readyz", &[]).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body));
    }
}

#[tokio::test]
async fn the_index_links_every_page_and_needs_no_other_host() {
    let address = Port::default().serve().await;
    let answer = ask(address, "GET /", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert!(answer.body.contains(&format!("<a href=\"{path}\">")), "{}", answer.body);
        assert_eq!(ask(address, &format!("GET {path}"), &[]).await.status, 200);
    }
    assert!(!answer.body.contains("http:") && !answer.body.contains("https:"));
}

#[tokio::test]
async fn what_is_not_here_says_so_and_methods_are_named() {
    let address = Port::default().serve().await;
    for path in ["/nothing", "/metrics/", "//", "/-/reload/", "/%6detrics", "/api/v1/slos"] {
        let answer = ask(address, &format!("GET {path}"), &[]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
    for (request, allow) in [
        ("POST /metrics", "GET, HEAD"),
        ("DELETE /", "GET, HEAD"),
        ("PUT /readyz", "GET, HEAD"),
        ("OPTIONS /healthz", "GET, HEAD"),
        ("GET /-/reload", "POST"),
        ("HEAD /-/reload", "POST"),
    ] {
        let answer = ask(address, request, &[]).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allow), "{request}");
    }
}

#[tokio::test]
async fn every_answer_keeps_browsers_and_caches_out() {
    let address = Port::default().serve().await;
    for request in ["GET /", "GET /metrics", "GET /nothing", "POST /", "POST /-/reload"] {
        let answer = ask(address, request, &[]).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{request}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{request}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{request}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{request}: {policy}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{request}");
    }
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let asked = Arc::new(AtomicUsize::new(0));
    let chunks_asked = Arc::clone(&asked);
    let scrape: Scrape = Arc::new(move |_| {
        let asked = Arc::clone(&chunks_asked);
        plain(std::iter::from_fn(move || {
            (asked.fetch_add(1, Ordering::Relaxed) == 0).then(|| Bytes::from("a 1\n"))
        }))
    });
    let address = Port { scrape, ..Port::default() }.serve().await;
    for path in ["/", "/metrics", "/healthz", "/readyz"] {
        let head = ask(address, &format!("HEAD {path}"), &[]).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        if path == "/metrics" {
            assert_eq!(asked.load(Ordering::Relaxed), 0, "a HEAD needs no chunk");
        }
        let get = ask(address, &format!("GET {path}"), &[]).await;
        for name in ["content-type", "content-length", "vary", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_scrape_is_told_what_the_scraper_reads_and_sent_as_it_says() {
    let (sender, mut requests) = mpsc::unbounded_channel();
    let scrape: Scrape = Arc::new(move |request| {
        sender.send(request).unwrap();
        let mut response = plain(["squeezed ", "", "lemon"].map(Bytes::from));
        response.content_type = HeaderValue::from_static("application/openmetrics-text");
        response.content_encoding = Some(HeaderValue::from_static("zstd"));
        response
    });
    let address = Port { scrape, ..Port::default() }.serve().await;
    let headers = [("accept", "a/b;q=1"), ("accept", "c/d"), ("accept-encoding", "zstd, gzip")];
    let answer = ask(address, "GET /metrics?x=1", &headers).await;
    assert_eq!(
        requests.recv().await.unwrap(),
        ScrapeRequest { accept: "a/b;q=1, c/d".into(), accept_encoding: "zstd, gzip".into() }
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/openmetrics-text");
    assert_eq!(answer.header("content-encoding"), "zstd");
    assert_eq!(answer.header("vary"), "accept, accept-encoding");
    assert_eq!(answer.header("transfer-encoding"), "chunked");
    assert_eq!(answer.body, "9\r\nsqueezed \r\n5\r\nlemon\r\n0\r\n\r\n");

    ask(address, "GET /metrics", &[]).await;
    assert_eq!(requests.recv().await.unwrap(), ScrapeRequest::default());
}

/// Bytes of one chunk in the tests of large scrapes.
const CHUNK_BYTES: usize = 64 << 10;

/// More than both socket buffers of a loopback connection hold together.
const BUFFERED_BYTES_MAX: usize = 24 << 20;

/// A scrape of so many chunks, and the number of chunks made so far.
fn large(chunks: usize) -> (Scrape, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let chunk = Bytes::from(vec![b'x'; CHUNK_BYTES]);
    let scrape: Scrape = Arc::new(move |_| {
        let (counter, chunk) = (Arc::clone(&counter), chunk.clone());
        plain((0..chunks).map(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            chunk.clone()
        }))
    });
    (scrape, made)
}

#[tokio::test]
async fn chunks_are_made_only_as_fast_as_the_peer_takes_them() {
    let total = 2048;
    let (scrape, made) = large(total);
    let address = Port { scrape, ..Port::default() }.serve().await;
    let mut socket = send(address, "GET /metrics", &[]).await;
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut taken = 0;
    loop {
        let read = socket.read(&mut buffer).await.unwrap();
        if read == 0 {
            break;
        }
        taken += read;
        let ahead = (made.load(Ordering::Relaxed) * CHUNK_BYTES).saturating_sub(taken);
        assert!(ahead < BUFFERED_BYTES_MAX, "{ahead} bytes ahead of the peer");
    }
    assert_eq!(made.load(Ordering::Relaxed), total);
    assert!(taken > total * CHUNK_BYTES);
}

#[tokio::test]
async fn too_many_scrapes_at_once_are_sent_away_until_one_ends() {
    let (scrape, _) = large(usize::MAX);
    let address = Port { scrape, ..Port::default() }.serve().await;
    let mut running = Vec::new();
    for _ in 0..SCRAPES_MAX {
        let mut socket = send(address, "GET /metrics", &[]).await;
        assert!(read_start(&mut socket).await.starts_with("HTTP/1.1 200 OK"));
        running.push(socket);
    }
    let busy = ask(address, "GET /metrics", &[]).await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, "1"));
    assert_eq!(ask(address, "GET /healthz", &[]).await.status, 200);

    // The server notices the peer's leave with its next write, so the slot comes back soon, not at
    // once.
    running.pop();
    let freed = async {
        loop {
            let mut socket = send(address, "GET /metrics", &[]).await;
            if read_start(&mut socket).await.starts_with("HTTP/1.1 200 OK") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), freed).await.unwrap();
}

/// A reload that counts its calls.
fn counted() -> (Reload, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let reload: Reload = Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    });
    (reload, calls)
}

fn token(secret: &'static str) -> Option<TokenCheck> {
    Some(Arc::new(move |shown: &[u8]| shown == secret.as_bytes()))
}

#[tokio::test]
async fn a_reload_from_this_machine_needs_no_token_but_a_page_gets_nowhere() {
    let (reload, calls) = counted();
    let address = Port { reload, ..Port::default() }.serve().await;
    let answer = ask(address, "POST /-/reload", &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "reloaded\n"));
    for header in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("host", "evil.example"),
        ("x-forwarded-for", "10.1.2.3"),
    ] {
        let answer = ask(address, "POST /-/reload", &[header]).await;
        assert_eq!(answer.status, 403, "{header:?}");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_reload_from_another_machine_needs_the_configured_token() {
    let peer = "10.1.2.3:40000".parse().unwrap();
    let (reload, calls) = counted();
    let closed = Port { reload: Arc::clone(&reload), peer, ..Port::default() }.serve().await;
    let right = ("authorization", "Bearer s3cret");
    for headers in [&[][..], &[right]] {
        let answer = ask(closed, "POST /-/reload", headers).await;
        assert_eq!(answer.status, 403);
        assert!(answer.body.contains("admin_token"), "{}", answer.body);
    }
    let (configured, token_now) = watch::channel(token("s3cret"));
    let open = Port { reload, peer, token: token_now, ..Port::default() }.serve().await;
    for headers in [&[][..], &[("authorization", "Bearer wrong")], &[right, right]] {
        let answer = ask(open, "POST /-/reload", headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"redora admin\"");
        assert!(!answer.body.contains("s3cret"));
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    assert_eq!(ask(open, "POST /-/reload", &[right]).await.status, 200);
    assert_eq!(calls.load(Ordering::Relaxed), 1);

    configured.send_replace(token("rotated"));
    assert_eq!(ask(open, "POST /-/reload", &[right]).await.status, 401);
    let rotated = ("authorization", "Bearer rotated");
    assert_eq!(ask(open, "POST /-/reload", &[rotated]).await.status, 200);
}

#[tokio::test]
async fn a_faulty_reload_shows_the_faults_and_what_stays() {
    let reload: Reload =
        Arc::new(|| Box::pin(async { Err("a.yaml:1:1: x: is no known key".into()) }));
    let address = Port { reload, ..Port::default() }.serve().await;
    let answer = ask(address, "POST /-/reload", &[]).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body,
        "a.yaml:1:1: x: is no known key\nnot reloaded; the last good configuration stays\n"
    );
}

#[tokio::test]
async fn a_reload_takes_no_large_body() {
    let (reload, calls) = counted();
    let address = Port { reload, ..Port::default() }.serve().await;
    let body = "x".repeat(5000);
    let mut socket = send(address, "POST /-/reload", &[("content-length", "5000")]).await;
    socket.write_all(body.as_bytes()).await.unwrap();
    assert!(read_start(&mut socket).await.starts_with("HTTP/1.1 413 "));
    assert_eq!(calls.load(Ordering::Relaxed), 0);

    let mut socket = send(address, "POST /-/reload", &[("content-length", "4")]).await;
    socket.write_all(b"{}\r\n").await.unwrap();
    assert!(read_start(&mut socket).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn reloads_run_one_after_another_and_to_their_end() {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (ended, mut ends) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let (gate, running) = (Arc::clone(&go_on), Arc::new(AtomicBool::new(false)));
    let reload: Reload = Arc::new(move || {
        let (begun, ended) = (begun.clone(), ended.clone());
        let (gate, running) = (Arc::clone(&gate), Arc::clone(&running));
        Box::pin(async move {
            let alone = !running.swap(true, Ordering::SeqCst);
            begun.send(()).unwrap();
            gate.notified().await;
            running.store(false, Ordering::SeqCst);
            ended.send(alone).unwrap();
            Ok(())
        })
    });
    let address = Port { reload, ..Port::default() }.serve().await;
    // The first peer leaves in the middle of its reload.
    let first = send(address, "POST /-/reload", &[]).await;
    begins.recv().await.unwrap();
    drop(first);
    let second = tokio::spawn(async move { ask(address, "POST /-/reload", &[]).await.status });
    assert_eq!(ask(address, "GET /healthz", &[]).await.status, 200);
    go_on.notify_one();
    assert!(ends.recv().await.unwrap());
    begins.recv().await.unwrap();
    go_on.notify_one();
    assert!(ends.recv().await.unwrap());
    assert_eq!(second.await.unwrap(), 200);
}

#[tokio::test]
async fn a_reload_that_panics_is_an_error_of_the_agent_and_the_next_one_works() {
    let (reload, calls) = counted();
    let first = AtomicBool::new(true);
    let reload: Reload = Arc::new(move || {
        assert!(!first.swap(false, Ordering::Relaxed), "the first reload breaks");
        reload()
    });
    let address = Port { reload, ..Port::default() }.serve().await;
    assert_eq!(ask(address, "POST /-/reload", &[]).await.status, 500);
    assert_eq!(ask(address, "POST /-/reload", &[]).await.status, 200);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}
