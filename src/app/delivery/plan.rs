//! What a backfill would read and what that costs, before it is begun: every source is asked for
//! its size from where the ledger says that it stands. Nothing is stored, and nothing has to be
//! there for it.

use std::sync::Arc;

use redora_collector::collect::{Source, Stood, Survey, Timed, Unseen, Wait};
use redora_collector::ledger::{OpenError, Reader};
use redora_collector::sources::ahead::Ahead;
use redora_collector::sources::github::Allowance;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::sources::{timed, unix_ms};
use super::{DeliveryError, LEDGER_FILE};
use crate::config::Config;
use crate::process::Clock;

/// What a backfill would read, and what that costs.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// When it was asked.
    pub at_ms: i64,
    /// Of each source, in the order of their names.
    pub sources: Vec<PlannedSource>,
    /// The points of queries, where GitHub limits them.
    pub graphql: Option<Budget>,
    /// The requests to REST, where GitHub limits them.
    pub rest: Option<Budget>,
    /// How long all of it lasts, waits for limits included.
    pub lasts_ms: u64,
}

/// What is to be read of a source.
#[derive(Debug, Serialize)]
pub struct PlannedSource {
    /// The source.
    pub source: String,
    /// What of its streams.
    pub ahead: Vec<Ahead>,
    /// What it waits for, and has not been asked before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<Wait>,
    /// Why it cannot be read, with the cure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// How long reading it takes as a rule.
    pub usual_ms: u64,
}

/// What a limit means for a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// What the plan takes of it.
    pub needed: u64,
    /// What it allows.
    #[serde(flatten)]
    pub allowance: Allowance,
    /// How long the plan waits for the next hours of it; 0 is a plan that fits.
    pub waits_ms: u64,
}

/// A source with what it says of itself.
pub(super) struct Surveyed {
    pub(super) source: Arc<Source>,
    pub(super) stood: Stood,
    pub(super) survey: Result<Survey, Unseen>,
}

/// What reading every configured source would cost, from the ledger's places where there is one.
///
/// # Errors
/// A source cannot be read as configured, or the ledger that is there cannot be.
pub async fn plan(config: &Config, clock: Clock, seed: u64) -> Result<Planned, DeliveryError> {
    let now_ms = unix_ms(&clock)();
    let sources = timed(&config.delivery, now_ms)?;
    let ledger = match Reader::open(&config.data_dir.join(LEDGER_FILE)) {
        Ok(ledger) => Some(ledger),
        Err(OpenError::Absent(_)) => None,
        Err(fault) => return Err(fault.into()),
    };
    let stood = |source: &str| match &ledger {
        Some(ledger) => Stood::read(ledger, source, now_ms),
        None => Ok(Stood::default()),
    };
    let stood = sources.iter().map(|timed| stood(&timed.source.name));
    let stood: Vec<Stood> = stood.collect::<Result<_, _>>()?;
    drop(ledger);
    let surveyed = survey(&sources, stood, now_ms, seed).await;
    Ok(Planned::of(&surveyed, now_ms, seed).await)
}

/// Asks every source what it has, some at a time.
pub(super) async fn survey(
    sources: &[Timed],
    stood: Vec<Stood>,
    now_ms: i64,
    seed: u64,
) -> Vec<Surveyed> {
    let turns = Arc::new(Semaphore::new(AT_ONCE_MAX));
    let mut asking = JoinSet::new();
    for (timed, stood) in sources.iter().zip(stood) {
        let (source, turns) = (timed.source.clone(), turns.clone());
        asking.spawn(async move {
            let _turn = turns.acquire().await;
            let survey = match stood.wait.clone() {
                Some(wait) => Err(Unseen::Waits(wait)),
                None => source.survey(stood.place.as_deref(), now_ms, seed).await,
            };
            Surveyed { source, stood, survey }
        });
    }
    let mut surveyed = asking.join_all().await;
    surveyed.sort_by(|a, b| a.source.name.cmp(&b.source.name));
    surveyed
}

impl Planned {
    /// What was surveyed as a plan, with what the limits allow, which is asked once: sources share
    /// a token.
    pub(super) async fn of(surveyed: &[Surveyed], now_ms: i64, seed: u64) -> Self {
        let sources: Vec<PlannedSource> = surveyed.iter().map(PlannedSource::of).collect();
        let needed = |of: fn(&Ahead) -> u64| -> u64 {
            sources.iter().flat_map(|source| &source.ahead).map(of).sum()
        };
        let (points, requests) = (needed(|a| a.graphql_points), needed(|a| a.rest_requests));
        let longest_ms = sources.iter().map(|source| source.usual_ms).max().unwrap_or(0);
        let mut allowances = None;
        for Surveyed { source, survey, .. } in surveyed {
            if survey.is_err() || points + requests == 0 {
                continue;
            }
            match source.allowances(now_ms, seed).await {
                Ok(None) => {}
                // What is not told now is not known, and no reason to have no plan.
                told => {
                    allowances = told.ok().flatten();
                    break;
                }
            }
        }
        let budget = |needed, allowance: Allowance| Budget {
            needed,
            allowance,
            waits_ms: allowance.lasts_ms(needed, longest_ms, now_ms).saturating_sub(longest_ms),
        };
        let allowances = allowances.unwrap_or_default();
        let graphql = allowances.graphql.map(|allowance| budget(points, allowance));
        let rest = allowances.rest.map(|allowance| budget(requests, allowance));
        // Waits for both are at the same time, for both hours begin together.
        let waits_ms = graphql.iter().chain(&rest).map(|budget| budget.waits_ms).max();
        let lasts_ms = longest_ms.saturating_add(waits_ms.unwrap_or(0));
        Self { at_ms: now_ms, sources, graphql, rest, lasts_ms }
    }

    /// As JSON with a newline.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a plan has no key that is not text") + "\n"
    }
}

impl PlannedSource {
    fn of(surveyed: &Surveyed) -> Self {
        let Surveyed { source, stood, survey } = surveyed;
        let (ahead, waits, refused) = match survey {
            Ok(survey) => (source.ahead(survey, stood.place.as_deref()), None, None),
            Err(Unseen::Waits(wait)) => (Vec::new(), Some(wait.clone()), None),
            Err(Unseen::Refused(why)) => (Vec::new(), None, Some(why.clone())),
        };
        let usual_ms = ahead.iter().map(|ahead| ahead.usual_ms).sum();
        Self { source: source.name.clone(), ahead, waits, refused, usual_ms }
    }

    /// The sum of something over its streams.
    #[must_use]
    pub fn sum(&self, of: impl Fn(&Ahead) -> u64) -> u64 {
        self.ahead.iter().map(of).sum()
    }
}

/// Few enough that no server takes it for an attack, enough that a thousand sources are asked in a
/// minute.
const AT_ONCE_MAX: usize = 8;
