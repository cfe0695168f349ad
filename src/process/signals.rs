//! The signals of the system as watched values, because a value that stands is seen by whoever asks
//! later, while an event would be lost on everyone who was not yet listening.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// What the system asked for so far.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Becomes true at the first SIGTERM or SIGINT and stays true.
    pub stop: watch::Receiver<bool>,
    /// Counts SIGHUPs; several that come during one reload are answered by one more.
    pub reload: watch::Receiver<u64>,
}

impl Signals {
    /// Ends when a stop was asked for, at once if it already was.
    pub async fn stopped(&mut self) {
        if self.stop.wait_for(|stop| *stop).await.is_err() {
            // Without a sender nobody can ask any more; the process then ends by other means.
            std::future::pending::<()>().await;
        }
    }

    /// Ends at the next SIGHUP that was not yet waited for.
    pub async fn reload_asked(&mut self) {
        if self.reload.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Listens to SIGTERM, SIGINT (Ctrl-C) and SIGHUP from here on, on the current tokio runtime.
///
/// A second SIGINT ends the process at once with exit code 1: who presses Ctrl-C twice does not
/// want to wait for the drain. A second SIGTERM changes nothing, because supervisors and wrappers
/// pass one stop on twice.
///
/// # Errors
/// When the system refuses a handler.
pub fn signals() -> io::Result<Signals> {
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    let hangup = signal(SignalKind::hangup())?;
    let (stop_sender, stop) = watch::channel(false);
    let (reload_sender, reload) = watch::channel(0);
    tokio::spawn(listen_for_stop(terminate, interrupt, stop_sender));
    tokio::spawn(listen_for_reload(hangup, reload_sender));
    Ok(Signals { stop, reload })
}

#[cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "who asks twice does not want to wait")
)]
async fn listen_for_stop(mut terminate: Signal, mut interrupt: Signal, stop: watch::Sender<bool>) {
    loop {
        let name = tokio::select! {
            Some(()) = terminate.recv() => "SIGTERM",
            Some(()) = interrupt.recv() => "SIGINT",
            else => return,
        };
        let stopping = *stop.borrow();
        match (stopping, name) {
            (true, "SIGINT") => {
                tracing::warn!(signal = name, "asked twice, leaving without drain");
                // The log's own thread gets a moment to write that line.
                tokio::time::sleep(LAST_LINE_LIMIT).await;
                std::process::exit(1);
            }
            (true, _) => {
                tracing::info!(signal = name, "draining already");
                continue;
            }
            (false, _) => {}
        }
        // Said before it is done, for the process may be gone right after.
        tracing::info!(signal = name, "stopping");
        stop.send_replace(true);
    }
}

async fn listen_for_reload(mut hangup: Signal, reload: watch::Sender<u64>) {
    while let Some(()) = hangup.recv().await {
        reload.send_modify(|count| *count += 1);
    }
}

/// Unnoticed by who presses Ctrl-C, and a thousand times what a line takes.
const LAST_LINE_LIMIT: Duration = Duration::from_millis(20);
