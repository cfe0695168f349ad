//! Requests as real encoders write them, through the whole walk: what each book holds afterwards,
//! and that a malformed or overflowing request leaves the truth intact.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use prost::Message;
use redora_model::dimension::Dimension;

use super::*;

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn resource(attributes: &[KeyValue]) -> Option<ProtoResource> {
    Some(ProtoResource { attributes: attributes.to_vec(), ..Default::default() })
}

fn span(name: &str, kind: i32, millis: u64, attributes: &[KeyValue]) -> trace::Span {
    let start = 1_700_000_000_000_000_000;
    trace::Span {
        trace_id: vec![7; 16],
        span_id: vec![8; 8],
        name: name.into(),
        kind,
        start_time_unix_nano: start,
        end_time_unix_nano: start + millis * 1_000_000,
        attributes: attributes.to_vec(),
        ..Default::default()
    }
}

fn request(resource: Option<ProtoResource>, spans: Vec<trace::Span>) -> Vec<u8> {
    let scope_spans = vec![trace::ScopeSpans { spans, ..Default::default() }];
    let part = trace::ResourceSpans { resource, scope_spans, ..Default::default() };
    ExportTraceServiceRequest { resource_spans: vec![part] }.encode_to_vec()
}

fn digest(red: red::Config, rows: usize) -> Digest {
    let series = Limits { rows, expire_ms: 1000 };
    Digest::new(
        Settings { red, log_metrics: Vec::new(), slos: Vec::new(), series },
        Hasher::default(),
    )
}

fn take(digest: &Digest, bytes: &[u8]) -> Result<(), Fault> {
    digest.take(&Tenant::single(), Signal::Traces, bytes, 10)
}

/// `service|operation|kind|dimensions… outcome status` and the count, sorted.
fn requests(digest: &Digest) -> Vec<(String, u64)> {
    let mut rows = Vec::new();
    digest.read(|books| {
        for (_, entry) in books.red.requests().book.entries(0) {
            let labels = entry.labels().skip(1).collect::<Vec<_>>().join("|");
            for outcome in Outcome::ALL {
                for (status, count) in entry.row.side(outcome).statuses() {
                    let (outcome, status) = (outcome.as_str(), status.as_str());
                    rows.push((format!("{labels} {outcome} {status}"), *count));
                }
            }
        }
    });
    rows.sort();
    rows
}

fn rows(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(labels, count)| ((*labels).to_owned(), *count)).collect()
}

fn http(code: i64) -> [KeyValue; 3] {
    [
        text("http.request.method", "GET"),
        text("http.route", "/items/{id}"),
        attribute("http.response.status_code", Value::IntValue(code)),
    ]
}

#[test]
fn requests_count_by_operation_outcome_and_status_with_errors_born_at_zero() {
    let digest = digest(red::Config::default(), 100);
    let shop = resource(&[text("service.name", "shop")]);
    let spans = [200, 200, 404].map(|code| span("GET", 2, 12, &http(code))).to_vec();
    take(&digest, &request(shop.clone(), spans)).expect("a valid request");
    let operation = "shop|GET /items/{id}|server";
    let expected = rows(&[
        (&format!("{operation} error 5xx"), 0),
        (&format!("{operation} ok 2xx"), 2),
        (&format!("{operation} ok 4xx"), 1),
    ]);
    assert_eq!(requests(&digest), expected);
    take(&digest, &request(shop, vec![span("GET", 2, 12, &http(503))])).expect("a valid request");
    assert_eq!(requests(&digest)[0], (format!("{operation} error 5xx"), 1));
    digest.read(|books| {
        let family = books.red.requests();
        let (_, entry) = family.book.entries(0).next().expect("one row");
        let ok = entry.row.side(Outcome::Ok).histogram().expect("it has durations");
        assert!(ok.counts().take(3).eq([0, 0, 3]), "12 ms is over 10 and under 25");
        assert_eq!(ok.sum(&family.shape).to_bits(), 0.036_f64.to_bits());
        assert_eq!(ok.exemplar(2).map(|e| e.trace.trace_id()), Some([7; 16]));
    });
}

