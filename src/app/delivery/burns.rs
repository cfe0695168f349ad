//! Burns of error budgets as facts, with the counts that show them: what the agent saw itself fails
//! a deployment without anyone having to open an incident.
//!
//! A burn is told when a tier that pages fires, and told again when none does. It began when the
//! last five minutes first burned that fast, seen every few seconds and never before it was so: a
//! version that arrives in between would be cleared of what it did. Of slices longer than that the
//! shortest window counts in which one has always ended.

use std::collections::BTreeMap;

use redora_collector::ledger::{Ledger, LedgerError, Scope};
use redora_model::fact::{Burn, Events, Fact, VersionEvents, What};
use redora_model::identity::Environment;
use redora_model::slo::{BURN_WINDOWS, BurnWindow, Counts, Severity, TIERS, Tier};

use super::store;
use crate::digest::{Books, Digest};
use crate::slo::Standing;

/// Which objectives burn.
#[derive(Clone, Debug, Default)]
pub(super) struct Burns {
    /// By service and name.
    known: BTreeMap<(String, String), Known>,
}

/// What is known of one objective.
#[derive(Clone, Debug, Default)]
struct Known {
    /// When the last five minutes began to burn faster than any page allows.
    since_ms: Option<i64>,
    /// When a bad event was last counted.
    bad_ms: i64,
    /// Bad events at the last look.
    bad: u64,
    /// As it was when it last did not burn.
    calm: Calm,
    /// What was told and is not over.
    open: Option<Fact>,
}

/// Counts to compare with.
#[derive(Clone, Debug, Default)]
struct Calm {
    /// Of the hour before.
    hour: Counts,
    /// Of the process.
    totals: Counts,
    versions: Versions,
}

/// Events of each version of a service since the process started.
type Versions = BTreeMap<String, Counts>;

impl Burns {
    /// Those that an earlier process told of and did not see the end of.
    pub(super) fn of(ledger: &Ledger) -> Result<Self, LedgerError> {
        let mut burns = Self::default();
        ledger.winners("burn", Scope::All, |fact| {
            if let What::Burn(burn @ Burn { ended_ms: None, .. }) = &fact.what
                && fact.source == SOURCE
            {
                let name = (burn.service.to_string(), burn.slo.clone());
                let known = burns.known.entry(name).or_default();
                known.bad_ms = burn.started_ms;
                known.open = Some(fact);
            }
        })?;
        Ok(burns)
    }

    /// Looks at every objective, and stores what begins to burn or does no more; says whether
    /// anything was stored.
    pub(super) fn keep(
        &mut self,
        digest: &Digest,
        ledger: &mut Ledger,
        now_ms: u64,
    ) -> Result<bool, LedgerError> {
        digest.advance(now_ms);
        let before = self.clone();
        let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        let facts = digest.read(|books| self.look(books, now_ms));
        store(ledger, facts).inspect_err(|_| *self = before)
    }

    fn look(&mut self, books: &Books, now_ms: i64) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut gone = std::mem::take(&mut self.known);
        let mut versions = versions(books);
        for standing in books.slo.standings() {
            let objective = &standing.watched.objective;
            let name = (objective.service.to_string(), objective.name.clone());
            let mut known = gone.remove(&name).unwrap_or_default();
            let served = versions.remove(&(objective.service.as_str(), &objective.name));
            facts.extend(known.look(&standing, served.unwrap_or_default(), now_ms));
            self.known.insert(name, known);
        }
        // An objective that nobody keeps any more cannot burn; one that never burned says nothing.
        let open = gone.into_values().filter_map(|mut known| known.close(now_ms));
        facts.extend(open);
        facts
    }
}

impl Known {
    fn look(&mut self, standing: &Standing<'_>, versions: Versions, now_ms: i64) -> Option<Fact> {
        let objective = &standing.watched.objective;
        let (goal, window_s) = (objective.goal, standing.window_s());
        let mut pages = TIERS.iter().filter(|tier| tier.severity == Severity::Page);
        let totals = standing.totals();
        if totals.bad != self.bad {
            (self.bad, self.bad_ms) = (totals.bad, now_ms);
        }
        let least = pages.clone().map(|tier| tier.factor(window_s)).fold(f64::INFINITY, f64::min);
        if standing.last(shortest(standing)).burn_rate(goal) > least {
            self.since_ms.get_or_insert(now_ms);
        } else if self.open.is_none() {
            self.since_ms = None;
            let versions = versions.clone();
            self.calm = Calm { hour: standing.last(HOUR), totals, versions };
        }
        let fires = |tier: &&Tier| {
            let (long, short) = (standing.last(tier.long), standing.last(tier.short));
            tier.fires(goal, window_s, long, short)
        };
        match pages.find(fires).filter(|_| objective.tiers.has(Severity::Page)) {
            Some(tier) if self.open.is_none() => {
                let mut fact = self.begun(standing, tier, now_ms);
                self.count(&mut fact, standing, versions);
                self.open = Some(fact.clone());
                Some(fact)
            }
            Some(_) => None,
            None => {
                let mut fact = self.close(now_ms)?;
                self.count(&mut fact, standing, versions);
                Some(fact)
            }
        }
    }

