//! The agent as a library, so that tests and benches drive the same code that the binary runs.

pub mod log_metrics;
pub mod receive;
pub mod red;
pub mod series;
pub mod sightings;
