//! A history as a Prometheus holds it that scraped the agents: counters minute by minute, as they
//! were, and what was asked of each objective at the time. Counters are read raw and not through
//! `increase`, which needs two scrapes within its minute and makes fractions of whole events.

mod answer;
mod counters;

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderValue, StatusCode, Uri};
use redora_model::slo::{Goal, Severity, Tiers};

use super::play::{Late, Name, Recorded, Rehearsal};
use crate::listen::{self, GetError, Question};
use answer::{Refusal, Series};
use counters::Counters;

/// Where a Prometheus is, and how it is asked.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its address; `/api/v1` is below its path.
    pub url: Uri,
    /// What it shall see of who asks.
    pub authorization: Option<HeaderValue>,
    /// How long each of its answers may take.
    pub limit: Duration,
}

/// Why a history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It cannot be asked.
    #[error("{url}: {fault}; is this the address of Prometheus, or is --timeout too short for it?")]
    Unreachable {
        /// Its address.
        url: Uri,
        /// Why.
        fault: GetError,
    },
    /// It wants to know who asks, or does not answer them.
    #[error("{url} answers {status}; give --token, or --user and --password, that it knows")]
    Unauthorised {
        /// Its address.
        url: Uri,
        /// Its answer.
        status: StatusCode,
    },
    /// It answers, and not as Prometheus does.
    #[error(
        "{url} answers {status}, and not as Prometheus does; name the address that its /api/v1 is \
         below"
    )]
    Foreign {
        /// Its address.
        url: Uri,
        /// Its answer.
        status: StatusCode,
    },
    /// It does not answer this question.
    #[error("{url} refuses the question: {said}")]
    Refused {
        /// Its address.
        url: Uri,
        /// Its words.
        said: String,
    },
    /// Even a short time of it is too much.
    #[error(
        "{LENGTH_MIN} minutes of these objectives are more than {} MiB, or than {url} loads at \
         once; name a --service or an --slo",
        ANSWER_BYTES_MAX >> 20
    )]
    TooMuch {
        /// Its address.
        url: Uri,
    },
    /// It has nothing.
    #[error(
        "{url} holds no events of these objectives in this time; does it scrape redora, keep data \
         for as long as --since says, and know the --service and --slo?"
    )]
    Nothing {
        /// Its address.
        url: Uri,
    },
    /// It has more than a rehearsal holds.
    #[error(transparent)]
    Crowd(#[from] Late),
}

/// Reads the minutes that end from `from_min` to `to_min` after the Unix epoch, and tells them to a
/// rehearsal. Answers are bounded: of much that is recorded less is asked at a time.
///
/// # Errors
/// What was told until then stays told.
pub async fn read(
    source: &Source,
    rehearsal: &mut Rehearsal,
    [from_min, to_min]: [u64; 2],
) -> Result<(), Unread> {
    let selector = selector(rehearsal);
    let (mut at_min, mut length) = (from_min, LENGTH_FIRST);
    let mut counters = Counters::default();
    while at_min <= to_min {
        let last_min = to_min.min(at_min + length - 1);
        let Some((events, bytes)) = events(source, &selector, [at_min, last_min]).await? else {
            if length <= LENGTH_MIN {
                return Err(Unread::TooMuch { url: source.url.clone() });
            }
            length = (length / 2).max(LENGTH_MIN);
            continue;
        };
        if !events.is_empty() {
            let settings = settings(source, &selector, [at_min, last_min]).await?;
            tell(rehearsal, counters.minutes(events), &settings)?;
        }
        at_min = last_min + 1;
        // The next answer may be twice as long and still far from too long.
        if bytes < ANSWER_BYTES_MAX / 4 {
            length = (length * 2).min(LENGTH_MAX);
        }
    }
    if rehearsal.objectives() == 0 {
        return Err(Unread::Nothing { url: source.url.clone() });
    }
    Ok(())
}

fn tell(
    rehearsal: &mut Rehearsal,
    minutes: counters::Minutes,
    settings: &Settings,
) -> Result<(), Late> {
    for (name, minutes) in minutes {
        let settings = settings.get(&name);
        for (end_min, counts) in minutes {
            let said = settings.and_then(|said| said.get(&end_min.div_ceil(SETTINGS_EVERY_MIN)));
            rehearsal.tell(&name, end_min, counts, said.copied().unwrap_or_default())?;
        }
    }
    Ok(())
}

/// What was asked of each objective in the ten minutes that end at ten times a number.
type Settings = BTreeMap<Name, BTreeMap<u64, Recorded>>;

/// The counters of these minutes and how long the answer was; nothing where it is too long.
async fn events(
    source: &Source,
    selector: &str,
    minutes: [u64; 2],
) -> Result<Option<(Vec<Series>, usize)>, Unread> {
    ask(source, &format!("redora_slo_events_total{selector}"), minutes, 1).await
}

