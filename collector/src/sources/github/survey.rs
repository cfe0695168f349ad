//! What a repository holds and what its limits still allow, asked with two or three requests before
//! anything is read. A walk cannot tell it: lists show their size only at their end.

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::commits;
use super::count::{Count, OBJECTS_MAX};
use super::cursor::Stream;
use super::forecast::{self, Read};
use super::graphql::{self, Counts, Since};
use super::payload::Page;
use super::plan::Plan;
use super::query::{date, escaped};
use super::reply::{Moment, Refusal, Trouble, Verdict, Wait};
use crate::sources::ahead::Ahead;

/// Asks what a repository holds.
pub struct Surveyor {
    client: Client,
    plan: Plan,
}

/// What a repository held at a time.
#[derive(Debug)]
pub struct Survey {
    pub(crate) at_ms: i64,
    pub(crate) counts: Counts,
}

/// Why it cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// Not before someone acts.
    Refused(Refusal),
    /// Not before a time.
    Later(Wait),
}

/// What a server lets a token ask within an hour; `None` where it has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Allowances {
    /// In points of queries.
    pub graphql: Option<Allowance>,
    /// In requests.
    pub rest: Option<Allowance>,
}

/// What is allowed until a time, and then again within every hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Allowance {
    /// Within an hour.
    pub limit: u64,
    /// Of these still within this hour.
    pub remaining: u64,
    /// When the next hour begins.
    pub resets_ms: i64,
}

impl Allowance {
    /// How long so many take that would take `work_ms` without a limit, with every wait for the
    /// next hour; asked evenly, for nobody asks faster than is answered.
    #[must_use]
    pub fn lasts_ms(&self, needed: u64, work_ms: u64, now_ms: i64) -> u64 {
        let first_ms = u64::try_from(self.resets_ms.saturating_sub(now_ms)).unwrap_or(0);
        let asked_within = |span_ms: u64| ratio(needed, span_ms, work_ms.max(1)).min(needed);
        let first = asked_within(first_ms).min(self.remaining);
        let each = asked_within(HOUR_MS).min(self.limit).max(1);
        let is_enough = first == asked_within(first_ms) && self.limit >= asked_within(HOUR_MS);
        let left = needed - first;
        if left == 0 || is_enough {
            return work_ms;
        }
        let whole = (left - 1) / each;
        let rest_ms = ratio(work_ms, left - whole * each, needed);
        first_ms.saturating_add(whole.saturating_mul(HOUR_MS)).saturating_add(rest_ms)
    }
}

/// `a * b / c`, which may be more than 64 bits on the way.
fn ratio(a: u64, b: u64, c: u64) -> u64 {
    let ratio = u128::from(a) * u128::from(b) / u128::from(c.max(1));
    u64::try_from(ratio).unwrap_or(u64::MAX)
}

impl Surveyor {
    /// Through `client`, for a plan whose repository is `owner/name`.
    #[must_use]
    pub fn new(client: Client, plan: Plan) -> Self {
        Self { client, plan }
    }

    /// Counts what there is to read from where the reading stands: one query, and a request for the
    /// runs where runs are read.
    ///
    /// # Errors
    /// What a reading would meet as well.
    pub async fn survey(&self, read: Read<'_>, now_ms: i64, random: u64) -> Result<Survey, Unseen> {
        let moment = Moment::new(now_ms, 0, random);
        let plan = &self.plan;
        let since = Since {
            commits_ms: read.commits_from_ms(plan).or_else(|| commits::since_ms(plan)),
            incidents_ms: read.begins_ms(Stream::Incidents, plan),
        };
        let counts = graphql::counts(&self.client, plan, since, moment).await;
        let mut counts = counts.map_err(unseen)?;
        for stream in [Stream::Runs, Stream::Workflow] {
            if plan.streams.contains(&stream) {
                let from_ms = read.begins_ms(stream, plan);
                let total = self.runs(stream, from_ms, moment).await.map_err(unseen)?;
                let count = Count { total, from_ms: Some(from_ms), ..Count::default() };
                counts.of.insert(stream, count);
            }
        }
        Ok(Survey { at_ms: now_ms, counts })
    }

    /// What is still to be read of a surveyed repository, a row for each stream.
    #[must_use]
    pub fn ahead(&self, survey: &Survey, read: Read<'_>) -> Vec<Ahead> {
        let Survey { at_ms, counts } = survey;
        let streams = self.plan.streams.iter();
        streams.map(|stream| forecast::ahead(&self.plan, counts, *at_ms, read, *stream)).collect()
    }

