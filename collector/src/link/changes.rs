//! Which changes each arrival brought: what it contains and no arrival before it did. A change that
//! arrives twice, or as another commit of the same patch, arrived the first time.

use std::collections::{HashMap, HashSet};

use redora_model::fact::{Claim, Commit, Link, PullRequest};

use super::graph::{Graph, Marks};
use super::history::{History, Rules};
use super::linked::{Arrival, Change, Gap, Linked, Step};
use super::name::Name;

/// Gives every arrival its changes, or the reason why they are not known, and says which arrivals
/// are repairs.
pub(super) fn attribute(history: &History, rules: &Rules, graph: &Graph, linked: &mut Linked) {
    let pulls = Pulls::new(history, graph);
    let mut deployed = Marks::new(graph.len());
    let mut patches = HashSet::new();
    let mut previous_known = true;
    for at in 0..linked.arrivals.len() {
        let arrival = &mut linked.arrivals[at];
        let number = arrival.revision.as_ref().and_then(|revision| graph.number(revision));
        let mut fresh = Vec::new();
        let whole =
            number.is_none_or(|n| graph.mark(n, &mut deployed, |commit| fresh.push(commit)));
        arrival.gap = match number {
            None => Some(Gap::Revision),
            Some(_) if at == 0 => None,
            Some(_) if !previous_known => Some(Gap::Previous),
            Some(_) if !whole => Some(Gap::History),
            Some(_) => None,
        };
        previous_known = number.is_some();
        fresh.sort_unstable();
        let of = |number: &u32| &history.commits[*number as usize].1;
        // What came across a gap is deployed from here on, but nobody knows since when.
        fresh.retain(|number| of(number).patch.as_ref().is_none_or(|p| patches.insert(p.clone())));
        if at == 0 || arrival.gap.is_some() {
            fresh.clear();
        }
        let (changes, members) = pulls.changes(history, &fresh);
        arrival.repair = repair(history, rules, arrival, &fresh, &members);
        arrival.changes = changes;
    }
}

/// Which pull request a commit of the history belongs to.
struct Pulls<'a> {
    /// By commit: the pull request, and whether the commit stands for all of it.
    of: HashMap<u32, (&'a PullRequest, &'a Name, bool)>,
}

impl<'a> Pulls<'a> {
    fn new(history: &'a History, graph: &Graph) -> Self {
        let mut of = HashMap::new();
        for (name, pull) in &history.pull_requests {
            for commit in pull.commits.iter().filter_map(|sha| graph.number(sha)) {
                of.insert(commit, (pull, name, false));
            }
            let merge = pull.merge.as_ref().and_then(|sha| graph.number(sha));
            for commit in merge.into_iter().flat_map(|merge| squashed(history, graph, pull, merge))
            {
                of.entry(commit).or_insert((pull, name, true));
            }
        }
        Self { of }
    }

    /// The changes that these commits are, and the pull requests they belong to.
    fn changes(
        &self,
        history: &History,
        commits: &[u32],
    ) -> (Vec<Change>, Vec<(&'a Name, &'a PullRequest)>) {
        let mut changes: Vec<Change> = Vec::new();
        let mut places = HashMap::new();
        let mut members = Vec::new();
        for number in commits {
            let (sha, commit) = &history.commits[*number as usize];
            let pull = self.of.get(number);
            members.extend(pull.map(|(pull, name, _)| (*name, *pull)));
            if commit.parents.len() > 1 || !touches(commit, &history.service) {
                continue;
            }
            match pull {
                Some((pull, name, true)) => match places.get(name) {
                    Some(place) => {
                        let change: &mut Change = &mut changes[*place];
                        change.committed_ms = change.committed_ms.max(commit.committed_ms);
                    }
                    None => {
                        places.insert(*name, changes.len());
                        let id = format!("{}#{}", pull.repository, name.id);
                        changes.push(change(id, commit, Some(pull), true));
                    }
                },
                Some((pull, _, false)) => {
                    changes.push(change(sha.to_string(), commit, Some(pull), false));
                }
                None => changes.push(change(sha.to_string(), commit, None, false)),
            }
        }
        (changes, members)
    }
}

