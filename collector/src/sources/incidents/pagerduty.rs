//! PagerDuty's webhooks, version 3: proved by their signature, then read for what became of an
//! incident. Each event tells one moment and not the history, so an incident that came back holds
//! its last end only, and its recovery runs to that one.
//!
//! Signature: `X-PagerDuty-Signature: v1=…,v1=…`, each the HMAC-SHA256 of the raw body in
//! hexadecimal; while secrets are exchanged there are several, and one that fits is enough.

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use redora_model::fact::{Fact, Nature, Turn};
use redora_model::identity::Service;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use super::super::hooks::digest;
use super::moment::Moment;
use super::reading::{self, Fault, Id, Origin, Reading};

/// How incidents are understood.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who speaks.
    pub origin: Origin,
    /// Services by the id or the name of PagerDuty's; one that is not here keeps its name there.
    pub services: BTreeMap<String, Service>,
}

/// Why a delivery is not proved to be PagerDuty's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// No signature came with it.
    #[error("no X-PagerDuty-Signature header; is this a version 3 webhook?")]
    Absent,
    /// The header holds no signature of a known version.
    #[error("X-PagerDuty-Signature holds no `v1=` with 64 hexadecimal digits")]
    Form,
    /// The body or the secret is another one.
    #[error("no signature matches; is the secret the one shown when the webhook was made?")]
    Other,
}

/// Proves that a body was signed with `secret`, in a time that does not depend on where a signature
/// differs. Only the first sixteen are looked at.
///
/// # Errors
/// There is no signature, or none of this body and secret.
pub fn verify(secret: &[u8], signatures: Option<&[u8]>, body: &[u8]) -> Result<(), Unproved> {
    let signatures = signatures.ok_or(Unproved::Absent)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(body);
    let mut verdict = Err(Unproved::Form);
    let parts = signatures.split(|byte| *byte == b',').take(SIGNATURES_MAX);
    for digits in parts.filter_map(|part| part.trim_ascii().strip_prefix(b"v1=")) {
        let Some(signature) = digest(digits) else { continue };
        match mac.clone().verify_slice(&signature) {
            Ok(()) => return Ok(()),
            Err(_) => verdict = Err(Unproved::Other),
        }
    }
    verdict
}

/// The incident that an event tells of; nothing for events that say nothing of its course.
///
/// # Errors
/// The body is no event, or one of an incident without what an incident needs.
pub fn read(body: &[u8], config: &Config) -> Result<Reading, Fault> {
    let Delivery { event } = serde_json::from_slice(body)?;
    let fact = fact(event, config)?;
    Ok(Reading { facts: fact.into_iter().collect(), ..Reading::default() })
}

fn fact(event: Event, config: &Config) -> Result<Option<Fact>, Fault> {
    let Some(rank) = rank(&event.event_type) else { return Ok(None) };
    let data: Data = serde_json::from_value(event.data)?;
    let over = event.event_type == "incident.resolved";
    if data.status == "resolved" && !over {
        // A later word on a closed incident, which does not say when it closed.
        return Ok(None);
    }
    let Moment(at_ms) = event.occurred_at;
    let mut incident = reading::incident(data.created_at);
    if over || event.event_type == "incident.reopened" {
        incident.changes.push(Turn { at_ms, resolved: over });
    }
    incident.service = data.service.and_then(|named| config.service(named));
    incident.title = data.title.unwrap_or_default();
    let priority = data.priority.map(|priority| priority.summary);
    incident.severity = priority.or(data.urgency).unwrap_or_default();
    if data.resolve_reason.is_some_and(|reason| reason.kind == "merge_resolve_reason") {
        incident.nature = Nature::Declined;
    }
    incident.url = data.html_url.unwrap_or_default();
    Ok(Some(config.origin.fact(data.id.named()?, at_ms + rank, incident)))
}

/// What is later of two events of the same time, in milliseconds: PagerDuty may write whole
/// seconds, and an incident can open and close in one. `None` for events that are passed over.
fn rank(event_type: &str) -> Option<i64> {
    match event_type {
        "incident.triggered"
        | "incident.acknowledged"
        | "incident.unacknowledged"
        | "incident.escalated"
        | "incident.delegated"
        | "incident.reassigned"
        | "incident.priority_updated"
        | "incident.service_updated" => Some(0),
        "incident.resolved" => Some(1),
        "incident.reopened" => Some(2),
        _ => None,
    }
}

impl Config {
    fn service(&self, named: Named) -> Option<Service> {
        let known = self.services.get(&named.id).or_else(|| self.services.get(&named.summary));
        known.cloned().or_else(|| reading::service(Some(named.summary)))
    }
}

#[derive(Debug, Deserialize)]
struct Delivery {
    event: Event,
}

#[derive(Debug, Deserialize)]
struct Event {
    event_type: String,
    occurred_at: Moment,
    #[serde(default)]
    data: Value,
}

#[derive(Debug, Deserialize)]
struct Data {
    id: Id,
    status: String,
    created_at: Moment,
    title: Option<String>,
    service: Option<Named>,
    priority: Option<Named>,
    urgency: Option<String>,
    resolve_reason: Option<Reason>,
    html_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    id: String,
    #[serde(default)]
    summary: String,
}

#[derive(Debug, Deserialize)]
struct Reason {
    #[serde(rename = "type", default)]
    kind: String,
}

/// Two stand in a header while secrets are exchanged.
const SIGNATURES_MAX: usize = 16;

#[cfg(test)]
mod tests;
