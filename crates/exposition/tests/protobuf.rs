//! The hand-written protobuf against an independent decoder, prost's, on the message's published
//! field numbers.

use prost::Message;
use redora_exposition::{
    Bucket, Encoder, Escaping, Exemplar, Family, Format, Histogram, Kind, Native, Negotiated,
    Options,
};

mod client {
    //! `io.prometheus.client` as far as redora writes it.

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct MetricFamily {
        #[prost(string, optional, tag = "1")]
        pub(crate) name: Option<String>,
        #[prost(string, optional, tag = "2")]
        pub(crate) help: Option<String>,
        #[prost(int32, optional, tag = "3")]
        pub(crate) kind: Option<i32>,
        #[prost(message, repeated, tag = "4")]
        pub(crate) metric: Vec<Metric>,
        #[prost(string, optional, tag = "5")]
        pub(crate) unit: Option<String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct LabelPair {
        #[prost(string, optional, tag = "1")]
        pub(crate) name: Option<String>,
        #[prost(string, optional, tag = "2")]
        pub(crate) value: Option<String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Metric {
        #[prost(message, repeated, tag = "1")]
        pub(crate) label: Vec<LabelPair>,
        #[prost(message, optional, tag = "2")]
        pub(crate) gauge: Option<Value>,
        #[prost(message, optional, tag = "3")]
        pub(crate) counter: Option<Counter>,
        #[prost(message, optional, tag = "5")]
        pub(crate) untyped: Option<Value>,
        #[prost(int64, optional, tag = "6")]
        pub(crate) timestamp_ms: Option<i64>,
        #[prost(message, optional, tag = "7")]
        pub(crate) histogram: Option<Histogram>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Value {
        #[prost(double, optional, tag = "1")]
        pub(crate) value: Option<f64>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Counter {
        #[prost(double, optional, tag = "1")]
        pub(crate) value: Option<f64>,
        #[prost(message, optional, tag = "2")]
        pub(crate) exemplar: Option<Exemplar>,
        #[prost(message, optional, tag = "3")]
        pub(crate) created_timestamp: Option<Timestamp>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Histogram {
        #[prost(uint64, optional, tag = "1")]
        pub(crate) sample_count: Option<u64>,
        #[prost(double, optional, tag = "2")]
        pub(crate) sample_sum: Option<f64>,
        #[prost(message, repeated, tag = "3")]
        pub(crate) bucket: Vec<Bucket>,
        #[prost(sint32, optional, tag = "5")]
        pub(crate) schema: Option<i32>,
        #[prost(double, optional, tag = "6")]
        pub(crate) zero_threshold: Option<f64>,
        #[prost(uint64, optional, tag = "7")]
        pub(crate) zero_count: Option<u64>,
        #[prost(message, repeated, tag = "12")]
        pub(crate) positive_span: Vec<BucketSpan>,
        #[prost(sint64, repeated, tag = "13")]
        pub(crate) positive_delta: Vec<i64>,
        #[prost(message, optional, tag = "15")]
        pub(crate) created_timestamp: Option<Timestamp>,
        #[prost(message, repeated, tag = "16")]
        pub(crate) exemplars: Vec<Exemplar>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Bucket {
        #[prost(uint64, optional, tag = "1")]
        pub(crate) cumulative_count: Option<u64>,
        #[prost(double, optional, tag = "2")]
        pub(crate) upper_bound: Option<f64>,
        #[prost(message, optional, tag = "3")]
        pub(crate) exemplar: Option<Exemplar>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct BucketSpan {
        #[prost(sint32, optional, tag = "1")]
        pub(crate) offset: Option<i32>,
        #[prost(uint32, optional, tag = "2")]
        pub(crate) length: Option<u32>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Exemplar {
        #[prost(message, repeated, tag = "1")]
        pub(crate) label: Vec<LabelPair>,
        #[prost(double, optional, tag = "2")]
        pub(crate) value: Option<f64>,
        #[prost(message, optional, tag = "3")]
        pub(crate) timestamp: Option<Timestamp>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Timestamp {
        #[prost(int64, tag = "1")]
        pub(crate) seconds: i64,
        #[prost(int32, tag = "2")]
        pub(crate) nanos: i32,
    }
}

fn encoder(escaping: Escaping) -> Encoder {
    Encoder::new(Negotiated { format: Format::Protobuf, escaping }, Options::default())
}

fn decode(mut encoder: Encoder) -> Vec<client::MetricFamily> {
    encoder.finish();
    let bytes = encoder.take();
    let mut rest = bytes.as_slice();
    let mut families = Vec::new();
    while !rest.is_empty() {
        let family = client::MetricFamily::decode_length_delimited(&mut rest);
        families.push(family.expect("a delimited message"));
    }
    families
}

fn pairs(labels: &[(&str, &str)]) -> Vec<client::LabelPair> {
    let pair = |(name, value): &(&str, &str)| client::LabelPair {
        name: Some((*name).to_owned()),
        value: Some((*value).to_owned()),
    };
    labels.iter().map(pair).collect()
}

fn family<'a>(name: &'a str, kind: Kind) -> Family<'a> {
    Family { name, help: "", kind, unit: None }
}

#[test]
fn a_counter_carries_unit_start_and_exemplar() {
    let mut e = encoder(Escaping::Underscores);
    let exemplar = Exemplar {
        labels: &[("trace_id", "5b8e")],
        value: 0.5,
        timestamp_ms: Some(1_700_000_000_123),
    };
    e.family(&Family {
        name: "cpu_seconds_total",
        help: "Two\nlines.",
        kind: Kind::Counter,
        unit: Some("seconds"),
    });
    e.counter(&[("mode", "\"user\"")], 3.5, Some(1_600_000_000_007), Some(&exemplar));
    e.counter(&[], 0.0, None, None);
    let timestamp = |seconds, nanos| Some(client::Timestamp { seconds, nanos });
    assert_eq!(
        decode(e),
        [client::MetricFamily {
            name: Some("cpu_seconds_total".into()),
            help: Some("Two\nlines.".into()),
            kind: Some(0),
            unit: Some("seconds".into()),
            metric: vec![
                client::Metric {
                    label: pairs(&[("mode", "\"user\"")]),
                    counter: Some(client::Counter {
                        value: Some(3.5),
                        exemplar: Some(client::Exemplar {
                            label: pairs(&[("trace_id", "5b8e")]),
                            value: Some(0.5),
                            timestamp: timestamp(1_700_000_000, 123_000_000),
                        }),
                        created_timestamp: timestamp(1_600_000_000, 7_000_000),
                    }),
                    ..Default::default()
                },
                client::Metric {
                    counter: Some(client::Counter { value: Some(0.0), ..Default::default() }),
                    ..Default::default()
                },
            ],
        },]
    );
}

#[test]
fn infos_are_gauges_unknowns_untyped_and_empty_families_nothing() {
    let mut e = encoder(Escaping::Underscores);
    e.family(&family("target_info", Kind::Info));
    e.gauge(&[("host", "a")], 1.0);
    e.family(&family("empty", Kind::Gauge));
    e.family(&family("what", Kind::Unknown));
    e.gauge(&[], -0.25);
    assert_eq!(
        decode(e),
        [
            client::MetricFamily {
                name: Some("target_info".into()),
                kind: Some(1),
                metric: vec![client::Metric {
                    label: pairs(&[("host", "a")]),
                    gauge: Some(client::Value { value: Some(1.0) }),
                    ..Default::default()
                }],
                ..Default::default()
            },
            client::MetricFamily {
                name: Some("what".into()),
                kind: Some(3),
                metric: vec![client::Metric {
                    untyped: Some(client::Value { value: Some(-0.25) }),
                    ..Default::default()
                }],
                ..Default::default()
            },
        ]
    );
}

fn exemplar(id: &str, ms: Option<i64>) -> client::Exemplar {
    let timestamp = |ms| client::Timestamp {
        seconds: ms / 1000,
        nanos: i32::try_from(ms % 1000).expect("milliseconds") * 1_000_000,
    };
    client::Exemplar {
        label: pairs(&[("trace_id", id)]),
        value: Some(0.5),
        timestamp: ms.map(timestamp),
    }
}

fn bucket(count: u64, upper: f64, exemplar: client::Exemplar) -> client::Bucket {
    client::Bucket {
        cumulative_count: Some(count),
        upper_bound: Some(upper),
        exemplar: Some(exemplar),
    }
}

fn span(offset: i32, length: u32) -> client::BucketSpan {
    client::BucketSpan { offset: Some(offset), length: Some(length) }
}

#[test]
fn a_histogram_has_its_classic_and_its_native_buckets() {
    let pushed = |id, timestamp_ms| {
        Some(Exemplar { labels: std::slice::from_ref(id), value: 0.5, timestamp_ms })
    };
    let buckets = [
        Bucket { upper: 0.5, cumulative: 2, exemplar: pushed(&("trace_id", "a"), Some(1000)) },
        Bucket { upper: 1.0, cumulative: 5, exemplar: pushed(&("trace_id", "b"), None) },
        Bucket {
            upper: f64::INFINITY,
            cumulative: 0,
            exemplar: pushed(&("trace_id", "c"), Some(2500)),
        },
    ];
    let native = Native {
        schema: -1,
        zero_threshold: 1e-128,
        zero_count: 1,
        positive: &[(-3, 2), (-1, 3), (4, 1)],
    };
    let h = Histogram {
        count: 7,
        sum: 6.5,
        buckets: &buckets,
        native: Some(native),
        created_ms: Some(5001),
    };
    let mut e = encoder(Escaping::Underscores);
    e.family(&family("d", Kind::Histogram));
    e.histogram(&[("service", "shop")], &h);
    let families = decode(e);
    assert_eq!(families.len(), 1);
    assert_eq!(families[0].kind, Some(4));
    let expected = client::Histogram {
        sample_count: Some(7),
        sample_sum: Some(6.5),
        bucket: vec![
            bucket(2, 0.5, exemplar("a", Some(1000))),
            bucket(5, 1.0, exemplar("b", None)),
            bucket(7, f64::INFINITY, exemplar("c", Some(2500))),
        ],
        schema: Some(-1),
        zero_threshold: Some(1e-128),
        zero_count: Some(1),
        positive_span: vec![span(-3, 3), span(4, 1)],
        positive_delta: vec![2, -2, 3, -2],
        created_timestamp: Some(client::Timestamp { seconds: 5, nanos: 1_000_000 }),
        exemplars: vec![exemplar("a", Some(1000)), exemplar("c", Some(2500))],
    };
    assert_eq!(families[0].metric[0].label, pairs(&[("service", "shop")]));
    assert_eq!(families[0].metric[0].histogram.as_ref(), Some(&expected));
    assert_eq!(families[0].metric[0].timestamp_ms, None);
}

#[test]
fn unsound_native_buckets_leave_the_classic_ones_alone() {
    let buckets = [Bucket { upper: 0.5, cumulative: 2, exemplar: None }];
    for (schema, positive) in [(3, &[(1, 9)][..]), (9, &[(1, 2)]), (3, &[(2, 1), (1, 1)])] {
        let native = Some(Native { schema, zero_threshold: 1e-128, zero_count: 0, positive });
        let mut e = encoder(Escaping::Underscores);
        e.family(&family("d", Kind::Histogram));
        e.histogram(
            &[],
            &Histogram { count: 2, sum: 1.0, buckets: &buckets, native, created_ms: None },
        );
        let families = decode(e);
        let h = families[0].metric[0].histogram.as_ref().expect("a histogram");
        assert_eq!((h.schema, h.zero_count, h.positive_span.len()), (None, None, 0));
        assert_eq!(h.bucket[0].cumulative_count, Some(2));
    }
}

#[test]
fn an_empty_native_histogram_is_still_native() {
    let native = Some(Native { schema: 3, zero_threshold: 0.0, zero_count: 0, positive: &[] });
    let mut e = encoder(Escaping::Underscores);
    e.family(&family("d", Kind::Histogram));
    e.histogram(&[], &Histogram { count: 0, sum: 0.0, buckets: &[], native, created_ms: None });
    let families = decode(e);
    let h = families[0].metric[0].histogram.as_ref().expect("a histogram");
    assert_eq!((h.schema, h.zero_threshold, h.zero_count), (Some(3), Some(1e-128), Some(0)));
    assert_eq!(h.positive_span, []);
    assert_eq!(h.positive_delta, []);
}

#[test]
fn classic_and_native_histograms_are_never_in_one_message() {
    let native = Native { schema: 3, zero_threshold: 0.0, zero_count: 0, positive: &[] };
    let mut e = encoder(Escaping::Underscores);
    for name in ["a", "b"] {
        e.family(&family(name, Kind::Histogram));
        for native in [Some(native), Some(native), None, Some(native)] {
            let buckets = &[];
            e.histogram(&[], &Histogram { count: 0, sum: 0.0, buckets, native, created_ms: None });
        }
    }
    let found: Vec<_> = decode(e)
        .iter()
        .map(|f| {
            let native = |m: &client::Metric| m.histogram.as_ref().and_then(|h| h.schema).is_some();
            (f.name.clone().unwrap_or_default(), f.metric.iter().map(native).collect::<Vec<_>>())
        })
        .collect();
    let message = |name: &str, native: &[bool]| (name.to_owned(), native.to_vec());
    assert_eq!(
        found,
        [
            message("a", &[true, true]),
            message("a", &[false]),
            message("a", &[true]),
            message("b", &[true, true]),
            message("b", &[false]),
            message("b", &[true]),
        ]
    );
}

#[test]
fn names_follow_the_scheme_and_are_never_quoted() {
    for (escaping, metric, label) in [
        (Escaping::Underscores, "http_requests_total", "http_route"),
        (Escaping::AllowUtf8, "http.requests_total", "http.route"),
        (Escaping::Dots, "http_dot_requests_total", "http_dot_route"),
        (Escaping::Values, "U__http_2e_requests_total", "U__http_2e_route"),
    ] {
        let mut e = encoder(escaping);
        e.family(&family("http.requests_total", Kind::Counter));
        let long = Exemplar { labels: &[("a.b", "x")], value: 1.0, timestamp_ms: None };
        e.counter(&[("http.route", "/\n")], 1.0, None, Some(&long));
        let families = decode(e);
        assert_eq!(families[0].name.as_deref(), Some(metric));
        assert_eq!(families[0].metric[0].label, pairs(&[(label, "/\n")]));
    }
}

#[test]
fn an_exemplar_past_the_limit_is_left_out() {
    for (chars, fits) in [(120, true), (121, false)] {
        let value = "ü".repeat(chars);
        let labels = [("trace_id", value.as_str())];
        let mut e = encoder(Escaping::Underscores);
        e.family(&family("a_total", Kind::Counter));
        let exemplar = Exemplar { labels: &labels, value: 1.0, timestamp_ms: None };
        e.counter(&[], 1.0, None, Some(&exemplar));
        let families = decode(e);
        let counter = families[0].metric[0].counter.as_ref().expect("a counter");
        assert_eq!(counter.exemplar.is_some(), fits);
    }
}

#[test]
fn a_large_family_is_sent_in_bounded_messages_of_the_same_name() {
    const ROWS: usize = 13_000;
    let mut e = encoder(Escaping::Underscores);
    e.family(&Family { help: "All.", ..family("a_total", Kind::Counter) });
    let (mut bytes, mut taken) = (Vec::new(), 0);
    for row in 0..ROWS {
        let value = format!("{row:0>80}");
        e.counter(&[("row", &value)], 1.0, None, None);
        if e.buffered() > 0 {
            let part = e.take();
            assert!(part.len() < 257 * 1024, "{} bytes", part.len());
            bytes.extend(part);
            taken += 1;
        }
    }
    assert!(taken >= 4, "bytes were ready only {taken} times before the end");
    e.finish();
    bytes.extend(e.take());
    let mut rest = bytes.as_slice();
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let part = client::MetricFamily::decode_length_delimited(&mut rest).expect("a message");
        assert_eq!(part.name.as_deref(), Some("a_total"));
        assert_eq!((part.help.as_deref(), part.kind), (Some("All."), Some(0)));
        rows.extend(part.metric.into_iter().map(|m| m.label[0].value.clone().unwrap_or_default()));
    }
    let expected: Vec<_> = (0..ROWS).map(|row| format!("{row:0>80}")).collect();
    assert_eq!(rows, expected);
}

#[test]
fn lengths_at_the_edges_of_their_bytes_are_right() {
    for length in [0, 1, 100, 120, 124, 125, 126, 127, 128, 129, 16_370, 16_383, 16_384, 2_097_151]
    {
        let value = "x".repeat(length);
        let mut e = encoder(Escaping::Underscores);
        e.family(&family("a", Kind::Gauge));
        e.gauge(&[("b", &value)], 1.0);
        let families = decode(e);
        assert_eq!(families[0].metric[0].label, pairs(&[("b", value.as_str())]));
        assert_eq!(families[0].metric[0].gauge, Some(client::Value { value: Some(1.0) }));
    }
}
