//! Log records of real encoders as events: which of them are, which are bad, and that nothing stays
//! of a batch that was not whole.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValueList;
use opentelemetry_proto::tonic::logs::v1 as logs;
use proptest::prelude::*;
use regex::Regex;

use super::*;
use crate::record::{Body, Match, SeverityRange};

pub(super) fn errors() -> Match {
    Match { severity: Some(SeverityRange { min: 17, max: 24 }), ..Match::default() }
}

fn says(text: &str) -> Match {
    Match { body: Some(Body::Contains(text.to_owned())), ..Match::default() }
}

fn has(key: &str, value: &str) -> Match {
    Match { attributes: vec![(key.to_owned(), value.to_owned())], ..Match::default() }
}

/// An objective over the log records of the shop.
pub(super) fn over(total: Match, told: Told) -> Watched {
    let records = Some(Records { total, told });
    watched("records", Indicator::Logs, Select { records, ..Select::default() })
}

pub(super) fn line(severity_number: i32, body: &str) -> logs::LogRecord {
    let body = Some(AnyValue { value: Some(Value::StringValue(body.into())) });
    logs::LogRecord { severity_number, body, ..Default::default() }
}

fn with(record: logs::LogRecord, key: &str, value: &str) -> logs::LogRecord {
    logs::LogRecord { attributes: vec![text(key, value)], ..record }
}

fn part(service: &str, log_records: Vec<logs::LogRecord>) -> logs::ResourceLogs {
    let attributes = vec![text("service.name", service), text("deployment.environment", "live")];
    logs::ResourceLogs {
        resource: Some(Resource { attributes, ..Default::default() }),
        scope_logs: vec![logs::ScopeLogs { log_records, ..Default::default() }],
        ..Default::default()
    }
}

fn export(resource_logs: Vec<logs::ResourceLogs>) -> Vec<u8> {
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

pub(super) fn log(digest: &Digest, records: Vec<logs::LogRecord>, now_ms: u64) {
    let bytes = export(vec![part("shop", records)]);
    digest.take(&Tenant::single(), Signal::Logs, &bytes, now_ms).expect("a valid request");
}

/// Good and bad events of one objective after these records.
fn counted(objective: &Watched, records: Vec<logs::LogRecord>) -> (u64, u64) {
    let digest = digest(vec![objective.clone()]);
    log(&digest, records, START_MS);
    totals(&digest)[0]
}

#[test]
fn a_record_that_fits_the_total_is_an_event_and_bad_as_it_is_told() {
    let all = || Match::default();
    let done = || line(9, "order 7 processed");
    let regex = Regex::new("order [0-9]+ lost$").expect("an expression");
    let lost = Match { body: Some(Body::Matches(regex)), ..Match::default() };
    let values = vec![text("message", "order 7 lost")];
    let structured = Some(AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) });
    let structured = logs::LogRecord { body: structured, ..done() };
    let coloured = line(9, "order \u{1b}[1m7\u{1b}[0m lost");
    for (total, told, records, expected) in [
        (all(), Told::Bad(errors()), vec![done(), line(17, ""), line(16, "")], (2, 1)),
        (all(), Told::Good(says("processed")), vec![done(), line(17, ""), line(9, "")], (1, 2)),
        (says("order"), Told::Bad(errors()), vec![done(), line(17, "disk full")], (1, 0)),
        (says("order"), Told::Bad(errors()), vec![done(), line(21, "no order")], (1, 1)),
        (errors(), Told::Bad(says("order")), vec![done(), line(17, "x")], (1, 0)),
        (all(), Told::Bad(lost), vec![structured, coloured, line(9, "order x lost")], (1, 2)),
        // Its severity is unknown, which is not above anything.
        (all(), Told::Bad(errors()), vec![line(0, "x"), line(-1, "x"), line(25, "x")], (3, 0)),
        (
            has("event", "order"),
            Told::Bad(has("result", "lost")),
            vec![
                with(done(), "event", "order"),
                with(done(), "result", "lost"),
                logs::LogRecord {
                    attributes: vec![text("event", "order"), text("result", "lost")],
                    ..done()
                },
            ],
            (1, 1),
        ),
    ] {
        assert_eq!(counted(&over(total.clone(), told.clone()), records), expected, "{told:?}");
    }
}

