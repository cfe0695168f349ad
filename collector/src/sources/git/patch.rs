//! What a commit changes: the id of its patch, which a cherry-pick shares, and the services whose
//! paths it touches.

use git2::{Diff, DiffOptions, ObjectType, Odb, Oid, Repository};
use redora_model::identity::Service;

use super::config::Config;
use super::cursor::Fault;
use super::object::RawCommit;

/// A commit against its first parent, or against nothing where it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// `git diff-tree -p <commit> | git patch-id --stable` where every file has changed lines. With
    /// binary files in it the id covers their contents as well, and a file without changed lines
    /// (empty, or only its mode) is hashed apart, where git joins its header to the next file's.
    /// Absent for merges and for empty commits, whose likeness would mean nothing.
    pub(super) patch: Option<String>,
    /// Absent where no service has paths. For a merge those that it brought to its first parent.
    pub(super) services: Option<Vec<Service>>,
}

impl Changes {
    pub(super) fn read(
        repository: &Repository,
        odb: &Odb<'_>,
        commit: &RawCommit,
        config: &Config,
    ) -> Result<Self, Fault> {
        let is_merge = commit.parents.len() > 1;
        if is_merge && config.services.is_empty() {
            return Ok(Self::default());
        }
        let before = match commit.parents.first() {
            Some(parent) => Some(RawCommit::read(odb, *parent)?.tree),
            None => None,
        };
        let mut diff = diff(repository, before, commit.tree, config).map_err(|_| Fault::Diff)?;
        let services = services(&diff, config);
        let patch = if is_merge || diff.deltas().len() == 0 {
            None
        } else {
            Some(patch_id(&mut diff).map_err(|_| Fault::Diff)?.to_string())
        };
        Ok(Self { patch, services })
    }
}

fn diff<'a>(
    repository: &'a Repository,
    before: Option<Oid>,
    after: Oid,
    config: &Config,
) -> Result<Diff<'a>, git2::Error> {
    let before = before.map(|id| repository.find_tree(id)).transpose()?;
    let after = repository.find_tree(after)?;
    let mut options = DiffOptions::new();
    // As git does by default, so that its ids and these are the same.
    options.context_lines(3).interhunk_lines(0).indent_heuristic(true);
    options.max_size(i64::from(config.file_bytes_max));
    repository.diff_tree_to_tree(before.as_ref(), Some(&after), Some(&mut options))
}

fn patch_id(diff: &mut Diff<'_>) -> Result<Oid, git2::Error> {
    let of_text = diff.patchid(None)?;
    // Of a binary file the patch only says that it differs, so two changes of it would be the same.
    let mut whole = of_text.to_string().into_bytes();
    let lines = whole.len();
    for delta in diff.deltas().filter(|delta| delta.flags().is_binary()) {
        whole.extend(format!("\n{} {} ", delta.old_file().id(), delta.new_file().id()).bytes());
        whole.extend(delta.new_file().path_bytes().unwrap_or_default());
    }
    if whole.len() == lines {
        return Ok(of_text);
    }
    Oid::hash_object(ObjectType::Blob, &whole)
}

fn services(diff: &Diff<'_>, config: &Config) -> Option<Vec<Service>> {
    if config.services.is_empty() {
        return None;
    }
    let mut touched = vec![false; config.services.len()];
    for delta in diff.deltas() {
        for path in [delta.old_file().path_bytes(), delta.new_file().path_bytes()] {
            let Some(path) = path else { continue };
            for (at, of) in config.services.iter().enumerate() {
                touched[at] = touched[at] || of.has(path);
            }
        }
    }
    let mut found: Vec<Service> = config
        .services
        .iter()
        .zip(touched)
        .filter(|(_, touched)| *touched)
        .map(|(of, _)| of.service().clone())
        .collect();
    found.sort();
    found.dedup();
    Some(found)
}
