//! One step of reading a repository: a page of a list with what belongs to its objects, or some
//! objects by their id. A step that is cut off leaves the rest of its page as ids to be read, so a
//! limit in the middle neither loses an object nor reads a page of them twice.

use redora_model::fact::{Deployment, Fact, State, What};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::cursor::{Place, Stream, Walk, Window};
use super::facts::{Owner, Unfit};
use super::payload::{self, Page};
use super::plan::{Plan, Reject};
use super::reply::{Moment, Refusal, Trouble, Verdict, parse_ms};

#[derive(Default)]
pub(crate) struct Yields {
    pub(crate) facts: Vec<Fact>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) forgotten: u64,
    pub(crate) requests: u64,
}

pub(crate) struct Step<'a> {
    pub(crate) client: &'a Client,
    pub(crate) plan: &'a Plan,
    pub(crate) owner: &'a Owner,
    pub(crate) stream: Stream,
    pub(crate) moment: Moment,
    pub(crate) place: Place,
    pub(crate) yields: Yields,
}

/// What every element of every list has.
#[derive(Deserialize)]
struct Element {
    id: u64,
    number: Option<u64>,
    created_at: String,
    updated_at: Option<String>,
}

impl Step<'_> {
    /// Whether the stream is read to its end for this round.
    pub(crate) async fn advance(&mut self) -> Result<bool, Verdict> {
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
        let oldest_ms = self.moment.now_ms.saturating_sub(OPEN_MS_MAX);
        let before = self.place.open.len();
        self.place.open.retain(|_, began_ms| *began_ms >= oldest_ms);
        while self.place.open.len() > OPEN_MAX {
            self.place.open.pop_first();
        }
        self.yields.forgotten += (before - self.place.open.len()) as u64;
        self.place.unread.extend(self.place.open.keys());
        let top_ms = self.moment.now_ms;
        let from_ms = self.horizon_ms();
        let window = (self.stream == Stream::Runs).then(|| Window::first(from_ms, top_ms));
        let next = Some(self.first_page(from_ms, window));
        self.place.walk = Some(Walk { next, top_ms, window, ends: None, pages: 0 });
    }

    /// What began or changed before is known already.
    fn horizon_ms(&self) -> i64 {
        let known = self.place.watermark_ms.map(|ms| ms.saturating_sub(OVERLAP_MS));
        known.unwrap_or(self.plan.since_ms).max(self.plan.since_ms)
    }

    fn base(&self) -> String {
        self.client.path(&format!("/repos/{}", self.plan.repository))
    }

    fn first_page(&self, from_ms: i64, window: Option<Window>) -> String {
        let base = self.base();
        match self.stream {
            Stream::Deployments => format!("{base}/deployments?per_page=100"),
            Stream::PullRequests => {
                format!("{base}/pulls?state=all&sort=updated&direction=desc&per_page=100")
            }
            Stream::Incidents => {
                let (label, since) = (escaped(&self.plan.incident_label), date(from_ms));
                format!(
                    "{base}/issues?state=all&sort=updated&direction=desc&per_page=100\
                     &labels={label}&since={since}"
                )
            }
            Stream::Runs => {
                let window = window.unwrap_or(Window { from_ms, to_ms: self.moment.now_ms });
                let (from, to) = (date(window.from_ms), date(window.to_ms));
                format!("{base}/actions/runs?per_page=100&created={from}..{to}")
            }
        }
    }

    async fn read_page(&mut self, mut walk: Walk, path: &str) -> Result<bool, Verdict> {
        self.yields.requests += 1;
        let answer = match self.client.ask(path, self.moment).await {
            Ok(answer) => answer,
            Err(Verdict::Never(Refusal::TurnedOff { .. })) => {
                self.place.watermark_ms = Some(walk.top_ms);
                return Ok(self.abandon());
            }
            Err(verdict) => return Err(verdict),
        };
        let page = Page::read(&answer.body).map_err(|_| self.broken())?;
        if let Some(narrower) = walk.window.filter(|_| page.total > Some(SEARCH_MAX)) {
            if let Some(window) = narrower.halved() {
                walk.next = Some(self.first_page(window.from_ms, Some(window)));
                walk.window = Some(window);
                self.place.walk = Some(walk);
                return Ok(false);
            }
            self.reject("more than 1,000 runs in a second, of which GitHub shows 1,000");
        }
        let known: Vec<_> = page.elements.iter().map(|e| serde_json::from_str(e.get())).collect();
        let ids: Vec<u64> = known.iter().flatten().map(|element: &Element| element.id).collect();
        let ends = ids.first().copied().zip(ids.last().copied());
        if (ends.is_some() && ends == walk.ends) || walk.pages >= PAGES_MAX {
            self.reject("the list does not end: a page came again; read anew in the next round");
            return Ok(self.abandon());
        }
        let mut wanted = Vec::new();
        let mut is_past = false;
        for (raw, element) in page.elements.iter().zip(known) {
            match element {
                Ok(element) => match self.is_wanted(&element) {
                    Some(true) => wanted.push((element.number.unwrap_or(element.id), raw.get())),
                    Some(false) => is_past = true,
                    None => self.reject(&format!("{}: no time", element.id)),
                },
                Err(error) => self.reject(&error.to_string()),
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
        for (at, (id, raw)) in wanted.iter().enumerate() {
            if let Err(verdict) = self.read(*id, raw).await {
                self.place.unread.extend(wanted[at..].iter().map(|(id, _)| *id));
                return Err(verdict);
            }
        }
        Ok(false)
    }

    /// Ends the walk where the watermark is, so that the next round reads the same time again.
    fn abandon(&mut self) -> bool {
        self.place.walk = None;
        true
    }

    /// Whether an element is within the horizon; `None` when it has no time.
    fn is_wanted(&self, element: &Element) -> Option<bool> {
        let at = match self.stream {
            Stream::Runs => return Some(true),
            Stream::Deployments => &element.created_at,
            Stream::PullRequests | Stream::Incidents => {
                element.updated_at.as_ref().unwrap_or(&element.created_at)
            }
        };
        Some(parse_ms(at)? >= self.horizon_ms())
    }

    async fn read_unread(&mut self) -> Result<(), Verdict> {
        let ids: Vec<u64> = self.place.unread.iter().take(UNREAD_A_STEP).copied().collect();
        for id in ids {
            let noun = match self.stream {
                Stream::Deployments => "deployments",
                Stream::PullRequests => "pulls",
                Stream::Runs => "actions/runs",
                Stream::Incidents => "issues",
            };
            let path = format!("{}/{noun}/{id}", self.base());
            self.yields.requests += 1;
            match self.client.ask(&path, self.moment).await {
                Ok(answer) => {
                    let raw = std::str::from_utf8(&answer.body).map_err(|_| self.broken())?;
                    if serde_json::from_str::<serde::de::IgnoredAny>(raw).is_err() {
                        return Err(self.broken());
                    }
                    self.read(id, raw).await?;
                }
                Err(Verdict::Never(Refusal::Unknown { .. } | Refusal::TurnedOff { .. })) => {
                    // A token that lost its access hears the same of what is still there.
                    self.yields.requests += 1;
                    self.client.ask(&self.base(), self.moment).await?;
                    self.place.open.remove(&id);
                    self.reject(&format!("{id} was deleted"));
                }
                Err(verdict) => return Err(verdict),
            }
            self.place.unread.remove(&id);
        }
        Ok(())
    }

    /// Reads what belongs to an object, and makes it a fact or a reject.
    async fn read(&mut self, id: u64, raw: &str) -> Result<(), Verdict> {
        let made = match self.stream {
            Stream::Deployments => match serde_json::from_str(raw) {
                Ok(deployment) => self.deployment(id, &deployment).await?,
                Err(error) => Err(error.to_string()),
            },
            Stream::PullRequests => match serde_json::from_str(raw) {
                Ok(pull) => self.pull_request(id, &pull).await?,
                Err(error) => Err(error.to_string()),
            },
            Stream::Runs => match serde_json::from_str(raw) {
                Ok(run) => self.run(id, &run).await?,
                Err(error) => Err(error.to_string()),
            },
            Stream::Incidents => match serde_json::from_str::<payload::Issue>(raw) {
                Ok(issue) if issue.pull_request.is_some() => return Ok(()),
                Ok(issue) => self.owner.incident(&issue).map_err(|unfit| unfit.to_string()),
                Err(error) => Err(error.to_string()),
            },
        };
        match made {
            Ok(fact) => self.yields.facts.push(fact),
            Err(reason) => self.reject(&format!("{id}: {reason}")),
        }
        Ok(())
    }

    async fn deployment(
        &mut self,
        id: u64,
        deployment: &payload::Deployment,
    ) -> Result<Result<Fact, String>, Verdict> {
        let statuses = self.list(&format!("deployments/{id}/statuses")).await?;
        let (fact, unfit) = match self.owner.deployment(deployment, &statuses) {
            Ok(made) => made,
            Err(unfit) => return Ok(Err(unfit.to_string())),
        };
        for unfit in unfit {
            self.reject(&format!("{id}: status: {unfit}"));
        }
        let What::Deployment(made) = &fact.what else { unreachable!("made as one") };
        if is_over(made, self.moment.now_ms) {
            self.place.open.remove(&id);
        } else {
            self.place.open.insert(id, made.created_ms);
        }
        Ok(Ok(fact))
    }

    async fn pull_request(
        &mut self,
        number: u64,
        pull: &payload::PullRequest,
    ) -> Result<Result<Fact, String>, Verdict> {
        let commits = self.list(&format!("pulls/{number}/commits")).await?;
        let mut remarks: Vec<payload::Remark> =
            self.list(&format!("pulls/{number}/reviews")).await?;
        remarks.extend(self.list(&format!("issues/{number}/comments")).await?);
        let made = self.owner.pull_request(pull, &commits, &remarks);
        Ok(made.map_err(|unfit| unfit.to_string()))
    }

    async fn run(&mut self, id: u64, run: &payload::Run) -> Result<Result<Fact, String>, Verdict> {
        let last = run.run_attempt.unwrap_or(1);
        for attempt in last.saturating_sub(ATTEMPTS_MAX).max(1)..last {
            let path = format!("{}/actions/runs/{id}/attempts/{attempt}", self.base());
            self.yields.requests += 1;
            match self.client.ask(&path, self.moment).await {
                Ok(answer) => {
                    let earlier: payload::Run =
                        serde_json::from_slice(&answer.body).map_err(|_| self.broken())?;
                    self.keep(id, self.owner.run(&earlier));
                }
                Err(Verdict::Never(Refusal::Unknown { .. })) => {
                    self.reject(&format!("{id}: attempt {attempt} was deleted"));
                }
                Err(verdict) => return Err(verdict),
            }
        }
        let made = self.owner.run(run);
        match &made {
            Ok(Fact { what: What::Run(made), .. }) if made.ended_ms.is_none() => {
                self.place.open.insert(id, made.created_ms);
            }
            _ => {
                self.place.open.remove(&id);
            }
        }
        Ok(made.map_err(|unfit| unfit.to_string()))
    }

    fn keep(&mut self, id: u64, made: Result<Fact, Unfit>) {
        match made {
            Ok(fact) => self.yields.facts.push(fact),
            Err(unfit) => self.reject(&format!("{id}: {unfit}")),
        }
    }

    /// All elements of a list below the repository that can be read.
    async fn list<T: DeserializeOwned>(&mut self, list: &str) -> Result<Vec<T>, Verdict> {
        let mut elements = Vec::new();
        let mut next = Some(format!("{}/{list}?per_page=100", self.base()));
        let mut pages = 0;
        while let Some(path) = next.filter(|_| pages < LIST_PAGES_MAX) {
            self.yields.requests += 1;
            let answer = self.client.ask(&path, self.moment).await?;
            let page = Page::read(&answer.body).map_err(|_| self.broken())?;
            for raw in page.elements {
                match serde_json::from_str(raw.get()) {
                    Ok(element) => elements.push(element),
                    Err(error) => self.reject(&format!("{list}: {error}")),
                }
            }
            pages += 1;
            next = answer.next;
        }
        Ok(elements)
    }

    fn broken(&self) -> Verdict {
        Verdict::Later(self.moment.retry(Trouble::Body))
    }

    fn reject(&mut self, reason: &str) {
        let reason = reason.chars().take(REASON_CHARS_MAX).collect();
        self.yields.rejects.push(Reject { stream: self.stream, reason });
    }
}

/// Whether nothing more is to be heard of a deployment.
pub(crate) fn is_over(deployment: &Deployment, now_ms: i64) -> bool {
    let is_recent = now_ms.saturating_sub(deployment.created_ms) < FAILED_MS;
    deployment.statuses.iter().any(|status| match status.state {
        // Some pipelines try again under the same deployment.
        State::Failure | State::Error => !is_recent,
        state => state.is_final(),
    })
}

/// A time as GitHub reads it, to the second.
pub(crate) fn date(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_second(at_ms.div_euclid(1_000));
    at.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

/// A text as the value of a query.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a string takes all");
        }
        escaped
    })
}

const HOUR_MS: i64 = 3_600_000;
/// How far behind the watermark a walk reads again: lists lag behind writes, and clocks differ.
const OVERLAP_MS: i64 = HOUR_MS;
/// A failed deployment is read again for a day.
const FAILED_MS: i64 = 24 * HOUR_MS;
/// GitHub gives up on an approval after 30 days.
pub(crate) const OPEN_MS_MAX: i64 = 35 * 24 * HOUR_MS;
pub(crate) const OPEN_MAX: usize = 10_000;
/// What a search shows of its results.
const SEARCH_MAX: u64 = 1_000;
const UNREAD_A_STEP: usize = 25;
pub(crate) const PAGES_MAX: u32 = 5_000;
pub(crate) const LIST_PAGES_MAX: u32 = 10;
const ATTEMPTS_MAX: u32 = 20;
pub(crate) const REASON_CHARS_MAX: usize = 200;
