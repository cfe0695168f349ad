//! What the delivery half found, as samples: the numbers of each place and window and the standing
//! of each source, from one snapshot, so that a scrape never shows half of two.

use redora_collector::keys::ci::Workflow;
use redora_collector::keys::{Report, Spread};
use redora_exposition::{Encoder, Kind};

use super::delivered::{Delivered, PlaceNumbers, SourceNumbers, WorkflowNumbers};
use super::families::Described;
use super::rows::PIECE_BYTES;

/// One family of the delivery half.
struct Family {
    described: Described,
    put: Put,
}

/// Where a family's samples come from.
enum Put {
    /// All of it.
    Whole(fn(&Delivered, &mut Samples<'_, '_>)),
    /// One place.
    Place(fn(&PlaceNumbers, &mut Samples<'_, '_>)),
    /// One place in one window.
    Window(fn(&Report, &mut Samples<'_, '_>)),
    /// One workflow in one window.
    Workflow(fn(&Workflow, &mut Samples<'_, '_>)),
    /// One source.
    Source(fn(&SourceNumbers, &mut Samples<'_, '_>)),
}

/// Samples of one place, window or source on their way out.
struct Samples<'e, 'l> {
    encoder: &'e mut Encoder,
    kind: Kind,
    labels: &'l [(&'l str, &'l str)],
}

impl Samples<'_, '_> {
    /// A sample with further labels; a number that is not known is absent.
    fn put(&mut self, further: &[(&str, &str)], value: Option<f64>) {
        let Some(value) = value else { return };
        let labels: Vec<(&str, &str)> = self.labels.iter().chain(further).copied().collect();
        match self.kind {
            Kind::Counter => self.encoder.counter(&labels, value, None, None),
            _ => self.encoder.gauge(&labels, value),
        }
    }

    fn spread(&mut self, further: &[(&str, &str)], spread: &Spread) {
        let quantiles = [("0.5", spread.p50_s), ("0.75", spread.p75_s), ("0.9", spread.p90_s)];
        for (quantile, value) in quantiles {
            let labels: Vec<_> = further.iter().copied().chain([("quantile", quantile)]).collect();
            self.put(&labels, value);
        }
    }
}

/// How many families there are.
pub(super) const PARTS: usize = FAMILIES.len();

/// Encodes a family from a row on; gives the row to go on from when a piece is full.
pub(super) fn encode(
    part: usize,
    delivered: &Delivered,
    encoder: &mut Encoder,
    from: usize,
) -> Option<usize> {
    let Family { described, put } = &FAMILIES[part];
    if from == 0 {
        encoder.family(&described.family());
    }
    let kind = described.kind;
    let rows = match put {
        Put::Whole(_) => 1,
        Put::Source(_) => delivered.sources.len(),
        Put::Workflow(_) => delivered.workflows.len(),
        Put::Place(_) | Put::Window(_) => delivered.places.len(),
    };
    for row in from..rows {
        match put {
            Put::Whole(put) => put(delivered, &mut Samples { encoder, kind, labels: &[] }),
            Put::Source(put) => {
                let source = &delivered.sources[row];
                let labels = [("source", source.source.as_str())];
                put(source, &mut Samples { encoder, kind, labels: &labels });
            }
            Put::Workflow(put) => {
                let WorkflowNumbers { service, window, workflow } = &delivered.workflows[row];
                let name = workflow.workflow.as_str();
                let labels = [("service", &**service), ("workflow", name), ("window", window)];
                put(workflow, &mut Samples { encoder, kind, labels: &labels });
            }
            Put::Place(put) => {
                let place = &delivered.places[row];
                let labels = place.labels();
                put(place, &mut Samples { encoder, kind, labels: &labels });
            }
            Put::Window(put) => {
                let place = &delivered.places[row];
                for (window, report) in &place.windows {
                    let [service, environment] = place.labels();
                    let labels = [service, environment, ("window", window)];
                    put(report, &mut Samples { encoder, kind, labels: &labels });
                }
            }
        }
        if encoder.buffered() >= PIECE_BYTES && row + 1 < rows {
            return Some(row + 1);
        }
    }
    None
}