    /// What the limits of this token still allow; asking for that is free.
    ///
    /// # Errors
    /// What a reading would meet as well.
    pub async fn allowances(&self, now_ms: i64, random: u64) -> Result<Allowances, Unseen> {
        let moment = Moment::new(now_ms, 0, random);
        let (repository, path) = (self.plan.repository.as_str(), self.client.path("/rate_limit"));
        let answer = match self.client.ask(repository, &path, moment).await {
            Ok(answer) => answer,
            // An Enterprise Server without limits.
            Err(Verdict::Never(Refusal::Unknown { .. })) => return Ok(Allowances::default()),
            Err(verdict) => return Err(unseen(verdict)),
        };
        let told: Limits = serde_json::from_slice(&answer.body)
            .map_err(|_| Unseen::Later(moment.retry(Trouble::Body)))?;
        let Resources { core, graphql } = told.resources;
        Ok(Allowances {
            graphql: graphql.and_then(Limit::allows),
            rest: core.and_then(Limit::allows),
        })
    }

    async fn runs(&self, stream: Stream, from_ms: i64, moment: Moment) -> Result<u64, Verdict> {
        let list = match stream {
            Stream::Workflow => format!("workflows/{}/runs", escaped(&self.plan.workflow)),
            _ => "runs".to_owned(),
        };
        let base = self.client.path(&format!("/repos/{}", self.plan.repository));
        let (from, to) = (date(from_ms), date(moment.now_ms));
        let path = format!("{base}/actions/{list}?per_page=1&created={from}..{to}");
        let answer = match self.client.ask(self.plan.repository.as_str(), &path, moment).await {
            Ok(answer) => answer,
            Err(Verdict::Never(Refusal::TurnedOff { .. })) => return Ok(0),
            Err(verdict) => return Err(verdict),
        };
        let broken = || Verdict::Later(moment.retry(Trouble::Body));
        let page = Page::read(&answer.body).map_err(|_| broken())?;
        Ok(page.total.ok_or_else(broken)?.min(OBJECTS_MAX))
    }
}

fn unseen(verdict: Verdict) -> Unseen {
    match verdict {
        Verdict::Never(refusal) => Unseen::Refused(refusal),
        Verdict::Later(wait) => Unseen::Later(wait),
        Verdict::Use | Verdict::Moved(_) => unreachable!("the client follows these"),
    }
}

#[derive(Deserialize)]
struct Limits {
    resources: Resources,
}

#[derive(Deserialize)]
struct Resources {
    core: Option<Limit>,
    graphql: Option<Limit>,
}

#[derive(Deserialize)]
struct Limit {
    limit: u64,
    remaining: u64,
    reset: i64,
}

impl Limit {
    /// 0 of 0 is a server without limits.
    fn allows(self) -> Option<Allowance> {
        let Self { limit, remaining, reset } = self;
        let resets_ms = reset.saturating_mul(1_000);
        (limit > 0).then_some(Allowance { limit, remaining, resets_ms })
    }
}

const HOUR_MS: u64 = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_an_hour_waits_for_the_next_ones() {
        const MINUTE_MS: u64 = 60_000;
        let allowance = Allowance { limit: 5_000, remaining: 800, resets_ms: 1_800_000 };
        for (needed, work_min, lasts_min, why) in [
            (0, 0, 0, "nothing"),
            (800, 1, 1, "all of this hour's"),
            (900, 9, 31, "the last hundred take a minute of the next hour"),
            (5_800, 58, 80, "a whole hour's beside"),
            (5_900, 59, 91, "and a hundred of the hour after"),
            (16_000, 160, 212, "three hours and some"),
            (16_000, 960, 960, "so slow that no hour is used up"),
        ] {
            let lasts_ms = allowance.lasts_ms(needed, work_min * MINUTE_MS, 0);
            assert_eq!(lasts_ms, lasts_min * MINUTE_MS, "{needed}: {why}");
        }
        let stale = Allowance { resets_ms: -1, ..allowance };
        assert_eq!(stale.lasts_ms(900, 9 * MINUTE_MS, 0), 9 * MINUTE_MS, "the hour is over");
        let none = Allowance { limit: 0, remaining: 0, resets_ms: 0 };
        assert!(none.lasts_ms(u64::MAX, u64::MAX, i64::MIN) > 0, "nothing overflows");
    }
}
