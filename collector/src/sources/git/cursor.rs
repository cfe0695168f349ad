//! What one reading tells the next, and what it found besides facts: refs by name and object, not a
//! time, because histories are rewritten and clocks of committers differ.

use std::collections::BTreeMap;

use redora_model::identity::Revision;
use serde::{Deserialize, Serialize};

/// Where the last reading stood. The default is the beginning; any cursor is safe to lose, and
/// costs a full reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The branch's commit.
    pub branch: String,
    /// Every tag with the object it names, which is the tag object where it is annotated.
    pub tags: BTreeMap<String, String>,
    /// Objects that were named but not there. When one of them arrives, all is read again.
    pub absent: Vec<String>,
    /// The edge of a shallow clone; when it moves, all is read again.
    pub edge: Vec<String>,
    /// The rules that the facts depend on; when they change, all is read again.
    pub rules: String,
}

/// What a reading came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Where the next one starts. Store it after the facts.
    pub cursor: Cursor,
    /// Commits handed out.
    pub commits: u64,
    /// Deployments handed out, one for each tag and rule.
    pub deployments: u64,
    /// Tags that name another object than last time; their deployments were handed out as
    /// corrections.
    pub moved: Vec<String>,
    /// Tags that are gone. Their deployments stay: deleting a tag undoes no deployment.
    pub gone: Vec<String>,
    /// The branch was rewritten since the last reading.
    pub rewritten: Option<Rewrite>,
    /// Commits whose parents a shallow clone does not have: before them is a gap, which
    /// `git fetch --unshallow` closes.
    pub shallow: Vec<Revision>,
    /// The history is longer than `commits_max`: before the oldest commit of this reading is a gap.
    pub cut: bool,
    /// What was not understood, all of it.
    pub skipped: u64,
    /// The first of it.
    pub examples: Vec<Skipped>,
}

impl Reading {
    pub(super) fn skip(&mut self, object: String, why: Fault) {
        self.skipped += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(Skipped { object, why });
        }
    }
}

/// A branch that no longer holds what it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// Its commit at the last reading.
    pub from: Revision,
    /// Its commit now, which does not have the former among its ancestors.
    pub to: Revision,
}

/// One thing that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The object's id or the tag's name.
    pub object: String,
    /// Why.
    pub why: Fault,
}

/// Why a thing was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A commit that another one names is not in the repository. Fetch it again.
    Missing,
    /// An object is there and cannot be read. `git fsck` says more; fetch it again.
    Damaged,
    /// A commit without any date between the years 0 and 9999.
    Date,
    /// A commit whose changes cannot be read: it is handed out without patch and services.
    Diff,
    /// A tag of a file or folder, which deploys no commit.
    NotACommit,
}

/// The examples kept of what was skipped; the rest is counted.
const EXAMPLES_MAX: usize = 20;