    fn begun(&self, standing: &Standing<'_>, tier: &Tier, now_ms: i64) -> Fact {
        let objective = &standing.watched.objective;
        let started_ms = self.since_ms.unwrap_or(now_ms);
        let burn = Burn {
            service: objective.service.clone(),
            environment: Environment::new(standing.watched.select.environment()),
            slo: objective.name.clone(),
            tier: tier.long.name.to_owned(),
            started_ms,
            ended_ms: None,
            before: events(self.calm.hour),
            since: Events::default(),
            versions: Vec::new(),
        };
        let id = format!("{}/{}/{started_ms}", burn.service, burn.slo);
        Fact { source: SOURCE.to_owned(), id, as_of_ms: now_ms, what: What::Burn(burn) }
    }

    /// Puts in what was counted since the calm: the events, and of each version whether its own
    /// alone would burn.
    fn count(&self, fact: &mut Fact, standing: &Standing<'_>, versions: Versions) {
        let What::Burn(burn) = &mut fact.what else { return };
        let tier = TIERS.iter().find(|tier| tier.long.name == burn.tier).unwrap_or(&TIERS[0]);
        let (goal, factor) = (standing.watched.objective.goal, tier.factor(standing.window_s()));
        let burns = |counts: Counts| match standing.watched.slices {
            // A slice of its own alone would be bad.
            Some(slices) => !slices.good.is_kept_by(counts),
            None => counts.burn_rate(goal) > factor,
        };
        burn.since = events(less(standing.totals(), self.calm.totals));
        let since = versions.into_iter().map(|(version, counts)| {
            let before = self.calm.versions.get(&version).copied().unwrap_or_default();
            (version, less(counts, before))
        });
        let served = since.filter(|(_, counts)| *counts != Counts::default());
        let judged = served.map(|(version, counts)| VersionEvents {
            version,
            good: counts.good,
            bad: counts.bad,
            burns: burns(counts),
        });
        burn.versions = judged.take(VERSIONS_MAX).collect();
    }

    /// Ends what burned with its last bad event.
    fn close(&mut self, now_ms: i64) -> Option<Fact> {
        let mut fact = self.open.take()?;
        if let What::Burn(burn) = &mut fact.what {
            burn.ended_ms = Some(self.bad_ms.clamp(burn.started_ms, now_ms.max(burn.started_ms)));
        }
        fact.as_of_ms = now_ms;
        Some(fact)
    }
}

/// The window that shows a beginning first.
fn shortest(standing: &Standing<'_>) -> BurnWindow {
    let length_s = standing.watched.slices.map_or(0, |slices| slices.seconds);
    let holds_one = |window: &&BurnWindow| window.seconds >= length_s;
    *BURN_WINDOWS.iter().find(holds_one).expect("no slice is longer than three days")
}

/// Events of every version, by service and objective.
fn versions(books: &Books) -> BTreeMap<(&str, &str), Versions> {
    let mut versions: BTreeMap<_, Versions> = BTreeMap::new();
    for (_, entry) in books.slo.versions().entries(0) {
        let mut labels = entry.labels().skip(1);
        let mut next = || labels.next().unwrap_or_default();
        let (objective, version) = ((next(), next()), next());
        versions.entry(objective).or_default().insert(version.to_owned(), entry.row.counts());
    }
    versions
}

/// What was counted since; a book that began anew has counted all of it since.
fn less(now: Counts, before: Counts) -> Counts {
    let since = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now);
    Counts { good: since(now.good, before.good), bad: since(now.bad, before.bad) }
}

fn events(counts: Counts) -> Events {
    Events { good: counts.good, bad: counts.bad }
}

/// The source of what this agent's objectives say.
const SOURCE: &str = "slo";
const HOUR: BurnWindow = BURN_WINDOWS[2];
/// More versions than run side by side.
const VERSIONS_MAX: usize = 32;

#[cfg(test)]
mod tests;
