//! The rules of Grafana's dashboard linter (github.com/grafana/dashboard-linter), and some of our
//! own, as a table: the linter is a program in another language with no release to install, and it
//! skips the kinds of panels that it does not know.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::promql::{Selector, selectors};

/// A rule yields a sentence for each breach.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) check: fn(&Board<'_>) -> Vec<String>,
}

/// A board and what the rules compare it with.
pub(crate) struct Board<'a> {
    pub(crate) json: &'a Value,
    /// The labels of each metric that is documented.
    pub(crate) metrics: &'a BTreeMap<String, Vec<String>>,
    /// The links that lead somewhere.
    pub(crate) uids: &'a [&'a str],
}

/// Where a rule does not hold, and why that is right. An entry that nothing needs is a fault.
pub(crate) struct Exclusion {
    pub(crate) rule: &'static str,
    /// What a breach's sentence holds.
    pub(crate) about: &'static str,
    pub(crate) reason: &'static str,
}

pub(crate) const EXCLUSIONS: &[Exclusion] = &[
    Exclusion {
        rule: "target-job-rule",
        about: "ALERTS",
        reason: "an alert has the labels of its rule's expression, which sums over jobs",
    },
    Exclusion {
        rule: "target-instance-rule",
        about: "ALERTS",
        reason: "an alert has the labels of its rule's expression, which sums over instances",
    },
];

pub(crate) const RULES: &[Rule] = &[
    Rule { name: "template-datasource-rule", check: template_datasource },
    Rule { name: "template-job-rule", check: |board| template(board, "job", "Job") },
    Rule { name: "template-instance-rule", check: |board| template(board, "instance", "Instance") },
    Rule { name: "template-label-promql-rule", check: template_label_promql },
    Rule { name: "template-on-time-change-reload-rule", check: template_reload },
    Rule { name: "panel-datasource-rule", check: panel_datasource },
    Rule { name: "panel-title-description-rule", check: panel_title_description },
    Rule { name: "panel-units-rule", check: panel_units },
    Rule { name: "panel-no-targets-rule", check: panel_no_targets },
    // There is one language here, so that "target-logql-rule" and "target-logql-auto-rule" come to
    // this, and "target-promql-rule" is promtool's.
    Rule { name: "target-logql-rule", check: target_language },
    Rule { name: "target-rate-interval-rule", check: target_rate_interval },
    Rule { name: "target-job-rule", check: |board| target_matcher(board, "job") },
    Rule { name: "target-instance-rule", check: |board| target_matcher(board, "instance") },
    Rule { name: "target-counter-agg-rule", check: target_counter_agg },
    Rule { name: "uneditable-dashboard", check: uneditable },
    // From here on our own.
    Rule { name: "metrics-exist", check: metrics_exist },
    Rule { name: "labels-exist", check: labels_exist },
    Rule { name: "variables-exist", check: variables_exist },
    Rule { name: "ratios-are-guarded", check: ratios_are_guarded },
    Rule { name: "empty-state", check: empty_state },
    Rule { name: "grid", check: grid },
    Rule { name: "identity", check: identity },
    Rule { name: "links-lead-somewhere", check: links_lead_somewhere },
];

impl<'a> Board<'a> {
    fn variables(&self) -> &'a [Value] {
        array(&self.json["templating"]["list"])
    }

    fn panels(&self) -> impl Iterator<Item = &'a Value> {
        array(&self.json["panels"]).iter().filter(|panel| panel["type"] != "row")
    }

    /// Panels that ask for data.
    fn asking(&self) -> impl Iterator<Item = &'a Value> {
        self.panels().filter(|panel| panel["type"] != "text")
    }

    /// Each panel's title with one of its expressions.
    fn expressions(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.asking().flat_map(|panel| {
            let targets = array(&panel["targets"]).iter();
            targets.map(|target| (text(&panel["title"]), text(&target["expr"])))
        })
    }

    fn selectors(&self) -> impl Iterator<Item = (String, Selector)> {
        let of_panels = self.expressions().map(|(title, expr)| (format!("panel {title}"), expr));
        let markers = array(&self.json["annotations"]["list"]).iter();
        let of_markers = markers
            .map(|marker| (format!("annotation {}", text(&marker["name"])), text(&marker["expr"])));
        of_panels.chain(of_markers).flat_map(|(place, expr)| {
            selectors(expr).into_iter().map(move |selector| (place.clone(), selector))
        })
    }
}

