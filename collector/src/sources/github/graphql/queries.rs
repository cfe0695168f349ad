//! Which query asks for what, and in pages of which size. The texts are files of their own, so that
//! GitHub's published schema can be held against what is sent.

use super::super::cursor::Stream;

/// A stream as GraphQL shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Deployments,
    PullRequests,
    Incidents,
    Commits,
    Releases,
    Tags,
}

/// What belongs to an object, in pages of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Statuses,
    Labels,
    Commits,
    Reviews,
    Comments,
    Events,
    Parents,
}

impl Kind {
    /// `None` for what GraphQL does not show.
    pub(crate) fn of(stream: Stream) -> Option<Self> {
        match stream {
            Stream::Deployments => Some(Kind::Deployments),
            Stream::PullRequests => Some(Kind::PullRequests),
            Stream::Incidents => Some(Kind::Incidents),
            Stream::Commits => Some(Kind::Commits),
            Stream::Releases => Some(Kind::Releases),
            Stream::Tags => Some(Kind::Tags),
            Stream::Runs | Stream::Workflow => None,
        }
    }

    /// Its operations: `Page`, and where objects have lists `One` and one for each, by its name.
    pub(crate) fn document(self) -> &'static str {
        match self {
            Kind::Deployments => include_str!("queries/deployments.graphql"),
            Kind::PullRequests => include_str!("queries/pull_requests.graphql"),
            Kind::Incidents => include_str!("queries/incidents.graphql"),
            Kind::Commits => include_str!("queries/commits.graphql"),
            Kind::Releases => include_str!("queries/releases.graphql"),
            Kind::Tags => include_str!("queries/tags.graphql"),
        }
    }

    /// The largest page. A query costs a hundredth of the connections it opens, rounded: a page of
    /// 100 deployments opens 101 and costs 1 point. A pull request has four lists, so that a page
    /// of 100 costs 4 points and one of 37 costs 1.
    pub(crate) fn first_max(self) -> u32 {
        match self {
            Kind::PullRequests => 37,
            _ => LIST_MAX,
        }
    }

    /// What a page of so many costs, by that rule.
    pub(crate) fn points(self, first: u32) -> u64 {
        let lists = match self {
            Kind::Deployments | Kind::Incidents | Kind::Commits => 1,
            Kind::PullRequests => 4,
            Kind::Releases | Kind::Tags => 0,
        };
        ((1 + u64::from(first) * lists + 50) / 100).max(1)
    }

    /// The field of a repository that lists them, as it stands in the paths of errors.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Kind::Deployments => "deployments",
            Kind::PullRequests => "pullRequests",
            Kind::Incidents => "issues",
            Kind::Commits => "object.history",
            Kind::Releases => "releases",
            Kind::Tags => "refs",
        }
    }
}

impl List {
    /// The operation that asks for its later pages.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            List::Statuses => "Statuses",
            List::Labels => "Labels",
            List::Commits => "Commits",
            List::Reviews => "Reviews",
            List::Comments => "Comments",
            List::Events => "Events",
            List::Parents => "Parents",
        }
    }

    /// How many are read: as many as REST shows, for the same object is to be the same fact.
    pub(crate) fn elements_max(self) -> usize {
        match self {
            List::Commits => 250,
            _ => 1_000,
        }
    }
}

/// The largest page that GitHub gives.
pub(crate) const LIST_MAX: u32 = 100;
