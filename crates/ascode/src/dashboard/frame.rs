//! What frames several boards alike: whom they ask about, and which moments they mark.

use super::board::Marker;
use super::style::Colour;
use super::table::Link;
use super::variable::Variable;

/// Which agents are asked: every metric has both labels from the scrape.
pub(crate) const AGENTS: [Variable; 2] = [
    Variable::any("job", "Job", "redora_build_info"),
    Variable::any("instance", "Instance", "redora_build_info"),
];

/// Agents, tenant and then more, for what is derived from telemetry.
pub(crate) fn telemetry(further: &[Variable]) -> Vec<Variable> {
    [&AGENTS[..], &[tenant("redora_requests_total")], further].concat()
}

/// Agents, tenant and then more, for what the delivery half finds.
pub(crate) fn delivery(further: &[Variable]) -> Vec<Variable> {
    [&AGENTS[..], &[tenant("redora_dora_deployments")], further].concat()
}

/// A label that is there only where tenants are kept apart.
const fn tenant(metric: &'static str) -> Variable {
    Variable::any_or_none("tenant", "Tenant", metric)
}

/// First requests of versions. One that was served an hour before is no arrival: an agent started
/// anew and saw it for its own first time.
pub(crate) const ARRIVALS: Marker = Marker {
    name: "First requests of versions",
    colour: Colour::Plain,
    expr: "1000 * (
        min by (service, version, revision, environment)
          (redora_version_first_seen_timestamp_seconds{SCOPE})
        unless on (service, version, environment)
          redora_version_first_seen_timestamp_seconds{SCOPE} offset 1h)",
    title: "{{service}} {{version}}",
    text: "First request served in {{environment}}, revision {{revision}}",
    tags: "service,version,environment",
};

/// Deployments as the pipeline tells them.
pub(crate) const FINISHES: Marker = Marker {
    name: "Finished deployments",
    colour: Colour::Strong,
    expr: "1000 * max by (service, environment)
        (redora_dora_last_deployment_timestamp_seconds{SCOPE})",
    title: "{{service}} deployed",
    text: "The pipeline finished in {{environment}}",
    tags: "service,environment",
};

/// From a service in a table to its own board.
pub(crate) const TO_SERVICE: Link =
    Link { title: "This service in detail", uid: "redora-service", variable: "service" };
