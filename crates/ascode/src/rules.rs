//! Prometheus rule files as types: what every alert must carry is a field here, so that an alert
//! without a runbook does not compile. A template of YAML text would let it through.

pub mod agent;
pub mod dora;
pub mod objectives;
pub mod red;
pub mod slo;

use std::fmt;

use crate::yaml::Yaml;

/// One file of rules.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// The file's name, without its folder.
    pub name: &'static str,
    /// What stands at its top as a comment.
    pub comment: &'static str,
    /// Groups, each evaluated on its own.
    pub groups: Vec<Group>,
}

/// Rules that are evaluated one after the other, at the same moment.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name, unique in the file.
    pub name: String,
    /// How often it is evaluated, as Prometheus writes it.
    pub interval: &'static str,
    /// The rules in their order; a later one sees what an earlier one recorded.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Clone, Debug)]
pub enum Rule {
    /// A new series from an expression.
    Record(Record),
    /// An alert while an expression has results.
    Alert(Alert),
}

/// A recording rule.
#[derive(Clone, Debug)]
pub struct Record {
    /// The series' name, `level:metric:operation`.
    pub name: &'static str,
    /// What is recorded.
    pub expr: String,
    /// Labels that the series gets.
    pub labels: Vec<(&'static str, String)>,
}

/// An alerting rule.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its name, which is that of its runbook as well.
    pub name: &'static str,
    /// It fires for each result.
    pub expr: String,
    /// How long the condition must hold.
    pub wait: &'static str,
    /// How long it goes on firing when the condition is over.
    pub keep: Option<&'static str>,
    /// Who is to act, and how fast.
    pub severity: Severity,
    /// Labels beside the severity.
    pub labels: Vec<(&'static str, String)>,
    /// One line for a notification.
    pub summary: &'static str,
    /// What happens, with its numbers.
    pub description: &'static str,
    /// Where to look.
    pub board: Board,
    /// The label that holds an address of a runbook of the user's own, where one may be set.
    pub runbook_label: Option<&'static str>,
}

/// What an alert asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Wake someone.
    Page,
    /// Look at it in working hours.
    Ticket,
    /// Nothing: a sign of life.
    None,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
            Self::None => "none",
        })
    }
}

/// A dashboard with the variables that narrow it to the alert.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    /// The dashboard's uid.
    pub uid: &'static str,
    /// Labels of the alert that are variables of the dashboard.
    pub variables: &'static [&'static str],
}

/// Where annotations lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// The folder of the runbooks as an address, without a slash at its end.
    pub runbooks: String,
    /// Grafana's address, without a slash at its end.
    pub dashboards: String,
}

impl Default for Links {
    /// Paths that a reader of the repository can follow, and Grafana on its own port.
    fn default() -> Self {
        Self {
            runbooks: "docs/runbooks".to_owned(),
            dashboards: "http://localhost:3000".to_owned(),
        }
    }
}

impl RuleFile {
    /// The file's text.
    #[must_use]
    pub fn to_yaml(&self, links: &Links) -> String {
        let groups = self.groups.iter().map(|group| group.yaml(links)).collect();
        Yaml::map([("groups", Yaml::List(groups))]).document(self.comment)
    }

    /// Every alert of the file.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.groups.iter().flat_map(Group::alerts)
    }
}

impl Group {
    /// Every alert of the group.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.rules.iter().filter_map(|rule| match rule {
            Rule::Alert(alert) => Some(alert),
            Rule::Record(_) => None,
        })
    }

    fn yaml(&self, links: &Links) -> Yaml {
        let rules = self.rules.iter().map(|rule| match rule {
            Rule::Record(record) => record.yaml(),
            Rule::Alert(alert) => alert.yaml(links),
        });
        let is_plain = |one: char| one.is_ascii_alphanumeric() || one == '-';
        let name = match self.name.chars().all(is_plain) {
            true => Yaml::bare(self.name.as_str()),
            false => Yaml::text(self.name.as_str()),
        };
        Yaml::map([
            ("name", name),
            ("interval", Yaml::bare(self.interval)),
            ("rules", Yaml::List(rules.collect())),
        ])
    }
}

impl Record {
    fn yaml(&self) -> Yaml {
        let mut pairs =
            vec![("record", Yaml::bare(self.name)), ("expr", Yaml::text(self.expr.as_str()))];
        if !self.labels.is_empty() {
            pairs.push(("labels", words(&self.labels)));
        }
        Yaml::map(pairs)
    }
}

impl Alert {
    fn yaml(&self, links: &Links) -> Yaml {
        let mut pairs =
            vec![("alert", Yaml::bare(self.name)), ("expr", Yaml::text(self.expr.as_str()))];
        if self.wait != "0s" {
            pairs.push(("for", Yaml::bare(self.wait)));
        }
        if let Some(keep) = self.keep {
            pairs.push(("keep_firing_for", Yaml::bare(keep)));
        }
        pairs.push(("labels", words(&self.every_label())));
        pairs.push(("annotations", words(&self.annotations(links))));
        Yaml::map(pairs)
    }

    /// The labels that the rule gives, the severity first.
    pub(crate) fn every_label(&self) -> Vec<(&'static str, String)> {
        let severity = ("severity", self.severity.to_string());
        [severity].into_iter().chain(self.labels.iter().cloned()).collect()
    }

    /// What a notification says, as templates of Prometheus.
    pub(crate) fn annotations(&self, links: &Links) -> [(&'static str, String); 4] {
        [
            ("summary", self.summary.to_owned()),
            ("description", self.description.to_owned()),
            ("runbook_url", self.runbook_url(links)),
            ("dashboard_url", self.dashboard_url(links)),
        ]
    }

    fn runbook_url(&self, links: &Links) -> String {
        let ours = format!("{}/{}.md", links.runbooks, self.name);
        match self.runbook_label {
            Some(label) => format!(
                "{{{{ if $labels.{label} }}}}{{{{ $labels.{label} }}}}\
                 {{{{ else }}}}{ours}{{{{ end }}}}"
            ),
            None => ours,
        }
    }

    fn dashboard_url(&self, links: &Links) -> String {
        let mut url = format!("{}/d/{}", links.dashboards, self.board.uid);
        for (at, label) in self.board.variables.iter().enumerate() {
            let sign = if at == 0 { '?' } else { '&' };
            url.push_str(&format!("{sign}var-{label}={{{{ $labels.{label} | urlquery }}}}"));
        }
        url
    }
}

/// Keys and texts.
pub(crate) fn words(pairs: &[(&'static str, String)]) -> Yaml {
    Yaml::map(pairs.iter().map(|(key, value)| (*key, Yaml::text(value.as_str()))))
}

/// An expression whose lines are indented with the code that writes it.
fn expr(text: &str) -> String {
    let lines: Vec<_> = text.lines().skip_while(|line| line.trim().is_empty()).collect();
    let blank = |line: &&str| line.len() - line.trim_start().len();
    let margin = lines.iter().filter(|line| !line.trim().is_empty()).map(blank).min().unwrap_or(0);
    let cut = |line: &&str| line.get(margin..).unwrap_or("").trim_end().to_owned();
    lines.iter().map(cut).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}
