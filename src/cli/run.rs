//! `redora run`: everything that must stand before the agent is wired, and what is left when it has
//! drained.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::args::RunOptions;
use super::configuration;
use super::outcome::{self, Outcome};
use crate::app::AppError;
use crate::config::Config;
use crate::process::{self, Clock, LogSettings, REVISION, System, Telemetry, VERSION, spans};

/// Sets up log, own traces, runtime, signals and configuration, then runs the agent until it has
/// drained.
pub(super) fn run<R>(options: RunOptions, agent: R) -> Outcome
where
    R: AsyncFnOnce(Config, Option<PathBuf>, System) -> Result<(), AppError>,
{
    let format = options.log_format.map(Into::into);
    let log = match LogSettings::read(options.log_level.as_deref(), format, &process::env) {
        Ok(log) => log,
        Err(fault) => {
            outcome::complain(&fault);
            return Outcome::Wrong;
        }
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            outcome::complain(&format_args!("cannot start the threads of the agent: {error}"));
            return Outcome::Failed;
        }
    };
    let outcome = runtime.block_on(async {
        let telemetry = match Telemetry::start(log, &process::env) {
            Ok(telemetry) => telemetry,
            Err(error) => {
                outcome::complain(&error);
                return Outcome::Failed;
            }
        };
        let outcome = start(options.config, agent).await;
        telemetry.flush(process::FLUSH_LIMIT).await;
        outcome
    });
    // What is still running was named by the drain; waiting for it here would undo the deadline.
    runtime.shutdown_timeout(Duration::ZERO);
    outcome
}

/// The part of a run that is worth a trace of its own.
async fn start<R>(config_file: Option<PathBuf>, agent: R) -> Outcome
where
    R: AsyncFnOnce(Config, Option<PathBuf>, System) -> Result<(), AppError>,
{
    let boot = spans::boot();
    // First of all, since a SIGHUP without a handler ends the process.
    let signals = match process::signals() {
        Ok(signals) => signals,
        Err(error) => {
            spans::fail(&boot, &error);
            tracing::error!(%error, "cannot listen to signals");
            return Outcome::Failed;
        }
    };
    let (config_file, config) = match boot.in_scope(|| configuration::load(config_file)) {
        Ok(loaded) => loaded,
        Err(unusable) => {
            spans::fail(&boot, &unusable);
            outcome::complain(&unusable);
            return Outcome::Wrong;
        }
    };
    let file = config_file.as_ref().map(|file| tracing::field::display(file.display()));
    tracing::info!(version = VERSION, revision = REVISION, config = file, "starting");
    let system = System { clock: Clock::system(), signals, seed: process::seed(), boot };
    match agent(config, config_file, system).await {
        Ok(()) => Outcome::Done,
        Err(error) => {
            tracing::error!(%error, "agent failed");
            if error.is_misconfiguration() { Outcome::Wrong } else { Outcome::Failed }
        }
    }
}

/// One thread does the work: it reads more than a million spans a second, never waits for another
/// at the lock of the books, and wakes nobody for a request of ten spans. The runtime's own
/// variable asks for more, where one agent serves many services on a machine of many cores.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let number = AtomicUsize::new(0);
    let asked = process::env(THREADS_VARIABLE).and_then(|threads| threads.parse().ok());
    let threads = asked.unwrap_or(1).clamp(1, THREADS_MAX);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .thread_name_fn(move || format!("redora-{}", number.fetch_add(1, Ordering::Relaxed)))
        .build()
}

/// The variable by which Tokio's runtimes are told how many threads to work with.
const THREADS_VARIABLE: &str = "TOKIO_WORKER_THREADS";

/// More than any machine has cores to gain from.
const THREADS_MAX: usize = 256;
