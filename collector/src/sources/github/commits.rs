//! The commit graph that lead times need. A watermark in time cannot tell which commits are new,
//! because a merge brings commits as old as their branch; so the first walk lists the history, and
//! every later one asks for what the branch contains now and did not contain then.
//!
//! A deployed commit that no walk met, on a release branch or a tag beside the branch, has its
//! history read the same way, against the branch.

use serde::Deserialize;

use super::cursor::{History, Place, Walk};
use super::payload::Page;
use super::plan::Plan;
use super::query::date;
use super::reader::Reader;
use super::reply::{Refusal, Verdict};

/// What is read of a commit before it is known to be whole.
#[derive(Deserialize)]
struct Named {
    sha: String,
}

/// Whether the stream is read to its end for this round.
pub(crate) async fn advance(reader: &mut Reader<'_>, place: &mut Place) -> Result<bool, Verdict> {
    let mut history = place.history.take().unwrap_or_default();
    let outcome = step(reader, &mut history, &mut place.walk).await;
    place.history = Some(history);
    if let Ok(Some(until_ms)) = outcome {
        place.watermark_ms = Some(until_ms);
        place.walk = None;
    }
    outcome.map(|until_ms| until_ms.is_some())
}

/// Up to when everything is read, at the end.
async fn step(
    reader: &mut Reader<'_>,
    history: &mut History,
    walk: &mut Option<Walk>,
) -> Result<Option<i64>, Verdict> {
    let Some(mut walking) = walk.take() else {
        let Some(head) = head(reader).await? else { return Ok(Some(reader.moment.now_ms)) };
        let next = match &history.known {
            Some(known) if *known == head => None,
            Some(known) => Some(comparison(reader, known, &head)),
            None => Some(list(reader, &head)),
        };
        history.head = Some(head);
        history.stray = None;
        *walk = Some(Walk::toward(next, reader.moment.now_ms));
        return Ok(None);
    };
    if let Some(path) = walking.next.clone() {
        // Put back first, so that a trouble leaves the walk where it was.
        *walk = Some(walking.clone());
        page(reader, history, &mut walking, &path).await?;
        *walk = Some(walking);
        return Ok(None);
    }
    match history.stray.take() {
        Some(stray) => history.meet(&stray),
        None => history.known.clone_from(&history.head),
    }
    let (Some(stray), Some(head)) = (history.strays.first().cloned(), &history.head) else {
        return Ok(Some(walking.top_ms));
    };
    let next = comparison(reader, head, &stray);
    history.stray = Some(stray);
    *walk = Some(Walk::toward(Some(next), walking.top_ms));
    Ok(None)
}

/// Where the branch stands; `None` in a repository without commits.
async fn head(reader: &mut Reader<'_>) -> Result<Option<String>, Verdict> {
    let path = format!("{}/commits?per_page=1", reader.base());
    let answer = match reader.ask(&path).await {
        Ok(answer) => answer,
        Err(Verdict::Never(Refusal::Other { status: 409, .. })) => return Ok(None),
        Err(verdict) => return Err(verdict),
    };
    let page = Page::read(&answer.body).map_err(|_| reader.broken())?;
    let Some(first) = page.elements.first() else { return Ok(None) };
    let named: Named = serde_json::from_str(first.get()).map_err(|_| reader.broken())?;
    Ok(Some(named.sha.to_ascii_lowercase()))
}

/// The history behind a commit. Named by its SHA, it does not shift while it is read.
fn list(reader: &Reader<'_>, head: &str) -> String {
    let list = format!("{}/commits?sha={head}&per_page=100", reader.base());
    match since(reader.plan) {
        Some(since) => format!("{list}&since={since}"),
        None => list,
    }
}

/// From when on a branch's history is read; absent is from its beginning.
pub(crate) fn since(plan: &Plan) -> Option<String> {
    since_ms(plan).map(date)
}

/// The same in milliseconds.
pub(crate) fn since_ms(plan: &Plan) -> Option<i64> {
    Some(plan.since_ms.saturating_sub(BEFORE_MS)).filter(|since_ms| *since_ms > 0)
}

/// What is reachable from `head` and not from `base`.
fn comparison(reader: &Reader<'_>, base: &str, head: &str) -> String {
    format!("{}/compare/{base}...{head}?per_page=100", reader.base())
}

async fn page(
    reader: &mut Reader<'_>,
    history: &mut History,
    walk: &mut Walk,
    path: &str,
) -> Result<(), Verdict> {
    let is_comparison = path.contains("/compare/");
    let answer = match reader.ask(path).await {
        Ok(answer) => answer,
        Err(Verdict::Never(Refusal::Unknown { .. } | Refusal::Other { status: 422, .. })) => {
            reader.ask_access().await?;
            // A rewritten branch, or one that shares no ancestor with the other commit.
            let end = history.stray.as_ref().or(history.head.as_ref());
            walk.next = end.filter(|_| is_comparison).map(|end| list(reader, end));
            match (&walk.next, &history.stray) {
                (None, Some(stray)) => reader.reject(&format!("{stray} is deployed and no commit")),
                (None, None) => {
                    reader.reject("the branch was rewritten while it was read; again next round");
                    history.head.clone_from(&history.known);
                }
                _ => {}
            }
            return Ok(());
        }
        Err(verdict) => return Err(verdict),
    };
    let page = Page::read(&answer.body).map_err(|_| reader.broken())?;
    let is_first = walk.pages == 0;
    let is_cut = page.total.is_some_and(|total| total > page.elements.len() as u64);
    if is_comparison && is_first && is_cut && answer.next.is_none() {
        // Older Enterprise Servers show 250 commits of a comparison and no second page.
        let end = history.stray.as_ref().or(history.head.as_ref());
        walk.next = end.map(|end| list(reader, end));
        return Ok(());
    }
    let mut shas = Vec::new();
    for raw in &page.elements {
        reader.read(0, raw.get()).await?;
        if let Ok(Named { sha }) = serde_json::from_str(raw.get()) {
            shas.push(sha.to_ascii_lowercase());
        }
    }
    shas.iter().for_each(|sha| history.meet(sha));
    let ends = shas.first().zip(shas.last()).map(|(first, last)| (number(first), number(last)));
    let comes_again = ends.is_some() && ends == walk.ends;
    let is_long = walk.pages >= if history.stray.is_some() { STRAY_PAGES_MAX } else { PAGES_MAX };
    if comes_again || (is_long && answer.next.is_some()) {
        // Reading it anew would end the same way: what is older is a gap in the history.
        reader.reject(if comes_again {
            "the history does not end: a page came again"
        } else {
            "the history is longer than what is read of one"
        });
    }
    walk.next = answer.next.filter(|_| !comes_again && !is_long);
    walk.ends = ends;
    walk.pages += 1;
    Ok(())
}

/// The first 64 bits of a SHA, which tell commits apart well enough.
fn number(sha: &str) -> u64 {
    sha.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

/// A branch that is merged after the plan's beginning may have begun this long before it.
const BEFORE_MS: i64 = 90 * 24 * 3_600_000;
/// Half a million commits.
const PAGES_MAX: u32 = 5_000;
/// Ten thousand commits that a release branch is ahead of the branch.
const STRAY_PAGES_MAX: u32 = 100;
