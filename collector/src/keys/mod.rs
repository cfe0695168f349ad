//! The five DORA metrics of one place and window, each a pure function of what `link` found.
//! Nothing is averaged twice: a longer window is computed from the facts, not from reports.
//!
//! Meanings: `docs/definitions.md`. A ratio without a denominator and a duration without samples
//! are absent.

pub mod bands;
mod calendar;
pub mod ci;
pub mod devlake;
pub mod explain;
pub mod quick_check;
mod spread;

use jiff::tz::TimeZone;
use serde::Serialize;

pub use calendar::Week;
pub use spread::Spread;

use crate::link::{Arrival, Change, Failure, Gap, Linked, Name, Step};
use spread::Samples;

/// From when to when, and what is decided about the numbers.
#[derive(Clone, Debug)]
pub struct Query {
    /// The first moment of the window, in milliseconds since the Unix epoch.
    pub from_ms: i64,
    /// The first moment after it.
    pub to_ms: i64,
    /// The moment at which the question is asked: what happened later is not known.
    pub now_ms: i64,
    /// How long after a deployment its verdict is pending.
    pub attribution_ms: i64,
    /// The calendar that days and weeks are those of.
    pub zone: TimeZone,
}

/// The numbers of one place and window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How often.
    pub frequency: Frequency,
    /// How long a change takes, by start and end.
    pub lead_time: Vec<LeadTime>,
    /// Where that time goes.
    pub stages: Vec<Stage>,
    /// How often one fails.
    pub failure: FailureRate,
    /// How long it takes to recover from a failed one.
    pub recovery: Spread,
    /// How much is repair.
    pub rework: Rework,
    /// Disruptions that began in the window.
    pub incidents: Incidents,
    /// Deployments whose changes are not known, by id.
    pub gaps: Vec<GapOf>,
    /// The last deployment of all, in milliseconds since the Unix epoch.
    pub last_deployment_ms: Option<i64>,
}

/// Deployment frequency.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Frequency {
    /// Successful deployments.
    pub n: usize,
    /// Days with at least one.
    pub days: usize,
    /// By week, from Monday.
    pub weeks: Vec<Week>,
    /// Deployments of what was there already, which do not count.
    pub redeployments: usize,
    /// Deployments that came to a bad end.
    pub failed: usize,
    /// Rollbacks among the successful ones.
    pub rollbacks: usize,
    /// Those that no pipeline reported and telemetry saw.
    pub unmapped: usize,
    /// Those that a pipeline reported and no telemetry saw, where telemetry sees any.
    pub not_live: usize,
    /// Deployments that came to no end yet.
    pub open: usize,
}

/// Change lead time from one start to one end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeadTime {
    /// `commit`, `pull_request` or `merge`.
    pub start: &'static str,
    /// `deployed` or `first_request`.
    pub end: &'static str,
    /// The durations, one a change.
    pub spread: Spread,
}

/// A part of lead time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// `coding`, `pickup`, `review`, `deploy` or `first_request`.
    pub stage: &'static str,
    /// The durations, one a change that went through it.
    pub spread: Spread,
}

/// Change failure rate, as a range.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FailureRate {
    /// Deployments that may fail.
    pub n: usize,
    /// Those that did.
    pub confirmed: usize,
    /// Those of which an incident tells.
    pub by_incident: usize,
    /// Those of which a burn tells and no incident; of the others a rollback alone does.
    pub by_burn: usize,
    /// Those that still may: their attribution window has not ended.
    pub pending: usize,
    /// The share that failed.
    pub confirmed_ratio: Option<f64>,
    /// The share that would have failed if every pending one did.
    pub possible_ratio: Option<f64>,
}

/// Rework rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rework {
    /// Deployments.
    pub n: usize,
    /// Those that were unplanned repairs.
    pub repairs: usize,
    /// Their share.
    pub ratio: Option<f64>,
}

/// Disruptions, whether a deployment caused them or not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Incidents {
    /// How many began in the window.
    pub n: usize,
    /// How long those took that are over.
    pub duration: Spread,
    /// Those that no deployment is known to have caused.
    pub unattributed: usize,
    /// Open ones with their age in seconds.
    pub open: Vec<(String, f64)>,
    /// Time with at least one disruption, in seconds; what overlaps is counted once.
    pub downtime_s: f64,
}

