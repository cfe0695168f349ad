//! Deployments as DevLake keeps them: each has a commit and one result, each follows the last
//! successful one of its repository, and each brings the commits that this one did not contain.
//! Here nothing is a rollback, an attempt or a region of something else, as it is for `link`.

use std::collections::{BTreeMap, HashMap, HashSet};

use redora_model::fact::{Deployment, State};
use redora_model::identity::Revision;
use serde::Serialize;

use crate::link::{Graph, History, Marks, Name};

/// A successful deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployed {
    /// Its fact's source and id.
    pub id: String,
    /// When it was asked for.
    pub started_ms: i64,
    /// When it was over: its last success.
    pub finished_ms: i64,
    /// The successful one before it, of the same repository.
    pub previous: Option<String>,
    /// How many commits it contains that the one before did not; of a first one, all.
    pub commits: usize,
    /// The incidents that are put down to it, by id.
    pub incidents: Vec<String>,
}

/// The successful deployments of a place, and what they brought.
pub(super) struct Chain<'a> {
    /// By repository, then in the order of their finish.
    pub(super) deployed: Vec<Deployed>,
    /// Which of them brought the merge of a pull request first.
    pub(super) brought: HashMap<&'a Revision, usize>,
    /// The finishes of successful ones without a commit.
    pub(super) without_commit_ms: Vec<i64>,
}

/// Puts the successful deployments in their order.
pub(super) fn chain(history: &History) -> Chain<'_> {
    let mut without_commit_ms = Vec::new();
    let mut rows: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    for (name, deployment) in &history.deployments {
        let Some(finished_ms) = success(deployment) else { continue };
        let Some(revision) = &deployment.revision else {
            without_commit_ms.push(finished_ms);
            continue;
        };
        let started_ms = deployment.created_ms;
        let row = Row { finished_ms, name, started_ms, revision };
        rows.entry(deployment.repository.as_str()).or_default().push(row);
    }
    for rows in rows.values_mut() {
        // DevLake leaves the order of equal times to its database.
        rows.sort_unstable();
    }
    let graph = graph(history, rows.values().flatten().map(|row| row.revision));
    let merges = history.pull_requests.iter().filter(|(_, pull)| pull.merged_ms.is_some());
    let merges: HashSet<&Revision> = merges.filter_map(|(_, pull)| pull.merge.as_ref()).collect();
    let wanted: HashMap<u32, &Revision> =
        merges.into_iter().filter_map(|merge| Some((graph.number(merge)?, merge))).collect();
    let mut chain = Chain { deployed: Vec::new(), brought: HashMap::new(), without_commit_ms };
    for rows in rows.into_values() {
        chain.extend(&graph, &wanted, &rows);
    }
    chain
}

impl<'a> Chain<'a> {
    /// Adds the deployments of one repository.
    fn extend(&mut self, graph: &Graph, wanted: &HashMap<u32, &'a Revision>, rows: &[Row<'_>]) {
        // What the deployment before contains.
        let mut contained = Marks::new(graph.len());
        let mut before: Option<(u32, &Name)> = None;
        for row in rows {
            let number = graph.number(row.revision).expect("the graph has every deployed commit");
            let at = self.deployed.len();
            let mut commits = 0;
            let is_ahead = walk(graph, number, &mut contained, before, |commit| {
                commits += 1;
                if let Some(merge) = wanted.get(&commit).filter(|_| before.is_some()) {
                    self.bring(merge, at, row);
                }
            });
            if !is_ahead {
                contained = Marks::new(graph.len());
                walk(graph, number, &mut contained, None, |_| {});
            }
            self.deployed.push(Deployed {
                id: row.name.to_string(),
                started_ms: row.started_ms,
                finished_ms: row.finished_ms,
                previous: before.map(|(_, name)| name.to_string()),
                commits,
                incidents: Vec::new(),
            });
            before = Some((number, row.name));
        }
    }

    /// Notes which deployment brought a merge: of several the one that was asked for first.
    fn bring(&mut self, merge: &'a Revision, at: usize, row: &Row<'_>) {
        let known = self.brought.get(merge).map(|at| &self.deployed[*at]);
        let is_first = known.is_none_or(|known| {
            (row.started_ms, &row.name.to_string()) < (known.started_ms, &known.id)
        });
        if is_first {
            self.brought.insert(merge, at);
        }
    }
}

/// A successful deployment of a commit, in the order of the finish and then of whatever tells two
/// apart.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row<'a> {
    finished_ms: i64,
    name: &'a Name,
    started_ms: i64,
    revision: &'a Revision,
}

/// When a deployment succeeded: its last state says whether, its last success says when. One that
/// was replaced counts as a success, even when no success was seen.
fn success(deployment: &Deployment) -> Option<i64> {
    let last = deployment.statuses.iter().max()?;
    if !matches!(last.state, State::Success | State::Inactive) {
        return None;
    }
    let of = |wanted: fn(State) -> bool| {
        let statuses = deployment.statuses.iter().filter(move |status| wanted(status.state));
        statuses.map(|status| status.at_ms).max()
    };
    of(|state| state == State::Success).or_else(|| of(State::is_final))
}

/// The graph of all commits that are named anywhere, since DevLake knows a commit that is only a
/// parent or only deployed, too.
fn graph<'a>(history: &'a History, deployed: impl Iterator<Item = &'a Revision>) -> Graph {
    let mut commits: HashMap<&Revision, &[Revision]> = HashMap::new();
    for (sha, commit) in &history.commits {
        commits.entry(sha).or_insert(&commit.parents);
    }
    let parents = history.commits.iter().flat_map(|(_, commit)| &commit.parents);
    for sha in parents.chain(deployed) {
        commits.entry(sha).or_insert(&[]);
    }
    Graph::new(commits.iter().map(|(sha, parents)| (*sha, *parents)))
}

/// Marks what a commit contains and was not marked, handing each to `on_commit`; gives whether
/// everything that was marked before is contained, which holds when the commit `before` is.
fn walk(
    graph: &Graph,
    from: u32,
    marks: &mut Marks,
    before: Option<(u32, &Name)>,
    mut on_commit: impl FnMut(u32),
) -> bool {
    let before = before.map(|(number, _)| number);
    let mut is_ahead = before.is_none();
    let mut open = vec![from];
    while let Some(number) = open.pop() {
        // Whatever leads to `before` meets it first of all that is marked: it is the last of them.
        is_ahead |= before == Some(number);
        if marks.set(number) {
            on_commit(number);
            open.extend_from_slice(graph.parents(number));
        }
    }
    is_ahead
}
