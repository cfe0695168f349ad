//! The agent's own counters and what the system says of its process, kept by the prometheus crate:
//! they are few, they are counted from many places, and nothing about them is redora's business.

use prometheus::core::Collector;
use prometheus::proto::MetricType;
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use redora_exposition::{Encoder, Family, Kind};
use thiserror::Error;

use crate::digest::Books;

/// Counters of the agent itself.
#[derive(Debug)]
pub struct Own {
    registry: Registry,
    accepted_items: IntCounterVec,
    refused_items: IntCounterVec,
    refused_requests: IntCounterVec,
    durations_dropped: IntCounter,
    series: IntGaugeVec,
    overflow: IntCounterVec,
    connection_events: IntCounterVec,
    reload_ok: IntGauge,
    reload_at: Gauge,
}

/// The label values that will be counted, known before anything is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Births<'a> {
    /// Signals whose items may be taken.
    pub signals: &'a [&'a str],
    /// What stands for the signal of a request that named none.
    pub no_signal: &'a str,
    /// Why a request may be refused.
    pub reasons: &'a [&'a str],
    /// Groups of listeners.
    pub ports: &'a [&'a str],
    /// What may befall a listener or a connection.
    pub connection_events: &'a [&'a str],
}

/// The registry refused a collector; only a mistake in this file can cause it.
#[derive(Debug, Error)]
#[error("the agent's own counters do not fit together: {0}")]
pub struct OwnFault(#[from] prometheus::Error);

impl Own {
    /// All counters at 0, so that their first event is seen.
    ///
    /// # Errors
    /// If two collectors share a name.
    pub fn new(births: &Births<'_>) -> Result<Self, OwnFault> {
        let counters =
            |name, help, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let own = Self {
            registry: Registry::new(),
            accepted_items: counters(
                "redora_accepted_items_total",
                "Spans, log records and data points that were taken.",
                &["signal"],
            )?,
            refused_items: counters(
                "redora_refused_items_total",
                "Items of refused requests, where they could be counted.",
                &["signal", "reason"],
            )?,
            refused_requests: counters(
                "redora_refused_requests_total",
                "Requests that were refused.",
                &["signal", "reason"],
            )?,
            durations_dropped: IntCounter::new(
                "redora_dropped_durations_total",
                "Spans whose times made no duration; they count as requests.",
            )?,
            series: IntGaugeVec::new(
                Opts::new("redora_series", "Label sets that a book holds."),
                &["book"],
            )?,
            overflow: counters(
                "redora_series_overflow_total",
                "Items that found their book full and were counted as other.",
                &["book"],
            )?,
            connection_events: counters(
                "redora_connection_events_total",
                "Connections that could not be accepted, had to wait at the limit, or were cut.",
                &["port", "event"],
            )?,
            reload_ok: IntGauge::new(
                "redora_config_last_reload_successful",
                "Whether the last reading of the configuration succeeded.",
            )?,
            reload_at: Gauge::new(
                "redora_config_last_reload_success_timestamp_seconds",
                "When the configuration was last read with success.",
            )?,
        };
        own.register()?;
        own.bear(births);
        Ok(own)
    }

    fn bear(&self, births: &Births<'_>) {
        for signal in births.signals {
            self.accepted_items.with_label_values(&[signal]);
        }
        for signal in births.signals.iter().chain([&births.no_signal]) {
            for reason in births.reasons {
                self.refused_items.with_label_values(&[signal, reason]);
                self.refused_requests.with_label_values(&[signal, reason]);
            }
        }
        for port in births.ports {
            for event in births.connection_events {
                self.connection_events.with_label_values(&[port, event]);
            }
        }
    }

    fn register(&self) -> Result<(), OwnFault> {
        let collectors: [Box<dyn Collector>; 9] = [
            Box::new(self.accepted_items.clone()),
            Box::new(self.refused_items.clone()),
            Box::new(self.refused_requests.clone()),
            Box::new(self.durations_dropped.clone()),
            Box::new(self.series.clone()),
            Box::new(self.overflow.clone()),
            Box::new(self.connection_events.clone()),
            Box::new(self.reload_ok.clone()),
            Box::new(self.reload_at.clone()),
        ];
        for collector in collectors {
            self.registry.register(collector)?;
        }
        #[cfg(target_os = "linux")]
        self.registry
            .register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(())
    }

    /// Items were taken.
    pub fn accepted(&self, signal: &str, items: u64) {
        self.accepted_items.with_label_values(&[signal]).inc_by(items);
    }

    /// A request was refused, with as many items as could be counted.
    pub fn refused(&self, signal: &str, reason: &str, items: Option<u64>) {
        self.refused_requests.with_label_values(&[signal, reason]).inc();
        self.refused_items.with_label_values(&[signal, reason]).inc_by(items.unwrap_or(0));
    }

    /// Items of an accepted request were refused.
    pub fn refused_part(&self, signal: &str, reason: &str, items: u64) {
        self.refused_items.with_label_values(&[signal, reason]).inc_by(items);
    }

    /// Something befell a listener or a connection of a port.
    pub fn connection_event(&self, port: &str, event: &str) {
        self.connection_events.with_label_values(&[port, event]).inc();
    }

    /// The configuration was read.
    pub fn reloaded(&self, ok: bool, now_ms: u64) {
        self.reload_ok.set(i64::from(ok));
        if ok {
            self.reload_at.set(now_ms as f64 / 1e3);
        }
    }

    /// Name, kind, labels and help of every family, for the documentation.
    pub fn described(&self) -> Vec<(String, Kind, Vec<String>, String)> {
        let families = self.registry.gather();
        let described = families.iter().filter_map(|family| {
            let labels = family.get_metric().first()?.get_label().iter();
            let labels = labels.map(|pair| pair.name().to_owned()).collect();
            let (name, help) = (family.name().to_owned(), family.help().to_owned());
            Some((name, kind(family.get_field_type())?, labels, help))
        });
        described.collect()
    }

    /// Takes over what the books count about themselves.
    pub(super) fn observe(&self, books: &Books) {
        let (red, logs, versions, slos) = (
            books.red.sizes(),
            books.log_metrics.sizes(),
            books.sightings.sizes(),
            books.slo.sizes(),
        );
        for (book, size) in red.into_iter().chain(logs).chain(versions).chain(slos) {
            self.series.with_label_values(&[book]).set(size.rows as i64);
            raise(&self.overflow.with_label_values(&[book]), size.overflowed);
        }
        raise(&self.durations_dropped, books.red.durations_dropped());
    }

    /// Writes every family of the registry.
    pub(super) fn encode(&self, encoder: &mut Encoder) {
        for family in self.registry.gather() {
            let Some(kind) = kind(family.get_field_type()) else { continue };
            let name = family.name();
            let unit = UNITS.iter().find(|unit| name.trim_end_matches("_total").ends_with(*unit));
            encoder.family(&Family { name, help: family.help(), kind, unit: unit.copied() });
            for metric in family.get_metric() {
                let labels: Vec<_> =
                    metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
                match kind {
                    Kind::Counter => {
                        encoder.counter(&labels, metric.get_counter().get_value(), None, None);
                    }
                    _ => encoder.gauge(&labels, metric.get_gauge().get_value()),
                }
            }
        }
    }
}

/// The registry holds counters and gauges only.
fn kind(of: MetricType) -> Option<Kind> {
    match of {
        MetricType::COUNTER => Some(Kind::Counter),
        MetricType::GAUGE => Some(Kind::Gauge),
        _ => None,
    }
}

/// The books count on their own, and a reload does not set these counts back.
fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

/// Units that a name may end in.
const UNITS: [&str; 2] = ["seconds", "bytes"];