/// Every expression of a board that Prometheus must parse.
pub(crate) fn expressions(json: &Value) -> Vec<String> {
    let nothing = (BTreeMap::new(), Vec::new());
    let board = Board { json, metrics: &nothing.0, uids: &nothing.1 };
    let mut found: Vec<_> = board.expressions().map(|(_, expr)| expr.to_owned()).collect();
    for marker in array(&json["annotations"]["list"]) {
        found.push(text(&marker["expr"]).to_owned());
    }
    for variable in board.variables().iter().filter(|variable| variable["type"] == "query") {
        found.extend(label_values(variable).map(|(selector, _)| selector.to_owned()));
    }
    found
}

fn template_datasource(board: &Board<'_>) -> Vec<String> {
    let sources: Vec<_> =
        board.variables().iter().filter(|variable| variable["type"] == "datasource").collect();
    let is_it = |variable: &Value| {
        variable["name"] == "datasource"
            && variable["label"] == "Data source"
            && variable["query"] == "prometheus"
    };
    match sources[..] {
        [source] if is_it(source) => Vec::new(),
        _ => vec!["there is not one variable of the data source with its usual names".to_owned()],
    }
}

fn template(board: &Board<'_>, name: &str, label: &str) -> Vec<String> {
    let Some(variable) = board.variables().iter().find(|variable| variable["name"] == name) else {
        return vec![format!("variable {name} is missing")];
    };
    let holds = [
        ("its label", variable["label"] == label),
        ("its type", variable["type"] == "query"),
        ("its data source", variable["datasource"]["uid"] == "${datasource}"),
        ("several values", variable["multi"] == true),
        ("all values", variable["allValue"] == ".+"),
    ];
    let broken = holds.iter().filter(|(_, holds)| !holds);
    broken.map(|(what, _)| format!("variable {name}: {what} is not as it should be")).collect()
}

fn template_label_promql(board: &Board<'_>) -> Vec<String> {
    let queries = board.variables().iter().filter(|variable| variable["type"] == "query");
    let broken = queries.filter(|variable| {
        label_values(variable).is_none_or(|(_, label)| label != text(&variable["name"]))
    });
    broken
        .map(|variable| format!("variable {} asks for no label of its name", variable["name"]))
        .collect()
}

/// Selector and label of `label_values(selector, label)`.
fn label_values(variable: &Value) -> Option<(&str, &str)> {
    let inner = text(&variable["query"]).strip_prefix("label_values(")?.strip_suffix(')')?;
    inner.rsplit_once(", ")
}

fn template_reload(board: &Board<'_>) -> Vec<String> {
    let queries = board.variables().iter().filter(|variable| variable["type"] == "query");
    let broken = queries.filter(|variable| variable["refresh"] != 2);
    broken.map(|variable| format!("variable {} is not asked anew", variable["name"])).collect()
}

fn panel_datasource(board: &Board<'_>) -> Vec<String> {
    let is_ours = |value: &Value| {
        value["datasource"]["uid"] == "${datasource}" && value["datasource"]["type"] == "prometheus"
    };
    let broken = board
        .asking()
        .filter(|panel| !is_ours(panel) || !array(&panel["targets"]).iter().all(is_ours));
    broken.map(|panel| format!("panel {} asks another data source", panel["title"])).collect()
}

fn panel_title_description(board: &Board<'_>) -> Vec<String> {
    let mut titles = BTreeMap::new();
    let mut broken = Vec::new();
    for panel in board.panels() {
        let (title, description) = (text(&panel["title"]), text(&panel["description"]));
        if title.is_empty() || !description.ends_with(['.', '?']) {
            broken.push(format!("panel {} lacks a title or a description", panel["id"]));
        }
        if titles.insert((title, text(&panel["type"])), ()).is_some() {
            broken.push(format!("panel {title} stands there twice"));
        }
    }
    broken
}

