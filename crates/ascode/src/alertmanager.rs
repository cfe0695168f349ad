//! An Alertmanager configuration to start from: routes by severity, receivers as examples, and what
//! silences what. Without the last, one outage is a page and four tickets.

use redora_model::slo::TIERS;

use crate::yaml::Yaml;

/// The text of `alertmanager.yml`.
#[must_use]
pub fn text() -> String {
    Yaml::map([
        ("route", route()),
        ("receivers", receivers()),
        ("inhibit_rules", Yaml::List(inhibitions())),
    ])
    .document(COMMENT)
}

fn route() -> Yaml {
    let to = |matchers: &[&str], receiver: &str| {
        vec![
            ("matchers", Yaml::texts(matchers.iter().copied())),
            ("receiver", Yaml::text(receiver)),
        ]
    };
    // redora hears of a page as an incident, and the pager hears of it too.
    let mut incidents = to(&[r#"severity="page""#, r#"service!="""#], "redora");
    incidents.push(("group_wait", Yaml::bare("0s")));
    incidents.push(("continue", Yaml::bare("true")));
    let mut watchdog = to(&[r#"alertname="RedoraWatchdog""#], "watchdog");
    watchdog.push(("group_wait", Yaml::bare("0s")));
    watchdog.push(("group_interval", Yaml::bare("1m")));
    watchdog.push(("repeat_interval", Yaml::bare("5m")));
    let routes = [watchdog, incidents, to(&[r#"severity="page""#], "pager")];
    Yaml::map([
        ("receiver", Yaml::text("tickets")),
        ("group_by", Yaml::texts(["alertname", "service", "slo"])),
        ("group_wait", Yaml::bare("30s")),
        ("group_interval", Yaml::bare("5m")),
        ("repeat_interval", Yaml::bare("4h")),
        ("routes", Yaml::List(routes.into_iter().map(Yaml::map).collect())),
    ])
}

fn receivers() -> Yaml {
    let webhook = |url: &str| {
        let words = [("url", Yaml::text(url)), ("send_resolved", Yaml::bare("true"))];
        ("webhook_configs", Yaml::List(vec![Yaml::map(words)]))
    };
    let pager = Yaml::map([
        ("routing_key_file", Yaml::text("/etc/alertmanager/pagerduty-routing-key")),
        ("severity", Yaml::text("critical")),
        ("description", Yaml::text("{{ .CommonAnnotations.summary }}")),
        (
            "details",
            Yaml::map([
                ("description", Yaml::text("{{ .CommonAnnotations.description }}")),
                ("runbook", Yaml::text("{{ .CommonAnnotations.runbook_url }}")),
                ("dashboard", Yaml::text("{{ .CommonAnnotations.dashboard_url }}")),
            ]),
        ),
    ]);
    let receiver = |name, config| Yaml::map([("name", Yaml::text(name)), config]);
    Yaml::List(vec![
        receiver("pager", ("pagerduty_configs", Yaml::List(vec![pager]))),
        receiver("redora", webhook("http://127.0.0.1:9464/webhooks/alertmanager")),
        receiver("tickets", webhook("http://127.0.0.1:8080/tickets")),
        receiver("watchdog", webhook("http://127.0.0.1:8080/watchdog")),
    ])
}

/// A fast tier over the slower ones, a page over a ticket, an objective over what has none. A burn
/// is known by its tier, because in Grafana's own alerting its name differs with it.
fn inhibitions() -> Vec<Yaml> {
    let mut rules = Vec::new();
    for (at, tier) in TIERS.iter().enumerate() {
        let mut slower: Vec<_> = TIERS[at + 1..].iter().map(|tier| tier.long.name).collect();
        slower.push("budget");
        rules.push(inhibit(
            &[format!("burn_tier=\"{}\"", tier.long.name)],
            &[format!("burn_tier=~\"{}\"", slower.join("|"))],
            &["service", "slo"],
        ));
    }
    // Labels that neither alert has are equal too, hence the demand for an objective.
    rules.push(inhibit(
        &[r#"severity="page""#.to_owned(), r#"slo!="""#.to_owned()],
        &[r#"severity="ticket""#.to_owned(), r#"slo!="""#.to_owned()],
        &["service", "slo"],
    ));
    rules.push(inhibit(
        &[r#"burn_tier!="""#.to_owned(), r#"severity="page""#.to_owned()],
        &[r#"alertname=~"RedoraErrorRatio|RedoraLatencyAfterDeployment""#.to_owned()],
        &["service"],
    ));
    rules.push(inhibit(
        &[r#"alertname="RedoraSourceUnread""#.to_owned()],
        &[r#"alertname="RedoraSourceGaps""#.to_owned()],
        &["job", "instance", "source"],
    ));
    rules
}

fn inhibit(source: &[String], target: &[String], equal: &[&str]) -> Yaml {
    Yaml::map([
        ("source_matchers", Yaml::texts(source)),
        ("target_matchers", Yaml::texts(target)),
        ("equal", Yaml::texts(equal.iter().copied())),
    ])
}

const COMMENT: &str = "\
Where alerts go and which of them silence which. Written by `redora render` as an example: copy it,
put your own receivers in, keep the inhibitions.
Receivers: `pager` reads PagerDuty's routing key from a file; `redora` makes an incident of every
page (`delivery.incidents: [{alertmanager: true}]`); `watchdog` is for a service that calls you when
the heartbeat stops; `tickets` takes what can wait.";
