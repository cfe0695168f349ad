//! The book as the digest drives it: which requests are events, what remains of them over time,
//! over a change of the configuration and over a restart.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use prost::Message;
use redora_model::identity::{Service, Tenant};
use redora_model::slo::{
    BURN_WINDOWS, Goal, Indicator, Objective, Period, Share, Slices, Tiers, Window,
};
use redora_wire::Signal;

use super::*;
use crate::digest::{Digest, Settings};

mod records;
mod slices;

const START_MS: u64 = 1_790_000_000_000;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;
const MONTH: Window = Window::Rolling { seconds: 30 * 86_400 };
const LATENCY: Indicator = Indicator::Latency { threshold_ns: 300_000_000 };

fn watched(name: &str, indicator: Indicator, select: Select) -> Watched {
    let objective = Objective {
        name: name.to_owned(),
        service: Service::new("shop"),
        indicator,
        goal: Goal::parse("99.9%").expect("a goal"),
        window: MONTH,
        tiers: Tiers::ALL,
        team: String::new(),
        runbook: String::new(),
    };
    Watched { objective, select, slices: None }
}

fn availability() -> Watched {
    watched("availability", Indicator::Availability, Select::default())
}

fn calendar(period: Period) -> Watched {
    let mut watched = availability();
    watched.objective.window = Window::Calendar { period, time_zone: "UTC".to_owned() };
    watched
}

/// Slices of which 95 % must be good.
fn slices(seconds: u64) -> Slices {
    Slices { seconds, good: Share::parse("95%").expect("a share") }
}

fn settings(slos: Vec<Watched>) -> Settings {
    let series = crate::series::Limits { rows: 2, expire_ms: 1000 };
    Settings { red: crate::red::Config::default(), log_metrics: Vec::new(), slos, series }
}

fn digest(slos: Vec<Watched>) -> Digest {
    Digest::new(settings(slos), Hasher::default())
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..Default::default() }
}

fn span(kind: i32, nanos: u64) -> trace::Span {
    let start_time_unix_nano = 1_000_000_000;
    let end_time_unix_nano = start_time_unix_nano + nanos;
    let name = "GET /cart".to_owned();
    trace::Span { name, kind, start_time_unix_nano, end_time_unix_nano, ..Default::default() }
}

fn failed(span: trace::Span) -> trace::Span {
    trace::Span { status: Some(trace::Status { code: 2, ..Default::default() }), ..span }
}

fn request(service: &str, spans: Vec<trace::Span>) -> Vec<u8> {
    let attributes = vec![text("service.name", service), text("deployment.environment", "live")];
    let part = trace::ResourceSpans {
        resource: Some(Resource { attributes, ..Default::default() }),
        scope_spans: vec![trace::ScopeSpans { spans, ..Default::default() }],
        ..Default::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![part] }.encode_to_vec()
}

fn take(digest: &Digest, spans: Vec<trace::Span>, now_ms: u64) {
    let bytes = request("shop", spans);
    digest.take(&Tenant::single(), Signal::Traces, &bytes, now_ms).expect("a valid request");
}

/// Good and bad events of each objective since the start.
fn totals(digest: &Digest) -> Vec<(u64, u64)> {
    let pair = |counts: Counts| (counts.good, counts.bad);
    digest.read(|books| books.slo.standings().map(|one| pair(one.totals())).collect())
}

/// Bad events of the first objective in each burn window, and in its own.
fn bad(digest: &Digest, now_ms: u64) -> ([u64; 7], u64) {
    digest.advance(now_ms);
    digest.read(|books| {
        let one = books.slo.standings().next().expect("an objective");
        (BURN_WINDOWS.map(|window| one.last(window).bad), one.spent().bad)
    })
}

