//! What facts say together: which deployment brought which changes, when they first served, and
//! which incident or rollback tells that one failed. Everything is computed from the facts that
//! hold, in one pass over a place's history, so that late and corrected facts need no repair.
//!
//! The rules are those of `docs/definitions.md`; each has a test of its name.

mod arrivals;
mod changes;
mod failures;
mod graph;
mod history;
mod linked;
mod name;

pub use graph::{Graph, Marks};
pub use history::{History, Rules};
pub use linked::{Arrival, Change, Disruption, Failure, Gap, Linked, Step};
pub use name::Name;

/// Links a place's history.
#[must_use]
pub fn link(history: &History, rules: &Rules) -> Linked {
    link_on(&graph(history), history, rules)
}

/// The graph of a history's commits, the same for every place of these commits.
#[must_use]
pub fn graph(history: &History) -> Graph {
    Graph::new(history.commits.iter().map(|(sha, commit)| (sha, &commit.parents[..])))
}

/// Links a place's history on the graph of its commits.
#[must_use]
pub fn link_on(graph: &Graph, history: &History, rules: &Rules) -> Linked {
    let mut linked = arrivals::sequence(history, rules, graph);
    changes::attribute(history, rules, graph, &mut linked);
    failures::attribute(history, rules, &mut linked);
    linked
}
