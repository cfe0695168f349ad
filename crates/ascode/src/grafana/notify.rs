//! Contact points and notification policies for Grafana's own alerting: the routes of
//! `alertmanager.yml` in Grafana's words. Inhibitions are missing, because no Grafana before 13 has
//! them: instead all alerts of one objective are one notification to each who is told.

use crate::yaml::Yaml;

/// The text of `grafana/notify.yaml`.
#[must_use]
pub fn text() -> String {
    Yaml::map([
        ("apiVersion", Yaml::bare("1")),
        ("contactPoints", Yaml::List(contact_points())),
        ("policies", Yaml::List(vec![policy()])),
    ])
    .document(COMMENT)
}

fn contact_points() -> Vec<Yaml> {
    let webhook = |url: &str| [("url", Yaml::text(url)), ("httpMethod", Yaml::text("POST"))];
    let pager = [
        ("integrationKey", Yaml::text("$__file{/etc/grafana/pagerduty-routing-key}")),
        ("severity", Yaml::text("critical")),
        ("summary", Yaml::text("{{ .CommonAnnotations.summary }}")),
    ];
    let point = |name: &str, kind: &str, settings: Yaml| {
        let receiver = Yaml::map([
            ("uid", Yaml::text(format!("redora-{name}"))),
            ("type", Yaml::text(kind)),
            ("settings", settings),
        ]);
        Yaml::map([
            ("orgId", Yaml::bare("1")),
            ("name", Yaml::text(name)),
            ("receivers", Yaml::List(vec![receiver])),
        ])
    };
    let redora = "http://127.0.0.1:9464/webhooks/alertmanager";
    vec![
        point("pager", "pagerduty", Yaml::map(pager)),
        point("redora", "webhook", Yaml::map(webhook(redora))),
        point("tickets", "webhook", Yaml::map(webhook("http://127.0.0.1:8080/tickets"))),
        point("watchdog", "webhook", Yaml::map(webhook("http://127.0.0.1:8080/watchdog"))),
    ]
}

fn policy() -> Yaml {
    let to = |matchers: &[[&str; 3]], receiver: &str| {
        let matchers = matchers.iter().map(|words| Yaml::texts(*words)).collect();
        vec![("receiver", Yaml::text(receiver)), ("object_matchers", Yaml::List(matchers))]
    };
    let mut watchdog = to(&[["alertname", "=", "RedoraWatchdog"]], "watchdog");
    watchdog.push(("group_wait", Yaml::text("0s")));
    watchdog.push(("group_interval", Yaml::text("1m")));
    watchdog.push(("repeat_interval", Yaml::text("5m")));
    // redora hears of a page as an incident, and the pager hears of it too.
    let mut incidents = to(&[["severity", "=", "page"], ["service", "!=", ""]], "redora");
    incidents.push(("group_wait", Yaml::text("0s")));
    incidents.push(("continue", Yaml::bare("true")));
    let routes = [watchdog, incidents, to(&[["severity", "=", "page"]], "pager")];
    Yaml::map([
        ("orgId", Yaml::bare("1")),
        ("receiver", Yaml::text("tickets")),
        ("group_by", Yaml::texts(["service", "slo"])),
        ("group_wait", Yaml::text("30s")),
        ("group_interval", Yaml::text("5m")),
        ("repeat_interval", Yaml::text("4h")),
        ("routes", Yaml::List(routes.into_iter().map(Yaml::map).collect())),
    ])
}

const COMMENT: &str = "\
Where alerts of Grafana's own alerting go. Written by `redora render` as an example: copy it and put
your own contact points in. It replaces all notification policies of the organization.
Contact points: `pager` reads PagerDuty's key from a file, without which Grafana does not start;
`redora` makes an incident of every page (`delivery.incidents: [{alertmanager: true}]`); `watchdog`
is for a service that calls you when the heartbeat stops; `tickets` takes what can wait.";
