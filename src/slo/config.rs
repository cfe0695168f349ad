//! An objective with what its events are, as the book is built from it.

use std::fmt::Write as _;

use redora_model::slo::{Indicator, Objective, Slices, Window};

use crate::record::Match;
use crate::red::Kind;

/// An objective and what it looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// What is promised.
    pub objective: Objective,
    /// Which requests or log records of its service it is promised for.
    pub select: Select,
    /// Slices of time as events, instead of what happens in them.
    pub slices: Option<Slices>,
}

/// Which requests or log records of a service are events; every part that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// The operation, as the label `operation` names it.
    pub operation: Option<String>,
    /// The role of the span; without one the requests that the service itself served.
    pub kind: Option<Kind>,
    /// Attributes of the span or record, or of its resource where it has none, that have exactly
    /// these values, as text.
    pub attributes: Vec<(String, String)>,
    /// Log records instead of requests: how they are told apart, with [`Indicator::Logs`] alone.
    pub records: Option<Records>,
}

/// Which log records are events, and which of them are bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// What an event has; every record of the service where it asks for nothing.
    pub total: Match,
    /// What tells good events from bad ones.
    pub told: Told,
}

/// What tells good events from bad ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What a good event has; all others are bad.
    Good(Match),
    /// What a bad event has; all others are good.
    Bad(Match),
}

impl Select {
    /// The one environment that it is about; without one that in which users are served.
    #[must_use]
    pub fn environment(&self) -> &str {
        let named = self.attributes.iter().find(|(key, _)| key == ENVIRONMENT);
        named.map_or(PRODUCTION, |(_, name)| name)
    }
}

impl Watched {
    /// Whether this objective, under an earlier configuration, has counted the events of `other`.
    pub(super) fn continues(&self, other: &Self) -> bool {
        let names =
            |watched: &Self| (watched.objective.service.clone(), watched.objective.name.clone());
        names(self) == names(other) && self.identity() == other.identity()
    }

    /// What decides which events are counted and in which buckets, as text: two objectives of which
    /// it is the same go on counting where the other stopped. Goal, tiers and names of people may
    /// change without starting anew.
    #[must_use]
    pub fn identity(&self) -> String {
        let Self { objective, select, slices } = self;
        let mut text = match objective.indicator {
            Indicator::Availability => "availability".to_owned(),
            Indicator::Latency { threshold_ns } => format!("latency {threshold_ns}"),
            Indicator::Logs => {
                let records = select.records.as_ref().map(Records::identity);
                format!("logs {}", records.unwrap_or_default())
            }
        };
        let written = match &objective.window {
            Window::Rolling { seconds } => write!(text, " rolling {seconds}"),
            Window::Calendar { period, time_zone } => {
                write!(text, " {} {time_zone:?}", period.as_str())
            }
        };
        let kind = select.kind.map_or("served", Kind::as_str);
        let written = written.and_then(|()| write!(text, " {kind} {:?}", select.operation));
        let attributes = select.attributes.iter().map(|(key, value)| format!(" {key:?}={value:?}"));
        written.expect("a string takes it");
        text.extend(attributes);
        // At the end and only where there are some: without them it is what it always was.
        if let Some(Slices { seconds, good }) = slices {
            text.push_str(&format!(" slices {seconds} {good}"));
        }
        text
    }
}

impl Records {
    fn identity(&self) -> String {
        let (side, told) = match &self.told {
            Told::Good(told) => ("good", told),
            Told::Bad(told) => ("bad", told),
        };
        format!("[{}] {side} [{}]", self.total.identity(), told.identity())
    }
}

const ENVIRONMENT: &str = "deployment.environment.name";
const PRODUCTION: &str = "production";
