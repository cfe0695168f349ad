//! Rate, errors and duration of the requests that spans describe.

mod config;
mod histogram;
mod native;
mod template;
mod weight;

pub use config::{Buckets, BucketsFault, Compat, Config};