impl PlaceNumbers {
    fn labels(&self) -> [(&str, &str); 2] {
        [("service", &self.service), ("environment", &self.environment)]
    }
}

/// Every family of the delivery half, as it is documented, in the order of a scrape.
pub fn delivery_families() -> impl Iterator<Item = &'static Described> {
    FAMILIES.iter().map(|family| &family.described)
}

const PLACE: &[&str] = &["service", "environment"];
const WINDOW: &[&str] = &["service", "environment", "window"];

const fn gauge(
    name: &'static str,
    unit: Option<&'static str>,
    labels: &'static [&'static str],
    help: &'static str,
    put: Put,
) -> Family {
    Family { described: Described { name, help, kind: Kind::Gauge, unit, labels }, put }
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    put: Put,
) -> Family {
    Family { described: Described { name, help, kind: Kind::Counter, unit: None, labels }, put }
}

static FAMILIES: [Family; 23] = [
    gauge(
        "redora_dora_deployments",
        None,
        WINDOW,
        "Successful deployments in the window.",
        Put::Window(|report, out| out.put(&[], Some(report.frequency.n as f64))),
    ),
    gauge(
        "redora_dora_change_lead_time_seconds",
        Some("seconds"),
        &["service", "environment", "window", "start", "end", "quantile"],
        "How long changes took that arrived in the window.",
        Put::Window(|report, out| {
            for time in &report.lead_time {
                out.spread(&[("start", time.start), ("end", time.end)], &time.spread);
            }
        }),
    ),
    gauge(
        "redora_dora_lead_time_stage_seconds",
        Some("seconds"),
        &["service", "environment", "window", "stage"],
        "Median time that changes spent in a stage.",
        Put::Window(|report, out| {
            for stage in &report.stages {
                out.put(&[("stage", stage.stage)], stage.spread.p50_s);
            }
        }),
    ),
    gauge(
        "redora_dora_change_failure_ratio",
        None,
        &["service", "environment", "window", "bound"],
        "Share of deployments that failed, and the share if every pending one did.",
        Put::Window(|report, out| {
            out.put(&[("bound", "confirmed")], report.failure.confirmed_ratio);
            out.put(&[("bound", "possible")], report.failure.possible_ratio);
        }),
    ),
    gauge(
        "redora_dora_failed_deployment_recovery_seconds",
        Some("seconds"),
        &["service", "environment", "window", "quantile"],
        "How long it took to recover from failed deployments of the window.",
        Put::Window(|report, out| out.spread(&[], &report.recovery)),
    ),
    gauge(
        "redora_dora_rework_ratio",
        None,
        WINDOW,
        "Share of deployments that were unplanned repairs.",
        Put::Window(|report, out| out.put(&[], report.rework.ratio)),
    ),
    gauge(
        "redora_dora_samples",
        None,
        &["service", "environment", "window", "metric"],
        "How many deployments, changes or failures a number was computed from.",
        Put::Window(|report, out| {
            let samples = [
                ("deployments", report.frequency.n),
                ("change_lead_time", report.lead_time.first().map_or(0, |time| time.spread.n)),
                ("change_failure_ratio", report.failure.n),
                ("failed_deployment_recovery", report.recovery.n),
                ("rework_ratio", report.rework.n),
            ];
            for (metric, n) in samples {
                out.put(&[("metric", metric)], Some(n as f64));
            }
        }),
    ),
    counter(
        "redora_dora_finished_deployments_total",
        &["service", "environment", "result"],
        "Deployments that came to an end, by its kind.",
        Put::Place(|place, out| {
            let frequency = &place.ever.frequency;
            out.put(&[("result", "success")], Some(frequency.n as f64));
            out.put(&[("result", "failure")], Some(frequency.failed as f64));
        }),
    ),
    counter(
        "redora_dora_rollbacks_total",
        PLACE,
        "Deployments of an earlier commit than the one that was there.",
        Put::Place(|place, out| out.put(&[], Some(place.ever.frequency.rollbacks as f64))),
    ),
    counter(
        "redora_dora_change_failures_total",
        &["service", "environment", "cause"],
        "Deployments that failed, by what told so: an incident, else a burn, or a rollback alone.",
        Put::Place(|place, out| {
            let failure = &place.ever.failure;
            out.put(&[("cause", "incident")], Some(failure.by_incident as f64));
            out.put(&[("cause", "burn")], Some(failure.by_burn as f64));
            let by_rollback = failure.confirmed - failure.by_incident - failure.by_burn;
            out.put(&[("cause", "rollback")], Some(by_rollback as f64));
        }),
    ),
    gauge(
        "redora_dora_last_deployment_timestamp_seconds",
        Some("seconds"),
        PLACE,
        "When the last successful deployment finished.",
        Put::Place(|place, out| {
            out.put(&[], place.ever.last_deployment_ms.map(|ms| ms as f64 / 1e3));
        }),
    ),
    gauge(
        "redora_dora_incidents_open",
        None,
        PLACE,
        "Incidents that are not over.",
        Put::Place(|place, out| out.put(&[], Some(place.ever.incidents.open.len() as f64))),
    ),
    gauge(
        "redora_dora_verdicts_pending",
        None,
        PLACE,
        "Deployments that may still be found to have failed.",
        Put::Place(|place, out| out.put(&[], Some(place.ever.failure.pending as f64))),
    ),
    gauge(
        "redora_dora_places_omitted",
        None,
        &[],
        "Services in environments that are left out here: those that were deployed longest ago.",
        Put::Whole(|delivered, out| out.put(&[], Some(delivered.places_omitted as f64))),
    ),
    gauge(
        "redora_dora_places_cold",
        None,
        &[],
        "Services in environments that are linked anew each time: delivery.memory is too small.",
        Put::Whole(|delivered, out| out.put(&[], Some(delivered.places_cold as f64))),
    ),
    gauge(
        "redora_ci_runs",
        None,
        &["service", "workflow", "window", "conclusion"],
        "Runs that ended in the window, by the conclusion of their last attempt.",
        Put::Workflow(|workflow, out| {
            for (conclusion, n) in &workflow.conclusions {
                out.put(&[("conclusion", conclusion)], Some(*n as f64));
            }
        }),
    ),
    gauge(
        "redora_ci_success_ratio",
        None,
        &["service", "workflow", "window"],
        "Share of runs that succeeded among those that succeeded or failed.",
        Put::Workflow(|workflow, out| out.put(&[], workflow.success_ratio)),
    ),
    gauge(
        "redora_ci_duration_seconds",
        Some("seconds"),
        &["service", "workflow", "window", "quantile"],
        "How long the last attempts of runs took that succeeded or failed.",
        Put::Workflow(|workflow, out| out.spread(&[], &workflow.duration)),
    ),
    gauge(
        "redora_ci_queue_seconds",
        Some("seconds"),
        &["service", "workflow", "window", "quantile"],
        "How long the jobs of last attempts waited for a machine, where jobs are read.",
        Put::Workflow(|workflow, out| out.spread(&[], &workflow.queue)),
    ),
    gauge(
        "redora_source_watermark_age_seconds",
        Some("seconds"),
        &["source"],
        "How long ago the moment is up to which the source is completely read.",
        Put::Source(|source, out| out.put(&[], source.watermark_age_s)),
    ),
    counter(
        "redora_source_rejects_total",
        &["source"],
        "What the source gave that could not be read and was set aside.",
        Put::Source(|source, out| out.put(&[], Some(source.rejects as f64))),
    ),
    gauge(
        "redora_source_gaps",
        None,
        &["source"],
        "Stretches of the source that may be missing, since the start.",
        Put::Source(|source, out| out.put(&[], Some(source.gaps as f64))),
    ),
    gauge(
        "redora_github_ratelimit_remaining",
        None,
        &["source"],
        "Requests that GitHub left this source, as its last answer said: points of GraphQL while \
         its past is read, requests of REST afterwards.",
        Put::Source(|source, out| out.put(&[], source.remaining.map(|n| n as f64))),
    ),
];