/// A deployment whose changes are not known, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GapOf {
    /// Its id.
    pub id: String,
    /// `revision`, `previous` or `history`.
    pub reason: &'static str,
}

/// Computes a report.
#[must_use]
pub fn report(linked: &Linked, query: &Query) -> Report {
    let within = |ms: i64| (query.from_ms..query.to_ms).contains(&ms) && ms <= query.now_ms;
    let numbered = linked.arrivals.iter().enumerate();
    let arrivals: Vec<(usize, &Arrival)> =
        numbered.filter(|(_, arrival)| within(arrival.finished_ms)).collect();
    let served = first_requests(linked);
    let known = linked.arrivals.iter().map(|arrival| arrival.finished_ms);
    Report {
        frequency: frequency(linked, &arrivals, query, within),
        lead_time: lead_time(&served, &arrivals),
        stages: stages(&served, &arrivals),
        failure: failure(&arrivals, query),
        recovery: recovery(linked, &arrivals),
        rework: rework(&arrivals),
        incidents: incidents(linked, query, within),
        gaps: arrivals.iter().filter_map(|(_, arrival)| gap(arrival)).collect(),
        last_deployment_ms: known.filter(|ms| *ms <= query.now_ms).max(),
    }
}

fn frequency(
    linked: &Linked,
    arrivals: &[(usize, &Arrival)],
    query: &Query,
    within: impl Fn(i64) -> bool,
) -> Frequency {
    let moments: Vec<i64> = arrivals.iter().map(|(_, arrival)| arrival.finished_ms).collect();
    let counted = calendar::count(&moments, query.from_ms, query.to_ms, &query.zone);
    let of = |step| arrivals.iter().filter(|(_, arrival)| arrival.step == step).count();
    let unseen = arrivals.iter().filter(|(_, arrival)| arrival.first_request_ms.is_none()).count();
    let ended = |list: &[(Name, i64)]| list.iter().filter(|(_, ms)| within(*ms)).count();
    Frequency {
        n: arrivals.len(),
        days: counted.days,
        weeks: counted.weeks,
        redeployments: ended(&linked.redeployments),
        failed: ended(&linked.failed),
        rollbacks: of(Step::Rollback),
        unmapped: of(Step::Unmapped),
        not_live: if linked.observed { unseen } else { 0 },
        open: linked.open.len(),
    }
}

/// The first request that each arrival's changes served: its own, or else that of the next arrival
/// that contains them.
fn first_requests(linked: &Linked) -> Vec<Option<i64>> {
    let mut served = None;
    let mut first: Vec<Option<i64>> = Vec::with_capacity(linked.arrivals.len());
    for arrival in linked.arrivals.iter().rev() {
        if arrival.step != Step::Rollback {
            served = arrival.first_request_ms.or(served);
        }
        first.push(served);
    }
    first.reverse();
    first
}

