//! The alerts of the rule files once more, for Grafana's own alerting: provisioning files, because
//! Grafana evaluates no rule of Prometheus and Prometheus none of Grafana's. What the expressions
//! read is recorded by Prometheus in either case.
//!
//! Format: Grafana's file provisioning, version 1. Where a file is read, `$NAME` becomes a variable
//! of the environment in every field but annotations and the models of queries, so `$` is doubled
//! in labels alone. Groups are evaluated in multiples of ten seconds, and a title is unique in its
//! folder.

mod notify;

use std::collections::BTreeMap;

use crate::dashboard::{self, PROMETHEUS};
use crate::rules::slo::BURN;
use crate::rules::{Alert, Group, Links, RuleFile, words};
use crate::yaml::Yaml;

pub use notify::text as notify;

/// Grafana's own folder for the rules. Boards have another: one folder that both kinds of
/// provisioning create is there twice.
const FOLDER: &str = "redora alerts";
/// The data source of expressions over answers of others.
const EXPRESSION: &str = "__expr__";
/// Grafana's scheduler ticks so often.
const TICK_SECONDS: u64 = 10;

/// The text of `grafana/rules.yaml`.
#[must_use]
pub fn rules(files: &[RuleFile], links: &Links) -> String {
    let mut titles = Titles::default();
    let groups = files.iter().flat_map(|file| &file.groups);
    let groups = groups.filter_map(|one| group(one, &mut titles, links)).collect();
    Yaml::map([("apiVersion", Yaml::bare("1")), ("groups", Yaml::List(groups))]).document(COMMENT)
}

/// The group's alerts; none where it only records.
fn group(group: &Group, titles: &mut Titles, links: &Links) -> Option<Yaml> {
    let every_seconds = (seconds(group.interval) / TICK_SECONDS).max(1) * TICK_SECONDS;
    let rules: Vec<_> =
        group.alerts().map(|alert| rule(alert, every_seconds, titles.of(alert), links)).collect();
    let words = [
        ("orgId", Yaml::bare("1")),
        ("name", Yaml::text(group.name.to_owned())),
        ("folder", Yaml::text(FOLDER)),
        ("interval", Yaml::bare(format!("{every_seconds}s"))),
    ];
    (!rules.is_empty()).then(|| Yaml::map(words.into_iter().chain([("rules", Yaml::List(rules))])))
}

/// Titles given so far, each with how often it was asked for.
#[derive(Default)]
struct Titles(BTreeMap<String, u32>);

impl Titles {
    /// The alert's name, the labels that tell it from others of that name, and where they do not a
    /// number.
    fn of(&mut self, alert: &Alert) -> String {
        let mut title = alert.name.to_owned();
        for (_, value) in &alert.labels {
            title.push(' ');
            title.push_str(value);
        }
        let times = self.0.entry(title.clone()).or_default();
        *times += 1;
        if *times > 1 { format!("{title} {times}") } else { title }
    }
}

fn rule(alert: &Alert, every_seconds: u64, title: String, links: &Links) -> Yaml {
    let mut pairs = vec![
        ("uid", Yaml::text(uid(&title))),
        ("title", Yaml::text(title)),
        ("condition", Yaml::text("C")),
        ("data", Yaml::List(vec![query(&alert.expr), is_there(), condition()])),
    ];
    let panel = panel(alert);
    if let Some(id) = panel {
        pairs.push(("dashboardUid", Yaml::text(alert.board.uid)));
        pairs.push(("panelId", Yaml::bare(id.to_string())));
    }
    // An expression without an answer is an alert at rest, as in Prometheus, and `absent` makes an
    // answer of what is not there.
    pairs.push(("noDataState", Yaml::bare("OK")));
    // That nobody can be asked is told by one alert instead of by all of them.
    let unasked = if alert.name == "RedoraAbsent" { "Alerting" } else { "OK" };
    pairs.push(("execErrState", Yaml::bare(unasked)));
    pairs.push(("for", Yaml::bare(alert.wait)));
    // A series that goes while others stay is not a condition that is over: it has a patience of
    // its own, in evaluations.
    let mut patience = 1;
    if let Some(keep) = alert.keep {
        pairs.push(("keepFiringFor", Yaml::bare(keep)));
        patience = (seconds(keep) / every_seconds).max(1);
    }
    pairs.push(("missing_series_evals_to_resolve", Yaml::bare(patience.to_string())));
    pairs.push(("annotations", words(&annotations(alert, panel, links))));
    let labels = alert.every_label().into_iter().map(|(key, text)| (key, text.replace('$', "$$")));
    pairs.push(("labels", words(&labels.collect::<Vec<_>>())));
    pairs.push(("isPaused", Yaml::bare("false")));
    Yaml::map(pairs)
}

/// The title in the letters that Grafana takes for a uid: `redora-slo-burn-1h`.
fn uid(title: &str) -> String {
    let mut uid = String::new();
    for one in title.chars() {
        if (one.is_ascii_uppercase() || one == ' ') && !uid.is_empty() {
            uid.push('-');
        }
        if one != ' ' {
            uid.push(one.to_ascii_lowercase());
        }
    }
    uid
}

/// What Prometheus is asked, of one moment.
fn query(expr: &str) -> Yaml {
    step(
        "A",
        600,
        PROMETHEUS,
        "prometheus",
        vec![
            ("editorMode", Yaml::text("code")),
            ("expr", Yaml::text(expr)),
            ("instant", Yaml::bare("true")),
            ("range", Yaml::bare("false")),
        ],
    )
}

