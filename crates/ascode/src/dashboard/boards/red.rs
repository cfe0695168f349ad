//! The board to open first: all services at once, the sick ones on top.

use crate::dashboard::board::{Board, Row};
use crate::dashboard::frame::{ARRIVALS, TO_SERVICE, telemetry};
use crate::dashboard::kind::Lines;
use crate::dashboard::panel::Panel;
use crate::dashboard::query::{Over, Query, SERVED, duration, error_ratio, requests};
use crate::dashboard::style::{Bands, Unit};
use crate::dashboard::table::Table;
use crate::dashboard::variable::Variable;

const TOTAL: &str = "redora_requests_total";
/// Shares of errors that deserve a look, where no objective says otherwise.
const ERRORS: Bands = Bands::Low(0.01, 0.05);
const IDLE: &str = "No requests";

pub(super) fn board() -> Board {
    Board {
        uid: "redora-red",
        title: "RED overview",
        question: "Which services are slow or failing right now?",
        since: "now-6h",
        refresh: "30s",
        variables: telemetry(&[Variable::any("service", "Service", TOTAL)]),
        markers: vec![ARRIVALS],
        rows: vec![headline(), graphs(), services()],
    }
}

fn headline() -> Row {
    let rate = Panel::course("Requests", "Requests that the services answered, by second.")
        .query(Query::over_time("requests", requests(TOTAL, SERVED, "", Over::Step)))
        .unit(Unit::RequestsPerSecond)
        .empty(IDLE);
    let errors = Panel::stat(
        "Errors",
        "Share of failed requests among all requests of the shown time, each request weighing the \
         same.",
    )
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
    let sick = Panel::stat(
        "Services with errors",
        "Services where more than 1 % of the requests of the shown time failed.",
    )
    .query(Query::now(
        "services",
        format!("sum(({}) > bool 0.01)", error_ratio(TOTAL, SERVED, "service", Over::Shown)),
    ))
    .bands(Bands::Low(1.0, 2.0))
    .empty(IDLE);
    Row::first(4).panel(rate).panel(errors).panel(slow).panel(sick)
}

fn graphs() -> Row {
    let by = "service";
    let rate = Panel::lines(Lines::Beside, "Rate", "Requests answered by second, by service.")
        .query(Query::over_time("{{service}}", requests(TOTAL, SERVED, by, Over::Step)))
        .unit(Unit::RequestsPerSecond)
        .zero_based()
        .empty(IDLE);
    let errors = Panel::lines(
        Lines::Beside,
        "Errors",
        "Share of requests that failed, by service; no line where there were no requests.",
    )
    .query(Query::over_time("{{service}}", error_ratio(TOTAL, SERVED, by, Over::Step)))
    .unit(Unit::Ratio)
    .zero_based()
    .empty(IDLE);
    let slow = Panel::lines(
        Lines::Beside,
        "Duration, 95th percentile",
        "19 of 20 requests were faster than this, by service.",
    )
    .query(Query::over_time("{{service}}", duration("0.95", SERVED, by, Over::Step)))
    .unit(Unit::Seconds)
    .zero_based()
    .empty(IDLE);
    Row::titled("Rate, errors and duration", 9).panel(rate).panel(errors).panel(slow)
}

fn services() -> Row {
    let by = "service";
    let table = Table::default()
        .label("service", "Service")
        .linked(TO_SERVICE)
        .value("Requests", Unit::Count, requests(TOTAL, SERVED, by, Over::Shown))
        .banded("Errors", Unit::Ratio, ERRORS, error_ratio(TOTAL, SERVED, by, Over::Shown))
        .value("Median", Unit::Seconds, duration("0.5", SERVED, by, Over::Shown))
        .value("95th percentile", Unit::Seconds, duration("0.95", SERVED, by, Over::Shown))
        .value("99th percentile", Unit::Seconds, duration("0.99", SERVED, by, Over::Shown))
        .sorted_by("Errors");
    let services = Panel::table(
        "Services in the shown time",
        "Each service over the whole shown time, the one with the largest share of errors first. \
         A service leads to its own board.",
        table,
    )
    .empty(IDLE);
    Row::titled("Services", 10).panel(services)
}
