//! Deliveries in the shape of PagerDuty's documentation of version 3, signed as it signs.

use proptest::prelude::*;
use redora_model::fact::{Incident, What};
use redora_model::identity::Environment;

use super::*;

fn config() -> Config {
    Config {
        origin: Origin {
            source: "pagerduty:acme".to_owned(),
            service: None,
            environment: Some(Environment::new("production")),
        },
        services: BTreeMap::from([
            ("PF9KMXH".to_owned(), Service::new("shop")),
            ("Cart Service".to_owned(), Service::new("cart")),
        ]),
    }
}

fn delivery(event_type: &str, occurred_at: &str, status: &str) -> String {
    format!(
        r#"{{"event": {{"id": "01BYL6SHH2OTB4DVQAHD1ZQ8FX", "event_type": "{event_type}",
        "resource_type": "incident", "occurred_at": "{occurred_at}",
        "agent": {{"id": "PLH1HKV", "type": "user_reference"}}, "client": null,
        "data": {{"id": "PGR0VU2", "type": "incident", "number": 2, "status": "{status}",
        "html_url": "https://acme.pagerduty.example/incidents/PGR0VU2",
        "incident_key": "d3640fbd41094207a1c11e58e46b1662", "created_at": "2024-03-01T12:00:00Z",
        "title": "A little bump in the road",
        "service": {{"id": "PF9KMXH", "summary": "API Service", "type": "service_reference"}},
        "assignees": [], "teams": [], "priority": {{"id": "PSO75BM", "summary": "P1"}},
        "urgency": "high", "conference_bridge": null, "resolve_reason": null}}}}}}"#
    )
}

const BEGAN_MS: i64 = 1_709_294_400_000;
const MINUTE_MS: i64 = 60_000;

#[track_caller]
fn one(body: &str) -> (i64, Incident) {
    let mut reading = read(body.as_bytes(), &config()).expect("a delivery");
    assert_eq!((reading.facts.len(), reading.rejects.len()), (1, 0));
    let fact = reading.facts.remove(0);
    assert_eq!((fact.source.as_str(), fact.id.as_str()), ("pagerduty:acme", "PGR0VU2"));
    let What::Incident(incident) = fact.what else { panic!("no incident") };
    (fact.as_of_ms, incident)
}

#[test]
fn an_event_says_what_became_of_its_incident() {
    let open = Incident {
        service: Some(Service::new("shop")),
        environment: Some(Environment::new("production")),
        title: "A little bump in the road".to_owned(),
        severity: "P1".to_owned(),
        nature: Nature::Disruption,
        started_ms: BEGAN_MS,
        changes: Vec::new(),
        deployment: None,
        url: "https://acme.pagerduty.example/incidents/PGR0VU2".to_owned(),
    };
    let triggered = delivery("incident.triggered", "2024-03-01T12:00:00.500Z", "triggered");
    assert_eq!(one(&triggered), (BEGAN_MS + 500, open.clone()));
    let known = delivery("incident.acknowledged", "2024-03-01T12:02:00Z", "acknowledged");
    assert_eq!(one(&known), (BEGAN_MS + 2 * MINUTE_MS, open.clone()));

    let at_ms = BEGAN_MS + 30 * MINUTE_MS;
    let over = Incident { changes: vec![Turn { at_ms, resolved: true }], ..open.clone() };
    let resolved = delivery("incident.resolved", "2024-03-01T12:30:00Z", "resolved");
    assert_eq!(one(&resolved), (at_ms + 1, over));
    let again = Incident { changes: vec![Turn { at_ms, resolved: false }], ..open };
    let reopened = delivery("incident.reopened", "2024-03-01T12:30:00Z", "triggered");
    assert_eq!(one(&reopened), (at_ms + 2, again));
}

#[test]
fn services_are_mapped_by_id_or_name_and_keep_theirs_otherwise() {
    let body = delivery("incident.triggered", "2024-03-01T12:00:00Z", "triggered");
    let service = |id: &str, summary: &str| {
        let body = body.replace("PF9KMXH", id).replace("API Service", summary);
        one(&body).1.service
    };
    assert_eq!(service("PF9KMXH", "Cart Service"), Some(Service::new("shop")));
    assert_eq!(service("PXXXXXX", "Cart Service"), Some(Service::new("cart")));
    assert_eq!(service("PXXXXXX", "search"), Some(Service::new("search")));
    assert_eq!(service("PXXXXXX", ""), None);
}

#[test]
fn an_incident_merged_into_another_was_none_of_its_own() {
    let body = delivery("incident.resolved", "2024-03-01T12:30:00Z", "resolved").replace(
        r#""resolve_reason": null"#,
        r#""resolve_reason": {"type": "merge_resolve_reason", "incident": {"id": "PABC123"}}"#,
    );
    assert_eq!(one(&body).1.nature, Nature::Declined);
}

#[test]
fn without_a_priority_the_urgency_is_the_severity() {
    let body = delivery("incident.triggered", "2024-03-01T12:00:00Z", "triggered")
        .replace(r#"{"id": "PSO75BM", "summary": "P1"}"#, "null");
    assert_eq!(one(&body).1.severity, "high");
}

#[test]
fn events_that_say_nothing_of_the_course_are_passed_over() {
    for event_type in [
        "incident.annotated",
        "incident.responder.added",
        "incident.status_update_published",
        "incident.custom_field_values.updated",
        "service.updated",
        "pagey.ping",
        "incident.invented_tomorrow",
    ] {
        let body = format!(
            r#"{{"event": {{"event_type": "{event_type}", "occurred_at": "2024-03-01T12:00:00Z",
            "data": {{"message": "Hello from your friend Pagey!", "type": "ping"}}}}}}"#
        );
        let reading = read(body.as_bytes(), &config()).expect("a delivery");
        assert!(reading.facts.is_empty() && reading.rejects.is_empty(), "{event_type}");
    }
    let late = delivery("incident.priority_updated", "2024-03-01T13:00:00Z", "resolved");
    assert!(read(late.as_bytes(), &config()).expect("a delivery").facts.is_empty());
}

