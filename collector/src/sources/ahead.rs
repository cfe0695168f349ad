//! What is still to be read, in the words of no tongue in particular, so that a plan and a progress
//! show the same of every source. It is computed from what a source holds and where its reading
//! stands, not measured while it is read: a plan has to be there first.

use serde::Serialize;

/// What is still to be read of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ahead {
    /// `deployments`, `commits`, `bytes`.
    pub stream: &'static str,
    /// Where its reading stands.
    pub place: Standing,
    /// From when on it is read; absent is from its beginning.
    pub since_ms: Option<i64>,
    /// How many objects, or bytes of a log.
    pub objects: u64,
    /// Whether it may be fewer, because they are counted without a date.
    pub at_most: bool,
    /// Requests to GraphQL, with the one object that each of them may be.
    pub graphql_requests: u64,
    /// What these cost of the hourly allowance.
    pub graphql_points: u64,
    /// Requests to REST.
    pub rest_requests: u64,
    /// How long that takes as a rule.
    pub usual_ms: u64,
}

/// How far a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing of it is read.
    New,
    /// What was there at the beginning is being read.
    Past,
    /// It is read, and what came later is.
    Present,
}

impl Standing {
    /// As it stands in a table.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Past => "past",
            Self::Present => "present",
        }
    }
}

impl Ahead {
    /// So many objects of a stream on this machine, which take that long.
    #[must_use]
    pub fn here(stream: &'static str, is_new: bool, objects: u64, usual_ms: u64) -> Self {
        Self {
            stream,
            place: if is_new { Standing::New } else { Standing::Present },
            since_ms: None,
            objects,
            at_most: false,
            graphql_requests: 0,
            graphql_points: 0,
            rest_requests: 0,
            usual_ms,
        }
    }
}
