//! What a sidecar costs that has little to do, which is what most of them are: its start, its idle
//! memory, a trickle of spans and requests of one span, where wake-ups cost more than spans.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use crate::client::{self, Connection, Load, Protocol};
use crate::report::{self, Figure};
use crate::server::{Kind, Server};
use crate::throughput::{CONNECTIONS, IN_FLIGHT, mib};
use crate::traces::Traces;
use crate::{DEFAULTS, EVERYTHING};

/// From exec to ready, and memory before the first request.
pub(crate) fn start_and_idle(binary: &Path) -> io::Result<()> {
    report::heading("start and idle");
    let agent = Kind::Agent { binary, yaml: DEFAULTS };
    let (mut open, mut ready) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let server = Server::start(agent)?;
        open.push(server.open_after);
        ready.push(server.ready_after);
    }
    for (name, mut times, budget) in
        [("exec to open port", open, 10.0), ("exec to ready", ready, 50.0)]
    {
        times.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let note = format!("median of {STARTS}, best {:.1} ms", ms(times[0]));
        let (value, budget) = (ms(times[STARTS / 2]), Some(budget));
        report::print(&Figure { name, value, unit: "ms", budget, note });
    }
    for (name, yaml) in [("idle: defaults", DEFAULTS), ("idle: everything", EVERYTHING)] {
        let server = Server::start(Kind::Agent { binary, yaml })?;
        let before = server.cpu()?;
        std::thread::sleep(IDLE);
        let memory = server.memory()?;
        let cpu = server.cpu()?.saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64();
        let note = format!(
            "of it {:.1} MiB that no file backs; {:.3} % of a core",
            mib(memory.anonymous),
            cpu * 100.0
        );
        let value = mib(memory.resident);
        report::print(&Figure { name, value, unit: "MiB", budget: Some(10.0), note });
    }
    Ok(())
}

/// A thousand spans a second in requests of ten, on all servers in the same seconds.
pub(crate) async fn trickle(binary: &Path) -> io::Result<()> {
    report::heading("1,000 spans a second in requests of ten, one connection");
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let load = Load::new(protocol, false, &Traces::new(3).requests(REQUESTS, 10), 10)?;
        let (ceiling, defaults, everything) = tokio::try_join!(
            trickle_on(Kind::Discard, protocol, &load),
            trickle_on(Kind::Agent { binary, yaml: DEFAULTS }, protocol, &load),
            trickle_on(Kind::Agent { binary, yaml: EVERYTHING }, protocol, &load),
        )?;
        for (server, cpu, budget) in [
            ("discard", ceiling, None),
            ("defaults", defaults, None),
            ("everything", everything, Some(0.5)),
        ] {
            let value = cpu.as_secs_f64() / TRICKLE.as_secs_f64() * 100.0;
            let note = format!(
                "{:.1} µs a span, {:.0} % of the ceiling",
                cpu.as_secs_f64() * 1e6 / load.spans(TRICKLE_REQUESTS) as f64,
                ceiling.as_secs_f64() / cpu.as_secs_f64() * 100.0
            );
            let name = format!("{protocol:?}: {server}");
            report::print(&Figure { name: &name, value, unit: "% core", budget, note });
        }
    }
    Ok(())
}

async fn trickle_on(kind: Kind<'_>, protocol: Protocol, load: &Load) -> io::Result<Duration> {
    let server = Server::start(kind)?;
    let address = if protocol == Protocol::Http { server.http } else { server.grpc };
    let mut connection = Connection::open(address, protocol).await?;
    connection.send(load, 0).await?;
    // The start is another figure.
    sleep(SETTLED).await;
    let before = server.cpu()?;
    let tally = client::trickle(&mut connection, load, PERIOD, TRICKLE).await?;
    if tally.answered != TRICKLE_REQUESTS {
        return Err(io::Error::other(format!("{} of a trickle were refused", tally.refused)));
    }
    Ok(server.cpu()?.saturating_sub(before))
}

/// Requests of one span, as an SDK without batches sends them.
pub(crate) async fn one_span(binary: &Path) -> io::Result<()> {
    report::heading("requests of one span");
    let ceiling = Server::start(Kind::Discard)?;
    let everything = Server::start(Kind::Agent { binary, yaml: EVERYTHING })?;
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let load = Load::new(protocol, false, &Traces::new(3).requests(REQUESTS, 1), 1)?;
        for (how, connections, in_flight) in
            [("one after the other", 1, 1), ("8 × 4 in flight", CONNECTIONS, IN_FLIGHT)]
        {
            let mut discard_us = f64::NAN;
            for (server, of, budget) in
                [("discard", &ceiling, None), ("everything", &everything, Some(10.0))]
            {
                let address = if protocol == Protocol::Http { of.http } else { of.grpc };
                let open = client::open(address, protocol, connections, in_flight).await?;
                let mut value = f64::INFINITY;
                let mut open = Some(open);
                for _ in 0..ROUNDS {
                    let before = of.cpu()?;
                    let connections = open.take().unwrap_or_default();
                    let (connections, tally) = client::flood(connections, &load, ROUND).await?;
                    let cpu = of.cpu()?.saturating_sub(before).as_secs_f64();
                    value = value.min(cpu * 1e6 / tally.answered as f64);
                    open = Some(connections);
                }
                discard_us = if server == "discard" { value } else { discard_us };
                let note = format!("{:.0} % of the ceiling", discard_us / value * 100.0);
                let name = format!("{protocol:?}, {how}: {server}");
                report::print(&Figure { name: &name, value, unit: "µs", budget, note });
            }
        }
    }
    Ok(())
}

const STARTS: usize = 15;
const IDLE: Duration = Duration::from_secs(2);

const PERIOD: Duration = Duration::from_millis(10);
const TRICKLE: Duration = Duration::from_secs(8);
const TRICKLE_REQUESTS: u64 = 800;
const SETTLED: Duration = Duration::from_millis(500);

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_millis(500);

/// Different requests that are sent in turn.
const REQUESTS: usize = 50;
