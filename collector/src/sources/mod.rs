//! The tongues that deliveries are told in, each a module of its own that turns it into facts, so
//! that nothing past this room knows a forge, a tool or a file format.

pub mod git;
