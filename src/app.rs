//! The agent wired together: every organ is built here in boot order, joined by plain functions, and drained in
//! reverse, so that the whole of it can be read on one page.

mod acknowledge;
mod last_scrape;
mod reload;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admin::{self, Admin, Readiness};
use crate::config::Config;
use crate::digest::{Digest, Settings};
use crate::expose::{Build, Expose, Own, OwnFault};
use crate::listen::{self, BindError};
use crate::process::{self, Clock, Drain, System, spans};
use crate::receive::{self, Reason};
use crate::series::{Hasher, Limits};
use last_scrape::LastScrape;
use reload::Reloading;

/// Why the agent could not run.
#[derive(Debug, Error)]
pub enum AppError {
    /// An address could not be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// None of a port's addresses exist on this machine.
    #[error("no address of {port} exists on this machine; configure one that it has")]
    NoAddress {
        /// The key of the configuration that names the addresses.
        port: &'static str,
    },
    /// The agent's own counters do not fit together.
    #[error(transparent)]
    Own(#[from] OwnFault),
}

/// Runs the agent until it is told to stop and has drained.
///
/// # Errors
/// If it cannot start; once it runs, nothing ends it but a signal.
pub async fn run(
    config: Config,
    config_file: Option<PathBuf>,
    system: System,
) -> Result<(), AppError> {
    let System { clock, mut signals, boot, .. } = system;
    let digest = Arc::new(Digest::new(settings(&config), Hasher::default()));
    let own = Arc::new(Own::new(&SIGNALS, &refusal_reasons())?);
    own.reloaded(true, clock.unix_ms());
    let last_scrape = Arc::new(LastScrape::new());

    let ports = Ports::bind(&config)?;
    let (stop_receiving, receiving_stopped) = watch::channel(false);
    let (stop_admin, admin_stopped) = watch::channel(false);
    let (readiness, ready) = watch::channel(Readiness::Starting);

    let mut receiver = JoinSet::new();
    receiver.spawn(receive::serve(
        ports.receive,
        config.receive.limits.clone(),
        acknowledge::deliver(digest.clone(), own.clone(), last_scrape.clone(), clock.clone()),
        acknowledge::refused(own.clone()),
        receiving_stopped,
    ));
    let expose = Expose::new(digest.clone(), own.clone(), BUILD);
    let reloading =
        Arc::new(Reloading::new(&config, config_file, digest.clone(), own, clock.clone()));
    let admin = Admin::new(admin::Config {
        scrape: last_scrape::scrape(expose, last_scrape.clone()),
        scrapes_max: admin::SCRAPES_MAX,
        readiness: ready,
        reload: reloading.clone().on_request(),
        token: config.admin.token.clone().map(reload::token_check),
    });
    let mut admin_port = JoinSet::new();
    admin_port.spawn(admin_serve(ports.admin, admin, admin_stopped));
    let mut housekeeping = JoinSet::new();
    housekeeping.spawn(expire(digest, clock));
    housekeeping.spawn(reloading.on_signals(signals.clone()));

    readiness.send_replace(Readiness::Ready);
    tracing::info!(event = "ready");
    drop(boot);
    signals.stopped().await;

    let draining = spans::drain();
    tracing::info!(event = "draining");
    readiness.send_replace(Readiness::Draining);
    let mut drain = Drain::start(process::DRAIN_LIMIT);
    housekeeping.abort_all();
    stop_receiving.send_replace(true);
    drain.step("receiver", finish(&mut receiver)).await;
    last_scrape.wait(LAST_SCRAPE_LIMIT).await;
    stop_admin.send_replace(true);
    drain.step("admin port", finish(&mut admin_port)).await;
    if let Err(unfinished) = drain.finish() {
        spans::fail(&draining, &unfinished);
        tracing::warn!(event = "drain_unfinished", %unfinished);
    }
    tracing::info!(event = "stopped");
    Ok(())
}

/// Every listening socket of the agent.
struct Ports {
    receive: Vec<TcpListener>,
    admin: Vec<TcpListener>,
}

impl Ports {
    fn bind(config: &Config) -> Result<Self, AppError> {
        let mut receive = bind_all("listen.otlp_grpc", &config.receive.grpc)?;
        receive.extend(bind_all("listen.otlp_http", &config.receive.http)?);
        let admin = bind_all("listen.admin", &config.admin.listen)?;
        Ok(Self { receive, admin })
    }
}

/// Binds every address that the machine has; a machine without IPv6 has no `::1`, and that is no reason not to start.
fn bind_all(
    port: &'static str,
    addresses: &[SocketAddr],
) -> Result<Vec<TcpListener>, AppError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        match listen::bind(*address) {
            Ok(listener) => {
                let bound = listener.local_addr().unwrap_or(*address);
                tracing::info!(event = "listening", port, address = %bound);
                listeners.push(listener);
            }
            Err(absent @ BindError::Absent { .. }) => {
                tracing::warn!(event = "address_absent", port, reason = %absent);
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    if listeners.is_empty() { Err(AppError::NoAddress { port }) } else { Ok(listeners) }
}

async fn admin_serve(
    listeners: Vec<TcpListener>,
    admin: Admin,
    stop: watch::Receiver<bool>,
) {
    let answer = move |request: http::Request<hyper::body::Incoming>| {
        let admin = admin.clone();
        let peer = listen::peer(&request);
        async move { admin.answer(peer, request).await }
    };
    let drained = listen::serve(listeners, answer, ADMIN_BOUNDS, Arc::new(|_| {}), stop).await;
    if drained.cut > 0 {
        tracing::warn!(event = "admin_connections_cut", connections = drained.cut);
    }
}

/// Forgets idle label sets, often enough that a limit is not held by what nobody asks for any more.
async fn expire(digest: Arc<Digest>, clock: Clock) {
    let mut ticks = tokio::time::interval(EXPIRE_EVERY);
    loop {
        ticks.tick().await;
        digest.expire(clock.unix_ms());
    }
}

/// Waits for every task of a set; one that panicked has said so already.
async fn finish(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// What the books are made from, as the configuration says it.
fn settings(config: &Config) -> Settings {
    let series = Limits {
        rows: config.series.max,
        expire_ms: config.series.expire.as_millis().try_into().unwrap_or(u64::MAX),
    };
    Settings { red: config.red.clone(), log_metrics: config.log_metrics.clone(), series }
}

fn refusal_reasons() -> Vec<&'static str> {
    let reasons = Reason::ALL.iter().map(|reason| reason.as_str());
    reasons.chain([acknowledge::NO_UPSTREAM]).collect()
}

const BUILD: Build = Build {
    version: process::VERSION,
    revision: match process::REVISION {
        Some(revision) => revision,
        None => "",
    },
};

/// The values of the label `signal`; a request to no endpoint has none.
const SIGNALS: [&str; 4] = ["traces", "logs", "metrics", acknowledge::NO_SIGNAL];

/// A few people and scrapers; a page that reloads every second stays far below.
const ADMIN_BOUNDS: listen::Bounds = listen::Bounds {
    connections: 64,
    streams_per_connection: 8,
    header_timeout: Duration::from_secs(75),
    drain_timeout: Duration::from_secs(2),
};

/// Half a minute: an expiry walk of a full book takes a millisecond.
const EXPIRE_EVERY: Duration = Duration::from_secs(30);

/// How long a stop waits for the scrape that takes what was counted last; the rest of the drain's time is kept for
/// connections.
const LAST_SCRAPE_LIMIT: Duration = Duration::from_secs(5);