#[test]
fn the_resource_may_stand_behind_its_spans() {
    let digest = digest(red::Config::default(), 100);
    let whole = request(resource(&[text("service.name", "shop")]), vec![span("a", 1, 1, &[])]);
    let part = trace::ResourceSpans::decode(&whole[2..]).expect("one part");
    let only = |resource, scope_spans| {
        trace::ResourceSpans { resource, scope_spans, ..Default::default() }.encode_to_vec()
    };
    let swapped = [only(None, part.scope_spans), only(part.resource, Vec::new())].concat();
    let mut bytes = vec![10, swapped.len() as u8];
    bytes.extend_from_slice(&swapped);
    take(&digest, &bytes).expect("a valid request");
    assert_eq!(requests(&digest)[1], ("shop|a|internal ok ".to_owned(), 1));
}

#[test]
fn a_malformed_request_counts_nothing_and_leaves_no_rows() {
    let digest = digest(red::Config::default(), 100);
    let shop = resource(&[text("service.name", "shop"), text("service.version", "1")]);
    let spans = vec![span("first", 2, 1, &[]), span("second", 2, 1, &http(200))];
    let whole = request(shop, spans);
    for length in 1..whole.len() {
        // The outer length is mended, so that the fault is met as deep inside as it can be.
        let mut bytes = whole[..length].to_vec();
        if length > 3 {
            let inner = length - 3;
            (bytes[1], bytes[2]) = (0x80 | (inner & 0x7f) as u8, (inner >> 7) as u8);
        }
        if take(&digest, &bytes).is_ok() {
            digest.expire(length as u64 * 10_000);
            digest.expire(length as u64 * 10_000 + 5_000);
        }
        assert_eq!(requests(&digest), [], "cut to {length} bytes");
        digest.read(|books| {
            assert!(books.red.tempo().is_some_and(|calls| calls.book.is_empty()));
            assert!(books.sightings.requests().is_empty());
        });
    }
    take(&digest, &whole).expect("the whole request");
    assert_eq!(requests(&digest).iter().map(|(_, count)| count).sum::<u64>(), 2);
}

#[test]
fn names_past_the_bound_count_as_other_and_the_sum_stays_exact() {
    let digest = digest(red::Config::default(), 50);
    for service in ["shop", "cart"] {
        let spans = (0..500).map(|i| span(&name(i), 2, 1, &[])).collect();
        take(&digest, &request(resource(&[text("service.name", service)]), spans)).expect("valid");
    }
    let all = requests(&digest);
    for service in ["shop", "cart"] {
        let of = all.iter().filter(|(labels, _)| labels.starts_with(&format!("{service}|")));
        assert_eq!(of.map(|(_, count)| count).sum::<u64>(), 500, "{service}");
    }
    let other = |service: &str| format!("{service}|other|server ok ");
    assert!(all.contains(&(other("shop"), 450)) && all.contains(&(other("cart"), 500)));
    digest.read(|books| assert_eq!(books.red.requests().book.size().overflowed, 950));
}

/// Names that no template makes equal.
fn name(mut i: u32) -> String {
    let mut name = String::from("op ");
    for _ in 0..4 {
        name.push(char::from(b'a' + (i % 26) as u8));
        i /= 26;
    }
    name
}

#[test]
fn sampled_spans_count_for_the_requests_they_stand_for() {
    let digest = digest(red::Config::default(), 100);
    let sampled = trace::Span { trace_state: "ot=th:c".into(), ..span("a", 2, 20, &[]) };
    let spans = vec![sampled.clone(), sampled, span("a", 2, 20, &[])];
    let shop = [text("service.name", "shop"), text("service.version", "1")];
    take(&digest, &request(resource(&shop), spans)).expect("valid");
    assert_eq!(requests(&digest)[1], ("shop|a|server ok ".to_owned(), 9));
    digest.read(|books| {
        let (_, spans) = books.red.spans().entries(0).next().expect("one service");
        assert_eq!((spans.row.observed(), spans.row.represented()), (3, 9));
        let (_, entry) = books.red.requests().book.entries(0).next().expect("one row");
        let histogram = entry.row.side(Outcome::Ok).histogram().expect("durations");
        assert_eq!(histogram.counts().sum::<u64>(), 9);
        let (_, served) = books.sightings.requests().entries(0).next().expect("one version");
        assert_eq!(served.row.ok(), 9);
    });
}

