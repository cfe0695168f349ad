//! One step through a stream of GraphQL: a page, with what its objects have behind the first pages
//! of their lists, or one object by itself. A step that is cut off keeps what it has of the page,
//! and the incomplete objects as nodes to be read.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::super::commits;
use super::super::cursor::Tags;
use super::super::facts::revision;
use super::super::payload::Label;
use super::super::query::date;
use super::super::reader::{Fate, Reader};
use super::super::reply::{Trouble, Verdict, parse_ms};
use super::super::step::{DRAFT_MS, OPEN_MAX, OPEN_MS_MAX, PAGES_MAX};
use super::super::{signs, tags};
use super::cursor::{Spot, Unread};
use super::nodes::{Connection, Listing, Longer, Object, Parts, Single, Tag, What};
use super::queries::{Kind, LIST_MAX, List};
use super::verdict::{self, Reply};

pub(crate) struct Walk<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) kind: Kind,
    pub(crate) spot: Spot,
    pub(crate) tags: Tags,
    pub(crate) points: u64,
}

impl Walk<'_> {
    pub(crate) async fn advance(&mut self) -> Result<(), Verdict> {
        let top_ms = *self.spot.top_ms.get_or_insert(self.reader.moment.now_ms);
        let unread = self.spot.unread.first_key_value();
        let outcome = if let Some((node_id, unread)) = unread {
            let (node_id, unread) = (node_id.clone(), *unread);
            self.one(node_id, unread).await
        } else if self.spot.is_listed {
            self.spot.is_over = true;
            self.spot.complete_ms = Some(top_ms);
            if let Some(history) = &mut self.spot.history {
                history.known.clone_from(&history.head);
            }
            Ok(())
        } else {
            self.page().await
        };
        let Err(Verdict::Later(wait)) = &outcome else { return outcome };
        let first_max = self.kind.first_max();
        if wait.why == Trouble::Server
            && self.spot.size.first(first_max) == 1
            && self.reader.moment.troubles >= TROUBLES_MAX
        {
            self.give_up("GitHub fails to list one object at a time");
            return Ok(());
        }
        if matches!(wait.why, Trouble::Server | Trouble::Connection) {
            self.spot.size.halve(first_max);
        }
        outcome
    }

    /// Ends the walk without a watermark: the collector reads the stream from its beginning.
    fn give_up(&mut self, why: &str) {
        self.reader.reject(&format!("{why}: left to the collector"));
        self.spot.is_over = true;
    }

    async fn page(&mut self) -> Result<(), Verdict> {
        let reply = self.ask("Page", self.page_variables()).await?;
        let listing: Listing =
            serde_json::from_str(reply.data.get()).map_err(|_| self.reader.broken())?;
        let repository = listing.repository.ok_or_else(|| self.reader.broken())?;
        let connection = match (self.kind, repository.object) {
            (Kind::Commits, None) => {
                // A repository without commits.
                self.spot.is_listed = true;
                return Ok(());
            }
            (Kind::Commits, Some(head)) => {
                self.spot.history.get_or_insert_default().head = head.oid;
                head.history
            }
            _ => repository.list,
        };
        let Connection { page, nodes } = connection.ok_or_else(|| self.reader.broken())?;
        let is_again = page.end_cursor.is_some() && page.end_cursor == self.spot.after;
        let is_stuck = page.has_next_page && (is_again || page.end_cursor.is_none());
        if is_stuck || self.spot.pages >= PAGES_MAX {
            self.give_up("the list does not end, a page came again");
            return Ok(());
        }
        let (mut wanted, mut is_past) = (Vec::new(), false);
        for (at, node) in nodes.iter().flatten().enumerate() {
            let path = format!("repository.{}.nodes.{at}", self.kind.field());
            match self.object(&path, *node, &reply) {
                Some(object) if self.is_wanted(&object) => wanted.push(object),
                Some(object) => is_past |= self.is_past(&object),
                None => {}
            }
        }
        self.spot.pages += 1;
        self.spot.after = page.end_cursor;
        self.spot.is_listed = is_past || !page.has_next_page;
        self.spot.size.grow(self.kind.first_max());
        let mut outcome = Ok(());
        for object in wanted {
            let node_id = object.node_id.clone();
            let unread = Unread { number: object.number, tries: 0 };
            if outcome.is_err() && object.is_longer() {
                self.spot.unread.insert(node_id, unread);
            } else if let Err(verdict) = self.finish(object).await {
                self.spot.unread.insert(node_id, unread);
                outcome = Err(verdict);
            }
        }
        outcome
    }

    /// Reads an object by itself; one that is cut off again and again is left to REST, which reads
    /// it in other portions.
    async fn one(&mut self, node_id: String, unread: Unread) -> Result<(), Verdict> {
        let outcome = self.whole(&node_id).await;
        let why = match &outcome {
            Ok(()) => {
                self.spot.unread.remove(&node_id);
                return outcome;
            }
            Err(Verdict::Later(wait)) => wait.why,
            Err(_) => return outcome,
        };
        if matches!(why, Trouble::PrimaryLimit | Trouble::SecondaryLimit) {
            return outcome;
        }
        if unread.tries < TRIES_MAX {
            self.spot.unread.insert(node_id, Unread { tries: unread.tries + 1, ..unread });
        } else {
            self.spot.unread.remove(&node_id);
            self.hand_over(unread.number);
        }
        outcome
    }

    async fn whole(&mut self, node_id: &str) -> Result<(), Verdict> {
        let reply = self.ask("One", Self::variables_of(node_id)).await?;
        let single: Single =
            serde_json::from_str(reply.data.get()).map_err(|_| self.reader.broken())?;
        match self.object("node", single.node, &reply) {
            Some(object) => self.finish(object).await,
            None => Ok(()),
        }
    }

    /// An element of an answer, or a reject that says where it stood.
    fn object<'a>(
        &mut self,
        path: &str,
        node: Option<&'a RawValue>,
        reply: &Reply,
    ) -> Option<Object<'a>> {
        let why = match node.map(|raw| Object::read(self.kind, raw.get())) {
            Some(Ok(object)) if parse_ms(&object.at).is_some() => return Some(object),
            Some(Ok(object)) => format!("{}: no time", object.number),
            Some(Err(error)) => error.to_string(),
            None => reply.fault(path).map_or("null", |fault| &fault.message).to_owned(),
        };
        self.reader.reject(&format!("{path}: {why}"));
        None
    }

    fn is_wanted(&self, object: &Object<'_>) -> bool {
        let at_ms = match &object.what {
            What::Commit(_) => return true,
            What::Tag(tag) => return self.reader.plan.has_tag(&tag.name),
            What::Release(release, _) => {
                signs::changed_ms(&object.at, release.updated_at.as_deref())
            }
            _ => parse_ms(&object.at),
        };
        at_ms.is_some_and(|at_ms| at_ms >= self.reader.plan.since_ms)
    }

    /// Whether nothing that is wanted follows an object that is not. Releases are listed by the
    /// time of their draft; tags are all listed, for REST would ask what each old one comes to.
    fn is_past(&self, object: &Object<'_>) -> bool {
        match &object.what {
            What::Release(release, _) => {
                let drafted_ms = release.created_at.as_deref().and_then(parse_ms);
                drafted_ms < Some(self.reader.plan.since_ms.saturating_sub(DRAFT_MS))
            }
            What::Tag(_) => false,
            _ => true,
        }
    }

    /// Reads the rest of an object's lists, and makes it a fact or a reject. What GitHub cannot
    /// give whole is left to REST, for an object without its parts would be another fact.
    async fn finish(&mut self, mut object: Object<'_>) -> Result<(), Verdict> {
        let lists = std::mem::take(&mut object.lists);
        match self.parts(&object, lists).await? {
            Some(parts) => {
                let number = object.number;
                let fate = self.make(object, parts);
                self.follow(number, fate);
            }
            None => self.hand_over(object.number),
        }
        Ok(())
    }

    async fn parts(
        &mut self,
        object: &Object<'_>,
        lists: Vec<(List, Option<Connection<'_>>)>,
    ) -> Result<Option<Parts>, Verdict> {
        let mut parts = Parts::default();
        for (list, connection) in lists {
            let Some(connection) = connection else { return Ok(None) };
            let mut room = list.elements_max();
            let mut next = self.take(object.number, list, connection, &mut parts, &mut room);
            while let Some(after) = next {
                let mut variables = Self::variables_of(&object.node_id);
                variables["after"] = json!(after);
                let reply = self.ask(list.operation(), variables).await?;
                let Some(connection) = shown(&reply) else { return Ok(None) };
                next = self.take(object.number, list, connection, &mut parts, &mut room);
                next = next.filter(|end| *end != after);
            }
        }
        parts.sort();
        Ok(Some(parts))
    }

    fn make(&mut self, object: Object<'_>, parts: Parts) -> Fate {
        let number = object.number;
        match object.what {
            What::Deployment(deployment) => {
                self.reader.make_deployment(number, &deployment, &parts.statuses)
            }
            What::PullRequest(mut pull) => {
                pull.labels = Some(parts.labels);
                let owner = self.reader.owner;
                let made = owner.pull_request(&pull, &parts.commits, &parts.remarks);
                self.reader.keep(number, made)
            }
            What::Incident(mut issue) => {
                // Only issues that have it are listed.
                let name = Some(self.reader.plan.incident_label.clone());
                issue.labels = Some(vec![Label { name }]);
                self.reader.make_incident(number, &issue, &parts.events)
            }
            What::Commit(mut commit) => {
                commit.parents = Some(parts.parents);
                let made = self.reader.owner.commit(&commit);
                let history = self.spot.history.get_or_insert_default();
                history.meet(&commit.sha.to_ascii_lowercase());
                self.reader.keep(commit.sha, made)
            }
            What::Release(release, commit) => {
                self.reader.make_release(number, &release, commit.as_deref().map(revision))
            }
            What::Tag(Tag { name, object, tagged }) => {
                tags::keep(&mut self.reader, &name, &tagged, false, true);
                self.tags.know(&name, &object);
                Fate::Over
            }
        }
    }

    /// Takes a page of a list, and tells where the next one begins.
    fn take(
        &mut self,
        number: u64,
        list: List,
        connection: Connection<'_>,
        parts: &mut Parts,
        room: &mut usize,
    ) -> Option<String> {
        for raw in connection.nodes.into_iter().flatten().take(*room) {
            *room -= 1;
            let taken = match raw {
                Some(raw) => parts.take(list, raw.get()).map_err(|error| error.to_string()),
                None => Err("null".to_owned()),
            };
            if let Err(why) = taken {
                self.reader
                    .reject(&format!("{number}: {}: {why}", list.operation().to_lowercase()));
            }
        }
        let has_more = connection.page.has_next_page && *room > 0;
        connection.page.end_cursor.filter(|_| has_more)
    }

    /// Keeps the number of what is not over, for the collector to read again.
    fn follow(&mut self, number: u64, fate: Fate) {
        let Fate::Open(since_ms) = fate else { return };
        let oldest_ms = self.reader.moment.now_ms.saturating_sub(OPEN_MS_MAX);
        if since_ms < oldest_ms || self.spot.open.len() >= OPEN_MAX {
            self.reader.yields.forgotten += 1;
        } else {
            self.spot.open.insert(number, since_ms);
        }
    }

    fn hand_over(&mut self, number: u64) {
        if self.kind != Kind::Commits && self.spot.handed.len() < OPEN_MAX {
            self.spot.handed.insert(number);
        } else {
            self.reader.reject(&format!("{number}: GitHub does not tell what belongs to it"));
        }
    }

    fn page_variables(&self) -> Value {
        let (owner, name) =
            self.reader.plan.repository.as_str().split_once('/').unwrap_or_default();
        let mut variables = json!({
            "owner": owner,
            "name": name,
            "first": self.spot.size.first(self.kind.first_max()),
            "after": self.spot.after,
        });
        if !matches!(self.kind, Kind::Releases | Kind::Tags) {
            variables["inner"] = json!(self.inner());
        }
        match self.kind {
            Kind::Deployments | Kind::PullRequests | Kind::Releases | Kind::Tags => {}
            Kind::Commits => {
                // Named by its SHA from the second page on, it does not shift while it is read.
                let head = self.spot.history.as_ref().and_then(|history| history.head.as_deref());
                variables["head"] = json!(head.unwrap_or("HEAD"));
                variables["since"] = json!(commits::since(self.reader.plan));
            }
            Kind::Incidents => {
                variables["label"] = json!(self.reader.plan.incident_label);
                variables["since"] = json!(date(self.reader.plan.since_ms));
            }
        }
        variables
    }

    /// One object is never too much, so its lists come in the largest pages.
    fn variables_of(node_id: &str) -> Value {
        json!({ "id": node_id, "inner": LIST_MAX })
    }

    /// How much of each list a page shows: all that may be, or less as pages get smaller.
    fn inner(&self) -> u32 {
        let first_max = self.kind.first_max();
        (LIST_MAX * self.spot.size.first(first_max) / first_max).max(INNER_MIN)
    }

    /// Sends an operation. An answer that lacks a part which may come by itself is asked for again,
    /// a few times.
    async fn ask(&mut self, operation: &str, variables: Value) -> Result<Reply, Verdict> {
        let request = json!({
            "query": self.kind.document(),
            "operationName": operation,
            "variables": variables,
        });
        self.reader.yields.requests += 1;
        let outcome = self.send(&request).await;
        match &outcome {
            Ok(reply) => self.reader.note_remaining(reply.remaining),
            Err(verdict) => self.reader.note_remaining(verdict.remaining()),
        }
        let reply = outcome?;
        self.points += reply.cost;
        let is_passing = reply.faults.iter().any(|fault| fault.is_passing);
        if is_passing && self.spot.partial < PARTIAL_MAX {
            self.spot.partial += 1;
            return Err(Verdict::Later(self.reader.moment.retry(Trouble::Server)));
        }
        self.spot.partial = 0;
        Ok(reply)
    }

    async fn send(&self, request: &Value) -> Result<Reply, Verdict> {
        let moment = self.reader.moment;
        let repository = self.reader.plan.repository.as_str();
        let (headers, body) = self.reader.client.post(repository, request, moment).await?;
        let subject = format!("/repos/{repository}");
        verdict::judge(&subject, &headers, &body, moment)
    }
}

fn shown(reply: &Reply) -> Option<Connection<'_>> {
    let single: Single = serde_json::from_str(reply.data.get()).ok()?;
    let longer: Longer = serde_json::from_str(single.node?.get()).ok()?;
    longer.list
}

/// A node is tried by itself this often before it is left to REST.
const TRIES_MAX: u32 = 8;
/// Failures in a row, some hours of them, after which a page of one will not come.
const TROUBLES_MAX: u32 = 20;
const INNER_MIN: u32 = 10;
/// How often an answer with a hole is asked for again before the hole is taken as it is.
const PARTIAL_MAX: u32 = 3;
