//! The agent's log and its own traces put together, because a process has exactly one place for
//! both and it must be set before the first line.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::layer::SubscriberExt;

use super::log_lines::LogLines;
use super::logs::Settings;
use super::traces::{self, Traces};

/// The running log and own traces; ended by [`Telemetry::flush`].
#[derive(Debug)]
pub struct Telemetry {
    log: LogLines,
    traces: Option<Traces>,
}

/// Why log and traces could not be set up.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryError {
    /// Another part of the process was first; the cure is to start only once.
    #[error("a log is already installed in this process")]
    AlreadyInstalled,
    /// The system gives no thread for the log.
    #[error("cannot start the thread of the log: {0}")]
    NoThread(io::ErrorKind),
}

impl Telemetry {
    /// Installs the log, and the own traces when the standard `OTEL_*` variables name an endpoint
    /// for them.
    ///
    /// Runs inside the tokio runtime that sends the traces. Variables that ask for what is not
    /// built turn the traces off with a warning instead of failing: in a pod they are often set for
    /// the application beside the agent.
    ///
    /// # Errors
    /// [`TelemetryError::AlreadyInstalled`] at a second call in one process, and
    /// [`TelemetryError::NoThread`] where the system is at its limit.
    pub fn start(
        settings: Settings,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, TelemetryError> {
        let planned = traces::Plan::read(env).and_then(|plan| plan.map(Traces::start).transpose());
        let (traces, fault) = match planned {
            Ok(traces) => (traces, None),
            Err(fault) => (None, Some(fault)),
        };
        let format = settings.format();
        let log = LogLines::start(io::stderr(), move |lines| format.lines_lost(lines))
            .map_err(|error| TelemetryError::NoThread(error.kind()))?;
        dispatcher::set_global_default(dispatch(settings, log.clone(), traces.as_ref()))
            .map_err(|_| TelemetryError::AlreadyInstalled)?;
        if let Some(fault) = fault {
            tracing::warn!(reason = %fault, "own traces are off");
        }
        Ok(Self { log, traces })
    }

    /// Sends the own traces that wait and writes the log lines that do, for at most `limit`,
    /// usually [`super::FLUSH_LIMIT`]. What is left is dropped, of traces with a line that says so;
    /// spans that end later go nowhere.
    pub async fn flush(self, limit: Duration) {
        let deadline = Instant::now() + limit;
        if let Some(traces) = self.traces {
            traces.flush(limit).await;
        }
        // Without anybody who reads the log there is nobody left to tell.
        let _ = timeout_at(deadline.max(Instant::now() + LINES_LIMIT), self.log.flush()).await;
    }
}

/// Log and traces behind one another, each with its own filter.
pub(super) fn dispatch(settings: Settings, log: LogLines, traces: Option<&Traces>) -> Dispatch {
    let subscriber =
        tracing_subscriber::registry().with(traces.map(Traces::layer)).with(settings.layer(log));
    Dispatch::new(subscriber)
}

/// What is left for the log's last lines after traces that took all the time: one write of a few
/// kilobytes.
const LINES_LIMIT: Duration = Duration::from_millis(100);
