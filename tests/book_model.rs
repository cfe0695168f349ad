//! Random batches through the whole core, held against maps that know no limit and no staging: what
//! a scrape says must add up however full, faulty or idle the books are.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use proptest::prelude::*;
use prost::Message;
use redora::digest::{Digest, Settings};
use redora::expose::{Births, Build, Expose, Own};
use redora::red;
use redora::series::{Hasher, Limits};
use redora_exposition::{Compression, Escaping, Format, Negotiated, Options};
use redora_model::identity::Tenant;
use redora_wire::Signal;

/// One span as the model sees it: small alphabets, so that rows are met again.
#[derive(Clone, Debug)]
struct Request {
    name: u8,
    kind: i32,
    failed: bool,
    /// `None` ends before it starts.
    millis: Option<u64>,
    /// Sampling threshold digit and the requests it stands for.
    weight: (&'static str, u64),
}

/// What happens to the books.
#[derive(Clone, Debug)]
enum Event {
    /// A batch of one service; a faulty one lacks its last byte.
    Batch { service: u8, requests: Vec<Request>, faulty: bool },
    /// Time passes and idle rows are looked for.
    Expire { after_ms: u64 },
}

fn requests() -> impl Strategy<Value = Request> {
    let millis = prop_oneof![4 => (0_u64..30_000).prop_map(Some), 1 => Just(None)];
    let weight = prop_oneof![Just(("", 1)), Just(("ot=th:8", 2)), Just(("ot=th:c", 4))];
    (0_u8..8, 1_i32..6, any::<bool>(), millis, weight).prop_map(
        |(name, kind, failed, millis, weight)| Request { name, kind, failed, millis, weight },
    )
}

fn batches() -> impl Strategy<Value = Event> {
    let requests = proptest::collection::vec(requests(), 1..20);
    (0_u8..4, requests, proptest::bool::weighted(0.2))
        .prop_map(|(service, requests, faulty)| Event::Batch { service, requests, faulty })
}

fn encode(service: u8, requests: &[Request]) -> Vec<u8> {
    let start = 1_700_000_000_000_000_000;
    let span = |request: &Request| trace::Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: name(request.name),
        kind: request.kind,
        trace_state: request.weight.0.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: request.millis.map_or(1, |ms| start + ms * 1_000_000),
        status: request.failed.then(|| trace::Status { code: 2, ..Default::default() }),
        ..Default::default()
    };
    let spans = requests.iter().map(span).collect();
    let value = Some(AnyValue { value: Some(Value::StringValue(self::service(service))) });
    let attributes = vec![KeyValue { key: "service.name".into(), value, ..Default::default() }];
    let part = trace::ResourceSpans {
        resource: Some(Resource { attributes, ..Default::default() }),
        scope_spans: vec![trace::ScopeSpans { spans, ..Default::default() }],
        ..Default::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![part] }.encode_to_vec()
}

fn name(number: u8) -> String {
    format!("op {}", char::from(b'a' + number))
}

fn service(number: u8) -> String {
    format!("service {}", char::from(b'a' + number))
}

fn kind(number: i32) -> &'static str {
    ["", "internal", "server", "client", "producer", "consumer"][number as usize]
}

fn books(rows: usize, expire_ms: u64) -> Arc<Digest> {
    let compat = red::Compat { tempo: true, spanmetrics: true };
    let red = red::Config { compat, ..red::Config::default() };
    let series = Limits { rows, expire_ms };
    Arc::new(Digest::new(
        Settings { red, log_metrics: Vec::new(), slos: Vec::new(), series },
        Hasher::default(),
    ))
}

/// Takes a batch and says whether it counts.
fn take(digest: &Digest, service: u8, requests: &[Request], faulty: bool) -> bool {
    let mut bytes = encode(service, requests);
    bytes.truncate(bytes.len() - usize::from(faulty));
    let taken = digest.take(&Tenant::single(), Signal::Traces, &bytes, 5);
    assert_eq!(taken.is_err(), faulty);
    !faulty
}

/// Every sample of a scrape: family, labels, value. No label here holds a quote or a comma.
fn scrape(digest: &Arc<Digest>) -> Vec<(String, BTreeMap<String, String>, f64)> {
    let own = Arc::new(Own::new(&Births::default()).unwrap());
    let expose = Expose::new(digest.clone(), own, None, Build { version: "1", revision: "" });
    let negotiated = Negotiated { format: Format::Text004, escaping: Escaping::Underscores };
    let pieces: Vec<_> =
        expose.scrape(negotiated, Compression::Identity, Options::default()).collect();
    let text = String::from_utf8(pieces.concat()).unwrap();
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (family, labels) = series.split_once('{').unwrap_or((series, ""));
        let pairs = labels.trim_end_matches('}').split(',').filter_map(|p| p.split_once('='));
        let pair = |(k, v): (&str, &str)| (k.to_owned(), v.trim_matches('"').to_owned());
        (family.to_owned(), pairs.map(pair).collect(), value.parse().unwrap())
    };
    text.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

