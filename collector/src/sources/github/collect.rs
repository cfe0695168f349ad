//! A repository's streams in turn, each step of one of them, with the cursor and the verdict as
//! values. There is no task that owns a repository, because a limit may outlast the process.

use redora_model::fact::{Deployment, What};

use super::app::AppRefusal;
use super::client::Client;
use super::cursor::{Cursor, History, Stream};
use super::facts::Owner;
use super::plan::{Batch, Next, Plan};
use super::reader::{Reader, Yields};
use super::reply::{Moment, Refusal, Verdict};
use super::step::Step;
use crate::sources::hooks::Object;

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
            return nothing(cursor, next);
        };
        let (outcome, yields) =
            self.advance(&mut cursor, stream, Ask::Walk, Now { now_ms, random }).await;
        let outcome = match outcome {
            Err(Verdict::Never(refusal)) => {
                let moment = Moment::new(now_ms, cursor.troubles, random);
                let (refusal, of_all) = self.widest(refusal, moment).await;
                if of_all {
                    cursor.done.extend(&self.plan.streams);
                }
                Err(Verdict::Never(refusal))
            }
            other => other,
        };
        if !matches!(outcome, Ok(false) | Err(Verdict::Later(_))) {
            cursor.done.insert(stream);
        }
        batch(cursor, stream, outcome, yields)
    }

    /// The refusal that a user is told, and whether it is one of all streams: a repository that
    /// cannot be read at all is one fault and not one a stream.
    async fn widest(&self, refusal: Refusal, moment: Moment) -> (Refusal, bool) {
        match refusal {
            Refusal::Unknown { .. }
            | Refusal::Permission { .. }
            | Refusal::App(AppRefusal::Permission { .. }) => {
                let base = self.client.path(&format!("/repos/{}", self.plan.repository));
                match self.client.ask(self.plan.repository.as_str(), &base, moment).await {
                    Err(Verdict::Never(of_all)) => (of_all, true),
                    _ => (refusal, false),
                }
            }
            _ => {
                let of_all = refusal.is_of_all();
                (refusal, of_all)
            }
        }
    }

    /// Reads one object at once, which is what a webhook asks for: the facts are those that its
    /// stream would give, and none where the plan has no such stream. After a trouble the object is
    /// in the cursor, and the stream's next step reads it, whether this is called again or not.
    pub async fn read_object(
        &self,
        mut cursor: Cursor,
        object: &Object,
        now_ms: i64,
        random: u64,
    ) -> Batch {
        let (streams, ask) = self.planned(object);
        if let Ask::One(id) = ask {
            for stream in &streams {
                cursor.places.entry(*stream).or_default().unread.insert(id);
            }
        }
        let mut all = nothing(cursor, Next::Now);
        for stream in streams {
            let mut cursor = std::mem::take(&mut all.cursor);
            let (outcome, yields) =
                self.advance(&mut cursor, stream, ask, Now { now_ms, random }).await;
            if ask == Ask::Walk && matches!(outcome, Ok(false)) {
                // The steps of this round read on.
                cursor.done.remove(&stream);
            }
            let mut read = batch(cursor, stream, outcome, yields);
            read.facts.splice(..0, all.facts);
            read.rejects.splice(..0, all.rejects);
            read.forgotten += all.forgotten;
            read.requests += all.requests;
            read.remaining = read.remaining.or(all.remaining);
            all = read;
            if all.next != Next::Now {
                break;
            }
        }
        all
    }

    /// Keeps an object for its streams' next steps, where it may not be asked for now; a walk finds
    /// what it would find.
    #[must_use]
    pub fn remember(&self, mut cursor: Cursor, object: &Object) -> Cursor {
        if let (streams, Ask::One(id)) = self.planned(object) {
            for stream in streams {
                cursor.places.entry(stream).or_default().unread.insert(id);
                cursor.done.remove(&stream);
            }
        }
        cursor
    }

    /// The streams that an object belongs to, as far as the plan has them, and how it is read.
    fn planned(&self, object: &Object) -> (Vec<Stream>, Ask) {
        let (streams, ask): (&[Stream], Ask) = match object {
            Object::Deployment(id) => (&[Stream::Deployments], Ask::One(*id)),
            Object::Run(id) => (&[Stream::Runs, Stream::Workflow], Ask::One(*id)),
            Object::PullRequest(number) => (&[Stream::PullRequests], Ask::One(*number)),
            Object::Issue(number) => (&[Stream::Incidents], Ask::One(*number)),
            Object::Release(id) => (&[Stream::Releases], Ask::One(*id)),
            Object::Ref { name, after: Some(_) } if name.starts_with("refs/heads/") => {
                (&[Stream::Commits], Ask::Walk)
            }
            Object::Ref { name, .. }
                if name.strip_prefix("refs/tags/").is_some_and(|name| self.plan.has_tag(name)) =>
            {
                (&[Stream::Tags], Ask::Walk)
            }
            Object::Ref { .. } => (&[], Ask::Walk),
        };
        let is_planned = |stream: &Stream| self.plan.streams.contains(stream);
        (streams.iter().copied().filter(is_planned).collect(), ask)
    }

    async fn advance(
        &self,
        cursor: &mut Cursor,
        stream: Stream,
        ask: Ask,
        Now { now_ms, random }: Now,
    ) -> (Result<bool, Verdict>, Yields) {
        let moment = Moment::new(now_ms, cursor.troubles, random);
        let mut place = cursor.places.remove(&stream).unwrap_or_default();
        let (client, plan, owner) = (&self.client, &self.plan, &self.owner);
        let (runs, yields) = (std::mem::take(&mut place.runs), Yields::default());
        let reader = Reader { client, plan, owner, stream, moment, runs, yields };
        let mut step = Step { reader, place };
        let outcome = match ask {
            Ask::Walk => step.advance().await,
            Ask::One(id) => step.read_by_id(id).await.map(|()| true),
        };
        let Step { reader, mut place } = step;
        place.runs = reader.runs;
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

/// What a step reads of its stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// What comes next.
    Walk,
    /// One object.
    One(u64),
}

#[derive(Clone, Copy)]
struct Now {
    now_ms: i64,
    random: u64,
}

fn batch(
    mut cursor: Cursor,
    stream: Stream,
    outcome: Result<bool, Verdict>,
    yields: Yields,
) -> Batch {
    let next = match outcome {
        Ok(_) => {
            cursor.troubles = 0;
            Next::Now
        }
        Err(Verdict::Never(refusal)) => Next::Refused(stream, refusal),
        Err(Verdict::Later(wait)) => {
            cursor.troubles = cursor.troubles.saturating_add(1);
            Next::Later(wait)
        }
        Err(Verdict::Use | Verdict::Moved(_)) => unreachable!("the client follows these"),
    };
    let Yields { facts, rejects, forgotten, requests, remaining } = yields;
    Batch { facts, rejects, forgotten, requests, remaining, cursor, next }
}

fn nothing(cursor: Cursor, next: Next) -> Batch {
    let (facts, rejects) = (Vec::new(), Vec::new());
    Batch { facts, rejects, forgotten: 0, requests: 0, remaining: None, cursor, next }
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
