//! The snapshot of the delivery half that a scrape shows, as plain values: whoever fills it needs
//! to know nothing of families and labels.

use std::sync::Arc;

use redora_collector::keys::Report;
use redora_collector::keys::ci::Workflow;

/// What the delivery half says at one moment.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Each service in each environment.
    pub places: Arc<Vec<PlaceNumbers>>,
    /// Places that are known and not among these, because there are too many.
    pub places_omitted: usize,
    /// Places whose history does not fit into the memory for it.
    pub places_cold: usize,
    /// Each workflow of each service, in each window.
    pub workflows: Arc<Vec<WorkflowNumbers>>,
    /// Each source.
    pub sources: Vec<SourceNumbers>,
}

/// The numbers of one workflow in one window.
#[derive(Debug)]
pub struct WorkflowNumbers {
    /// The service.
    pub service: String,
    /// The window's name.
    pub window: &'static str,
    /// The numbers.
    pub workflow: Workflow,
}

/// The numbers of one place.
#[derive(Debug)]
pub struct PlaceNumbers {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// By window, with its name.
    pub windows: Vec<(&'static str, Report)>,
    /// Since the first fact.
    pub ever: Report,
}

/// How one source stands.
#[derive(Debug, Default)]
pub struct SourceNumbers {
    /// Its name.
    pub source: String,
    /// How long ago it was complete, in seconds.
    pub watermark_age_s: Option<f64>,
    /// What it gave that is no fact.
    pub rejects: u64,
    /// Stretches that may be missing.
    pub gaps: u64,
    /// Requests, or points of GraphQL, that GitHub still allows.
    pub remaining: Option<u64>,
}

/// Shows the latest snapshot; cheap, for a scrape asks once.
pub type Latest = Arc<dyn Fn() -> Arc<Delivered> + Send + Sync>;
