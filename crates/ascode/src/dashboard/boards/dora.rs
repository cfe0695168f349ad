//! The five metrics of delivery, each beside the number of cases behind it: a median of three is no
//! median of three hundred.

use crate::dashboard::board::{Board, Row};
use crate::dashboard::frame::{FINISHES, delivery};
use crate::dashboard::kind::Lines;
use crate::dashboard::panel::Panel;
use crate::dashboard::query::Query;
use crate::dashboard::style::{Bands, Colour, Unit};
use crate::dashboard::table::{Link, Table};
use crate::dashboard::variable::Variable;

/// From two days on a change took long: what the alert on lead time takes, too.
const LEAD: Bands = Bands::Low(86_400.0, 172_800.0);
/// From a fifth of deployments on the failures are many: what the alert takes, too.
const FAILURE: Bands = Bands::Low(0.1, 0.2);
const RECOVERY: Bands = Bands::Low(3_600.0, 86_400.0);
const NONE: &str = "No deployments in this window";

pub(super) fn board() -> Board {
    Board {
        uid: "redora-dora",
        title: "DORA",
        question: "How fast and how safely do changes reach the users of this service?",
        since: "now-90d",
        refresh: "5m",
        variables: delivery(&[
            Variable::one("service", "Service", "redora_dora_deployments"),
            Variable::one("environment", "Environment", "redora_dora_deployments"),
            Variable::window(),
        ]),
        markers: vec![FINISHES],
        rows: vec![headline(), lead_time(), stability(), evidence(), places()],
    }
}

