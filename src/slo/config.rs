//! An objective with the requests that are its events, as the book is built from it.

use std::fmt::Write as _;

use redora_model::slo::{Indicator, Objective, Window};

use crate::red::Kind;

/// An objective and what it looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// What is promised.
    pub objective: Objective,
    /// Which requests of its service it is promised for.
    pub select: Select,
}

/// Which requests of a service are events; every part that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// The operation, as the label `operation` names it.
    pub operation: Option<String>,
    /// The role of the span; without one the requests that the service itself served.
    pub kind: Option<Kind>,
    /// Attributes of the span, or of its resource where it has none, that have exactly these
    /// values, as text.
    pub attributes: Vec<(String, String)>,
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
        let Self { objective, select } = self;
        let mut text = match objective.indicator {
            Indicator::Availability => "availability".to_owned(),
            Indicator::Latency { threshold_ns } => format!("latency {threshold_ns}"),
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
        text
    }
}
