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
use crate::link::{self, Graph, History, Linked, Name, Rules};

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
    let query = query(ask);
    let mut answers = Vec::new();
    each_place(ledger, places(ledger, ask)?, ask, |place, linked, _| {
        answers.push(place.answer(keys::report(&linked, &query), &query));
    })?;
    answers.sort_by(|a, b| (&a.service, &a.environment).cmp(&(&b.service, &b.environment)));
    Ok(answers)
}

/// A service in an environment, and where its changes are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// In their order; first, so that places of the same ones stand side by side.
    repositories: Vec<String>,
    service: String,
    environment: String,
}

impl Place {
    fn answer(&self, report: Report, query: &Query) -> Answer {
        let (service, environment) = (self.service.clone(), self.environment.clone());
        Answer { service, environment, from_ms: query.from_ms, to_ms: query.to_ms, report }
    }
}

/// The places that are asked for.
fn places(ledger: &Reader, ask: &Ask) -> Result<Vec<Place>, LedgerError> {
    let wanted = |name: &str, asked: &Option<String>| asked.as_ref().is_none_or(|a| a == name);
    let mut places: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for place in ledger.places()? {
        if wanted(&place.service, &ask.service) && wanted(&place.environment, &ask.environment) {
            let key = (place.service, place.environment);
            places.entry(key).or_default().push(place.repository);
        }
    }
    let place =
        |((service, environment), repositories)| Place { repositories, service, environment };
    Ok(places.into_iter().map(place).collect())
}

/// Hands every place to `on_place`, linked as of the moment that is asked for, with the first
/// moment of what was left out because it is later.
fn each_place(
    ledger: &Reader,
    places: Vec<Place>,
    ask: &Ask,
    mut on_place: impl FnMut(Place, Linked, i64),
) -> Result<(), LedgerError> {
    each_history(ledger, places, ask.at_ms, |place, history, graph, until_ms| {
        on_place(place.clone(), link::link_on(graph, history, &ask.rules), until_ms);
    })
}

/// Hands the facts of every place as of a moment to `on_place`, with the graph of their commits and
/// the first moment of what was left out. Places of the same repositories come one after the other,
/// because their commits are read once.
fn each_history(
    ledger: &Reader,
    mut places: Vec<Place>,
    at_ms: i64,
    mut on_place: impl FnMut(&Place, &History, &Graph, i64),
) -> Result<(), LedgerError> {
    places.sort();
    for places in places.chunk_by(|a, b| a.repositories == b.repositories) {
        let mut history = changes(ledger, &places[0].repositories)?;
        let later_ms = history.forget_pull_requests_after(at_ms);
        let graph = link::graph(&history);
        for place in places {
            occurrences(ledger, place, &mut history)?;
            let until_ms = history.forget_after(at_ms).into_iter().chain(later_ms).min();
            on_place(place, &history, &graph, until_ms.unwrap_or(i64::MAX));
        }
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

/// What holds of repositories, and of links.
fn changes(ledger: &Reader, repositories: &[String]) -> Result<History, LedgerError> {
    let mut history = History::default();
    for repository in repositories {
        for kind in ["commit", "pull_request"] {
            ledger.winners(kind, Scope::Repository(repository), |fact| match fact.what {
                What::Commit(commit) => {
                    history.commits.push((Revision::new(&fact.id), commit));
                }
                What::PullRequest(pull) => {
                    let name = Name { source: fact.source, id: fact.id };
                    history.pull_requests.push((name, pull));
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

/// Puts what holds of a place where that of another was.
fn occurrences(ledger: &Reader, place: &Place, history: &mut History) -> Result<(), LedgerError> {
    let Place { service, environment, .. } = place;
    history.service.clone_from(service);
    history.deployments.clear();
    history.incidents.clear();
    history.sightings.clear();
    history.burns.clear();
    for kind in ["deployment", "incident", "sighting", "burn"] {
        ledger.winners(kind, Scope::Place { service, environment }, |fact| {
            let name = Name { source: fact.source, id: fact.id };
            match fact.what {
                What::Deployment(deployment) => history.deployments.push((name, deployment)),
                What::Incident(incident) => history.incidents.push((name, incident)),
                What::Sighting(sighting) => history.sightings.push((name, sighting)),
                What::Burn(burn) => history.burns.push((name, burn)),
                _ => {}
            }
        })?;
    }
    Ok(())
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
