//! A repository's history as numbers: which commits a revision contains is asked for every
//! deployment, and names would make of a million commits a gigabyte.

use std::collections::HashMap;

use redora_model::identity::Revision;

/// Commits by number, each with its parents.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    numbers: HashMap<Revision, u32>,
    revisions: Vec<Revision>,
    /// Where each commit's parents begin in `parents`; one more at the end.
    starts: Vec<u32>,
    parents: Vec<u32>,
}

impl Graph {
    /// The graph of these commits, each with its parents. A parent that is no commit of its own is
    /// `UNKNOWN`: the history is cut off there.
    #[must_use]
    pub fn new<'a>(commits: impl Iterator<Item = (&'a Revision, &'a [Revision])> + Clone) -> Self {
        let mut graph = Self::default();
        for (revision, _) in commits.clone() {
            let number = graph.revisions.len() as u32;
            if graph.numbers.insert(revision.clone(), number).is_none() {
                graph.revisions.push(revision.clone());
            }
        }
        graph.starts.push(0);
        for (_, parents) in commits.take(graph.revisions.len()) {
            let numbers = parents.iter().map(|parent| graph.numbers.get(parent).copied());
            graph.parents.extend(numbers.map(|number| number.unwrap_or(UNKNOWN)));
            graph.starts.push(graph.parents.len() as u32);
        }
        graph
    }

    /// How many commits there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.revisions.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.revisions.is_empty()
    }

    /// The number of a commit.
    #[must_use]
    pub fn number(&self, revision: &Revision) -> Option<u32> {
        self.numbers.get(revision).copied()
    }

    /// The parents of a commit, in their order.
    #[must_use]
    pub fn parents(&self, number: u32) -> &[u32] {
        let at = number as usize;
        &self.parents[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// Whether a commit is another's ancestor, or the same.
    #[must_use]
    pub fn contains(&self, descendant: u32, ancestor: u32) -> bool {
        let mut seen = Marks::new(self.len());
        self.mark(descendant, &mut seen, |_| {});
        seen.has(ancestor)
    }

    /// Marks what a revision contains and was not marked, handing each commit to `on_commit`.
    /// Gives whether the history was whole: no parent is unknown.
    pub fn mark(&self, from: u32, marks: &mut Marks, mut on_commit: impl FnMut(u32)) -> bool {
        let mut whole = true;
        let mut open = vec![from];
        while let Some(number) = open.pop() {
            if number == UNKNOWN {
                whole = false;
            } else if marks.set(number) {
                on_commit(number);
                open.extend_from_slice(self.parents(number));
            }
        }
        whole
    }
}

/// A set of commits, a bit each.
#[derive(Clone, Debug)]
pub struct Marks(Vec<u64>);

impl Marks {
    /// None of so many commits.
    #[must_use]
    pub fn new(commits: usize) -> Self {
        Self(vec![0; commits.div_ceil(64)])
    }

    /// Whether a commit is marked.
    #[must_use]
    pub fn has(&self, number: u32) -> bool {
        self.0[number as usize / 64] & (1 << (number % 64)) != 0
    }

    /// Marks a commit; gives whether it was not marked before.
    pub fn set(&mut self, number: u32) -> bool {
        let fresh = !self.has(number);
        self.0[number as usize / 64] |= 1 << (number % 64);
        fresh
    }
}

/// The number of a parent that nobody knows.
pub(super) const UNKNOWN: u32 = u32::MAX;
