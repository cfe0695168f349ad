//! What stands behind one number: every deployment, change and incident of the window, with the
//! rule that put it in or left it out. The number is computed again from what is told, by another
//! way than the report's, so that the two can be held against each other.

use serde::{Deserialize, Serialize};

use super::spread::Samples;
use super::{Query, first_requests};
use crate::link::{Arrival, Disruption, Failure, Gap, Linked, Name, Step};

/// A number that can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Successful deployments.
    Deployments,
    /// The median of change lead time, from the first commit to the deployment.
    LeadTime,
    /// The confirmed share of failed deployments.
    ChangeFailureRatio,
    /// The median of failed deployment recovery time.
    RecoveryTime,
    /// The share of unplanned repairs.
    ReworkRatio,
}

/// A number with everything behind it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Which number.
    pub metric: Metric,
    /// The number, from what is told: their count, the mean of ones and zeros, or the median of
    /// seconds.
    pub value: Option<f64>,
    /// How many of what is told count.
    pub n: usize,
    /// What counts and what does not, deployments in the order of their arrival.
    pub told: Vec<Told>,
}

/// One thing behind a number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// `deployment`, `change`, `incident` or `burn`.
    pub kind: &'static str,
    /// Its fact's source and id, as a link names it; of a change its commit or pull request.
    pub id: String,
    /// The deployment it belongs to, where it is not that itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// When it began, in milliseconds since the Unix epoch: asked for, authored, broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// When it was over: deployed, resolved, taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<i64>,
    /// When its deployment served the first request that telemetry saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_request_ms: Option<i64>,
    /// What it adds: one or zero, or seconds; absent where it does not count.
    pub value: Option<f64>,
    /// The rule that says so.
    pub rule: &'static str,
}

/// Tells what is behind a number.
#[must_use]
pub fn explain(linked: &Linked, query: &Query, metric: Metric) -> Explanation {
    let within = |ms: i64| (query.from_ms..query.to_ms).contains(&ms) && ms <= query.now_ms;
    let numbered = linked.arrivals.iter().enumerate();
    let arrivals: Vec<(usize, &Arrival)> =
        numbered.filter(|(_, arrival)| within(arrival.finished_ms)).collect();
    let told = match metric {
        Metric::Deployments => deployments(linked, &arrivals, within),
        Metric::LeadTime => {
            let served = first_requests(linked);
            let changes = |(at, arrival): &(usize, &Arrival)| changes(*at, arrival, served[*at]);
            arrivals.iter().flat_map(changes).collect()
        }
        Metric::ChangeFailureRatio => {
            let mut told: Vec<Told> =
                arrivals.iter().flat_map(|(_, arrival)| verdict(linked, arrival, query)).collect();
            let incidents = linked.incidents.iter();
            let alone = incidents.filter(|i| i.cause.is_none() && within(i.started_ms));
            told.extend(alone.map(|incident| Told::incident(incident, None, incident.rule)));
            let burns = linked.burns.iter();
            let alone = burns.filter(|burn| burn.cause.is_none() && within(burn.started_ms));
            told.extend(alone.map(|burn| Told::burn(burn, None, burn.rule)));
            told
        }
        Metric::RecoveryTime => {
            arrivals.iter().flat_map(|(_, arrival)| recoveries(linked, arrival)).collect()
        }
        Metric::ReworkRatio => arrivals.iter().map(|(_, arrival)| repair(arrival)).collect(),
    };
    let values: Vec<f64> = told.iter().filter_map(|told| told.value).collect();
    let value = match metric {
        Metric::Deployments => Some(values.iter().sum()),
        Metric::ChangeFailureRatio | Metric::ReworkRatio => {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        }
        Metric::LeadTime | Metric::RecoveryTime => median(&told),
    };
    Explanation { metric, value, n: values.len(), told }
}

/// The median as reports compute it, in whole milliseconds before it becomes seconds.
fn median(told: &[Told]) -> Option<f64> {
    let mut samples = Samples::default();
    for told in told.iter().filter(|told| told.value.is_some()) {
        samples.span_of(told.from_ms, told.to_ms);
    }
    samples.spread().p50_s
}

impl Told {
    fn arrival(arrival: &Arrival, value: Option<f64>, rule: &'static str) -> Self {
        Self {
            kind: "deployment",
            id: arrival.names[0].to_string(),
            of: None,
            from_ms: Some(arrival.created_ms),
            to_ms: Some(arrival.finished_ms),
            first_request_ms: arrival.first_request_ms,
            value,
            rule,
        }
    }

    /// A deployment that is none of its own, by its end.
    fn beside(name: &Name, to_ms: Option<i64>, rule: &'static str) -> Self {
        let (kind, id) = ("deployment", name.to_string());
        let (of, from_ms, first_request_ms, value) = (None, None, None, None);
        Self { kind, id, of, from_ms, to_ms, first_request_ms, value, rule }
    }

    fn incident(incident: &Disruption, cause: Option<&Arrival>, rule: &'static str) -> Self {
        Self {
            kind: "incident",
            id: incident.name.to_string(),
            of: cause.map(|arrival| arrival.names[0].to_string()),
            from_ms: Some(incident.started_ms),
            to_ms: incident.resolved_ms,
            first_request_ms: None,
            value: None,
            rule,
        }
    }

