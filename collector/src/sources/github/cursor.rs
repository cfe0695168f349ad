//! Where the reading of a repository stands, as a small value kept between processes. Stored
//! after the facts it follows from, it is never ahead of them, and facts read twice are harmless.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

/// What is read of a repository, each with a position of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Deployments with their statuses.
    Deployments,
    /// Pull requests with their commits, reviews and comments.
    PullRequests,
    /// Workflow runs with their earlier attempts.
    Runs,
    /// Issues with the label of incidents.
    Incidents,
    /// The commits of one branch, and what was deployed beside it.
    Commits,
    /// Runs of one workflow, as deployments.
    Workflow,
    /// Published releases, as deployments.
    Releases,
    /// Tags, as deployments.
    Tags,
}

/// The positions of one repository. A new one reads from the plan's beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// Troubles in a row; the waits grow with them.
    #[serde(default)]
    pub(crate) troubles: u32,
    /// Read or set aside in this round.
    #[serde(default)]
    pub(crate) done: BTreeSet<Stream>,
    #[serde(default)]
    pub(crate) places: BTreeMap<Stream, Place>,
}

impl Cursor {
    /// Up to when a stream is completely read; absent while its first walk lasts.
    #[must_use]
    pub fn complete_until_ms(&self, stream: Stream) -> Option<i64> {
        self.places.get(&stream)?.watermark_ms
    }

    /// How many objects have not come to an end yet and are read again in every round.
    #[must_use]
    pub fn open(&self) -> usize {
        self.places.values().map(|place| place.open.len()).sum()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// Everything before was listed.
    #[serde(default)]
    pub(crate) watermark_ms: Option<i64>,
    #[serde(default)]
    pub(crate) walk: Option<Walk>,
    /// To be read by id before the walk goes on.
    #[serde(default)]
    pub(crate) unread: BTreeSet<u64>,
    /// Not at their end yet, with the time of their beginning.
    #[serde(default)]
    pub(crate) open: BTreeMap<u64, i64>,
    /// Runs that were read with their jobs, and when they last changed: a day of them is listed in
    /// every round.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) runs: BTreeMap<u64, i64>,
    /// What the stream of commits keeps beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<History>,
    /// What the stream of tags keeps beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<Tags>,
}

/// Which tags are read. A time would not say it: a list of them has none, and a tag may name a
/// commit of long ago.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tags {
    /// The object that each names, abbreviated, so that one that was moved is read again.
    #[serde(default)]
    pub(crate) known: BTreeMap<String, String>,
    /// Those that this round has yet to read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) unread: BTreeMap<String, Unread>,
}

/// A tag that is not read yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unread {
    /// What it names.
    pub(crate) object: String,
    /// What that is: a commit, or a tag that says more.
    pub(crate) kind: String,
    /// Whether it named something else before.
    pub(crate) is_moved: bool,
}

impl Tags {
    /// Takes note of a tag that was read.
    pub(crate) fn know(&mut self, name: &str, object: &str) {
        self.unread.remove(name);
        if self.known.len() < TAGS_MAX || self.known.contains_key(name) {
            self.known.insert(name.to_owned(), abbreviated(object).to_owned());
        }
    }
}

/// As much of an object's id as tells the objects of one tag apart.
pub(crate) fn abbreviated(object: &str) -> &str {
    object.get(..ABBREVIATED).unwrap_or(object)
}

/// How far a history is read. A time would not say it: a merge brings commits that are older than
/// any watermark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    /// The commit of the branch whose ancestors were all read.
    pub(crate) known: Option<String>,
    /// The commit of the branch that this walk leads to.
    pub(crate) head: Option<String>,
    /// The deployed commit beside the branch whose ancestors this walk reads.
    pub(crate) stray: Option<String>,
    /// Deployed commits that no walk has met yet.
    pub(crate) strays: BTreeSet<String>,
    /// Deployed commits that one has met lately, so that they are not looked for again.
    pub(crate) met: VecDeque<String>,
}

impl History {
    /// Takes note of a deployed commit; `false` when there are too many that no walk has met.
    pub(crate) fn deployed(&mut self, sha: &str) -> bool {
        let is_sha = matches!(sha.len(), 40 | 64) && sha.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_sha || self.strays.contains(sha) || self.met.iter().any(|met| met == sha) {
            return true;
        }
        if self.strays.len() >= STRAYS_MAX {
            return false;
        }
        self.strays.insert(sha.to_owned())
    }

    /// Takes note of a commit that was read.
    pub(crate) fn meet(&mut self, sha: &str) {
        if self.strays.remove(sha) {
            self.met.push_back(sha.to_owned());
            if self.met.len() > MET_MAX {
                self.met.pop_front();
            }
        }
    }
}

/// A way through the pages of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Walk {
    /// Path and query of the next page; absent after the last.
    pub(crate) next: Option<String>,
    /// The watermark when it is done: the time of its beginning.
    pub(crate) top_ms: i64,
    /// The part of time that is being searched, where a search shows 1,000 results at most.
    pub(crate) window: Option<Window>,
    /// First and last id of the page before; the same again is a list that does not advance.
    pub(crate) ends: Option<(u64, u64)>,
    pub(crate) pages: u32,
}

impl Walk {
    /// A walk from this page on, or one that has nothing to read.
    pub(crate) fn toward(next: Option<String>, top_ms: i64) -> Self {
        Self { next, top_ms, window: None, ends: None, pages: 0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
}

impl Window {
    pub(crate) fn first(from_ms: i64, top_ms: i64) -> Self {
        Self::from(from_ms, WINDOW_MS, top_ms)
    }

    fn from(from_ms: i64, span_ms: i64, top_ms: i64) -> Self {
        let to_ms = from_ms.saturating_add(span_ms).min(top_ms).max(from_ms);
        Self { from_ms, to_ms }
    }

    /// The first half, unless it is a second already.
    pub(crate) fn halved(self) -> Option<Self> {
        let span_ms = self.to_ms - self.from_ms;
        (span_ms > 1_000).then(|| Self { to_ms: self.from_ms + span_ms / 2, ..self })
    }

    /// The one after it, up to twice as long, from its last second on.
    pub(crate) fn later(self, top_ms: i64) -> Option<Self> {
        let span_ms = ((self.to_ms - self.from_ms) * 2).clamp(2_000, WINDOW_MS);
        (self.to_ms < top_ms).then(|| Self::from(self.to_ms, span_ms, top_ms))
    }
}

/// The tags of one repository, 45 bytes each in a cursor, which is stored after every step.
pub(crate) const TAGS_MAX: usize = 20_000;
const ABBREVIATED: usize = 16;
/// A week of runs is seldom over what a search shows.
pub(crate) const WINDOW_MS: i64 = 7 * 24 * 3_600_000;
/// The deployed commits of a first walk, 43 bytes each in a cursor.
const STRAYS_MAX: usize = 5_000;
/// The deployments of an hour, which the next round lists again.
const MET_MAX: usize = 200;
