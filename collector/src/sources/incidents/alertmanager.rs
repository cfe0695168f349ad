//! Alertmanager's webhook, version 4, and Grafana's, version 1, which says the same and is told by
//! the organization that it names: each alert of a notification is an incident by its fingerprint
//! and beginning, whatever group it is told in, because groups are cut and told again at will.
//!
//! A firing alert is as of its beginning, a resolved one as of its end, so a `firing` that arrives
//! late never opens what is over. The group's own fields are not kept: they differ between
//! notifications of one alert.

use std::collections::BTreeMap;

use redora_model::fact::{Fact, Nature, Turn};
use serde::Deserialize;
use serde_json::Value;

use super::moment::Moment;
use super::reading::{self, Fault, Origin, Reading};

/// How alerts are understood.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who speaks.
    pub origin: Origin,
    /// The label that names the service.
    pub service_label: String,
    /// The label that names the environment.
    pub environment_label: String,
    /// The label that names the severity; `none`, as of a watchdog, is no disruption.
    pub severity_label: String,
    /// The label whose values `maintenance`, `drill` and `declined` say that it is no disruption.
    pub kind_label: String,
}

impl Config {
    /// The labels that alerts have by custom.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            service_label: "service".to_owned(),
            environment_label: "environment".to_owned(),
            severity_label: "severity".to_owned(),
            kind_label: "kind".to_owned(),
        }
    }
}

/// The alerts of a notification.
///
/// # Errors
/// The body is no notification, or of another version. Each bad alert is a reject of its own.
pub fn read(body: &[u8], config: &Config) -> Result<Reading, Fault> {
    let notification: Notification = serde_json::from_slice(body)?;
    let known = if notification.org_id.is_some() { "1" } else { "4" };
    if notification.version != known {
        return Err(Fault::Version(notification.version));
    }
    let mut reading = Reading::of(notification.alerts, |element| {
        fact(serde_json::from_value(element)?, config).map(Some)
    })?;
    reading.left_out = notification.truncated_alerts.unwrap_or_default();
    Ok(reading)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    version: String,
    /// Of Grafana alone.
    org_id: Option<u64>,
    truncated_alerts: Option<u64>,
    alerts: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: Status,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Moment,
    /// Of a firing alert this is when it would expire, or the year 1: it is read only of a resolved
    /// one.
    #[serde(default)]
    ends_at: Value,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

fn fact(alert: Alert, config: &Config) -> Result<Fact, Fault> {
    if alert.fingerprint.trim().is_empty() {
        return Err(Fault::Nameless);
    }
    let Moment(started_ms) = alert.starts_at;
    let label = |name: &str| alert.labels.get(name).cloned();
    let mut incident = reading::incident(alert.starts_at);
    let mut as_of_ms = started_ms;
    if alert.status == Status::Resolved {
        let end = serde_json::from_value(alert.ends_at).map_err(|_| Fault::Endless)?;
        let Moment(at_ms) = end;
        incident.changes.push(Turn { at_ms, resolved: true });
        // Clocks differ: an end before the beginning is still the later word.
        as_of_ms = at_ms.max(started_ms + 1);
    }
    incident.service = reading::service(label(&config.service_label));
    incident.environment = reading::environment(label(&config.environment_label));
    incident.severity = label(&config.severity_label).unwrap_or_default();
    incident.nature = match label(&config.kind_label).as_deref() {
        Some("maintenance") => Nature::Maintenance,
        Some("drill") => Nature::Drill,
        Some("declined") => Nature::Declined,
        _ if incident.severity == "none" => Nature::Declined,
        _ => Nature::Disruption,
    };
    let summary = alert.annotations.get("summary").cloned();
    incident.title = summary.or_else(|| label("alertname")).unwrap_or_default();
    incident.url = alert.generator_url;
    let id = format!("{}/{started_ms}", alert.fingerprint);
    Ok(config.origin.fact(id, as_of_ms, incident))
}

#[cfg(test)]
mod tests;
