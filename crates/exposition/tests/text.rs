//! Whole bodies of both text formats against text written by hand, because a scraper reads bodies
//! and not functions.

use redora_exposition::{
    Bucket, Encoder, Escaping, Exemplar, Family, Format, Histogram, Kind, Native, Negotiated,
    Options,
};

/// The body of one scrape without `_created`.
fn body(format: Format, escaping: Escaping, push: impl Fn(&mut Encoder)) -> String {
    body_with(format, escaping, Options::default(), push)
}

fn body_with(
    format: Format,
    escaping: Escaping,
    options: Options,
    push: impl Fn(&mut Encoder),
) -> String {
    let mut encoder = Encoder::new(Negotiated { format, escaping }, options);
    push(&mut encoder);
    encoder.finish();
    assert_eq!(encoder.omitted(), 0);
    String::from_utf8(encoder.take()).expect("text is UTF-8")
}

fn family<'a>(name: &'a str, kind: Kind) -> Family<'a> {
    Family { name, help: "", kind, unit: None }
}

const TRACE: Exemplar<'static> = Exemplar {
    labels: &[("trace_id", "5b8e")],
    value: 0.043,
    timestamp_ms: Some(1_700_000_000_123),
};

/// One family of each kind with all that each can have.
fn everything(encoder: &mut Encoder) {
    encoder.family(&Family {
        name: "http_requests_total",
        help: "Requests, \"all\" of them.\nC:\\",
        kind: Kind::Counter,
        unit: None,
    });
    encoder.counter(&[("code", "200"), ("path", "/a\"b\\c\nd")], 3.0, Some(1500), Some(&TRACE));
    encoder.counter(&[], 0.5, None, None);
    encoder.family(&Family {
        name: "request_duration_seconds",
        help: "Duration.",
        kind: Kind::Histogram,
        unit: Some("seconds"),
    });
    let buckets = [
        Bucket { upper: 0.05, cumulative: 2, exemplar: Some(TRACE) },
        Bucket { upper: 1.0, cumulative: 3, exemplar: None },
    ];
    let native =
        Some(Native { schema: 0, zero_threshold: 1e-128, zero_count: 0, positive: &[(0, 4)] });
    let h = Histogram { count: 4, sum: 7.25, buckets: &buckets, native, created_ms: Some(2000) };
    encoder.histogram(&[("service", "shop")], &h);
    encoder.histogram(&[], &Histogram { native: None, created_ms: None, ..h });
    encoder.family(&Family {
        name: "queue_bytes",
        help: "Waiting.",
        kind: Kind::Gauge,
        unit: Some("bytes"),
    });
    encoder.gauge(&[("queue", "")], -1.5);
    encoder.family(&family("target_info", Kind::Info));
    encoder.gauge(&[("host", "a")], 1.0);
    encoder.family(&family("temperature", Kind::Unknown));
    encoder.gauge(&[], f64::NAN);
}

