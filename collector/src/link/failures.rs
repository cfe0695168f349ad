//! Which arrivals failed: an incident or a burn that began soon after one, or a rollback that took
//! it back.

use redora_model::fact::{Burn, Claim, Incident, Link, Nature, Sighting, VersionEvents};

use super::arrivals::is_of;
use super::history::{History, Rules};
use super::linked::{Arrival, Disruption, Failure, Linked, Step};
use super::name::Name;

/// Finds the cause of every disruption and burn, and what every rollback took back.
pub(super) fn attribute(history: &History, rules: &Rules, linked: &mut Linked) {
    let disruptions = history.incidents.iter().filter(|(_, i)| i.nature == Nature::Disruption);
    let incidents = disruptions.map(|(name, incident)| Case::of_incident(name, incident)).collect();
    linked.incidents = blamed(history, rules, linked, incidents, Failure::Incident);
    let burns = history.burns.iter().map(|(name, burn)| Case::of_burn(name, burn)).collect();
    linked.burns = blamed(history, rules, linked, burns, Failure::Burn);
    for at in 0..linked.arrivals.len() {
        if linked.arrivals[at].step == Step::Rollback
            && let Some(failed) = taken_back(linked, at)
        {
            linked.arrivals[failed].failures.push(Failure::Rollback(at));
        }
    }
}

/// Blames the arrival that caused it for each case, in the order of their beginnings.
fn blamed(
    history: &History,
    rules: &Rules,
    linked: &mut Linked,
    mut cases: Vec<Case<'_>>,
    failure: fn(usize) -> Failure,
) -> Vec<Disruption> {
    cases.sort_by_key(|case| (case.started_ms, case.name));
    let mut blamed = Vec::with_capacity(cases.len());
    for case in cases {
        let (cause, rule) = cause(history, rules, linked, &case);
        if let Some(cause) = cause {
            linked.arrivals[cause].failures.push(failure(blamed.len()));
        }
        let Case { name, started_ms, resolved_ms, .. } = case;
        blamed.push(Disruption { name: name.clone(), started_ms, resolved_ms, cause, rule });
    }
    blamed
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

/// What an arrival may have caused.
struct Case<'a> {
    kind: &'static str,
    name: &'a Name,
    started_ms: i64,
    /// When it was over; `None` while it is open.
    resolved_ms: Option<i64>,
    /// The deployment that someone named.
    deployment: Option<&'a str>,
    /// Whether it says whose it is.
    has_service: bool,
    /// Versions that served while it burned; empty where nobody counted them.
    versions: &'a [VersionEvents],
}

impl<'a> Case<'a> {
    fn of_incident(name: &'a Name, incident: &'a Incident) -> Self {
        Self {
            kind: "incident",
            name,
            started_ms: incident.started_ms,
            resolved_ms: incident.resolved_ms(),
            deployment: incident.deployment.as_deref(),
            has_service: incident.service.is_some(),
            versions: &[],
        }
    }

    fn of_burn(name: &'a Name, burn: &'a Burn) -> Self {
        Self {
            kind: "burn",
            name,
            started_ms: burn.started_ms,
            resolved_ms: burn.ended_ms,
            deployment: None,
            has_service: true,
            versions: &burn.versions,
        }
    }

    /// Whether an arrival's own requests may have been the bad ones. Where versions run side by
    /// side, only one that burns by itself is to blame; where none does, nobody can tell which.
    fn may_be(&self, history: &History, arrival: &Arrival) -> bool {
        let mut burning = self.versions.iter().filter(|version| version.burns).peekable();
        let is_its = |version: &VersionEvents| {
            let seen_so = |seen: &&(Name, Sighting)| {
                seen.1.version == version.version
                    && is_of(&seen.1, arrival.revision.as_ref(), &arrival.version)
            };
            let is_named = !version.version.is_empty() && version.version == arrival.version;
            is_named || history.sightings.iter().any(|seen| seen_so(&seen))
        };
        burning.peek().is_none() || burning.any(is_its)
    }
}

/// The arrival that caused something, and the rule that says so.
fn cause(
    history: &History,
    rules: &Rules,
    linked: &Linked,
    case: &Case<'_>,
) -> (Option<usize>, &'static str) {
    let is_claim = |link: &&Link| {
        link.claim == Claim::CausedBy && case.name.is_linked(case.kind, &link.subject)
    };
    let claims = || history.links.iter().filter(is_claim);
    let arrival = |is: &dyn Fn(&Name) -> bool| {
        linked.arrivals.iter().position(|arrival| arrival.names.iter().any(is))
    };
    let arrival_of = |object: &str| arrival(&|name| name.is_linked("deployment", object));
    let said = claims().filter(|link| link.holds).find_map(|link| arrival_of(&link.object));
    if said.is_some() {
        return (said, "manual");
    }
    if let Some(deployment) = case.deployment {
        let cause = arrival(&|name| name.is_called(deployment));
        if cause.is_some() {
            return (cause, "named");
        }
    }
    if !case.has_service {
        return (None, "no service");
    }
    let overruled = |at: usize| {
        claims().any(|link| {
            !link.holds && (link.object.is_empty() || arrival_of(&link.object) == Some(at))
        })
    };
    let within = |at: &usize| {
        let arrival = &linked.arrivals[*at];
        let after = case.started_ms.checked_sub(arrival.live_ms());
        arrival.is_judged()
            && after.is_some_and(|after| (0..=rules.attribution_ms).contains(&after))
            && case.may_be(history, arrival)
            && !overruled(*at)
    };
    let latest = (0..linked.arrivals.len())
        .filter(within)
        .max_by_key(|at| (linked.arrivals[*at].live_ms(), *at));
    (latest, if latest.is_some() { "window" } else { "none in the window" })
}
