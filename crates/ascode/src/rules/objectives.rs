//! Rules for objectives over metrics of others: what an agent would have counted and said of them
//! is recorded under the names that it would have used, so that the constant file of rules and the
//! boards serve them as they serve its own. A second set of alerts would drift from the first.
//!
//! - Each objective has three groups, so that hundreds are evaluated side by side. Within a group a
//!   rule sees what the one before it recorded. Rules of `slo.yaml` may see it half a minute late,
//!   which is far within the five minutes for which Prometheus shows a value.
//! - Events are counted here up to six hours. What follows from the counts, which are burn rates
//!   and the counts of days, `slo.yaml` records of every objective that has some. The budget is
//!   what the recorded half hours of its window leave.
//! - A counter that is born with its first error is nothing that `increase` sees. Of selectors the
//!   first value is therefore recorded beside it (`redora:slo_first_events:sum`).
//! - A share without counts says nothing of how many events failed. In place of the guard of three
//!   bad events its alerts, which stand here, want it to be bad for longer than two moments of
//!   failure can make it look.

use redora_model::slo::{
    BURN_WINDOWS, BurnWindow, Queried, Queries, Query, Severity as Asked, Template,
};

use super::slo::{alerts, spent};
use super::{Group, Record, Rule, RuleFile, Severity};

/// Rules of these objectives; where there are none, there is no file.
#[must_use]
pub fn file(objectives: &[Queried]) -> Option<RuleFile> {
    let mut groups: Vec<_> =
        objectives.iter().flat_map(|queried| Of::new(queried).groups()).collect();
    if objectives.iter().any(|one| matches!(one.queries, Queries::BadRatio(_))) {
        groups.extend(uncounted());
    }
    (!groups.is_empty()).then_some(RuleFile { name: FILE, comment: COMMENT, groups })
}

/// The alerts on shares of bad events, which are the same whatever objectives there are.
#[must_use]
pub fn shares() -> RuleFile {
    RuleFile { name: FILE, comment: COMMENT, groups: uncounted().into() }
}

/// Whether a text starts as [`file`] does.
#[must_use]
pub fn is_rendered(start: &str) -> bool {
    let title = COMMENT.lines().next().expect("the comment has lines");
    start.strip_prefix("# ").is_some_and(|start| start.starts_with(title))
}

/// Where the file stands below `alerts/`.
pub const PATH: &str = "rules/objectives.yaml";

/// One objective, and what its rules say of it.
struct Of<'a> {
    queried: &'a Queried,
    /// Matchers of its recorded series, with a comma after each.
    matchers: String,
    /// What of all events may be bad, as PromQL writes it.
    budget: String,
}

/// What differs between objectives that are counted and those that are not.
struct Parts {
    page: Vec<Rule>,
    ticket: Vec<Rule>,
    /// How much of the budget is left.
    remaining: String,
}

/// A selector of counters, and which events it finds.
#[derive(Clone, Copy)]
struct Counter<'a> {
    of: &'static str,
    selector: &'a str,
}

impl<'a> Of<'a> {
    fn new(queried: &'a Queried) -> Self {
        let (service, slo) = (quoted(queried.service.as_str()), quoted(&queried.name));
        Self {
            queried,
            matchers: format!("service={service},slo={slo},"),
            budget: queried.goal.budget().to_string(),
        }
    }

    fn groups(&self) -> [Group; 3] {
        let Queried { service, name, queries, .. } = self.queried;
        let parts = match queries {
            Queries::Bad { total, bad } => self.counted(total, ("bad", bad)),
            Queries::Good { total, good } => self.counted(total, ("good", good)),
            Queries::BadRatio(ratio) => self.shared(ratio),
        };
        let page = self.settings().into_iter().chain(parts.page).collect();
        let remaining = self.gauge("redora_slo_error_budget_remaining_ratio", parts.remaining, []);
        let rates = format!("{BURN_RATE}{{{}}}", self.matchers.trim_end_matches(','));
        let rates = self.gauge("redora_slo_burn_rate", rates, []);
        let ticket = parts.ticket.into_iter().chain([rates]).collect();
        let part = |name: &str| name.replace('\\', r"\\").replace('/', r"\/");
        let of = format!("{}/{}", part(service.as_str()), part(name));
        let group = |kind: &str, interval, rules| Group {
            name: format!("redora-slo-{kind} {of}"),
            interval,
            rules,
        };
        [
            group("page", "30s", page),
            group("ticket", "1m", ticket),
            // It reads a month. Past five minutes a value would be too old to be seen.
            group("budget", "3m", vec![remaining]),
        ]
    }

