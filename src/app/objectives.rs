//! Keeps what objectives have counted in the data directory: a restart would otherwise give every
//! budget back. What cannot be read is set aside, and never stops a start.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;

use crate::admin::Scrape;
use crate::config::Config;
use crate::digest::Digest;
use crate::process::{self, Clock};
use crate::slo::StateFault;

/// The file, and what stands in it.
pub(super) struct Objectives {
    file: PathBuf,
    digest: Arc<Digest>,
    clock: Clock,
    /// The commits of the book that was written last; held while writing, so that a file of less
    /// never replaces one of more.
    written: Mutex<u64>,
}

/// Why a file was not read.
#[derive(Debug, Error)]
enum Unread {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    State(#[from] StateFault),
}

impl Objectives {
    /// Goes on where the last process stopped.
    pub(super) fn resume(config: &Config, digest: Arc<Digest>, clock: Clock) -> Arc<Self> {
        let file = config.data_dir.join(STATE_FILE);
        match resume(&file, &digest, clock.unix_ms()) {
            Ok(None) => {}
            Ok(Some(objectives)) => tracing::info!(event = "objectives_resumed", objectives),
            Err(reason) => set_aside(&file, &reason),
        }
        digest.advance(clock.unix_ms());
        Arc::new(Self { file, digest, clock, written: Mutex::new(0) })
    }

    /// Writes the file whenever there is news, until it is dropped.
    pub(super) async fn keep(self: Arc<Self>) {
        let first = tokio::time::Instant::now() + KEEP_EVERY;
        let mut ticks = tokio::time::interval_at(first, KEEP_EVERY);
        loop {
            ticks.tick().await;
            let this = self.clone();
            // A disk may take its time, and requests would wait for it.
            let written = tokio::task::spawn_blocking(move || this.write()).await;
            if let Err(panicked) = written {
                tracing::error!(event = "objectives_not_kept", %panicked);
            }
        }
    }

    /// Writes the file if there is news.
    pub(super) fn write(&self) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        self.digest.advance(self.clock.unix_ms());
        let Some((commits, bytes)) = self.digest.kept(*written) else { return };
        match process::save_whole(&self.file, &bytes) {
            Ok(()) => *written = commits,
            Err(fault) => {
                let file = self.file.display();
                tracing::warn!(event = "objectives_not_kept", %file, %fault, "tried again later");
            }
        }
    }

    /// The same scrapes, with windows that end when it begins.
    pub(super) fn up_to_date(&self, scrape: Scrape) -> Scrape {
        let (digest, clock) = (self.digest.clone(), self.clock.clone());
        Arc::new(move |request| {
            digest.advance(clock.unix_ms());
            scrape(request)
        })
    }
}

fn resume(file: &Path, digest: &Digest, now_ms: u64) -> Result<Option<usize>, Unread> {
    let Some(bytes) = process::load_whole(file)? else { return Ok(None) };
    Ok(Some(digest.resume(&bytes, now_ms)?))
}

/// Says why budgets start whole, and keeps the file for whoever wants to look.
fn set_aside(file: &Path, reason: &Unread) {
    let shown = file.display();
    match process::set_aside(file) {
        Ok(aside) => {
            let aside = aside.display();
            tracing::warn!(event = "objectives_set_aside", file = %shown, %reason, %aside);
        }
        Err(fault) => {
            tracing::warn!(event = "objectives_set_aside", file = %shown, %reason, %fault);
        }
    }
}

/// The file's place in the data directory.
const STATE_FILE: &str = "slo.state";

/// A kill forgets this much of every budget at most.
const KEEP_EVERY: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1 as trace;
    use prost::Message;
    use redora_model::identity::Tenant;
    use redora_wire::Signal;

    use super::*;
    use crate::app::reload::settings;
    use crate::config;
    use crate::series::Hasher;

    /// A request that the service `s` served and that failed.
    fn failed() -> Vec<u8> {
        let name = AnyValue { value: Some(any_value::Value::StringValue("s".into())) };
        let attribute =
            KeyValue { key: "service.name".into(), value: Some(name), ..Default::default() };
        let status = Some(trace::Status { code: 2, ..Default::default() });
        let span = trace::Span { kind: 2, status, ..Default::default() };
        let part = trace::ResourceSpans {
            resource: Some(Resource { attributes: vec![attribute], ..Default::default() }),
            scope_spans: vec![trace::ScopeSpans { spans: vec![span], ..Default::default() }],
            ..Default::default()
        };
        ExportTraceServiceRequest { resource_spans: vec![part] }.encode_to_vec()
    }

    fn digest(config: &Config) -> Arc<Digest> {
        Arc::new(Digest::new(settings(config), Hasher::default()))
    }

    fn bad(digest: &Digest) -> Option<u64> {
        digest.read(|books| books.slo.standings().next().map(|one| one.spent().bad))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_counted_is_on_the_disk_within_half_a_minute() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("redora.yaml");
        let text = "- { name: a, service: s, indicator: availability, objective: 99% }";
        std::fs::write(folder.path().join("slos.yaml"), text).expect("written");
        std::fs::write(&file, "slos: slos.yaml").expect("written");
        let config = config::load(&file, &|_| None, &config::read_file, &config::list_folder);
        let mut config = config.expect("sound");
        config.data_dir = folder.path().join("data");

        let (clock, _hand) = Clock::manual(1_790_000_000_000_000_000);
        let before = digest(&config);
        let objectives = Objectives::resume(&config, before.clone(), clock.clone());
        let keeping = tokio::spawn(objectives.keep());
        tokio::time::sleep(KEEP_EVERY / 2).await;
        assert!(!config.data_dir.exists(), "nothing is written while there is nothing to keep");
        before.take(&Tenant::single(), Signal::Traces, &failed(), clock.unix_ms()).expect("valid");
        assert_eq!(bad(&before), Some(1));
        tokio::time::sleep(KEEP_EVERY).await;
        keeping.abort();

        let after = digest(&config);
        Objectives::resume(&config, after.clone(), clock);
        assert_eq!(bad(&after), Some(1));
    }
}
