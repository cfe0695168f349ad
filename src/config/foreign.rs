//! Files of Sloth, Pyrra and OpenSLO as objectives of redora: each format has a reader of its own
//! into one draft, because what they share is less than what a common reader would have to guess.
//!
//! | format | version | read |
//! | --- | --- | --- |
//! | Sloth | `version: prometheus/v1`, and `sloth.slok.dev/v1` on Kubernetes | converted |
//! | Pyrra | `pyrra.dev/v1alpha1` | converted |
//! | OpenSLO | `openslo/v1` | converted, and read as it stands under `slos` |
//!
//! A file holds any number of YAML documents. What does not come over is never dropped in silence:
//! it is a note with its line where the objective can do without, else a fault.

pub(super) mod draft;
mod keys;
mod number;
mod openslo;
mod owner;
mod pyrra;
mod query;
pub(super) mod reason;
mod selector;
mod sloth;
mod write;

pub use draft::Note;
pub(super) use draft::{Draft, Place};
pub use reason::{Inconvertible, Uncarried};

use std::collections::HashMap;

use super::fault::{Conflict, Fault, Faults, Problem, join};
use super::interpolate::Sources;
use super::node::{self, Tree};
use super::scalar::Shown;
use super::walk::{Field, Walk};
use keys::{Keys, Reading};
use sloth::Spelling;

/// What came of the documents of a file.
pub(super) struct Found {
    /// Every objective that came over, in the order of the file.
    pub(super) drafts: Vec<Draft>,
    /// What stayed behind of those that did not, or of none.
    pub(super) notes: Vec<Note>,
    /// Why they did not.
    pub(super) faults: Vec<Fault>,
}

/// Objectives of other tools as a file of redora's own.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The file; empty where there is no objective for it.
    pub text: String,
    /// What stayed behind, in the order of the files.
    pub notes: Vec<Note>,
    /// Why some objectives did not come over.
    pub faults: Vec<Fault>,
}

/// Converts files, each by its name with its text.
///
/// # Errors
/// The faults of documents that are no YAML or in nobody's format: what they hold is not known.
pub(super) fn import(files: &[(String, String)], sources: Sources<'_>) -> Result<Imported, Faults> {
    let mut imported = Imported { text: String::new(), notes: Vec::new(), faults: Vec::new() };
    let mut names: HashMap<(String, String), String> = HashMap::new();
    let mut unknown = Vec::new();
    for (file, text) in files {
        let mut walk = Walk::new(file, sources);
        let trees = match node::documents(text) {
            Ok(trees) => trees,
            Err((at, problem)) => {
                walk.fault(at, "", problem);
                unknown.extend(walk.finish());
                continue;
            }
        };
        let Found { drafts, notes, faults } = read(file, walk, &trees, false);
        let (formless, mut faults): (Vec<_>, Vec<_>) = faults.into_iter().partition(is_unknown);
        unknown.extend(formless);
        let mut twice = Walk::new(file, sources);
        let (mut kept, mut told) = (Vec::new(), notes);
        for draft in drafts {
            told.extend(draft.notes.clone());
            let name = (draft.service.clone(), draft.name.clone());
            if let Some(other) = names.get(&name) {
                let shown = Shown::quoted(&draft.name);
                let conflict = Conflict::SameObjective { shown, other: other.clone() };
                twice.fault(draft.place.at, &join(&draft.place.key, "name"), conflict);
                continue;
            }
            names.insert(name, format!("{file}: line {}", draft.place.at.line));
            kept.push(draft);
        }
        faults.extend(twice.finish());
        faults.sort_by_key(|fault| (fault.line, fault.column));
        told.sort_by_key(|note| (note.line, note.column));
        imported.faults.extend(faults);
        imported.notes.extend(told);
        if !kept.is_empty() {
            let gap = if imported.text.is_empty() { "" } else { "\n" };
            imported.text.push_str(gap);
            imported.text.push_str(&write::write(file, &kept));
        }
    }
    if unknown.is_empty() { Ok(imported) } else { Err(Faults(unknown)) }
}

