//! One step of reading a repository: a page of a list with what belongs to its objects, or some
//! objects by their id. A step that is cut off leaves the rest of its page as ids to be read, so a
//! limit in the middle neither loses an object nor reads a page of them twice.

use serde::Deserialize;

use super::commits;
use super::cursor::{Place, Stream, Walk, Window};
use super::payload::Page;
use super::query::{date, escaped};
use super::reader::{Fate, Reader};
use super::reply::{Refusal, Verdict, parse_ms};
use super::{signs, tags};

pub(crate) struct Step<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) place: Place,
}

/// What every element of every list has.
#[derive(Deserialize)]
struct Element {
    id: u64,
    number: Option<u64>,
    created_at: String,
    updated_at: Option<String>,
    published_at: Option<String>,
}

impl Step<'_> {
    /// Whether the stream is read to its end for this round.
    pub(crate) async fn advance(&mut self) -> Result<bool, Verdict> {
        if self.reader.stream == Stream::Commits {
            return commits::advance(&mut self.reader, &mut self.place).await;
        }
        if self.reader.stream == Stream::Tags {
            return tags::advance(&mut self.reader, &mut self.place).await;
        }
        if self.place.walk.is_none() {
            self.begin();
        }
        if !self.place.unread.is_empty() {
            return self.read_unread().await.map(|()| false);
        }
        let walk = self.place.walk.clone().expect("begun above");
        match walk.next.clone() {
            Some(path) => self.read_page(walk, &path).await,
            None => {
                self.place.watermark_ms = Some(walk.top_ms);
                self.place.walk = None;
                Ok(true)
            }
        }
    }

    fn begin(&mut self) {
        let oldest_ms = self.reader.moment.now_ms.saturating_sub(OPEN_MS_MAX);
        let before = self.place.open.len();
        self.place.open.retain(|_, began_ms| *began_ms >= oldest_ms);
        while self.place.open.len() > OPEN_MAX {
            self.place.open.pop_first();
        }
        self.reader.yields.forgotten += (before - self.place.open.len()) as u64;
        let top_ms = self.reader.moment.now_ms;
        let from_ms = self.horizon_ms();
        // One that is listed again began after that, and ended later.
        self.reader.runs.retain(|_, changed_ms| *changed_ms >= from_ms);
        let is_search = self.is_search();
        // A search lists what is open and began in its window anyway.
        let apart =
            self.place.open.iter().filter(|(_, began_ms)| !is_search || **began_ms < from_ms);
        self.place.unread.extend(apart.map(|(id, _)| *id));
        let window = is_search.then(|| Window::first(from_ms, top_ms));
        let next = Some(self.first_page(from_ms, window));
        self.place.walk = Some(Walk { next, top_ms, window, ends: None, pages: 0 });
    }

    /// Whether the list is a search by time, which shows 1,000 results.
    fn is_search(&self) -> bool {
        matches!(self.reader.stream, Stream::Runs | Stream::Workflow)
    }

    /// What began or changed before is known already.
    fn horizon_ms(&self) -> i64 {
        let overlap_ms = if self.is_search() { RERUN_MS } else { OVERLAP_MS };
        let known = self.place.watermark_ms.map(|ms| ms.saturating_sub(overlap_ms));
        known.unwrap_or(self.reader.plan.since_ms).max(self.reader.plan.since_ms)
    }

    fn first_page(&self, from_ms: i64, window: Option<Window>) -> String {
        let base = self.reader.base();
        match self.reader.stream {
            Stream::Deployments => format!("{base}/deployments?per_page=100"),
            Stream::Commits => format!("{base}/commits?per_page=100"),
            Stream::PullRequests => {
                format!("{base}/pulls?state=all&sort=updated&direction=desc&per_page=100")
            }
            Stream::Incidents => {
                let (label, since) = (escaped(&self.reader.plan.incident_label), date(from_ms));
                format!(
                    "{base}/issues?state=all&sort=updated&direction=desc&per_page=100\
                     &labels={label}&since={since}"
                )
            }
            Stream::Releases => format!("{base}/releases?per_page=100"),
            Stream::Tags => unreachable!("listed in a way of their own"),
            Stream::Runs | Stream::Workflow => {
                let window = window.unwrap_or(Window { from_ms, to_ms: self.reader.moment.now_ms });
                let (from, to) = (date(window.from_ms), date(window.to_ms));
                let list = match self.reader.stream {
                    Stream::Workflow => {
                        format!("actions/workflows/{}/runs", escaped(&self.reader.plan.workflow))
                    }
                    _ => "actions/runs".to_owned(),
                };
                format!("{base}/{list}?per_page=100&created={from}..{to}")
            }
        }
    }

    async fn read_page(&mut self, mut walk: Walk, path: &str) -> Result<bool, Verdict> {
        let answer = match self.reader.ask(path).await {
            Ok(answer) => answer,
            Err(Verdict::Never(Refusal::TurnedOff { .. })) => {
                self.place.watermark_ms = Some(walk.top_ms);
                return Ok(self.abandon());
            }
            Err(verdict) => return Err(verdict),
        };
        let page = Page::read(&answer.body).map_err(|_| self.reader.broken())?;
        if let Some(narrower) = walk.window.filter(|_| page.total > Some(SEARCH_MAX)) {
            if let Some(window) = narrower.halved() {
                walk.next = Some(self.first_page(window.from_ms, Some(window)));
                walk.window = Some(window);
                self.place.walk = Some(walk);
                return Ok(false);
            }
            self.reader.reject("more than 1,000 runs in a second, of which GitHub shows 1,000");
        }
        let known: Vec<_> = page.elements.iter().map(|e| serde_json::from_str(e.get())).collect();
        let ids: Vec<u64> = known.iter().flatten().map(|element: &Element| element.id).collect();
        let ends = ids.first().copied().zip(ids.last().copied());
        if (ends.is_some() && ends == walk.ends) || walk.pages >= PAGES_MAX {
            self.reader
                .reject("the list does not end: a page came again; read anew in the next round");
            return Ok(self.abandon());
        }
        let mut wanted = Vec::new();
        let mut is_past = false;
        for (raw, element) in page.elements.iter().zip(known) {
            match element {
                Ok(element) => match self.is_wanted(&element) {
                    Some(true) => wanted.push((element.number.unwrap_or(element.id), raw.get())),
                    Some(false) => is_past |= self.is_past(&element),
                    None => self.reader.reject(&format!("{}: no time", element.id)),
                },
                Err(error) => self.reader.reject(&error.to_string()),
            }
        }
        walk.pages += 1;
        walk.ends = ends;
        walk.next = answer.next.filter(|_| !is_past);
        if walk.next.is_none()
            && let Some(window) = walk.window
            && let Some(later) = window.later(walk.top_ms)
        {
            walk.next = Some(self.first_page(later.from_ms, Some(later)));
            walk.window = Some(later);
            walk.ends = None;
        }
        self.place.walk = Some(walk);
        self.read_all(&wanted).await.map(|()| false)
    }

    /// Reads objects of a page; those after a trouble stay unread.
    async fn read_all(&mut self, wanted: &[(u64, &str)]) -> Result<(), Verdict> {
        for (at, (id, raw)) in wanted.iter().enumerate() {
            match self.reader.read(*id, raw).await {
                Ok(fate) => self.note(*id, fate),
                Err(verdict) => {
                    self.place.unread.extend(wanted[at..].iter().map(|(id, _)| *id));
                    return Err(verdict);
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, id: u64, fate: Fate) {
        match fate {
            Fate::Open(since_ms) => self.place.open.insert(id, since_ms),
            Fate::Over => self.place.open.remove(&id),
        };
    }

    /// Ends the walk where the watermark is, so that the next round reads the same time again.
    fn abandon(&mut self) -> bool {
        self.place.walk = None;
        true
    }

    /// Whether an element is within the horizon; `None` when it has no time.
    fn is_wanted(&self, element: &Element) -> Option<bool> {
        let at = match self.reader.stream {
            Stream::Runs | Stream::Workflow => return Some(true),
            Stream::Deployments => &element.created_at,
            Stream::Releases => {
                let out = element.published_at.as_ref().unwrap_or(&element.created_at);
                let changed_ms = signs::changed_ms(out, element.updated_at.as_deref())?;
                return Some(changed_ms >= self.horizon_ms());
            }
            Stream::PullRequests | Stream::Incidents | Stream::Commits | Stream::Tags => {
                element.updated_at.as_ref().unwrap_or(&element.created_at)
            }
        };
        Some(parse_ms(at)? >= self.horizon_ms())
    }

    /// Whether nothing within the horizon follows an element that is before it. Releases are listed
    /// by the time of their draft.
    fn is_past(&self, element: &Element) -> bool {
        let drafted_ms = || parse_ms(&element.created_at);
        self.reader.stream != Stream::Releases
            || drafted_ms() < Some(self.horizon_ms().saturating_sub(DRAFT_MS))
    }

    async fn read_unread(&mut self) -> Result<(), Verdict> {
        let ids: Vec<u64> = self.place.unread.iter().take(UNREAD_A_STEP).copied().collect();
        for id in ids {
            self.read_by_id(id).await?;
        }
        Ok(())
    }

    /// Reads an object; as long as it could not be read, it is among the unread.
    pub(crate) async fn read_by_id(&mut self, id: u64) -> Result<(), Verdict> {
        self.place.unread.insert(id);
        let noun = match self.reader.stream {
            Stream::Deployments => "deployments",
            Stream::Commits => "commits",
            Stream::PullRequests => "pulls",
            Stream::Releases => "releases",
            Stream::Runs | Stream::Workflow => "actions/runs",
            Stream::Incidents => "issues",
            Stream::Tags => unreachable!("no tag has an id"),
        };
        let path = format!("{}/{noun}/{id}", self.reader.base());
        match self.reader.ask(&path).await {
            Ok(answer) => {
                let raw = std::str::from_utf8(&answer.body).map_err(|_| self.reader.broken())?;
                if serde_json::from_str::<serde::de::IgnoredAny>(raw).is_err() {
                    return Err(self.reader.broken());
                }
                let fate = self.reader.read(id, raw).await?;
                self.note(id, fate);
            }
            Err(Verdict::Never(Refusal::Unknown { .. } | Refusal::TurnedOff { .. })) => {
                self.reader.ask_access().await?;
                self.place.open.remove(&id);
                self.reader.reject(&format!("{id} was deleted"));
            }
            Err(verdict) => return Err(verdict),
        }
        self.place.unread.remove(&id);
        Ok(())
    }
}

const HOUR_MS: i64 = 3_600_000;
/// How far behind the watermark a walk reads again: lists lag behind writes, and clocks differ.
pub(crate) const OVERLAP_MS: i64 = HOUR_MS;
/// A run that ended is listed for a day longer: what failed is run again, and keeps its place in
/// the list by the time of its first attempt.
pub(crate) const RERUN_MS: i64 = 24 * HOUR_MS;
/// A release may be a draft for this long.
pub(crate) const DRAFT_MS: i64 = 90 * 24 * HOUR_MS;
/// GitHub gives up on an approval after 30 days.
pub(crate) const OPEN_MS_MAX: i64 = 35 * 24 * HOUR_MS;
pub(crate) const OPEN_MAX: usize = 10_000;
/// What a search shows of its results.
pub(crate) const SEARCH_MAX: u64 = 1_000;
const UNREAD_A_STEP: usize = 25;
pub(crate) const PAGES_MAX: u32 = 5_000;
