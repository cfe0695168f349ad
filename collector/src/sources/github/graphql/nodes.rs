//! GraphQL's nodes as the payloads that REST has, so that one mapping makes facts of both. Queries
//! name fields as REST does; here is what a name cannot bridge: nesting, capitals, and the accounts
//! of bots.

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::json;
use serde_json::value::RawValue;

use super::super::payload::{self, Remark, Status};
use super::super::reply::parse_ms;
use super::super::signs::Tagged;
use super::queries::{Kind, List};

/// A page of a connection, its elements still their own bytes.
#[derive(Debug, Deserialize)]
pub(crate) struct Connection<'a> {
    #[serde(rename = "pageInfo")]
    pub(crate) page: PageInfo,
    #[serde(borrow)]
    pub(crate) nodes: Option<Vec<Option<&'a RawValue>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    pub(crate) has_next_page: bool,
    pub(crate) end_cursor: Option<String>,
}

/// The answer to `Page`.
#[derive(Deserialize)]
pub(crate) struct Listing<'a> {
    #[serde(borrow)]
    pub(crate) repository: Option<Repository<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Repository<'a> {
    #[serde(
        borrow,
        alias = "deployments",
        alias = "pullRequests",
        alias = "issues",
        alias = "releases",
        alias = "refs"
    )]
    pub(crate) list: Option<Connection<'a>>,
    #[serde(borrow)]
    pub(crate) object: Option<Head<'a>>,
}

/// The commit whose history is listed.
#[derive(Deserialize)]
pub(crate) struct Head<'a> {
    pub(crate) oid: Option<String>,
    #[serde(borrow)]
    pub(crate) history: Option<Connection<'a>>,
}

/// The answer to `One`, or to the operation of a list.
#[derive(Deserialize)]
pub(crate) struct Single<'a> {
    #[serde(borrow)]
    pub(crate) node: Option<&'a RawValue>,
}

/// The object that a list's operation shows.
#[derive(Deserialize)]
pub(crate) struct Longer<'a> {
    #[serde(
        borrow,
        alias = "statuses",
        alias = "labels",
        alias = "commits",
        alias = "reviews",
        alias = "comments",
        alias = "timelineItems",
        alias = "parents"
    )]
    pub(crate) list: Option<Connection<'a>>,
}

/// An object of a page.
pub(crate) struct Object<'a> {
    pub(crate) node_id: String,
    /// What REST calls it; a commit has none.
    pub(crate) number: u64,
    /// When it began or changed, as the stream is sorted.
    pub(crate) at: String,
    pub(crate) what: What,
    /// The first pages of what belongs to it; `None` where GitHub could not tell.
    pub(crate) lists: Vec<(List, Option<Connection<'a>>)>,
}

pub(crate) enum What {
    Deployment(payload::Deployment),
    PullRequest(payload::PullRequest),
    Incident(payload::Issue),
    Commit(payload::Commit),
    /// With the commit of its tag.
    Release(payload::Release, Option<String>),
    Tag(Tag),
}

/// A tag by its name, with what it names and what that comes to.
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) object: String,
    pub(crate) tagged: Tagged,
}

/// What is no part of REST's object, or is nested otherwise.
#[derive(Deserialize)]
struct Beside<'a> {
    node_id: String,
    branch: Option<Branch>,
    merge: Option<Oid>,
    tag: Option<Oid>,
    #[serde(borrow)]
    statuses: Option<Connection<'a>>,
    #[serde(borrow)]
    labels: Option<Connection<'a>>,
    #[serde(borrow)]
    commits: Option<Connection<'a>>,
    #[serde(borrow)]
    reviews: Option<Connection<'a>>,
    #[serde(borrow)]
    comments: Option<Connection<'a>>,
    #[serde(borrow, rename = "timelineItems")]
    events: Option<Connection<'a>>,
    #[serde(borrow)]
    parents: Option<Connection<'a>>,
}

/// A deployment's branch is an object, a pull request's a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Branch {
    Named { name: String },
    Name(String),
}

