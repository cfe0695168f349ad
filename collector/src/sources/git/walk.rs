//! The commits that are reachable now and were not at the last reading. libgit2's own walk ends at
//! the first missing object; this one notes it and goes on.

use std::collections::{BinaryHeap, HashMap, HashSet};

use git2::{Odb, Oid};

use super::cursor::Fault;
use super::object::RawCommit;

/// What a walk found.
#[derive(Default)]
pub(super) struct Walked {
    /// New commits, roughly the newest first. A few known ones may be among them where committers'
    /// clocks differ; a new one is never left out.
    pub(super) fresh: Vec<Oid>,
    /// Commits that could not be read, with the reason.
    pub(super) faults: Vec<(Oid, Fault)>,
    /// The bound was reached, and older commits were left.
    pub(super) cut: bool,
}

/// Walks from `tips`, without what is reachable from `known`, to the edge of a shallow clone or to
/// `commits_max`.
pub(super) fn fresh(
    odb: &Odb<'_>,
    tips: &[Oid],
    known: &[Oid],
    shallow: &HashSet<Oid>,
    commits_max: usize,
) -> Walked {
    let mut walk = Walk { odb, seen: HashMap::new(), queue: BinaryHeap::new(), waiting: 0 };
    let mut walked = Walked::default();
    let mut oldest = i64::MAX;
    for id in known {
        walk.push(*id, true, &mut walked);
    }
    for id in tips {
        walk.push(*id, false, &mut walked);
    }
    while let Some((time, id, parents)) = walk.queue.pop() {
        if walk.waiting == 0 && time < oldest {
            break;
        }
        let is_known = walk.seen.get(&id) == Some(&Mark::Known);
        if !is_known {
            if walked.fresh.len() == commits_max {
                walked.cut = true;
                break;
            }
            walk.waiting -= 1;
            walk.seen.insert(id, Mark::Fresh);
            walked.fresh.push(id);
            oldest = oldest.min(time);
        }
        if !shallow.contains(&id) {
            for parent in parents {
                walk.push(parent, is_known, &mut walked);
            }
        }
    }
    walked.fresh.retain(|id| walk.seen.get(id) != Some(&Mark::Known));
    walked
}

struct Walk<'a> {
    odb: &'a Odb<'a>,
    seen: HashMap<Oid, Mark>,
    queue: BinaryHeap<(i64, Oid, Vec<Oid>)>,
    /// New commits in the queue.
    waiting: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Waiting,
    Fresh,
    Known,
}

impl Walk<'_> {
    fn push(&mut self, id: Oid, known: bool, walked: &mut Walked) {
        match (self.seen.get(&id), known) {
            (None, _) | (Some(Mark::Fresh), true) => {}
            (Some(Mark::Waiting), true) => {
                self.waiting -= 1;
                self.seen.insert(id, Mark::Known);
                return;
            }
            (Some(Mark::Known), _) | (Some(_), false) => return,
        }
        self.seen.insert(id, if known { Mark::Known } else { Mark::Waiting });
        match RawCommit::read(self.odb, id) {
            Ok(commit) => {
                self.waiting += usize::from(!known);
                self.queue.push((commit.order(), id, commit.parents));
            }
            Err(fault) => {
                if !known {
                    // Not counted as waiting, so it may never be taken for such.
                    self.seen.insert(id, Mark::Known);
                    walked.faults.push((id, fault));
                }
            }
        }
    }
}
