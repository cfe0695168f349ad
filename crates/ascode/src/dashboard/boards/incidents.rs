//! What happened, in its order: deployments as markers through open incidents, firing alerts and
//! errors, on one axis.

use crate::dashboard::board::{Board, Row};
use crate::dashboard::frame::{ARRIVALS, FINISHES, TO_SERVICE, delivery};
use crate::dashboard::kind::{Lines, State};
use crate::dashboard::panel::Panel;
use crate::dashboard::query::{Over, Query, SERVED, error_ratio};
use crate::dashboard::style::{Bands, Colour, Unit};
use crate::dashboard::table::Table;
use crate::dashboard::variable::Variable;

const CALM: State = State { from: 0.0, to: Some(0.5), text: "none", colour: Colour::Good };
const OPEN: &[State] = &[
    CALM,
    State { from: 0.5, to: Some(1.5), text: "1 open", colour: Colour::Bad },
    State { from: 1.5, to: None, text: "several open", colour: Colour::Strong },
];
const FIRING: &[State] = &[
    State { from: 0.5, to: Some(1.5), text: "notice", colour: Colour::Plain },
    State { from: 1.5, to: Some(2.5), text: "ticket", colour: Colour::Fair },
    State { from: 2.5, to: None, text: "page", colour: Colour::Bad },
];

pub(super) fn board() -> Board {
    Board {
        uid: "redora-incidents",
        title: "Incident timeline",
        question: "What came first: the deployment, the errors, or the alert?",
        since: "now-24h",
        refresh: "1m",
        variables: delivery(&[
            Variable::any("service", "Service", "redora_dora_incidents_open"),
            Variable::any_or_none("environment", "Environment", "redora_dora_incidents_open"),
        ]),
        markers: vec![ARRIVALS, FINISHES],
        rows: vec![headline(), timeline(), causes()],
    }
}

fn headline() -> Row {
    let open = Panel::stat("Open incidents", "Incidents that are not over now.")
        .query(Query::now("incidents", "sum(redora_dora_incidents_open{SCOPE})"))
        .bands(Bands::Low(1.0, 2.0))
        .empty("No incidents known");
    let failed = Panel::stat(
        "Failed deployments",
        "Deployments found in the shown time to have failed, by an incident, a burned budget, or \
         their rollback.",
    )
    .query(Query::now(
        "deployments",
        "sum(increase(redora_dora_change_failures_total{SCOPE}[$__range]))",
    ))
    .bands(Bands::Low(1.0, 3.0))
    .empty("No deployments known");
    let pending = Panel::stat(
        "Verdicts pending",
        "Deployments so fresh that an incident or a burn may still be theirs.",
    )
    .query(Query::now("deployments", "sum(redora_dora_verdicts_pending{SCOPE})"))
    .empty("No deployments known");
    let recovery = Panel::stat(
        "Recovery, median of 30 days",
        "Time from a failed deployment to its recovery, of the slowest service that is picked.",
    )
    .query(Query::now(
        "median",
        r#"max(redora_dora_failed_deployment_recovery_seconds{SCOPE, window="30d",
             quantile="0.5"})"#,
    ))
    .unit(Unit::Seconds)
    .bands(Bands::Low(3_600.0, 86_400.0))
    .empty("No failed deployment");
    Row::first(4).panel(open).panel(failed).panel(pending).panel(recovery)
}

fn timeline() -> Row {
    let open = Panel::states(
        OPEN,
        "Open incidents",
        "Whether incidents were open, by service and environment.",
    )
    .query(Query::over_time(
        "{{service}} {{environment}}",
        "sum by (service, environment) (redora_dora_incidents_open{SCOPE})",
    ))
    .empty("No incidents known");
    let firing = Panel::states(
        FIRING,
        "Alerts",
        "Alerts of these services that fired, by what they ask for: a page, a ticket or a look.",
    )
    .query(Query::over_time(
        "{{alertname}} {{service}}",
        r#"max by (alertname, service) (
             3 * ALERTS{alertstate="firing", service=~"$service", severity="page"}
             or 2 * ALERTS{alertstate="firing", service=~"$service", severity="ticket"}
             or ALERTS{alertstate="firing", service=~"$service"})"#,
    ))
    .empty("No alert fired");
    let errors = Panel::lines(
        Lines::Beside,
        "Errors",
        "Share of requests that failed, by service; markers are deployments.",
    )
    .query(Query::over_time(
        "{{service}}",
        error_ratio("redora_requests_total", SERVED, "service", Over::Step).replace(
            "SCOPE",
            r#"job=~"$job", instance=~"$instance", tenant=~"$tenant", service=~"$service""#,
        ),
    ))
    .unit(Unit::Ratio)
    .zero_based()
    .empty("No requests");
    Row::titled("Timeline", 10).panel(open.wide(8)).panel(firing.wide(8)).panel(errors)
}

fn causes() -> Row {
    let causes = Panel::lines(
        Lines::Bars,
        "Failed deployments of the day before",
        "Deployments found to have failed in the 24 hours before each moment, by what told so.",
    )
    .query(Query::over_time(
        "{{cause}}",
        "sum by (cause) (increase(redora_dora_change_failures_total{SCOPE}[1d]))",
    ))
    .paint("incident", Colour::Bad)
    .paint("burn", Colour::Strong)
    .paint("rollback", Colour::Fair)
    .zero_based()
    .empty("No deployments known");
    let by = "service, environment";
    let table = Table::default()
        .label("service", "Service")
        .linked(TO_SERVICE)
        .label("environment", "Environment")
        .value(
            "Last deployment",
            Unit::Ago,
            format!(
                "1000 * max by ({by}) (redora_dora_last_deployment_timestamp_seconds{{SCOPE}})"
            ),
        )
        .banded(
            "Open incidents",
            Unit::Count,
            Bands::Low(1.0, 2.0),
            format!("sum by ({by}) (redora_dora_incidents_open{{SCOPE}})"),
        )
        .value(
            "Pending",
            Unit::Count,
            format!("sum by ({by}) (redora_dora_verdicts_pending{{SCOPE}})"),
        )
        .value(
            "Failed",
            Unit::Count,
            format!(
                "sum by ({by}) (increase(redora_dora_change_failures_total{{SCOPE}}[$__range]))"
            ),
        )
        .value(
            "Rollbacks",
            Unit::Count,
            format!("sum by ({by}) (increase(redora_dora_rollbacks_total{{SCOPE}}[$__range]))"),
        )
        .sorted_by("Open incidents");
    let places = Panel::table(
        "Suspects",
        "Each service with its last deployment; failures and rollbacks of the shown time.",
        table,
    )
    .wide(15)
    .empty("No deployments known");
    Row::titled("Causes", 9).panel(causes).panel(places)
}
