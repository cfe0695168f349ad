//! redora's own record of an incident, for logs that people or scripts write. Its keys are strict,
//! unlike those of the vendors' payloads: a misspelt `resolved_at` would leave an incident open for
//! ever.
//!
//! Format: a JSON object.
//!
//! | key | what | when absent |
//! | --- | --- | --- |
//! | `id` | text or whole number; records of one id are versions | an error |
//! | `started_at` | when the disruption began | an error |
//! | `resolved_at` | when it ended | see `updates` |
//! | `updates` | `[{"at": …, "status": …}]`, in any order | open until `resolved_at` |
//! | `updated_at` | when the record was written | the latest time in it |
//! | `service`, `environment` | what was hit, and where | as configured for the source |
//! | `kind` | `disruption`, `maintenance`, `drill`, `declined` | `disruption` |
//! | `title`, `severity`, `url` | texts | empty |
//! | `deployment` | the id of the deployment that caused it | not known |
//!
//! A `status` is `open`, `reopened`, `resolved`, `note` or one of Statuspage's words. Only a
//! `disruption` can be a failure. Of two records the one with the later `updated_at` holds.
//!
//! A time is RFC 3339 with an offset, or a number: below 100,000,000,000 seconds since 1970 UTC,
//! from there on milliseconds. `null` is absent. A correction that makes an incident shorter needs
//! an `updated_at`, or the longer version stays the later one.

use redora_model::fact::{Fact, Nature};
use serde::Deserialize;

use super::moment::Moment;
use super::reading::{self, Fault, Id, Origin};
use super::turns::{self, Step};

/// A record as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    id: Id,
    started_at: Moment,
    resolved_at: Option<Moment>,
    updates: Option<Vec<Update>>,
    updated_at: Option<Moment>,
    service: Option<String>,
    environment: Option<String>,
    kind: Option<Nature>,
    title: Option<String>,
    severity: Option<String>,
    url: Option<String>,
    deployment: Option<Id>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    at: Moment,
    status: Status,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    #[serde(
        alias = "reopened",
        alias = "investigating",
        alias = "Investigating",
        alias = "identified",
        alias = "Identified",
        alias = "monitoring",
        alias = "Monitoring"
    )]
    Open,
    #[serde(alias = "Resolved")]
    Resolved,
    #[serde(alias = "update", alias = "Update", alias = "postmortem", alias = "Postmortem")]
    Note,
}

/// The fact that a line of a log states.
pub(super) fn line(bytes: &[u8], origin: &Origin) -> Result<Fact, Fault> {
    fact(serde_json::from_slice(bytes)?, origin)
}

/// The fact that a record states.
pub(super) fn fact(record: Record, origin: &Origin) -> Result<Fact, Fault> {
    let mut steps: Vec<_> =
        record.resolved_at.map(|Moment(at)| (at, Step::Over)).into_iter().collect();
    let mut latest_ms = record.started_at.0;
    for Update { at: Moment(at_ms), status } in record.updates.unwrap_or_default() {
        latest_ms = latest_ms.max(at_ms);
        steps.push((
            at_ms,
            match status {
                Status::Open => Step::Open,
                Status::Resolved => Step::Over,
                Status::Note => Step::Said,
            },
        ));
    }
    let mut incident = reading::incident(record.started_at);
    incident.changes = turns::turns(steps);
    let as_of_ms = match record.updated_at {
        Some(Moment(ms)) => ms,
        None => turns::as_of_ms([latest_ms], &incident.changes),
    };
    incident.service = reading::service(record.service);
    incident.environment = reading::environment(record.environment);
    incident.nature = record.kind.unwrap_or_default();
    incident.title = record.title.unwrap_or_default();
    incident.severity = record.severity.unwrap_or_default();
    incident.url = record.url.unwrap_or_default();
    incident.deployment = record.deployment.map(Id::named).transpose()?;
    Ok(origin.fact(record.id.named()?, as_of_ms, incident))
}

#[cfg(test)]
mod tests {
    use redora_model::fact::{Incident, Turn, What};

    use super::*;

    fn read(text: &str) -> Result<(i64, Incident), Fault> {
        let origin = Origin { source: "jsonl:log".to_owned(), service: None, environment: None };
        let fact = line(text.as_bytes(), &origin)?;
        let What::Incident(incident) = fact.what else { panic!("no incident") };
        Ok((fact.as_of_ms, incident))
    }

    #[test]
    fn every_key_of_the_format_is_read() {
        let text = r#"{"id": 17, "started_at": "2024-03-01T12:00:00Z",
            "updates": [{"at": "2024-03-01T12:30:00Z", "status": "resolved"},
                        {"at": 1709294700, "status": "Identified"},
                        {"at": "2024-03-01T14:00:00+01:00", "status": "reopened"},
                        {"at": 1709299200000, "status": "resolved"},
                        {"at": "2024-03-02T08:00:00Z", "status": "note"}],
            "updated_at": "2024-03-03T00:00:00Z", "service": "shop", "environment": "production",
            "kind": "drill", "title": "Checkout slow", "severity": "sev2",
            "url": "https://wiki.example/17", "deployment": 99}"#;
        let (as_of_ms, incident) = read(text).expect("an incident");
        assert_eq!(as_of_ms, 1_709_424_000_000);
        assert_eq!(
            incident,
            Incident {
                service: reading::service(Some("shop".to_owned())),
                environment: reading::environment(Some("production".to_owned())),
                title: "Checkout slow".to_owned(),
                severity: "sev2".to_owned(),
                nature: Nature::Drill,
                started_ms: 1_709_294_400_000,
                changes: vec![
                    Turn { at_ms: 1_709_296_200_000, resolved: true },
                    Turn { at_ms: 1_709_298_000_000, resolved: false },
                    Turn { at_ms: 1_709_299_200_000, resolved: true },
                ],
                deployment: Some("99".to_owned()),
                url: "https://wiki.example/17".to_owned(),
            }
        );
    }

    #[test]
    fn without_updated_at_the_end_is_later_than_the_beginning_and_a_note_later_still() {
        let as_of = |rest: &str| {
            let text = format!(r#"{{"id": "a", "started_at": 1709294400{rest}}}"#);
            read(&text).expect("an incident").0 - 1_709_294_400_000
        };
        assert_eq!(as_of(""), 0);
        assert_eq!(as_of(r#", "resolved_at": null"#), 0);
        assert_eq!(as_of(r#", "resolved_at": 1709294400"#), 1);
        assert_eq!(as_of(r#", "resolved_at": 1709294460"#), 60_001);
        assert_eq!(as_of(r#", "updates": [{"at": 1709294500, "status": "note"}]"#), 100_000);
    }

    #[test]
    fn a_misspelt_word_is_an_error_and_not_an_open_incident() {
        for (rest, words) in [
            (r#""resolved": 1709294460"#, "unknown field `resolved`"),
            (r#""kind": "test""#, "unknown variant `test`"),
            (r#""updates": [{"at": 1709294460, "status": "done"}]"#, "unknown variant `done`"),
            (r#""updates": [{"at": 1709294460, "state": "open"}]"#, "unknown field `state`"),
            (r#""deployment": "  ""#, "id that is not empty"),
        ] {
            let text = format!(r#"{{"id": "a", "started_at": 1709294400, {rest}}}"#);
            let fault = read(&text).expect_err(rest).to_string();
            assert!(fault.contains(words), "{rest}: {fault}");
        }
    }
}
