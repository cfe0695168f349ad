//! Records of real encoders through the book: severities, rules, labels, and what does not fit.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1 as proto;
use prost::Message;
use redora_model::dimension::Dimension;
use regex::Regex;

use super::*;
use crate::record::{Body, Match, SeverityRange};

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

fn record(severity: i32, body: Value, attributes: &[KeyValue]) -> Vec<u8> {
    proto::LogRecord {
        severity_number: severity,
        body: Some(AnyValue { value: Some(body) }),
        attributes: attributes.to_vec(),
        ..Default::default()
    }
    .encode_to_vec()
}

fn line(severity: i32, body: &str) -> Vec<u8> {
    record(severity, Value::StringValue(body.into()), &[])
}

fn book(rules: Vec<Rule>) -> LogMetrics {
    LogMetrics::new(rules, Limits { rows: 4, expire_ms: 1000 }, &Hasher::default())
}

fn rule(matches: Match, labels: &[&str]) -> Rule {
    let labels = labels.iter().map(|label| Dimension::new(label)).collect();
    Rule { name: "declined".into(), matches, labels }
}

fn take(book: &mut LogMetrics, service: &str, records: &[Vec<u8>]) {
    let rules = book.rules().to_vec();
    let mut watch = Watch::new(&rules);
    book.service(&Tenant::single(), service.as_bytes(), 0);
    for bytes in records {
        watch.clear();
        let record = LogRecord::read(bytes, |kv| watch.see(&rules, kv)).expect("prost's bytes");
        book.stage(&record, &watch, 0);
    }
    book.commit();
}

fn matched(book: &LogMetrics) -> Vec<(String, u64)> {
    let row = |entry: &crate::series::Entry<Matched>| {
        (entry.labels().skip(1).collect::<Vec<_>>().join("|"), entry.row.count())
    };
    let mut rows: Vec<_> = book.matched()[0].entries(0).map(|(_, entry)| row(entry)).collect();
    rows.sort();
    rows
}

fn one(name: &str, count: u64) -> Vec<(String, u64)> {
    vec![(name.to_owned(), count)]
}

#[test]
fn severities_count_by_their_ranges() {
    let mut book = book(Vec::new());
    let records: Vec<_> = (-1..=26).map(|number| line(number, "x")).collect();
    take(&mut book, "shop", &records);
    let counts: Vec<_> = book.records().entries(0).map(|(_, e)| *e.row.counts()).collect();
    assert_eq!(counts, [[4, 4, 4, 4, 4, 4, 4]], "-1, 0, 25 and 26 are unspecified");
}

#[test]
fn a_rule_without_labels_is_seen_at_zero() {
    let mut book = book(vec![rule(Match::default(), &[])]);
    take(&mut book, "shop", &[]);
    assert_eq!(matched(&book), one("shop", 0));
}

#[test]
fn rules_match_severity_body_and_attributes_together() {
    let matches = Match {
        severity: Some(SeverityRange { min: 13, max: 24 }),
        body: Some(Body::Contains("declined".into())),
        attributes: vec![("payment.method".into(), "card".into()), ("attempt".into(), "2".into())],
    };
    let card = attribute("payment.method", Value::StringValue("card".into()));
    let second = attribute("attempt", Value::IntValue(2));
    let declined = || Value::StringValue("\u{1b}[31mdecl\u{1b}[0mined".into());
    let mut book = book(vec![rule(matches, &[])]);
    let all = [card.clone(), second.clone()];
    take(
        &mut book,
        "shop",
        &[
            record(13, declined(), &all),
            record(12, declined(), &all),
            record(13, Value::StringValue("accepted".into()), &all),
            record(13, declined(), &[card]),
            record(13, declined(), &[second]),
        ],
    );
    assert_eq!(matched(&book), one("shop", 1));
}

#[test]
fn an_expression_matches_and_a_structured_body_is_searched() {
    let expression = Regex::new("^declin(ed|ing)$").expect("a valid expression");
    let matches = Match { body: Some(Body::Matches(expression)), ..Match::default() };
    let mut book = book(vec![rule(matches, &[])]);
    let list = opentelemetry_proto::tonic::common::v1::KeyValueList {
        values: vec![attribute("message", Value::StringValue("declining".into()))],
    };
    let structured = record(9, Value::KvlistValue(list), &[]);
    take(&mut book, "shop", &[line(9, "declined"), line(9, "not declined"), structured]);
    assert_eq!(matched(&book), one("shop", 2));
}

#[test]
fn labels_come_from_attributes_and_are_bounded() {
    let mut book = book(vec![rule(Match::default(), &["payment.method"])]);
    let records: Vec<_> = (0..10)
        .map(|i| {
            let method = attribute("payment.method", Value::StringValue(format!("m{i}")));
            record(9, Value::StringValue(String::new()), &[method])
        })
        .collect();
    take(&mut book, "shop", &records);
    take(&mut book, "shop", &records[..1]);
    let rows = matched(&book);
    assert_eq!(rows.iter().map(|(_, count)| count).sum::<u64>(), 11, "nothing is lost");
    assert_eq!(rows[0], ("shop|m0".to_owned(), 2));
    assert_eq!(rows[4], ("shop|other".to_owned(), 6));
    assert_eq!(book.matched()[0].size().overflowed, 6);
}

#[test]
fn services_past_the_bound_count_together() {
    let mut book = book(Vec::new());
    for i in 0..6 {
        take(&mut book, &format!("s{i}"), &[line(9, "x")]);
    }
    let mut services: Vec<_> = book
        .records()
        .entries(0)
        .map(|(_, entry)| (entry.labels().nth(1).map(str::to_owned), entry.row.counts()[3]))
        .collect();
    services.sort();
    assert_eq!(services.len(), 5);
    assert_eq!(services[0], (Some("other".to_owned()), 2));
}
