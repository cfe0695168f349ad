//! Runs of CI workflows and their jobs: no fact of delivery itself, but where lead time is lost,
//! and apart from it because a pipeline that failed is no change that failed.

use serde::{Deserialize, Serialize};

use crate::identity::{Repository, Revision};

/// One attempt of a CI workflow's run. Its fact's id is the run's id and the attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Where.
    pub repository: Repository,
    /// The workflow's name.
    pub workflow: String,
    /// The branch or tag it ran for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub branch: String,
    /// The commit it ran for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The attempt, from 1.
    #[serde(default = "super::first", skip_serializing_if = "super::is_first")]
    pub attempt: u32,
    /// When it was asked for.
    pub created_ms: i64,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<i64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// Its jobs, where they are read. They stand here, because of two versions of one time the one
    /// whose JSON is greater wins, which is then the one that has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<Job>,
    /// How it ended, in GitHub's words: `success`, `failure`, `cancelled`, …; empty while it
    /// runs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub conclusion: String,
}

/// One job of a run's attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// When it was asked for.
    pub created_ms: i64,
    /// When a machine took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<i64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// How it ended, in GitHub's words; empty while it runs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub conclusion: String,
}
