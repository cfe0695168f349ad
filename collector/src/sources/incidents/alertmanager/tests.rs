//! Notifications in the shapes that Alertmanager's and Grafana's documentation give.

use proptest::prelude::*;
use redora_model::fact::{Incident, What};
use redora_model::identity::{Environment, Service};

use super::*;

fn config() -> Config {
    Config::new(Origin {
        source: "alertmanager:main".to_owned(),
        service: Some(Service::new("platform")),
        environment: None,
    })
}

fn incident(fact: &Fact) -> &Incident {
    let What::Incident(incident) = &fact.what else { panic!("{fact:?}") };
    incident
}

fn notification(alerts: &[String]) -> String {
    format!(
        r#"{{"version": "4", "groupKey": "{{}}:{{alertname=\"HighErrors\"}}", "truncatedAlerts": 2,
        "status": "firing", "receiver": "redora", "groupLabels": {{"alertname": "HighErrors"}},
        "commonLabels": {{}}, "commonAnnotations": {{}},
        "externalURL": "http://alerts.example:9093", "alerts": [{}]}}"#,
        alerts.join(",")
    )
}

/// An alert that began `started` seconds into the day; `ended` of 0 is one that fires.
fn alert(fingerprint: &str, started: i64, ended: i64) -> String {
    let at = |seconds: i64| {
        format!("2024-03-01T{:02}:{:02}:{:02}.5Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
    };
    let (status, end) = match ended {
        0 => ("firing", "0001-01-01T00:00:00Z".to_owned()),
        _ => ("resolved", at(ended)),
    };
    format!(
        r#"{{"status": "{status}", "labels": {{"alertname": "HighErrors", "service": "shop",
        "environment": "production", "severity": "page"}},
        "annotations": {{"summary": "Too many errors"}}, "startsAt": "{}", "endsAt": "{end}",
        "generatorURL": "http://prometheus.example/graph", "fingerprint": "{fingerprint}"}}"#,
        at(started)
    )
}

const DAY_MS: i64 = 1_709_251_200_500;

#[test]
fn each_alert_of_a_group_is_an_incident_by_its_fingerprint_and_beginning() {
    let body = notification(&[alert("c0ffee", 60, 0), alert("beef", 30, 90)]);
    let reading = read(body.as_bytes(), &config()).expect("a notification");
    assert_eq!((reading.rejects.len(), reading.left_out), (0, 2));
    let [firing, resolved] = reading.facts.as_slice() else { panic!("{reading:?}") };
    assert_eq!(firing.id, format!("c0ffee/{}", DAY_MS + 60_000));
    assert_eq!(firing.as_of_ms, DAY_MS + 60_000);
    let expected = Incident {
        service: Some(Service::new("shop")),
        environment: Some(Environment::new("production")),
        title: "Too many errors".to_owned(),
        severity: "page".to_owned(),
        nature: Nature::Disruption,
        started_ms: DAY_MS + 60_000,
        changes: Vec::new(),
        deployment: None,
        url: "http://prometheus.example/graph".to_owned(),
    };
    assert_eq!(incident(firing), &expected);
    assert_eq!(resolved.as_of_ms, DAY_MS + 90_000);
    let end = [Turn { at_ms: DAY_MS + 90_000, resolved: true }];
    assert_eq!(incident(resolved).changes, end);
}

