//! Tags as deployments: their list has neither times nor an order that would tell what is new, and
//! a tag may name a commit of long ago. So each round holds the whole list, which is one request,
//! against what every tag named before, and reads what is new or was moved.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::cursor::{Place, TAGS_MAX, Tags, Unread, Walk, abbreviated};
use super::payload::{GitCommit, Page, Ref, Signature, TagObject, Target};
use super::query::escaped;
use super::reader::Reader;
use super::reply::{Refusal, Verdict, parse_ms};
use super::signs::Tagged;

/// Whether the stream is read to its end for this round.
pub(crate) async fn advance(reader: &mut Reader<'_>, place: &mut Place) -> Result<bool, Verdict> {
    let mut tags = place.tags.take().unwrap_or_default();
    let outcome = step(reader, &mut tags, place).await;
    place.tags = Some(tags);
    outcome
}

async fn step(
    reader: &mut Reader<'_>,
    tags: &mut Tags,
    place: &mut Place,
) -> Result<bool, Verdict> {
    if place.walk.is_none() {
        tags.note(listed(reader).await?);
        place.walk = Some(Walk::toward(None, reader.moment.now_ms));
    }
    let is_first = place.watermark_ms.is_none();
    let next: Vec<(String, Unread)> =
        tags.unread.iter().take(TAGS_A_STEP).map(|(name, to)| (name.clone(), to.clone())).collect();
    for (name, unread) in next {
        if let Some(tagged) = read(reader, &name, &unread).await? {
            keep(reader, &name, &tagged, unread.is_moved, is_first);
        }
        tags.know(&name, &unread.object);
    }
    if !tags.unread.is_empty() {
        return Ok(false);
    }
    place.watermark_ms = place.walk.take().map(|walk| walk.top_ms);
    Ok(true)
}

/// Makes a tag a fact, unless it is older than what is read. What came to be known later is held to
/// be so as of now, so that a tag that was moved wins, wherever it was moved to; in a first reading
/// it is held to be so as of its own time, so that a lost place adds no second version.
pub(crate) fn keep(
    reader: &mut Reader<'_>,
    name: &str,
    tagged: &Tagged,
    is_moved: bool,
    is_first: bool,
) {
    if is_moved || tagged.at_ms >= reader.plan.since_ms {
        let as_of_ms = if is_first { tagged.at_ms } else { reader.moment.now_ms };
        let fact = reader.owner.tag(&reader.plan.environment, name, tagged, as_of_ms);
        reader.yields.facts.push(fact);
    }
}

impl Tags {
    /// Holds a list against what is known: what is gone is forgotten, and remains a fact.
    fn note(&mut self, listed: BTreeMap<String, Target>) {
        self.known.retain(|name, _| listed.contains_key(name));
        self.unread.clear();
        for (name, Target { sha: object, kind }) in listed {
            let known = self.known.get(&name);
            if known.is_none_or(|known| known != abbreviated(&object)) {
                let is_moved = known.is_some();
                self.unread.insert(name, Unread { object, kind, is_moved });
            }
        }
    }
}

/// The tags of the plan as they stand.
async fn listed(reader: &mut Reader<'_>) -> Result<BTreeMap<String, Target>, Verdict> {
    let mut listed = BTreeMap::new();
    let mut beyond = 0;
    for prefix in prefixes(reader) {
        let begin = escaped(&format!("tags/{prefix}"));
        let mut next = Some(format!("{}/git/matching-refs/{begin}", reader.base()));
        // GitHub gives all of them at once; a server that gives pages is followed.
        for _ in 0..PAGES_MAX {
            let Some(path) = next.take() else { break };
            let answer = match reader.ask(&path).await {
                Ok(answer) => answer,
                // A repository without commits.
                Err(Verdict::Never(Refusal::Other { status: 409, .. })) => break,
                Err(verdict) => return Err(verdict),
            };
            let page = Page::read(&answer.body).map_err(|_| reader.broken())?;
            for raw in page.elements {
                let Ref { name, object } = match serde_json::from_str(raw.get()) {
                    Ok(named) => named,
                    Err(error) => {
                        reader.reject(&format!("a tag: {error}"));
                        continue;
                    }
                };
                let name = name.strip_prefix("refs/tags/").unwrap_or(&name);
                let is_ours = reader.plan.has_tag(name);
                if is_ours && listed.len() < TAGS_MAX {
                    listed.insert(name.to_owned(), object);
                } else {
                    beyond += usize::from(is_ours && !listed.contains_key(name));
                }
            }
            next = answer.next;
        }
    }
    if beyond > 0 {
        reader.reject(&format!("{beyond} more tags than the {TAGS_MAX} that are read of one"));
    }
    Ok(listed)
}

