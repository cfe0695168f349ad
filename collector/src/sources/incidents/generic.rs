//! The hook for whatever has no tongue of its own: redora's record as a request body, one or an
//! array of them, and the bodies of Apache DevLake's incident webhook, so that a script written for
//! that needs a new address and nothing else.
//!
//! DevLake's shape is told by its `issueKey` and is not strict, as there. Of it are read:
//! `issueKey` as the id, `createdDate`, `resolutionDate`, `updatedDate`, `status` (`DONE` is over),
//! `type` (other than `INCIDENT` is passed over), `component` as the service, `title`, `severity`
//! or else `priority`, `url`. A body that reopens an incident needs its `updatedDate`, or the end
//! stays the later version.

use redora_model::fact::Fact;
use serde::Deserialize;
use serde_json::Value;

use super::moment::Moment;
use super::reading::{self, Fault, Id, Origin, Reading};
use super::record::{self, Record};
use super::turns::{self, Step};

/// The incidents of a body.
///
/// # Errors
/// The body is no JSON. Of an array each bad element is a reject of its own.
pub fn read(body: &[u8], origin: &Origin) -> Result<Reading, Fault> {
    let elements = match serde_json::from_slice(body)? {
        Value::Array(elements) => elements,
        element => vec![element],
    };
    Reading::of(elements, |element| one(element, origin))
}

fn one(element: Value, origin: &Origin) -> Result<Option<Fact>, Fault> {
    if element.get("issueKey").is_some() {
        return issue(serde_json::from_value(element)?, origin);
    }
    let record: Record = serde_json::from_value(element)?;
    record::fact(record, origin).map(Some)
}

/// An issue as DevLake's webhook takes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issue {
    issue_key: Id,
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<String>,
    created_date: Moment,
    resolution_date: Option<Moment>,
    updated_date: Option<Moment>,
    component: Option<String>,
    title: Option<String>,
    severity: Option<String>,
    priority: Option<String>,
    url: Option<String>,
}

fn issue(issue: Issue, origin: &Origin) -> Result<Option<Fact>, Fault> {
    if issue.kind.is_some_and(|kind| !kind.is_empty() && !kind.eq_ignore_ascii_case("incident")) {
        return Ok(None);
    }
    let over = match issue.status {
        Some(status) => status.eq_ignore_ascii_case("done"),
        None => issue.resolution_date.is_some(),
    };
    let mut steps = Vec::new();
    if over {
        let Moment(at_ms) = issue.resolution_date.or(issue.updated_date).ok_or(Fault::Endless)?;
        steps.push((at_ms, Step::Over));
    }
    let mut incident = reading::incident(issue.created_date);
    incident.changes = turns::turns(steps);
    let times = [Some(issue.created_date), issue.updated_date].into_iter().flatten();
    let as_of_ms = turns::as_of_ms(times.map(|Moment(ms)| ms), &incident.changes);
    incident.service = reading::service(issue.component);
    incident.title = issue.title.unwrap_or_default();
    incident.severity =
        issue.severity.filter(|word| !word.is_empty()).or(issue.priority).unwrap_or_default();
    incident.url = issue.url.unwrap_or_default();
    Ok(Some(origin.fact(issue.issue_key.named()?, as_of_ms, incident)))
}

#[cfg(test)]
mod tests;