/// Whether a commit changes the service: any does where a repository holds one service.
fn touches(commit: &Commit, service: &str) -> bool {
    let mut services = commit.services.iter().flatten();
    commit.services.is_none() || services.any(|touched| touched.as_str() == service)
}

fn change(id: String, commit: &Commit, pull: Option<&PullRequest>, whole: bool) -> Change {
    let first = pull.filter(|_| whole).and_then(|pull| pull.first_authored_ms);
    Change {
        id,
        authored_ms: first.unwrap_or(commit.authored_ms),
        committed_ms: commit.committed_ms,
        opened_ms: pull.map(|pull| pull.created_ms),
        reviewed_ms: pull.and_then(|pull| pull.first_review_ms),
        approved_ms: pull.and_then(|pull| pull.approved_ms),
        merged_ms: pull.and_then(|pull| pull.merged_ms),
    }
}

/// The commits that a squash or a rebase made of a pull request: the last alone, or as many as it
/// had, when the first of them still has the time at which it was authored.
fn squashed(history: &History, graph: &Graph, pull: &PullRequest, merge: u32) -> Vec<u32> {
    let of = |number: u32| &history.commits[number as usize].1;
    if of(merge).parents.len() > 1 {
        return Vec::new();
    }
    let mut chain = vec![merge];
    while chain.len() < pull.commits.len() {
        let last = chain[chain.len() - 1];
        match graph.parents(last) {
            [parent] if (*parent as usize) < history.commits.len() => chain.push(*parent),
            _ => break,
        }
    }
    let first = of(chain[chain.len() - 1]);
    let is_rebase = chain.len() == pull.commits.len()
        && pull.first_authored_ms == Some(first.authored_ms)
        && chain.iter().all(|number| of(*number).parents.len() <= 1);
    if is_rebase { chain } else { vec![merge] }
}

/// The rule by which an arrival is an unplanned repair; what a person says stands before all rules.
fn repair(
    history: &History,
    rules: &Rules,
    arrival: &Arrival,
    commits: &[u32],
    pulls: &[(&Name, &PullRequest)],
) -> Option<&'static str> {
    let said = |kind: &str, name: &Name| {
        let about =
            |link: &&Link| link.claim == Claim::Repair && name.is_linked(kind, &link.subject);
        history.links.iter().rev().find(about).map(|link| link.holds)
    };
    let said_of_pull = |name: &Name| said("pull_request", name);
    match arrival.names.iter().find_map(|name| said("deployment", name)) {
        Some(true) => return Some("manual"),
        Some(false) => return None,
        None => {}
    }
    let is_revert = |number: &u32| !history.commits[*number as usize].1.reverts.is_empty();
    if arrival.step == Step::Rollback {
        Some("rollback")
    } else if pulls.iter().any(|(name, _)| said_of_pull(name) == Some(true)) {
        Some("manual")
    } else if pulls
        .iter()
        .any(|(name, pull)| pull.reverts.is_some() && said_of_pull(name).is_none())
        || commits.iter().any(is_revert)
    {
        Some("revert")
    } else if pulls
        .iter()
        .any(|(name, pull)| said_of_pull(name).is_none() && names_repair(pull, &rules.repair_words))
    {
        Some("hotfix")
    } else {
        None
    }
}

/// Whether a title, a branch or a label has one of the words, however it is spelt.
fn names_repair(pull: &PullRequest, words: &[String]) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let texts = [&pull.title, &pull.branch].into_iter().chain(&pull.labels);
    let mut texts = texts.map(|text| plain(text));
    texts.any(|text| {
        let mut parts = text.split(|c: char| !c.is_alphanumeric());
        parts.any(|part| words.iter().any(|word| plain(word) == part))
    })
}
