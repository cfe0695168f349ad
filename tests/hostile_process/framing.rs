//! Requests that are hostile by their frames: lengths that lie about bodies, two requests where one
//! peer may see one, and floods of HTTP/2 frames that are cheap to send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::agent::Agent;
use crate::encode::{request, span};
use crate::peer::{call, head, prefix};

/// Bytes on an HTTP/1.1 connection, with the statuses that come back on it.
pub(crate) struct Bytes {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Whether the peer ends its side after them.
    pub(crate) ends: bool,
    pub(crate) answers: Vec<u16>,
    pub(crate) counted: u64,
}

/// Every answer must come before the connection ends, and a hidden second request must not count.
pub(crate) fn on_http_1() -> Vec<Bytes> {
    let hidden = post(&[], &request(b"hidden", &[span(b"work", b"")]), true);
    let kind = ("Content-Type", "application/x-protobuf");
    let with = |headers: &[(&str, &str)], body: &[u8]| {
        let headers: Vec<_> = [kind].iter().chain(headers).copied().collect();
        [head("/v1/traces", &headers), body.to_vec()].concat()
    };
    let chunked = ("Transfer-Encoding", "chunked");
    let then_hidden = |first: Vec<u8>| [first, hidden.clone()].concat();
    let case = |name, bytes, answers: &[u16]| Bytes {
        name,
        bytes,
        ends: false,
        answers: answers.to_vec(),
        counted: 0,
    };
    let good = post(&[], &request(b"hostile", &[span(b"work", b"")]), false);
    let last = post(&[], &request(b"hostile", &[span(b"work", b"")]), true);
    vec![
        Bytes {
            ends: true,
            ..case("a body cut off", with(&[("Content-Length", "99")], b"x"), &[400])
        },
        case(
            "a body of more than its length",
            with(&[("Content-Length", "1")], b"xx\r\n\r\n"),
            &[400, 400],
        ),
        case("a length over the limit", with(&[("Content-Length", "20971521")], b""), &[413]),
        case("a length of 2^64", with(&[("Content-Length", "18446744073709551616")], b""), &[400]),
        case("a negative length", with(&[("Content-Length", "-1")], b""), &[400]),
        case(
            "two lengths, then a hidden request",
            then_hidden(with(&[("Content-Length", "0"), ("Content-Length", "7")], b"")),
            &[400],
        ),
        case(
            "a length and chunks, then a hidden request",
            then_hidden(with(&[("Content-Length", "5"), chunked], b"0\r\n\r\n")),
            &[200],
        ),
        case(
            "chunks and a length, then a hidden request",
            then_hidden(with(&[chunked, ("Content-Length", "5")], b"0\r\n\r\n")),
            &[200],
        ),
        case("chunks of another name", with(&[("Transfer-Encoding", "xchunked")], b""), &[400]),
        case("a chunk of 2^68 bytes", with(&[chunked], b"FFFFFFFFFFFFFFFFF\r\n"), &[400]),
        case("a header of 200 KB", with(&[("X", &"a".repeat(200_000))], b""), &[431]),
        case("three hundred headers", with(&[("X", "a"); 300], b""), &[431]),
        case("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03".repeat(9), &[400]),
        Bytes {
            counted: 1_000,
            ..case("a thousand requests at once", [good.repeat(999), last].concat(), &[200; 1_000])
        },
    ]
}

/// A POST of spans, keeping the connection or closing it.
fn post(headers: &[(&str, &str)], body: &[u8], last: bool) -> Vec<u8> {
    let length = body.len().to_string();
    let own = [
        ("Content-Type", "application/x-protobuf"),
        ("Content-Length", &length),
        ("Connection", if last { "close" } else { "keep-alive" }),
    ];
    [head("/v1/traces", &[&own, headers].concat()), body.to_vec()].concat()
}

/// The statuses of gRPC calls whose frame lies, each with what it has to be.
pub(crate) fn on_grpc(agent: &Agent) -> Vec<(&'static str, u16, u16)> {
    let message = request(b"hostile", &[span(b"work", b"")]);
    let length = message.len();
    let framed = |prefix: Vec<u8>| [prefix, message.clone()].concat();
    let whole = framed(prefix(false, length));
    let export = |framed| call(agent.grpc, crate::TRACE_EXPORT, "", framed);
    vec![
        ("a length past the end", export(framed(prefix(false, length + 1))), 3),
        ("a length of less", export(framed(prefix(false, length - 1))), 3),
        ("a length of 4 GiB", export(framed(prefix(false, u32::MAX as usize))), 8),
        ("a flag that is none", export(framed([&[2], &prefix(false, length)[1..]].concat())), 3),
        ("two messages", export(whole.repeat(2)), 3),
        ("half a prefix", export(vec![0, 0]), 3),
        ("no message", export(Vec::new()), 3),
        ("compression without a name", export(framed(prefix(true, length))), 13),
        ("a method that is none", call(agent.grpc, "/x.Y/Export", "", whole.clone()), 12),
        ("a path that is none", call(agent.grpc, "/", "", whole), 12),
    ]
}

/// Floods of frames: after an opening, the same frames again and again.
pub(crate) fn floods() -> [(&'static str, Vec<u8>, Vec<u8>); 4] {
    // Indexed fields of the static table: POST, http, and the path `/`; RFC 7541 appendix A.
    let fields = b"\x83\x86\x84";
    // RFC 9113: DATA 0, HEADERS 1, RST_STREAM 3, CONTINUATION 9; END_HEADERS is the flag 4.
    let reset: Vec<u8> = (0..2_000)
        .map(|number| number * 2 + 1)
        .flat_map(|stream| {
            [frame(1, 4, stream, fields), frame(3, 0, stream, &[0, 0, 0, 8])].concat()
        })
        .collect();
    let field = b"\x00\x01a\x01b".repeat(1_000);
    [
        ("streams that are reset at once", reset, Vec::new()),
        ("headers without an end", frame(1, 0, 1, fields), frame(9, 0, 1, &field)),
        ("headers of nothing without an end", frame(1, 0, 1, fields), frame(9, 0, 1, b"")),
        ("data of nothing without an end", frame(1, 4, 1, fields), frame(0, 0, 1, b"")),
    ]
}

/// Floods a connection until the agent ends it; the code of its GOAWAY.
pub(crate) fn flood(address: SocketAddr, opening: &[u8], again: &[u8]) -> Option<u32> {
    let mut peer = TcpStream::connect(address).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = peer.try_clone().unwrap();
    // An agent that waited for us to read would otherwise never be seen to end the connection.
    let answer = std::thread::spawn(move || {
        let mut answer = Vec::new();
        let _ = reader.read_to_end(&mut answer);
        answer
    });
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(4, 0, 0, b"")[..], opening].concat();
    let batch = again.repeat(100);
    let mut open = peer.write_all(&preface).is_ok();
    for _ in 0..FLOOD_BATCHES {
        open = open && !batch.is_empty() && peer.write_all(&batch).is_ok();
    }
    goaway(&answer.join().unwrap())
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn goaway(mut frames: &[u8]) -> Option<u32> {
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = frames {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        if *kind == 7 {
            return Some(u32::from_be_bytes(rest.get(4..8)?.try_into().unwrap()));
        }
        frames = rest.get(length..)?;
    }
    None
}

/// ENHANCE_YOUR_CALM, RFC 9113 section 7.
pub(crate) const CALM: u32 = 11;
/// Longer than an agent under load takes to end a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// A hundred thousand frames are many times what any flood is allowed.
const FLOOD_BATCHES: usize = 1_000;