#[derive(Deserialize)]
struct Oid {
    sha: String,
}

/// A tag with what it names.
#[derive(Deserialize)]
struct Named {
    name: String,
    target: Target,
}

/// A commit, a tag that names one of these, or something that nobody can deploy.
#[derive(Deserialize)]
struct Target {
    kind: String,
    sha: String,
    committed: Option<String>,
    tagger: Option<Tagger>,
    target: Option<Box<Target>>,
}

#[derive(Deserialize)]
struct Tagger {
    date: Option<String>,
}

impl Named {
    fn read(self) -> Result<Tag, serde_json::Error> {
        let Self { name, target } = self;
        let at_ms = target.date().and_then(parse_ms);
        let (commit, at_ms) = target.commit().zip(at_ms).ok_or_else(|| {
            serde_json::Error::custom(format!("{name}: leads to no commit within a few tags"))
        })?;
        let tagged = Tagged { commit: commit.to_owned(), at_ms };
        Ok(Tag { object: target.sha, name, tagged })
    }
}

impl Target {
    /// When the outermost tag that says so was made, or else the commit.
    fn date(&self) -> Option<&str> {
        let tagged = self.tagger.as_ref().and_then(|tagger| tagger.date.as_deref());
        tagged.or(self.committed.as_deref()).or_else(|| self.target.as_ref()?.date())
    }

    fn commit(&self) -> Option<&str> {
        match &self.target {
            None => (self.kind == "Commit").then_some(&self.sha),
            Some(target) => target.commit(),
        }
    }
}

impl<'a> Object<'a> {
    pub(crate) fn read(kind: Kind, raw: &'a str) -> Result<Self, serde_json::Error> {
        let beside: Beside<'a> = serde_json::from_str(raw)?;
        let branch = beside.branch.map(|branch| match branch {
            Branch::Named { name } | Branch::Name(name) => name,
        });
        let (number, at, what, lists);
        match kind {
            Kind::Deployments => {
                let mut deployment: payload::Deployment = serde_json::from_str(raw)?;
                deployment.reference = branch;
                (number, at) = (deployment.id, deployment.created_at.clone());
                what = What::Deployment(deployment);
                lists = vec![(List::Statuses, beside.statuses)];
            }
            Kind::PullRequests => {
                let mut fields: serde_json::Map<_, _> = serde_json::from_str(raw)?;
                fields.remove("labels");
                fields.insert("head".to_owned(), json!({ "ref": branch }));
                let mut pull: payload::PullRequest = serde_json::from_value(fields.into())?;
                pull.merge_commit_sha = beside.merge.map(|commit| commit.sha);
                pull.user.as_mut().map(named_as_rest_does);
                let changed = pull.updated_at.as_ref().unwrap_or(&pull.created_at);
                (number, at) = (pull.number, changed.clone());
                what = What::PullRequest(pull);
                lists = vec![
                    (List::Labels, beside.labels),
                    (List::Commits, beside.commits),
                    (List::Reviews, beside.reviews),
                    (List::Comments, beside.comments),
                ];
            }
            Kind::Incidents => {
                let mut issue: payload::Issue = serde_json::from_str(raw)?;
                issue.state_reason = issue.state_reason.map(|reason| reason.to_ascii_lowercase());
                let changed = issue.updated_at.as_ref().unwrap_or(&issue.created_at);
                (number, at) = (issue.number, changed.clone());
                what = What::Incident(issue);
                lists = vec![(List::Events, beside.events)];
            }
            Kind::Commits => {
                let commit: BranchCommit = serde_json::from_str(raw)?;
                (number, at) = (0, commit.committed.clone());
                what = What::Commit(serde_json::from_value(json!({
                    "sha": commit.sha,
                    "commit": {
                        "author": { "date": commit.authored },
                        "committer": { "date": commit.committed },
                        "message": commit.message,
                    },
                }))?);
                lists = vec![(List::Parents, beside.parents)];
            }
            Kind::Releases => return Self::release(raw, beside.node_id, beside.tag),
            Kind::Tags => return Self::tag(raw, beside.node_id),
        }
        Ok(Self { node_id: beside.node_id, number, at, what, lists })
    }

