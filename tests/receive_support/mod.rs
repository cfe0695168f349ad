//! A receiver on loopback with a recorder behind it, and clients that send exactly what a test
//! says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use redora::listen::{self, Drained, Event};
use redora::receive::{self, Batch, Limits, Listeners, Refusal, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// A running receiver and what it told its owner.
pub(crate) struct Agent {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) batches: Arc<Mutex<Vec<Batch>>>,
    pub(crate) refusals: Arc<Mutex<Vec<Refusal>>>,
    pub(crate) events: mpsc::UnboundedReceiver<Event>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<Drained>,
}

impl Agent {
    /// Starts with `limits`; `verdict` decides about each batch before it is recorded.
    pub(crate) fn start(
        limits: Limits,
        verdict: impl Fn(&Batch) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(limits, verdict, true)
    }

    /// Takes everything and keeps none of it.
    pub(crate) fn start_forgetful(limits: Limits) -> Self {
        Self::start_with(limits, accept, false)
    }

    fn start_with(
        limits: Limits,
        verdict: impl Fn(&Batch) -> Verdict + Send + Sync + 'static,
        keep: bool,
    ) -> Self {
        let bind = || listen::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("loopback");
        let listeners = Listeners { grpc: vec![bind()], http: vec![bind()] };
        let grpc = listeners.grpc[0].local_addr().expect("bound");
        let http = listeners.http[0].local_addr().expect("bound");
        let batches = Arc::new(Mutex::new(Vec::new()));
        let refusals = Arc::new(Mutex::new(Vec::new()));
        let (heard, events) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let deliver = {
            let batches = batches.clone();
            Arc::new(move |batch: Batch| {
                let verdict = verdict(&batch);
                if keep {
                    batches.lock().expect("no panic in here").push(batch);
                }
                verdict
            })
        };
        let refused = {
            let refusals = refusals.clone();
            Arc::new(move |refusal| refusals.lock().expect("no panic in here").push(refusal))
        };
        let tell = Arc::new(move |event| {
            // A test that has ended listens no more.
            let _ = heard.send(event);
        });
        let serving =
            tokio::spawn(receive::serve(limits, listeners, deliver, refused, tell, stopped));
        Self { grpc, http, batches, refusals, events, stop, serving }
    }

    /// The items of all batches so far.
    pub(crate) fn items(&self) -> u64 {
        self.batches.lock().expect("no panic in here").iter().map(|batch| batch.items).sum()
    }

    /// What was refused since the last call.
    pub(crate) fn refused(&self) -> Vec<Refusal> {
        std::mem::take(&mut *self.refusals.lock().expect("no panic in here"))
    }

    pub(crate) fn begin_stop(&self) {
        self.stop.send_replace(true);
    }

    pub(crate) async fn stop(self) -> Drained {
        self.begin_stop();
        self.serving.await.expect("serving does not panic")
    }
}

/// Takes everything.
pub(crate) fn accept(_: &Batch) -> Verdict {
    Verdict::Accepted
}

/// A request as a test writes it down.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn post(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = match content_type {
            "" => Vec::new(),
            some => vec![("content-type", some.to_owned())],
        };
        Self { method: "POST", path: path.to_owned(), headers, body: body.into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// The bytes of the request over HTTP/1.1.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\nhost: agent\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            bytes += &format!("{name}: {value}\r\n");
        }
        bytes += &format!("content-length: {}\r\n\r\n", self.body.len());
        [bytes.as_bytes(), &self.body].concat()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name).or_else(|| self.trailers.get(name));
        value.map(|value| value.to_str().expect("a header of ASCII"))
    }
}

/// Sends one request over a fresh HTTP/1.1 connection.
pub(crate) async fn ask_one(address: SocketAddr, ask: &Ask) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("the receiver listens");
    stream.write_all(&ask.to_bytes()).await.expect("the receiver reads");
    read_answer(&mut stream).await
}

/// Sends one request over a fresh HTTP/2 connection, with prior knowledge.
pub(crate) async fn ask_two(address: SocketAddr, ask: &Ask) -> Answer {
    let stream = TcpStream::connect(address).await.expect("the receiver listens");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("the receiver speaks HTTP/2");
    let connection = tokio::spawn(connection);
    let mut request =
        Request::builder().method(ask.method).uri(format!("http://{address}{}", ask.path));
    for (name, value) in &ask.headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::from(ask.body.clone()))).expect("valid");
    let response = sender.send_request(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a whole answer");
    let trailers = body.trailers().cloned().unwrap_or_default();
    drop(sender);
    connection.abort();
    Answer { status: parts.status, headers: parts.headers, body: body.to_bytes(), trailers }
}

/// Reads one answer with a Content-Length off an HTTP/1.1 connection, and not a byte more.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Answer {
    let read = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("an answer before the end"));
        }
        let head = String::from_utf8(head).expect("a head of ASCII");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").expect("a header");
            let name = http::HeaderName::try_from(name).expect("a name");
            headers.append(name, value.parse().expect("a value"));
        }
        let length =
            headers.get("content-length").map_or("0", |length| length.to_str().expect("digits"));
        let mut body = vec![0; length.parse().expect("a number")];
        stream.read_exact(&mut body).await.expect("a whole body");
        let status = status.parse().expect("a status");
        Answer { status, headers, body: Bytes::from(body), trailers: HeaderMap::new() }
    };
    within(read).await
}

/// Fails instead of hanging.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("an end within 20 s")
}

/// A `google.rpc.Status`, decoded by prost.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

/// A `google.protobuf.Any`, decoded by prost.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}
