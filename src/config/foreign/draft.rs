//! An objective of another tool in redora's words, before anybody decides whether it is watched or
//! written to a file: between the formats and their two uses stands one type.

use std::fmt;

use redora_model::identity::Service;
use redora_model::slo::{Goal, Indicator, Objective, Queried, Queries, Slices, Tiers, Window};

use super::super::node::Position;
use super::super::promise::Declared;
use super::reason::{Inconvertible, Uncarried};
use crate::slo::{Select, Watched};

/// An objective that came over.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Draft {
    /// Where it stands.
    pub(in super::super) place: Place,
    /// Its name, unique within the service.
    pub(in super::super) name: String,
    /// Whose events are meant.
    pub(in super::super) service: String,
    /// How good and bad events are told apart.
    pub(in super::super) measure: Measure,
    /// The share of events that must be good.
    pub(in super::super) goal: Goal,
    /// The time over which the share is taken.
    pub(in super::super) window: Window,
    /// What an event is, where it is no single request.
    pub(in super::super) slices: Option<Slices>,
    /// Which alerts are wanted.
    pub(in super::super) tiers: Tiers,
    /// Who is alerted, and what they read.
    pub(in super::super) contact: Contact,
    /// What the other tool's file says of it for people.
    pub(in super::super) about: String,
    /// What stayed behind.
    pub(in super::super) notes: Vec<Note>,
}

impl Draft {
    /// The objective as the configuration has it.
    pub(in super::super) fn declared(self) -> Result<Declared, Inconvertible> {
        let Self { name, service, measure, goal, window, tiers, contact, slices, .. } = self;
        let Contact { team, runbook } = contact;
        let service = Service::new(&service);
        match (measure, window) {
            (Measure::Counted { threshold_ns, select }, window) => {
                let indicator = threshold_ns.map_or(Indicator::Availability, |threshold_ns| {
                    Indicator::Latency { threshold_ns }
                });
                let objective =
                    Objective { name, service, indicator, goal, window, tiers, team, runbook };
                Ok(Declared::Counted(Watched { objective, select, slices }))
            }
            (Measure::Queried(queries), Window::Rolling { seconds: window_s }) => {
                let queried =
                    Queried { name, service, queries, goal, window_s, tiers, team, runbook };
                Ok(Declared::Queried(queried))
            }
            (Measure::Queried(_), Window::Calendar { .. }) => Err(Inconvertible::CalendarOfQueries),
        }
    }
}

/// A key of a document.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Place {
    /// Where its value starts.
    pub(in super::super) at: Position,
    /// Its dotted path.
    pub(in super::super) key: String,
}

/// Who is alerted; empty where the file does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Contact {
    /// The team's name.
    pub(in super::super) team: String,
    /// The runbook's address.
    pub(in super::super) runbook: String,
}

/// How good and bad events are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Measure {
    /// The agent judges each request.
    Counted {
        /// The longest good duration, where one is promised.
        threshold_ns: Option<u64>,
        /// Which of them are meant.
        select: Select,
    },
    /// Prometheus counts, in metrics of others.
    Queried(Queries),
}

/// What stayed behind, and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The file's name as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The dotted path of the key.
    pub key: String,
    /// What stayed behind, and the cure.
    pub reason: Uncarried,
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, key, reason } = self;
        write!(out, "{file}:{line}:{column}: {key}: {reason}")
    }
}
