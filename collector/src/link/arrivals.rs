//! Deployments in the order in which they arrived, several attempts, jobs and regions as one, each
//! told apart by what was there before it.

use std::collections::HashMap;

use redora_model::fact::{Deployment, Sighting, State};
use redora_model::identity::Revision;

use super::graph::Graph;
use super::history::{History, Rules};
use super::linked::{Arrival, Linked, Step};
use super::name::Name;

/// What arrived, and what came to another end.
pub(super) fn sequence(history: &History, rules: &Rules, graph: &Graph) -> Linked {
    let mut linked = Linked { observed: !history.sightings.is_empty(), ..Linked::default() };
    let mut events = successes(history, &mut linked);
    events.extend(unmapped(history));
    // Same times are told apart by the name, so that the order of facts decides nothing.
    events.sort_by(|a, b| (a.at_ms, a.name).cmp(&(b.at_ms, b.name)));
    let mut line = Line { graph, rules, seen: HashMap::new(), open: HashMap::new() };
    for event in events {
        line.take(event, &mut linked);
    }
    for arrival in &mut linked.arrivals {
        if arrival.step != Step::Unmapped {
            let (revision, version) = (arrival.revision.as_ref(), &arrival.version);
            let same = |(_, seen): &&(Name, Sighting)| is_of(seen, revision, version);
            let first = history.sightings.iter().filter(same).map(|(_, seen)| seen.first_ms).min();
            arrival.first_request_ms = first;
        }
    }
    linked
}

/// A success, or a version that was seen without one.
struct Event<'a> {
    name: &'a Name,
    at_ms: i64,
    created_ms: i64,
    revision: Option<&'a Revision>,
    version: &'a str,
    region: &'a str,
    unmapped: bool,
}

/// What identifies the thing deployed: its commit, or its version where no commit is known.
type Thing<'a> = (Option<&'a Revision>, &'a str);

impl<'a> Event<'a> {
    fn thing(&self) -> Thing<'a> {
        (self.revision, if self.revision.is_some() { "" } else { self.version })
    }
}

/// The first success of every deployment; the others are noted by their ends.
fn successes<'a>(history: &'a History, linked: &mut Linked) -> Vec<Event<'a>> {
    let mut events = Vec::new();
    for (name, deployment) in &history.deployments {
        if let Some(at_ms) = first(deployment, |state| state == State::Success) {
            let Deployment { created_ms, version, region, .. } = deployment;
            let (revision, unmapped) = (deployment.revision.as_ref(), false);
            let created_ms = *created_ms;
            events.push(Event { name, at_ms, created_ms, revision, version, region, unmapped });
        } else if let Some(at_ms) = first(deployment, |state| state.is_final()) {
            let bad = |state| matches!(state, State::Failure | State::Error);
            if first(deployment, bad).is_some() {
                linked.failed.push((name.clone(), at_ms));
            }
        } else {
            linked.open.push(name.clone());
        }
    }
    linked.failed.sort();
    linked.open.sort();
    events
}

fn first(deployment: &Deployment, is: impl Fn(State) -> bool) -> Option<i64> {
    deployment.statuses.iter().filter(|status| is(status.state)).map(|status| status.at_ms).min()
}

/// Versions that telemetry saw and no deployment explains, the first sighting of each.
fn unmapped(history: &History) -> impl Iterator<Item = Event<'_>> {
    let known = |seen: &Sighting| {
        let mut deployments = history.deployments.iter();
        deployments.any(|(_, d)| is_of(seen, d.revision.as_ref(), &d.version))
    };
    history.sightings.iter().filter(move |(_, seen)| !known(seen)).map(|(name, seen)| Event {
        name,
        at_ms: seen.first_ms,
        created_ms: seen.first_ms,
        revision: seen.revision.as_ref(),
        version: &seen.version,
        region: "",
        unmapped: true,
    })
}

/// Whether a sighting is of this revision, which either side may have abbreviated, or else of this
/// version.
pub(super) fn is_of(seen: &Sighting, revision: Option<&Revision>, version: &str) -> bool {
    match (&seen.revision, revision) {
        (Some(seen), Some(revision)) => {
            let (seen, revision) = (seen.as_str(), revision.as_str());
            let shorter = seen.len().min(revision.len());
            shorter >= ABBREVIATED_MIN && seen.get(..shorter) == revision.get(..shorter)
        }
        _ => !version.is_empty() && seen.version == version,
    }
}

/// The line of arrivals so far.
struct Line<'a> {
    graph: &'a Graph,
    rules: &'a Rules,
    /// The last arrival of each thing.
    seen: HashMap<Thing<'a>, usize>,
    /// Regions in which a thing has succeeded that has not arrived everywhere yet.
    open: HashMap<Thing<'a>, Vec<Event<'a>>>,
}

impl<'a> Line<'a> {
    fn take(&mut self, event: Event<'a>, linked: &mut Linked) {
        let thing = event.thing();
        let nameless = thing == (None, "");
        let last = linked.arrivals.len().checked_sub(1);
        if let Some(last) = last.filter(|last| !nameless && self.seen.get(&thing) == Some(last)) {
            let arrival = &mut linked.arrivals[last];
            // Asked for while the first attempt was under way, it is a part of it.
            if event.created_ms <= arrival.finished_ms {
                arrival.names.push(event.name.clone());
            } else {
                linked.redeployments.push((event.name.clone(), event.at_ms));
            }
            return;
        }
        let parts = self.open.entry(thing).or_default();
        parts.push(event);
        let arrived = |region: &String| parts.iter().any(|part| part.region == region);
        if !self.rules.regions.iter().all(arrived) {
            return;
        }
        let parts = self.open.remove(&thing).unwrap_or_default();
        let step = self.step(thing, parts.iter().all(|part| part.unmapped), linked);
        if !nameless {
            self.seen.insert(thing, linked.arrivals.len());
        }
        linked.arrivals.push(arrival(&parts, step));
    }

    fn step(&self, thing: Thing<'a>, unmapped: bool, linked: &Linked) -> Step {
        let Some(current) = linked.arrivals.last() else {
            return if unmapped { Step::Unmapped } else { Step::First };
        };
        if self.seen.contains_key(&thing) && !self.is_ahead(thing, current) {
            Step::Rollback
        } else if unmapped {
            Step::Unmapped
        } else {
            Step::Forward
        }
    }

    /// Whether a thing that was there before contains what is there now: it was rolled back and is
    /// rolled forward again.
    fn is_ahead(&self, thing: Thing<'a>, current: &Arrival) -> bool {
        let number = |revision: Option<&Revision>| revision.and_then(|r| self.graph.number(r));
        match (number(thing.0), number(current.revision.as_ref())) {
            (Some(next), Some(current)) => self.graph.contains(next, current),
            _ => false,
        }
    }
}

fn arrival(parts: &[Event<'_>], step: Step) -> Arrival {
    let last = parts.last().expect("an arrival has an event");
    let is_unmapped = step == Step::Unmapped;
    Arrival {
        names: parts.iter().map(|part| part.name.clone()).collect(),
        revision: last.revision.cloned(),
        version: last.version.to_owned(),
        created_ms: parts.iter().map(|part| part.created_ms).min().unwrap_or(last.created_ms),
        finished_ms: last.at_ms,
        first_request_ms: is_unmapped.then_some(last.at_ms),
        step,
        changes: Vec::new(),
        gap: None,
        repair: None,
        failures: Vec::new(),
    }
}

/// Git abbreviates to seven digits at least.
const ABBREVIATED_MIN: usize = 7;
