//! Pages in the shape of Statuspage's public interface, and lines in that of a scraped history.

use proptest::prelude::*;
use redora_model::fact::{Incident, Turn, What};

use super::*;

fn config() -> Config {
    Config {
        origin: Origin { source: "statuspage:shop".to_owned(), service: None, environment: None },
        none_is_disruption: false,
        services: BTreeMap::from([("Checkout API".to_owned(), Service::new("checkout"))]),
    }
}

fn incident(fact: &Fact) -> &Incident {
    let What::Incident(incident) = &fact.what else { panic!("{fact:?}") };
    incident
}

fn ms(text: &str) -> i64 {
    let Moment(ms) = serde_json::from_value(Value::String(text.to_owned())).expect("a time");
    ms
}

const PAGE: &str = r#"{
  "page": {"id": "y2j98763l56x", "name": "Shop", "url": "https://status.shop.example",
           "time_zone": "Etc/UTC", "updated_at": "2024-03-02T10:00:00.000Z"},
  "incidents": [
    {"id": "p31zjtct2jer", "name": "Checkout fails", "status": "postmortem", "impact": "major",
     "created_at": "2024-03-01T12:04:00.120Z", "started_at": "2024-03-01T12:00:00.000Z",
     "updated_at": "2024-03-02T09:00:00.500Z", "monitoring_at": null,
     "resolved_at": "2024-03-01T14:00:00.000Z", "shortlink": "https://stspg.example/p31z",
     "components": [{"id": "a", "name": "Website", "status": "operational"},
                    {"id": "b", "name": "Checkout API", "status": "operational"}],
     "incident_updates": [
       {"id": "6", "status": "postmortem", "body": "…", "created_at": "2024-03-02T09:00:00.500Z"},
       {"id": "5", "status": "resolved", "body": "…", "created_at": "2024-03-01T14:20:00.000Z",
        "display_at": "2024-03-01T14:00:00.000Z"},
       {"id": "4", "status": "investigating", "body": "…", "created_at": "2024-03-01T13:10:00.000Z"},
       {"id": "3", "status": "resolved", "body": "…", "created_at": "2024-03-01T12:40:00.000Z"},
       {"id": "2", "status": "identified", "body": "…", "created_at": "2024-03-01T12:10:00.000Z"},
       {"id": "1", "status": "investigating", "body": "…", "created_at": "2024-03-01T12:04:00.120Z"}
     ]},
    {"id": "broken", "name": "No times", "impact": "minor", "incident_updates": []},
    {"id": "open", "name": "Search slow", "status": "monitoring", "impact": "minor",
     "created_at": "2024-03-02T08:00:00.000Z", "resolved_at": null, "components": [],
     "incident_updates": [{"status": "monitoring", "created_at": "2024-03-02T08:30:00.000Z"}]}
  ]}"#;

#[test]
fn a_page_is_read_incident_by_incident() {
    let reading = read(PAGE.as_bytes(), &config()).expect("a page");
    let ids: Vec<&str> = reading.facts.iter().map(|fact| fact.id.as_str()).collect();
    assert_eq!(ids, ["p31zjtct2jer", "open"]);
    let rejects: Vec<String> = reading.rejects.iter().map(ToString::to_string).collect();
    assert_eq!(rejects, ["2: an incident needs the time when it started"]);

    let fact = &reading.facts[0];
    assert_eq!(fact.as_of_ms, ms("2024-03-02T09:00:00.5Z"), "the version is the page's own");
    let turn = |at: &str, resolved| Turn { at_ms: ms(at), resolved };
    let expected = Incident {
        service: Some(Service::new("checkout")),
        environment: None,
        title: "Checkout fails".to_owned(),
        severity: "major".to_owned(),
        nature: Nature::Disruption,
        started_ms: ms("2024-03-01T12:00:00Z"),
        changes: vec![
            turn("2024-03-01T12:40:00Z", true),
            turn("2024-03-01T13:10:00Z", false),
            turn("2024-03-01T14:00:00Z", true),
        ],
        deployment: None,
        url: "https://stspg.example/p31z".to_owned(),
    };
    assert_eq!(incident(fact), &expected);
    assert_eq!(incident(&reading.facts[1]).changes, []);
    assert_eq!(incident(&reading.facts[1]).started_ms, ms("2024-03-02T08:00:00Z"));
}