/// The values of one family summed by some of its labels.
fn sums(
    samples: &[(String, BTreeMap<String, String>, f64)],
    family: &str,
    by: &[&str],
) -> BTreeMap<Vec<String>, u64> {
    let mut sums = BTreeMap::new();
    for (_, labels, value) in samples.iter().filter(|(name, _, _)| name == family) {
        let key: Vec<_> = by.iter().map(|label| labels[*label].clone()).collect();
        *sums.entry(key).or_default() += *value as u64;
    }
    sums.retain(|_, sum| *sum > 0);
    sums
}

fn key<const N: usize>(labels: [&str; N]) -> Vec<String> {
    labels.map(str::to_owned).to_vec()
}

fn outcome(failed: bool) -> &'static str {
    if failed { "error" } else { "ok" }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Three rows a book, so that most names overflow; the reserve holds `other` of each service.
    #[test]
    fn full_books_lose_no_request(events in proptest::collection::vec(batches(), 1..12)) {
        let digest = books(3, 1000);
        let mut requests = BTreeMap::new();
        let mut durations = BTreeMap::new();
        let mut spans = BTreeMap::new();
        for event in &events {
            let Event::Batch { service, requests: batch, faulty } = event else { continue };
            if !take(&digest, *service, batch, *faulty) {
                continue;
            }
            let service = self::service(*service);
            for request in batch {
                let weight = request.weight.1;
                let by = key([&service, kind(request.kind), outcome(request.failed)]);
                if request.millis.is_some() {
                    *durations.entry(by.clone()).or_insert(0) += weight;
                }
                *requests.entry(by).or_insert(0) += weight;
                *spans.entry(key([&service])).or_insert(0) += weight;
            }
        }
        let samples = scrape(&digest);
        let by = ["service", "kind", "outcome"];
        prop_assert_eq!(sums(&samples, "redora_requests_total", &by), requests);
        let counted = sums(&samples, "redora_request_duration_seconds_count", &by);
        prop_assert_eq!(&counted, &durations);
        let mut infinite = samples.clone();
        infinite.retain(|(_, labels, _)| labels.get("le").is_none_or(|le| le == "+Inf"));
        let buckets = sums(&infinite, "redora_request_duration_seconds_bucket", &by);
        prop_assert_eq!(buckets, durations);
        for (family, label) in [
            ("traces_spanmetrics_calls_total", "service"),
            ("traces_spanmetrics_latency_count", "service"),
            ("traces_span_metrics_calls_total", "service_name"),
            ("traces_span_metrics_duration_milliseconds_count", "service_name"),
        ] {
            prop_assert_eq!(&sums(&samples, family, &[label]), &spans, "{}", family);
        }
        let all = |spans: &BTreeMap<_, u64>| spans.values().sum::<u64>();
        let represented = sums(&samples, "redora_represented_spans_total", &[]);
        prop_assert_eq!(all(&represented), all(&spans), "a fourth service is other");
    }

    /// Room for all, rows that go and come back: each counts what came since it was last away.
    #[test]
    fn idle_rows_go_and_others_keep_every_count(
        events in proptest::collection::vec(
            prop_oneof![
                3 => batches(),
                2 => (0_u64..700).prop_map(|after_ms| Event::Expire { after_ms }),
            ],
            1..20,
        ),
    ) {
        let digest = books(1000, 1000);
        let mut now = 0;
        let mut rows: BTreeMap<Vec<String>, (u64, [u64; 2])> = BTreeMap::new();
        for event in &events {
            match event {
                Event::Batch { service, requests, faulty } => {
                    if !take(&digest, *service, requests, *faulty) {
                        continue;
                    }
                    let service = self::service(*service);
                    for request in requests {
                        let by = key([&service, &name(request.name), kind(request.kind)]);
                        let row = rows.entry(by).or_default();
                        row.0 = now;
                        row.1[usize::from(request.failed)] += request.weight.1;
                    }
                }
                Event::Expire { after_ms } => {
                    let before = now;
                    now += after_ms;
                    digest.expire(now);
                    rows.retain(|_, (touched, _)| *touched >= before || now - *touched <= 1000);
                }
            }
        }
        let mut expected = BTreeMap::new();
        for (labels, (_, counts)) in &rows {
            for failed in [false, true] {
                let count = counts[usize::from(failed)];
                let by = [&labels[..], &key([outcome(failed)])].concat();
                expected.extend((count > 0).then_some((by, count)));
            }
        }
        let by = ["service", "operation", "kind", "outcome"];
        prop_assert_eq!(sums(&scrape(&digest), "redora_requests_total", &by), expected);
    }
}
