//! The agent's own traces, sent as OTLP over HTTP when the standard variables name an endpoint.
//!
//! Only the few spans of [`spans`] are sent, never one per accepted request: the endpoint may be
//! this very agent, and a span about each request that carries a span would never come to rest.

use std::sync::Mutex;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::runtime;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tokio::time::Instant;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::version::{REVISION, VERSION};

/// The target that marks a span for sending; nothing else passes, whatever its level.
const TARGET: &str = "redora::trace";

/// A dead endpoint is worth a line now and then, not one every five seconds.
const WARNING_EVERY: Duration = Duration::from_secs(300);

/// The spans that are sent, as long as the returned value or a guard of it lives.
pub mod spans {
    use std::fmt::Display;

    use tracing::{Span, field};

    use super::TARGET;

    /// From the start of the process until all listeners are bound.
    pub fn boot() -> Span {
        tracing::info_span!(
            target: TARGET,
            "boot",
            otel.status_code = field::Empty,
            otel.status_description = field::Empty
        )
    }

    /// One reading of the configuration while running.
    pub fn reload() -> Span {
        tracing::info_span!(
            target: TARGET,
            "reload",
            otel.status_code = field::Empty,
            otel.status_description = field::Empty
        )
    }

    /// From the wish to stop until the last organ has ended.
    pub fn drain() -> Span {
        tracing::info_span!(
            target: TARGET,
            "drain",
            otel.status_code = field::Empty,
            otel.status_description = field::Empty
        )
    }

    /// One scrape, until its last byte has been taken.
    pub fn scrape() -> Span {
        tracing::info_span!(
            target: TARGET,
            "scrape",
            otel.status_code = field::Empty,
            otel.status_description = field::Empty
        )
    }

    /// Marks a span of this module as failed, with the reason that its readers see.
    pub fn fail(span: &Span, reason: &dyn Display) {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", field::display(reason));
    }
}

/// Where the own traces go, as the environment asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    endpoint: String,
    service_name: Option<String>,
}

/// The environment asks for own traces in a way that is not built; the traces stay off.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error(
        "OTLP protocol `{0}` is not built in; set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"
    )]
    Protocol(String),
    #[error("traces exporter `{0}` is not built in; set OTEL_TRACES_EXPORTER to otlp or none")]
    Exporter(String),
    #[error("`{0}` is no endpoint for own traces; use http://HOST:PORT (https is not built in)")]
    Endpoint(String),
    #[error("{0}")]
    Refused(String),
}

impl Plan {
    /// Reads the standard variables; `None` when they name no endpoint or turn the traces off.
    pub(super) fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, Fault> {
        // The specification says that an empty variable is as good as an unset one.
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let endpoint = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| {
            let base = set("OTEL_EXPORTER_OTLP_ENDPOINT")?;
            Some(format!("{}/v1/traces", base.trim_end_matches('/')))
        });
        let Some(endpoint) = endpoint else { return Ok(None) };
        match set("OTEL_TRACES_EXPORTER").as_deref() {
            Some("none") => return Ok(None),
            Some("otlp") | None => {}
            Some(other) => return Err(Fault::Exporter(other.to_owned())),
        }
        let protocol = set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            .or_else(|| set("OTEL_EXPORTER_OTLP_PROTOCOL"))
            .filter(|protocol| protocol != "http/protobuf");
        if let Some(other) = protocol {
            return Err(Fault::Protocol(other));
        }
        let usable = endpoint
            .parse::<http::Uri>()
            .is_ok_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some());
        if !usable {
            return Err(Fault::Endpoint(endpoint));
        }
        Ok(Some(Self { endpoint, service_name: set("OTEL_SERVICE_NAME") }))
    }
}

/// The running sender of own traces.
#[derive(Debug)]
pub(super) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts the sender as a task of the current tokio runtime. The first connection is made with
    /// the first span.
    pub(super) fn start(plan: Plan) -> Result<Self, Fault> {
        let exporter = OtlpExporter::builder()
            .with_http()
            .with_endpoint(plan.endpoint.clone())
            .build()
            .map_err(|error| Fault::Refused(error.to_string()))?;
        let exporter =
            Reporting { inner: exporter, endpoint: plan.endpoint, state: Mutex::default() };
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter, runtime::Tokio).build())
            .with_resource(resource(plan.service_name))
            .build();
        Ok(Self { provider })
    }

    /// The layer that turns the marked spans into own traces.
    pub(super) fn layer<S>(&self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("redora"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(
                filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET)
                    // Without the hint every trace point of every library would be asked about.
                    .with_max_level_hint(LevelFilter::INFO),
            )
            .boxed()
    }

    /// Sends what waits and ends the sender, for at most `limit`.
    pub(super) async fn flush(self, limit: Duration) {
        // The shutdown blocks its thread until the sender answers, which the limit must not depend
        // on.
        let shutdown = tokio::task::spawn_blocking(move || self.provider.shutdown());
        match tokio::time::timeout(limit, shutdown).await {
            Ok(Ok(Ok(()))) => {}
            // The exporter has already said what went wrong with the endpoint.
            Ok(Ok(Err(error))) => tracing::debug!(%error, "own traces ended with a fault"),
            Ok(Err(error)) => tracing::debug!(%error, "own traces ended with a fault"),
            Err(_) => {
                tracing::warn!(limit_ms = limit.as_millis(), "last own traces not sent in time")
            }
        }
    }
}

/// `redora`, unless the environment names the service: `OTEL_SERVICE_NAME` before
/// `OTEL_RESOURCE_ATTRIBUTES`.
fn resource(service_name: Option<String>) -> Resource {
    let revision = REVISION.map(|revision| KeyValue::new("vcs.ref.head.revision", revision));
    let resource = Resource::builder_empty()
        .with_service_name("redora")
        .with_attribute(KeyValue::new("service.version", VERSION))
        .with_attributes(revision)
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match service_name {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

/// An exporter that says now and then that its endpoint is dead, since the SDK built here says
/// nothing.
#[derive(Debug)]
struct Reporting<E> {
    inner: E,
    endpoint: String,
    state: Mutex<Trouble>,
}

/// What went wrong since the last warning.
#[derive(Debug, Default)]
struct Trouble {
    warned: Option<Instant>,
    spans_lost: usize,
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.inner.export(batch).await;
        if let Err(error) = &result {
            let mut state = self.state.lock().expect("nothing panics while it holds the lock");
            if let Some(spans_lost) = state.lose(spans, Instant::now()) {
                let endpoint = self.endpoint.as_str();
                tracing::warn!(endpoint, spans_lost, %error, "own traces not sent");
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl Trouble {
    /// Counts lost spans; returns their number when it is time to warn again.
    fn lose(&mut self, spans: usize, now: Instant) -> Option<usize> {
        self.spans_lost += spans;
        if self.warned.is_some_and(|warned| now.duration_since(warned) < WARNING_EVERY) {
            return None;
        }
        self.warned = Some(now);
        Some(std::mem::take(&mut self.spans_lost))
    }
}

#[cfg(test)]
mod tests;
