//! One object of a repository with what belongs to it, read and made a fact. Walks, rounds and
//! hints all read an object here, so that it is the same fact whoever asked for it.

use std::collections::BTreeMap;

use redora_model::fact::{Fact, Job, State, What};
use redora_model::identity::Revision;
use serde::de::DeserializeOwned;

use super::client::{Answer, Client};
use super::cursor::Stream;
use super::facts::{self, Owner, Unfit, revision};
use super::payload::{self, Page};
use super::plan::{Plan, Reject};
use super::query::escaped;
use super::reply::{Moment, Refusal, Trouble, Verdict, parse_ms};

#[derive(Default)]
pub(crate) struct Yields {
    pub(crate) facts: Vec<Fact>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) forgotten: u64,
    pub(crate) requests: u64,
    /// What the last answer that said so left of the hour's requests.
    pub(crate) remaining: Option<u64>,
}

pub(crate) struct Reader<'a> {
    pub(crate) client: &'a Client,
    pub(crate) plan: &'a Plan,
    pub(crate) owner: &'a Owner,
    pub(crate) stream: Stream,
    pub(crate) moment: Moment,
    /// Runs that were read with their jobs, and when they last changed.
    pub(crate) runs: BTreeMap<u64, i64>,
    pub(crate) yields: Yields,
}

/// What an object's state means for the next round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has come to its end, or is nothing that a fact is made of; a change would list it again.
    Over,
    /// It goes on, since this time, and is read again until it is over.
    Open(i64),
}

