//! GitHub's objects into facts, each by a pure function of what was read. The rules of the numbers
//! are not applied here: every status is handed on, whatever it makes of the deployment.

use redora_model::fact::{
    Commit, Deployment, Fact, Incident, Job, Nature, PullRequest, Run, State, Status, What,
};
use redora_model::identity::{Environment, Repository, Revision, Service};

use super::reply::parse_ms;
use super::{incident, payload};
use crate::sources::reverts;

/// Whose facts they are.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) repository: Repository,
    pub(crate) service: Service,
}

/// Why an object is no fact: the field that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("`{field}` is no time: {text:.40}")]
    Time { field: &'static str, text: String },
    #[error("`{0}` is absent")]
    Absent(&'static str),
    #[error("unknown state: {0:.40}")]
    State(String),
}

impl Owner {
    pub(crate) fn fact(&self, id: String, as_of_ms: i64, what: What) -> Fact {
        Fact { source: format!("github:{}", self.repository), id, as_of_ms, what }
    }

    /// A deployment with the statuses that could be read; the others are told by the second value.
    pub(crate) fn deployment(
        &self,
        deployment: &payload::Deployment,
        statuses: &[payload::Status],
    ) -> Result<(Fact, Vec<Unfit>), Unfit> {
        let created_ms = time("created_at", &deployment.created_at)?;
        let mut as_of_ms = optional("updated_at", deployment.updated_at.as_deref())?
            .unwrap_or(created_ms)
            .max(created_ms);
        let (mut kept, mut unfit) = (Vec::new(), Vec::new());
        for payload in statuses {
            match status(payload) {
                Ok((status, updated_ms)) => {
                    as_of_ms = as_of_ms.max(updated_ms);
                    kept.push(status);
                }
                Err(fault) => unfit.push(fault),
            }
        }
        // In their order, so that the same deployment read twice is the same fact.
        kept.sort_unstable();
        let sha = deployment.sha.as_deref().filter(|sha| !sha.is_empty());
        let version = deployment.reference.as_deref().filter(|name| Some(*name) != sha);
        let url = statuses.iter().find_map(|status| {
            let urls = [&status.environment_url, &status.log_url];
            urls.into_iter().flatten().find(|url| !url.is_empty())
        });
        let fact = Deployment {
            repository: self.repository.clone(),
            service: self.service.clone(),
            environment: Environment::new(&deployment.environment),
            created_ms,
            revision: sha.map(revision),
            version: version.unwrap_or_default().to_owned(),
            statuses: kept,
            attempt: 1,
            region: String::new(),
            url: url.cloned().unwrap_or_default(),
        };
        let id = deployment.id.to_string();
        Ok((self.fact(id, as_of_ms, What::Deployment(fact)), unfit))
    }

    /// A pull request with its commits, and with its reviews and comments as remarks.
    pub(crate) fn pull_request(
        &self,
        pull: &payload::PullRequest,
        commits: &[payload::Commit],
        remarks: &[payload::Remark],
    ) -> Result<Fact, Unfit> {
        let created_ms = time("created_at", &pull.created_at)?;
        let merged_ms = optional("merged_at", pull.merged_at.as_deref())?;
        let as_of_ms = optional("updated_at", pull.updated_at.as_deref())?.unwrap_or(created_ms);
        let authored = commits.iter().filter_map(|commit| {
            parse_ms(commit.commit.as_ref()?.author.as_ref()?.date.as_deref()?)
        });
        let author = pull.user.as_ref().and_then(|user| user.login.as_deref());
        let (mut first_review_ms, mut approved_ms) = (None, None);
        for remark in remarks.iter().filter(|remark| is_by_another_person(remark, author)) {
            let at = remark.submitted_at.as_deref().or(remark.created_at.as_deref());
            let Some(at_ms) = at.and_then(parse_ms) else { continue };
            first_review_ms = earliest(first_review_ms, at_ms);
            if remark.state.as_deref() == Some("APPROVED") {
                approved_ms = earliest(approved_ms, at_ms);
            }
        }
        let merge = pull.merge_commit_sha.as_deref().filter(|_| merged_ms.is_some());
        let labels = pull.labels.iter().flatten().filter_map(|label| label.name.clone());
        // REST and GraphQL list them in orders of their own.
        let mut labels: Vec<String> = labels.collect();
        labels.sort_unstable();
        let branch = pull.head.as_ref().and_then(|head| head.reference.clone());
        let fact = PullRequest {
            repository: self.repository.clone(),
            title: pull.title.clone().unwrap_or_default(),
            branch: branch.unwrap_or_default(),
            labels,
            commits: commits.iter().map(|commit| revision(&commit.sha)).collect(),
            first_authored_ms: authored.min(),
            created_ms,
            first_review_ms,
            approved_ms,
            merged_ms,
            merge: merge.map(revision),
            reverts: pull.body.as_deref().and_then(|body| self.reverted(body)),
        };
        Ok(self.fact(pull.number.to_string(), as_of_ms, What::PullRequest(fact)))
    }

    /// The number in `Reverts owner/name#12`, which GitHub's button writes, or in `Reverts #12`.
    fn reverted(&self, body: &str) -> Option<u64> {
        body.lines().find_map(|line| {
            let name = line.trim().strip_prefix("Reverts ")?.trim_start();
            let rest = name.strip_prefix(self.repository.as_str()).unwrap_or(name);
            let digits = rest.strip_prefix('#')?;
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            digits[..end].parse().ok()
        })
    }

    /// A commit, which never changes: its own time is the time of the fact, so that it is one fact
    /// however often it is read.
    pub(crate) fn commit(&self, commit: &payload::Commit) -> Result<Fact, Unfit> {
        let git = commit.commit.as_ref().ok_or(Unfit::Absent("commit"))?;
        let date = |signature: &Option<payload::Signature>| {
            optional("date", signature.as_ref().and_then(|signed| signed.date.as_deref()))
        };
        let (authored_ms, committed_ms) = (date(&git.author)?, date(&git.committer)?);
        let committed_ms = committed_ms.or(authored_ms).ok_or(Unfit::Absent("committer.date"))?;
        let parents = commit.parents.as_ref().ok_or(Unfit::Absent("parents"))?;
        let message = git.message.as_deref().unwrap_or_default();
        let fact = Commit {
            repository: self.repository.clone(),
            parents: parents.iter().map(|parent| revision(&parent.sha)).collect(),
            authored_ms: authored_ms.unwrap_or(committed_ms),
            committed_ms,
            patch: None,
            reverts: reverts::reverted(message.as_bytes())
                .iter()
                .map(|sha| Revision::new(sha))
                .collect(),
            services: None,
        };
        let id = commit.sha.to_ascii_lowercase();
        Ok(self.fact(id, committed_ms, What::Commit(fact)))
    }

    /// One attempt of a workflow run, with its jobs where they were read.
    pub(crate) fn run(&self, run: &payload::Run, jobs: Vec<Job>) -> Result<Fact, Unfit> {
        let created_ms = time("created_at", &run.created_at)?;
        let updated_ms = optional("updated_at", run.updated_at.as_deref())?;
        let attempt = run.run_attempt.unwrap_or(1);
        let is_over = run.status.as_deref() == Some("completed");
        let conclusion = run.conclusion.clone().filter(|_| is_over);
        let fact = Run {
            repository: self.repository.clone(),
            workflow: run.name.clone().unwrap_or_default(),
            branch: run.head_branch.clone().unwrap_or_default(),
            revision: run.head_sha.as_deref().map(revision),
            attempt,
            created_ms,
            started_ms: optional("run_started_at", run.run_started_at.as_deref())?,
            ended_ms: updated_ms.filter(|_| is_over),
            jobs,
            conclusion: conclusion.unwrap_or_default(),
        };
        let id = format!("{}/{attempt}", run.id);
        Ok(self.fact(id, updated_ms.unwrap_or(created_ms), What::Run(fact)))
    }

    /// An issue that is an incident by its label; closed as a duplicate or not planned it was none.
    pub(crate) fn incident(
        &self,
        issue: &payload::Issue,
        label: &str,
        events: &[payload::Event],
    ) -> Result<Fact, Unfit> {
        let created_ms = time("created_at", &issue.created_at)?;
        let closed_ms = optional("closed_at", issue.closed_at.as_deref())?;
        let as_of_ms = optional("updated_at", issue.updated_at.as_deref())?.unwrap_or(created_ms);
        let course = incident::course(created_ms, closed_ms, label, events);
        let is_declined = course.is_declined
            || closed_ms.is_some()
                && matches!(issue.state_reason.as_deref(), Some("not_planned" | "duplicate"));
        let fact = Incident {
            service: Some(self.service.clone()),
            environment: None,
            title: issue.title.clone().unwrap_or_default(),
            severity: String::new(),
            nature: if is_declined { Nature::Declined } else { Nature::Disruption },
            started_ms: course.started_ms,
            changes: course.turns,
            deployment: None,
            url: issue.html_url.clone().unwrap_or_default(),
        };
        Ok(self.fact(issue.number.to_string(), as_of_ms, What::Incident(fact)))
    }
}

/// A job; older Enterprise Servers do not tell when one was asked for.
pub(crate) fn job(job: &payload::Job) -> Result<Job, Unfit> {
    let started_ms = optional("started_at", job.started_at.as_deref())?;
    let created_ms = optional("created_at", job.created_at.as_deref())?;
    Ok(Job {
        name: job.name.chars().take(NAME_CHARS_MAX).collect(),
        created_ms: created_ms.or(started_ms).ok_or(Unfit::Absent("created_at"))?,
        started_ms,
        ended_ms: optional("completed_at", job.completed_at.as_deref())?,
        conclusion: job.conclusion.clone().unwrap_or_default(),
    })
}

fn status(status: &payload::Status) -> Result<(Status, i64), Unfit> {
    let at_ms = time("created_at", &status.created_at)?;
    let state = match status.state.as_str() {
        "pending" | "waiting" => State::Pending,
        "queued" => State::Queued,
        "in_progress" => State::InProgress,
        "success" => State::Success,
        "failure" => State::Failure,
        "error" => State::Error,
        "inactive" => State::Inactive,
        other => return Err(Unfit::State(other.to_owned())),
    };
    let updated_ms = optional("updated_at", status.updated_at.as_deref())?.unwrap_or(at_ms);
    Ok((Status { at_ms, state }, updated_ms.max(at_ms)))
}

/// Neither the author nor a bot: a check that comments at once is no review.
fn is_by_another_person(remark: &payload::Remark, author: Option<&str>) -> bool {
    let Some(user) = &remark.user else { return false };
    user.kind.as_deref() != Some("Bot") && user.login.is_some() && user.login.as_deref() != author
}

fn earliest(before: Option<i64>, at_ms: i64) -> Option<i64> {
    Some(before.map_or(at_ms, |before_ms| before_ms.min(at_ms)))
}

pub(crate) fn revision(sha: &str) -> Revision {
    Revision::new(&sha.to_ascii_lowercase())
}

pub(crate) fn time(field: &'static str, text: &str) -> Result<i64, Unfit> {
    parse_ms(text).ok_or_else(|| Unfit::Time { field, text: text.to_owned() })
}

pub(crate) fn optional(field: &'static str, text: Option<&str>) -> Result<Option<i64>, Unfit> {
    text.map(|text| time(field, text)).transpose()
}

/// A matrix writes all that it is made of into the names of its jobs.
const NAME_CHARS_MAX: usize = 100;
