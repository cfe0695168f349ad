//! A repository's past through GraphQL: a page of objects with what belongs to them for the price
//! of one request, where REST takes up to four requests for each. Only the past, because REST alone
//! answers by an object's number, shows workflow runs, and tells what did not change for free.
//!
//! The same object is the same fact by either way, with one exception that the schema leaves no way
//! around: the branch or tag of a deployment is unknown here once it was deleted.

mod backfill;
mod counts;
mod cursor;
mod nodes;
mod queries;
mod verdict;
mod walk;

pub use backfill::Backfill;
pub(crate) use counts::{Counts, Since, counts};
pub use cursor::BackfillCursor;
pub(crate) use cursor::Spot;
pub(crate) use queries::Kind;

#[cfg(test)]
mod tests;