/// Goals, windows and tiers as the rules know them: the largest of all agents, and remembered for
/// ten minutes.
async fn settings(
    source: &Source,
    selector: &str,
    [from_min, to_min]: [u64; 2],
) -> Result<Settings, Unread> {
    let every = SETTINGS_EVERY_MIN;
    let of = |metric: &str, by: &str| {
        format!("max by (service, slo{by}) (last_over_time({metric}{selector}[{every}m]))")
    };
    let named = |name: &str, query: String| {
        format!(r#"label_replace({query}, "setting", "{name}", "", "")"#)
    };
    let query = [
        named("goal", of("redora_slo_objective_ratio", "")),
        named("window", of("redora_slo_window_seconds", "")),
        named("tier", of("redora_slo_tier_enabled", ", tier")),
    ]
    .join(" or ");
    let minutes = [from_min.div_ceil(every) * every, to_min.div_ceil(every) * every];
    let answered = ask(source, &query, minutes, every).await?;
    // A tenth as many values as the counters had, which were not too many.
    let (rows, _) = answered.ok_or_else(|| Unread::TooMuch { url: source.url.clone() })?;
    let mut settings = Settings::new();
    for Series { labels, points } in rows {
        let label = |name: &str| labels.get(name).map(String::as_str).unwrap_or_default();
        let name = Name { service: label("service").to_owned(), slo: label("slo").to_owned() };
        let said = settings.entry(name).or_default();
        for (at_min, value) in points {
            let said = said.entry(at_min / every).or_default();
            match label("setting") {
                // As text it is the shortest that reads back, so it is what the file said.
                "goal" => said.goal = Goal::parse(&value.to_string()),
                "window" => said.window_s = Some(value as u64).filter(|seconds| *seconds > 0),
                _ => switch(said.tiers.get_or_insert(Tiers::ALL), label("tier"), value != 0.0),
            }
        }
    }
    Ok(settings)
}

fn switch(tiers: &mut Tiers, tier: &str, is_on: bool) {
    if tier == Severity::Page.as_str() {
        tiers.page = is_on;
    } else if tier == Severity::Ticket.as_str() {
        tiers.ticket = is_on;
    }
}

/// The answer to a range query and how long it was; nothing where it is too long.
async fn ask(
    source: &Source,
    query: &str,
    [from_min, to_min]: [u64; 2],
    step_min: u64,
) -> Result<Option<(Vec<Series>, usize)>, Unread> {
    let base = source.url.to_string();
    let seconds = [from_min, to_min, step_min].map(|min| min.saturating_mul(60));
    let address = format!(
        "{}/api/v1/query_range?query={}&start={}&end={}&step={}",
        base.trim_end_matches('/'),
        encoded(query),
        seconds[0],
        seconds[1],
        seconds[2]
    );
    let url = source.url.clone();
    let asked: Uri = match address.parse() {
        Ok(asked) => asked,
        Err(_) => return Err(Unread::Unreachable { url, fault: GetError::Url }),
    };
    let authorization = source.authorization.as_ref();
    let (bytes_max, limit) = (ANSWER_BYTES_MAX, source.limit);
    let answered = listen::ask(Question { url: &asked, authorization, bytes_max, limit }).await;
    let (status, body) = match answered {
        Ok(answered) => answered,
        Err(GetError::TooLong { .. }) => return Ok(None),
        Err(fault) => return Err(Unread::Unreachable { url, fault }),
    };
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(Unread::Unauthorised { url, status });
    }
    match answer::read(&body) {
        Ok(mut series) => {
            // A server that tells of times that nobody asked for would confuse their order.
            let is_asked = |at_min: u64| (from_min..=to_min).contains(&at_min);
            series.iter_mut().for_each(|one| one.points.retain(|(at_min, _)| is_asked(*at_min)));
            Ok(Some((series, body.len())))
        }
        Err(Refusal::TooMuch) => Ok(None),
        Err(Refusal::Said(said)) => Err(Unread::Refused { url, said }),
        Err(Refusal::Foreign) => Err(Unread::Foreign { url, status }),
    }
}

/// Which objectives are asked for, in PromQL.
fn selector(rehearsal: &Rehearsal) -> String {
    let asked = rehearsal.ask();
    let matchers = [("service", &asked.service), ("slo", &asked.slo)];
    let matchers = matchers.into_iter().filter_map(|(label, wanted)| {
        let wanted = wanted.as_ref()?;
        let escaped = wanted.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n");
        Some(format!("{label}=\"{escaped}\""))
    });
    format!("{{{}}}", matchers.collect::<Vec<_>>().join(","))
}

/// A text as the value of a URL's query.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// How often settings are asked for; as long as the rules remember them.
const SETTINGS_EVERY_MIN: u64 = redora_model::slo::replay::SETTINGS_KEPT_MIN;
/// A day at first.
const LENGTH_FIRST: u64 = 1_440;
const LENGTH_MIN: u64 = 10;
/// Prometheus gives at most 11,000 points of a series.
const LENGTH_MAX: u64 = 10_000;
/// A million points; as many are in memory for a moment.
const ANSWER_BYTES_MAX: usize = 32 << 20;

#[cfg(test)]
mod tests;