#[test]
fn attributes_are_the_records_or_its_resources_and_all_of_them_must_hold() {
    for (asked, expected) in [
        (vec![("tier", "gold")], (1, 0)),
        (vec![("tier", "gold"), ("deployment.environment", "live")], (1, 0)),
        (vec![("deployment.environment", "live")], (1, 1)),
        (vec![("deployment.environment", "test")], (0, 0)),
        (vec![("absent", "")], (0, 0)),
    ] {
        let mut objective = over(Match::default(), Told::Bad(errors()));
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        objective.select.attributes = asked.iter().map(pair).collect();
        let records = vec![with(line(9, "x"), "tier", "gold"), line(17, "x")];
        assert_eq!(counted(&objective, records), expected, "{asked:?}");
    }
    // The record's own word stands before its resource's.
    let mut live = over(Match::default(), Told::Bad(errors()));
    live.select.attributes = vec![("deployment.environment".into(), "live".into())];
    let records = vec![with(line(9, "x"), "deployment.environment", "test"), line(9, "x")];
    assert_eq!(counted(&live, records), (1, 0));
}

#[test]
fn services_in_one_batch_are_held_apart_and_records_from_requests() {
    let of = |service: &str, told| {
        let mut objective = over(Match::default(), told);
        objective.objective.service = Service::new(service);
        objective
    };
    let shop = of("shop", Told::Bad(errors()));
    let cart = of("cart", Told::Good(has("result", "kept")));
    let digest = digest(vec![shop, cart, availability()]);
    let kept = || with(line(17, "x"), "result", "kept");
    let bytes = export(vec![
        part("shop", vec![line(17, "x"), line(9, "x")]),
        part("other", vec![line(17, "x")]),
        part("cart", vec![kept(), line(9, "x"), kept()]),
        part("shop", vec![kept()]),
        part("shop", vec![line(9, "x")]),
    ]);
    digest.take(&Tenant::single(), Signal::Logs, &bytes, START_MS).expect("valid");
    assert_eq!(totals(&digest), [(2, 2), (2, 1), (0, 0)]);
    take(&digest, vec![failed(span(2, 1))], START_MS);
    assert_eq!(totals(&digest), [(2, 2), (2, 1), (0, 1)], "a request is no record");
}

#[test]
fn records_of_a_service_without_objectives_over_them_are_not_worth_keeping() {
    let digest = digest(vec![availability()]);
    log(&digest, vec![line(17, "x")], START_MS);
    assert_eq!((totals(&digest), digest.kept(0)), (vec![(0, 0)], None));
}

#[test]
fn two_that_ask_alike_go_on_and_others_begin_anew() {
    let slow = over(says("slow"), Told::Bad(errors()));
    let before = digest(vec![slow.clone()]);
    log(&before, vec![line(17, "slow")], START_MS);
    let (_, kept) = before.kept(0).expect("there were commits");
    for (objective, known) in [
        (slow.clone(), 1),
        (over(says("slo"), Told::Bad(errors())), 0),
        (over(says("slow"), Told::Good(errors())), 0),
        (over(Match::default(), Told::Bad(says("slow"))), 0),
        (watched("records", Indicator::Availability, Select::default()), 0),
    ] {
        let after = digest(vec![objective]);
        assert_eq!(after.resume(&kept, START_MS), Ok(known));
        assert_eq!(bad(&after, START_MS).1, known as u64);
    }
}

proptest! {
    /// Batches of which some are cut short anywhere count as if those had never come.
    #[test]
    fn what_was_staged_and_discarded_is_nothing(
        batches in prop::collection::vec(
            (prop::collection::vec(0..=24_i32, 1..5), prop::option::of(0.0..1.0_f64)),
            1..8,
        )
    ) {
        let mut sliced = over(Match::default(), Told::Bad(errors()));
        sliced.objective.name = "slices".to_owned();
        sliced.slices = Some(slices(10));
        let digest = digest(vec![over(Match::default(), Told::Bad(errors())), sliced]);
        let mut expected = (0, 0);
        for (severities, cut) in batches {
            let records: Vec<_> = severities.iter().map(|number| line(*number, "x")).collect();
            let bytes = export(vec![part("shop", records)]);
            // Past the key and the length of the only part, so that it is never whole.
            let length = cut.map(|cut| 3 + (cut * (bytes.len() - 4) as f64) as usize);
            let bytes = &bytes[..length.unwrap_or(bytes.len())];
            let taken = digest.take(&Tenant::single(), Signal::Logs, bytes, START_MS);
            prop_assert_eq!(taken.is_err(), cut.is_some());
            if cut.is_none() {
                let bad = severities.iter().filter(|number| **number >= 17).count() as u64;
                expected.0 += severities.len() as u64 - bad;
                expected.1 += bad;
            }
        }
        digest.advance(START_MS + 10_000);
        let is_bad = expected.1 * 20 > expected.0 + expected.1;
        let slice = match expected {
            (0, 0) => (0, 0),
            _ => (u64::from(!is_bad), u64::from(is_bad)),
        };
        prop_assert_eq!(totals(&digest), vec![expected, slice]);
    }
}
