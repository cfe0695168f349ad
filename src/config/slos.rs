//! The key `slos`: patterns of files, found beside the configuration so that objectives can be
//! reviewed and owned apart from it, service by service.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::Problem;
use super::scalar::Form;
use super::walk::{Field, Typed, Walk};

/// Gives the names in a folder.
pub type List<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<String>>;

/// The names in a folder that are text: the reader that production passes to
/// [`load`](super::load).
pub fn list_folder(folder: &Path) -> io::Result<Vec<String>> {
    // The folder of a file without one is the one at hand.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names = std::fs::read_dir(folder)?.take(NAMES_MAX);
    names
        .map(|entry| Ok(entry?.file_name()))
        .filter_map(|name| name.map(to_text).transpose())
        .collect()
}

fn to_text(name: std::ffi::OsString) -> Option<String> {
    name.into_string().ok()
}

/// Reads `slos` and, where somebody can look for them, finds the files: each once, in the order of
/// patterns and then of names.
pub(super) fn slos(
    walk: &mut Walk<'_>,
    field: &Field<'_>,
    directory: &Path,
    list: Option<List<'_>>,
) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for field in walk.list(field, PATTERNS_MAX).unwrap_or_default() {
        let Some(typed) = walk.typed(&field, Form::Files, Pattern::parse) else { continue };
        let Some(list) = list else { continue };
        for file in typed.value.find(walk, &typed, directory, list) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    if files.len() > FILES_MAX {
        walk.fault(field.at, &field.key, Problem::TooMany { found: files.len(), max: FILES_MAX });
        files.clear();
    }
    files
}

/// A folder, and what a file's name in it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    folder: String,
    name: String,
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (folder, name) = match text.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some(parts) => parts,
            None => ("", text),
        };
        let is_wild = |part: &str| part.contains(['*', '?']);
        let legal = !name.is_empty()
            && !matches!(name, "." | "..")
            && !is_wild(folder)
            && !text.contains('\0')
            && text.len() <= PATTERN_BYTES_MAX;
        legal.then(|| Self { folder: folder.to_owned(), name: name.to_owned() })
    }

    /// The files that look like this.
    fn find(
        &self,
        walk: &mut Walk<'_>,
        typed: &Typed<Self>,
        directory: &Path,
        list: List<'_>,
    ) -> Vec<PathBuf> {
        let folder = directory.join(&self.folder);
        if !self.name.contains(['*', '?']) {
            return vec![folder.join(&self.name)];
        }
        // A path from the environment may be a secret, and so may be the one that it is part of.
        let shown = || match typed.foreign {
            true => "the folder".to_owned(),
            false => format!("the folder {:?}", folder.display().to_string()),
        };
        let names = match list(&folder) {
            Ok(names) => names,
            Err(fault) => {
                let problem = Problem::Folder { folder: shown(), kind: fault.kind() };
                walk.fault(typed.at, &typed.key, problem);
                return Vec::new();
            }
        };
        // Hidden files are an editor's, or the machinery of a mounted volume.
        let fitting = |name: &String| !name.starts_with('.') && fits(&self.name, name);
        let found: BTreeSet<String> = names.into_iter().filter(fitting).collect();
        if found.is_empty() {
            let problem = Problem::NoFile { shown: typed.shown.clone(), folder: shown() };
            walk.fault(typed.at, &typed.key, problem);
        }
        found.into_iter().map(|name| folder.join(name)).collect()
    }
}

/// Whether a name is what a pattern describes: `*` is any run of characters, `?` any one.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    // The last star, and where in the name what it stands for ends: the only place to come back to.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match (pattern.get(at), star) {
            (Some('*'), _) => {
                star = Some((at, from));
                at += 1;
            }
            (Some(wanted), _) if *wanted == '?' || *wanted == name[from] => {
                (at, from) = (at + 1, from + 1);
            }
            (_, Some((back, end))) => {
                star = Some((back, end + 1));
                (at, from) = (back + 1, end + 1);
            }
            (_, None) => return false,
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// More folders than an organisation has teams that share one agent.
const PATTERNS_MAX: usize = 64;
/// As many as there are objectives.
const FILES_MAX: usize = 500;
/// A folder with more names is not one of objectives.
const NAMES_MAX: usize = 100_000;
/// Linux's own bound for a path.
const PATTERN_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, name, expected) in [
            ("*.yaml", "shop.yaml", true),
            ("*.yaml", ".yaml", true),
            ("*.yaml", "shop.yml", false),
            ("*.y*ml", "shop.yaml", true),
            ("shop-?.yaml", "shop-1.yaml", true),
            ("shop-?.yaml", "shop-.yaml", false),
            ("?", "ä", true),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("**", "x", true),
            ("x", "xy", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn only_the_last_part_of_a_pattern_is_wild() {
        for (text, expected) in [
            ("slos/*.yaml", Some(("slos", "*.yaml"))),
            ("*.yaml", Some(("", "*.yaml"))),
            ("/etc/redora/shop.yaml", Some(("/etc/redora", "shop.yaml"))),
            ("/x.yaml", Some(("/", "x.yaml"))),
            ("slos/*/shop.yaml", None),
            ("slos/", None),
            ("..", None),
            ("", None),
        ] {
            let expected = expected
                .map(|(folder, name)| Pattern { folder: folder.to_owned(), name: name.to_owned() });
            assert_eq!(Pattern::parse(text), expected, "{text}");
        }
    }
}
