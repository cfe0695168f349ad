//! The socket under every GitHub of these tests: one request a connection, answered by a function,
//! because a server's crate would hide the truncated bodies that are wanted here.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Status, headers, body, and whether the body is cut off in the middle.
pub(super) type Answer = (u16, String, String, bool);

pub(super) struct Loopback {
    pub(super) address: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Loopback {
    /// Answers by own address, target and bearer token.
    pub(super) async fn start<F>(answer: F) -> Self
    where
        F: Fn(&str, &str, Option<&str>) -> Answer + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (host, answer) = (address.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (host, answer) = (host.clone(), Arc::clone(&answer));
                tokio::spawn(async move { serve(socket, &host, &*answer).await });
            }
        });
        Self { address, task }
    }
}

async fn serve<F>(mut socket: TcpStream, host: &str, answer: &F)
where
    F: Fn(&str, &str, Option<&str>) -> Answer,
{
    let mut request = Vec::new();
    let head = loop {
        if !matches!(socket.read_buf(&mut request).await, Ok(1..)) {
            return;
        }
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8(request[..end].to_vec()).unwrap();
        }
    };
    // What is posted is read to its end, for a socket that closes before that loses its answer.
    let posted = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    });
    while request.len() < head.len() + 4 + posted.unwrap_or(0) {
        if !matches!(socket.read_buf(&mut request).await, Ok(1..)) {
            return;
        }
    }
    let target = head.split(' ').nth(1).unwrap();
    let bearer = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("authorization").then(|| value.strip_prefix("Bearer "))?
    });
    let (status, headers, body, cut) = answer(host, target, bearer);
    let length = body.len();
    let body = &body.as_bytes()[..if cut { length / 2 } else { length }];
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n");
    let _ = socket.write_all(format!("{head}{headers}\r\n").as_bytes()).await;
    let _ = socket.write_all(body).await;
    let _ = socket.shutdown().await;
}

/// What goes wrong with a request.
pub(super) enum Fault {
    Answer(Answer),
    /// The right answer, but half of its body.
    Cut,
}

/// Whether a request fails, and the next seed: seven of sixteen do.
pub(super) fn fault(mut seed: u64, now_ms: i64) -> (Option<Fault>, u64) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    let limited = r#"{"message":"API rate limit exceeded for user"}"#;
    let answer = |status, headers: &str, body: &str| {
        Some(Fault::Answer((status, headers.to_owned(), body.to_owned(), false)))
    };
    let fault = match seed % 16 {
        0 => answer(502, "content-type: text/html\r\n", "<html>"),
        1 => answer(200, "content-type: text/html\r\n", "<html>"),
        2 => {
            let reset = now_ms / 1_000 + 900;
            let headers = format!(
                "x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 0\r\n\
                 x-ratelimit-reset: {reset}\r\n"
            );
            answer(403, &headers, limited)
        }
        3 => answer(429, "retry-after: 7\r\n", limited),
        4 => answer(401, "", "{}"),
        5 => answer(200, "", r#"[{"id":1,"created"#),
        6 => Some(Fault::Cut),
        _ => None,
    };
    (fault, seed)
}
