//! Bodies of scripts: redora's own record, and those written for Apache DevLake's webhook.

use proptest::prelude::*;
use redora_model::fact::{Incident, Nature, Turn, What};
use redora_model::identity::{Environment, Service};

use super::*;

fn origin() -> Origin {
    Origin {
        source: "hook:incidents".to_owned(),
        service: Some(Service::new("shop")),
        environment: Some(Environment::new("production")),
    }
}

#[track_caller]
fn facts(body: &str) -> Vec<(String, i64, Incident)> {
    let reading = read(body.as_bytes(), &origin()).expect("a body");
    assert!(reading.rejects.is_empty(), "{:?}", reading.rejects);
    let parts = |fact: Fact| match fact.what {
        What::Incident(incident) => (fact.id, fact.as_of_ms, incident),
        other => panic!("{other:?}"),
    };
    reading.facts.into_iter().map(parts).collect()
}

const BEGAN_MS: i64 = 1_709_294_400_000;

#[test]
fn a_body_is_a_record_or_several() {
    let one = r#"{"id": 17, "started_at": 1709294400, "service": "cart", "kind": "drill"}"#;
    let [(id, as_of_ms, incident)] = facts(one).try_into().expect("one");
    assert_eq!((id.as_str(), as_of_ms), ("17", BEGAN_MS));
    assert_eq!(incident.service, Some(Service::new("cart")));
    assert_eq!(incident.environment, Some(Environment::new("production")));
    assert_eq!(incident.nature, Nature::Drill);
    assert_eq!(facts("[]"), []);
    assert_eq!(facts(&format!("[{one}, {one}]")).len(), 2);
}

/// A body for DevLake's webhook, with `rest` of its keys.
fn issue(rest: &str) -> String {
    format!(
        r#"{{"url": "https://tracker.example/DLK-1234", "issueKey": "DLK-1234",
        "title": "Checkout fails", "description": "…", "originalStatus": "whatever",
        "createdDate": "2024-03-01T12:00:00+00:00", "leadTimeMinutes": 30, "creatorId": "u1",
        "storyPoint": 0, "priority": "P0"{rest}}}"#
    )
}

#[test]
fn a_body_for_devlake_is_read_as_it_is() {
    let open = Incident {
        service: Some(Service::new("cart")),
        environment: Some(Environment::new("production")),
        title: "Checkout fails".to_owned(),
        severity: "S1".to_owned(),
        nature: Nature::Disruption,
        started_ms: BEGAN_MS,
        changes: Vec::new(),
        deployment: None,
        url: "https://tracker.example/DLK-1234".to_owned(),
    };
    let rest = r#", "type": "INCIDENT", "severity": "S1", "component": "cart""#;
    let key = "DLK-1234".to_owned();
    let todo = issue(&format!(r#"{rest}, "status": "TODO""#));
    assert_eq!(facts(&todo), [(key.clone(), BEGAN_MS, open.clone())]);

    let end_ms = BEGAN_MS + 30 * 60_000;
    let over = Incident { changes: vec![Turn { at_ms: end_ms, resolved: true }], ..open.clone() };
    let resolution = r#""resolutionDate": "2024-03-01T13:30:00+01:00""#;
    let done = issue(&format!(r#"{rest}, "status": "DONE", {resolution}"#));
    assert_eq!(facts(&done), [(key.clone(), end_ms + 1, over)]);

    // Open again: the resolution of then is not believed against the status.
    let again = r#""status": "IN_PROGRESS", "updatedDate": "2024-03-01T12:40:00Z""#;
    let reopened = issue(&format!("{rest}, {again}, {resolution}"));
    assert_eq!(facts(&reopened), [(key, BEGAN_MS + 40 * 60_000, open)]);
}

#[test]
fn a_body_for_devlake_may_leave_out_what_it_likes() {
    let [(_, _, incident)] = facts(&issue(r#", "severity": """#)).try_into().expect("one");
    assert_eq!((incident.severity.as_str(), incident.changes.len()), ("P0", 0));
    let [(_, _, incident)] =
        facts(&issue(r#", "resolutionDate": "2024-03-01T12:30:00Z""#)).try_into().expect("one");
    assert_eq!(incident.changes.len(), 1, "a resolution without a status is one");
    let updated = r#", "status": "done", "updatedDate": "2024-03-01T12:30:00Z""#;
    let [(_, _, incident)] = facts(&issue(updated)).try_into().expect("one");
    assert_eq!(incident.changes, [Turn { at_ms: BEGAN_MS + 30 * 60_000, resolved: true }]);
    assert_eq!(facts(&issue(r#", "type": "REQUIREMENT""#)), [], "no incident");
}

#[test]
fn a_bad_element_is_set_aside_by_its_number() {
    let body = format!(
        r#"[{{"id": "a", "started_at": 1}}, 7, {{"id": "b", "started_at": 1, "ended": 2}},
        {}, {}, {{"id": "c", "started_at": 2}}]"#,
        issue(r#", "status": "DONE""#),
        issue("").replace("createdDate", "creationDate"),
    );
    let reading = read(body.as_bytes(), &origin()).expect("a body");
    assert_eq!(reading.facts.len(), 2);
    let rejects: Vec<String> = reading.rejects.iter().map(ToString::to_string).collect();
    for (reject, expected) in rejects.iter().zip([
        "2: no incident: invalid type",
        "3: no incident: unknown field `ended`",
        "4: the incident is over, but",
        "5: no incident: missing field `createdDate`",
    ]) {
        assert!(reject.starts_with(expected), "{reject}");
    }
    assert_eq!(rejects.len(), 4, "{rejects:?}");
    assert!(read(b"no JSON", &origin()).is_err());
    let many = format!("[0{}]", ",0".repeat(super::super::ELEMENTS_MAX));
    assert!(matches!(read(many.as_bytes(), &origin()), Err(Fault::TooMany { count: 10_001 })));
}

proptest! {
    #[test]
    fn no_body_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        at in any::<prop::sample::Index>(),
        length in 0..20usize,
    ) {
        let mut body = issue(r#", "status": "DONE", "updatedDate": 1709294400"#).into_bytes();
        let from = at.index(body.len());
        let to = (from + length).min(body.len());
        body.splice(from..to, bytes.iter().copied());
        let _reading = read(&body, &origin());
        let _reading = read(&bytes, &origin());
    }
}
