//! CPU time a span under full load, beside the same load on the discarding server in the same
//! seconds: on a shared machine only the two together mean anything.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::client::{self, Connection, Load, Protocol, Tally};
use crate::report::{self, Figure};
use crate::server::{Kind, Server};
use crate::traces::Traces;
use crate::{DEFAULTS, EVERYTHING};

/// A server with its connections and the best of its rounds.
struct Lane<'a> {
    name: &'static str,
    server: &'a Server,
    connections: Vec<Connection>,
    seconds_per_million: f64,
    refused: u64,
}

/// Every protocol, size and encoding.
pub(crate) async fn all(binary: &Path) -> io::Result<()> {
    report::heading(&format!(
        "full load, {CONNECTIONS} connections with {IN_FLIGHT} requests in flight: \
         CPU-seconds per million spans"
    ));
    let ceiling = Server::start(Kind::Discard)?;
    let defaults = Server::start(Kind::Agent { binary, yaml: DEFAULTS })?;
    let everything = Server::start(Kind::Agent { binary, yaml: EVERYTHING })?;
    for protocol in [Protocol::Http, Protocol::Grpc] {
        for gzip in [false, true] {
            for spans in [100, 512] {
                let requests = Traces::new(7).requests(REQUESTS, spans);
                let load = Load::new(protocol, gzip, &requests, spans)?;
                let servers =
                    [("discard", &ceiling), ("defaults", &defaults), ("everything", &everything)];
                let lanes = measure(&servers, protocol, &load).await?;
                print(&lanes, protocol, gzip, spans);
            }
        }
    }
    Ok(())
}

async fn measure<'a>(
    servers: &[(&'static str, &'a Server)],
    protocol: Protocol,
    load: &Load,
) -> io::Result<Vec<Lane<'a>>> {
    let mut lanes = Vec::new();
    for (name, server) in servers {
        let address = if protocol == Protocol::Http { server.http } else { server.grpc };
        let connections = client::open(address, protocol, CONNECTIONS, IN_FLIGHT).await?;
        let (connections, _) = client::flood(connections, load, WARM_UP).await?;
        let seconds_per_million = f64::INFINITY;
        lanes.push(Lane { name, server, connections, seconds_per_million, refused: 0 });
    }
    // Servers take turns, so that a noisy second falls on all of them.
    for _ in 0..ROUNDS {
        for lane in &mut lanes {
            let before = lane.server.cpu()?;
            let connections = std::mem::take(&mut lane.connections);
            let (connections, tally) = client::flood(connections, load, ROUND).await?;
            let cpu = lane.server.cpu()?.saturating_sub(before);
            lane.connections = connections;
            lane.refused += tally.refused;
            let spans = load.spans(tally.answered) as f64;
            lane.seconds_per_million =
                lane.seconds_per_million.min(cpu.as_secs_f64() * 1e6 / spans);
        }
    }
    Ok(lanes)
}

fn print(lanes: &[Lane<'_>], protocol: Protocol, gzip: bool, spans: usize) {
    let ceiling = lanes[0].seconds_per_million;
    for lane in lanes {
        let encoding = if gzip { "gzip" } else { "plain" };
        let name = format!("{protocol:?} {encoding}, {spans} spans: {}", lane.name);
        let value = lane.seconds_per_million;
        let budget = match (lane.name, protocol, gzip, spans) {
            ("everything", Protocol::Grpc, false, 512) => Some(0.30),
            ("everything", Protocol::Grpc, true, 512) => Some(0.45),
            ("everything", Protocol::Http, false, 512) => Some(0.20),
            _ => None,
        };
        let mut note = format!("{:.1} M spans per CPU-second", 1.0 / value);
        if lane.name != "discard" {
            note += &format!(", {:.0} % of the ceiling", ceiling / value * 100.0);
        }
        if lane.refused > 0 {
            note += &format!(", {} requests refused", lane.refused);
        }
        report::print(&Figure { name: &name, value, unit: "s", budget, note });
    }
}

/// Memory under more requests than a server should hold at once.
pub(crate) async fn memory(binary: &Path) -> io::Result<()> {
    report::heading(&format!(
        "memory under gRPC, {CONNECTIONS} connections with {FLOOD_IN_FLIGHT} requests of 512 spans \
         in flight"
    ));
    let requests = Traces::new(7).requests(REQUESTS, 512);
    for (name, kind, gzip, budget) in [
        ("peak, plain: discard", Kind::Discard, false, None),
        (
            "peak, plain: everything",
            Kind::Agent { binary, yaml: EVERYTHING },
            false,
            Some(FLOOD_MIB),
        ),
        ("peak, gzip: everything", Kind::Agent { binary, yaml: EVERYTHING }, true, Some(FLOOD_MIB)),
    ] {
        let server = Server::start(kind)?;
        let load = Load::new(Protocol::Grpc, gzip, &requests, 512)?;
        let connections =
            client::open(server.grpc, Protocol::Grpc, CONNECTIONS, FLOOD_IN_FLIGHT).await?;
        let before = server.cpu()?;
        let (connections, Tally { answered, refused }) =
            client::flood(connections, &load, FLOOD).await?;
        drop(connections);
        let cpu = server.cpu()?.saturating_sub(before).as_secs_f64();
        let memory = server.memory()?;
        let note = format!(
            "{:.3} CPU-seconds per million spans, {:.1} MiB afterwards, {refused} of {} refused",
            cpu * 1e6 / load.spans(answered) as f64,
            mib(memory.resident),
            answered + refused,
        );
        let value = mib(memory.peak);
        report::print(&Figure { name, value, unit: "MiB", budget, note });
    }
    Ok(())
}

/// Bytes in MiB.
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Different requests that are sent in turn: two of each service.
const REQUESTS: usize = 10;

pub(crate) const CONNECTIONS: usize = 8;
pub(crate) const IN_FLIGHT: usize = 4;

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_millis(500);
const WARM_UP: Duration = Duration::from_millis(200);

const FLOOD_IN_FLIGHT: usize = 200;
const FLOOD: Duration = Duration::from_secs(3);
const FLOOD_MIB: f64 = 32.0;