/// What the patterns begin with, none of which begins with another.
fn prefixes(reader: &Reader<'_>) -> Vec<String> {
    let mut prefixes: Vec<&str> = reader.plan.tags.iter().map(|glob| glob.prefix()).collect();
    prefixes.sort_unstable();
    prefixes.dedup_by(|later, earlier| later.starts_with(*earlier));
    prefixes.into_iter().map(str::to_owned).collect()
}

/// The commit behind a tag; `None`, with a reject, where there is none.
async fn read(
    reader: &mut Reader<'_>,
    name: &str,
    unread: &Unread,
) -> Result<Option<Tagged>, Verdict> {
    let (mut sha, mut kind) = (unread.object.clone(), unread.kind.clone());
    let mut at_ms = None;
    for _ in 0..DEPTH_MAX {
        match kind.as_str() {
            "commit" if at_ms.is_some() => break,
            "commit" => {
                let commit: Option<GitCommit> = object(reader, name, "commits", &sha).await?;
                let Some(GitCommit { author, committer, .. }) = commit else { return Ok(None) };
                at_ms = date_ms(committer.as_ref()).or(date_ms(author.as_ref()));
                break;
            }
            "tag" => {
                let tag: Option<TagObject> = object(reader, name, "tags", &sha).await?;
                let Some(TagObject { tagger, object }) = tag else { return Ok(None) };
                // The outermost tag says when the name was given.
                at_ms = at_ms.or(date_ms(tagger.as_ref()));
                (sha, kind) = (object.sha, object.kind);
            }
            _ => break,
        }
    }
    let tagged = at_ms.filter(|_| kind == "commit").map(|at_ms| Tagged { commit: sha, at_ms });
    if tagged.is_none() {
        let why = if kind == "commit" { "has no time" } else { "leads to no commit" };
        reader.reject(&format!("{name}: {why}"));
    }
    Ok(tagged)
}

/// An object of git's that a tag leads to; `None`, with a reject, where it cannot be had.
async fn object<T: DeserializeOwned>(
    reader: &mut Reader<'_>,
    name: &str,
    noun: &str,
    sha: &str,
) -> Result<Option<T>, Verdict> {
    let path = format!("{}/git/{noun}/{sha}", reader.base());
    let why = match reader.ask(&path).await {
        Ok(answer) => match serde_json::from_slice(&answer.body) {
            Ok(object) => return Ok(Some(object)),
            Err(error) if error.is_data() => error.to_string(),
            Err(_) => return Err(reader.broken()),
        },
        Err(Verdict::Never(Refusal::Unknown { .. })) => {
            reader.ask_access().await?;
            format!("{sha} was deleted")
        }
        Err(verdict) => return Err(verdict),
    };
    reader.reject(&format!("{name}: {why}"));
    Ok(None)
}

fn date_ms(signature: Option<&Signature>) -> Option<i64> {
    parse_ms(signature?.date.as_deref()?)
}

/// Two or three requests a tag, each of a few hundred bytes.
const TAGS_A_STEP: usize = 25;
const PAGES_MAX: usize = 1_000;
/// More tags of tags than anyone makes.
const DEPTH_MAX: usize = 16;
