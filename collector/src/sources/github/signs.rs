//! Deployments of repositories that tell GitHub of none: runs of a workflow, published releases and
//! tags, as the facts that a deployment would have been.

use redora_model::fact::{Deployment, Fact, State, Status, What};
use redora_model::identity::{Environment, Revision};

use super::facts::{Owner, Unfit, optional, revision, time};
use super::payload;
use super::reply::parse_ms;

impl Owner {
    /// A run of the deploying workflow with its attempts in their order, which are evidence of one
    /// deployment. `None` for one that was skipped: nothing was deployed.
    pub(crate) fn run_as_deployment(
        &self,
        environment: &Environment,
        attempts: &[&payload::Run],
    ) -> Result<Option<Fact>, Unfit> {
        let Some(last) = attempts.last() else { return Ok(None) };
        let created_ms = time("created_at", &last.created_at)?;
        let updated_ms = optional("updated_at", last.updated_at.as_deref())?;
        let mut statuses = Vec::new();
        for attempt in attempts {
            let is_over = attempt.status.as_deref() == Some("completed");
            let conclusion = attempt.conclusion.as_deref().filter(|_| is_over);
            if conclusion == Some("skipped") {
                continue;
            }
            let started_ms = optional("run_started_at", attempt.run_started_at.as_deref())?;
            let begun = match attempt.status.as_deref() {
                Some("in_progress" | "completed") => State::InProgress,
                _ => State::Queued,
            };
            statuses.push(Status { at_ms: started_ms.unwrap_or(created_ms), state: begun });
            let ended_ms = optional("updated_at", attempt.updated_at.as_deref())?;
            if let Some((conclusion, at_ms)) = conclusion.zip(ended_ms) {
                statuses.push(Status { at_ms, state: ended(conclusion) });
            }
        }
        if statuses.is_empty() {
            return Ok(None);
        }
        let fact = Deployment {
            revision: last.head_sha.as_deref().map(revision),
            statuses,
            url: last.html_url.clone().unwrap_or_default(),
            ..self.deployed(environment, created_ms)
        };
        let as_of_ms = updated_ms.unwrap_or(created_ms);
        Ok(Some(self.fact(format!("run/{}", last.id), as_of_ms, What::Deployment(fact))))
    }

    /// A published release of a commit; `None` for a draft.
    pub(crate) fn release(
        &self,
        environment: &Environment,
        release: &payload::Release,
        commit: Option<Revision>,
    ) -> Result<Option<Fact>, Unfit> {
        let published_ms = optional("published_at", release.published_at.as_deref())?;
        let is_draft = release.draft == Some(true);
        let Some(at_ms) = published_ms.filter(|_| !is_draft) else { return Ok(None) };
        let updated_ms = optional("updated_at", release.updated_at.as_deref())?;
        let fact = Deployment {
            revision: commit,
            version: release.tag_name.clone(),
            // A release says that a version is out, and nothing of how it came out.
            statuses: vec![Status { at_ms, state: State::Success }],
            url: release.html_url.clone().unwrap_or_default(),
            ..self.deployed(environment, at_ms)
        };
        let mut as_of_ms = updated_ms.unwrap_or(at_ms).max(at_ms);
        if fact.revision.is_none() {
            // One that knows the commit wins, whichever is read first: the tag may come a moment
            // after its release, and may be deleted long before it.
            as_of_ms -= 1;
        }
        Ok(Some(self.fact(format!("release/{}", release.id), as_of_ms, What::Deployment(fact))))
    }

    /// A tag of a commit, held to be so as of a time.
    pub(crate) fn tag(
        &self,
        environment: &Environment,
        name: &str,
        tagged: &Tagged,
        as_of_ms: i64,
    ) -> Fact {
        let at_ms = tagged.at_ms;
        let fact = Deployment {
            revision: Some(revision(&tagged.commit)),
            version: name.to_owned(),
            // A tag says that a version is out, and nothing of how it came out.
            statuses: vec![Status { at_ms, state: State::Success }],
            ..self.deployed(environment, at_ms)
        };
        self.fact(format!("tag/{name}"), as_of_ms, What::Deployment(fact))
    }

    fn deployed(&self, environment: &Environment, created_ms: i64) -> Deployment {
        Deployment {
            repository: self.repository.clone(),
            service: self.service.clone(),
            environment: environment.clone(),
            created_ms,
            revision: None,
            version: String::new(),
            statuses: Vec::new(),
            attempt: 1,
            region: String::new(),
            url: String::new(),
        }
    }
}

/// What a tag comes to, however many tags of tags lie between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tagged {
    /// The commit behind it.
    pub(crate) commit: String,
    /// When the outermost tag that says so was made, or else the commit.
    pub(crate) at_ms: i64,
}

impl payload::Release {
    /// Whether people can have it, and as more than a preview where previews do not count.
    pub(crate) fn is_out(&self, prereleases: bool) -> bool {
        self.draft != Some(true)
            && (prereleases || self.prerelease != Some(true))
            && self.published_at.is_some()
    }
}

/// When a release came out, or was edited after that.
pub(crate) fn changed_ms(published: &str, updated: Option<&str>) -> Option<i64> {
    let out_ms = parse_ms(published)?;
    Some(updated.and_then(parse_ms).map_or(out_ms, |updated_ms| updated_ms.max(out_ms)))
}

/// What a conclusion makes of a deployment. One that was cancelled gave way, mostly to a later run.
fn ended(conclusion: &str) -> State {
    match conclusion {
        "success" => State::Success,
        "failure" | "timed_out" | "startup_failure" => State::Failure,
        _ => State::Inactive,
    }
}
