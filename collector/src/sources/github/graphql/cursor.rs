//! Where the backfill of a repository stands, in a type of its own: its places are GraphQL's
//! cursors, from which REST cannot go on. What REST can go on from, it becomes at the end.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::cursor::{Cursor, History, Place, Stream, Tags};

/// The positions of one repository's backfill. A new one begins at the newest object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackfillCursor {
    /// Troubles in a row; the waits grow with them.
    #[serde(default)]
    pub(crate) troubles: u32,
    /// What the queries cost so far, as GitHub says.
    #[serde(default)]
    pub(crate) points: u64,
    /// Set aside in this round.
    #[serde(default)]
    pub(crate) refused: BTreeSet<Stream>,
    #[serde(default)]
    pub(crate) spots: BTreeMap<Stream, Spot>,
    /// Which tags are read.
    #[serde(default)]
    pub(crate) tags: Tags,
}

impl BackfillCursor {
    /// Up to when a stream is completely read; absent while its walk lasts.
    #[must_use]
    pub fn complete_until_ms(&self, stream: Stream) -> Option<i64> {
        self.spots.get(&stream)?.complete_ms
    }

    /// What the queries cost so far, in points of GitHub's hourly allowance.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.points
    }

    /// Where the collector goes on: behind each stream that is complete, and with what has not come
    /// to an end. A stream that is not complete begins at the plan's beginning there.
    #[must_use]
    pub fn into_cursor(self) -> Cursor {
        let mut tags = self.tags;
        let places = self.spots.into_iter().filter_map(|(stream, spot)| {
            let Spot { complete_ms: watermark_ms, open, handed: unread, history, .. } = spot;
            let place = if watermark_ms.is_some() {
                let tags = (stream == Stream::Tags).then(|| std::mem::take(&mut tags));
                Place { watermark_ms, unread, open, history, tags, ..Place::default() }
            } else {
                // What was deployed is known here alone, for deployments may be complete.
                let History { strays, .. } = history?;
                let history = Some(History { strays, ..History::default() });
                Place { history, ..Place::default() }
            };
            Some((stream, place))
        });
        Cursor { places: places.collect(), ..Cursor::default() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spot {
    /// When the walk began: what changed later is the collector's.
    #[serde(default)]
    pub(crate) top_ms: Option<i64>,
    /// The end of the page before.
    #[serde(default)]
    pub(crate) after: Option<String>,
    #[serde(default)]
    pub(crate) pages: u32,
    /// Whether the last page was read.
    #[serde(default)]
    pub(crate) is_listed: bool,
    /// Whether the walk is over, whole or given up.
    #[serde(default)]
    pub(crate) is_over: bool,
    /// The watermark, if it is whole.
    #[serde(default)]
    pub(crate) complete_ms: Option<i64>,
    #[serde(default)]
    pub(crate) size: Size,
    /// Answers in a row that lacked a part which may come by itself.
    #[serde(default)]
    pub(crate) partial: u32,
    /// Nodes to be read by themselves before the walk goes on.
    #[serde(default)]
    pub(crate) unread: BTreeMap<String, Unread>,
    /// Not at their end yet, with the time of their beginning.
    #[serde(default)]
    pub(crate) open: BTreeMap<u64, i64>,
    /// What GraphQL could not give whole, for REST to read by number.
    #[serde(default)]
    pub(crate) handed: BTreeSet<u64>,
    /// What the stream of commits keeps beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<History>,
}

/// A node that its page showed in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unread {
    /// What REST calls it.
    pub(crate) number: u64,
    /// How often its reading was cut off.
    pub(crate) tries: u32,
}

/// How many objects a page asks for: halved when GitHub gives up on one, doubled again after some
/// that it gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Size {
    /// Absent is the largest.
    #[serde(default)]
    first: Option<u32>,
    /// Pages in a row that came.
    #[serde(default)]
    came: u32,
}

impl Size {
    pub(crate) fn first(self, first_max: u32) -> u32 {
        self.first.unwrap_or(first_max).clamp(1, first_max)
    }

    pub(crate) fn halve(&mut self, first_max: u32) {
        *self = Self { first: Some((self.first(first_max) / 2).max(1)), came: 0 };
    }

    pub(crate) fn grow(&mut self, first_max: u32) {
        self.came += 1;
        if self.first.is_some() && self.came >= CAME_TO_GROW {
            let first = self.first(first_max) * 2;
            *self = Self { first: (first < first_max).then_some(first), came: 0 };
        }
    }
}

const CAME_TO_GROW: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deployed_outlives_a_history_that_was_not_read_whole() {
        let mut history = History { head: Some("h".into()), ..History::default() };
        assert!(history.deployed(&"a".repeat(40)));
        let strays = history.strays.clone();
        let spot = Spot { history: Some(history), ..Spot::default() };
        let mut cursor = BackfillCursor::default();
        cursor.spots.insert(Stream::Commits, spot);
        cursor.spots.insert(Stream::Deployments, Spot::default());
        let cursor = cursor.into_cursor();
        assert_eq!(cursor.places.len(), 1);
        let expected = History { strays, ..History::default() };
        assert_eq!(cursor.places[&Stream::Commits].history, Some(expected));
    }

    #[test]
    fn a_page_halves_at_once_and_grows_back_slowly_to_the_largest() {
        let mut size = Size::default();
        let mut seen = vec![size.first(37)];
        for _ in 0..7 {
            size.halve(37);
            seen.push(size.first(37));
        }
        assert_eq!(seen, [37, 18, 9, 4, 2, 1, 1, 1]);
        let mut pages = 0;
        while size != (Size { first: None, came: 0 }) {
            size.grow(37);
            pages += 1;
        }
        assert_eq!(pages, 6 * CAME_TO_GROW, "1, 2, 4, 8, 16, 32, all");
    }
}
