//! One home per foreign package, so that replacing one touches one room, and rooms that provably do
//! no I/O and ask nobody the time, so that they can be fuzzed, benched and believed alone.

use crate::resolve::{Index, Meaning};
use crate::tree::Tree;
use crate::{Fault, Law};

/// Foreign packages outside their homes, and banned paths in pure rooms; test code is free.
pub(crate) fn check(tree: &Tree, law: &Law, faults: &mut Vec<Fault>) {
    let index = Index::new(tree);
    for (_, file, place, scan) in tree.sources().filter(|(_, file, _, _)| !file.test_only) {
        let is_pure = law.pure.iter().any(|room| is_below(&file.path, room));
        for mention in scan.mentions.iter().filter(|m| !m.test) {
            let Meaning::Foreign(path) = index.meaning(place, mention) else { continue };
            let homes = law.homes.iter().filter(|home| is_package(home.package, &path[0]));
            for home in homes {
                let dirs = || home.rooms.iter().map(|(dir, _)| *dir);
                if !dirs().any(|dir| is_below(&file.path, dir)) {
                    let dirs = dirs().collect::<Vec<_>>().join(", ");
                    let text = format!("`{}` outside its home ({dirs})", path[0]);
                    faults.push(Fault::new(&file.path, mention.line, text));
                }
            }
            if is_pure && let Some(ban) = law.impure.iter().find(|ban| touches(&path, ban)) {
                let text = format!("`{ban}` in a room that does no I/O and asks nobody the time");
                faults.push(Fault::new(&file.path, mention.line, text));
            }
        }
    }
}

/// A crate's name in paths against a package's name, or against its beginning with a `*`.
fn is_package(pattern: &str, krate: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => krate.starts_with(start),
        None => krate == pattern,
    }
}

/// Whether a file is the room `dir.rs` or lies in the folder `dir`.
fn is_below(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Whether a path names the banned thing, a part of it, or everything beside it through a glob.
fn touches(path: &[String], ban: &str) -> bool {
    let ban: Vec<&str> = ban.split("::").collect();
    match path.split_last() {
        Some((last, open)) if last == "*" => open.iter().zip(&ban).all(|(a, b)| a == b),
        _ => path.len() >= ban.len() && path.iter().zip(&ban).all(|(a, b)| a == b),
    }
}