/// A number of the picked window.
fn number(metric: &str, matchers: &str) -> String {
    format!(r#"max({metric}{{SCOPE, window="$window"{matchers}}})"#)
}

fn samples(metric: &str) -> String {
    number("redora_dora_samples", &format!(r#", metric="{metric}""#))
}

/// Deployments of the picked window, by week.
fn by_week() -> String {
    let weeks = [("7d", 7), ("30d", 30), ("90d", 90)].map(|(window, days)| {
        let matchers = format!(r#"SCOPE, window="$window", window="{window}""#);
        format!("7 / {days} * max(redora_dora_deployments{{{matchers}}})")
    });
    weeks.join(" or ")
}

fn headline() -> Row {
    let frequency = Panel::stat(
        "Deployments",
        "Successful deployments by week, and how many there were in the window.",
    )
    .query(Query::now("by week", by_week()))
    .unit(Unit::Number)
    .query(Query::now("n", samples("deployments")))
    .last_in(Unit::Count, Bands::None)
    .empty(NONE);
    let lead = Panel::stat(
        "Lead time for changes",
        "Median time from a change's first commit to its deployment, and the number of changes.",
    )
    .query(Query::now(
        "median",
        number(
            "redora_dora_change_lead_time_seconds",
            r#", start="commit", end="deployed", quantile="0.5""#,
        ),
    ))
    .unit(Unit::Seconds)
    .bands(LEAD)
    .query(Query::now("n", samples("change_lead_time")))
    .last_in(Unit::Count, Bands::None)
    .empty(NONE);
    Row::first(5)
        .panel(frequency)
        .panel(lead)
        .panel(failure_rate())
        .panel(recovery_time())
        .panel(rework_rate())
}

fn failure_rate() -> Panel {
    Panel::stat(
        "Change failure rate",
        "Share of deployments that failed: those known to have, and the share if every pending one \
         turns out to have. Pending is a deployment so fresh that it may still be found to fail.",
    )
    .query(Query::now(
        "confirmed",
        number("redora_dora_change_failure_ratio", r#", bound="confirmed""#),
    ))
    .query(Query::now(
        "possible",
        number("redora_dora_change_failure_ratio", r#", bound="possible""#),
    ))
    .unit(Unit::Ratio)
    .bands(FAILURE)
    .query(Query::now("pending", "max(redora_dora_verdicts_pending{SCOPE})"))
    .last_in(Unit::Count, Bands::None)
    .query(Query::now("n", samples("change_failure_ratio")))
    .last_in(Unit::Count, Bands::None)
    .wide(7)
    .empty(NONE)
}

fn recovery_time() -> Panel {
    Panel::stat(
        "Failed deployment recovery time",
        "Median time from a failed deployment to its recovery, and the number of recoveries. \
         Failures that are not over are not in it.",
    )
    .query(Query::now(
        "median",
        number("redora_dora_failed_deployment_recovery_seconds", r#", quantile="0.5""#),
    ))
    .unit(Unit::Seconds)
    .bands(RECOVERY)
    .query(Query::now("n", samples("failed_deployment_recovery")))
    .last_in(Unit::Count, Bands::None)
    .empty("No failed deployment")
}

fn rework_rate() -> Panel {
    Panel::stat(
        "Rework rate",
        "Share of deployments that were unplanned repairs, and the number of deployments.",
    )
    .query(Query::now("rework", number("redora_dora_rework_ratio", "")))
    .unit(Unit::Ratio)
    .bands(FAILURE)
    .query(Query::now("n", samples("rework_ratio")))
    .last_in(Unit::Count, Bands::None)
    .empty(NONE)
}

fn lead_time() -> Row {
    let mut stages = Panel::bars(
        "Where the time goes",
        "Median time of changes in each stage, from the first line to the first request that was \
         served. Medians do not add up to the lead time; who skipped a stage is not in it.",
    );
    let names = ["coding", "pickup", "review", "deploy", "first_request"];
    for stage in names {
        let matchers = format!(r#", stage="{stage}""#);
        let expr = number("redora_dora_lead_time_stage_seconds", &matchers);
        stages = stages.query(Query::now(&stage.replace('_', " "), expr));
    }
    let stages = stages.unit(Unit::Seconds).zero_based().empty(NONE);
    let quantile = |end: &str, quantile: &str| {
        let matchers = format!(r#", start="commit", end="{end}", quantile="{quantile}""#);
        number("redora_dora_change_lead_time_seconds", &matchers)
    };
    let course = Panel::lines(
        Lines::Beside,
        "Lead time for changes",
        "From the first commit to the deployment, as it stood at each moment: half, three quarters \
         and nine tenths of the changes were faster. The dashed line goes on to the first request \
         that the change served.",
    )
    .query(Query::over_time("90 %", quantile("deployed", "0.9")))
    .query(Query::over_time("75 %", quantile("deployed", "0.75")))
    .query(Query::over_time("median", quantile("deployed", "0.5")))
    .query(Query::over_time("median to first request", quantile("first_request", "0.5")))
    .paint("90 %", Colour::Strong)
    .paint("75 %", Colour::Plain)
    .paint("median", Colour::Pale)
    .dash("median to first request", Colour::Pale)
    .unit(Unit::Seconds)
    .zero_based()
    .empty(NONE);
    Row::titled("Lead time", 9).panel(stages.wide(9)).panel(course)
}

fn stability() -> Row {
    let finished = |result: &str| {
        format!(
            r#"sum(increase(redora_dora_finished_deployments_total{{SCOPE,
                 result="{result}"}}[1d]))"#
        )
    };
    let frequency = Panel::lines(
        Lines::Bars,
        "Deployments of the day before",
        "Deployments that came to an end in the 24 hours before each moment. A failed pipeline is \
         not a change failure: nothing reached anyone.",
    )
    .query(Query::over_time("success", finished("success")))
    .query(Query::over_time("failure", finished("failure")))
    .paint("success", Colour::Good)
    .paint("failure", Colour::Quiet)
    .zero_based()
    .empty(NONE);
    let ratio =
        |bound: &str| number("redora_dora_change_failure_ratio", &format!(r#", bound="{bound}""#));
    let failure = Panel::lines(
        Lines::Beside,
        "Change failure rate",
        "The band lies between the failures known and the failures possible.",
    )
    .query(Query::over_time("confirmed", ratio("confirmed")))
    .query(Query::over_time("possible", ratio("possible")))
    .paint("confirmed", Colour::Bad)
    .paint("possible", Colour::Fair)
    .fill_between("confirmed", "possible")
    .unit(Unit::Ratio)
    .zero_based()
    .empty(NONE);
    let quantile = |quantile: &str| {
        let matchers = format!(r#", quantile="{quantile}""#);
        number("redora_dora_failed_deployment_recovery_seconds", &matchers)
    };
    let recovery = Panel::lines(
        Lines::Beside,
        "Failed deployment recovery time",
        "Half and nine tenths of the recoveries were faster.",
    )
    .query(Query::over_time("90 %", quantile("0.9")))
    .query(Query::over_time("median", quantile("0.5")))
    .paint("90 %", Colour::Strong)
    .paint("median", Colour::Pale)
    .unit(Unit::Seconds)
    .zero_based()
    .empty("No failed deployment");
    Row::titled("Frequency and stability", 9).panel(frequency).panel(failure).panel(recovery)
}

/// What stands behind the numbers above, as far as numbers can say it; the ids are the agent's.
fn evidence() -> Row {
    let cases = |window: &str| {
        format!(r#"max by (metric) (redora_dora_samples{{SCOPE, window="{window}"}})"#)
    };
    let table = Table::default()
        .label("metric", "Number")
        .value("7 days", Unit::Count, cases("7d"))
        .value("30 days", Unit::Count, cases("30d"))
        .value("90 days", Unit::Count, cases("90d"))
        .sorted_by("90 days");
    let cases = Panel::table(
        "Cases behind each number",
        "How many deployments, changes or failures each number was computed from. A median of \
         three is an anecdote.",
        table,
    )
    .empty(NONE);
    let table = Table::default()
        .label("cause", "Told by")
        .value(
            "Failed deployments",
            Unit::Count,
            "max by (cause) (increase(redora_dora_change_failures_total{SCOPE}[$__range]))",
        )
        .sorted_by("Failed deployments");
    let causes = Panel::table(
        "What told of failures",
        "Deployments found in the shown time to have failed, by what told so: an incident, else an \
         error budget that burned, else a rollback alone.",
        table,
    )
    .empty("No deployments known");
    let words = Panel::text(
        "Behind a number",
        "How to see the cases behind a number, and what the numbers mean.",
        EVIDENCE,
    );
    Row::titled("Evidence", 9).panel(cases).panel(causes).panel(words)
}

/// A number of every place, whichever is picked: this is where one is found.
fn all(metric: &str, matchers: &str) -> String {
    format!(
        r#"max by (service, environment) ({metric}{{job=~"$job", instance=~"$instance",
             tenant=~"$tenant"{matchers}}})"#
    )
}

fn places() -> Row {
    let to_place = Link { title: "This service", uid: "redora-dora", variable: "service" };
    let windowed =
        |metric: &str, matchers: &str| all(metric, &format!(r#", window="$window"{matchers}"#));
    let lead = r#", start="commit", end="deployed", quantile="0.5""#;
    let last = all("redora_dora_last_deployment_timestamp_seconds", "");
    let table = Table::default()
        .label("service", "Service")
        .linked(to_place)
        .label("environment", "Environment")
        .value("Last deployment", Unit::Ago, format!("1000 * {last}"))
        .value("Deployments", Unit::Count, windowed("redora_dora_deployments", ""))
        .value(
            "Changes",
            Unit::Count,
            windowed("redora_dora_samples", r#", metric="change_lead_time""#),
        )
        .banded(
            "Lead time",
            Unit::Seconds,
            LEAD,
            windowed("redora_dora_change_lead_time_seconds", lead),
        )
        .banded(
            "Failed",
            Unit::Ratio,
            FAILURE,
            windowed("redora_dora_change_failure_ratio", r#", bound="confirmed""#),
        )
        .banded(
            "Possibly failed",
            Unit::Ratio,
            FAILURE,
            windowed("redora_dora_change_failure_ratio", r#", bound="possible""#),
        )
        .value("Pending", Unit::Count, all("redora_dora_verdicts_pending", ""))
        .banded(
            "Recovery",
            Unit::Seconds,
            RECOVERY,
            windowed("redora_dora_failed_deployment_recovery_seconds", r#", quantile="0.5""#),
        )
        .value("Rework", Unit::Ratio, windowed("redora_dora_rework_ratio", ""))
        .value("Open incidents", Unit::Count, all("redora_dora_incidents_open", ""))
        .sorted_by("Deployments");
    let places = Panel::table(
        "All services",
        "Each service in each environment, with what its numbers were computed from.",
        table,
    )
    .empty("No deployments known");
    Row::titled("All services", 10).panel(places)
}

const EVIDENCE: &str = "\
Every number stands for cases with ids. Ask the agent for them:

```
redora dora explain change_failure_ratio \\
  --service $service --environment $environment --window $window
```

- A window without deployments has no number, and not 0.
- Old numbers are not changed here when a late fact arrives: a graph shows what was known then, \
`redora dora report --at` what is known now.
- *Failed* and *possibly failed* meet when no verdict is pending.
";