fn panel_units(board: &Board<'_>) -> Vec<String> {
    let known = |unit: &str| UNITS.contains(&unit);
    let mut broken = Vec::new();
    for panel in board.asking() {
        let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
        let overrides = array(&panel["fieldConfig"]["overrides"]).iter();
        let properties = overrides.flat_map(|one| array(&one["properties"]));
        let further =
            properties.filter(|one| one["id"] == "unit").map(|property| text(&property["value"]));
        for unit in further.chain([unit]) {
            if !known(unit) {
                broken.push(format!("panel {} has the unit {unit:?}", panel["title"]));
            }
        }
    }
    broken
}

/// Of the units that the linter knows, those that we have.
const UNITS: &[&str] = &[
    "short",
    "percentunit",
    "dtdhms",
    "s",
    "reqps",
    "cps",
    "bytes",
    "dateTimeAsIso",
    "dateTimeFromNow",
    "string",
];

fn panel_no_targets(board: &Board<'_>) -> Vec<String> {
    let broken = board.asking().filter(|panel| {
        let targets = array(&panel["targets"]);
        targets.is_empty() || targets.iter().any(|target| text(&target["expr"]).is_empty())
    });
    broken.map(|panel| format!("panel {} asks nothing", panel["title"])).collect()
}

fn target_language(board: &Board<'_>) -> Vec<String> {
    let targets = board.asking().flat_map(|panel| array(&panel["targets"]));
    let foreign = targets.filter(|target| target["datasource"]["type"] != "prometheus");
    foreign.map(|target| format!("{} is not PromQL", target["expr"])).collect()
}

fn target_rate_interval(board: &Board<'_>) -> Vec<String> {
    let rates = board.selectors().filter(|(_, selector)| {
        matches!(selector.function.as_deref(), Some("rate" | "irate"))
            && selector.range.as_deref() != Some("$__rate_interval")
    });
    rates
        .map(|(place, rate)| format!("{place}: rate of {} over a range of its own", rate.metric))
        .collect()
}

fn target_matcher(board: &Board<'_>, label: &str) -> Vec<String> {
    let wanted = (label.to_owned(), "=~".to_owned(), format!("${label}"));
    let broken = board.selectors().filter(|(_, selector)| !selector.matchers.contains(&wanted));
    broken
        .map(|(place, found)| format!("{place}: {} is not asked by {label}", found.metric))
        .collect()
}

fn target_counter_agg(board: &Board<'_>) -> Vec<String> {
    let counters = board.selectors().filter(|(_, selector)| {
        let is_counter =
            selector.metric.ends_with("_total") || selector.metric.ends_with("_bucket");
        let is_grown = matches!(selector.function.as_deref(), Some("rate" | "irate" | "increase"));
        is_counter && !(is_grown && selector.range.is_some())
    });
    counters.map(|(place, found)| format!("{place}: {} is read as a gauge", found.metric)).collect()
}

fn uneditable(board: &Board<'_>) -> Vec<String> {
    let editable = board.json["editable"] != false;
    editable.then(|| "the board can be edited".to_owned()).into_iter().collect()
}

fn metrics_exist(board: &Board<'_>) -> Vec<String> {
    let unknown = board.selectors().filter(|(_, one)| !board.metrics.contains_key(&one.metric));
    unknown.map(|(place, one)| format!("{place}: nothing exports {}", one.metric)).collect()
}

fn labels_exist(board: &Board<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for (place, selector) in board.selectors() {
        let Some(labels) = board.metrics.get(&selector.metric) else { continue };
        for (label, _, _) in &selector.matchers {
            let of_scrape = ["job", "instance", "tenant"].contains(&label.as_str());
            if !of_scrape && !labels.contains(label) {
                broken.push(format!("{place}: {} has no label {label}", selector.metric));
            }
        }
    }
    broken
}

fn variables_exist(board: &Board<'_>) -> Vec<String> {
    let known: Vec<_> = board.variables().iter().map(|variable| text(&variable["name"])).collect();
    let all = board.json.to_string();
    let mut broken = Vec::new();
    for part in all.split('$').skip(1) {
        let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let name = part.trim_start_matches('{').split(end).next().unwrap_or_default();
        if !name.starts_with("__") && !known.contains(&name) {
            broken.push(format!("there is no variable {name}"));
        }
    }
    broken
}