#[test]
fn prometheus_text_has_neither_exemplars_nor_units_nor_an_end() {
    let expected = r##"# HELP http_requests_total Requests, "all" of them.\nC:\\
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a\"b\\c\nd"} 3
http_requests_total 0.5
# HELP request_duration_seconds Duration.
# TYPE request_duration_seconds histogram
request_duration_seconds_bucket{service="shop",le="0.05"} 2
request_duration_seconds_bucket{service="shop",le="1.0"} 3
request_duration_seconds_bucket{service="shop",le="+Inf"} 4
request_duration_seconds_sum{service="shop"} 7.25
request_duration_seconds_count{service="shop"} 4
request_duration_seconds_bucket{le="0.05"} 2
request_duration_seconds_bucket{le="1.0"} 3
request_duration_seconds_bucket{le="+Inf"} 4
request_duration_seconds_sum 7.25
request_duration_seconds_count 4
# HELP queue_bytes Waiting.
# TYPE queue_bytes gauge
queue_bytes{queue=""} -1.5
# TYPE target_info gauge
target_info{host="a"} 1
# TYPE temperature untyped
temperature NaN
"##;
    for format in [Format::Text004, Format::Text100] {
        for created in [false, true] {
            let options = Options { created };
            let found = body_with(format, Escaping::Underscores, options, everything);
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn openmetrics_has_exemplars_units_and_an_end() {
    let expected = r##"# HELP http_requests Requests, \"all\" of them.\nC:\\
# TYPE http_requests counter
http_requests_total{code="200",path="/a\"b\\c\nd"} 3 # {trace_id="5b8e"} 0.043 1700000000.123
http_requests_total 0.5
# HELP request_duration_seconds Duration.
# TYPE request_duration_seconds histogram
# UNIT request_duration_seconds seconds
request_duration_seconds_bucket{service="shop",le="0.05"} 2 # {trace_id="5b8e"} 0.043 1700000000.123
request_duration_seconds_bucket{service="shop",le="1.0"} 3
request_duration_seconds_bucket{service="shop",le="+Inf"} 4
request_duration_seconds_sum{service="shop"} 7.25
request_duration_seconds_count{service="shop"} 4
request_duration_seconds_bucket{le="0.05"} 2 # {trace_id="5b8e"} 0.043 1700000000.123
request_duration_seconds_bucket{le="1.0"} 3
request_duration_seconds_bucket{le="+Inf"} 4
request_duration_seconds_sum 7.25
request_duration_seconds_count 4
# HELP queue_bytes Waiting.
# TYPE queue_bytes gauge
# UNIT queue_bytes bytes
queue_bytes{queue=""} -1.5
# TYPE target info
target_info{host="a"} 1
# TYPE temperature unknown
temperature NaN
# EOF
"##;
    for format in [Format::OpenMetrics001, Format::OpenMetrics100] {
        assert_eq!(body(format, Escaping::Underscores, everything), expected);
    }
}

#[test]
fn start_times_are_samples_in_openmetrics_only_if_asked_for() {
    let options = Options { created: true };
    let push = |encoder: &mut Encoder| {
        encoder.family(&family("a_total", Kind::Counter));
        encoder.counter(&[("x", "1")], 1.0, Some(1_520_872_607_123), None);
        encoder.counter(&[("x", "2")], 1.0, None, None);
        encoder.family(&family("b", Kind::Histogram));
        let created_ms = Some(1_520_872_607_000);
        encoder.histogram(
            &[],
            &Histogram { count: 0, sum: 0.0, buckets: &[], native: None, created_ms },
        );
    };
    assert_eq!(
        body_with(Format::OpenMetrics100, Escaping::Underscores, options, push),
        r#"# TYPE a counter
a_total{x="1"} 1
a_created{x="1"} 1520872607.123
a_total{x="2"} 1
# TYPE b histogram
b_bucket{le="+Inf"} 0
b_sum 0
b_count 0
b_created 1520872607.000
# EOF
"#
    );
}

/// For each scheme the text format's body, and how OpenMetrics declares the counter.
const NAMES: [(Escaping, &str, &str); 4] = [
    (
        Escaping::Underscores,
        r#"# HELP http_requests_total All.
# TYPE http_requests_total counter
http_requests_total{b_c="1",http_route="/"} 1
http_requests_total 2
# TYPE plain histogram
plain_bucket{gr_n="x",le="+Inf"} 1
plain_sum{gr_n="x"} 1
plain_count{gr_n="x"} 1
# TYPE a_b_c histogram
a_b_c_bucket{le="+Inf"} 1
a_b_c_sum 1
a_b_c_count 1
"#,
        "# TYPE http_requests counter\n",
    ),
    (
        Escaping::Dots,
        r#"# HELP http_dot_requests_total All.
# TYPE http_dot_requests_total counter
http_dot_requests_total{b__c="1",http_dot_route="/"} 1
http_dot_requests_total 2
# TYPE plain histogram
plain_bucket{gr__n="x",le="+Inf"} 1
plain_sum{gr__n="x"} 1
plain_count{gr__n="x"} 1
# TYPE a__b__c histogram
a__b__c_bucket{le="+Inf"} 1
a__b__c_sum 1
a__b__c_count 1
"#,
        "# TYPE http_dot_requests counter\n",
    ),
    (
        Escaping::Values,
        r#"# HELP U__http_2e_requests_total All.
# TYPE U__http_2e_requests_total counter
U__http_2e_requests_total{b_c="1",U__http_2e_route="/"} 1
U__http_2e_requests_total 2
# TYPE plain histogram
plain_bucket{U__gr_fc_n="x",le="+Inf"} 1
plain_sum{U__gr_fc_n="x"} 1
plain_count{U__gr_fc_n="x"} 1
# TYPE U__a_20_b_22_c histogram
U__a_20_b_22_c_bucket{le="+Inf"} 1
U__a_20_b_22_c_sum 1
U__a_20_b_22_c_count 1
"#,
        "# TYPE U__http_2e_requests counter\n",
    ),
    (
        Escaping::AllowUtf8,
        r#"# HELP "http.requests_total" All.
# TYPE "http.requests_total" counter
{"http.requests_total",b_c="1","http.route"="/"} 1
{"http.requests_total"} 2
# TYPE plain histogram
plain_bucket{"grün"="x",le="+Inf"} 1
plain_sum{"grün"="x"} 1
plain_count{"grün"="x"} 1
# TYPE "a b\"c" histogram
{"a b\"c_bucket",le="+Inf"} 1
{"a b\"c_sum"} 1
{"a b\"c_count"} 1
"#,
        "# TYPE \"http.requests\" counter\n",
    ),
];

#[test]
fn each_scheme_has_its_names() {
    let push = |encoder: &mut Encoder| {
        encoder.family(&Family {
            name: "http.requests_total",
            help: "All.",
            kind: Kind::Counter,
            unit: None,
        });
        encoder.counter(&[("b_c", "1"), ("http.route", "/")], 1.0, None, None);
        encoder.counter(&[], 2.0, None, None);
        encoder.family(&family("plain", Kind::Histogram));
        let h = Histogram { count: 1, sum: 1.0, buckets: &[], native: None, created_ms: None };
        encoder.histogram(&[("grün", "x")], &h);
        encoder.family(&family("a b\"c", Kind::Histogram));
        encoder.histogram(&[], &h);
    };
    for (escaping, text, openmetrics) in NAMES {
        let found = body(Format::Text100, escaping, push);
        assert_eq!(found, text, "{escaping:?}");
        assert!(body(Format::OpenMetrics100, escaping, push).contains(openmetrics));
    }
}

#[test]
fn suffixes_are_added_where_the_registry_forgot_them_and_not_escaped() {
    let push = |encoder: &mut Encoder| {
        encoder.family(&family("retries", Kind::Counter));
        encoder.counter(&[], 1.0, None, None);
        encoder.family(&family("build", Kind::Info));
        encoder.gauge(&[("v", "1")], 1.0);
        encoder.family(&family("snake_case_total", Kind::Counter));
        encoder.counter(&[], 2.0, None, None);
    };
    assert_eq!(
        body(Format::OpenMetrics100, Escaping::Dots, push),
        r#"# TYPE retries counter
retries_total 1
# TYPE build info
build_info{v="1"} 1
# TYPE snake__case counter
snake__case_total 2
# EOF
"#
    );
    assert_eq!(
        body(Format::Text004, Escaping::Dots, push),
        r#"# TYPE retries_total counter
retries_total 1
# TYPE build_info gauge
build_info{v="1"} 1
# TYPE snake__case_total counter
snake__case_total 2
"#
    );
}

#[test]
fn a_unit_stands_only_where_the_name_ends_in_it() {
    for (name, kind, unit, expected) in [
        ("cpu_seconds_total", Kind::Counter, "seconds", "# UNIT cpu_seconds seconds\n"),
        ("cpu_ratio", Kind::Gauge, "ratio", "# UNIT cpu_ratio ratio\n"),
        ("cpu_seconds", Kind::Gauge, "ms", ""),
        ("seconds", Kind::Gauge, "seconds", ""),
        ("milliseconds", Kind::Gauge, "seconds", ""),
        ("a_", Kind::Gauge, "", ""),
    ] {
        let found = body(Format::OpenMetrics100, Escaping::Underscores, |encoder| {
            encoder.family(&Family { name, help: "", kind, unit: Some(unit) });
            encoder.gauge(&[], 1.0);
        });
        let units: String = found.lines().filter(|l| l.starts_with("# UNIT")).collect();
        assert_eq!(units, expected.trim_end(), "{name}");
    }
}

#[test]
fn families_without_samples_leave_no_trace() {
    let push = |encoder: &mut Encoder| {
        encoder.family(&Family { help: "Nothing.", ..family("a_total", Kind::Counter) });
        encoder.family(&family("b", Kind::Gauge));
        encoder.gauge(&[], 1.0);
        encoder.family(&family("c", Kind::Histogram));
        // What was never declared neither hides a later declaration nor clashes with another kind.
        encoder.family(&family("c", Kind::Gauge));
        encoder.family(&family("c_total", Kind::Counter));
        encoder.counter(&[], 1.0, None, None);
    };
    assert_eq!(
        body(Format::OpenMetrics100, Escaping::Underscores, push),
        "# TYPE b gauge\nb 1\n# TYPE c counter\nc_total 1\n# EOF\n"
    );
    assert_eq!(body(Format::OpenMetrics100, Escaping::Underscores, |_| ()), "# EOF\n");
}

#[test]
fn a_family_in_two_parts_is_declared_once() {
    let push = |encoder: &mut Encoder| {
        for part in ["1", "2"] {
            encoder.family(&Family { help: "Parts.", ..family("a_total", Kind::Counter) });
            encoder.counter(&[("part", part)], 1.0, None, None);
        }
    };
    assert_eq!(
        body(Format::Text004, Escaping::Underscores, push),
        "# HELP a_total Parts.\n# TYPE a_total counter\n\
         a_total{part=\"1\"} 1\na_total{part=\"2\"} 1\n"
    );
}

#[test]
fn a_counter_beside_a_gauge_of_its_name_loses_its_kind_in_openmetrics_but_no_sample() {
    let gauge = |encoder: &mut Encoder| {
        encoder.family(&family("deployments", Kind::Gauge));
        encoder.gauge(&[], 1.0);
    };
    let counter = |encoder: &mut Encoder| {
        encoder.family(&family("deployments_total", Kind::Counter));
        encoder.counter(&[], 2.0, Some(1000), Some(&TRACE));
    };
    let options = Options { created: true };
    assert_eq!(
        body_with(Format::OpenMetrics100, Escaping::Underscores, options, |encoder| {
            gauge(encoder);
            counter(encoder);
        }),
        "# TYPE deployments gauge\ndeployments 1\n\
         # TYPE deployments_total unknown\ndeployments_total 2\n# EOF\n"
    );
    assert_eq!(
        body(Format::OpenMetrics100, Escaping::Underscores, |encoder| {
            encoder.family(&family("deployments_total", Kind::Counter));
            encoder.counter(&[], 2.0, None, None);
            gauge(encoder);
        }),
        "# TYPE deployments counter\ndeployments_total 2\ndeployments 1\n# EOF\n"
    );
    assert_eq!(
        body(Format::Text004, Escaping::Underscores, |encoder| {
            gauge(encoder);
            counter(encoder);
        }),
        "# TYPE deployments gauge\ndeployments 1\n\
         # TYPE deployments_total counter\ndeployments_total 2\n"
    );
}

#[test]
fn what_does_not_fit_is_counted_and_fails_nothing() {
    let h = Histogram { count: 1, sum: 1.0, buckets: &[], native: None, created_ms: None };
    for format in [Format::Text004, Format::OpenMetrics100, Format::Protobuf] {
        let mut encoder =
            Encoder::new(Negotiated { format, ..Negotiated::DEFAULT }, Options::default());
        encoder.gauge(&[], 1.0);
        assert_eq!(encoder.omitted(), 1, "a sample before any family");
        encoder.family(&family("a", Kind::Gauge));
        encoder.gauge(&[], 1.0);
        encoder.histogram(&[], &h);
        assert_eq!(encoder.omitted(), 2, "a histogram among gauges");
        encoder.family(&family("h", Kind::Histogram));
        encoder.gauge(&[], 1.0);
        encoder.histogram(&[], &h);
        assert_eq!(encoder.omitted(), 3, "a gauge among histograms");
        encoder.family(&family("a", Kind::Histogram));
        encoder.histogram(&[], &h);
        assert_eq!(encoder.omitted(), 4, "a name of another kind");
        encoder.finish();
        assert!(encoder.buffered() > 0);
    }
}

#[test]
fn an_exemplar_past_the_limit_is_left_out_and_its_sample_stays() {
    let just = "x".repeat(128 - 8);
    let umlauts = "ü".repeat(128 - 8);
    let over = "x".repeat(128 - 7);
    for (value, fits) in [(&just, true), (&umlauts, true), (&over, false)] {
        let found = body(Format::OpenMetrics100, Escaping::Underscores, |encoder| {
            encoder.family(&family("a_total", Kind::Counter));
            let labels = &[("trace_id", value.as_str())];
            let exemplar = Exemplar { labels, value: 1.0, timestamp_ms: None };
            encoder.counter(&[], 5.0, None, Some(&exemplar));
        });
        let exemplar = if fits { format!(" # {{trace_id=\"{value}\"}} 1") } else { String::new() };
        assert_eq!(found, format!("# TYPE a counter\na_total 5{exemplar}\n# EOF\n"));
    }
}

#[test]
fn the_limit_of_an_exemplar_is_counted_as_it_is_written() {
    for (escaping, written) in [
        (Escaping::Underscores, "trace_id"),
        (Escaping::AllowUtf8, "trace.id"),
        (Escaping::Dots, "trace_dot_id"),
        (Escaping::Values, "U__trace_2e_id"),
    ] {
        for (room, fits) in [(128, true), (129, false)] {
            let value = "x".repeat(room - written.len());
            let found = body(Format::OpenMetrics100, escaping, |encoder| {
                encoder.family(&family("a_total", Kind::Counter));
                let labels = &[("trace.id", value.as_str())];
                let exemplar = Exemplar { labels, value: 1.0, timestamp_ms: None };
                encoder.counter(&[], 5.0, None, Some(&exemplar));
            });
            assert_eq!(found.contains(written), fits, "{escaping:?}");
        }
    }
}

#[test]
fn the_infinite_bucket_takes_its_count_from_the_histogram() {
    let found = body(Format::OpenMetrics100, Escaping::Underscores, |encoder| {
        encoder.family(&family("h", Kind::Histogram));
        let exemplar = Some(Exemplar { labels: &[], value: 9e30, timestamp_ms: None });
        let buckets = [
            Bucket { upper: 2.5e6, cumulative: 1, exemplar: None },
            Bucket { upper: f64::INFINITY, cumulative: 0, exemplar },
        ];
        let h =
            Histogram { count: 3, sum: 1e21, buckets: &buckets, native: None, created_ms: None };
        encoder.histogram(&[("le", "mine")], &h);
    });
    assert_eq!(
        found,
        r#"# TYPE h histogram
h_bucket{exported_le="mine",le="2.5e+06"} 1
h_bucket{exported_le="mine",le="+Inf"} 3 # {} 9e30
h_sum{exported_le="mine"} 1e21
h_count{exported_le="mine"} 3
# EOF
"#
    );
}

#[test]
fn histograms_of_one_family_may_have_different_bounds() {
    let found = body(Format::Text004, Escaping::Underscores, |encoder| {
        encoder.family(&family("h", Kind::Histogram));
        for bounds in [&[1.0, 2.0][..], &[1.0, 3.0, 4.0], &[1.0], &[1.0, 3.0]] {
            let bucket = |&upper| Bucket { upper, cumulative: 0, exemplar: None };
            let buckets: Vec<_> = bounds.iter().map(bucket).collect();
            let h =
                Histogram { count: 0, sum: 0.0, buckets: &buckets, native: None, created_ms: None };
            encoder.histogram(&[], &h);
        }
    });
    let les: Vec<_> = found.split("le=\"").skip(1).filter_map(|s| s.split('"').next()).collect();
    assert_eq!(
        les,
        ["1.0", "2.0", "+Inf", "1.0", "3.0", "4.0", "+Inf", "1.0", "+Inf", "1.0", "3.0", "+Inf"]
    );
}

#[test]
fn bytes_may_be_taken_between_any_two_calls() {
    for format in [Format::Text004, Format::OpenMetrics100, Format::Protobuf] {
        let negotiated = Negotiated { format, ..Negotiated::DEFAULT };
        let mut parts = Encoder::new(negotiated, Options::default());
        let mut found = Vec::new();
        parts.family(&family("http_requests_total", Kind::Counter));
        found.extend(parts.take());
        parts.counter(&[], 1.0, None, None);
        found.extend(parts.take());
        assert_eq!(parts.buffered(), 0);
        parts.counter(&[("a", "b")], 1.0, None, None);
        parts.finish();
        found.extend(parts.take());
        let mut expected = Encoder::new(negotiated, Options::default());
        expected.family(&family("http_requests_total", Kind::Counter));
        expected.counter(&[], 1.0, None, None);
        expected.counter(&[("a", "b")], 1.0, None, None);
        expected.finish();
        assert_eq!(found, expected.take());
    }
}
