//! The agent as a library, so that tests and benches drive the same code that the binary runs.

pub mod admin;
pub mod cli;
pub mod config;
pub mod listen;
pub mod log_metrics;
pub mod process;
pub mod receive;
pub mod red;
