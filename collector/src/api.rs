//! Questions to the ledger, answered: the facts of each place gathered, linked and counted. Whoever
//! shows an answer, as a table, JSON or a metric, gets it from here and computes nothing.

pub mod ci;
pub mod devlake;
pub mod explain;
pub mod judged;
pub mod warm;

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use redora_model::fact::What;
use redora_model::identity::Revision;
use serde::Serialize;

use crate::keys::{self, Query, Report};
use crate::ledger::{LedgerError, Reader, Scope};
use crate::link::{self, History, Linked, Rules};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// One service, or all.
    pub service: Option<String>,
    /// One environment, or all.
    pub environment: Option<String>,
    /// How long the window is, in milliseconds.
    pub window_ms: i64,
    /// Where it ends, in milliseconds since the Unix epoch; what is later is not known.
    pub at_ms: i64,
    /// The calendar of days and weeks.
    pub zone: Zone,
    /// What is decided about links.
    pub rules: Rules,
}

/// The numbers of one service in one environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The first moment of the window, in milliseconds since the Unix epoch.
    pub from_ms: i64,
    /// The first moment after it.
    pub to_ms: i64,
    /// The numbers.
    #[serde(flatten)]
    pub report: Report,
}

/// Answers for every place that is asked for, in the order of their names.
///
/// # Errors
/// The ledger cannot be read.
pub fn answers(ledger: &Reader, ask: &Ask) -> Result<Vec<Answer>, LedgerError> {
    let mut answers = Vec::new();
    each_place(ledger, ask, |service, environment, linked, query| {
        let (from_ms, to_ms) = (query.from_ms, query.to_ms);
        let report = keys::report(linked, query);
        answers.push(Answer { service, environment, from_ms, to_ms, report });
    })?;
    Ok(answers)
}

/// Hands every place that is asked for to `on_place`, linked as of the moment that is asked for.
fn each_place(
    ledger: &Reader,
    ask: &Ask,
    mut on_place: impl FnMut(String, String, &Linked, &Query),
) -> Result<(), LedgerError> {
    let query = query(ask);
    each_history(ledger, ask, |service, environment, mut history| {
        history.forget_after(ask.at_ms);
        on_place(service, environment, &link::link(&history, &ask.rules), &query);
    })
}

/// Hands the facts of every place that is asked for to `on_place`.
fn each_history(
    ledger: &Reader,
    ask: &Ask,
    mut on_place: impl FnMut(String, String, History),
) -> Result<(), LedgerError> {
    let wanted = |name: &str, asked: &Option<String>| asked.as_ref().is_none_or(|a| a == name);
    let mut places: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for place in ledger.places()? {
        if wanted(&place.service, &ask.service) && wanted(&place.environment, &ask.environment) {
            let key = (place.service, place.environment);
            places.entry(key).or_default().push(place.repository);
        }
    }
    for ((service, environment), repositories) in places {
        let history = history(ledger, &service, &environment, &repositories)?;
        on_place(service, environment, history);
    }
    Ok(())
}

/// What is asked of the numbers of each place.
fn query(ask: &Ask) -> Query {
    Query {
        from_ms: ask.at_ms.saturating_sub(ask.window_ms),
        to_ms: ask.at_ms,
        now_ms: ask.at_ms,
        attribution_ms: ask.rules.attribution_ms,
        zone: ask.zone.0.clone(),
    }
}

/// The facts that hold of one place.
fn history(
    ledger: &Reader,
    service: &str,
    environment: &str,
    repositories: &[String],
) -> Result<History, LedgerError> {
    let mut history = History { service: service.to_owned(), ..History::default() };
    for kind in ["deployment", "incident", "sighting"] {
        ledger.winners(kind, Scope::Place { service, environment }, |fact| match fact.what {
            What::Deployment(deployment) => history.deployments.push((fact.id, deployment)),
            What::Incident(incident) => history.incidents.push((fact.id, incident)),
            What::Sighting(sighting) => history.sightings.push(sighting),
            _ => {}
        })?;
    }
    for repository in repositories {
        for kind in ["commit", "pull_request"] {
            ledger.winners(kind, Scope::Repository(repository), |fact| match fact.what {
                What::Commit(commit) => {
                    history.commits.push((Revision::new(&fact.id), commit));
                }
                What::PullRequest(pull) => {
                    history.pull_requests.extend(fact.id.parse().map(|number| (number, pull)));
                }
                _ => {}
            })?;
        }
    }
    // A commit that two sources know, such as a clone and GitHub's pages, is one.
    let mut known = HashSet::new();
    history.commits.retain(|(sha, _)| known.insert(sha.clone()));
    ledger.winners("link", Scope::All, |fact| {
        if let What::Link(link) = fact.what {
            history.links.push(link);
        }
    })?;
    Ok(history)
}

/// A moment from its RFC 3339 text, in milliseconds since the Unix epoch.
#[must_use]
pub fn moment(text: &str) -> Option<i64> {
    Some(text.parse::<Timestamp>().ok()?.as_millisecond())
}

/// A moment as RFC 3339 text in UTC; one that no calendar has as its number.
#[must_use]
pub fn text(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |moment| moment.to_string())
}

/// A time zone that exists.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of an IANA name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }
}
