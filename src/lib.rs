//! The agent as a library, so that tests and benches drive the same code that the binary runs.
