//! A server under load as a child process, so that the kernel keeps its CPU time and memory apart
//! from those of the load.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Which server to start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind<'a> {
    /// The agent of this binary, with lines of YAML beside its addresses.
    Agent { binary: &'a Path, yaml: &'a str },
    /// The server that takes requests and forgets them: this bench, called again.
    Discard,
}

/// A running server; ends with the value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it takes OTLP over gRPC.
    pub(crate) grpc: SocketAddr,
    /// Where it takes OTLP over HTTP.
    pub(crate) http: SocketAddr,
    /// Where it is scraped; the discarding server has no such port.
    pub(crate) admin: SocketAddr,
    /// From before the fork to a port that accepts.
    pub(crate) open_after: Duration,
    /// From before the fork to `/readyz` with 200; as `open_after` where there is no such page.
    pub(crate) ready_after: Duration,
    _folder: TempDir,
}

/// Resident memory in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: u64,
    /// The part of it that no file backs.
    pub(crate) anonymous: u64,
    /// The most since the start, or since [`Server::forget_peak`].
    pub(crate) peak: u64,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub(crate) fn start(kind: Kind<'_>) -> io::Result<Self> {
        let [grpc, http, admin] = free_ports()?;
        let folder = TempDir::new()?;
        let mut command = match kind {
            Kind::Agent { binary, yaml } => {
                let file = folder.path().join("redora.yaml");
                let data = folder.path().join("data");
                let listen = format!(
                    "listen: {{ otlp_grpc: \"{grpc}\", otlp_http: \"{http}\", admin: \"{admin}\" }}"
                );
                fs::write(&file, format!("{listen}\ndata_dir: {}\n{yaml}\n", data.display()))?;
                let mut command = Command::new(binary);
                command.arg("run").arg("--config").arg(file);
                command
            }
            Kind::Discard => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args([crate::DISCARD, &grpc.to_string(), &http.to_string()]);
                command
            }
        };
        let log = folder.path().join("log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log)?);
        let start = Instant::now();
        let child = command.spawn()?;
        let none = Duration::ZERO;
        let (open_after, ready_after) = (none, none);
        let mut server =
            Self { child, grpc, http, admin, open_after, ready_after, _folder: folder };
        server.open_after = server.wait(start, &log, || TcpStream::connect(grpc).is_ok())?;
        server.ready_after = match kind {
            Kind::Agent { .. } => server.wait(start, &log, || {
                get(admin, "/readyz", "").is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
            })?,
            Kind::Discard => server.open_after,
        };
        Ok(server)
    }

    fn wait(
        &mut self,
        start: Instant,
        log: &Path,
        is_so: impl Fn() -> bool,
    ) -> io::Result<Duration> {
        while !is_so() {
            let ended = self.child.try_wait()?;
            if ended.is_some() || start.elapsed() > START_TIMEOUT {
                let log = fs::read_to_string(log).unwrap_or_default();
                return Err(io::Error::other(format!("the server did not start: {log}")));
            }
            std::thread::sleep(POLL);
        }
        Ok(start.elapsed())
    }

    /// CPU time of all its threads so far, in user mode and in the kernel.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(self.file("task"))? {
            // A thread that ended meanwhile is in none of these files; the agent's workers do not
            // end.
            let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            nanos += first_number(&text).unwrap_or(0);
        }
        if nanos == 0 {
            return Err(io::Error::other("/proc/PID/task/TID/schedstat tells no CPU time here"));
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Its memory.
    pub(crate) fn memory(&self) -> io::Result<Memory> {
        let status = fs::read_to_string(self.file("status"))?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(first_number);
            kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other(format!("no {name} here")))
        };
        Ok(Memory {
            resident: bytes("VmRSS:")?,
            anonymous: bytes("RssAnon:")?,
            peak: bytes("VmHWM:")?,
        })
    }

    /// Lets [`Memory::peak`] begin at the memory of now.
    pub(crate) fn forget_peak(&self) -> io::Result<()> {
        fs::write(self.file("clear_refs"), "5")
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which whoever measured it has noticed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The whole answer to a GET, head and body.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(START_TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Ports that nobody has; held together, so that they differ.
fn free_ports() -> io::Result<[SocketAddr; 3]> {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let held = [free()?, free()?, free()?];
    let [a, b, c] = &held;
    Ok([a.local_addr()?, b.local_addr()?, c.local_addr()?])
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

const START_TIMEOUT: Duration = Duration::from_secs(10);

/// Short beside the time it measures, long enough to leave the core to the server.
const POLL: Duration = Duration::from_micros(100);
