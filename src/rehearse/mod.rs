//! Recorded events through the alert rules on burn: how often a goal would have woken someone, and
//! which incidents it would have missed. Waiting for real nights to answer that costs the nights.
//!
//! Events come minute by minute, from a [`history`] or from a [`prometheus`]; a [`Rehearsal`] holds
//! what each objective would have done, and [`Rehearsal::report`] holds that against incidents.

pub mod history;
mod incidents;
mod play;
pub mod prometheus;
mod report;

use redora_model::slo::Goal;

pub use incidents::Incident;
pub use play::{Late, Name, Recorded, Rehearsal};
pub use report::{Alerts, Detection, Fired, Found, Played, Report};

use crate::slo::Watched;

/// What is rehearsed.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// One service; all where none is named.
    pub service: Option<String>,
    /// One objective by its name; all where none is named.
    pub slo: Option<String>,
    /// A goal to try in the place of each objective's own.
    pub goal: Option<Goal>,
    /// A rolling window to try in the place of each objective's own.
    pub window_s: Option<u64>,
    /// The objectives to rehearse; where there are none, those that are recorded.
    pub objectives: Vec<Watched>,
}

impl Ask {
    /// Whether an objective is asked for.
    #[must_use]
    pub fn concerns(&self, service: &str, slo: &str) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        is(&self.service, service)
            && is(&self.slo, slo)
            && (self.objectives.is_empty() || self.objective(service, slo).is_some())
    }

    fn objective(&self, service: &str, slo: &str) -> Option<&Watched> {
        self.objectives.iter().find(|watched| {
            let objective = &watched.objective;
            objective.service.as_str() == service && objective.name == slo
        })
    }
}
