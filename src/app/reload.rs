//! Reading the configuration again: a file that is whole replaces the settings of the books, a
//! faulty one changes nothing and says so. What cannot change while sockets are open is named, so
//! that nobody waits for it.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::admin::{Reload, TokenCheck};
use crate::config::{self, Config, Faults, Secret};
use crate::digest::{Digest, Settings};
use crate::expose::Own;
use crate::process::{self, Clock, Signals, spans};

/// What a reload needs.
pub(super) struct Reloading {
    running: Mutex<Config>,
    token: watch::Sender<Option<TokenCheck>>,
    file: Option<PathBuf>,
    digest: Arc<Digest>,
    own: Arc<Own>,
    clock: Clock,
}

/// Why nothing was reloaded.
#[derive(Debug)]
enum ReloadFault {
    /// The agent was started without a file.
    NoFile,
    /// The file is not usable.
    Faults(Faults),
}

impl fmt::Display for ReloadFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => out.write_str("there is no file to read; start with --config FILE"),
            Self::Faults(faults) => {
                let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
                out.write_str(&lines.join("\n"))
            }
        }
    }
}

impl Error for ReloadFault {}

impl Reloading {
    pub(super) fn new(
        running: &Config,
        file: Option<PathBuf>,
        digest: Arc<Digest>,
        own: Arc<Own>,
        clock: Clock,
    ) -> Self {
        let token = watch::Sender::new(running.admin.token.clone().map(token_check));
        Self { running: Mutex::new(running.clone()), token, file, digest, own, clock }
    }

    /// The token that the running configuration asks of whoever reloads from elsewhere.
    pub(super) fn token(&self) -> watch::Receiver<Option<TokenCheck>> {
        self.token.subscribe()
    }

    /// The reload that the admin port offers.
    pub(super) fn on_request(self: Arc<Self>) -> Reload {
        Arc::new(move || {
            let reloading = self.clone();
            Box::pin(async move { Ok(reloading.reload()?) })
        })
    }

    /// Reloads at every SIGHUP.
    pub(super) async fn on_signals(self: Arc<Self>, mut signals: Signals) {
        loop {
            signals.reload_asked().await;
            // The fault is in the log and in the metrics; there is nobody else to tell.
            let _ = self.reload();
        }
    }

    fn reload(&self) -> Result<(), ReloadFault> {
        let span = spans::reload();
        let result = span.in_scope(|| self.read());
        self.own.reloaded(result.is_ok(), self.clock.unix_ms());
        match &result {
            Ok(()) => tracing::info!(event = "reloaded"),
            Err(fault) => {
                spans::fail(&span, fault);
                tracing::error!(event = "reload_refused", %fault, "the last good one stays");
            }
        }
        result
    }

    fn read(&self) -> Result<(), ReloadFault> {
        let file = self.file.as_ref().ok_or(ReloadFault::NoFile)?;
        let config = config::load(file, &process::env, &config::read_file, &config::list_folder)
            .map_err(ReloadFault::Faults)?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let fixed = [
            (
                "listen",
                config.receive.grpc != running.receive.grpc
                    || config.receive.http != running.receive.http
                    || config.admin.listen != running.admin.listen,
            ),
            ("limits of the receiver", config.receive.limits != running.receive.limits),
            ("data_dir", config.data_dir != running.data_dir),
            ("delivery", config.delivery != running.delivery),
        ];
        for (key, _) in fixed.iter().filter(|(_, changed)| *changed) {
            tracing::warn!(
                event = "restart_needed",
                key,
                "changed, but takes effect at the next start"
            );
        }
        self.digest.reconfigure(settings(&config));
        if config.admin.token != running.admin.token {
            self.token.send_replace(config.admin.token.clone().map(token_check));
            running.admin.token = config.admin.token;
        }
        // What takes effect at the next start is compared with what runs, however often the file is
        // read.
        running.red = config.red;
        running.log_metrics = config.log_metrics;
        running.slos = config.slos;
        running.queried = config.queried;
        running.series = config.series;
        Ok(())
    }
}

/// Compares what a peer shows with the configured token.
fn token_check(token: Secret) -> TokenCheck {
    Arc::new(move |shown| token.matches(shown))
}

/// What the books are made from, as the configuration says it.
pub(super) fn settings(config: &Config) -> Settings {
    Settings {
        red: config.red.clone(),
        log_metrics: config.log_metrics.clone(),
        slos: config.slos.clone(),
        series: config.series,
    }
}