#[test]
fn what_is_no_delivery_says_so() {
    let good = delivery("incident.triggered", "2024-03-01T12:00:00Z", "triggered");
    for (body, words) in [
        ("[]".to_owned(), "no incident: "),
        ("{}".to_owned(), "missing field `event`"),
        (good.replace("occurred_at", "occurred"), "missing field `occurred_at`"),
        (good.replace("created_at", "made_at"), "missing field `created_at`"),
        (good.replace("PGR0VU2\", \"type", " \", \"type"), "an incident needs an id"),
    ] {
        let fault = read(body.as_bytes(), &config()).expect_err(&body).to_string();
        assert!(fault.contains(words), "{fault}");
    }
}

fn sign(secret: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(body);
    let digits = mac
        .finalize()
        .into_bytes()
        .iter()
        .fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
    format!("v1={digits}")
}

#[test]
fn one_signature_of_several_is_enough() {
    let body = delivery("incident.triggered", "2024-03-01T12:00:00Z", "triggered");
    let check = |header: &str| verify(b"secret", Some(header.as_bytes()), body.as_bytes());
    let (good, old) = (sign(b"secret", body.as_bytes()), sign(b"old", body.as_bytes()));
    assert_eq!(check(&good), Ok(()));
    assert_eq!(check(&good.to_uppercase().replace("V1", "v1")), Ok(()));
    assert_eq!(check(&format!("{old},{good}")), Ok(()));
    assert_eq!(check(&format!("v2=abc, {good}, {old}")), Ok(()));
    assert_eq!(check(&format!("v1=zz,{good}")), Ok(()));
    assert_eq!(check(&old), Err(Unproved::Other));
    assert_eq!(check(&format!("v1=zz,{old}")), Err(Unproved::Other));
    assert_eq!(check(&format!("{}{good}", format!("{old},").repeat(15))), Ok(()));
    assert_eq!(check(&format!("{}{good}", format!("{old},").repeat(16))), Err(Unproved::Other));
    for form in ["", ",", "v1=", &good[3..], &good[..good.len() - 1], &good.replace("v1", "v2")] {
        assert_eq!(check(form), Err(Unproved::Form), "{form}");
    }
    assert_eq!(verify(b"secret", None, body.as_bytes()), Err(Unproved::Absent));
    let other = body.replace("P1", "P2");
    assert_eq!(verify(b"secret", Some(good.as_bytes()), other.as_bytes()), Err(Unproved::Other));
    for at in 3..good.len() {
        let mut digits = good.clone().into_bytes();
        digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
        let verdict = verify(b"secret", Some(&digits), body.as_bytes());
        assert_eq!(verdict, Err(Unproved::Other), "digit {at}");
    }
}

/// The course of one incident, the last two steps within one second, which PagerDuty may write
/// whole.
const COURSE: [(&str, &str, &str); 7] = [
    ("incident.triggered", "2024-03-01T12:00:00Z", "triggered"),
    ("incident.acknowledged", "2024-03-01T12:02:00Z", "acknowledged"),
    ("incident.resolved", "2024-03-01T12:30:00Z", "resolved"),
    ("incident.reopened", "2024-03-01T12:40:00Z", "triggered"),
    ("incident.escalated", "2024-03-01T12:45:00Z", "triggered"),
    ("incident.acknowledged", "2024-03-01T13:00:00Z", "acknowledged"),
    ("incident.resolved", "2024-03-01T13:00:00Z", "resolved"),
];

proptest! {
    #[test]
    fn shuffled_and_repeated_deliveries_end_as_the_incident_did(
        order in Just((0..COURSE.len()).collect::<Vec<usize>>()).prop_shuffle(),
        again in prop::collection::vec(0..COURSE.len(), 0..10),
    ) {
        let winner = order
            .into_iter()
            .chain(again)
            .map(|at| {
                let (event_type, occurred_at, status) = COURSE[at];
                let (as_of_ms, incident) = one(&delivery(event_type, occurred_at, status));
                (as_of_ms, serde_json::to_string(&incident).expect("JSON"), incident)
            })
            .max_by_key(|(as_of_ms, json, _)| (*as_of_ms, json.clone()))
            .expect("there were some");
        let end = [Turn { at_ms: BEGAN_MS + 60 * MINUTE_MS, resolved: true }];
        prop_assert_eq!(&winner.2.changes, &end);
    }

    #[test]
    fn no_body_or_header_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        at in any::<prop::sample::Index>(),
        length in 0..20usize,
    ) {
        let mut body =
            delivery("incident.resolved", "2024-03-01T12:30:00Z", "resolved").into_bytes();
        let from = at.index(body.len());
        let to = (from + length).min(body.len());
        body.splice(from..to, bytes.iter().copied());
        let _reading = read(&body, &config());
        let _reading = read(&bytes, &config());
        prop_assert!(verify(b"secret", Some(&bytes), &body).is_err());
    }
}
