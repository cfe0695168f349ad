//! Whole scrapes of books that took real requests: what every format says, and that pieces are the
//! same as one whole.

use std::io::Read;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use prost::Message;
use redora_exposition::{Escaping, Format};
use redora_model::identity::{Service, Tenant};
use redora_model::slo::{Goal, Indicator, Objective, Tiers, Window};
use redora_wire::Signal;

use super::*;
use crate::digest::Settings;
use crate::red;
use crate::series::{Hasher, Limits};
use crate::slo::{Select, Watched};

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..Default::default() }
}

fn span(name: &str, millis: u64) -> trace::Span {
    trace::Span {
        trace_id: vec![0xab; 16],
        span_id: vec![0xcd; 8],
        name: name.into(),
        kind: 2,
        start_time_unix_nano: 1_000_000_000,
        end_time_unix_nano: 1_000_000_000 + millis * 1_000_000,
        ..Default::default()
    }
}

/// 99.9% of requests within 10 ms, over 30 days, by a team that only wants tickets.
fn objective() -> Watched {
    let objective = Objective {
        name: "fast".to_owned(),
        service: Service::new("shop"),
        indicator: Indicator::Latency { threshold_ns: 10_000_000 },
        goal: Goal::parse("99.9%").expect("a goal"),
        window: Window::Rolling { seconds: 30 * 86_400 },
        tiers: Tiers { page: false, ticket: true },
        team: "till".to_owned(),
        runbook: "https://example.org/slow".to_owned(),
    };
    Watched { objective, select: Select::default(), slices: None }
}

/// A scrape's source whose books took these spans of the service `shop`, version 1.
fn source(compat: red::Compat, spans: Vec<trace::Span>) -> Expose {
    let red = red::Config { compat, ..red::Config::default() };
    let series = Limits { rows: 100_000, expire_ms: 1000 };
    let digest = Digest::new(
        Settings { red, log_metrics: Vec::new(), slos: vec![objective()], series },
        Hasher::default(),
    );
    let bytes = request(spans);
    digest.take(&Tenant::single(), Signal::Traces, &bytes, 5000).expect("a valid request");
    let own = Own::new(&BIRTHS).expect("collectors fit together");
    Expose::new(Arc::new(digest), Arc::new(own), None, Build { version: "0.1.0", revision: "" })
}

fn request(spans: Vec<trace::Span>) -> Vec<u8> {
    let attributes = vec![
        text("service.name", "shop"),
        text("service.version", "1"),
        text("vcs.ref.head.revision", "abc"),
    ];
    let part = trace::ResourceSpans {
        resource: Some(Resource { attributes, ..Default::default() }),
        scope_spans: vec![trace::ScopeSpans { spans, ..Default::default() }],
        ..Default::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![part] }.encode_to_vec()
}

fn scrape(source: &Expose, format: Format, compression: Compression) -> Vec<u8> {
    let negotiated = Negotiated { format, escaping: Escaping::Underscores };
    let pieces: Vec<_> = source.scrape(negotiated, compression, Options::default()).collect();
    pieces.concat()
}

fn lines(source: &Expose, format: Format) -> Vec<String> {
    let body = scrape(source, format, Compression::Identity);
    String::from_utf8(body).expect("text is UTF-8").lines().map(str::to_owned).collect()
}

fn has(lines: &[String], line: &str) {
    assert!(lines.iter().any(|l| l == line), "{line} is missing in\n{}", lines.join("\n"));
}

const BOTH: red::Compat = red::Compat { tempo: true, spanmetrics: true };

