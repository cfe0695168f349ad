//! A repository's streams in turn, each step one query and what it leaves incomplete, in the manner
//! of the collector, so that whoever keeps the schedule knows one kind of step.

use std::collections::BTreeMap;

use super::super::client::Client;
use super::super::collect;
use super::super::cursor::Stream;
use super::super::facts::Owner;
use super::super::plan::{Batch, Next, Plan};
use super::super::reader::{Reader, Yields};
use super::super::reply::{Moment, Verdict};
use super::cursor::BackfillCursor;
use super::queries::Kind;
use super::walk::Walk;

/// A repository's past being read.
pub struct Backfill {
    client: Client,
    plan: Plan,
    owner: Owner,
}

impl Backfill {
    /// Through `client`, as planned; `None` when the repository's name is not `owner/name`.
    #[must_use]
    pub fn new(client: Client, plan: Plan) -> Option<Self> {
        let owner = collect::owner(&plan)?;
        Some(Self { client, plan, owner })
    }

    /// Reads on from a cursor. `random` spreads the retries of many. The round is complete without
    /// the streams that GraphQL does not show; the collector reads those from their beginning.
    pub async fn step(
        &self,
        mut cursor: BackfillCursor,
        now_ms: i64,
        random: u64,
    ) -> Batch<BackfillCursor> {
        let Some((stream, kind)) = self.next(&cursor) else { return self.complete(cursor, now_ms) };
        let moment = Moment::new(now_ms, cursor.troubles, random);
        let (client, plan, owner) = (&self.client, &self.plan, &self.owner);
        let (runs, yields) = (BTreeMap::new(), Yields::default());
        let reader = Reader { client, plan, owner, stream, moment, runs, yields };
        let spot = cursor.spots.remove(&stream).unwrap_or_default();
        let tags = std::mem::take(&mut cursor.tags);
        let mut walk = Walk { reader, kind, spot, tags, points: 0 };
        let outcome = walk.advance().await;
        let Walk { reader: Reader { mut yields, .. }, spot, tags, points, .. } = walk;
        cursor.tags = tags;
        cursor.spots.insert(stream, spot);
        if plan.streams.contains(&Stream::Commits) {
            let spot = cursor.spots.entry(Stream::Commits).or_default();
            collect::note_deployed(spot.history.get_or_insert_default(), &mut yields);
        }
        cursor.points = cursor.points.saturating_add(points);
        let next = match outcome {
            Ok(()) => {
                cursor.troubles = 0;
                Next::Now
            }
            Err(Verdict::Never(refusal)) => {
                cursor.refused.insert(stream);
                Next::Refused(stream, refusal)
            }
            Err(Verdict::Later(wait)) => {
                cursor.troubles = cursor.troubles.saturating_add(1);
                Next::Later(wait)
            }
            Err(Verdict::Use | Verdict::Moved(_)) => unreachable!("the client follows these"),
        };
        let Yields { facts, rejects, forgotten, requests, remaining } = yields;
        Batch { facts, rejects, forgotten, requests, remaining, cursor, next }
    }

    fn streams(&self) -> impl Iterator<Item = (Stream, Kind)> {
        self.plan.streams.iter().filter_map(|stream| Some((*stream, Kind::of(*stream)?)))
    }

    fn next(&self, cursor: &BackfillCursor) -> Option<(Stream, Kind)> {
        self.streams().find(|(stream, _)| {
            let is_over = cursor.spots.get(stream).is_some_and(|spot| spot.is_over);
            !is_over && !cursor.refused.contains(stream)
        })
    }

    /// The end of a round: what was refused is tried again in the next one.
    fn complete(&self, mut cursor: BackfillCursor, now_ms: i64) -> Batch<BackfillCursor> {
        cursor.refused.clear();
        let until = self.streams().map(|(stream, _)| cursor.complete_until_ms(stream));
        let until = until.map(|until_ms| until_ms.unwrap_or(self.plan.since_ms)).min();
        let next = Next::Complete { until_ms: until.unwrap_or(now_ms) };
        let (facts, rejects) = (Vec::new(), Vec::new());
        Batch { facts, rejects, forgotten: 0, requests: 0, remaining: None, cursor, next }
    }
}
