//! The real binary as a child with its memory read from the kernel; a library call would share its
//! allocator and its limits with the test.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::JoinHandle;

use tempfile::TempDir;

/// Who reads what the agent logs.
enum Log {
    /// A thread, to the end.
    Read(JoinHandle<String>),
    /// Nobody: the pipe stays open and fills.
    Unread(BufReader<ChildStderr>),
    /// The agent was stopped.
    Over,
}

/// A running agent on ports of its own; killed when dropped.
pub(crate) struct Agent {
    child: Child,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    admin: SocketAddr,
    log: Log,
    _directory: TempDir,
}

impl Agent {
    /// Starts it with the limits of the defaults and returns once it is ready.
    pub(crate) fn start() -> Self {
        let mut agent = Self::start_unread("info");
        if let Log::Unread(mut log) = std::mem::replace(&mut agent.log, Log::Over) {
            agent.log = Log::Read(std::thread::spawn(move || {
                let mut rest = String::new();
                log.read_to_string(&mut rest).unwrap();
                rest
            }));
        }
        agent
    }

    /// The same with a log of this level, which nobody reads once the agent is ready.
    pub(crate) fn start_unread(log_level: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("redora.yaml");
        fs::write(&file, CONFIGURATION).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_redora"))
            .args(["run", "--log-format", "json", "--log-level", log_level, "--config"])
            .arg(&file)
            .current_dir(directory.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let [grpc, http, admin] = addresses(&mut log);
        Self { child, grpc, http, admin, log: Log::Unread(log), _directory: directory }
    }

    /// Makes the peak of memory begin anew; the resident bytes of this moment.
    pub(crate) fn reset_peak(&self) -> u64 {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
        self.memory("VmRSS:")
    }

    /// The most bytes that were resident since [`Agent::reset_peak`].
    pub(crate) fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The resident bytes of this moment.
    pub(crate) fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, row: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kib = status.lines().find_map(|line| line.strip_prefix(row)).unwrap();
        kib.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// A scrape in the plain text format.
    pub(crate) fn scrape(&self) -> Scrape {
        let mut peer = TcpStream::connect(self.admin).unwrap();
        // HTTP/1.0 ends the answer with the connection: no chunks to take apart.
        peer.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        Scrape::read(body)
    }

    /// Sends SIGTERM; the agent must drain, end with 0 and never have panicked.
    pub(crate) fn stop(mut self) {
        let stop = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &stop]).status().unwrap().success());
        let ended = self.child.wait().unwrap();
        let log = match std::mem::replace(&mut self.log, Log::Over) {
            Log::Read(reader) => reader.join().unwrap(),
            Log::Unread(_) | Log::Over => String::new(),
        };
        assert_eq!(ended.code(), Some(0), "{log}");
        assert!(!log.contains("panicked"), "{log}");
    }
}

impl Drop for Agent {
    /// A failed test must not leave its agent behind; one that has ended already cannot be killed.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The addresses of the three ports, which the agent chose itself and says in its log.
fn addresses(log: &mut BufReader<ChildStderr>) -> [SocketAddr; 3] {
    let mut found = [None; 3];
    let mut said = String::new();
    loop {
        let start = said.len();
        assert!(log.read_line(&mut said).unwrap() > 0, "the agent ended at once\n{said}");
        let line: serde_json::Value = serde_json::from_str(&said[start..]).unwrap();
        match line["event"].as_str() {
            Some("ready") => return found.map(|address| address.expect(&said)),
            Some("listening") => {
                let port = line["port"].as_str().unwrap();
                let place = PORTS.iter().position(|name| *name == port).unwrap();
                found[place] = Some(line["address"].as_str().unwrap().parse().unwrap());
            }
            _ => {}
        }
    }
}

/// A scrape taken apart by the rules of the text format, so that a label value which breaks out of
/// its quotes is found.
pub(crate) struct Scrape(Vec<Sample>);

struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Scrape {
    fn read(body: &str) -> Self {
        let samples = body.lines().filter(|line| !line.starts_with('#'));
        Self(samples.map(|line| sample(line).unwrap_or_else(|| panic!("{line:?}"))).collect())
    }

    /// The sum over all samples of a family, or over those of one service.
    pub(crate) fn sum(&self, name: &str, service: Option<&str>) -> f64 {
        let of = |sample: &&Sample| {
            let is = |service| sample.labels.iter().any(|(k, v)| k == "service" && v == service);
            sample.name == name && service.is_none_or(is)
        };
        self.0.iter().filter(of).map(|sample| sample.value).sum()
    }
}

fn sample(line: &str) -> Option<Sample> {
    let is_name = |name: &str| {
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            rest = rest.strip_prefix(',').unwrap_or(rest);
            let (key, quoted) = rest.split_once("=\"")?;
            let (value, after) = unquote(quoted)?;
            is_name(key).then(|| labels.push((key.to_owned(), value)))?;
            rest = after;
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ')?.parse().ok()?;
    is_name(name).then(|| Sample { name: name.to_owned(), labels, value })
}

/// The text up to the closing quote, and what follows it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                escaped @ ('"' | '\\') => escaped,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}

/// The names of the ports in the log.
const PORTS: [&str; 3] = ["otlp_grpc", "otlp_http", "admin"];

/// Ports that the system chooses, and one dimension, so that hostile text becomes a label value.
const CONFIGURATION: &str = "\
listen: { otlp_grpc: '127.0.0.1:0', otlp_http: '127.0.0.1:0', admin: '127.0.0.1:0' }
red: { dimensions: [hostile] }
";
