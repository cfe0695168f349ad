//! The agent wired together: every organ is built here in boot order, joined by plain functions,
//! and drained in reverse, so that the whole of it can be read on one page.

mod acknowledge;
pub mod delivery;
mod last_scrape;
mod objectives;
pub mod rehearse;
mod reload;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use redora_wire::Signal;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admin::{self, Admin, Readiness};
use crate::config::Config;
use crate::digest::Digest;
use crate::expose::{Births, Build, Expose, Own, OwnFault};
use crate::listen::{self, BindError, Drained, Event, Tell};
use crate::process::{self, Clock, Drain, Signals, System, spans};
use crate::receive::{self, Reason};
use crate::series;
use delivery::{Delivering, DeliveryError};
use last_scrape::LastScrape;
use objectives::Objectives;
use reload::Reloading;

/// Why the agent could not run.
#[derive(Debug, Error)]
pub enum AppError {
    /// Addresses could not be listened on; every one of them is named.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Bind(Vec<BindError>),
    /// The agent's own counters do not fit together.
    #[error(transparent)]
    Own(#[from] OwnFault),
    /// The delivery half cannot start.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

impl AppError {
    /// Whether the configuration has to change before a start can succeed.
    pub fn is_misconfiguration(&self) -> bool {
        matches!(self, Self::Delivery(DeliveryError::Source(_)))
    }
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
    let System { clock, mut signals, seed, boot } = system;
    let digest = Arc::new(Digest::new(reload::settings(&config), series::hasher(seed)));
    let objectives = Objectives::resume(&config, digest.clone(), clock.clone());
    let own = Arc::new(own_counters()?);
    own.reloaded(true, clock.unix_ms());
    let last_scrape = Arc::new(LastScrape::new());
    let delivering = Delivering::start(&config, digest.clone(), &clock, seed)?;
    let ports = Ports::bind(&config)?;
    let (stop_receiving, receiving_stopped) = watch::channel(false);
    let (stop_admin, admin_stopped) = watch::channel(false);
    let (readiness, ready) = watch::channel(Readiness::Starting);

    let mut receiver = set_of(receive::serve(
        within_descriptors(config.receive.limits.clone(), process::descriptors_max()),
        ports.receive,
        acknowledge::deliver(digest.clone(), own.clone(), last_scrape.clone(), clock.clone()),
        acknowledge::refused(own.clone()),
        tell(RECEIVER, own.clone()),
        receiving_stopped,
    ));
    let latest = delivering.as_ref().map(Delivering::latest);
    let expose = Expose::new(digest.clone(), own.clone(), latest, BUILD);
    let reloading =
        Arc::new(Reloading::new(&config, config_file, digest.clone(), own.clone(), clock.clone()));
    let admin = Admin::new(admin::Config {
        scrape: objectives.up_to_date(last_scrape::scrape(expose, last_scrape.clone())),
        scrapes_max: admin::SCRAPES_MAX,
        readiness: ready,
        reload: reloading.clone().on_request(),
        token: reloading.token(),
        push: delivering.as_ref().map(Delivering::push),
        query: delivering.as_ref().map(Delivering::query),
    });
    let mut admin_port = set_of(admin_serve(ports.admin, admin, tell(ADMIN, own), admin_stopped));
    let housekeeping = keep_house(digest, clock, reloading, objectives.clone(), signals.clone());

    readiness.send_replace(Readiness::Ready);
    tracing::info!(event = "ready");
    drop(boot);
    signals.stopped().await;

    let draining = spans::drain();
    tracing::info!(event = "draining");
    readiness.send_replace(Readiness::Draining);
    drop((housekeeping, delivering));
    let mut drain = Drain::start(process::DRAIN_LIMIT);
    stop_receiving.send_replace(true);
    drain.step(RECEIVER, finish(RECEIVER, &mut receiver)).await;
    objectives.write();
    last_scrape.wait(LAST_SCRAPE_LIMIT).await;
    stop_admin.send_replace(true);
    drain.step(ADMIN, finish(ADMIN, &mut admin_port)).await;
    drained(drain, &draining);
    Ok(())
}

/// The work of a port, which ends with the set.
fn set_of(work: impl Future<Output = Drained> + Send + 'static) -> JoinSet<Drained> {
    let mut set = JoinSet::new();
    set.spawn(work);
    set
}

/// Says how the drain ended; what outlasted it is cut with the runtime.
fn drained(drain: Drain, span: &tracing::Span) {
    if let Err(unfinished) = drain.finish() {
        spans::fail(span, &unfinished);
        tracing::warn!(event = "drain_unfinished", %unfinished);
    }
    tracing::info!(event = "stopped");
}

/// Every listening socket of the agent.
struct Ports {
    receive: receive::Listeners,
    admin: Vec<TcpListener>,
}

impl Ports {
    fn bind(config: &Config) -> Result<Self, AppError> {
        let receive = receive::Listeners::bind(&config.receive);
        let admin = listen::bind_all(&config.admin.listen);
        match (receive, admin) {
            (Ok((receive, mut absent)), Ok(admin)) => {
                absent.extend(admin.absent);
                for address in absent {
                    tracing::warn!(event = "address_absent", reason = %address);
                }
                let ports = Self { receive, admin: admin.listeners };
                ports.log();
                Ok(ports)
            }
            (receive, admin) => {
                let faults = [receive.err(), admin.err()];
                Err(AppError::Bind(faults.into_iter().flatten().flatten().collect()))
            }
        }
    }

    fn log(&self) {
        let ports = [
            ("otlp_grpc", &self.receive.grpc),
            ("otlp_http", &self.receive.http),
            ("admin", &self.admin),
        ];
        for (port, listeners) in ports {
            for address in listeners.iter().filter_map(|listener| listener.local_addr().ok()) {
                tracing::info!(event = "listening", port, %address);
            }
        }
    }
}

async fn admin_serve(
    listeners: Vec<TcpListener>,
    admin: Admin,
    tell: Tell,
    stop: watch::Receiver<bool>,
) -> Drained {
    let answer = move |peer, request| {
        let admin = admin.clone();
        async move { admin.answer(peer, request).await }
    };
    listen::serve(listeners, answer, ADMIN_BOUNDS, tell, stop).await
}

/// Fewer connections where the system has no descriptors for as many: those of the receiver's two
/// ports must leave some to the admin port, or nobody could see why nothing is accepted.
fn within_descriptors(limits: receive::Limits, descriptors_max: Option<usize>) -> receive::Limits {
    let kept = ADMIN_BOUNDS.connections + DESCRIPTORS_OF_ITS_OWN;
    let share = descriptors_max.map_or(usize::MAX, |max| max.saturating_sub(kept) / 2).max(1);
    if share < limits.connections {
        let configured = limits.connections;
        tracing::info!(event = "connections_limited", configured, share, "by open files");
    }
    receive::Limits { connections: limits.connections.min(share), ..limits }
}

/// Counts what befell the listeners of a port.
fn tell(port: &'static str, own: Arc<Own>) -> Tell {
    Arc::new(move |event: Event| own.connection_event(port, event.as_str()))
}

/// What goes on beside the ports until it is dropped.
fn keep_house(
    digest: Arc<Digest>,
    clock: Clock,
    reloading: Arc<Reloading>,
    objectives: Arc<Objectives>,
    signals: Signals,
) -> JoinSet<()> {
    let mut housekeeping = JoinSet::new();
    housekeeping.spawn(expire(digest, clock));
    housekeeping.spawn(reloading.on_signals(signals));
    housekeeping.spawn(objectives.keep());
    housekeeping
}

/// Forgets idle label sets, often enough that a limit is not held by what nobody asks for any more.
async fn expire(digest: Arc<Digest>, clock: Clock) {
    let mut ticks = tokio::time::interval(EXPIRE_EVERY);
    loop {
        ticks.tick().await;
        digest.expire(u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
}

/// Waits for a port to be drained.
async fn finish(port: &'static str, serving: &mut JoinSet<Drained>) {
    while let Some(ended) = serving.join_next().await {
        match ended {
            Ok(Drained { cut: 0 }) => {}
            Ok(Drained { cut }) => tracing::warn!(event = "connections_cut", port, cut),
            Err(panicked) => tracing::error!(event = "port_failed", port, %panicked),
        }
    }
}

/// The agent's own counters, every one of them at 0.
fn own_counters() -> Result<Own, OwnFault> {
    let signals = Signal::ALL.map(Signal::as_str);
    let reasons: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let events = Event::ALL.map(Event::as_str);
    Own::new(&Births {
        signals: &signals,
        no_signal: acknowledge::NO_SIGNAL,
        reasons: &[&reasons[..], &[acknowledge::NO_UPSTREAM]].concat(),
        ports: &[RECEIVER, ADMIN],
        connection_events: &events,
    })
}

/// The two groups of listeners, as counters and the log name them.
const RECEIVER: &str = "receiver";
const ADMIN: &str = "admin";

const BUILD: Build = Build {
    version: process::VERSION,
    revision: match process::REVISION {
        Some(revision) => revision,
        None => "",
    },
};

/// A few people and scrapers; a page that reloads every second stays far below.
const ADMIN_BOUNDS: listen::Bounds = listen::Bounds {
    connections: 64,
    streams_per_connection: 8,
    header_timeout: Duration::from_secs(75),
    drain_timeout: Duration::from_secs(2),
};

/// Listeners, the runtime's, the log's, and files that are read at a scrape or a reload.
const DESCRIPTORS_OF_ITS_OWN: usize = 32;

/// Half a minute: an expiry walk of a full book takes a millisecond.
const EXPIRE_EVERY: Duration = Duration::from_secs(30);

/// How long a stop waits for the scrape that takes what was counted last; the rest of the drain's
/// time is kept for connections.
const LAST_SCRAPE_LIMIT: Duration = Duration::from_secs(5);
