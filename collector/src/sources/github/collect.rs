//! A repository's streams in turn, each step of one of them, with the cursor and the verdict as
//! values. There is no task that owns a repository, because a limit may outlast the process.

use redora_model::fact::{Deployment, What};

use super::client::Client;
use super::cursor::{Cursor, History, Stream};
use super::facts::Owner;
use super::plan::{Batch, Next, Plan};
use super::reader::{Reader, Yields};
use super::reply::{Moment, Verdict};
use super::step::Step;

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
        let (outcome, yields) = self.advance(&mut cursor, stream, now_ms, random).await;
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

    async fn advance(
        &self,
        cursor: &mut Cursor,
        stream: Stream,
        now_ms: i64,
        random: u64,
    ) -> (Result<bool, Verdict>, Yields) {
        let moment = Moment { now_ms, troubles: cursor.troubles, random };
        let place = cursor.places.remove(&stream).unwrap_or_default();
        let (client, plan, owner) = (&self.client, &self.plan, &self.owner);
        let reader = Reader { client, plan, owner, stream, moment, yields: Yields::default() };
        let mut step = Step { reader, place };
        let outcome = step.advance().await;
        let Step { reader, place } = step;
        cursor.places.insert(stream, place);
        let mut yields = reader.yields;
        self.note_deployed(cursor, &mut yields);
        (outcome, yields)
    }

    /// Lets the stream of commits look for what was deployed.
    fn note_deployed(&self, cursor: &mut Cursor, yields: &mut Yields) {
        if !self.plan.streams.contains(&Stream::Commits) {
            return;
        }
        let place = cursor.places.entry(Stream::Commits).or_default();
        note_deployed(place.history.get_or_insert_default(), yields);
    }
}

/// Takes note of what was deployed, and counts what there is no room for.
pub(crate) fn note_deployed(history: &mut History, yields: &mut Yields) {
    for fact in &yields.facts {
        if let What::Deployment(Deployment { revision: Some(revision), .. }) = &fact.what
            && !history.deployed(revision.as_str())
        {
            yields.forgotten += 1;
        }
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
