//! What a source has and what of it is still to be read, asked before a round and reckoned again
//! after each step: a plan for whoever decides whether to begin, and a progress for whoever waits.
//! Rounds of the agent do without; nobody watches them.

use super::source::{Reader, Source};
use super::step::Unseen;
use crate::sources::ahead::Ahead;
use crate::sources::git;
use crate::sources::github::{self, Allowances};
use crate::sources::incidents::follow::Sizes;
use crate::sources::incidents::jsonl;

/// What a source held at a time.
#[derive(Debug)]
pub struct Survey(Held);

#[derive(Debug)]
enum Held {
    GitHub(github::Survey),
    /// As counted from the place that this tells.
    Git(git::Fresh, Option<String>),
    Log(Sizes),
}

impl Source {
    /// Asks what there is to read from a place on, reading as little as possible: sizes and counts.
    ///
    /// # Errors
    /// What a round would meet at its first step.
    pub async fn survey(
        &self,
        place: Option<&str>,
        now_ms: i64,
        random: u64,
    ) -> Result<Survey, Unseen> {
        let refused = |fault: &dyn std::fmt::Display| Unseen::Refused(fault.to_string());
        let place = place.map(str::to_owned);
        Ok(Survey(match &self.reader {
            Reader::GitHub(github) => {
                Held::GitHub(github.survey(place.as_deref(), now_ms, random).await?)
            }
            Reader::Git(config) => {
                let config = config.clone();
                let count = move || (git::count(&config, &cursor(place.as_deref())), place);
                let counted = tokio::task::spawn_blocking(count).await;
                let (fresh, place) = counted.expect("counting neither panics nor is cancelled");
                Held::Git(fresh.map_err(|fault| refused(&fault))?, place)
            }
            Reader::Log { path, .. } => {
                let path = path.clone();
                let look = move || jsonl::sizes(&path, place.as_deref());
                let sizes = tokio::task::spawn_blocking(look).await;
                let sizes = sizes.expect("looking neither panics nor is cancelled");
                Held::Log(sizes.map_err(|fault| refused(&fault))?)
            }
        }))
    }

    /// What is still to be read of what was surveyed, from a later place on.
    #[must_use]
    pub fn ahead(&self, survey: &Survey, place: Option<&str>) -> Vec<Ahead> {
        match (&survey.0, &self.reader) {
            (Held::GitHub(survey), Reader::GitHub(github)) => github.ahead(survey, place),
            (Held::Git(fresh, counted), _) => {
                // A clone's place moves once, when all of it is read.
                let is_read = counted.as_deref() != place;
                let of = |stream, objects: u64| {
                    let left = if is_read { 0 } else { objects };
                    Ahead::here(stream, place.is_none(), left, left / COMMITS_PER_MS)
                };
                vec![of("commits", fresh.commits), of("deployments", fresh.deployments)]
            }
            (Held::Log(sizes), _) => {
                let left = jsonl::left(sizes, place);
                vec![Ahead::here("bytes", place.is_none(), left, left / BYTES_PER_MS)]
            }
            // A survey of another source tells nothing of this one.
            (Held::GitHub(_), _) => Vec::new(),
        }
    }

    /// How long what a step did takes as a rule, by what was ahead of it.
    #[must_use]
    pub fn usual_ms(&self, before: &[Ahead], requests: u64, read: u64) -> u64 {
        match self.reader {
            Reader::GitHub(_) if before.iter().any(|ahead| ahead.graphql_requests > 0) => {
                requests * github::QUERY_MS
            }
            Reader::GitHub(_) => requests * github::REQUEST_MS,
            Reader::Git(_) => read / COMMITS_PER_MS,
            Reader::Log { .. } => read / BYTES_PER_MS,
        }
    }

    /// What the server of this source still allows; `None` where it has none.
    ///
    /// # Errors
    /// What a round would meet at its first step.
    pub async fn allowances(&self, now_ms: i64, random: u64) -> Result<Option<Allowances>, Unseen> {
        match &self.reader {
            Reader::GitHub(github) => github.allowances(now_ms, random).await.map(Some),
            Reader::Git(_) | Reader::Log { .. } => Ok(None),
        }
    }
}

/// A place that is none is the beginning.
fn cursor(place: Option<&str>) -> git::Cursor {
    place.and_then(|place| serde_json::from_str(place).ok()).unwrap_or_default()
}

/// Patch ids take a tenth of a millisecond and more, and the ledger takes thirty commits a
/// millisecond: of a clone of some size two are read and stored in one.
const COMMITS_PER_MS: u64 = 2;
/// Lines of JSON into facts and into the ledger, some ten incidents a millisecond.
const BYTES_PER_MS: u64 = 4_096;
