//! One service: what it answers, how its versions compare, what it logs and whom it calls.

use crate::dashboard::board::{Board, Row};
use crate::dashboard::frame::{ARRIVALS, telemetry};
use crate::dashboard::kind::Lines;
use crate::dashboard::panel::Panel;
use crate::dashboard::query::{CALLS, Over, Query, SERVED, duration, error_ratio, requests};
use crate::dashboard::style::{Bands, Colour, Unit};
use crate::dashboard::table::Table;
use crate::dashboard::variable::Variable;

const TOTAL: &str = "redora_requests_total";
const VERSIONS: &str = "redora_version_requests_total";
const LOGS: &str = "redora_log_records_total";
const ERRORS: Bands = Bands::Low(0.01, 0.05);
const IDLE: &str = "No requests";

pub(super) fn board() -> Board {
    Board {
        uid: "redora-service",
        title: "Service detail",
        question: "What is wrong with this service, since which version, and for whom?",
        since: "now-3h",
        refresh: "30s",
        variables: telemetry(&[Variable::one("service", "Service", TOTAL)]),
        markers: vec![ARRIVALS],
        rows: vec![headline(), graphs(), operations(), versions(), logs_and_calls()],
    }
}

fn headline() -> Row {
    let rate = Panel::course("Requests", "Requests that the service answered, by second.")
        .query(Query::over_time("requests", requests(TOTAL, SERVED, "", Over::Step)))
        .unit(Unit::RequestsPerSecond)
        .empty(IDLE);
    let errors =
        Panel::stat("Errors", "Share of failed requests among all requests of the shown time.")
            .query(Query::now("errors", error_ratio(TOTAL, SERVED, "", Over::Shown)))
            .unit(Unit::Ratio)
            .bands(ERRORS)
            .empty(IDLE);
    let slow = Panel::stat(
        "95th percentile",
        "19 of 20 requests of the shown time were faster than this.",
    )
    .query(Query::now("p95", duration("0.95", SERVED, "", Over::Shown)))
    .unit(Unit::Seconds)
    .empty(IDLE);
    let logs = Panel::stat("Errors in logs", "Log records of ERROR and FATAL in the shown time.")
        .query(Query::now("records", requests(LOGS, r#"severity=~"ERROR|FATAL""#, "", Over::Shown)))
        .bands(Bands::Low(1.0, 100.0))
        .empty("No logs");
    let serving = Panel::stat("Versions serving", "Versions that answered requests just now.")
        .query(Query::now(
            "versions",
            format!("count({} > 0)", requests(VERSIONS, "", "version", Over::Step)),
        ))
        .empty(IDLE);
    Row::first(4).panel(rate).panel(errors).panel(slow).panel(logs).panel(serving)
}

fn graphs() -> Row {
    let rate = Panel::lines(Lines::Stacked, "Rate", "Requests answered by second, by outcome.")
        .query(Query::over_time("{{outcome}}", requests(TOTAL, SERVED, "outcome", Over::Step)))
        .unit(Unit::RequestsPerSecond)
        .paint("ok", Colour::Good)
        .paint("error", Colour::Bad)
        .zero_based()
        .empty(IDLE);
    let errors = Panel::lines(
        Lines::Beside,
        "Errors by operation",
        "Share of requests that failed, for operations where any did.",
    )
    .query(Query::over_time(
        "{{operation}}",
        format!("({}) > 0", error_ratio(TOTAL, SERVED, "operation", Over::Step)),
    ))
    .unit(Unit::Ratio)
    .zero_based()
    .empty("No errors");
    let mut slow = Panel::lines(
        Lines::Beside,
        "Duration",
        "Quantiles of durations. A dot is one request; it leads to its trace where Grafana knows a \
         source of traces.",
    );
    let quantiles = [
        ("0.99", "p99", Colour::Strong),
        ("0.95", "p95", Colour::Plain),
        ("0.5", "p50", Colour::Pale),
    ];
    for (quantile, name, colour) in quantiles {
        let query = Query::over_time(name, duration(quantile, SERVED, "", Over::Step));
        // All three would fetch the same traces.
        let query = if name == "p99" { query.with_exemplars() } else { query };
        slow = slow.query(query).paint(name, colour);
    }
    let slow = slow.unit(Unit::Seconds).zero_based().empty(IDLE);
    Row::titled("Rate, errors and duration", 9).panel(rate).panel(errors).panel(slow)
}

fn operations() -> Row {
    let by = "operation";
    let table = Table::default()
        .label("operation", "Operation")
        .value("Requests", Unit::Count, requests(TOTAL, SERVED, by, Over::Shown))
        .banded("Errors", Unit::Ratio, ERRORS, error_ratio(TOTAL, SERVED, by, Over::Shown))
        .value("Median", Unit::Seconds, duration("0.5", SERVED, by, Over::Shown))
        .value("95th percentile", Unit::Seconds, duration("0.95", SERVED, by, Over::Shown))
        .sorted_by("Requests");
    let operations = Panel::table(
        "Operations in the shown time",
        "What the service was asked, the busiest first. Operations past the bound of the agent are \
         counted together as other.",
        table,
    )
    .empty(IDLE);
    let metric = "redora_request_duration_seconds";
    let classic = requests(&format!("{metric}_bucket"), SERVED, "le", Over::Step);
    let native = requests(metric, SERVED, "", Over::Step);
    let spread = Panel::heatmap(
        "Spread of durations",
        "How many requests by second took how long: two bands are two kinds of requests, which no \
         quantile shows.",
    )
    .query(Query::buckets(format!("{classic} or on () {native}")))
    .unit(Unit::Seconds)
    .empty(IDLE);
    Row::titled("Operations", 9).panel(operations).panel(spread)
}

fn versions() -> Row {
    let rate = Panel::lines(Lines::Stacked, "Rate by version", "Who takes the traffic.")
        .query(Query::over_time("{{version}}", requests(VERSIONS, "", "version", Over::Step)))
        .unit(Unit::RequestsPerSecond)
        .zero_based()
        .empty(IDLE);
    let errors = Panel::lines(
        Lines::Beside,
        "Errors by version",
        "Share of a version's requests that failed: a version that runs beside another and fails \
         more is to blame.",
    )
    .query(Query::over_time("{{version}}", error_ratio(VERSIONS, "", "version", Over::Step)))
    .unit(Unit::Ratio)
    .zero_based()
    .empty(IDLE);
    let table = Table::default()
        .label("version", "Version")
        .label("revision", "Revision")
        .label("environment", "Environment")
        .value(
            "First request",
            Unit::Moment,
            "1000 * min by (version, revision, environment)
               (redora_version_first_seen_timestamp_seconds{SCOPE})",
        )
        .value(
            "Last request",
            Unit::Ago,
            "1000 * max by (version, revision, environment)
               (redora_version_last_seen_timestamp_seconds{SCOPE})",
        )
        .sorted_by("First request");
    let seen = Panel::table("Versions seen", "Versions by their arrival, the newest first.", table)
        .empty("No version named in telemetry");
    Row::titled("Versions", 9).panel(rate).panel(errors).panel(seen)
}

fn logs_and_calls() -> Row {
    let mut logs = Panel::lines(
        Lines::Bars,
        "Log records",
        "Log records by second and severity, from WARN on.",
    )
    .query(Query::over_time(
        "{{severity}}",
        requests(LOGS, r#"severity=~"WARN|ERROR|FATAL""#, "severity", Over::Step),
    ))
    .unit(Unit::PerSecond)
    .zero_based()
    .empty("No logs");
    let severities = [("WARN", Colour::Fair), ("ERROR", Colour::Bad), ("FATAL", Colour::Strong)];
    for (severity, colour) in severities {
        logs = logs.paint(severity, colour);
    }
    let calls = Panel::lines(
        Lines::Beside,
        "Errors of calls to others",
        "Share of this service's own calls that failed, by what it called, where any did.",
    )
    .query(Query::over_time(
        "{{operation}}",
        format!("({}) > 0", error_ratio(TOTAL, CALLS, "operation", Over::Step)),
    ))
    .unit(Unit::Ratio)
    .zero_based()
    .empty("No failed calls");
    let waits = Panel::lines(
        Lines::Beside,
        "Duration of calls to others, 95th percentile",
        "How long this service waits for others, by what it calls.",
    )
    .query(Query::over_time("{{operation}}", duration("0.95", CALLS, "operation", Over::Step)))
    .unit(Unit::Seconds)
    .zero_based()
    .empty("No calls");
    Row::titled("Logs and calls", 9).panel(logs).panel(calls).panel(waits)
}