#[test]
fn a_scrape_tells_what_the_books_hold() {
    let source = source(BOTH, vec![span("checkout", 12), span("checkout", 30)]);
    let text = lines(&source, Format::Text004);
    let of = r#"service="shop",operation="checkout",kind="server""#;
    for line in [
        format!(r#"redora_requests_total{{{of},outcome="ok",status=""}} 2"#),
        format!(r#"redora_requests_total{{{of},outcome="error",status=""}} 0"#),
        format!(r#"redora_request_duration_seconds_bucket{{{of},outcome="ok",le="0.025"}} 1"#),
        format!(r#"redora_request_duration_seconds_bucket{{{of},outcome="ok",le="+Inf"}} 2"#),
        format!(r#"redora_request_duration_seconds_sum{{{of},outcome="ok"}} 0.042"#),
        format!(r#"redora_request_duration_seconds_count{{{of},outcome="ok"}} 2"#),
    ] {
        has(&text, &line);
    }
    for line in [
        r#"redora_version_requests_total{service="shop",version="1",outcome="error"} 0"#,
        r#"redora_version_info{service="shop",version="1",revision="abc",environment=""} 1"#,
        r#"redora_version_first_seen_timestamp_seconds{service="shop",version="1",revision="abc",environment=""} 5"#,
        r#"redora_observed_spans_total{service="shop"} 2"#,
        r#"redora_series{book="requests"} 1"#,
        r#"redora_refused_requests_total{reason="busy",signal="traces"} 0"#,
        r#"target_info{service_name="redora",service_version="0.1.0"} 1"#,
    ] {
        has(&text, line);
    }
    assert!(text.iter().any(|line| line.starts_with("process_resident_memory_bytes ")));
}

#[test]
fn other_tools_names_come_with_their_labels_and_units() {
    let source = source(BOTH, vec![span("checkout", 12)]);
    let text = lines(&source, Format::Text004);
    let tempo = r#"service="shop",span_name="checkout",span_kind="SPAN_KIND_SERVER""#;
    let unset = r#"status_code="STATUS_CODE_UNSET""#;
    has(&text, &format!("traces_spanmetrics_calls_total{{{tempo},{unset}}} 1"));
    has(&text, &format!(r#"traces_spanmetrics_latency_bucket{{{tempo},{unset},le="0.016"}} 1"#));
    let collector = r#"service_name="shop",span_name="checkout",span_kind="SPAN_KIND_SERVER""#;
    has(&text, &format!("traces_span_metrics_calls_total{{{collector},{unset}}} 1"));
    let duration = "traces_span_metrics_duration_milliseconds";
    has(&text, &format!("{duration}_sum{{{collector},{unset}}} 12"));
    has(&text, &format!(r#"{duration}_bucket{{{collector},{unset},le="50.0"}} 1"#));
    let none = lines(&self::source(red::Compat::default(), vec![span("a", 1)]), Format::Text004);
    assert!(!none.iter().any(|line| line.contains("traces_")));
}

#[test]
fn openmetrics_carries_exemplars_and_ends() {
    let source = source(BOTH, vec![span("checkout", 12)]);
    let text = lines(&source, Format::OpenMetrics100);
    let (trace, span) = ("ab".repeat(16), "cd".repeat(8));
    let exemplar = format!(r##" # {{trace_id="{trace}",span_id="{span}"}} 0.012 5.000"##);
    let bucket = text.iter().find(|line| line.contains(r#"le="0.025"} 1"#)).expect("the bucket");
    assert!(bucket.ends_with(&exemplar), "{bucket}");
    assert_eq!(text.last().map(String::as_str), Some("# EOF"));
    assert!(text.contains(&"# TYPE redora_requests counter".to_owned()));
    assert!(text.contains(&"# UNIT redora_request_duration_seconds seconds".to_owned()));
}

#[test]
fn every_family_of_the_books_is_described_and_every_description_is_used() {
    let mut client = span("call", 1);
    client.kind = 3;
    client.attributes = vec![text("peer.service", "cart")];
    let source = source(BOTH, vec![span("checkout", 12), client]);
    let declared: Vec<_> = lines(&source, Format::Text004)
        .iter()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned))
        .collect();
    for family in FAMILIES {
        let absent = family.name == "redora_log_records_total";
        assert_eq!(declared.iter().any(|name| name == family.name), !absent, "{}", family.name);
    }
    let mut once = declared.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), declared.len(), "no family is declared twice");
}

#[test]
fn objectives_are_shown_from_the_start_and_burn_with_what_they_count() {
    let shown = |spans: Vec<trace::Span>| {
        let source = source(red::Compat::default(), spans);
        let lines = lines(&source, Format::Text004).into_iter();
        let lines = lines.filter(|line| line.starts_with("redora_slo_"));
        lines.collect::<Vec<_>>().join("\n").replace(r#"service="shop",slo="fast""#, "…")
    };
    let constant = "
redora_slo_objective_ratio{…} 0.999
redora_slo_window_seconds{…} 2592000
";
    let burn = |rate: &str| {
        let line = |window| format!("redora_slo_burn_rate{{…,window=\"{window}\"}} {rate}\n");
        ["5m", "30m", "1h", "2h", "6h", "1d", "3d"].map(line).concat()
    };
    let rest = "
redora_slo_info{…,team=\"till\",runbook=\"https://example.org/slow\"} 1
redora_slo_tier_enabled{…,tier=\"page\"} 0
redora_slo_tier_enabled{…,tier=\"ticket\"} 1";
    // A version has a row from its first event on.
    let version = "
redora_slo_version_events_total{…,version=\"1\",outcome=\"good\"} 1
redora_slo_version_events_total{…,version=\"1\",outcome=\"bad\"} 1";
    for (spans, [good, bad], version, rate, remaining) in [
        (vec![], ["0", "0"], "", "0", "1"),
        (vec![span("a", 10), span("a", 11)], ["1", "1"], version, "500", "-499"),
    ] {
        let expected = format!(
            "redora_slo_events_total{{…,outcome=\"good\"}} {good}
redora_slo_events_total{{…,outcome=\"bad\"}} {bad}{version}{constant}{}\
             redora_slo_error_budget_remaining_ratio{{…}} {remaining}{rest}",
            burn(rate)
        );
        assert_eq!(shown(spans), expected);
    }
}

#[test]
fn a_large_scrape_comes_in_bounded_pieces() {
    let spans = (0..3000).map(|i| span(&format!("op{}", letters(i)), 12)).collect();
    let source = source(BOTH, spans);
    let formats = [Format::Text004, Format::OpenMetrics100, Format::Protobuf];
    for format in formats {
        let negotiated = Negotiated { format, escaping: Escaping::Underscores };
        let scrape = source.scrape(negotiated, Compression::Identity, Options::default());
        let largest = scrape.map(|piece| piece.len()).max().expect("there are pieces");
        assert!(largest < 600 << 10, "{format:?}: a piece of {largest} bytes");
    }
    let text = lines(&source, Format::Text004);
    let rows = text.iter().filter(|line| line.starts_with("redora_requests_total")).count();
    assert_eq!(rows, 6000);
}

#[test]
fn compressed_scrapes_say_the_same() {
    let spans = (0..500).map(|i| span(&format!("op{}", letters(i)), 12)).collect();
    let source = source(BOTH, spans);
    let books = |body: &[u8]| {
        let text = String::from_utf8(body.to_vec()).expect("text is UTF-8");
        text.lines().filter(|line| !line.contains("process_")).collect::<Vec<_>>().join("\n")
    };
    let plain = books(&scrape(&source, Format::Text004, Compression::Identity));
    let gzip = scrape(&source, Format::Text004, Compression::Gzip);
    let mut unzipped = Vec::new();
    flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut unzipped).expect("valid gzip");
    assert_eq!(books(&unzipped), plain);
    let packed = scrape(&source, Format::Text004, Compression::Zstd);
    assert_eq!(books(&zstd::decode_all(&packed[..]).expect("valid zstd")), plain);
    assert!(gzip.len() < plain.len() / 5 && packed.len() < plain.len() / 5);
}

/// What the rest of a scrape says once `between` happened after its first pieces, as the series of
/// the requests, and whether any of all series came twice.
fn interrupted(source: &Expose, between: impl FnOnce(&Digest)) -> (Vec<String>, Vec<String>) {
    let negotiated = Negotiated { format: Format::Text004, escaping: Escaping::Underscores };
    let mut pieces = source.scrape(negotiated, Compression::Identity, Options::default());
    let first = pieces.next().expect("a first piece");
    between(&source.digest);
    let rest: Vec<_> = pieces.collect();
    let body = [first, rest.concat().into()].concat();
    let text = String::from_utf8(body).expect("text is UTF-8");
    let series = text.lines().filter(|line| !line.starts_with('#'));
    let mut all: Vec<_> =
        series.filter_map(|line| line.rsplit_once(' ').map(|(name, _)| name.to_owned())).collect();
    all.sort();
    let twice = all.windows(2).filter(|pair| pair[0] == pair[1]).map(|p| p[0].clone()).collect();
    (all, twice)
}

#[test]
fn rows_that_come_and_go_do_not_come_twice_in_a_scrape() {
    let names = || (0..2000).map(|i| format!("op{}", letters(i)));
    let source = source(BOTH, names().map(|name| span(&name, 12)).collect());
    let again = request(names().rev().map(|name| span(&name, 12)).collect());
    let (_, twice) = interrupted(&source, |digest| {
        digest.expire(5000);
        digest.expire(u64::MAX);
        digest.take(&Tenant::single(), Signal::Traces, &again, 6000).expect("a valid request");
    });
    assert_eq!(twice, [""; 0]);
}

#[test]
fn a_reload_during_a_scrape_mixes_no_labels() {
    let names = || (0..2000).map(|i| format!("op{}", letters(i)));
    let source = source(BOTH, names().map(|name| span(&name, 12)).collect());
    let again = request(names().rev().map(|name| span(&name, 12)).collect());
    let (all, twice) = interrupted(&source, |digest| {
        let dimensions = vec![redora_model::dimension::Dimension::new("service.version")];
        let red = red::Config { dimensions, compat: BOTH, ..red::Config::default() };
        let series = Limits { rows: 100_000, expire_ms: 1000 };
        digest.reconfigure(Settings { red, log_metrics: Vec::new(), slos: Vec::new(), series });
        digest.take(&Tenant::single(), Signal::Traces, &again, 6000).expect("a valid request");
    });
    assert_eq!(twice, [""; 0]);
    assert!(!all.iter().any(|series| series.contains("service_version=\"1\"")), "{all:?}");
}

/// A name that no template changes.
fn letters(mut i: u32) -> String {
    let mut name = String::new();
    for _ in 0..4 {
        name.push(char::from(b'a' + (i % 26) as u8));
        i /= 26;
    }
    name
}

const BIRTHS: Births<'_> = Births {
    signals: &["traces"],
    no_signal: "none",
    reasons: &["busy"],
    ports: &["admin"],
    connection_events: &["cut"],
};
