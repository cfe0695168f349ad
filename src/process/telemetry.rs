//! The agent's log and its own traces put together, because a process has exactly one place for
//! both and it must be set before the first line.

use std::time::Duration;

use tracing::{Dispatch, dispatcher};
use tracing_subscriber::layer::SubscriberExt;

use super::logs::Settings;
use super::traces::{self, Traces};

/// The running log and own traces; ended by [`Telemetry::flush`].
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<Traces>,
}

/// Why log and traces could not be set up.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryError {
    /// Another part of the process was first; the cure is to start only once.
    #[error("a log is already installed in this process")]
    AlreadyInstalled,
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
    /// [`TelemetryError::AlreadyInstalled`] at a second call in one process.
    pub fn start(
        settings: Settings,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, TelemetryError> {
        let planned = traces::Plan::read(env).and_then(|plan| plan.map(Traces::start).transpose());
        let (traces, fault) = match planned {
            Ok(traces) => (traces, None),
            Err(fault) => (None, Some(fault)),
        };
        dispatcher::set_global_default(dispatch(settings, traces.as_ref()))
            .map_err(|_| TelemetryError::AlreadyInstalled)?;
        if let Some(fault) = fault {
            tracing::warn!(reason = %fault, "own traces are off");
        }
        Ok(Self { traces })
    }

    /// Sends the own traces that wait, for at most `limit`, usually [`super::FLUSH_LIMIT`]. What is
    /// left is dropped and said so; spans that end later go nowhere.
    pub async fn flush(self, limit: Duration) {
        if let Some(traces) = self.traces {
            traces.flush(limit).await;
        }
    }
}

/// Log and traces behind one another, each with its own filter.
pub(super) fn dispatch(settings: Settings, traces: Option<&Traces>) -> Dispatch {
    let subscriber =
        tracing_subscriber::registry().with(traces.map(Traces::layer)).with(settings.layer());
    Dispatch::new(subscriber)
}