#[test]
fn labels_say_which_service_and_that_it_is_no_failure() {
    let read_one = |labels: &str, config: &Config| {
        let alert = format!(
            r#"{{"status": "firing", "labels": {{{labels}}}, "startsAt": "2024-03-01T12:00:00+01:00",
            "fingerprint": "f"}}"#
        );
        read(notification(&[alert]).as_bytes(), config).expect("a notification").facts.remove(0)
    };
    let fact = read_one(r#""alertname": "Watchdog", "severity": "none""#, &config());
    assert_eq!(incident(&fact).service, Some(Service::new("platform")), "as configured");
    assert_eq!(incident(&fact).title, "Watchdog");
    assert_eq!(incident(&fact).nature, Nature::Declined);
    for (kind, nature) in [
        ("maintenance", Nature::Maintenance),
        ("drill", Nature::Drill),
        ("declined", Nature::Declined),
        ("other", Nature::Disruption),
    ] {
        let fact = read_one(&format!(r#""kind": "{kind}""#), &config());
        assert_eq!(incident(&fact).nature, nature, "{kind}");
    }
    let config = Config {
        service_label: "job".to_owned(),
        environment_label: "cluster".to_owned(),
        severity_label: "priority".to_owned(),
        ..config()
    };
    let labels = r#""job": "cart", "cluster": "eu", "priority": "P1", "service": "other""#;
    let fact = read_one(labels, &config);
    let incident = incident(&fact);
    assert_eq!(incident.service, Some(Service::new("cart")));
    assert_eq!(incident.environment, Some(Environment::new("eu")));
    assert_eq!(incident.severity, "P1");
}

#[test]
fn an_end_that_a_slow_clock_puts_before_the_beginning_is_still_the_later_word() {
    let body = notification(&[alert("f", 60, 59), alert("f", 60, 0)]);
    let reading = read(body.as_bytes(), &config()).expect("a notification");
    let [resolved, firing] = reading.facts.as_slice() else { panic!("{reading:?}") };
    assert_eq!(resolved.id, firing.id);
    assert!(resolved.as_of_ms > firing.as_of_ms);
}

#[test]
fn a_bad_alert_is_set_aside_and_the_others_go_on() {
    let good = alert("f", 60, 0);
    let bad = [
        (good.replace(r#""f""#, r#"" ""#), "an incident needs an id"),
        (good.replace("firing", "pending"), "no incident: unknown variant `pending`"),
        (good.replace("firing", "resolved"), "the incident is over, but"),
        (good.replace("startsAt", "startedAt"), "no incident: missing field `startsAt`"),
        ("7".to_owned(), "no incident: invalid type"),
    ];
    let mut alerts: Vec<String> = bad.iter().map(|(alert, _)| alert.clone()).collect();
    alerts.push(good);
    let reading = read(notification(&alerts).as_bytes(), &config()).expect("a notification");
    assert_eq!((reading.facts.len(), reading.rejects.len()), (1, bad.len()));
    for ((number, reject), (_, words)) in (1..).zip(&reading.rejects).zip(&bad) {
        assert_eq!(reject.number, number);
        assert!(reject.fault.to_string().starts_with(words), "{reject}");
    }
}

#[test]
fn what_is_no_notification_of_a_known_version_says_so() {
    for (body, words) in [
        ("", "no incident: EOF"),
        (r#"{"alerts": []}"#, "missing field `version`"),
        (r#"{"version": "3", "alerts": []}"#, "the payload is of version `3`"),
        (r#"{"version": "1", "alerts": []}"#, "the payload is of version `1`"),
        (r#"{"version": "2", "orgId": 1, "alerts": []}"#, "the payload is of version `2`"),
        (r#"{"version": "4"}"#, "missing field `alerts`"),
    ] {
        let fault = read(body.as_bytes(), &config()).expect_err(body).to_string();
        assert!(fault.contains(words), "{fault}");
    }
}

/// The body that Grafana's documentation of its webhook shows, with labels of our rules.
#[test]
fn grafana_says_the_same_in_its_version_1() {
    let alert = |status: &str, end: &str| {
        format!(
            r#"{{"status": "{status}", "labels": {{"alertname": "RedoraSloBurn 1h",
            "burn_tier": "1h", "grafana_folder": "redora alerts", "service": "shop",
            "severity": "page"}}, "annotations": {{"summary": "shop spends its error budget"}},
            "startsAt": "2021-10-12T09:51:03.157076+02:00", "endsAt": "{end}",
            "generatorURL": "https://grafana.example/alerting/1afz29v7z/edit",
            "fingerprint": "c6eadffa33fcdf37", "silenceURL": "https://grafana.example/silence",
            "dashboardURL": "", "panelURL": "", "values": {{"A": 44.239, "C": 1}}}}"#
        )
    };
    let body = |alert: String| {
        format!(
            r#"{{"receiver": "redora", "status": "firing", "orgId": 1, "alerts": [{alert}],
            "groupLabels": {{}}, "commonLabels": {{"team": "blue"}}, "commonAnnotations": {{}},
            "externalURL": "https://grafana.example/", "version": "1", "groupKey": "{{}}:{{}}",
            "truncatedAlerts": 0, "title": "[FIRING:1]", "state": "alerting",
            "message": "**Firing**"}}"#
        )
    };
    let told = |body: String| read(body.as_bytes(), &config()).expect("a notification").facts;
    let firing = told(body(alert("firing", "0001-01-01T00:00:00Z")));
    let resolved = told(body(alert("resolved", "2021-10-12T10:01:03.157076+02:00")));
    let ([firing], [resolved]) = (&firing[..], &resolved[..]) else { panic!("one each") };
    assert_eq!(firing.id, resolved.id);
    assert_eq!(incident(firing).service, Some(Service::new("shop")));
    assert_eq!(incident(firing).title, "shop spends its error budget");
    let end = [Turn { at_ms: firing.as_of_ms + 600_000, resolved: true }];
    assert_eq!(incident(resolved).changes, end);
}

proptest! {
    #[test]
    fn shuffled_and_repeated_notifications_end_in_the_same_facts(
        alerts in prop::collection::vec((0..3u8, 0..4i64, 0..6i64), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        // An alert has one end, which is not before its beginning; until then it fires.
        let told: Vec<String> = alerts
            .iter()
            .flat_map(|&(fingerprint, started, lasted)| {
                let name = format!("f{fingerprint}");
                [0, started + lasted + 1].map(|ended| alert(&name, started, ended))
            })
            .collect();
        let straight = winners(std::slice::from_ref(&told));
        let mut deliveries: Vec<Vec<String>> =
            order.iter().map(|at| vec![at.get(&told).clone()]).collect();
        deliveries.extend(told.iter().rev().map(|alert| vec![alert.clone()]));
        prop_assert_eq!(winners(&deliveries), straight);
    }

    #[test]
    fn no_body_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        at in any::<prop::sample::Index>(),
        length in 0..20usize,
    ) {
        let mut body = notification(&[alert("f", 60, 90)]).into_bytes();
        let from = at.index(body.len());
        let to = (from + length).min(body.len());
        body.splice(from..to, bytes.iter().copied());
        let _reading = read(&body, &config());
        let _reading = read(&bytes, &config());
    }
}

/// What holds after deliveries of such alerts.
fn winners(deliveries: &[Vec<String>]) -> BTreeMap<String, (i64, String)> {
    let mut winners = BTreeMap::new();
    for delivery in deliveries {
        let reading = read(notification(delivery).as_bytes(), &config()).expect("a notification");
        assert!(reading.rejects.is_empty(), "{:?}", reading.rejects);
        for fact in reading.facts {
            let version = (fact.as_of_ms, serde_json::to_string(&fact).expect("JSON"));
            let held = winners.entry(fact.id).or_insert_with(|| version.clone());
            *held = version.max(held.clone());
        }
    }
    winners
}
