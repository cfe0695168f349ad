//! What the world outside says of delivery, as facts: each tongue in a module of its own, with its
//! own cursor, so that one that is slow or broken delays no other.

pub mod github;
