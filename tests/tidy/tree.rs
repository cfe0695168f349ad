//! Reads the Rust files of a workspace into syntax trees, because a check on text alone would
//! mistake comments, strings and nested imports.

use std::fs;
use std::path::Path;

use crate::scan::{self, Scan};

/// Every Rust file that the checks look at, in the order of their paths.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// One file: where it stands, what it says, and what the scan found in it.
pub(crate) struct File {
    /// From the workspace's root, with `/`.
    pub(crate) path: String,
    pub(crate) area: Area,
    pub(crate) text: String,
    /// `Err` holds the line and the words of the parser.
    pub(crate) scan: Result<Scan, (usize, String)>,
    /// Declared by its parent under `#[cfg(test)]`, or below such a file.
    pub(crate) test_only: bool,
}

/// What a file belongs to, which decides the checks that it must pass.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Area {
    /// Part of a library or of the binary.
    Source(Place),
    /// Run by nobody but a developer, yet kept as short as the code it measures.
    Bench,
    /// Integration tests and fuzz targets: as long as their cases are.
    Test,
}

/// Where a source file hangs in its crate.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The crate's name in paths, `redora_wire`.
    pub(crate) krate: String,
    /// The module that the file holds; `["main"]` for the binary, empty for a library's root.
    pub(crate) module: Vec<String>,
}

impl Place {
    /// The module that `crate::` means in this file.
    pub(crate) fn root(&self) -> &[String] {
        if self.module.first().is_some_and(|m| m == "main") { &self.module[..1] } else { &[] }
    }

    /// The room's name in the floors table: `red`, `collector/ledger`, `crates/wire`. The roots of
    /// the libraries of the agent and of the collector are `lib` and `collector/lib`.
    pub(crate) fn room(&self) -> String {
        let first = self.module.first().map_or("lib", String::as_str);
        match self.krate.as_str() {
            "redora" => first.to_owned(),
            "redora_collector" => format!("collector/{first}"),
            other => format!("crates/{}", other.trim_start_matches("redora_")),
        }
    }
}

impl Tree {
    /// Reads the sources, tests, benches and examples of every package, and the fuzz targets.
    pub(crate) fn read(root: &Path) -> Self {
        let mut files = Vec::new();
        let mut packages = vec![(String::new(), "redora".to_owned())];
        packages.push(("collector/".to_owned(), "redora_collector".to_owned()));
        for name in entries(&root.join("crates")) {
            packages
                .push((format!("crates/{name}/"), format!("redora_{}", name.replace('-', "_"))));
        }
        for (dir, krate) in packages {
            collect(
                root,
                &format!("{dir}src"),
                &mut |inner| Area::Source(Place { krate: krate.clone(), module: module(inner) }),
                &mut files,
            );
            for kind in ["benches", "examples"] {
                collect(root, &format!("{dir}{kind}"), &mut |_| Area::Bench, &mut files);
            }
            collect(root, &format!("{dir}tests"), &mut |_| Area::Test, &mut files);
        }
        collect(root, "fuzz", &mut |_| Area::Test, &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut tree = Self { files };
        tree.mark_test_files();
        tree
    }

    /// Source files that parsed, with their place and their scan.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (usize, &File, &Place, &Scan)> {
        self.files.iter().enumerate().filter_map(|(index, file)| match (&file.area, &file.scan) {
            (Area::Source(place), Ok(scan)) => Some((index, file, place, scan)),
            _ => None,
        })
    }

    fn mark_test_files(&mut self) {
        let mut roots = Vec::new();
        for (_, _, place, scan) in self.sources() {
            for child in &scan.test_modules {
                roots.push((place.krate.clone(), [place.module.as_slice(), child].concat()));
            }
        }
        for file in &mut self.files {
            let Area::Source(place) = &file.area else { continue };
            file.test_only = roots
                .iter()
                .any(|(krate, root)| *krate == place.krate && place.module.starts_with(root));
        }
    }
}

/// The module of a file, from its path inside the source folder: `red/mod.rs` is `["red"]`.
fn module(inner: &str) -> Vec<String> {
    let stem = inner.trim_end_matches(".rs");
    let mut parts: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] {
        parts.pop();
    }
    parts
}

fn collect(root: &Path, dir: &str, area: &mut dyn FnMut(&str) -> Area, files: &mut Vec<File>) {
    let mut pending = vec![dir.to_owned()];
    while let Some(folder) = pending.pop() {
        for name in entries(&root.join(&folder)) {
            let path = format!("{folder}/{name}");
            let full = root.join(&path);
            if full.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    pending.push(path);
                }
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&full).expect("a file just listed is readable");
                let area = area(&path[dir.len() + 1..]);
                let scan = scan::scan(&text);
                files.push(File { path, area, text, scan, test_only: false });
            }
        }
    }
}

/// Names in a folder, sorted; none where there is no such folder.
fn entries(dir: &Path) -> Vec<String> {
    let Ok(listing) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> = listing
        .map(|entry| entry.expect("the folder stays while it is listed").file_name())
        .map(|name| name.into_string().expect("file names of the workspace are UTF-8"))
        .collect();
    names.sort();
    names
}