impl Reader<'_> {
    /// The path of the repository.
    pub(crate) fn base(&self) -> String {
        self.client.path(&format!("/repos/{}", self.plan.repository))
    }

    pub(crate) async fn ask(&mut self, path: &str) -> Result<Answer, Verdict> {
        self.yields.requests += 1;
        let outcome = self.client.ask(self.plan.repository.as_str(), path, self.moment).await;
        match &outcome {
            Ok(answer) => self.note_remaining(answer.remaining),
            Err(verdict) => self.note_remaining(verdict.remaining()),
        }
        outcome
    }

    /// Takes note of what is left of the hour's requests, where an answer says it.
    pub(crate) fn note_remaining(&mut self, remaining: Option<u64>) {
        self.yields.remaining = remaining.or(self.yields.remaining);
    }

    /// Fails unless the repository can be read: a token that lost its access hears the same of
    /// what is still there as of what was deleted.
    pub(crate) async fn ask_access(&mut self) -> Result<(), Verdict> {
        let base = self.base();
        self.ask(&base).await.map(|_| ())
    }

    /// Reads what belongs to an object of this stream, and makes it a fact or a reject.
    pub(crate) async fn read(&mut self, id: u64, raw: &str) -> Result<Fate, Verdict> {
        match self.stream {
            Stream::Deployments => match serde_json::from_str(raw) {
                Ok(deployment) => self.deployment(id, &deployment).await,
                Err(error) => Ok(self.unfit(id, error)),
            },
            Stream::PullRequests => match serde_json::from_str(raw) {
                Ok(pull) => self.pull_request(id, &pull).await,
                Err(error) => Ok(self.unfit(id, error)),
            },
            Stream::Runs => match serde_json::from_str(raw) {
                Ok(run) => self.run(id, &run).await,
                Err(error) => Ok(self.unfit(id, error)),
            },
            Stream::Workflow => match serde_json::from_str(raw) {
                Ok(run) => self.workflow(id, &run).await,
                Err(error) => Ok(self.unfit(id, error)),
            },
            Stream::Releases => match serde_json::from_str(raw) {
                Ok(release) => self.release(id, &release).await,
                Err(error) => Ok(self.unfit(id, error)),
            },
            Stream::Incidents => match serde_json::from_str::<payload::Issue>(raw) {
                Ok(issue) if issue.pull_request.is_some() => Ok(Fate::Over),
                Ok(issue) => self.incident(id, &issue).await,
                Err(error) => Ok(self.unfit(id, error)),
            },
            Stream::Commits => match serde_json::from_str(raw) {
                Ok(commit) => {
                    let made = self.owner.commit(&commit);
                    Ok(self.keep(commit.sha, made))
                }
                Err(error) => Ok(self.unfit("a commit", error)),
            },
            Stream::Tags => unreachable!("read by name, in a way of their own"),
        }
    }

    async fn deployment(
        &mut self,
        id: u64,
        deployment: &payload::Deployment,
    ) -> Result<Fate, Verdict> {
        let statuses = self.list(&format!("deployments/{id}/statuses")).await?;
        Ok(self.make_deployment(id, deployment, &statuses))
    }

    /// Makes a deployment with its statuses a fact.
    pub(crate) fn make_deployment(
        &mut self,
        id: u64,
        deployment: &payload::Deployment,
        statuses: &[payload::Status],
    ) -> Fate {
        let (fact, unfit) = match self.owner.deployment(deployment, statuses) {
            Ok(made) => made,
            Err(unfit) => return self.unfit(id, unfit),
        };
        for unfit in unfit {
            self.reject(&format!("{id}: status: {unfit}"));
        }
        let What::Deployment(made) = &fact.what else { unreachable!("made as one") };
        let created_ms = made.created_ms;
        // Counted from its last status: before it failed it may have waited for days.
        let last_ms = made.statuses.iter().map(|status| status.at_ms).max().unwrap_or(created_ms);
        let is_recent = self.moment.now_ms.saturating_sub(last_ms) < FAILED_MS;
        let is_over = made.statuses.iter().any(|status| match status.state {
            // Some pipelines try again under the same deployment.
            State::Failure | State::Error => !is_recent,
            state => state.is_final(),
        });
        self.yields.facts.push(fact);
        if is_over { Fate::Over } else { Fate::Open(created_ms) }
    }

    async fn pull_request(
        &mut self,
        number: u64,
        pull: &payload::PullRequest,
    ) -> Result<Fate, Verdict> {
        let commits = self.list(&format!("pulls/{number}/commits")).await?;
        let mut remarks: Vec<payload::Remark> =
            self.list(&format!("pulls/{number}/reviews")).await?;
        remarks.extend(self.list(&format!("issues/{number}/comments")).await?);
        let made = self.owner.pull_request(pull, &commits, &remarks);
        Ok(self.keep(number, made))
    }

    /// The attempts of a run before its last that are still there.
    async fn earlier(&mut self, id: u64, run: &payload::Run) -> Result<Vec<payload::Run>, Verdict> {
        let mut earlier = Vec::new();
        let last = run.run_attempt.unwrap_or(1);
        for attempt in last.saturating_sub(ATTEMPTS_MAX).max(1)..last {
            let path = format!("{}/actions/runs/{id}/attempts/{attempt}", self.base());
            match self.ask(&path).await {
                Ok(answer) => {
                    earlier.push(serde_json::from_slice(&answer.body).map_err(|_| self.broken())?);
                }
                Err(Verdict::Never(Refusal::Unknown { .. })) => {
                    self.reject(&format!("{id}: attempt {attempt} was deleted"));
                }
                Err(verdict) => return Err(verdict),
            }
        }
        Ok(earlier)
    }

    async fn run(&mut self, id: u64, run: &payload::Run) -> Result<Fate, Verdict> {
        let changed_ms = run.updated_at.as_deref().and_then(parse_ms);
        let is_over = run.status.as_deref() == Some("completed");
        let of_jobs = changed_ms.filter(|_| self.plan.jobs && is_over);
        if of_jobs.is_some() && self.runs.get(&id) == of_jobs.as_ref() {
            return Ok(Fate::Over);
        }
        for earlier in self.earlier(id, run).await? {
            let jobs = self.jobs(id, &earlier).await?;
            let made = self.owner.run(&earlier, jobs);
            self.keep(id, made);
        }
        let jobs = self.jobs(id, run).await?;
        let made = self.owner.run(run, jobs);
        if let Some(changed_ms) = of_jobs {
            self.runs.insert(id, changed_ms);
            if self.runs.len() > RUNS_MAX {
                self.runs.pop_first();
            }
        }
        let open_since_ms = match &made {
            Ok(Fact { what: What::Run(made), .. }) if made.ended_ms.is_none() => {
                Some(made.created_ms)
            }
            _ => None,
        };
        let fate = self.keep(id, made);
        Ok(open_since_ms.map_or(fate, Fate::Open))
    }

    /// The jobs of an attempt that is over, where the plan has them read.
    async fn jobs(&mut self, id: u64, run: &payload::Run) -> Result<Vec<Job>, Verdict> {
        if !self.plan.jobs || run.status.as_deref() != Some("completed") {
            return Ok(Vec::new());
        }
        let attempt = run.run_attempt.unwrap_or(1);
        let list = format!("actions/runs/{id}/attempts/{attempt}/jobs?per_page={JOBS_MAX}");
        let answer = match self.ask(&format!("{}/{list}", self.base())).await {
            Ok(answer) => answer,
            // Deleted meanwhile, or an Enterprise Server that does not tell them by attempts.
            Err(Verdict::Never(Refusal::Unknown { .. })) => return Ok(Vec::new()),
            Err(verdict) => return Err(verdict),
        };
        let page = Page::read(&answer.body).map_err(|_| self.broken())?;
        let mut jobs = Vec::new();
        for raw in page.elements {
            match serde_json::from_str(raw.get()).map(|job| facts::job(&job)) {
                Ok(Ok(job)) => jobs.push(job),
                Ok(Err(unfit)) => self.reject(&format!("{id}: a job: {unfit}")),
                Err(error) => self.reject(&format!("{id}: a job: {error}")),
            }
        }
        if let Some(total) = page.total.filter(|total| *total > JOBS_MAX) {
            self.reject(&format!("{id}: only {JOBS_MAX} of its {total} jobs were read"));
        }
        jobs.sort_by(|a: &Job, b| (a.created_ms, &a.name).cmp(&(b.created_ms, &b.name)));
        Ok(jobs)
    }

    async fn workflow(&mut self, id: u64, run: &payload::Run) -> Result<Fate, Verdict> {
        // A hook tells of runs of all workflows.
        let path = run.path.as_deref().and_then(|path| path.split('@').next());
        let file = path.and_then(|path| path.rsplit('/').next());
        if file.is_some_and(|file| file != self.plan.workflow) {
            return Ok(Fate::Over);
        }
        let earlier = self.earlier(id, run).await?;
        let attempts: Vec<&payload::Run> = earlier.iter().chain([run]).collect();
        let made = self.owner.run_as_deployment(&self.plan.environment, &attempts);
        let fate = match made.transpose() {
            Some(made) => self.keep(id, made),
            None => Fate::Over,
        };
        let created_ms = parse_ms(&run.created_at);
        let is_over = run.status.as_deref() == Some("completed");
        Ok(created_ms.filter(|_| !is_over).map_or(fate, Fate::Open))
    }

    async fn release(&mut self, id: u64, release: &payload::Release) -> Result<Fate, Verdict> {
        if !release.is_out(self.plan.prereleases) {
            return Ok(Fate::Over);
        }
        // As GitHub's own clients write it: a parameter of the path is one segment.
        let tag = escaped(&format!("tags/{}", release.tag_name));
        let path = format!("{}/commits/{tag}", self.base());
        let commit = match self.ask(&path).await {
            Ok(answer) => {
                let commit: payload::Parent =
                    serde_json::from_slice(&answer.body).map_err(|_| self.broken())?;
                Some(revision(&commit.sha))
            }
            Err(Verdict::Never(Refusal::Unknown { .. } | Refusal::Other { status: 422, .. })) => {
                self.ask_access().await?;
                None
            }
            Err(verdict) => return Err(verdict),
        };
        Ok(self.make_release(id, release, commit))
    }

    /// Makes a release with the commit of its tag a fact.
    pub(crate) fn make_release(
        &mut self,
        id: u64,
        release: &payload::Release,
        commit: Option<Revision>,
    ) -> Fate {
        if !release.is_out(self.plan.prereleases) {
            return Fate::Over;
        }
        if commit.is_none() {
            self.reject(&format!("{id}: there is no tag {}", release.tag_name));
        }
        let made = self.owner.release(&self.plan.environment, release, commit);
        made.transpose().map_or(Fate::Over, |made| self.keep(id, made))
    }

    async fn incident(&mut self, number: u64, issue: &payload::Issue) -> Result<Fate, Verdict> {
        let events: Vec<payload::Event> =
            match self.list(&format!("issues/{number}/timeline")).await {
                Ok(events) => events,
                // Old Enterprise Servers have none.
                Err(Verdict::Never(Refusal::Unknown { .. })) => Vec::new(),
                Err(verdict) => return Err(verdict),
            };
        Ok(self.make_incident(number, issue, &events))
    }

    /// Makes an issue with its timeline a fact, if it ever had the label.
    pub(crate) fn make_incident(
        &mut self,
        number: u64,
        issue: &payload::Issue,
        events: &[payload::Event],
    ) -> Fate {
        let label = &self.plan.incident_label;
        let is_ours = |given: Option<&payload::Label>| {
            let name = given.and_then(|given| given.name.as_deref());
            name.is_some_and(|name| name.eq_ignore_ascii_case(label))
        };
        let has_it = issue.labels.iter().flatten().any(|given| is_ours(Some(given)));
        if !has_it && !events.iter().any(|event| is_ours(event.label.as_ref())) {
            return Fate::Over;
        }
        let made = self.owner.incident(issue, label, events);
        let open_since_ms = match &made {
            // An issue that loses its label leaves the list of those that have it.
            Ok(Fact { what: What::Incident(made), .. }) if issue.closed_at.is_none() && has_it => {
                Some(made.started_ms)
            }
            _ => None,
        };
        let fate = self.keep(number, made);
        open_since_ms.map_or(fate, Fate::Open)
    }

    pub(crate) fn keep(&mut self, id: impl std::fmt::Display, made: Result<Fact, Unfit>) -> Fate {
        match made {
            Ok(fact) => {
                self.yields.facts.push(fact);
                Fate::Over
            }
            Err(unfit) => self.unfit(id, unfit),
        }
    }

    fn unfit(&mut self, id: impl std::fmt::Display, reason: impl std::fmt::Display) -> Fate {
        self.reject(&format!("{id}: {reason}"));
        Fate::Over
    }

    /// All elements of a list below the repository that can be read.
    async fn list<T: DeserializeOwned>(&mut self, list: &str) -> Result<Vec<T>, Verdict> {
        let mut elements = Vec::new();
        let mut next = Some(format!("{}/{list}?per_page=100", self.base()));
        let mut pages = 0;
        while let Some(path) = next {
            if pages == LIST_PAGES_MAX {
                self.reject(&format!("{list}: only {LIST_PAGES_MAX} pages of it were read"));
                break;
            }
            let answer = self.ask(&path).await?;
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

    pub(crate) fn broken(&self) -> Verdict {
        Verdict::Later(self.moment.retry(Trouble::Body))
    }

    pub(crate) fn reject(&mut self, reason: &str) {
        let reason = reason.chars().take(REASON_CHARS_MAX).collect();
        self.yields.rejects.push(Reject { stream: self.stream, reason });
    }
}

/// A failed deployment is read again for a day.
const FAILED_MS: i64 = 24 * 3_600_000;
/// One page of them, and one request: a larger matrix tells no more about waiting.
const JOBS_MAX: u64 = 100;
/// The runs of a day that are known with their jobs, 30 bytes each in a cursor.
const RUNS_MAX: usize = 10_000;
const LIST_PAGES_MAX: u32 = 10;
const ATTEMPTS_MAX: u32 = 20;
const REASON_CHARS_MAX: usize = 200;
