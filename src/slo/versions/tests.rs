//! Versions as requests name them, through the whole walk: what each of them had of an objective,
//! in what order and company it came.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use prost::Message;
use redora_model::identity::Service;
use redora_model::slo::{Goal, Indicator, Tiers, Window};
use redora_wire::Signal;

use super::*;
use crate::digest::{Digest, Settings};
use crate::slo::{Select, Watched};

const SERVER: i32 = 2;
const SLOW_NS: u64 = 300_000_000;

fn watched(name: &str, indicator: Indicator) -> Watched {
    let objective = Objective {
        name: name.to_owned(),
        service: Service::new("shop"),
        indicator,
        goal: Goal::parse("99%").expect("a goal"),
        window: Window::Rolling { seconds: 86_400 },
        tiers: Tiers::ALL,
        team: String::new(),
        runbook: String::new(),
    };
    Watched { objective, select: Select::default(), slices: None }
}

fn both() -> Vec<Watched> {
    let latency = Indicator::Latency { threshold_ns: SLOW_NS };
    vec![watched("up", Indicator::Availability), watched("fast", latency)]
}

fn settings(slos: Vec<Watched>, rows: usize) -> Settings {
    let series = Limits { rows, expire_ms: 1000 };
    Settings { red: crate::red::Config::default(), log_metrics: Vec::new(), slos, series }
}

fn digest(slos: Vec<Watched>, rows: usize) -> Digest {
    Digest::new(settings(slos, rows), Hasher::default())
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..Default::default() }
}

/// Requests of a version: as many good, slow and failed ones.
fn part(service: &str, version: &str, [good, slow, failed]: [usize; 3]) -> trace::ResourceSpans {
    let span = |nanos: u64, code: i32| trace::Span {
        kind: SERVER,
        start_time_unix_nano: 1,
        end_time_unix_nano: 1 + nanos,
        status: Some(trace::Status { code, ..Default::default() }),
        ..Default::default()
    };
    let spans = [(good, span(1, 0)), (slow, span(SLOW_NS + 1, 0)), (failed, span(1, 2))];
    let spans = spans.into_iter().flat_map(|(many, span)| std::iter::repeat_n(span, many));
    let mut attributes = vec![text("service.name", service)];
    if !version.is_empty() {
        attributes.push(text("service.version", version));
    }
    let scope = trace::ScopeSpans { spans: spans.collect(), ..Default::default() };
    trace::ResourceSpans {
        resource: Some(Resource { attributes, ..Default::default() }),
        scope_spans: vec![scope],
        ..Default::default()
    }
}

fn take(digest: &Digest, resource_spans: Vec<trace::ResourceSpans>) {
    let bytes = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    digest.take(&Tenant::single(), Signal::Traces, &bytes, 1).expect("a valid request");
}

/// Each row as `slo version good bad`.
fn rows(digest: &Digest) -> Vec<String> {
    let mut rows: Vec<_> = digest.read(|books| {
        let rows = books.slo.versions().entries(0).map(|(_, entry)| {
            let labels: Vec<_> = entry.labels().skip(2).collect();
            let Counts { good, bad } = entry.row.counts();
            format!("{} {good} {bad}", labels.join(" "))
        });
        rows.collect()
    });
    rows.sort();
    rows
}

fn totals(digest: &Digest) -> Vec<(u64, u64)> {
    let pair = |counts: Counts| (counts.good, counts.bad);
    digest.read(|books| books.slo.standings().map(|one| pair(one.totals())).collect())
}

#[test]
fn each_version_has_its_events_of_each_objective() {
    let digest = digest(both(), 10);
    let old = part("shop", "1.0.0", [5, 1, 0]);
    let new = part("shop", "2.0.0", [1, 2, 3]);
    take(&digest, vec![old.clone(), part("till", "9", [1, 1, 1]), new, old.clone()]);
    take(&digest, vec![old]);
    let expected = ["fast 1.0.0 15 3", "fast 2.0.0 1 5", "up 1.0.0 18 0", "up 2.0.0 3 3"];
    assert_eq!(rows(&digest), expected);
    assert_eq!(totals(&digest), [(21, 3), (16, 8)]);
}

#[test]
fn events_without_a_version_count_for_the_objective_alone() {
    let digest = digest(both(), 10);
    take(&digest, vec![part("shop", "1.0.0", [1, 0, 0]), part("shop", "", [0, 0, 4])]);
    assert_eq!(rows(&digest), ["fast 1.0.0 1 0", "up 1.0.0 1 0"]);
    assert_eq!(totals(&digest), [(1, 4), (1, 4)]);
}

#[test]
fn a_malformed_request_counts_for_no_version() {
    let digest = digest(both(), 10);
    let resource_spans = vec![part("shop", "1.0.0", [1, 0, 1]), part("shop", "2.0.0", [1, 0, 0])];
    let mut bytes = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    bytes.truncate(bytes.len() - 1);
    digest.take(&Tenant::single(), Signal::Traces, &bytes, 1).expect_err("it is cut");
    assert_eq!(rows(&digest), [""; 0]);
    take(&digest, vec![part("shop", "3.0.0", [0, 0, 1])]);
    assert_eq!(rows(&digest), ["fast 3.0.0 0 1", "up 3.0.0 0 1"]);
    assert_eq!(totals(&digest), [(0, 1), (0, 1)]);
}

#[test]
fn versions_past_the_bound_share_a_row_of_the_objective() {
    let digest = digest(both(), 2);
    for version in ["1", "2", "3"] {
        take(&digest, vec![part("shop", version, [1, 0, 1])]);
    }
    assert_eq!(rows(&digest), ["fast 1 1 1", "fast other 2 2", "up 1 1 1", "up other 2 2"]);
    let [(book, size)] = digest.read(|books| books.slo.sizes());
    assert_eq!((book, size.rows, size.overflowed), ("slo_versions", 4, 4));
    // An hour later, by the age of the agent, nobody has served.
    digest.expire(3_600_000);
    digest.expire(7_200_000);
    assert_eq!(rows(&digest), [""; 0]);
}

#[test]
fn a_reload_goes_on_counting() {
    let digest = digest(both(), 10);
    take(&digest, vec![part("shop", "1.0.0", [1, 0, 1])]);
    digest.reconfigure(settings(both()[..1].to_vec(), 10));
    take(&digest, vec![part("shop", "1.0.0", [1, 0, 0])]);
    assert_eq!(rows(&digest), ["fast 1.0.0 1 1", "up 1.0.0 2 1"]);
}
