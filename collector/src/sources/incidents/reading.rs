//! What every tongue of incidents hands back, and what it is told beforehand: one form for all, so
//! that whoever stores facts or counts rejects need not know where they came from.

use redora_model::fact::{Fact, Incident, Nature, What};
use redora_model::identity::{Environment, Service};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::moment::Moment;

/// Who speaks, and what goes without saying there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The source of the facts: `jsonl:/var/log/incidents.jsonl`, `pagerduty:acme`.
    pub source: String,
    /// The service of an incident that names none.
    pub service: Option<Service>,
    /// The environment of an incident that names none.
    pub environment: Option<Environment>,
}

/// What one payload of several incidents said.
#[derive(Debug, Default)]
pub struct Reading {
    /// The incidents.
    pub facts: Vec<Fact>,
    /// What was set aside.
    pub rejects: Vec<Reject>,
    /// Incidents that the sender left out of the payload because it held too many.
    pub left_out: u64,
}

/// An element of a payload, or a line of a file, that is no incident.
#[derive(Debug, thiserror::Error)]
#[error("{number}: {fault}")]
pub struct Reject {
    /// Its place, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Why something is no incident.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is no JSON, lacks a key or has one in another form.
    #[error("no incident: {0}")]
    Json(#[from] serde_json::Error),
    /// It names nothing by which its versions are told.
    #[error("an incident needs an id that is not empty")]
    Nameless,
    /// It names no beginning.
    #[error("an incident needs the time when it started")]
    Beginless,
    /// It is said to be over, and not since when.
    #[error("the incident is over, but the payload does not say since when")]
    Endless,
    /// The payload is of another version of its format.
    #[error("the payload is of version `{0}`, and only `4` (of Grafana `1`) is known")]
    Version(String),
    /// One payload holds more than any page or notification.
    #[error("{count} incidents in one payload; send at most {ELEMENTS_MAX} at a time")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// A line is longer than any incident.
    #[error("longer than {max} bytes; is this a file of one incident a line?")]
    TooLong {
        /// The bound.
        max: u64,
    },
}

impl Origin {
    /// A fact of this source. What the incident leaves open is filled in.
    pub(super) fn fact(&self, id: String, as_of_ms: i64, mut incident: Incident) -> Fact {
        incident.service = incident.service.or_else(|| self.service.clone());
        incident.environment = incident.environment.or_else(|| self.environment.clone());
        Fact { source: self.source.clone(), id, as_of_ms, what: What::Incident(incident) }
    }
}

impl Reading {
    /// What the elements of a payload turned out to be.
    pub(super) fn of(
        elements: Vec<Value>,
        read: impl Fn(Value) -> Result<Option<Fact>, Fault>,
    ) -> Result<Self, Fault> {
        if elements.len() > ELEMENTS_MAX {
            return Err(Fault::TooMany { count: elements.len() });
        }
        let mut reading = Self::default();
        for (number, element) in (1..).zip(elements) {
            reading.take(number, read(element));
        }
        Ok(reading)
    }

    /// Takes what an element turned out to be; one that is of no interest leaves nothing.
    pub(super) fn take(&mut self, number: u64, element: Result<Option<Fact>, Fault>) {
        match element {
            Ok(fact) => self.facts.extend(fact),
            Err(fault) => self.rejects.push(Reject { number, fault }),
        }
    }
}

/// An incident of which only the beginning is known.
pub(super) fn incident(Moment(started_ms): Moment) -> Incident {
    Incident {
        service: None,
        environment: None,
        title: String::new(),
        severity: String::new(),
        nature: Nature::Disruption,
        started_ms,
        changes: Vec::new(),
        deployment: None,
        url: String::new(),
    }
}

/// A service by its name; an empty one is no name.
pub(super) fn service(name: Option<String>) -> Option<Service> {
    name.filter(|name| !name.trim().is_empty()).map(|name| Service::new(name.trim()))
}

/// An environment by its name; an empty one is no name.
pub(super) fn environment(name: Option<String>) -> Option<Environment> {
    name.filter(|name| !name.trim().is_empty()).map(|name| Environment::new(name.trim()))
}

/// An id that a source writes as a text or as a whole number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id(String);

impl Id {
    /// The id, which tells versions of an incident only where it is not empty.
    pub(super) fn named(self) -> Result<String, Fault> {
        if self.0.trim().is_empty() { Err(Fault::Nameless) } else { Ok(self.0) }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "an id is a text or a whole number")]
        enum Written {
            Text(String),
            Number(u64),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Text(text) => Id(text),
            Written::Number(number) => Id(number.to_string()),
        })
    }
}

/// Many times what a page holds. A reject costs some hundred bytes, however short its element was.
pub const ELEMENTS_MAX: usize = 10_000;