/// 1 for each answer, whatever its number: an alert on "none at all" answers with 0.
fn is_there() -> Yaml {
    step(
        "B",
        0,
        EXPRESSION,
        EXPRESSION,
        vec![
            ("type", Yaml::text("math")),
            ("expression", Yaml::text("is_number($A) || is_nan($A) || is_inf($A)")),
        ],
    )
}

/// Each answer is an alert.
fn condition() -> Yaml {
    let above =
        Yaml::map([("type", Yaml::text("gt")), ("params", Yaml::List(vec![Yaml::bare("0")]))]);
    step(
        "C",
        0,
        EXPRESSION,
        EXPRESSION,
        vec![
            ("type", Yaml::text("threshold")),
            ("expression", Yaml::text("B")),
            ("conditions", Yaml::List(vec![Yaml::map([("evaluator", above)])])),
        ],
    )
}

/// One query or expression of a rule; `from_seconds` is how far back it may look.
fn step(
    letter: &str,
    from_seconds: u64,
    source: &str,
    kind: &str,
    model: Vec<(&'static str, Yaml)>,
) -> Yaml {
    let datasource = Yaml::map([("type", Yaml::text(kind)), ("uid", Yaml::text(source))]);
    let first = [("refId", Yaml::text(letter)), ("datasource", datasource)];
    Yaml::map([
        ("refId", Yaml::text(letter)),
        (
            "relativeTimeRange",
            Yaml::map([("from", Yaml::bare(from_seconds.to_string())), ("to", Yaml::bare("0"))]),
        ),
        ("datasourceUid", Yaml::text(source)),
        ("model", Yaml::map(first.into_iter().chain(model))),
    ])
}

/// Prometheus' templates but for the number, which Grafana's `$value` has only among words.
fn annotations(alert: &Alert, panel: Option<u64>, links: &Links) -> Vec<(&'static str, String)> {
    let texts = alert.annotations(links);
    let mut texts =
        texts.map(|(key, text)| (key, text.replace("$value", "$values.A.Value"))).to_vec();
    if let Some(id) = panel {
        texts.push(("__dashboardUid__", alert.board.uid.to_owned()));
        texts.push(("__panelId__", id.to_string()));
    }
    texts
}

/// The panel that draws what the alert is about.
fn panel(alert: &Alert) -> Option<u64> {
    let is_tier = |name: &str| alert.labels.iter().any(|(_, value)| value == name);
    let title = match alert.name {
        BURN if is_tier("1h") => "Burn over an hour",
        BURN => "Burn over six hours",
        "RedoraSloBudgetExhausted" => "Budget left",
        "RedoraErrorRatio" => "Errors by operation",
        "RedoraTrafficDrop" => "Rate",
        "RedoraLatencyAfterDeployment" => "Duration",
        "RedoraSourceStale" | "RedoraSourceUnread" => "Age of sources",
        "RedoraSourceRejects" | "RedoraSourceGaps" => "Sources of delivery",
        "RedoraChangeFailureRatio" => "Change failure rate",
        "RedoraDeploymentFrequency" => "Deployments of the day before",
        "RedoraLeadTime" => "Lead time for changes",
        "RedoraWatchdog" | "RedoraAbsent" | "RedoraDown" => "Agents up",
        "RedoraReloadFailed" => "Stale configurations",
        "RedoraRefused" => "Refused requests",
        "RedoraDurationsDropped" => "Taken in",
        "RedoraSeriesOverflow" => "Series held",
        _ => return None,
    };
    dashboard::panel_id(alert.board.uid, title)
}

/// A duration of a rule, of one unit.
fn seconds(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: u64 = number.parse().expect("a rule's duration is a number and a unit");
    number
        * match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => unreachable!("a rule's duration is of seconds, minutes, hours or days"),
        }
}

const COMMENT: &str = "\
The alerts of alerts/rules for Grafana's own alerting. Written by `redora render`; do not edit.
Put it into Grafana's provisioning/alerting. Prometheus must load alerts/rules as well: these rules
ask for what those record. Let one of the two notify, see docs/alerts.md.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_the_title_in_small_letters() {
        assert_eq!(uid("RedoraSloBurn 1h"), "redora-slo-burn-1h");
        assert_eq!(uid("RedoraDown"), "redora-down");
    }

    #[test]
    fn alerts_of_one_name_have_titles_of_their_own() {
        let mut titles = Titles::default();
        let files = [crate::rules::slo::file(), crate::rules::slo::file()];
        let given: Vec<_> =
            files.iter().flat_map(RuleFile::alerts).map(|alert| titles.of(alert)).collect();
        let tiers = ["1h", "6h", "1d", "3d"].map(|tier| format!("RedoraSloBurn {tier}"));
        assert_eq!(given[..4], tiers);
        assert_eq!(given[5..9], tiers.map(|title| format!("{title} 2")));
        assert_eq!(uid(&given[9]), "redora-slo-budget-exhausted-budget-2");
    }

    #[test]
    fn durations_are_seconds() {
        let all = ["0s", "15s", "2m", "6h", "1d"].map(seconds);
        assert_eq!(all, [0, 15, 120, 21_600, 86_400]);
    }
}