#[test]
fn planned_work_that_is_moved_to_an_earlier_day_is_a_later_version() {
    let maintenance = |scheduled: &str, updated: &str| {
        let body = format!(
            r#"{{"scheduled_maintenances": [{{"id": "m", "name": "Upgrade", "impact": "maintenance",
                "status": "scheduled", "created_at": "2024-03-01T09:00:00Z",
                "updated_at": "{updated}", "scheduled_for": "{scheduled}",
                "scheduled_until": "2024-04-01T00:00:00Z", "incident_updates":
                [{{"status": "scheduled", "created_at": "2024-03-01T09:00:00Z"}}]}}]}}"#
        );
        read(body.as_bytes(), &config()).expect("a page").facts.remove(0)
    };
    let planned = maintenance("2024-03-20T00:00:00Z", "2024-03-01T09:00:00Z");
    let moved = maintenance("2024-03-10T00:00:00Z", "2024-03-02T09:00:00Z");
    assert!(moved.as_of_ms > planned.as_of_ms);
    assert_eq!(incident(&moved).nature, Nature::Maintenance);
    assert_eq!(incident(&moved).started_ms, ms("2024-03-10T00:00:00Z"));
}

#[test]
fn a_line_of_a_scraped_history_is_an_incident() {
    let text = r#"{"id": "9632825", "title": "Search is down", "url": "https://status.example/1",
        "impact": "minor", "started_at": "2022-03-26T01:43:00Z",
        "resolved_at": "2022-03-26T03:35:00Z", "updates": [
        {"at": "2022-03-26T01:43:00Z", "status": "Investigating"},
        {"at": "2022-03-26T02:20:00Z", "status": "Update"},
        {"at": "2022-03-26T03:35:00Z", "status": "Resolved"}]}"#;
    let fact = line(text.as_bytes(), &config()).expect("an incident");
    assert_eq!(fact.as_of_ms, ms("2022-03-26T03:35:00.001Z"), "later than the open version");
    let turns = [Turn { at_ms: ms("2022-03-26T03:35:00Z"), resolved: true }];
    assert_eq!(incident(&fact).changes, turns);
    assert_eq!(incident(&fact).title, "Search is down");
}

#[test]
fn impact_says_what_an_incident_is() {
    let nature = |impact: &str, none_is_disruption| {
        let text = format!(r#"{{"id": "1", "started_at": 1709294400, "impact": {impact}}}"#);
        let config = Config { none_is_disruption, ..config() };
        incident(&line(text.as_bytes(), &config).expect("an incident")).nature
    };
    for impact in [r#""minor""#, r#""major""#, r#""critical""#, "null"] {
        assert_eq!(nature(impact, false), Nature::Disruption, "{impact}");
    }
    assert_eq!(nature(r#""maintenance""#, true), Nature::Maintenance);
    assert_eq!(nature(r#""none""#, false), Nature::Declined);
    assert_eq!(nature(r#""none""#, true), Nature::Disruption);
}

#[test]
fn what_is_no_page_says_so() {
    for (body, words) in [
        ("<html>503</html>", "no incident: expected value"),
        ("{}", "missing field `incidents`"),
        (r#"{"incidents": {}}"#, "expected a sequence"),
    ] {
        let fault = read(body.as_bytes(), &config()).expect_err(body).to_string();
        assert!(fault.contains(words), "{fault}");
    }
    let many = format!(r#"{{"incidents": [0{}]}}"#, ",0".repeat(super::super::ELEMENTS_MAX));
    let fault = read(many.as_bytes(), &config()).expect_err("too many").to_string();
    assert!(fault.starts_with("10001 incidents in one payload; send at most 10000"), "{fault}");
}

proptest! {
    #[test]
    fn no_body_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        at in any::<prop::sample::Index>(),
        length in 0..20usize,
    ) {
        let mut body = PAGE.as_bytes().to_vec();
        let from = at.index(body.len());
        let to = (from + length).min(body.len());
        body.splice(from..to, bytes.iter().copied());
        let _reading = read(&body, &config());
        let _reading = read(&bytes, &config());
    }

    #[test]
    fn the_order_of_updates_does_not_matter(
        order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let mut page: Value = serde_json::from_str(PAGE).expect("JSON");
        let updates = page["incidents"][0]["incident_updates"].as_array_mut().expect("an array");
        *updates = order.iter().map(|at| updates[*at].clone()).collect();
        let shuffled = read(page.to_string().as_bytes(), &config()).expect("a page");
        let straight = read(PAGE.as_bytes(), &config()).expect("a page");
        prop_assert_eq!(shuffled.facts, straight.facts);
    }
}