#[test]
fn a_span_that_ends_before_it_starts_counts_without_a_duration() {
    let digest = digest(red::Config::default(), 100);
    let backwards = trace::Span { end_time_unix_nano: 1, ..span("a", 2, 0, &[]) };
    let timeless =
        trace::Span { start_time_unix_nano: 0, end_time_unix_nano: 5, ..span("a", 2, 0, &[]) };
    take(&digest, &request(None, vec![backwards, timeless])).expect("valid");
    assert_eq!(requests(&digest)[1], ("unknown_service|a|server ok ".to_owned(), 2));
    digest.read(|books| {
        assert_eq!(books.red.durations_dropped(), 2);
        let (_, entry) = books.red.requests().book.entries(0).next().expect("one row");
        assert!(entry.row.side(Outcome::Ok).histogram().is_none());
        let calls = books.red.tempo().expect("on by default");
        let (_, entry) = calls.book.entries(0).next().expect("one row");
        assert_eq!(
            entry.row.side(0).and_then(|h| h.counts().next()),
            Some(2),
            "their rule: 0 seconds"
        );
    });
}

#[test]
fn configured_dimensions_come_from_the_span_before_its_resource() {
    let dimensions = ["region", "retries"].map(Dimension::new).to_vec();
    let digest = digest(red::Config { dimensions, ..red::Config::default() }, 100);
    let resource = resource(&[text("service.name", "shop"), text("region", "eu")]);
    let own = [text("region", "us"), attribute("retries", Value::IntValue(2))];
    let spans = vec![span("a", 2, 1, &own), span("a", 2, 1, &[])];
    take(&digest, &request(resource, spans)).expect("valid");
    let labels: Vec<_> = requests(&digest).into_iter().map(|(labels, _)| labels).collect();
    assert!(labels.contains(&"shop|a|server|us|2 ok ".to_owned()), "{labels:?}");
    assert!(labels.contains(&"shop|a|server|eu| ok ".to_owned()), "{labels:?}");
}

#[test]
fn compatibility_rows_keep_the_names_of_their_tools() {
    let compat = red::Compat { tempo: true, spanmetrics: true };
    let digest = digest(red::Config { compat, ..red::Config::default() }, 100);
    let peer = [text("peer.service", "cart"), text("http.request.method", "GET")];
    let failed = trace::Span {
        status: Some(trace::Status { code: 2, ..Default::default() }),
        ..span("GET /users/17", 3, 3, &peer)
    };
    take(&digest, &request(resource(&[text("service.name", "shop")]), vec![failed]))
        .expect("valid");
    digest.read(|books| {
        for calls in [books.red.tempo(), books.red.spanmetrics()] {
            let (_, entry) = calls.expect("on").book.entries(0).next().expect("one row");
            let labels: Vec<_> = entry.labels().collect();
            assert_eq!(labels, ["", "shop", "GET /users/17", "SPAN_KIND_CLIENT"]);
            assert_eq!(entry.row.side(2).and_then(|h| h.counts().nth(1)), Some(1));
        }
        let edges = &books.red.edges().expect("with tempo").book;
        let (_, edge) = edges.entries(0).next().expect("one edge");
        assert_eq!(edge.labels().collect::<Vec<_>>(), ["", "shop", "cart", ""]);
        assert_eq!(edge.row.failed(), 1);
    });
}

#[test]
fn idle_rows_are_forgotten_and_new_settings_start_a_changed_book_anew() {
    let digest = digest(red::Config::default(), 100);
    let bytes = request(None, vec![span("a", 2, 1, &[])]);
    take(&digest, &bytes).expect("valid");
    let series = Limits { rows: 100, expire_ms: 1000 };
    let settings = |red| Settings { red, log_metrics: Vec::new(), slos: Vec::new(), series };
    digest.reconfigure(settings(red::Config::default()));
    assert_eq!(requests(&digest).len(), 2, "nothing changed, so nothing is lost");
    digest.reconfigure(settings(red::Config { native_histograms: false, ..Default::default() }));
    assert_eq!(requests(&digest), []);
    take(&digest, &bytes).expect("valid");
    digest.expire(500);
    digest.expire(1011);
    assert_eq!(requests(&digest), []);
}

