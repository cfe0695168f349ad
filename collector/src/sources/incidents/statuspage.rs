//! Histories in the manner of Statuspage: its public `/api/v2/incidents.json` and
//! `scheduled-maintenances.json`, and logs of one such incident a line. They are the one source
//! that carries its whole history in each version, so nothing is pieced together here.
//!
//! `impact` decides what an incident is: `maintenance` is planned work, and `none` disturbed nobody
//! unless [`Config::none_is_disruption`] says otherwise. An incident that became open again after
//! an end has come back; `Update` and `Postmortem` change nothing. `updated_at` dates the version;
//! a log without it is dated by the latest time in it.

use std::collections::BTreeMap;

use redora_model::fact::{Fact, Nature};
use redora_model::identity::Service;
use serde::Deserialize;
use serde_json::Value;

use super::moment::Moment;
use super::reading::{self, Fault, Id, Origin, Reading};
use super::turns::{self, Step};

/// How a page is understood.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who speaks.
    pub origin: Origin,
    /// Whether an incident of impact `none` is a disruption all the same.
    pub none_is_disruption: bool,
    /// Services by the names of the page's components; an incident is of the first one named here.
    pub services: BTreeMap<String, Service>,
}

/// The incident of a line.
///
/// # Errors
/// The line is none.
pub fn line(bytes: &[u8], config: &Config) -> Result<Fact, Fault> {
    fact(serde_json::from_slice(bytes)?, config)
}

/// The incidents and maintenances of a page.
///
/// # Errors
/// The body is no page. Each bad incident is a reject of its own.
pub fn read(body: &[u8], config: &Config) -> Result<Reading, Fault> {
    let page: Page = serde_json::from_slice(body)?;
    Reading::of(page.incidents, |element| fact(serde_json::from_value(element)?, config).map(Some))
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(alias = "scheduled_maintenances")]
    incidents: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    id: Id,
    #[serde(alias = "title")]
    name: Option<String>,
    impact: Option<String>,
    started_at: Option<Moment>,
    created_at: Option<Moment>,
    scheduled_for: Option<Moment>,
    resolved_at: Option<Moment>,
    updated_at: Option<Moment>,
    #[serde(alias = "url")]
    shortlink: Option<String>,
    #[serde(alias = "updates")]
    incident_updates: Option<Vec<Update>>,
    components: Option<Vec<Component>>,
}

#[derive(Debug, Deserialize)]
struct Update {
    status: String,
    display_at: Option<Moment>,
    #[serde(alias = "at")]
    created_at: Option<Moment>,
}

#[derive(Debug, Deserialize)]
struct Component {
    #[serde(default)]
    name: String,
}

fn fact(entry: Entry, config: &Config) -> Result<Fact, Fault> {
    let impact = entry.impact.unwrap_or_default();
    let nature = match impact.as_str() {
        "maintenance" => Nature::Maintenance,
        "none" if !config.none_is_disruption => Nature::Declined,
        _ => Nature::Disruption,
    };
    let started = entry.scheduled_for.filter(|_| nature == Nature::Maintenance);
    let started = started.or(entry.started_at).or(entry.created_at).ok_or(Fault::Beginless)?;
    // Planned work is told of beforehand, and may be moved: its beginning dates no version.
    let told = entry.created_at.or(entry.started_at).unwrap_or(started);
    let mut times = vec![told.0];
    let mut steps: Vec<_> =
        entry.resolved_at.map(|Moment(at_ms)| (at_ms, Step::Over)).into_iter().collect();
    for update in entry.incident_updates.unwrap_or_default() {
        // What is displayed is the corrected time; when it was written only dates the version.
        times.extend(update.created_at.map(|Moment(ms)| ms));
        let at = update.display_at.or(update.created_at);
        steps.extend(at.map(|Moment(at_ms)| (at_ms, turns::step(&update.status))));
    }
    let mut incident = reading::incident(started);
    incident.changes = turns::turns(steps);
    let components = entry.components.unwrap_or_default();
    incident.service =
        components.iter().find_map(|component| config.services.get(&component.name)).cloned();
    incident.nature = nature;
    incident.title = entry.name.unwrap_or_default();
    incident.severity = impact;
    incident.url = entry.shortlink.unwrap_or_default();
    let as_of_ms = match entry.updated_at {
        Some(Moment(ms)) => ms,
        None => turns::as_of_ms(times, &incident.changes),
    };
    Ok(config.origin.fact(entry.id.named()?, as_of_ms, incident))
}

#[cfg(test)]
mod tests;
