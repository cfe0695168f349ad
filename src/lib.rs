//! The agent as a library, so that tests and benches drive the same code that the binary runs.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod digest;
pub mod expose;
pub mod listen;
pub mod log_metrics;
pub mod process;
pub mod receive;
pub mod record;
pub mod red;
pub mod rehearse;
pub mod series;
pub mod sightings;
pub mod slo;
