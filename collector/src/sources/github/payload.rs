//! GitHub's objects as far as facts need them. octocrab's own types are left alone: one field that
//! GitHub adds, drops or makes null fails a whole page there, and workflow runs lack attempts.
//! Here only what identifies an object must be there.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A deployment, from a list or by itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: u64,
    pub(crate) created_at: String,
    pub(crate) environment: String,
    pub(crate) sha: Option<String>,
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
    pub(crate) updated_at: Option<String>,
}

/// One status of a deployment.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) state: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: Option<String>,
    pub(crate) environment_url: Option<String>,
    pub(crate) log_url: Option<String>,
}

/// A pull request, from a list or by itself.
#[derive(Debug, Deserialize)]
pub(crate) struct PullRequest {
    pub(crate) number: u64,
    pub(crate) created_at: String,
    pub(crate) updated_at: Option<String>,
    pub(crate) merged_at: Option<String>,
    pub(crate) merge_commit_sha: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) user: Option<User>,
    pub(crate) labels: Option<Vec<Label>>,
    pub(crate) head: Option<Head>,
}

/// The branch that a pull request comes from.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
}

/// Who did something; absent for deleted accounts.
#[derive(Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) login: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
}

/// A label of an issue or pull request.
#[derive(Debug, Deserialize)]
pub(crate) struct Label {
    pub(crate) name: Option<String>,
}

/// A commit, of a pull request or of a branch.
#[derive(Debug, Deserialize)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) commit: Option<GitCommit>,
    pub(crate) parents: Option<Vec<Parent>>,
}

/// A commit that another one names.
#[derive(Debug, Deserialize)]
pub(crate) struct Parent {
    pub(crate) sha: String,
}

/// What git says of a commit.
#[derive(Debug, Deserialize)]
pub(crate) struct GitCommit {
    pub(crate) author: Option<Signature>,
    pub(crate) committer: Option<Signature>,
    pub(crate) message: Option<String>,
}

/// Who signed a commit when.
#[derive(Debug, Deserialize)]
pub(crate) struct Signature {
    pub(crate) date: Option<String>,
}

/// A review or a comment: a review has `submitted_at` and `state`, a comment `created_at`.
#[derive(Debug, Deserialize)]
pub(crate) struct Remark {
    pub(crate) user: Option<User>,
    pub(crate) state: Option<String>,
    pub(crate) submitted_at: Option<String>,
    pub(crate) created_at: Option<String>,
}

/// A workflow run in its latest attempt, or one earlier attempt by itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) created_at: String,
    pub(crate) name: Option<String>,
    pub(crate) head_branch: Option<String>,
    pub(crate) head_sha: Option<String>,
    pub(crate) run_attempt: Option<u32>,
    pub(crate) run_started_at: Option<String>,
    pub(crate) updated_at: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) conclusion: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) html_url: Option<String>,
}

/// A job of a workflow run's attempt.
#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) created_at: Option<String>,
    pub(crate) started_at: Option<String>,
    pub(crate) completed_at: Option<String>,
    pub(crate) conclusion: Option<String>,
}

/// A release; a draft has no time of publication.
#[derive(Debug, Deserialize)]
pub(crate) struct Release {
    pub(crate) id: u64,
    pub(crate) tag_name: String,
    pub(crate) created_at: Option<String>,
    pub(crate) published_at: Option<String>,
    pub(crate) updated_at: Option<String>,
    pub(crate) draft: Option<bool>,
    pub(crate) prerelease: Option<bool>,
    pub(crate) html_url: Option<String>,
}

/// A tag as the list of refs has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Ref {
    #[serde(rename = "ref")]
    pub(crate) name: String,
    pub(crate) object: Target,
}

/// What a ref or a tag names.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) sha: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// An annotated tag.
#[derive(Debug, Deserialize)]
pub(crate) struct TagObject {
    pub(crate) tagger: Option<Signature>,
    pub(crate) object: Target,
}

/// An issue; pull requests are listed among them.
#[derive(Debug, Deserialize)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    pub(crate) created_at: String,
    pub(crate) updated_at: Option<String>,
    pub(crate) closed_at: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) html_url: Option<String>,
    pub(crate) state_reason: Option<String>,
    pub(crate) labels: Option<Vec<Label>>,
    pub(crate) pull_request: Option<serde::de::IgnoredAny>,
}

/// One event of an issue's timeline, of which there are many kinds.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) event: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) label: Option<Label>,
}

/// A page of elements, each still its own bytes, so that a bad one spoils no other.
pub(crate) struct Page<'a> {
    pub(crate) elements: Vec<&'a RawValue>,
    /// How many there are in all, where the answer says so; a search shows 1,000 of them.
    pub(crate) total: Option<u64>,
}

impl<'a> Page<'a> {
    /// Reads a list, or the object that workflow runs and the commits of a comparison come in.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Object<'a> {
            #[serde(alias = "total_commits")]
            total_count: Option<u64>,
            #[serde(borrow, alias = "commits", alias = "jobs")]
            workflow_runs: Vec<&'a RawValue>,
        }
        if body.trim_ascii_start().starts_with(b"{") {
            let object: Object<'a> = serde_json::from_slice(body)?;
            return Ok(Self { elements: object.workflow_runs, total: object.total_count });
        }
        Ok(Self { elements: serde_json::from_slice(body)?, total: None })
    }
}
