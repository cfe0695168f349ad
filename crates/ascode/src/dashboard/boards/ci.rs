//! The pipeline before a deployment: whether it can be trusted, and how long one waits for it.

use crate::dashboard::board::{Board, Row};
use crate::dashboard::frame::AGENTS;
use crate::dashboard::kind::Lines;
use crate::dashboard::panel::Panel;
use crate::dashboard::query::Query;
use crate::dashboard::style::{Bands, Colour, Unit};
use crate::dashboard::table::Table;
use crate::dashboard::variable::Variable;

const SUCCEEDED: &str = r#"conclusion="success""#;
/// Cancelled, skipped and neutral runs say nothing of the code.
const FAILED: &str = r#"conclusion=~"failure|timed_out|startup_failure""#;
const SUCCESS: Bands = Bands::High(0.8, 0.95);
/// From ten minutes on one turns to something else.
const WAIT: Bands = Bands::Low(600.0, 1_800.0);
const NONE: &str = "No runs in this window";

pub(super) fn board() -> Board {
    let tenant = Variable::any_or_none("tenant", "Tenant", "redora_ci_runs");
    let service = Variable::any("service", "Service", "redora_ci_runs");
    let workflow = Variable::any("workflow", "Workflow", "redora_ci_runs").where_named();
    Board {
        uid: "redora-ci",
        title: "CI pipeline",
        question: "Can the pipeline be trusted, and how long does one wait for it?",
        since: "now-30d",
        refresh: "5m",
        variables: [&AGENTS[..], &[tenant, service, workflow, Variable::window()]].concat(),
        markers: Vec::new(),
        rows: vec![headline(), graphs(), workflows()],
    }
}

fn runs(conclusion: &str, by: &str) -> String {
    format!(
        r#"sum by ({by}) (redora_ci_runs{{SCOPE, workflow=~"$workflow",
             window="$window", {conclusion}}})"#
    )
}

/// Share of runs that succeeded, each run weighing the same.
fn success(by: &str) -> String {
    let either = r#"conclusion=~"success|failure|timed_out|startup_failure""#;
    format!("{} / ({} > 0)", runs(SUCCEEDED, by), runs(either, by))
}

fn slowest(quantile: &str, by: &str) -> String {
    format!(
        r#"max by ({by}) (redora_ci_duration_seconds{{SCOPE, workflow=~"$workflow",
             window="$window", quantile="{quantile}"}})"#
    )
}

fn headline() -> Row {
    let ratio = Panel::course(
        "Success",
        "Share of runs that succeeded among those that succeeded or failed.",
    )
    .query(Query::over_time("success", success("")))
    .unit(Unit::Ratio)
    .bands(SUCCESS)
    .empty(NONE);
    let failed = Panel::stat("Failed runs", "Runs of the window whose last attempt failed.")
        .query(Query::now("runs", runs(FAILED, "")))
        .empty("None failed");
    let all = Panel::stat("Runs", "Runs that ended in the window.")
        .query(Query::now("runs", runs(r#"conclusion=~".+""#, "")))
        .empty(NONE);
    let wait = Panel::course(
        "Slowest workflow",
        "Median duration of the workflow that takes longest: what one waits for.",
    )
    .query(Query::over_time("median", slowest("0.5", "")))
    .unit(Unit::Seconds)
    .bands(WAIT)
    .empty(NONE);
    Row::first(4).panel(ratio).panel(failed).panel(all).panel(wait)
}

fn graphs() -> Row {
    let by = "service, workflow";
    let ratio = Panel::lines(
        Lines::OverBands,
        "Success by workflow",
        "Share of runs that succeeded among those that succeeded or failed.",
    )
    .query(Query::over_time("{{service}} {{workflow}}", success(by)))
    .unit(Unit::Ratio)
    .bands(SUCCESS)
    .zero_based()
    .up_to(1.0)
    .empty(NONE);
    let wait = Panel::lines(
        Lines::Beside,
        "Duration by workflow, median",
        "How long the last attempts took that succeeded or failed.",
    )
    .query(Query::over_time("{{service}} {{workflow}}", slowest("0.5", by)))
    .unit(Unit::Seconds)
    .zero_based()
    .empty(NONE);
    let ends = Panel::lines(Lines::Stacked, "How runs ended", "Runs of the window by conclusion.")
        .query(Query::over_time("{{conclusion}}", runs(r#"conclusion=~".+""#, "conclusion")))
        .paint("success", Colour::Good)
        .paint("failure", Colour::Bad)
        .paint("timed_out", Colour::Fair)
        .paint("cancelled", Colour::Quiet)
        .zero_based()
        .empty(NONE);
    Row::titled("Course", 9).panel(ratio).panel(wait).panel(ends)
}

fn workflows() -> Row {
    let by = "service, workflow";
    let table = Table::default()
        .label("service", "Service")
        .label("workflow", "Workflow")
        .value("Runs", Unit::Count, runs(r#"conclusion=~".+""#, by))
        .value("Failed", Unit::Count, runs(FAILED, by))
        .banded("Success", Unit::Ratio, SUCCESS, success(by))
        .banded("Median", Unit::Seconds, WAIT, slowest("0.5", by))
        .banded("90 %", Unit::Seconds, WAIT, slowest("0.9", by))
        .sorted_by("Failed");
    let workflows = Panel::table("Workflows", "The one that failed most often first.", table)
        .wide(15)
        .empty(NONE);
    let queue = Panel::lines(
        Lines::Beside,
        "From merge to deployed, median",
        "The stage of the lead time that the pipeline is part of.",
    )
    .query(Query::over_time(
        "{{service}} {{environment}}",
        r#"max by (service, environment) (redora_dora_lead_time_stage_seconds{SCOPE,
             window="$window", stage="deploy"})"#,
    ))
    .unit(Unit::Seconds)
    .zero_based()
    .empty("No changes in this window");
    Row::titled("Workflows", 9).panel(workflows).panel(queue)
}
