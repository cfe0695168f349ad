//! Words and arithmetic that both halves of redora share, without I/O, async or a clock.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

pub mod dimension;
pub mod fact;
pub mod identity;
pub mod slo;
