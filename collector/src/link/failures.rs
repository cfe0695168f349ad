//! Which arrivals failed: an incident that began soon after one, or a rollback that took it back.

use redora_model::fact::{Claim, Incident, Link, Nature, Turn};

use super::history::{History, Rules};
use super::linked::{Disruption, Failure, Linked, Step};
use super::name::Name;

/// Finds the cause of every disruption, and what every rollback took back.
pub(super) fn attribute(history: &History, rules: &Rules, linked: &mut Linked) {
    let disruptions = history.incidents.iter().filter(|(_, i)| i.nature == Nature::Disruption);
    let mut incidents: Vec<&(Name, Incident)> = disruptions.collect();
    incidents.sort_by(|a, b| (a.1.started_ms, &a.0).cmp(&(b.1.started_ms, &b.0)));
    for (name, incident) in incidents {
        let (cause, rule) = cause(history, rules, linked, name, incident);
        if let Some(cause) = cause {
            let number = linked.incidents.len();
            linked.arrivals[cause].failures.push(Failure::Incident(number));
        }
        let (name, started_ms) = (name.clone(), incident.started_ms);
        let resolved_ms = resolved(&incident.changes);
        linked.incidents.push(Disruption { name, started_ms, resolved_ms, cause, rule });
    }
    for at in 0..linked.arrivals.len() {
        if linked.arrivals[at].step == Step::Rollback
            && let Some(failed) = taken_back(linked, at)
        {
            linked.arrivals[failed].failures.push(Failure::Rollback(at));
        }
    }
}

/// The first arrival after the one that a rollback went back to, which is the one that failed.
fn taken_back(linked: &Linked, rollback: usize) -> Option<usize> {
    let target = &linked.arrivals[rollback];
    let same = |at: &usize| {
        let other = &linked.arrivals[*at];
        match &target.revision {
            Some(_) => other.revision == target.revision,
            None => other.revision.is_none() && other.version == target.version,
        }
    };
    let earlier = (0..rollback).rev().find(same)?;
    (earlier + 1..rollback).find(|at| linked.arrivals[*at].is_judged())
}

/// The arrival that caused an incident, and the rule that says so.
fn cause(
    history: &History,
    rules: &Rules,
    linked: &Linked,
    name: &Name,
    incident: &Incident,
) -> (Option<usize>, &'static str) {
    let is_claim =
        |link: &&Link| link.claim == Claim::CausedBy && name.is_linked("incident", &link.subject);
    let claims = || history.links.iter().filter(is_claim);
    let arrival = |is: &dyn Fn(&Name) -> bool| {
        linked.arrivals.iter().position(|arrival| arrival.names.iter().any(is))
    };
    let arrival_of = |object: &str| arrival(&|name| name.is_linked("deployment", object));
    let said = claims().filter(|link| link.holds).find_map(|link| arrival_of(&link.object));
    if said.is_some() {
        return (said, "manual");
    }
    if let Some(deployment) = &incident.deployment {
        let cause = arrival(&|name| name.is_called(deployment));
        if cause.is_some() {
            return (cause, "named");
        }
    }
    if incident.service.is_none() {
        return (None, "no service");
    }
    let overruled = |at: usize| {
        claims().any(|link| {
            !link.holds && (link.object.is_empty() || arrival_of(&link.object) == Some(at))
        })
    };
    let within = |at: &usize| {
        let arrival = &linked.arrivals[*at];
        let after = incident.started_ms.checked_sub(arrival.live_ms());
        arrival.is_judged()
            && after.is_some_and(|after| (0..=rules.attribution_ms).contains(&after))
            && !overruled(*at)
    };
    let latest = (0..linked.arrivals.len())
        .filter(within)
        .max_by_key(|at| (linked.arrivals[*at].live_ms(), *at));
    (latest, if latest.is_some() { "window" } else { "none in the window" })
}

/// When an incident was over for good: the resolution after which it was not opened again.
fn resolved(changes: &[Turn]) -> Option<i64> {
    let mut changes = changes.to_vec();
    changes.sort();
    let last_open = changes.iter().rposition(|turn| !turn.resolved).map_or(0, |at| at + 1);
    changes.get(last_open).map(|turn| turn.at_ms)
}
