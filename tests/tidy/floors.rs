//! Rooms on floors: who may import whom, and that no modules import each other in a circle. The
//! compiler allows both, and a room that is imported from below can no longer be read alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::resolve::Index;
use crate::tree::{Place, Tree};
use crate::{Fault, Floor, Law};

/// Where the roots of the two libraries stand: the agent's only declares rooms and is imported by
/// none of them, the collector's is what the agent's wiring sees of the collector.
const ROOTS: [(&str, &str); 2] = [("lib", "door"), ("collector/lib", "rounds")];

/// The height of a room in half floors; `None` for a room that no floor lists.
fn height(floors: &[Floor], room: &str) -> Option<usize> {
    let level = |test: &dyn Fn(&Floor) -> bool| {
        floors.iter().rev().position(test).map(|position| position * 2)
    };
    match ROOTS.iter().find(|(root, _)| *root == room) {
        Some((_, floor)) => level(&|f| f.name == *floor).map(|height| height + 1),
        None => level(&|f| f.rooms.contains(&room)),
    }
}

/// The floors as the table that `ARCHITECTURE.md` shows.
pub(crate) fn as_markdown(floors: &[Floor]) -> String {
    let mut table = "| floor | agent | collector |\n".to_owned();
    table.push_str("| --- | --- | --- |\n");
    for floor in floors {
        let (collector, agent): (Vec<&str>, Vec<&str>) =
            floor.rooms.iter().partition(|room| room.starts_with("collector/"));
        let cell = |rooms: &[&str]| {
            let names = rooms.iter().map(|r| format!("`{}`", r.trim_start_matches("collector/")));
            names.collect::<Vec<_>>().join(", ")
        };
        let (agent, collector) = (cell(&agent), cell(&collector));
        table.push_str(&format!("| {} {} | {agent} | {collector} |\n", floor.level, floor.name));
    }
    table
}

/// Rooms that no floor lists, imports that point up or aside, and circles.
pub(crate) fn check(tree: &Tree, law: &Law, faults: &mut Vec<Fault>) {
    unknown_rooms(tree, law, faults);
    let index = Index::new(tree);
    let mut files: Graph<usize> = BTreeMap::new();
    let mut rooms: Graph<String> = BTreeMap::new();
    for (from, file, place, scan) in tree.sources().filter(|(_, file, _, _)| !file.test_only) {
        for mention in scan.mentions.iter().filter(|m| !m.test) {
            let meaning = index.meaning(place, mention);
            let Some(to) = index.file(&meaning).filter(|to| *to != from) else { continue };
            let crate::tree::Area::Source(target) = &tree.files[to].area else { continue };
            if index.is_by_reexport(place, mention) || meaning.is_root_of(place) {
                continue;
            }
            files.entry(from).or_default().entry(to).or_insert((from, mention.line));
            let (upper, lower) = (place.room(), target.room());
            if upper == lower {
                continue;
            }
            let edge = rooms.entry(upper.clone()).or_default().entry(lower.clone());
            edge.or_insert((from, mention.line));
            if let Some(text) = objection(law, &upper, &lower) {
                faults.push(Fault::new(&file.path, mention.line, text));
            }
        }
    }
    stale_neighbours(tree, law, &rooms, faults);
    circles(tree, &files, &rooms, faults);
}

/// Edges with the file and line of the first import behind each.
type Graph<T> = BTreeMap<T, BTreeMap<T, (usize, usize)>>;

fn unknown_rooms(tree: &Tree, law: &Law, faults: &mut Vec<Fault>) {
    let mut known = BTreeSet::new();
    for (_, file, place, _) in tree.sources() {
        let room = place.room();
        if height(law.floors, &room).is_none() && known.insert(room.clone()) {
            let text = format!("room `{room}` stands on no floor of tests/tidy.rs");
            faults.push(Fault::new(&file.path, 1, text));
        }
    }
}

fn objection(law: &Law, from: &str, to: &str) -> Option<String> {
    let (here, there) = (height(law.floors, from)?, height(law.floors, to)?);
    if there > here {
        return Some(format!("upward import: `{from}` imports `{to}`"));
    }
    let listed = law.neighbours.iter().any(|n| n.from == from && n.to == to);
    (there == here && !listed).then(|| format!("same-floor import: `{from}` imports `{to}`"))
}

fn stale_neighbours(tree: &Tree, law: &Law, rooms: &Graph<String>, faults: &mut Vec<Fault>) {
    let present: BTreeSet<String> = tree.sources().map(|(_, _, place, _)| place.room()).collect();
    for pair in law.neighbours {
        let both = present.contains(pair.from) && present.contains(pair.to);
        let used = rooms.get(pair.from).is_some_and(|to| to.contains_key(pair.to));
        if both && !used {
            let text = format!("`{}` no longer imports `{}`: unlist it", pair.from, pair.to);
            faults.push(Fault::new("tests/tidy.rs", 0, text));
        }
    }
}

fn circles(tree: &Tree, files: &Graph<usize>, rooms: &Graph<String>, faults: &mut Vec<Fault>) {
    let mut told: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for circle in shortest_circles(files) {
        let (at, line) = files[&circle[0]][&circle[1]];
        let place = |file: &usize| match &tree.files[*file].area {
            crate::tree::Area::Source(place) => Place::room(place),
            _ => String::new(),
        };
        told.insert(circle.iter().map(place).collect());
        let names: Vec<&str> = circle.iter().map(|file| tree.files[*file].path.as_str()).collect();
        let text = format!("module cycle: {}", names.join(" -> "));
        faults.push(Fault::new(&tree.files[at].path, line, text));
    }
    for circle in shortest_circles(rooms) {
        if told.insert(circle.iter().cloned().collect()) {
            let (at, line) = rooms[&circle[0]][&circle[1]];
            let text = format!("room cycle: {}", circle.join(" -> "));
            faults.push(Fault::new(&tree.files[at].path, line, text));
        }
    }
}

/// For each knot of nodes that reach each other, the shortest way round from its first node that
/// lies on one, with that node at both ends.
fn shortest_circles<T: Clone + Ord>(graph: &Graph<T>) -> Vec<Vec<T>> {
    let mut circles = Vec::new();
    let mut seen: BTreeSet<T> = BTreeSet::new();
    for start in graph.keys() {
        if seen.contains(start) {
            continue;
        }
        let mut before: BTreeMap<T, T> = BTreeMap::new();
        let mut queue = VecDeque::from([start.clone()]);
        while let Some(node) = queue.pop_front() {
            for next in graph.get(&node).into_iter().flat_map(BTreeMap::keys) {
                if !before.contains_key(next) {
                    before.insert(next.clone(), node.clone());
                    queue.push_back(next.clone());
                }
            }
        }
        if before.contains_key(start) {
            let mut circle = vec![start.clone()];
            let mut node = before[start].clone();
            while node != *start {
                circle.push(node.clone());
                node = before[&node].clone();
            }
            circle.push(start.clone());
            circle.reverse();
            seen.extend(before.into_keys().filter(|node| reaches(graph, node, start)));
            circles.push(circle);
        }
    }
    circles
}

fn reaches<T: Clone + Ord>(graph: &Graph<T>, from: &T, to: &T) -> bool {
    let mut seen = BTreeSet::new();
    let mut stack = vec![from];
    while let Some(node) = stack.pop() {
        if node == to {
            return true;
        }
        if seen.insert(node) {
            stack.extend(graph.get(node).into_iter().flat_map(BTreeMap::keys));
        }
    }
    false
}