/// Whether a document could not be told apart.
fn is_unknown(fault: &Fault) -> bool {
    let Problem::Foreign(reason) = &fault.problem else { return false };
    matches!(reason, Inconvertible::Format(_) | Inconvertible::NoFormat)
}

/// The tool that a document was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Sloth(Spelling),
    Pyrra,
    OpenSlo,
}

/// Reads the documents of a file, whoever wrote them; with `direct` those of OpenSLO alone.
pub(super) fn read(file: &str, walk: Walk<'_>, trees: &[Tree], direct: bool) -> Found {
    let mut reading = Reading::new(file, walk);
    let mut drafts = Vec::new();
    let mut openslo = Vec::new();
    let documents: Vec<Field<'_>> =
        trees.iter().filter_map(|tree| reading.document(tree)).collect();
    let mut items = Vec::new();
    for whole in &documents {
        items.extend(reading.items(whole));
    }
    for document in items {
        if !document.is_section() {
            reading.lost(document.at, &document.key, Inconvertible::NoFormat);
            continue;
        }
        let Some(mut keys) = reading.keys(&document) else { continue };
        let Some(tool) = tool(&mut reading, &mut keys, direct) else { continue };
        match tool {
            Tool::Sloth(spelling) => drafts.extend(service(&mut reading, keys, spelling)),
            Tool::Pyrra => {
                let draft = pyrra::objective(&mut reading, keys);
                drafts.extend(reading.noted(draft));
            }
            Tool::OpenSlo => openslo.push(keys),
        }
    }
    drafts.extend(openslo::objectives(&mut reading, openslo));
    drafts.sort_by_key(|draft| draft.place.at);
    let (faults, notes) = reading.finish();
    Found { drafts, notes, faults }
}

/// Whose document this is, by the keys that say it, which are taken.
fn tool(reading: &mut Reading<'_>, keys: &mut Keys<'_>, direct: bool) -> Option<Tool> {
    let version = match reading.text(keys, "apiVersion") {
        Some(given) => given,
        None => match reading.text(keys, "version") {
            Some(given) => given,
            None => {
                reading.lost(keys.at, &keys.path, Inconvertible::NoFormat);
                return None;
            }
        },
    };
    let shown = || Shown::quoted(version.text);
    let (tool, kind, format) = match version.text {
        "prometheus/v1" => (Tool::Sloth(Spelling::Snake), None, "Sloth"),
        "sloth.slok.dev/v1" => {
            (Tool::Sloth(Spelling::Camel), Some("PrometheusServiceLevel"), "Sloth")
        }
        "pyrra.dev/v1alpha1" => (Tool::Pyrra, Some("ServiceLevelObjective"), "Pyrra"),
        "openslo/v1" => (Tool::OpenSlo, None, "OpenSLO"),
        _ => {
            reading.lost(version.at, &version.key, Inconvertible::Format(shown()));
            return None;
        }
    };
    if direct && tool != Tool::OpenSlo {
        reading.lost(version.at, &version.key, Inconvertible::Indirect(shown()));
        return None;
    }
    let Some(kind) = kind else { return Some(tool) };
    let given = reading.required(keys, "kind", kind)?;
    if given.text != kind {
        let shown = Shown::quoted(given.text);
        reading.lost(given.at, &given.key, Inconvertible::Kind { shown, format });
        return None;
    }
    Some(tool)
}

/// A document of Sloth's, which Kubernetes wraps into a resource.
fn service(reading: &mut Reading<'_>, mut keys: Keys<'_>, spelling: Spelling) -> Vec<Draft> {
    if spelling == Spelling::Snake {
        return sloth::service(reading, keys, spelling);
    }
    // Name, namespace and the like are the resource's; the objectives have names of their own.
    let _ = (keys.take("metadata"), keys.take("status"));
    let spec = reading.section(&mut keys, "spec");
    reading.leave_rest(keys, &Uncarried::UnknownKey);
    sloth::service(reading, spec, spelling)
}