    fn release(raw: &str, node_id: String, tag: Option<Oid>) -> Result<Self, serde_json::Error> {
        let release: payload::Release = serde_json::from_str(raw)?;
        let created = release.created_at.clone().unwrap_or_default();
        let at = release.published_at.clone().unwrap_or(created);
        let (number, what) = (release.id, What::Release(release, tag.map(|commit| commit.sha)));
        Ok(Self { node_id, number, at, what, lists: Vec::new() })
    }

    fn tag(raw: &str, node_id: String) -> Result<Self, serde_json::Error> {
        let tag: Named = serde_json::from_str(raw)?;
        let at = tag.target.date().unwrap_or_default().to_owned();
        Ok(Self { node_id, number: 0, at, what: What::Tag(tag.read()?), lists: Vec::new() })
    }

    /// Whether the page shows less than all of it.
    pub(crate) fn is_longer(&self) -> bool {
        let connections = self.lists.iter().filter_map(|(_, connection)| connection.as_ref());
        connections.into_iter().any(|connection| connection.page.has_next_page)
    }
}

/// What belongs to an object, as far as it was read.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) statuses: Vec<Status>,
    pub(crate) labels: Vec<payload::Label>,
    pub(crate) commits: Vec<payload::Commit>,
    pub(crate) remarks: Vec<Remark>,
    pub(crate) events: Vec<payload::Event>,
    pub(crate) parents: Vec<payload::Parent>,
}

impl Parts {
    /// Takes one element of a list.
    pub(crate) fn take(&mut self, list: List, raw: &str) -> Result<(), serde_json::Error> {
        match list {
            List::Statuses => {
                let mut status: Status = serde_json::from_str(raw)?;
                status.state.make_ascii_lowercase();
                self.statuses.push(status);
            }
            List::Events => {
                let mut event: payload::Event = serde_json::from_str(raw)?;
                event.event = event.event.map(|kind| kind.replace("Event", "").to_lowercase());
                self.events.push(event);
            }
            List::Parents => self.parents.push(serde_json::from_str(raw)?),
            List::Labels => self.labels.push(serde_json::from_str(raw)?),
            List::Commits => {
                let change: Change = serde_json::from_str(raw)?;
                self.commits.push(serde_json::from_value(json!({
                    "sha": change.commit.sha,
                    "commit": { "author": { "date": change.commit.date } },
                }))?);
            }
            List::Reviews | List::Comments => {
                let mut remark: Remark = serde_json::from_str(raw)?;
                remark.user.as_mut().map(named_as_rest_does);
                self.remarks.push(remark);
            }
        }
        Ok(())
    }

    /// Puts statuses into REST's order, the newest first.
    pub(crate) fn sort(&mut self) {
        let ends = self.statuses.first().zip(self.statuses.last());
        if ends.is_some_and(|(first, last)| first.created_at < last.created_at) {
            self.statuses.reverse();
        }
        self.statuses.sort_by(|a, b| b.created_at.cmp(&a.created_at));
    }
}

#[derive(Deserialize)]
struct Change {
    commit: ChangeCommit,
}

#[derive(Deserialize)]
struct BranchCommit {
    sha: String,
    #[serde(rename = "authoredDate")]
    authored: String,
    #[serde(rename = "committedDate")]
    committed: String,
    message: Option<String>,
}

#[derive(Deserialize)]
struct ChangeCommit {
    sha: String,
    date: Option<String>,
}

/// The bot that REST calls `dependabot[bot]` is `dependabot` here.
fn named_as_rest_does(user: &mut payload::User) {
    if let Some(login) = &mut user.login
        && user.kind.as_deref() == Some("Bot")
        && !login.ends_with("[bot]")
    {
        login.push_str("[bot]");
    }
}
