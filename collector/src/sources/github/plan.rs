//! What is wanted of a repository and what a step gives back, in words that whoever keeps the
//! schedule and the ledger reads, apart from how a page is read.

use redora_model::fact::Fact;
use redora_model::identity::{Environment, Repository, Service};

use super::cursor::{Cursor, Stream};
use super::reply::{Refusal, Wait};
use crate::sources::glob::Glob;

/// What is wanted of a repository.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `owner/name`.
    pub repository: Repository,
    /// What its deployments deploy.
    pub service: Service,
    /// What is read, in this order. Commits come cheapest after deployments: each walk meets most
    /// of what was deployed, and only the rest is asked for by itself.
    pub streams: Vec<Stream>,
    /// The label of issues that are incidents.
    pub incident_label: String,
    /// The file of the workflow whose runs are deployments, such as `deploy.yml`.
    pub workflow: String,
    /// Whether the jobs of runs are read, which takes a request for each attempt.
    pub jobs: bool,
    /// Whether releases of which their author says that they are not ready count as others do.
    pub prereleases: bool,
    /// Which tags are deployments, by name without `refs/tags/`.
    pub tags: Vec<Glob>,
    /// Where runs of that workflow, releases and tags deploy to.
    pub environment: Environment,
    /// From when on.
    pub since_ms: i64,
}

impl Plan {
    /// Whether a tag is a deployment.
    pub(crate) fn has_tag(&self, name: &str) -> bool {
        self.tags.iter().any(|glob| glob.matches(name.as_bytes()))
    }
}

/// What a step read, and the cursor of who read it.
#[derive(Debug)]
pub struct Batch<C = Cursor> {
    /// To be stored before the cursor.
    pub facts: Vec<Fact>,
    /// What could not become a fact.
    pub rejects: Vec<Reject>,
    /// Objects that never came to an end and are not read again.
    pub forgotten: u64,
    /// Requests this step cost, without redirects.
    pub requests: u64,
    /// Requests, or points of GraphQL, that GitHub still allows, by its last answer that said so.
    pub remaining: Option<u64>,
    /// Where the next step begins.
    pub cursor: C,
    /// When it may.
    pub next: Next,
}

/// When the next step may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// At once.
    Now,
    /// Not before a time.
    Later(Wait),
    /// At once, without this stream, which is set aside for this round at its place.
    Refused(Stream, Refusal),
    /// The round is over: everything that changed before this time was read. The next step begins
    /// another.
    Complete {
        /// The time, in milliseconds since 1970.
        until_ms: i64,
    },
}

/// One element that is no fact, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Where it was listed.
    pub stream: Stream,
    /// What is wrong with it.
    pub reason: String,
}