    /// What an agent says of its objectives, beside their numbers.
    fn settings(&self) -> Vec<Rule> {
        let Queried { goal, window_s, tiers, team, runbook, .. } = self.queried;
        let gauge = |name, value: String, more: &[(&'static str, &str)]| {
            let more = more.iter().map(|(label, value)| (*label, (*value).to_owned()));
            self.gauge(name, format!("vector({value})"), more)
        };
        let mut said = vec![
            gauge("redora_slo_objective_ratio", goal.ratio().to_string(), &[]),
            gauge("redora_slo_window_seconds", window_s.to_string(), &[]),
            gauge("redora_slo_info", "1".to_owned(), &[("team", team), ("runbook", runbook)]),
        ];
        said.extend(Asked::ALL.map(|asked| {
            let enabled = u8::from(tiers.has(asked)).to_string();
            gauge("redora_slo_tier_enabled", enabled, &[("tier", asked.as_str())])
        }));
        said
    }

    /// Rules over counts of events.
    fn counted(&self, total: &Query, (side, of_side): (&'static str, &Query)) -> Parts {
        let [m5, m30, h1, h2, h6, ..] = BURN_WINDOWS;
        let counted = |window: BurnWindow| {
            let all = self.count(("total", total), window);
            let some = self.count((side, of_side), window);
            let bad = match side {
                "good" => {
                    let all = self.recorded(EVENTS, window.name);
                    format!("clamp_min({all} - on () ({some} or vector(0)), 0)")
                }
                _ => format!("{some} or vector(0)"),
            };
            [(EVENTS, all), (BAD_EVENTS, bad)].map(|(name, of)| self.of_window(name, window, of))
        };
        let mut page = self.first_events(&counters(total, side, of_side));
        page.extend([m5, m30, h1, h6].map(counted).concat());
        let range = range(self.queried.window_s);
        // Each event was recorded as often as any other, so that how often does not matter.
        let summed = |name| format!("sum_over_time({}[{range}])", self.recorded(name, m30.name));
        let remaining = format!(
            "1 - {}\n  / clamp_min({}, 1)\n  / {}",
            summed(BAD_EVENTS),
            summed(EVENTS),
            self.budget
        );
        Parts { page, ticket: counted(h2).to_vec(), remaining }
    }

    /// Rules over a share of events, whose number nobody knows.
    fn shared(&self, ratio: &Template) -> Parts {
        let [m5, m30, h1, h2, h6, d1, d3] = BURN_WINDOWS;
        let burn = |window: BurnWindow| {
            // Nothing divided by nothing is no number, and no burn.
            let share = format!("clamp_max(max(({})) >= 0, 1)", ratio.over(window.name));
            self.of_window(BURN_RATE, window, format!("{share}\n  / {}", self.budget))
        };
        let burnt = |window: BurnWindow| self.recorded(BURN_RATE, window.name);
        let bad = |window: BurnWindow| {
            let minutes = format!("count_over_time(({} > 0)[{}:1m])", burnt(m5), window.name);
            self.of_window(BAD_MINUTES, window, minutes)
        };
        let range = range(self.queried.window_s);
        Parts {
            page: [m5, m30, h1, h6].map(burn).into_iter().chain([h1, h6].map(bad)).collect(),
            ticket: [h2, d1, d3].map(burn).into_iter().chain([d1, d3].map(bad)).collect(),
            remaining: format!("1 - avg_over_time({}[{range}])", burnt(m30)),
        }
    }

    /// The first values of counters that were born since the rule was evaluated last.
    ///
    /// A series that appears is a birth only where its target had told another one of them before:
    /// else the target itself is new here, and its counters may be years old. One that comes back
    /// within six hours is told by `increase`, which also reaches back from a first value to where
    /// its counter would have been 0, by a scrape at most: what grows on is counted by as much too
    /// high, and three errors are never one. A scrape is given fifteen seconds to arrive.
    fn first_events(&self, counters: &[Counter<'_>]) -> Vec<Rule> {
        let mut siblings: Vec<_> =
            counters.iter().map(|one| format!("{} offset 45s", one.selector)).collect();
        siblings.dedup();
        let siblings = siblings.join(" or ");
        let first = |counter: &Counter<'_>| {
            let selector = counter.selector;
            // Not indented with the code: blanks in quotes of the selector are its own.
            let first = format!(
                "sum(\n  min_over_time({selector}[30s] offset 15s)\n  \
                 unless last_over_time({selector}[6h] offset 45s)\n  \
                 and on (job, instance) ({siblings})\n)"
            );
            self.record(FIRST_EVENTS, first, [("of", counter.of.to_owned())])
        };
        counters.iter().map(first).collect()
    }

    /// How many events a query finds in a window.
    fn count(&self, (of, query): (&str, &Query), window: BurnWindow) -> String {
        let BurnWindow { name: window, seconds } = window;
        match query {
            Query::Selector(selector) => {
                let matchers = &self.matchers;
                let first = format!(r#"{FIRST_EVENTS}{{{matchers}of="{of}"}}"#);
                format!("sum(increase({selector}[{window}]) or sum_over_time({first}[{window}]))")
            }
            // A comparison drops what is no number.
            Query::PerSecond(template) => {
                format!("(sum(({})) * {seconds} >= 0)", template.over(window))
            }
            Query::Count(template) => format!("(sum(({})) >= 0)", template.over(window)),
        }
    }

    fn recorded(&self, name: &str, window: &str) -> String {
        format!(r#"{name}{{{}window="{window}"}}"#, self.matchers)
    }

    /// What an agent would say. Boards pick agents by `job` and `instance`.
    fn gauge(
        &self,
        name: &'static str,
        expr: String,
        more: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Rule {
        let from = [("job", "rules".to_owned()), ("instance", FILE.to_owned())];
        self.record(name, expr, from.into_iter().chain(more))
    }

    fn of_window(&self, name: &'static str, window: BurnWindow, expr: String) -> Rule {
        self.record(name, expr, [("window", window.name.to_owned())])
    }

    fn record(
        &self,
        name: &'static str,
        expr: String,
        more: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Rule {
        let Queried { service, name: slo, .. } = self.queried;
        let mut labels = vec![("service", service.as_str().to_owned()), ("slo", slo.clone())];
        labels.extend(more.into_iter().filter(|(_, value)| !value.is_empty()));
        Rule::Record(Record { name, expr, labels })
    }
}

/// Alerts on shares of events, whose number nobody knows.
fn uncounted() -> [Group; 2] {
    let page = alerts(Severity::Page, long_bad).collect();
    let ticket = alerts(Severity::Ticket, long_bad).chain([spent(long_bad)]).collect();
    [
        Group { name: "redora-slo-shares-page".to_owned(), interval: "30s", rules: page },
        Group { name: "redora-slo-shares-ticket".to_owned(), interval: "1m", rules: ticket },
    ]
}

/// A moment of failure is seen in windows of five minutes for five minutes at most, so more than
/// ten of them are the work of three moments at least.
fn long_bad(long: &str) -> String {
    format!(r#"{BAD_MINUTES}{{window="{long}"}} > 10"#)
}

/// The counters that queries name.
fn counters<'a>(total: &'a Query, side: &'static str, of_side: &'a Query) -> Vec<Counter<'a>> {
    let counter = |(of, query): (&'static str, &'a Query)| match query {
        Query::Selector(selector) => Some(Counter { of, selector }),
        Query::PerSecond(_) | Query::Count(_) => None,
    };
    [("total", total), (side, of_side)].into_iter().filter_map(counter).collect()
}

/// A text as PromQL quotes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n"))
}

/// A time as PromQL writes it.
fn range(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    match units.iter().find(|(length, _)| seconds.is_multiple_of(*length)) {
        Some((length, unit)) => format!("{}{unit}", seconds / length),
        None => format!("{seconds}s"),
    }
}

const EVENTS: &str = "redora:slo_events:increase";
const BAD_EVENTS: &str = "redora:slo_bad_events:increase";
const BURN_RATE: &str = "redora:slo_burn_rate:ratio";
const BAD_MINUTES: &str = "redora:slo_bad_minutes:count";
const FIRST_EVENTS: &str = "redora:slo_first_events:sum";
const FILE: &str = "objectives.yaml";

const COMMENT: &str = "\
Objectives over metrics of others, for the alerts of slo.yaml. Written by `redora render` from the
files of objectives; do not edit. Prometheus 2.42 or newer, a scrape of each target at least once a
minute.";
