//! Each outside tongue of delivery into facts: what is read here is never believed to be whole, in
//! order or well formed, so one bad element costs itself and nothing beside it.

pub mod ahead;
pub mod git;
pub mod github;
pub mod glob;
pub mod hooks;
pub mod incidents;
pub mod lines;

mod reverts;
