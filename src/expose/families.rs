//! Every metric family that a scrape may hold, as data: the scrape declares from it, and the
//! documentation is written from it, so that the two cannot tell different stories.

use redora_exposition::{Family, Kind};

/// A family as it is declared and documented.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// The name as a query spells it.
    pub name: &'static str,
    /// What it counts, in one line.
    pub help: &'static str,
    /// Counter, gauge, histogram or info.
    pub kind: Kind,
    /// The unit, where the name ends in it.
    pub unit: Option<&'static str>,
    /// Its labels, `tenant` and configured dimensions left out.
    pub labels: &'static [&'static str],
}

impl Described {
    /// The family as the encoder takes it.
    #[must_use]
    pub fn family(&self) -> Family<'static> {
        Family { name: self.name, help: self.help, kind: self.kind, unit: self.unit }
    }
}

macro_rules! families {
    ($(
        $constant:ident = $kind:ident $name:literal $(in $unit:literal)?
        [$($label:literal),*] $help:literal;
    )*) => {
        $(pub(super) const $constant: Described = Described {
            name: $name,
            help: $help,
            kind: Kind::$kind,
            unit: families!(@unit $($unit)?),
            labels: &[$($label),*],
        };)*

        /// All of them, in the order of a scrape.
        pub const FAMILIES: &[Described] = &[$($constant),*];
    };
    (@unit) => { None };
    (@unit $unit:literal) => { Some($unit) };
}

families! {
    TARGET = Info "target_info" ["service_name", "service_version"]
        "The agent itself, as an OpenTelemetry resource.";
    BUILD = Gauge "redora_build_info" ["version", "revision"]
        "Which build of redora runs; always 1.";
    REQUESTS = Counter "redora_requests_total" ["service", "operation", "kind", "outcome", "status"]
        "Requests by operation and outcome.";
    REQUEST_DURATION = Histogram "redora_request_duration_seconds" in "seconds"
        ["service", "operation", "kind", "outcome"]
        "How long requests took.";
    OBSERVED = Counter "redora_observed_spans_total" ["service"]
        "Spans that arrived.";
    REPRESENTED = Counter "redora_represented_spans_total" ["service"]
        "Spans that were made, those left out by sampling included.";
    VERSION_REQUESTS = Counter "redora_version_requests_total" ["service", "version", "outcome"]
        "Requests that a version of a service served.";
    VERSION_INFO = Gauge "redora_version_info" ["service", "version", "revision", "environment"]
        "Versions that were seen serving; always 1.";
    VERSION_FIRST_SEEN = Gauge "redora_version_first_seen_timestamp_seconds" in "seconds"
        ["service", "version", "revision", "environment"]
        "When the first request that a version served arrived here.";
    VERSION_LAST_SEEN = Gauge "redora_version_last_seen_timestamp_seconds" in "seconds"
        ["service", "version", "revision", "environment"]
        "When the last request that a version served arrived here.";
    LOG_RECORDS = Counter "redora_log_records_total" ["service", "severity"]
        "Log records by severity.";
    SLO_EVENTS = Counter "redora_slo_events_total" ["service", "slo", "outcome"]
        "Good and bad events of an objective.";
    SLO_VERSION_EVENTS = Counter "redora_slo_version_events_total"
        ["service", "slo", "version", "outcome"]
        "Good and bad events of an objective, by the version that served them.";
    SLO_OBJECTIVE = Gauge "redora_slo_objective_ratio" in "ratio" ["service", "slo"]
        "The share of events that must be good.";
    SLO_WINDOW = Gauge "redora_slo_window_seconds" in "seconds" ["service", "slo"]
        "The time over which the share is taken; of a calendar window the length of this period.";
    SLO_BURN_RATE = Gauge "redora_slo_burn_rate" ["service", "slo", "window"]
        "How many times faster than allowed events were bad; 0 where there were none.";
    SLO_BUDGET = Gauge "redora_slo_error_budget_remaining_ratio" in "ratio" ["service", "slo"]
        "What is left of the budget of the window; below 0 where more was spent.";
    SLO_INFO = Gauge "redora_slo_info" ["service", "slo", "team", "runbook"]
        "Who is alerted for an objective and what they read; always 1.";
    SLO_TIER_ENABLED = Gauge "redora_slo_tier_enabled" ["service", "slo", "tier"]
        "Whether alerts of this severity are wanted.";
    TEMPO_CALLS = Counter "traces_spanmetrics_calls_total"
        ["service", "span_name", "span_kind", "status_code"]
        "Spans, under the name that Grafana Tempo gives them.";
    TEMPO_LATENCY = Histogram "traces_spanmetrics_latency"
        ["service", "span_name", "span_kind", "status_code"]
        "Span durations in seconds, under the name that Grafana Tempo gives them.";
    EDGE_TOTAL = Counter "traces_service_graph_request_total"
        ["client", "server", "connection_type"]
        "Requests between two services.";
    EDGE_FAILED = Counter "traces_service_graph_request_failed_total"
        ["client", "server", "connection_type"]
        "Requests between two services that failed.";
    EDGE_SERVER = Histogram "traces_service_graph_request_server_seconds" in "seconds"
        ["client", "server", "connection_type"]
        "Durations of requests between two services, as the client measured them.";
    EDGE_CLIENT = Histogram "traces_service_graph_request_client_seconds" in "seconds"
        ["client", "server", "connection_type"]
        "Durations of requests between two services, as the client measured them.";
    SPANMETRICS_CALLS = Counter "traces_span_metrics_calls_total"
        ["service_name", "span_name", "span_kind", "status_code"]
        "Spans, under the name that the OpenTelemetry Collector gives them.";
    SPANMETRICS_DURATION = Histogram "traces_span_metrics_duration_milliseconds" in "milliseconds"
        ["service_name", "span_name", "span_kind", "status_code"]
        "Span durations, under the name that the OpenTelemetry Collector gives them.";
}
