//! The agent as a library, so that tests and benches drive the same code that the binary runs.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

pub mod log_metrics;
pub mod receive;
pub mod red;
