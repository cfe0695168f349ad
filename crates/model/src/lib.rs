//! Words and arithmetic that both halves of redora share, without I/O, async or a clock.

pub mod dimension;
pub mod identity;