fn lead_time(served: &[Option<i64>], arrivals: &[(usize, &Arrival)]) -> Vec<LeadTime> {
    type Start = fn(&Change) -> Option<i64>;
    let starts: [(&'static str, Start); 3] = [
        ("commit", |change| Some(change.authored_ms)),
        ("pull_request", |change| change.opened_ms),
        ("merge", |change| change.merged_ms),
    ];
    let mut all = Vec::new();
    for (start, started) in starts {
        for end in ["deployed", "first_request"] {
            let mut samples = Samples::default();
            for (at, arrival) in arrivals {
                let ended = match end {
                    "deployed" => Some(arrival.finished_ms),
                    _ => served[*at],
                };
                arrival.changes.iter().for_each(|change| samples.span_of(started(change), ended));
            }
            all.push(LeadTime { start, end, spread: samples.spread() });
        }
    }
    all
}

fn stages(served: &[Option<i64>], arrivals: &[(usize, &Arrival)]) -> Vec<Stage> {
    let names = ["coding", "pickup", "review", "deploy", "first_request"];
    let mut samples: [Samples; 5] = Default::default();
    for (at, arrival) in arrivals {
        let (deployed, served) = (Some(arrival.finished_ms), served[*at]);
        for change in &arrival.changes {
            let Change { opened_ms, reviewed_ms, merged_ms, .. } = *change;
            let authored = opened_ms.map(|_| change.authored_ms);
            let moments = [authored, opened_ms, reviewed_ms, merged_ms, deployed, served];
            for (samples, pair) in samples.iter_mut().zip(moments.windows(2)) {
                samples.span_of(pair[0], pair[1]);
            }
        }
    }
    let spreads = samples.map(Samples::spread);
    names.into_iter().zip(spreads).map(|(stage, spread)| Stage { stage, spread }).collect()
}

fn failure(arrivals: &[(usize, &Arrival)], query: &Query) -> FailureRate {
    let judged: Vec<_> = arrivals.iter().filter(|(_, arrival)| arrival.is_judged()).collect();
    let confirmed = judged.iter().filter(|(_, arrival)| !arrival.failures.is_empty()).count();
    let told = |by: fn(&Failure) -> bool| {
        judged.iter().filter(|(_, arrival)| arrival.failures.iter().any(by)).count()
    };
    let by_incident = told(|failure| matches!(failure, Failure::Incident(_)));
    // Of a burn that follows an incident, the incident tells.
    let by_either = told(|failure| matches!(failure, Failure::Incident(_) | Failure::Burn(_)));
    let is_pending = |arrival: &Arrival| {
        let ends_ms = arrival.live_ms().saturating_add(query.attribution_ms);
        arrival.failures.is_empty() && ends_ms >= query.now_ms
    };
    let pending = judged.iter().filter(|(_, arrival)| is_pending(arrival)).count();
    FailureRate {
        n: judged.len(),
        confirmed,
        by_incident,
        by_burn: by_either - by_incident,
        pending,
        confirmed_ratio: ratio(confirmed, judged.len()),
        possible_ratio: ratio(confirmed + pending, judged.len()),
    }
}

/// From a deployment's first bad moment to the end of it: of each incident it caused, else of each
/// burn, or of the deployment itself where only a rollback tells.
fn recovery(linked: &Linked, arrivals: &[(usize, &Arrival)]) -> Spread {
    let mut samples = Samples::default();
    for (_, arrival) in arrivals {
        for failure in arrival.tellers() {
            let disruption = match failure {
                Failure::Incident(at) => &linked.incidents[*at],
                Failure::Burn(at) => &linked.burns[*at],
                Failure::Rollback(at) => {
                    samples.span(arrival.live_ms(), linked.arrivals[*at].finished_ms);
                    continue;
                }
            };
            samples.span_of(Some(disruption.started_ms), disruption.resolved_ms);
        }
    }
    samples.spread()
}

fn rework(arrivals: &[(usize, &Arrival)]) -> Rework {
    let repairs = arrivals.iter().filter(|(_, arrival)| arrival.repair.is_some()).count();
    Rework { n: arrivals.len(), repairs, ratio: ratio(repairs, arrivals.len()) }
}

fn incidents(linked: &Linked, query: &Query, within: impl Fn(i64) -> bool) -> Incidents {
    let mut found = Incidents::default();
    let (mut samples, mut down) = (Samples::default(), Vec::new());
    for incident in linked.incidents.iter().filter(|incident| within(incident.started_ms)) {
        found.n += 1;
        found.unattributed += usize::from(incident.cause.is_none());
        match incident.resolved_ms.filter(|ms| *ms <= query.now_ms) {
            Some(resolved_ms) => samples.span(incident.started_ms, resolved_ms),
            None => {
                let age_ms = query.now_ms.saturating_sub(incident.started_ms);
                found.open.push((incident.name.to_string(), age_ms as f64 / 1e3));
            }
        }
        let end_ms = incident.resolved_ms.unwrap_or(query.now_ms).min(query.now_ms);
        down.push((incident.started_ms, end_ms));
    }
    found.duration = samples.spread();
    found.downtime_s = merged_ms(down) as f64 / 1e3;
    found
}

/// The time that intervals cover together.
fn merged_ms(mut intervals: Vec<(i64, i64)>) -> i128 {
    intervals.sort_unstable();
    let (mut covered, mut reached) = (0_i128, i64::MIN);
    for (from, to) in intervals {
        let from = from.max(reached);
        if to > from {
            covered += i128::from(to) - i128::from(from);
            reached = to;
        }
    }
    covered
}

fn gap(arrival: &Arrival) -> Option<GapOf> {
    let reason = match arrival.gap? {
        Gap::Revision => "revision",
        Gap::Previous => "previous",
        Gap::History => "history",
    };
    Some(GapOf { id: arrival.names[0].to_string(), reason })
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
