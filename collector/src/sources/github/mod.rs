//! Deployments, pull requests, workflow runs and incidents of one GitHub repository as facts, in
//! steps of one page with the position as a value. There is no loop that owns a repository until it
//! is read: a limit may last an hour, and a process ends when it likes.
//!
//! octocrab carries the requests; its own retries, redirects, caching and paging stay unused. They
//! retry a limit at once, ignore a date in `Retry-After`, keep truncated bodies, and follow a link
//! to a host that the token is not for.

mod app;
mod client;
mod collect;
mod commits;
mod count;
mod cursor;
mod facts;
mod forecast;
mod graphql;
mod incident;
mod installations;
mod payload;
mod plan;
mod query;
mod reader;
mod reply;
mod setup;
mod signs;
mod step;
mod survey;
mod tags;
mod transport;

pub use app::{App, AppKey, AppRefusal, KeyFault};
pub use client::Client;
pub use collect::Collector;
pub use cursor::{Cursor, Stream};
pub use forecast::Read;
pub(crate) use forecast::{QUERY_MS, REQUEST_MS};
pub use graphql::{Backfill, BackfillCursor};
pub use plan::{Batch, Next, Plan, Reject};
pub use reply::{Refusal, Trouble, Wait};
pub use setup::{Config, Identity, SetupError};
pub use survey::{Allowance, Allowances, Survey, Surveyor, Unseen};

#[cfg(test)]
mod tests;
