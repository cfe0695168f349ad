//! The delivery half of redora, a library apart from the agent so that a sidecar can be
//! built without it.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

pub mod api;
pub mod collect;
pub mod keys;
pub mod ledger;
pub mod link;
pub mod schedule;
pub mod sources;
