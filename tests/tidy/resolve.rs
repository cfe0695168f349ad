//! From a written path to the file it means, through `crate`, `super`, renames and re-exports,
//! because an import that goes round two corners points upward all the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::scan::Mention;
use crate::tree::{Place, Tree};

/// A chain of re-exports longer than this is a cycle that the compiler refuses anyway.
const HOPS_MAX: usize = 8;

/// What a path means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// Something in a crate of this workspace.
    Own { krate: String, path: Vec<String> },
    /// Something elsewhere, or a local name that no table lists: the path with renames undone.
    Foreign(Vec<String>),
}

impl Meaning {
    /// Whether it is `crate` itself, which says nothing until something below it is named.
    pub(crate) fn is_root_of(&self, place: &Place) -> bool {
        matches!(self, Self::Own { krate, path } if *krate == place.krate && path.is_empty())
    }
}

/// Every module of the workspace and the names in it.
pub(crate) struct Index<'a> {
    modules: BTreeMap<(&'a str, Vec<String>), Module<'a>>,
    crates: BTreeSet<&'a str>,
}

struct Module<'a> {
    file: usize,
    place: &'a Place,
    defined: BTreeSet<&'a str>,
    imports: BTreeMap<&'a str, &'a Mention>,
    globs: Vec<&'a Mention>,
}

impl<'a> Index<'a> {
    pub(crate) fn new(tree: &'a Tree) -> Self {
        let mut modules = BTreeMap::new();
        let mut crates = BTreeSet::new();
        for (file, _, place, scan) in tree.sources() {
            crates.insert(place.krate.as_str());
            let own = std::iter::once(Vec::new()).chain(scan.inline_modules.iter().cloned());
            for inner in own {
                let is_here = |module: &Vec<String>| *module == inner;
                let defined = scan.definitions.iter().filter(|(module, _)| is_here(module));
                let uses = || scan.mentions.iter().filter(|m| !m.test && is_here(&m.module));
                let named = |m: &'a Mention| m.import.as_ref().map(|i| (i.name.as_str(), m));
                let module = Module {
                    file,
                    place,
                    defined: defined.map(|(_, name)| name.as_str()).collect(),
                    imports: uses().filter_map(named).filter(|(name, _)| *name != "*").collect(),
                    globs: uses()
                        .filter(|m| m.import.as_ref().is_some_and(|i| i.name == "*"))
                        .collect(),
                };
                let path = [place.module.as_slice(), inner.as_slice()].concat();
                modules.insert((place.krate.as_str(), path), module);
            }
        }
        Self { modules, crates }
    }

    /// What a path means where it stands.
    pub(crate) fn meaning(&self, place: &Place, mention: &Mention) -> Meaning {
        let skip = mention.import.as_ref().map(|import| import.name.as_str());
        let module = [place.module.as_slice(), mention.module.as_slice()].concat();
        self.absolute(place, &module, &mention.segments, mention.leading, skip)
    }

    /// The file that holds what is meant, after re-exports.
    pub(crate) fn file(&self, meaning: &Meaning) -> Option<usize> {
        let Meaning::Own { krate, path } = meaning else { return None };
        self.follow(krate, path, HOPS_MAX)
    }

    /// Whether a path starts from a name that its module hands on from one of its own children.
    pub(crate) fn is_by_reexport(&self, place: &Place, mention: &Mention) -> bool {
        let module = [place.module.as_slice(), mention.module.as_slice()].concat();
        let Some(known) = self.modules.get(&(place.krate.as_str(), module.clone())) else {
            return false;
        };
        let import = if mention.import.is_some() {
            Some(mention)
        } else {
            known.imports.get(mention.segments[0].as_str()).copied()
        };
        let handed_on = import.filter(|m| m.import.as_ref().is_some_and(|i| i.reexport));
        handed_on.is_some_and(|import| match self.meaning(place, import) {
            Meaning::Own { krate, path } => {
                krate == place.krate && path.len() > module.len() && path.starts_with(&module)
            }
            Meaning::Foreign(_) => false,
        })
    }

    fn absolute(
        &self,
        place: &Place,
        module: &[String],
        segments: &[String],
        leading: bool,
        skip: Option<&str>,
    ) -> Meaning {
        let own =
            |path: &[&[String]]| Meaning::Own { krate: place.krate.clone(), path: path.concat() };
        let (first, rest) = segments.split_first().expect("a path has a segment");
        let known = self.modules.get(&(place.krate.as_str(), module.to_vec()));
        match first.as_str() {
            "crate" => return own(&[place.root(), rest]),
            "self" => return own(&[module, rest]),
            "super" => {
                let outer = &module[..module.len().saturating_sub(1)];
                return match rest.first().map(String::as_str) {
                    Some("super") => self.absolute(place, outer, rest, false, skip),
                    _ => own(&[outer, rest]),
                };
            }
            name if !leading => {
                let import = known.and_then(|k| k.imports.get(name)).filter(|_| skip != Some(name));
                if let Some(import) = import {
                    let target = &import.segments;
                    return match self.absolute(place, module, target, import.leading, Some(name)) {
                        Meaning::Own { krate, path } => {
                            Meaning::Own { krate, path: [path.as_slice(), rest].concat() }
                        }
                        Meaning::Foreign(path) => {
                            Meaning::Foreign([path.as_slice(), rest].concat())
                        }
                    };
                }
                let child = [module, std::slice::from_ref(first)].concat();
                let is_child = self.modules.contains_key(&(place.krate.as_str(), child));
                if is_child || known.is_some_and(|k| k.defined.contains(name)) {
                    return own(&[module, segments]);
                }
            }
            _ => {}
        }
        match self.crates.get(first.as_str()) {
            Some(krate) => Meaning::Own { krate: (*krate).to_owned(), path: rest.to_vec() },
            None => Meaning::Foreign(segments.to_vec()),
        }
    }

    fn follow(&self, krate: &str, path: &[String], hops: usize) -> Option<usize> {
        let (module, rest) = (0..=path.len()).rev().find_map(|length| {
            let (head, rest) = path.split_at(length);
            self.modules.get(&(krate, head.to_vec())).map(|module| (module, rest))
        })?;
        let Some(name) = rest.first().filter(|_| hops > 0) else { return Some(module.file) };
        let onward = |import: &Mention| {
            let inner = import.module.as_slice();
            let here = [module.place.module.as_slice(), inner].concat();
            let skip = import.import.as_ref().map(|i| i.name.as_str());
            self.absolute(module.place, &here, &import.segments, import.leading, skip)
        };
        if module.defined.contains(name.as_str()) {
            return Some(module.file);
        }
        if let Some(import) = module.imports.get(name.as_str())
            && let Meaning::Own { krate, path } = onward(import)
        {
            return self.follow(&krate, &path, hops - 1);
        }
        for glob in &module.globs {
            if let Meaning::Own { krate, mut path } = onward(glob) {
                path.pop();
                let holds = self.modules.get(&(krate.as_str(), path.clone())).is_some_and(|m| {
                    m.defined.contains(name.as_str()) || m.imports.contains_key(name.as_str())
                });
                if holds {
                    path.push(name.clone());
                    return self.follow(&krate, &path, hops - 1);
                }
            }
        }
        Some(module.file)
    }
}