#[test]
fn a_latency_threshold_holds_at_the_nanosecond_and_an_error_is_bad_however_fast() {
    let slos = vec![availability(), watched("latency", LATENCY, Select::default())];
    for (span, expected) in [
        (span(2, 300_000_000), [(1, 0), (1, 0)]),
        (span(2, 300_000_001), [(1, 0), (0, 1)]),
        (span(2, 0), [(1, 0), (1, 0)]),
        (failed(span(2, 1)), [(0, 1), (0, 1)]),
        (failed(span(2, 900_000_000)), [(0, 1), (0, 1)]),
        // Without a duration nobody can tell whether it was slow.
        (trace::Span { end_time_unix_nano: 1, ..span(2, 0) }, [(1, 0), (0, 0)]),
        (failed(trace::Span { end_time_unix_nano: 1, ..span(2, 0) }), [(0, 1), (0, 1)]),
    ] {
        let digest = digest(slos.clone());
        take(&digest, vec![span.clone()], START_MS);
        assert_eq!(totals(&digest), expected, "{span:?}");
    }
}

#[test]
fn what_a_service_served_is_an_event_unless_another_kind_is_asked_for() {
    let client = Select { kind: Some(Kind::Client), ..Select::default() };
    let digest = digest(vec![availability(), watched("calls", Indicator::Availability, client)]);
    take(&digest, (0..=6).map(|kind| span(kind, 1)).collect(), START_MS);
    // SERVER and CONSUMER, and CLIENT alone.
    assert_eq!(totals(&digest), [(2, 0), (1, 0)]);
    let bytes = request("basket", vec![failed(span(2, 1))]);
    digest.take(&Tenant::single(), Signal::Traces, &bytes, START_MS).expect("valid");
    assert_eq!(totals(&digest), [(2, 0), (1, 0)]);
}

#[test]
fn an_operation_is_the_one_that_the_label_names_though_its_book_is_full() {
    let of = |name: &str| {
        let select = Select { operation: Some(name.to_owned()), ..Select::default() };
        watched(name, Indicator::Availability, select)
    };
    let digest = digest(vec![of("GET /cart"), of("GET /items/{id}"), of("POST /pay"), of("other")]);
    let routed = |method: &str, route: &str| trace::Span {
        attributes: vec![text("http.request.method", method), text("http.route", route)],
        ..span(2, 1)
    };
    // The second time round rows are known, and the third operation finds no row at all.
    for _ in 0..3 {
        let id = trace::Span { name: "GET /items/7".into(), ..span(2, 1) };
        take(&digest, vec![span(2, 1), id, routed("POST", "/pay")], START_MS);
    }
    assert_eq!(totals(&digest), [(3, 0), (3, 0), (3, 0), (0, 0)]);
}

#[test]
fn attributes_are_the_spans_or_its_resources_and_all_of_them_must_hold() {
    let of = |attributes: &[(&str, &str)]| {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let attributes = attributes.iter().map(pair).collect();
        watched("x", Indicator::Availability, Select { attributes, ..Select::default() })
    };
    let int = AnyValue { value: Some(Value::IntValue(7)) };
    let shard = KeyValue { key: "shard".into(), value: Some(int), ..Default::default() };
    for (asked, expected) in [
        (vec![("tier", "gold")], 1),
        (vec![("tier", "gold"), ("shard", "7")], 1),
        (vec![("tier", "gold"), ("shard", "8")], 0),
        (vec![("deployment.environment", "live")], 2),
        (vec![("deployment.environment", "test")], 0),
        (vec![("http.request.method", "GET")], 1),
        (vec![("absent", "")], 0),
    ] {
        let digest = digest(vec![of(&asked)]);
        let attributes =
            vec![text("tier", "gold"), shard.clone(), text("http.request.method", "GET")];
        take(&digest, vec![trace::Span { attributes, ..span(2, 1) }, span(2, 1)], START_MS);
        assert_eq!(totals(&digest), [(expected, 0)], "{asked:?}");
    }
}

#[test]
fn a_malformed_request_counts_nothing_and_leaves_nothing_for_the_next() {
    let digest = digest(vec![availability()]);
    let mut bytes = request("shop", vec![span(2, 1), span(2, 1)]);
    bytes.truncate(bytes.len() - 1);
    digest.take(&Tenant::single(), Signal::Traces, &bytes, START_MS).expect_err("cut");
    assert_eq!(totals(&digest), [(0, 0)]);
    take(&digest, vec![failed(span(2, 1))], START_MS);
    assert_eq!(totals(&digest), [(0, 1)]);
}

