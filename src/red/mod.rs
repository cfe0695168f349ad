//! Rate, errors and duration of the requests that spans describe.

mod config;

pub use config::{Buckets, BucketsFault, Compat, Config};
