//! Counters drawn from log records: by severity always, and by the rules of the configuration.

mod config;

pub use config::{Body, Match, Rule, SeverityRange};
