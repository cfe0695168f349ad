//! Scrapes over the admin port while the books are full: how long they take, what memory they add,
//! and how soon a request shows in them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::DEFAULTS;
use crate::client::{Connection, Load, Protocol};
use crate::report::{self, Figure};
use crate::server::{Kind, Server, get};
use crate::throughput::mib;
use crate::traces;

/// Fills an agent and scrapes it in the formats that Prometheus asks for.
pub(crate) async fn all(binary: &Path) -> io::Result<()> {
    report::heading(&format!("scrape of {SETS} label sets over the admin port"));
    for (names, yaml) in [("own names", "red: { compat: none }"), ("with Tempo's", DEFAULTS)] {
        let server = Server::start(Kind::Agent { binary, yaml })?;
        let empty = server.memory()?.resident;
        let visible = fill(&server).await?;
        let full = server.memory()?.resident.saturating_sub(empty);
        let is_own = names == "own names";
        let name = format!("{names}: memory a label set");
        let (value, budget) = (full as f64 / SETS as f64, is_own.then_some(1500.0));
        let note = format!("{:.1} MiB in all", mib(full));
        report::print(&Figure { name: &name, value, unit: "B", budget, note });
        for (format, accept, encoding) in [
            ("OpenMetrics", OPENMETRICS, "identity"),
            ("protobuf", PROTOBUF, "identity"),
            ("OpenMetrics, gzip", OPENMETRICS, "gzip"),
        ] {
            let headers = format!("Accept: {accept}\r\nAccept-Encoding: {encoding}\r\n");
            let scrape = Scrape::best(&server, &headers)?;
            let budget = is_own.then_some(100.0);
            scrape.print(&format!("{names}: {format}"), budget);
        }
        if is_own {
            let value = visible.as_secs_f64() * 1e3;
            let note = "from the request to a scrape that shows it".to_owned();
            let name = "a span is visible";
            report::print(&Figure { name, value, unit: "ms", budget: Some(1000.0), note });
        }
    }
    Ok(())
}

/// Sends a span of each label set; returns how long the first request took to show in a scrape.
async fn fill(server: &Server) -> io::Result<Duration> {
    let mut connection = Connection::open(server.http, Protocol::Http).await?;
    let mut visible = None;
    for from in (0..SETS).step_by(SPANS) {
        let request = traces::label_sets(from..SETS.min(from + SPANS), 1);
        let load = Load::new(Protocol::Http, false, &[request], SPANS)?;
        let start = Instant::now();
        connection.send(&load, 0).await?;
        if visible.is_none() {
            shows(server.admin, "redora_requests_total{")?;
            visible = Some(start.elapsed());
        }
    }
    Ok(visible.unwrap_or_default())
}

/// Waits for a scrape that holds `text`.
fn shows(admin: SocketAddr, text: &str) -> io::Result<()> {
    let start = Instant::now();
    while start.elapsed() < SHOWN_TIMEOUT {
        let scrape = get(admin, "/metrics", "")?;
        if scrape.windows(text.len()).any(|window| window == text.as_bytes()) {
            return Ok(());
        }
    }
    Err(io::Error::other(format!("no scrape shows {text}")))
}

/// The best of some scrapes.
struct Scrape {
    time: Duration,
    cpu: Duration,
    bytes: usize,
    /// Memory that a scrape added, at the most.
    extra: u64,
}

impl Scrape {
    fn best(server: &Server, headers: &str) -> io::Result<Self> {
        let mut best = Self { time: Duration::MAX, cpu: Duration::MAX, bytes: 0, extra: 0 };
        for _ in 0..ROUNDS {
            let (before, memory) = (server.cpu()?, server.memory()?.resident);
            server.forget_peak()?;
            let start = Instant::now();
            let answer = get(server.admin, "/metrics", headers)?;
            best.time = best.time.min(start.elapsed());
            best.cpu = best.cpu.min(server.cpu()?.saturating_sub(before));
            best.bytes = answer.len();
            best.extra = best.extra.max(server.memory()?.peak.saturating_sub(memory));
        }
        Ok(best)
    }

    fn print(&self, name: &str, budget: Option<f64>) {
        let value = self.time.as_secs_f64() * 1e3;
        let cpu = self.cpu.as_secs_f64() * 1e3;
        let note = format!("{cpu:.0} ms of CPU, {:.1} MiB", mib(self.bytes as u64));
        report::print(&Figure { name, value, unit: "ms", budget, note });
        let (name, value) = (format!("{name}: extra memory"), mib(self.extra));
        let budget = budget.map(|_| 1.0);
        report::print(&Figure { name: &name, value, unit: "MiB", budget, note: String::new() });
    }
}

const SETS: usize = 13_000;
const SPANS: usize = 500;
const ROUNDS: usize = 5;
const SHOWN_TIMEOUT: Duration = Duration::from_secs(10);

const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0";
const PROTOBUF: &str = "application/vnd.google.protobuf;\
    proto=io.prometheus.client.MetricFamily;encoding=delimited";