#[test]
fn records_count_by_service_and_severity() {
    let digest = digest(red::Config::default(), 100);
    let log_records = [9, 9, 17, 0]
        .map(|severity_number| logs::LogRecord { severity_number, ..Default::default() });
    let scope_logs =
        vec![logs::ScopeLogs { log_records: log_records.to_vec(), ..Default::default() }];
    let resource = resource(&[text("service.name", "shop")]);
    let part = logs::ResourceLogs { resource, scope_logs, ..Default::default() };
    let bytes = ExportLogsServiceRequest { resource_logs: vec![part] }.encode_to_vec();
    digest.take(&Tenant::single(), Signal::Logs, &bytes, 1).expect("valid");
    let faulty = &bytes[..bytes.len() - 1];
    assert!(digest.take(&Tenant::single(), Signal::Logs, faulty, 1).is_err());
    let counts = digest.read(|books| {
        books.log_metrics.records().entries(0).map(|(_, e)| *e.row.counts()).collect::<Vec<_>>()
    });
    assert_eq!(counts, [[1, 0, 0, 2, 0, 1, 0]]);
}

#[test]
fn each_counter_of_an_edge_carries_its_own_fraction() {
    let digest = digest(red::Config::default(), 100);
    let call = |code| trace::Span {
        trace_state: "ot=th:55555555555554".into(),
        status: Some(trace::Status { code, ..Default::default() }),
        ..span("call", 3, 1, &[text("peer.service", "cart")])
    };
    let spans = (0..200).map(|i| call(1 + i % 2)).collect();
    take(&digest, &request(None, spans)).expect("valid");
    digest.read(|books| {
        let (_, edge) = books.red.edges().expect("on").book.entries(0).next().expect("one edge");
        let all: u64 = edge.row.histogram().expect("durations").counts().sum();
        assert_eq!((all, edge.row.failed()), (300, 150), "each span stands for 1.5 requests");
    });
}

#[test]
fn an_unknown_span_status_is_unset_for_every_family() {
    let digest = digest(red::Config::default(), 100);
    for (code, side) in [(77, 0), (-1, 0), (1, 1), (2, 2)] {
        let odd = trace::Span {
            status: Some(trace::Status { code, ..Default::default() }),
            ..span(&format!("code {}", name(code.unsigned_abs())), 2, 1, &[])
        };
        take(&digest, &request(None, vec![odd])).expect("valid");
        digest.read(|books| {
            let calls = &books.red.tempo().expect("on").book;
            let (_, entry) = calls.entries(0).last().expect("a row");
            assert!(entry.row.side(side).is_some(), "{code}");
        });
    }
}

#[test]
fn versions_past_the_bound_count_as_other() {
    let digest = digest(red::Config::default(), 3);
    for (service, version) in [("shop", 1), ("shop", 2), ("cart", 1), ("cart", 2), ("cart", 3)] {
        let attributes =
            [text("service.name", service), text("service.version", &version.to_string())];
        take(&digest, &request(resource(&attributes), vec![span("a", 2, 1, &[])])).expect("valid");
    }
    let mut rows = digest.read(|books| {
        let row = |entry: &crate::series::Entry<sightings::Served>| {
            (entry.labels().skip(1).collect::<Vec<_>>().join("|"), entry.row.ok())
        };
        books.sightings.requests().entries(0).map(|(_, e)| row(e)).collect::<Vec<_>>()
    });
    rows.sort();
    let expected = self::rows(&[("cart|1", 1), ("cart|other", 2), ("shop|1", 1), ("shop|2", 1)]);
    assert_eq!(rows, expected);
}

