//! Objectives and what is left of their budgets, from the events of all agents together, so that a
//! busy instance weighs more than an idle one.

use crate::dashboard::board::{Board, Row};
use crate::dashboard::frame::{ARRIVALS, TO_SERVICE, telemetry};
use crate::dashboard::kind::Lines;
use crate::dashboard::panel::Panel;
use crate::dashboard::query::{Over, Query, requests};
use crate::dashboard::style::{Bands, Colour, Unit};
use crate::dashboard::table::Table;
use crate::dashboard::variable::Variable;

const EVENTS: &str = "redora_slo_events_total";
const VERSIONS: &str = "redora_slo_version_events_total";
/// The picked objectives; markers of versions have no such label.
const SCOPE: &str = r#"SCOPE, slo=~"$slo""#;
const BAD: &str = r#"slo=~"$slo", outcome="bad""#;
const ALL: &str = r#"slo=~"$slo""#;
const BY: &str = "service, slo";
const BUDGET: Bands = Bands::High(0.05, 0.25);
const BURN: Bands = Bands::Low(1.0, 6.0);
const UNDECLARED: &str = "No objectives declared";

pub(super) fn board() -> Board {
    Board {
        uid: "redora-slo",
        title: "SLO and error budget",
        question: "How much may still fail, and how long does that last at this pace?",
        since: "now-7d",
        refresh: "1m",
        variables: telemetry(&[
            Variable::any("service", "Service", "redora_slo_objective_ratio"),
            Variable::any("slo", "Objective", "redora_slo_objective_ratio").where_named(),
        ]),
        markers: vec![ARRIVALS],
        rows: vec![headline(), objectives(), graphs(), events()],
    }
}

/// What is left of each budget. Agents are weighted by the events that each counted over `range`;
/// where nothing happened in it, the worst agent speaks.
fn budget(range: &str) -> String {
    let remaining = format!("redora_slo_error_budget_remaining_ratio{{{SCOPE}}}");
    let grown = format!("increase({EVENTS}{{{SCOPE}}}[{range}])");
    format!(
        "sum by ({BY}) ({remaining} * sum without (outcome) ({grown}))
           / (sum by ({BY}) ({grown}) > 0)
         or min by ({BY}) ({remaining})"
    )
}

