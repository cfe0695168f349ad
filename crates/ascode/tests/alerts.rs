//! Writes `alerts/` anew and fails when it had to, and holds runbooks, metric names and templates
//! to what the rules say: rendered files that are kept by hand drift from their source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use redora_ascode::alerts;
use redora_ascode::rules::{Alert, Links, Rule, RuleFile, objectives};
use redora_model::identity::Service;
use redora_model::slo::{Goal, Queried, Queries, Query, Template, Tiers};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn every_alert() -> Vec<Alert> {
    alerts::rule_files()
        .iter()
        .flat_map(|file| file.alerts().cloned().collect::<Vec<_>>())
        .collect()
}

fn queried(service: &str, name: &str, queries: Queries) -> Queried {
    Queried {
        name: name.to_owned(),
        service: Service::new(service),
        queries,
        goal: Goal::parse("99.9%").expect("a goal"),
        window_s: 30 * 86_400,
        tiers: Tiers::ALL,
        team: String::new(),
        runbook: String::new(),
    }
}

/// Rules of objectives over metrics of others, one of each sort.
fn of_others() -> RuleFile {
    let query = |text| Query::parse(text).expect("a query");
    let ratio = Template::parse("a[{{.window}}]").expect("a window");
    let queries = [
        Queries::Bad { total: query("a"), bad: query("b") },
        Queries::Good { total: query("a"), good: query("rate(b[{{.window}}]) + 1") },
        Queries::BadRatio(ratio),
    ];
    let objectives = queries.map(|queries| queried("shop", &format!("{queries:?}"), queries));
    objectives::file(&objectives).expect("there are some")
}

#[test]
fn groups_of_objectives_have_names_of_their_own() {
    let bad = || Queries::BadRatio(Template::parse("a[{{.window}}]").unwrap());
    let names = [("a/b", "c"), ("a", "b/c"), ("a\\", "/b"), ("a\\/", "b"), ("a", "b")];
    let objectives = names.map(|(service, name)| queried(service, name, bad()));
    let file = objectives::file(&objectives).unwrap();
    let groups: BTreeSet<_> = file.groups.iter().map(|group| &group.name).collect();
    assert_eq!(groups.len(), file.groups.len(), "{groups:?}");
    assert!(objectives::file(&[]).is_none());
}

#[test]
fn the_committed_alerts_are_the_rendered_ones() {
    let folder = root().join("alerts");
    let mut stale = Vec::new();
    for (name, text) in alerts::files(&Links::default(), &[]) {
        let path = folder.join(&name);
        if std::fs::read_to_string(&path).unwrap_or_default() != text {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "{stale:?} were out of date and have been written anew; commit them");
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let alerts: BTreeSet<_> = every_alert().iter().map(|alert| alert.name.to_owned()).collect();
    let folder = std::fs::read_dir(root().join("docs/runbooks")).unwrap();
    let runbooks = folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .map(|name| name.strip_suffix(".md").expect("a runbook is Markdown").to_owned());
    assert_eq!(runbooks.collect::<BTreeSet<_>>(), alerts);
}

#[test]
fn every_runbook_says_what_it_means_how_to_confirm_and_what_to_do() {
    let index = std::fs::read_to_string(root().join("docs/runbooks/README.md")).unwrap();
    for alert in every_alert() {
        let path = root().join(format!("docs/runbooks/{}.md", alert.name));
        let text = std::fs::read_to_string(path).unwrap();
        // A single # further down is a comment of a query.
        let sections = text.lines().skip(1).filter(|line| line.starts_with("## "));
        let heads: Vec<_> = text.lines().take(1).chain(sections).collect();
        let title = format!("# {}", alert.name);
        let wanted = [title.as_str(), "## What it means", "## How to confirm", "## What to do"];
        assert_eq!(heads, wanted, "{}", alert.name);
        assert!(text.contains("```promql\n"), "{} confirms nothing", alert.name);
        assert!(index.contains(&format!("]({}.md)", alert.name)), "{} is not listed", alert.name);
    }
}

#[test]
fn every_alert_speaks_of_itself() {
    for alert in every_alert() {
        assert!(!alert.summary.is_empty() && !alert.summary.ends_with('.'), "{}", alert.name);
        assert!(alert.description.ends_with('.'), "{}", alert.name);
        assert!(!alert.name.is_empty() && !alert.board.uid.is_empty(), "{}", alert.name);
    }
}

/// A rule over a metric that nobody exposes is silent for ever.
#[test]
fn every_metric_of_a_rule_is_exposed_or_recorded() {
    let page = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let files: Vec<_> = alerts::rule_files().into_iter().chain([of_others()]).collect();
    let rules = || files.iter().flat_map(|file| &file.groups).flat_map(|group| &group.rules);
    let recorded: BTreeSet<_> = rules()
        .filter_map(|rule| match rule {
            Rule::Record(record) => Some(record.name),
            Rule::Alert(_) => None,
        })
        .collect();
    for rule in rules() {
        let expr = match rule {
            Rule::Record(record) => &record.expr,
            Rule::Alert(alert) => &alert.expr,
        };
        for name in names(expr) {
            let bare = name.strip_suffix("_bucket").unwrap_or(name);
            let known = recorded.contains(name) || page.contains(&format!("| `{bare}` |"));
            assert!(known, "{name} is in no page of metrics, in:\n{expr}");
        }
    }
}

/// Words of an expression that begin as our metrics do.
fn names(expr: &str) -> impl Iterator<Item = &str> {
    expr.split(|one: char| !one.is_ascii_alphanumeric() && one != '_' && one != ':')
        .filter(|word| word.starts_with("redora_") || word.starts_with("redora:"))
}

#[test]
fn links_lead_where_the_parameters_say() {
    let links = Links {
        runbooks: "https://runbooks.example".to_owned(),
        dashboards: "https://grafana.example".to_owned(),
    };
    let files = alerts::files(&links, &[]);
    let text = |name: &str| &files.iter().find(|(file, _)| file == name).unwrap().1;
    let slo = text("rules/slo.yaml");
    assert!(slo.contains(
        "runbook_url: \"{{ if $labels.runbook }}{{ $labels.runbook }}{{ else }}\
         https://runbooks.example/RedoraSloBurn.md{{ end }}\""
    ));
    assert!(slo.contains(
        "dashboard_url: \"https://grafana.example/d/redora-slo?\
         var-service={{ $labels.service | urlquery }}&var-slo={{ $labels.slo | urlquery }}\""
    ));
    for (name, text) in &files {
        assert!(!text.contains("localhost:3000") && !text.contains("docs/runbooks"), "{name}");
    }
}
