//! Writes `dashboards/` from the builder and fails when it had to, so that what users copy is what
//! was reviewed; holds every board against the rules of Grafana's linter; and has Prometheus' own
//! tool parse every expression.

#[path = "dashboards/lint.rs"]
mod lint;
#[path = "dashboards/planted.rs"]
mod planted;
#[path = "dashboards/promql.rs"]
mod promql;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use redora_ascode::dashboard::{dashboards, provisioning};

use crate::lint::{Board, EXCLUSIONS, Exclusion, RULES, expressions};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards")
}

#[test]
fn the_committed_files_are_the_rendered_ones() {
    let folder = folder();
    let mut wanted = dashboards();
    let below = |(path, text)| (format!("provisioning/{path}"), text);
    wanted.extend(provisioning().into_iter().map(below));
    let mut stale = Vec::new();
    for (path, text) in &wanted {
        let file = folder.join(path);
        if std::fs::read_to_string(&file).unwrap_or_default() != *text {
            std::fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("writable");
            std::fs::write(&file, text).expect("dashboards/ is writable");
            stale.push(path.clone());
        }
    }
    let entries = std::fs::read_dir(&folder).expect("the folder is readable");
    let names = entries.map(|entry| entry.expect("the folder is readable").file_name());
    let mut found: Vec<_> = names.filter_map(|name| name.into_string().ok()).collect();
    found.retain(|name| name.ends_with(".json") && !wanted.iter().any(|(path, _)| path == name));
    assert!(found.is_empty(), "delete what no board renders: {found:?}");
    assert!(stale.is_empty(), "out of date and written anew, commit them: {stale:?}");
}

#[test]
fn every_rule_holds_on_every_board() {
    let metrics = metrics();
    let boards = boards();
    let uids: Vec<_> = boards.iter().filter_map(|(_, json)| json["uid"].as_str()).collect();
    let mut broken = Vec::new();
    let mut needed = vec![false; EXCLUSIONS.len()];
    for (file, json) in &boards {
        for (rule, fault) in faults(json, &metrics, &uids) {
            let is_it = |one: &Exclusion| one.rule == rule && fault.contains(one.about);
            match EXCLUSIONS.iter().position(is_it) {
                Some(place) => needed[place] = true,
                None => broken.push(format!("{file}: {rule}: {fault}")),
            }
        }
    }
    for (exclusion, needed) in EXCLUSIONS.iter().zip(needed) {
        assert!(needed && !exclusion.reason.is_empty(), "{} needs no exclusion", exclusion.rule);
    }
    assert!(broken.is_empty(), "{} faults:\n{}", broken.len(), broken.join("\n"));
}

/// What the rules find, each with the rule's name.
fn faults(
    json: &serde_json::Value,
    metrics: &BTreeMap<String, Vec<String>>,
    uids: &[&str],
) -> Vec<(&'static str, String)> {
    let board = Board { json, metrics, uids };
    let found = RULES
        .iter()
        .flat_map(|rule| (rule.check)(&board).into_iter().map(move |fault| (rule.name, fault)));
    found.collect()
}

#[test]
fn the_page_about_dashboards_has_them_all() {
    let page = folder().join("../docs/dashboards.md");
    let page = std::fs::read_to_string(page).expect("docs/dashboards.md is there");
    let rows = boards().into_iter().map(|(file, json)| {
        let text = |key: &str| json[key].as_str().expect("it is text").to_owned();
        format!("| [{}](../dashboards/{file}) | {} |", text("title"), text("description"))
    });
    let rows = rows.collect::<Vec<_>>().join("\n");
    assert!(page.contains(&rows), "docs/dashboards.md should hold these rows:\n{rows}");
}

#[test]
fn every_expression_is_promql() {
    let mut rules = String::from("groups:\n- name: dashboards\n  rules:\n");
    let mut count = 0;
    for (_, json) in boards() {
        for expr in expressions(&json) {
            count += 1;
            let expr = serde_json::Value::from(as_grafana_sends_it(&expr));
            writeln!(rules, "  - record: expression:{count}\n    expr: {expr}").expect("it fits");
        }
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboards.rules.yaml");
    std::fs::write(&file, rules).expect("the folder is writable");
    let run = Command::new("promtool").args(["check", "rules"]).arg(&file).output();
    let run = run.expect("promtool is on PATH: ./test install brings it");
    let said =
        String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    assert!(said.contains(&format!("SUCCESS: {count} rules found")), "{said}");
}

/// The expression with values for its variables.
fn as_grafana_sends_it(expr: &str) -> String {
    let values = [
        ("$__rate_interval", "1m"),
        ("$__range_s", "21600"),
        ("$__range", "6h"),
        ("$__from", "1700000000000"),
    ];
    values.iter().fold(expr.to_owned(), |expr, (name, value)| expr.replace(name, value))
}

fn boards() -> Vec<(String, serde_json::Value)> {
    let parse = |(file, text): (String, String)| {
        let json = serde_json::from_str(&text).expect("a board is JSON");
        (file, json)
    };
    dashboards().into_iter().map(parse).collect()
}

/// Every metric that a panel may name, with its labels: those of the page about metrics, and those
/// of others that are listed here.
fn metrics() -> BTreeMap<String, Vec<String>> {
    let page = folder().join("../docs/metrics.md");
    let page = std::fs::read_to_string(page).expect("docs/metrics.md is there");
    let mut metrics = BTreeMap::new();
    for row in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [name, kind, labels, ..] = cells[..] else { panic!("{row} is no row") };
        let name = name.trim_end_matches('`');
        let labels: Vec<_> = labels.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        if kind == "histogram" {
            let bucket = [&labels[..], &["le".to_owned()]].concat();
            metrics.insert(format!("{name}_bucket"), bucket);
        }
        metrics.insert(name.to_owned(), labels);
    }
    assert!(metrics.len() > 30, "docs/metrics.md has lost its tables");
    for (name, labels) in FOREIGN {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let before = metrics.insert((*name).to_owned(), labels);
        assert!(before.is_none(), "{name} is documented by now: delete it from the list");
    }
    metrics
}

/// Metrics that redora does not document, with the labels that boards may ask for: those of
/// Prometheus and Alertmanager, and those of objectives until the agent counts them.
const FOREIGN: &[(&str, &[&str])] = &[
    ("up", &[]),
    ("ALERTS", &["alertname", "alertstate", "severity", "service"]),
    ("alertmanager_alerts", &["state"]),
    ("alertmanager_notifications_failed_total", &["integration"]),
    ("alertmanager_notifications_total", &["integration"]),
    ("alertmanager_silences", &["state"]),
    ("redora_slo_error_budget_remaining_ratio", &["service", "slo"]),
    ("redora_slo_events_total", &["service", "slo", "outcome"]),
    ("redora_slo_objective_ratio", &["service", "slo"]),
    ("redora_slo_window_seconds", &["service", "slo"]),
];
