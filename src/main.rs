//! The binary: nothing but the hand-over to the command line.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

fn main() {}