/// A division by what may be 0 yields NaN, which Grafana shows as a value.
fn ratios_are_guarded(board: &Board<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for (title, expr) in board.expressions() {
        for (at, _) in expr.match_indices(" / ") {
            let divisor = &expr[at + 3..];
            let divisor = match divisor.strip_prefix("on (") {
                Some(rest) => rest.split_once(')').map_or(rest, |(_, behind)| behind.trim_start()),
                None => divisor,
            };
            let is_number = divisor.starts_with(|c: char| c.is_ascii_digit());
            let is_range = divisor.starts_with("($__range_s");
            // 1 - objective: an objective of 1 has no budget, and is refused where it is declared.
            let is_budget = divisor.starts_with("(1 - max");
            // A count of series is empty where there are none, and never 0.
            let is_count = divisor.starts_with("count(");
            let inner = divisor.strip_prefix('(').map(until_closed);
            let is_guarded = inner
                .and_then(|inner| inner.rsplit_once(" > "))
                .is_some_and(|(_, limit)| limit.chars().all(|c| c.is_ascii_digit()));
            if !(is_number || is_range || is_budget || is_count || is_guarded) {
                broken.push(format!("panel {title} divides by {divisor}"));
            }
        }
        if expr.contains("histogram_quantile") && !expr.ends_with(">= 0") {
            broken.push(format!("panel {title} shows the NaN of an idle histogram"));
        }
    }
    broken
}

/// What stands before the parenthesis that closes an open one.
fn until_closed(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

fn empty_state(board: &Board<'_>) -> Vec<String> {
    let words = |panel: &Value| text(&panel["fieldConfig"]["defaults"]["noValue"]).to_owned();
    let broken = board.asking().filter(|panel| words(panel).len() < 4 || words(panel) == "No data");
    broken.map(|panel| format!("panel {} does not say what is missing", panel["title"])).collect()
}

/// No two panels share a place, none leaves the grid, and every row is full.
fn grid(board: &Board<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut rows: BTreeMap<u64, u64> = BTreeMap::new();
    let mut bottom = 0;
    for panel in array(&board.json["panels"]) {
        let side = |key: &str| panel["gridPos"][key].as_u64().expect("a place is numbers");
        let (x, y, w, h) = (side("x"), side("y"), side("w"), side("h"));
        let filled = rows.entry(y).or_insert(0);
        if x != *filled || (x == 0 && y != bottom) || w < 4 {
            broken.push(format!("panel {} has no good place", panel["title"]));
        }
        *filled += w;
        bottom = bottom.max(y + h);
    }
    for (y, width) in rows {
        if width != 24 {
            broken.push(format!("the row at {y} is {width} columns wide"));
        }
    }
    broken
}

fn identity(board: &Board<'_>) -> Vec<String> {
    let uid = text(&board.json["uid"]);
    let ids: Vec<_> = array(&board.json["panels"]).iter().map(|panel| &panel["id"]).collect();
    let numbered = ids.iter().zip(1_u64..).all(|(id, place)| **id == place);
    let holds = [
        ("a stable uid of 8 to 40 characters", (8..=40).contains(&uid.len())),
        ("no id", board.json.get("id").is_none()),
        ("version 39", board.json["schemaVersion"] == 39),
        ("the tag of all boards", board.json["tags"] == serde_json::json!(["redora"])),
        ("a question", text(&board.json["description"]).ends_with('?')),
        ("a time to begin with", text(&board.json["time"]["from"]).starts_with("now-")),
        ("a refresh", !text(&board.json["refresh"]).is_empty()),
        ("a time zone", board.json["timezone"] == "browser"),
        ("a menu of the others", board.json["links"][0]["tags"] == board.json["tags"]),
        ("numbered panels", numbered),
        ("few panels", ids.len() <= 24),
    ];
    let broken = holds.iter().filter(|(_, holds)| !holds);
    broken.map(|(what, _)| format!("the board does not have {what}")).collect()
}

fn links_lead_somewhere(board: &Board<'_>) -> Vec<String> {
    let all = board.json.to_string();
    let linked = all.split("\"/d/").skip(1).filter_map(|rest| rest.split('?').next());
    let dead = linked.filter(|uid| !board.uids.contains(uid));
    dead.map(|uid| format!("a link leads to {uid}, which is no board")).collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
