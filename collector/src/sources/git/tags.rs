//! Tags with the commit behind them, however many tag objects lie between.

use git2::{Odb, Oid, Reference, Repository};

use super::cursor::Fault;
use super::object::{AnyObject, RawCommit};

/// A tag as it stands.
pub(super) struct Tag {
    /// Its name without `refs/tags/`; bytes that are no UTF-8 are repaired.
    pub(super) name: String,
    /// What the ref names, which changes when the tag is moved or written anew.
    pub(super) object: Oid,
    /// The commit, with the time of the tagger or else of the commit.
    pub(super) commit: Result<Tagged, Fault>,
}

/// What a tag comes to.
pub(super) struct Tagged {
    pub(super) id: Oid,
    pub(super) at_s: i64,
}

pub(super) fn all(repository: &Repository, odb: &Odb<'_>) -> Result<Vec<Tag>, git2::Error> {
    let mut tags = Vec::new();
    for reference in repository.references_glob("refs/tags/*")? {
        let reference = reference?;
        let name = String::from_utf8_lossy(reference.name_bytes());
        let name = name.strip_prefix("refs/tags/").unwrap_or(&name).to_owned();
        let Some(object) = target(&reference) else { continue };
        tags.push(Tag { name, object, commit: peel(odb, object) });
    }
    tags.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tags)
}

fn target(reference: &Reference<'_>) -> Option<Oid> {
    reference.target().or_else(|| reference.resolve().ok()?.target())
}

/// The commit behind an object, whatever tags lie between.
pub(super) fn peel(odb: &Odb<'_>, object: Oid) -> Result<Tagged, Fault> {
    let mut id = object;
    // The outermost tag says when the name was given.
    let mut at_s = None;
    for _ in 0..DEPTH_MAX {
        match AnyObject::read(odb, id)? {
            AnyObject::Commit(RawCommit { committed_s, authored_s, .. }) => {
                let at_s = at_s.or(committed_s).or(authored_s).ok_or(Fault::Date)?;
                return Ok(Tagged { id, at_s });
            }
            AnyObject::Tag { of, tagged_s } => {
                at_s = at_s.or(tagged_s);
                id = of;
            }
            AnyObject::Other => return Err(Fault::NotACommit),
        }
    }
    Err(Fault::NotACommit)
}

/// More tags of tags than anyone makes.
const DEPTH_MAX: usize = 16;
