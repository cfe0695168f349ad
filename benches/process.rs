//! The whole process under load: the agent as it is shipped, driven over its sockets, beside a
//! server that discards what it takes. What the parts cost inside one core stands in the other
//! bench.
//!
//! `cargo bench --bench process -- --binary PATH` measures another build of the agent; a word
//! selects a part: `start`, `trickle`, `one`, `load`, `memory` or `scrape`.

#[path = "process/client.rs"]
mod client;
#[path = "process/discard.rs"]
mod discard;
#[path = "load/random.rs"]
mod random;
#[path = "load/report.rs"]
mod report;
#[path = "process/scrapes.rs"]
mod scrapes;
#[path = "process/server.rs"]
mod server;
#[path = "process/sidecar.rs"]
mod sidecar;
#[path = "process/throughput.rs"]
mod throughput;
#[path = "load/traces.rs"]
mod traces;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [DISCARD, ref addresses @ ..] => discard(addresses),
        // `cargo test --benches` only asks whether this builds.
        ref words if !words.contains(&"--bench") => {
            println!("measures only under `cargo bench`");
            Ok(())
        }
        ref words => measure(words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let reason = error.get_ref().and_then(|inner| inner.source());
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            eprintln!("could not measure: {error}{reason}");
            ExitCode::FAILURE
        }
    }
}

fn discard(addresses: &[&str]) -> io::Result<()> {
    let addresses: Result<Vec<SocketAddr>, _> = addresses.iter().map(|a| a.parse()).collect();
    discard::run(&addresses.map_err(io::Error::other)?)
}

fn measure(words: &[&str]) -> io::Result<()> {
    let named = words.iter().position(|word| *word == "--binary").map(|at| at + 1);
    let binary = named.and_then(|at| words.get(at)).unwrap_or(&env!("CARGO_BIN_EXE_redora"));
    let parts: Vec<&str> = (0..words.len())
        .filter(|at| Some(*at) != named && !words[*at].starts_with("--"))
        .map(|at| words[at])
        .collect();
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    let binary = Path::new(binary);
    // One thread makes the load, so that a second core is left to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if wanted("start") {
        sidecar::start_and_idle(binary)?;
    }
    runtime.block_on(async {
        if wanted("trickle") {
            sidecar::trickle(binary).await?;
        }
        if wanted("one") {
            sidecar::one_span(binary).await?;
        }
        if wanted("load") {
            throughput::all(binary).await?;
        }
        if wanted("memory") {
            throughput::memory(binary).await?;
        }
        if wanted("scrape") {
            scrapes::all(binary).await?;
        }
        Ok(())
    })
}

/// The argument that turns this bench into the discarding server.
const DISCARD: &str = "discard";

/// Everything on: both profiles of names, two dimensions, exemplars and native histograms.
const EVERYTHING: &str = "red:\n  dimensions: [http.route, k8s.namespace.name]\n  \
    compat: [tempo, spanmetrics]\n  exemplars: true\n  native_histograms: true";

/// Built-in defaults.
const DEFAULTS: &str = "";
