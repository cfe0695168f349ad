//! Who may push and what is kept of it: a door is closed unless the configuration opens it, a
//! signature is proved before a byte is stored, and a delivery has a name by which its repetition
//! is known.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::source::Source;
use crate::ledger::Delivery;
use crate::sources::incidents::{Origin, alertmanager, pagerduty};
use crate::sources::{hooks, incidents};

/// Who listens to which door. A door that nobody listens to is closed.
#[derive(Clone, Default)]
pub struct Doors {
    /// The repositories that hints are about, and the secret that GitHub signs with.
    pub github: Option<(Vec<Arc<Source>>, Vec<u8>)>,
    /// How Alertmanager's notifications are understood.
    pub alertmanager: Option<alertmanager::Config>,
    /// How PagerDuty's events are understood, and the secrets that they are signed with.
    pub pagerduty: Option<(pagerduty::Config, Vec<u8>)>,
    /// Who speaks at the generic hook.
    pub incidents: Option<Origin>,
}

/// Why a delivery is not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody listens there.
    #[error("nothing listens here; see `delivery` in the configuration")]
    Closed,
    /// It is not proved to be from whom it says.
    #[error("{0}")]
    Unproved(String),
    /// It has no name by which its repetition would be known.
    #[error("no X-GitHub-Delivery header; is this a webhook of GitHub?")]
    Nameless,
}

impl Doors {
    /// Whether whoever pushes to this door has to be let in by other means than a signature.
    #[must_use]
    pub fn is_unsigned(door: &str) -> bool {
        !matches!(door, GITHUB | PAGERDUTY)
    }

    /// The sources whose facts come in by themselves, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let github = self.github.as_ref().map(|_| GITHUB);
        let alertmanager = self.alertmanager.as_ref().map(|config| &*config.origin.source);
        let pagerduty = self.pagerduty.as_ref().map(|(config, _)| &*config.origin.source);
        let incidents = self.incidents.as_ref().map(|origin| &*origin.source);
        [github, alertmanager, pagerduty, incidents].into_iter().flatten()
    }

    /// The delivery of a request that may come in; `header` gives a header by its name in lower
    /// case.
    ///
    /// # Errors
    /// It may not.
    pub fn admit(
        &self,
        door: &str,
        header: &dyn Fn(&str) -> Option<Vec<u8>>,
        body: Vec<u8>,
        at_ms: i64,
    ) -> Result<Delivery, Refused> {
        let (id, headers) = match door {
            GITHUB => self.proved_by_github(header, &body)?,
            PAGERDUTY => {
                let (_, secret) = self.pagerduty.as_ref().ok_or(Refused::Closed)?;
                let signatures = header("x-pagerduty-signature");
                incidents::pagerduty::verify(secret, signatures.as_deref(), &body)
                    .map_err(|unproved| Refused::Unproved(unproved.to_string()))?;
                (fingerprint(&body), Vec::new())
            }
            ALERTMANAGER if self.alertmanager.is_some() => (fingerprint(&body), Vec::new()),
            INCIDENTS if self.incidents.is_some() => (fingerprint(&body), Vec::new()),
            _ => return Err(Refused::Closed),
        };
        Ok(Delivery { door: door.to_owned(), id, headers, body, at_ms })
    }

    fn proved_by_github(
        &self,
        header: &dyn Fn(&str) -> Option<Vec<u8>>,
        body: &[u8],
    ) -> Result<Named, Refused> {
        let (_, secret) = self.github.as_ref().ok_or(Refused::Closed)?;
        let signature = header("x-hub-signature-256");
        hooks::verify(secret, signature.as_deref(), body)
            .map_err(|unproved| Refused::Unproved(unproved.to_string()))?;
        let text = |name| header(name).and_then(|bytes| String::from_utf8(bytes).ok());
        let id = text("x-github-delivery").filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX);
        let event = text(EVENT).unwrap_or_default();
        Ok((id.ok_or(Refused::Nameless)?, vec![(EVENT.to_owned(), event)]))
    }
}

/// A delivery's id and the headers that are kept of it.
type Named = (String, Vec<(String, String)>);

/// A name for what has none: the same body again says nothing new.
fn fingerprint(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The doors by their names.
pub const GITHUB: &str = "github";
/// See [`GITHUB`].
pub const ALERTMANAGER: &str = "alertmanager";
/// See [`GITHUB`].
pub const PAGERDUTY: &str = "pagerduty";
/// See [`GITHUB`].
pub const INCIDENTS: &str = "incidents";

/// The header that says what a delivery of GitHub is about.
pub(super) const EVENT: &str = "x-github-event";

/// GitHub's are UUIDs.
const ID_BYTES_MAX: usize = 128;
