//! GitHub's webhooks as hints: a delivery is proved to be GitHub's by its signature and then says
//! only which object to read again. What a payload claims about the object is not believed, because
//! deliveries come late, twice, out of order or not at all; the object itself is the truth.
//!
//! Signature: `X-Hub-Signature-256: sha256=` and the HMAC-SHA256 of the raw body in hexadecimal,
//! keyed with the hook's secret.

use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// Proves that a body was signed with `secret`, in a time that does not depend on where they
/// differ.
///
/// # Errors
/// The signature is absent, malformed, or another body's or secret's.
pub fn verify(secret: &[u8], signature: Option<&[u8]>, body: &[u8]) -> Result<(), Unproved> {
    let signature = signature.ok_or(Unproved::Absent)?;
    let digits = signature.strip_prefix(b"sha256=").ok_or(Unproved::Form)?;
    let signature = digest(digits).ok_or(Unproved::Form)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(body);
    mac.verify_slice(&signature).map_err(|_| Unproved::Other)
}

/// Why a delivery is not proved to be GitHub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// No signature came with it.
    #[error("no X-Hub-Signature-256 header; is a secret set at the hook?")]
    Absent,
    /// The header holds something else.
    #[error("X-Hub-Signature-256 is not `sha256=` and 64 hexadecimal digits")]
    Form,
    /// The body or the secret is another one.
    #[error("the signature does not match; is the hook's secret the one of `webhook_secret`?")]
    Other,
}

/// What a delivery asks to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The repository's name when the delivery was made; it may have been renamed since.
    pub repository: String,
    /// The repository's number, which no renaming changes.
    pub repository_id: u64,
    /// The object.
    pub object: Object,
}

/// An object of a repository, by what it is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A deployment with its statuses, by id.
    Deployment(u64),
    /// A run of a workflow, by id.
    Run(u64),
    /// A pull request with its commits and reviews, by number.
    PullRequest(u64),
    /// An issue with its timeline, by number.
    Issue(u64),
    /// A release, by id.
    Release(u64),
    /// A branch or tag that is new or moved: its full name, and where it stands now, where that is
    /// told and it was not deleted.
    Ref {
        /// `refs/heads/main`, `refs/tags/v1`.
        name: String,
        /// The commit's SHA.
        after: Option<String>,
    },
}

/// Why a proved delivery could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HookFault {
    /// The body is no JSON, or lacks what identifies the object.
    #[error("the payload of `{event}` cannot be read: {fault}; is the hook's content type JSON?")]
    Payload {
        /// The value of `X-GitHub-Event`.
        event: String,
        /// What is wrong.
        fault: serde_json::Error,
    },
    /// The payload lacks the object that its event is about.
    #[error("the payload of `{event}` has no `{object}`")]
    Objectless {
        /// The value of `X-GitHub-Event`.
        event: String,
        /// The missing key.
        object: &'static str,
    },
}

/// What a delivery of this event (`X-GitHub-Event`) asks to be read; `None` for events that say
/// nothing about delivery, such as `ping`.
///
/// # Errors
/// The event is one of those that do, and its payload does not say about what.
pub fn read(event: &str, body: &[u8]) -> Result<Option<Hint>, HookFault> {
    let Some((_, object)) = EVENTS.iter().find(|(name, _)| *name == event) else {
        return Ok(None);
    };
    let payload: Payload = serde_json::from_slice(body)
        .map_err(|fault| HookFault::Payload { event: event.to_owned(), fault })?;
    let object = (object.find)(&payload)
        .ok_or_else(|| HookFault::Objectless { event: event.to_owned(), object: object.key })?;
    let Named { full_name: repository, id: repository_id } = payload.repository;
    Ok(Some(Hint { repository, repository_id, object }))
}

/// Where an event's object stands in its payload.
struct Place {
    key: &'static str,
    find: fn(&Payload) -> Option<Object>,
}

const DEPLOYMENT: Place = Place {
    key: "deployment",
    find: |payload| payload.deployment.as_ref().map(|found| Object::Deployment(found.id)),
};
const RUN: Place = Place {
    key: "workflow_run",
    find: |payload| payload.workflow_run.as_ref().map(|found| Object::Run(found.id)),
};
const PULL_REQUEST: Place = Place {
    key: "pull_request",
    find: |payload| payload.pull_request.as_ref().map(|found| Object::PullRequest(found.number)),
};
const ISSUE: Place = Place {
    key: "issue",
    find: |payload| payload.issue.as_ref().map(|found| Object::Issue(found.number)),
};
const RELEASE: Place = Place {
    key: "release",
    find: |payload| payload.release.as_ref().map(|found| Object::Release(found.id)),
};
const PUSH: Place = Place {
    key: "ref",
    find: |payload| {
        let after = payload.after.clone().filter(|sha| sha.bytes().any(|digit| digit != b'0'));
        Some(Object::Ref { name: payload.moved.clone()?, after })
    },
};

/// A branch or tag that is new; GitHub names it without saying where it stands.
const CREATE: Place = Place {
    key: "ref",
    find: |payload| {
        let folder = if payload.kind.as_deref() == Some("tag") { "tags" } else { "heads" };
        let name = format!("refs/{folder}/{}", payload.moved.as_deref()?);
        Some(Object::Ref { name, after: None })
    },
};

/// The events that a hook should be subscribed to.
const EVENTS: [(&str, Place); 9] = [
    ("deployment", DEPLOYMENT),
    ("deployment_status", DEPLOYMENT),
    ("workflow_run", RUN),
    ("pull_request", PULL_REQUEST),
    ("pull_request_review", PULL_REQUEST),
    ("issues", ISSUE),
    ("release", RELEASE),
    ("push", PUSH),
    ("create", CREATE),
];

#[derive(Debug, Deserialize)]
struct Payload {
    repository: Named,
    deployment: Option<Id>,
    workflow_run: Option<Id>,
    release: Option<Id>,
    pull_request: Option<Number>,
    issue: Option<Number>,
    #[serde(rename = "ref")]
    moved: Option<String>,
    #[serde(rename = "ref_type")]
    kind: Option<String>,
    after: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    full_name: String,
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Id {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Number {
    number: u64,
}

/// Thirty-two bytes from their hexadecimal digits, of either case.
pub(super) fn digest(digits: &[u8]) -> Option<[u8; 32]> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = (high? << 4 | low?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
