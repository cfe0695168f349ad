//! Files of Sloth, Pyrra and OpenSLO as objectives of redora: each format has a reader of its own
//! into one draft, because what they share is less than what a common reader would have to guess.
//!
//! | format | version | read |
//! | --- | --- | --- |
//! | Sloth | `version: prometheus/v1`, and `sloth.slok.dev/v1` on Kubernetes | converted |
//! | Pyrra | `pyrra.dev/v1alpha1` | converted |
//! | OpenSLO | `openslo/v1` | converted, and read as it stands under `slos` |
//!
//! A file holds any number of YAML documents. What does not come over is never dropped in silence:
//! it is a note with its line where the objective can do without, else a fault.

mod draft;
mod keys;
mod number;
mod query;
pub(super) mod reason;
mod selector;

pub use draft::{Draft, Note};
pub use reason::{Inconvertible, Uncarried};