#[test]
fn a_sampled_span_counts_for_the_requests_that_it_stands_for() {
    let digest = digest(vec![availability()]);
    let sampled = || trace::Span { trace_state: "ot=th:8".into(), ..span(2, 1) };
    take(&digest, vec![sampled(), failed(sampled()), sampled()], START_MS);
    assert_eq!(totals(&digest), [(4, 2)]);
}

#[test]
fn events_leave_every_window_in_its_time() {
    let digest = digest(vec![availability()]);
    take(&digest, vec![failed(span(2, 1))], START_MS);
    for (minutes, inside) in
        [(0, 7), (5, 7), (7, 6), (29, 6), (32, 5), (62, 4), (122, 3), (376, 2), (1456, 1)]
    {
        let (windows, own) = bad(&digest, START_MS + minutes * MINUTE_MS);
        let expected: Vec<u64> = (0..7).map(|i| u64::from(i >= 7 - inside)).collect();
        assert_eq!((windows.to_vec(), own), (expected, 1), "after {minutes} minutes");
    }
    assert_eq!(bad(&digest, START_MS + 30 * DAY_MS - 1), ([0; 7], 1));
    assert_eq!(bad(&digest, START_MS + 30 * DAY_MS + 2 * 3_600_000), ([0; 7], 0));
    assert_eq!(totals(&digest), [(0, 1)]);
}

#[test]
fn a_clock_that_is_set_back_opens_no_window_and_one_set_forward_ages_out() {
    let digest = digest(vec![availability()]);
    take(&digest, vec![failed(span(2, 1))], START_MS);
    take(&digest, vec![span(2, 1)], START_MS + 10 * MINUTE_MS);
    assert_eq!(bad(&digest, START_MS + 10 * MINUTE_MS).0, [0, 1, 1, 1, 1, 1, 1]);
    // An hour back: what was outside of five minutes stays outside, and time goes on from there.
    assert_eq!(bad(&digest, START_MS - 50 * MINUTE_MS).0, [0, 1, 1, 1, 1, 1, 1]);
    take(&digest, vec![failed(span(2, 1))], START_MS - 50 * MINUTE_MS);
    assert_eq!(bad(&digest, START_MS - 50 * MINUTE_MS).0, [1, 2, 2, 2, 2, 2, 2]);
    assert_eq!(bad(&digest, START_MS - 43 * MINUTE_MS).0, [0, 2, 2, 2, 2, 2, 2]);
    assert_eq!(bad(&digest, START_MS + DAY_MS * 4).0, [0; 7]);
}

#[test]
fn a_calendar_budget_is_whole_again_when_the_period_ends() {
    // 2026-09-21; the month ends on 2026-10-01T00:00:00Z.
    let october_ms = 1_790_812_800_000;
    let digest = digest(vec![calendar(Period::Month)]);
    take(&digest, vec![failed(span(2, 1))], START_MS);
    let window_s = || digest.read(|books| books.slo.standings().next().map(|one| one.window_s()));
    assert_eq!((bad(&digest, october_ms - 1).1, window_s()), (1, Some(30 * 86_400)));
    assert_eq!((bad(&digest, october_ms).1, window_s()), (0, Some(31 * 86_400)));
    take(&digest, vec![failed(span(2, 1)), failed(span(2, 1))], october_ms + 1);
    // Back to September by a clock that is wrong: nothing is given back.
    assert_eq!((bad(&digest, october_ms - MINUTE_MS).1, window_s()), (2, Some(30 * 86_400)));
    // Nor is it when the clock is set right, here or in the next process.
    let (_, kept) = digest.kept(0).expect("there were commits");
    assert_eq!((bad(&digest, october_ms + 2).1, window_s()), (2, Some(31 * 86_400)));
    let next = self::digest(vec![calendar(Period::Month)]);
    // A machine without a battery starts in 1970.
    assert_eq!(next.resume(&kept, DAY_MS), Ok(1));
    assert_eq!(bad(&next, 2 * DAY_MS).1, 2);
    assert_eq!(bad(&next, october_ms + DAY_MS).1, 2);
    assert_eq!(bad(&next, october_ms + 40 * DAY_MS).1, 0);
}