#[test]
fn what_a_panic_left_staged_is_not_counted_with_the_next_batch() {
    let digest = digest(red::Config::default(), 100);
    let bytes = request(resource(&[text("service.name", "shop")]), vec![span("a", 2, 1, &[])]);
    take(&digest, &bytes).expect("valid");
    let half = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut books = digest.books.lock().expect("not poisoned yet");
        books.stage_traces(&Tenant::single(), &bytes, 10).expect("valid");
        panic!("in the middle of a batch");
    }));
    assert!(half.is_err());
    digest.expire(5000);
    digest.expire(u64::MAX);
    take(&digest, &bytes).expect("valid");
    assert_eq!(requests(&digest)[1], ("shop|a|server ok ".to_owned(), 1));
}

#[test]
fn counts_of_what_went_wrong_survive_a_book_that_starts_anew() {
    let digest = digest(red::Config::default(), 1);
    let timeless = trace::Span { start_time_unix_nano: 0, ..span("a", 2, 1, &[]) };
    let bytes = request(None, vec![timeless, span("b", 2, 1, &[]), span("c", 2, 1, &[])]);
    let overflowed = || digest.read(|books| books.red.sizes().map(|(_, size)| size.overflowed));
    let series = Limits { rows: 1, expire_ms: 1000 };
    for times in 1..4 {
        take(&digest, &bytes).expect("valid");
        assert_eq!(overflowed(), [2 * times, 0, 2 * times, 0, 0]);
        assert_eq!(digest.read(|books| books.red.durations_dropped()), times);
        let native_histograms = times % 2 == 0;
        let red = red::Config { native_histograms, ..red::Config::default() };
        digest.reconfigure(Settings { red, log_metrics: Vec::new(), slos: Vec::new(), series });
        assert_eq!(overflowed(), [2 * times, 0, 2 * times, 0, 0], "after a reload");
    }
}

#[test]
fn data_points_are_checked_without_the_lock() {
    let digest = digest(red::Config::default(), 100);
    digest.read(|_| {
        let taken = digest.take(&Tenant::single(), Signal::Metrics, &[], 1);
        assert_eq!(taken, Ok(()), "an empty request is whole");
        let taken = digest.take(&Tenant::single(), Signal::Metrics, &[10, 9, 9], 1);
        assert!(taken.is_err());
    });
}

#[test]
fn what_does_not_fit_keeps_its_kind_and_leaves_its_dimensions() {
    let dimensions = vec![Dimension::new("region")];
    let digest = digest(red::Config { dimensions, ..red::Config::default() }, 1);
    let call = |i: u32, kind| {
        let attributes = [text("region", &name(i)), text("peer.service", &name(i))];
        span(&name(i), kind, 1, &attributes)
    };
    for (service, first) in [("shop", 0), ("cart", 100)] {
        let spans = (first..first + 4).map(|i| call(i, 2 + (i % 2) as i32)).collect();
        take(&digest, &request(resource(&[text("service.name", service)]), spans)).expect("valid");
    }
    let all: Vec<_> = requests(&digest).into_iter().filter(|(_, count)| *count > 0).collect();
    let expected = rows(&[
        ("cart|other|client| ok ", 2),
        ("cart|other|server| ok ", 2),
        ("shop|op aaaa|server|op aaaa ok ", 1),
        ("shop|other|client| ok ", 2),
        ("shop|other|server| ok ", 1),
    ]);
    assert_eq!(all, expected);
    digest.read(|books| {
        let edges = &books.red.edges().expect("on").book;
        let labels = |(_, entry): (usize, &crate::series::Entry<red::Edge>)| {
            entry.labels().skip(1).map(str::to_owned).collect::<Vec<_>>().join("|")
        };
        let edges: Vec<_> = edges.entries(0).map(labels).collect();
        assert_eq!(edges, ["shop|op baaa|", "shop|other|", "cart|other|"]);
        let spans = books.red.spans().entries(0);
        let spans: Vec<_> = spans.map(|(_, e)| (e.labels().nth(1), e.row.observed())).collect();
        assert_eq!(spans, [(Some("shop"), 4), (Some("other"), 4)]);
    });
}