    fn burn(burn: &Disruption, cause: Option<&Arrival>, rule: &'static str) -> Self {
        Self { kind: "burn", ..Self::incident(burn, cause, rule) }
    }

    /// Counts as its own duration, where that is none below zero.
    fn timed(mut self) -> Self {
        let span = self.from_ms.zip(self.to_ms).map(|(from, to)| to.checked_sub(from));
        match span {
            Some(Some(span @ 0..)) => self.value = Some(span as f64 / 1e3),
            Some(_) => self.rule = "negative span",
            None => {}
        }
        self
    }
}

fn deployments(
    linked: &Linked,
    arrivals: &[(usize, &Arrival)],
    within: impl Fn(i64) -> bool,
) -> Vec<Told> {
    let mut told = Vec::new();
    for (_, arrival) in arrivals {
        let rule = match arrival.step {
            Step::First => "first deployment",
            Step::Forward => "deployment",
            Step::Rollback => "rollback",
            Step::Unmapped => "unmapped",
        };
        told.push(Told::arrival(arrival, Some(1.0), rule));
        for name in &arrival.names[1..] {
            let of = Some(arrival.names[0].to_string());
            told.push(Told { of, ..Told::beside(name, None, "part of another") });
        }
    }
    for (list, rule) in [(&linked.redeployments, "redeployment"), (&linked.failed, "failed")] {
        let ended = list.iter().filter(|(_, at_ms)| within(*at_ms));
        told.extend(ended.map(|(name, at_ms)| Told::beside(name, Some(*at_ms), rule)));
    }
    told.extend(linked.open.iter().map(|name| Told::beside(name, None, "not final")));
    told
}

/// An arrival's changes, which first served at a moment if any did, or why it has none.
fn changes(at: usize, arrival: &Arrival, first_request_ms: Option<i64>) -> Vec<Told> {
    let none = match arrival.gap {
        Some(Gap::Revision) => "gap: its commit is not known",
        Some(Gap::Previous) => "gap: the commit before is not known",
        Some(Gap::History) => "gap: the history is cut off",
        None if at == 0 => "first deployment",
        None if arrival.step == Step::Rollback => "rollback",
        None => "no change",
    };
    if arrival.changes.is_empty() {
        return vec![Told::arrival(arrival, None, none)];
    }
    let told = arrival.changes.iter().map(|change| Told {
        kind: "change",
        id: change.id.clone(),
        of: Some(arrival.names[0].to_string()),
        from_ms: Some(change.authored_ms),
        to_ms: Some(arrival.finished_ms),
        first_request_ms,
        value: None,
        rule: "first arrival",
    });
    told.map(Told::timed).collect()
}

/// Whether an arrival failed, and what tells so.
fn verdict(linked: &Linked, arrival: &Arrival, query: &Query) -> Vec<Told> {
    let ends_ms = arrival.live_ms().saturating_add(query.attribution_ms);
    let (value, rule) = match arrival.failures.is_empty() {
        _ if !arrival.is_judged() => (None, "rollback"),
        false => (Some(1.0), "failed"),
        true if ends_ms >= query.now_ms => (Some(0.0), "pending"),
        true => (Some(0.0), "held"),
    };
    let evidence = arrival.failures.iter().map(|failure| match failure {
        Failure::Incident(at) => {
            let incident = &linked.incidents[*at];
            Told::incident(incident, Some(arrival), incident.rule)
        }
        Failure::Burn(at) => {
            let burn = &linked.burns[*at];
            Told::burn(burn, Some(arrival), burn.rule)
        }
        Failure::Rollback(at) => Told {
            of: Some(arrival.names[0].to_string()),
            ..Told::arrival(&linked.arrivals[*at], None, "took it back")
        },
    });
    std::iter::once(Told::arrival(arrival, value, rule)).chain(evidence).collect()
}

/// From an arrival's failures to the end of each.
fn recoveries(linked: &Linked, arrival: &Arrival) -> Vec<Told> {
    let tells = |failure: &Failure| arrival.tellers().any(|teller| teller == failure);
    let rule = |of: &Disruption| if of.resolved_ms.is_none() { "open" } else { of.rule };
    let told = arrival.failures.iter().map(|failure| {
        let told = match failure {
            Failure::Incident(at) => {
                let incident = &linked.incidents[*at];
                Told::incident(incident, Some(arrival), rule(incident))
            }
            Failure::Burn(at) => {
                let burn = &linked.burns[*at];
                Told::burn(burn, Some(arrival), rule(burn))
            }
            Failure::Rollback(at) => Told {
                of: Some(arrival.names[0].to_string()),
                from_ms: Some(arrival.live_ms()),
                first_request_ms: None,
                ..Told::arrival(&linked.arrivals[*at], None, "took it back")
            },
        };
        if tells(failure) { told.timed() } else { Told { rule: "another tells", ..told } }
    });
    told.collect()
}

fn repair(arrival: &Arrival) -> Told {
    match arrival.repair {
        Some(rule) => Told::arrival(arrival, Some(1.0), rule),
        None => Told::arrival(arrival, Some(0.0), "no repair"),
    }
}