#[test]
fn a_reload_keeps_what_looks_at_the_same_events() {
    let latency = watched("latency", LATENCY, Select::default());
    let digest = digest(vec![availability(), latency.clone()]);
    take(&digest, vec![failed(span(2, 1))], START_MS);
    let mut stricter = availability();
    stricter.objective.goal = Goal::parse("99.99%").expect("a goal");
    let faster = Indicator::Latency { threshold_ns: 1 };
    let tier = Select { attributes: vec![("tier".into(), "gold".into())], ..Select::default() };
    digest.reconfigure(settings(vec![
        watched("latency", faster, Select::default()),
        stricter,
        watched("gold", Indicator::Availability, tier),
    ]));
    assert_eq!(totals(&digest), [(0, 0), (0, 1), (0, 0)]);
    let attributes = vec![text("tier", "gold")];
    take(&digest, vec![trace::Span { attributes, ..span(2, 5) }], START_MS);
    assert_eq!(totals(&digest), [(0, 1), (1, 1), (1, 0)]);
}

#[test]
fn a_restart_goes_on_with_windows_and_budgets_and_starts_totals_at_0() {
    let slos = || vec![availability(), calendar_named("month")];
    let before = digest(slos());
    take(
        &before,
        vec![failed(span(2, 1)), failed(span(2, 1))],
        START_MS - 3 * DAY_MS + 9 * MINUTE_MS,
    );
    take(&before, vec![failed(span(2, 1)), span(2, 1)], START_MS);
    let (commits, kept) = before.kept(0).expect("there were commits");
    assert_eq!(before.kept(commits), None);

    for (at_ms, windows, own) in [
        (START_MS, [1, 1, 1, 1, 1, 1, 3], 3),
        (START_MS + 10 * MINUTE_MS, [0, 1, 1, 1, 1, 1, 3], 3),
        (START_MS + DAY_MS, [0, 0, 0, 0, 0, 1, 1], 3),
        // The clock was set back in between: time goes on from where it was.
        (START_MS - DAY_MS, [1, 1, 1, 1, 1, 1, 3], 3),
        (START_MS + 40 * DAY_MS, [0; 7], 0),
    ] {
        let after = digest(slos());
        assert_eq!(after.resume(&kept, at_ms), Ok(2));
        assert_eq!(bad(&after, at_ms), (windows, own), "{at_ms}");
        assert_eq!(totals(&after), [(0, 0), (0, 0)]);
        let month = after.read(|books| books.slo.standings().nth(1).map(|one| one.spent().bad));
        assert_eq!(month, Some(own), "{at_ms}");
    }
}

fn calendar_named(name: &str) -> Watched {
    let mut watched = calendar(Period::Month);
    watched.objective.name = name.to_owned();
    watched
}

#[test]
fn only_what_looks_at_the_same_events_is_restored() {
    let before = digest(vec![availability(), watched("latency", LATENCY, Select::default())]);
    take(&before, vec![failed(span(2, 1))], START_MS);
    let (_, kept) = before.kept(0).expect("there were commits");
    let faster = Indicator::Latency { threshold_ns: 1 };
    let after = digest(vec![watched("latency", faster, Select::default()), availability()]);
    assert_eq!(after.resume(&kept, START_MS), Ok(1));
    let spent: Vec<u64> =
        after.read(|books| books.slo.standings().map(|one| one.spent().bad).collect());
    assert_eq!(spent, [0, 1]);
}

#[test]
fn damaged_bytes_are_refused_and_change_nothing() {
    let before = digest(vec![availability()]);
    take(&before, vec![failed(span(2, 1))], START_MS);
    let (_, kept) = before.kept(0).expect("there were commits");
    let after = digest(vec![availability()]);
    take(&after, vec![span(2, 1)], START_MS);
    for length in 0..kept.len() {
        after.resume(&kept[..length], START_MS).expect_err("cut");
    }
    for at in 0..kept.len() {
        let mut damaged = kept.clone();
        damaged[at] ^= 1;
        after.resume(&damaged, START_MS).expect_err("damaged");
    }
    let mut newer = kept.clone();
    newer[b"redora-slo".len()] = 3;
    assert_eq!(after.resume(&newer, START_MS), Err(StateFault::Version(3)));
    assert_eq!(after.resume(b"SQLite format 3", START_MS), Err(StateFault::Foreign));
    assert_eq!(totals(&after), [(1, 0)]);
}
