//! A repository's streams in turn, each step of one of them, with the cursor and the verdict as
//! values. There is no task that owns a repository, because a limit may outlast the process.

use super::client::Client;
use super::cursor::Cursor;
use super::facts::Owner;
use super::plan::{Batch, Next, Plan};
use super::reply::{Moment, Verdict};
use super::step::{Step, Yields};

/// A repository being read.
pub struct Collector {
    client: Client,
    plan: Plan,
    owner: Owner,
}

impl Collector {
    /// Through `client`, as planned; `None` when the repository's name is not `owner/name`.
    #[must_use]
    pub fn new(client: Client, plan: Plan) -> Option<Self> {
        let owner = owner(&plan)?;
        Some(Self { client, plan, owner })
    }

    /// Reads on from a cursor. `random` spreads the retries of many collectors.
    pub async fn step(&self, mut cursor: Cursor, now_ms: i64, random: u64) -> Batch {
        let Some(stream) = self.plan.streams.iter().find(|s| !cursor.done.contains(s)).copied()
        else {
            cursor.done.clear();
            let until = self.plan.streams.iter().map(|stream| cursor.complete_until_ms(*stream));
            let until = until.map(|until_ms| until_ms.unwrap_or(self.plan.since_ms)).min();
            let next = Next::Complete { until_ms: until.unwrap_or(now_ms) };
            let (facts, rejects) = (Vec::new(), Vec::new());
            return Batch { facts, rejects, forgotten: 0, requests: 0, cursor, next };
        };
        let moment = Moment { now_ms, troubles: cursor.troubles, random };
        let place = cursor.places.remove(&stream).unwrap_or_default();
        let (client, plan, owner) = (&self.client, &self.plan, &self.owner);
        let mut step =
            Step { client, plan, owner, stream, moment, place, yields: Yields::default() };
        let outcome = step.advance().await;
        let Step { place, yields, .. } = step;
        cursor.places.insert(stream, place);
        let next = match outcome {
            Ok(is_done) => {
                cursor.troubles = 0;
                if is_done {
                    cursor.done.insert(stream);
                }
                Next::Now
            }
            Err(Verdict::Never(refusal)) => {
                cursor.done.insert(stream);
                Next::Refused(stream, refusal)
            }
            Err(Verdict::Later(wait)) => {
                cursor.troubles = cursor.troubles.saturating_add(1);
                Next::Later(wait)
            }
            Err(Verdict::Use | Verdict::Moved(_)) => unreachable!("the client follows these"),
        };
        let Yields { facts, rejects, forgotten, requests } = yields;
        Batch { facts, rejects, forgotten, requests, cursor, next }
    }
}

/// Whose facts a plan yields; `None` when the repository's name is not `owner/name`.
pub(crate) fn owner(plan: &Plan) -> Option<Owner> {
    let (owner, name) = plan.repository.as_str().split_once('/')?;
    let is_plain = |part: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && part != "." && part != ".." && part.chars().all(is_plain)
    };
    let owner_of = || Owner { repository: plan.repository.clone(), service: plan.service.clone() };
    (is_plain(owner) && is_plain(name)).then(owner_of)
}
