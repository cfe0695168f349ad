//! Arrivals of versions laid over RED: what served first when, and what changed with it.

use crate::dashboard::board::{Board, Row};
use crate::dashboard::frame::{ARRIVALS, FINISHES, TO_SERVICE, telemetry};
use crate::dashboard::kind::{Lines, State};
use crate::dashboard::panel::Panel;
use crate::dashboard::query::{Over, Query, SERVED, duration, error_ratio, requests};
use crate::dashboard::style::{Bands, Colour, Unit};
use crate::dashboard::table::Table;
use crate::dashboard::variable::Variable;

const TOTAL: &str = "redora_requests_total";
const VERSIONS: &str = "redora_version_requests_total";
const ERRORS: Bands = Bands::Low(0.01, 0.05);
const BY: &str = "service, version";
const UNNAMED: &str = "No version named in telemetry";
const SERVING: &[State] = &[State { from: 0.0, to: None, text: "serving", colour: Colour::Plain }];

pub(super) fn board() -> Board {
    Board {
        uid: "redora-deployments",
        title: "Deployments over RED",
        question: "What did each deployment change for those who use the service?",
        since: "now-24h",
        refresh: "1m",
        variables: telemetry(&[Variable::any("service", "Service", VERSIONS)]),
        markers: vec![ARRIVALS, FINISHES],
        rows: vec![headline(), over_red(), by_version(), arrivals()],
    }
}

fn headline() -> Row {
    let first = "min by (service, version, environment)
                   (redora_version_first_seen_timestamp_seconds{SCOPE})";
    let arrived = Panel::stat(
        "Arrivals",
        "Versions that served their first request in the shown time, counted in each environment.",
    )
    .query(Query::now(
        "versions",
        // What was there when the shown time began arrived before, whatever an agent that started
        // since says.
        format!(
            "sum({first} > bool $__from / 1000
               unless on (service, version, environment)
                 redora_version_first_seen_timestamp_seconds{{SCOPE}} offset $__range)
             or 0 * max({first})"
        ),
    ))
    .empty(UNNAMED);
    let latest = Panel::stat("Last arrival", "When a version last served its first request.")
        .query(Query::now("ago", format!("1000 * max({first})")))
        .unit(Unit::Ago)
        .empty(UNNAMED);
    let beside = Panel::stat(
        "Services with several versions",
        "Services that two or more versions answer for now: a rollout under way, or one forgotten.",
    )
    .query(Query::now(
        "services",
        format!(
            "sum(count by (service) ({} > 0) > bool 1)",
            requests(VERSIONS, "", BY, Over::Step),
        ),
    ))
    .empty("No requests");
    let worst = Panel::stat(
        "Worst version",
        "Largest share of errors that a version had in the shown time, of versions with at least \
         100 requests in it.",
    )
    .query(Query::now(
        "errors",
        format!(
            "max(({}) and on ({BY}) {} >= 100)",
            error_ratio(VERSIONS, "", BY, Over::Shown),
            requests(VERSIONS, "", BY, Over::Shown),
        ),
    ))
    .unit(Unit::Ratio)
    .bands(ERRORS)
    .empty("No version with 100 requests");
    Row::first(4).panel(arrived).panel(latest).panel(beside).panel(worst)
}

fn over_red() -> Row {
    let by = "service";
    let rate = Panel::lines(Lines::Beside, "Rate", "Requests answered by second, by service.")
        .query(Query::over_time("{{service}}", requests(TOTAL, SERVED, by, Over::Step)))
        .unit(Unit::RequestsPerSecond)
        .zero_based()
        .empty("No requests");
    let errors =
        Panel::lines(Lines::Beside, "Errors", "Share of requests that failed, by service.")
            .query(Query::over_time("{{service}}", error_ratio(TOTAL, SERVED, by, Over::Step)))
            .unit(Unit::Ratio)
            .zero_based()
            .empty("No requests");
    let slow = Panel::lines(
        Lines::Beside,
        "Duration, 95th percentile",
        "19 of 20 requests were faster than this, by service.",
    )
    .query(Query::over_time("{{service}}", duration("0.95", SERVED, by, Over::Step)))
    .unit(Unit::Seconds)
    .zero_based()
    .empty("No requests");
    Row::titled("Arrivals over rate, errors and duration", 9).panel(rate).panel(errors).panel(slow)
}

fn by_version() -> Row {
    let serving = Panel::states(
        SERVING,
        "Who serves",
        "When each version answered requests: overlaps are rollouts, returns are rollbacks.",
    )
    .query(Query::over_time(
        "{{service}} {{version}}",
        format!("{} > 0", requests(VERSIONS, "", BY, Over::Step)),
    ))
    .unit(Unit::RequestsPerSecond)
    .empty(UNNAMED);
    let rate =
        Panel::lines(Lines::Stacked, "Rate by version", "Requests by second of each version.")
            .query(Query::over_time(
                "{{service}} {{version}}",
                requests(VERSIONS, "", BY, Over::Step),
            ))
            .unit(Unit::RequestsPerSecond)
            .zero_based()
            .empty(UNNAMED);
    let errors = Panel::lines(
        Lines::Beside,
        "Errors by version",
        "Share of a version's requests that failed. Two versions at one time are compared under \
         the same load.",
    )
    .query(Query::over_time("{{service}} {{version}}", error_ratio(VERSIONS, "", BY, Over::Step)))
    .unit(Unit::Ratio)
    .zero_based()
    .empty(UNNAMED);
    Row::titled("Versions side by side", 9).panel(serving).panel(rate).panel(errors)
}

fn arrivals() -> Row {
    let by = "service, version, revision, environment";
    // A version's requests are counted without revision and environment: each row shows them all.
    let spread = |expr: &str| {
        format!("max by ({by}) (redora_version_info{{SCOPE}}) * on ({BY}) group_left () ({expr})")
    };
    let table = Table::default()
        .label("service", "Service")
        .linked(TO_SERVICE)
        .label("version", "Version")
        .label("revision", "Revision")
        .label("environment", "Environment")
        .value(
            "First request",
            Unit::Moment,
            format!("1000 * min by ({by}) (redora_version_first_seen_timestamp_seconds{{SCOPE}})"),
        )
        .value(
            "Last request",
            Unit::Ago,
            format!("1000 * max by ({by}) (redora_version_last_seen_timestamp_seconds{{SCOPE}})"),
        )
        .value("Requests", Unit::Count, spread(&requests(VERSIONS, "", BY, Over::Shown)))
        .banded("Errors", Unit::Ratio, ERRORS, spread(&error_ratio(VERSIONS, "", BY, Over::Shown)))
        .sorted_by("First request");
    let arrivals = Panel::table(
        "Arrivals",
        "Versions by their first request, newest first, with what they served in the shown time.",
        table,
    )
    .empty(UNNAMED);
    Row::titled("Arrivals", 10).panel(arrivals)
}
