//! The binary: nothing but the hand-over to the command line.

fn main() {}