/// The burn rate of each objective over a window: 1 uses the budget up just at its window's end.
/// Where no agent counted anything, what is said of the rate goes: of metrics of others rules
/// record it.
fn burn(window: &str) -> String {
    let bad = format!(r#"increase({EVENTS}{{{SCOPE}, outcome="bad"}}[{window}])"#);
    let all = format!("increase({EVENTS}{{{SCOPE}}}[{window}])");
    format!(
        "sum by ({BY}) ({bad}) / (sum by ({BY}) ({all}) > 0)
           / on ({BY}) (1 - max by ({BY}) (redora_slo_objective_ratio{{{SCOPE}}}))
         or max by ({BY}) (redora_slo_burn_rate{{{SCOPE}, window=\"{window}\"}})"
    )
}

/// How long each budget lasts at the pace of the last hour, where that pace uses it up at all.
fn exhaustion() -> String {
    format!(
        "clamp_min({}, 0) * on ({BY}) max by ({BY}) (redora_slo_window_seconds{{{SCOPE}}})
           / on ({BY}) (({}) > 1)",
        budget("1h"),
        burn("1h"),
    )
}

fn headline() -> Row {
    let left = Panel::gauge(
        "Budget left, worst objective",
        "Share of the error budget that is left in the objective's window, of the objective that \
         has least.",
    )
    .query(Query::now("left", format!("clamp_min(min({}), 0)", budget("1h"))))
    .unit(Unit::Ratio)
    .bands(BUDGET)
    .zero_based()
    .up_to(1.0)
    .empty(UNDECLARED);
    let exhausted = Panel::stat(
        "Budget exhausted in",
        "When the first budget is used up at the pace of the last hour. Nothing stands here while \
         every pace is sustainable.",
    )
    .query(Query::now("left", format!("min({})", exhaustion())))
    .unit(Unit::Seconds)
    .bands(Bands::High(14_400.0, 259_200.0))
    .empty("No budget is running out");
    let spent = Panel::stat("Objectives missed", "Objectives whose budget is used up.")
        .query(Query::now("objectives", format!("sum(({}) <= bool 0)", budget("1h"))))
        .bands(Bands::Low(1.0, 1.0))
        .empty(UNDECLARED);
    let bad = Panel::stat("Bad events", "Events in the shown time that used up budget.")
        .query(Query::now("events", requests(EVENTS, BAD, "", Over::Shown)))
        .empty(UNDECLARED);
    Row::first(6).panel(left).panel(exhausted).panel(spent).panel(bad)
}

fn objectives() -> Row {
    let by = |name: &str| format!("max by ({BY}) ({name}{{{SCOPE}}})");
    let table = Table::default()
        .label("service", "Service")
        .linked(TO_SERVICE)
        .label("slo", "Objective")
        .value("Target", Unit::Ratio, by("redora_slo_objective_ratio"))
        .value("Window", Unit::Days, by("redora_slo_window_seconds"))
        .banded("Budget left", Unit::Ratio, BUDGET, budget("1h"))
        .value("Lasts", Unit::Seconds, exhaustion())
        .banded("Burn, 1 h", Unit::Number, BURN, burn("1h"))
        .banded("Burn, 6 h", Unit::Number, BURN, burn("6h"))
        .banded("Burn, 1 d", Unit::Number, BURN, burn("1d"))
        .banded("Burn, 3 d", Unit::Number, BURN, burn("3d"))
        .value("Bad events", Unit::Count, requests(EVENTS, BAD, BY, Over::Shown))
        .value("Events", Unit::Count, requests(EVENTS, ALL, BY, Over::Shown))
        .sorted_by("Burn, 1 h");
    let objectives = Panel::table(
        "Objectives",
        "A burn rate of 1 uses the budget up just at the end of its window. Lasts is the time \
         until it is used up at the pace of the last hour; empty where the pace is sustainable. \
         Events are those that agents count.",
        table,
    )
    .empty(UNDECLARED);
    Row::titled("Objectives", 9).panel(objectives)
}

fn graphs() -> Row {
    let left = Panel::lines(
        Lines::OverBands,
        "Budget left",
        "Share of the error budget that is left, by objective; below 0 the objective is missed.",
    )
    .query(Query::over_time("{{service}} {{slo}}", budget("1h")))
    .unit(Unit::Ratio)
    .bands(BUDGET)
    .up_to(1.0)
    .empty(UNDECLARED);
    let limit = "pages from here on";
    let fast = Panel::lines(
        Lines::Beside,
        "Burn over an hour",
        "How many times faster than sustainable the budget is used. A page is sent above the \
         dashed line, which uses 2 % of the budget in an hour; of several windows the shortest.",
    )
    .query(Query::over_time("{{service}} {{slo}}", burn("1h")))
    .query(Query::over_time(
        limit,
        format!("0.02 * min(redora_slo_window_seconds{{{SCOPE}}}) / 3600"),
    ))
    .dash(limit, Colour::Bad)
    .unit(Unit::Number)
    .zero_based()
    .empty(UNDECLARED);
    let slow = Panel::lines(
        Lines::Beside,
        "Burn over six hours",
        "The same over six hours, where a page is sent at 5 % of the budget.",
    )
    .query(Query::over_time("{{service}} {{slo}}", burn("6h")))
    .query(Query::over_time(
        limit,
        format!("0.05 * min(redora_slo_window_seconds{{{SCOPE}}}) / 21600"),
    ))
    .dash(limit, Colour::Bad)
    .unit(Unit::Number)
    .zero_based()
    .empty(UNDECLARED);
    Row::titled("Budget and burn", 9).panel(left).panel(fast).panel(slow)
}

fn events() -> Row {
    let bad = Panel::lines(Lines::Bars, "Bad events", "Bad events by second, by objective.")
        .query(Query::over_time("{{service}} {{slo}}", requests(EVENTS, BAD, BY, Over::Step)))
        .unit(Unit::PerSecond)
        .zero_based()
        .empty(UNDECLARED);
    let by = "service, slo, version";
    let versions = Panel::lines(
        Lines::Bars,
        "Bad events by version",
        "Bad events by second of each version that names itself: the one that began when the burn \
         did is to blame.",
    )
    .query(Query::over_time(
        "{{service}} {{slo}} {{version}}",
        requests(VERSIONS, BAD, by, Over::Step),
    ))
    .unit(Unit::PerSecond)
    .zero_based()
    .empty("No versions of these services seen");
    let bad_of = requests(VERSIONS, BAD, by, Over::Shown);
    let all_of = requests(VERSIONS, ALL, by, Over::Shown);
    let table = Table::default()
        .label("service", "Service")
        .label("slo", "Objective")
        .label("version", "Version")
        .value("Bad events", Unit::Count, bad_of.as_str())
        .value("Events", Unit::Count, all_of.as_str())
        .value("Bad", Unit::Ratio, format!("{bad_of} / ({all_of} > 0)"))
        .sorted_by("Bad events");
    let shares = Panel::table(
        "Versions of the shown time",
        "What each version served and how much of it was bad, the most expensive first.",
        table,
    )
    .wide(10)
    .empty("No versions of these services seen");
    Row::titled("Events", 8).panel(bad).panel(versions).panel(shares)
}
