//! Commits and tags out of their raw bytes, because libgit2's own commits forget the parents behind
//! a shallow edge and refuse a commit for one bad date, and a graph must lose neither.

use git2::{ErrorCode, ObjectType, Odb, Oid};

use super::cursor::Fault;

/// What a commit object says.
#[derive(Clone, Debug)]
pub(super) struct RawCommit {
    pub(super) tree: Oid,
    pub(super) parents: Vec<Oid>,
    pub(super) authored_s: Option<i64>,
    pub(super) committed_s: Option<i64>,
    pub(super) message: Vec<u8>,
}

impl RawCommit {
    pub(super) fn read(odb: &Odb<'_>, id: Oid) -> Result<Self, Fault> {
        match AnyObject::read(odb, id)? {
            AnyObject::Commit(commit) => Ok(commit),
            AnyObject::Tag { .. } | AnyObject::Other => Err(Fault::NotACommit),
        }
    }

    /// When it was committed, else authored; for the order of a walk any number will do.
    pub(super) fn order(&self) -> i64 {
        self.committed_s.or(self.authored_s).unwrap_or(0)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, message) = parts(bytes);
        let mut parents = Vec::new();
        let (mut tree, mut authored_s, mut committed_s) = (None, None, None);
        for line in header.split(|byte| *byte == b'\n') {
            if let Some(id) = line.strip_prefix(b"parent ") {
                parents.push(oid(id)?);
            } else if let Some(id) = line.strip_prefix(b"tree ") {
                tree = Some(oid(id)?);
            } else if let Some(who) = line.strip_prefix(b"author ") {
                authored_s = seconds(who);
            } else if let Some(who) = line.strip_prefix(b"committer ") {
                committed_s = seconds(who);
            }
        }
        Some(Self { tree: tree?, parents, authored_s, committed_s, message: message.to_vec() })
    }
}

/// An object that a ref may name.
#[derive(Clone, Debug)]
pub(super) enum AnyObject {
    Commit(RawCommit),
    Tag { of: Oid, tagged_s: Option<i64> },
    Other,
}

impl AnyObject {
    pub(super) fn read(odb: &Odb<'_>, id: Oid) -> Result<Self, Fault> {
        let object = odb.read(id).map_err(|error| match error.code() {
            ErrorCode::NotFound => Fault::Missing,
            _ => Fault::Damaged,
        })?;
        match object.kind() {
            ObjectType::Commit => {
                RawCommit::parse(object.data()).map(Self::Commit).ok_or(Fault::Damaged)
            }
            ObjectType::Tag => tag(object.data()).ok_or(Fault::Damaged),
            _ => Ok(Self::Other),
        }
    }
}

fn tag(bytes: &[u8]) -> Option<AnyObject> {
    let (header, _) = parts(bytes);
    let (mut of, mut tagged_s) = (None, None);
    for line in header.split(|byte| *byte == b'\n') {
        if let Some(id) = line.strip_prefix(b"object ") {
            of = Some(oid(id)?);
        } else if let Some(who) = line.strip_prefix(b"tagger ") {
            tagged_s = seconds(who);
        }
    }
    Some(AnyObject::Tag { of: of?, tagged_s })
}

fn parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[]),
    }
}

fn oid(hex: &[u8]) -> Option<Oid> {
    let hex = std::str::from_utf8(hex).ok().filter(|hex| hex.len() == 40)?;
    Oid::from_str(hex).ok()
}

/// The seconds of `name <mail> seconds zone`; names may hold anything but the last `>`.
fn seconds(who: &[u8]) -> Option<i64> {
    let after = who.iter().rposition(|byte| *byte == b'>')? + 1;
    let text = std::str::from_utf8(&who[after..]).ok()?;
    let seconds = text.split_ascii_whitespace().next()?.parse().ok()?;
    (SECONDS_MIN..=SECONDS_MAX).contains(&seconds).then_some(seconds)
}

/// The years 0 to 9999: what lies outside is no date, and could overflow whoever subtracts it.
const SECONDS_MIN: i64 = -62_167_219_200;
const SECONDS_MAX: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_from_behind_and_only_within_the_calendar() {
        for (who, expected) in [
            ("A <a@b> 1700000000 +0100", Some(1_700_000_000)),
            ("A <a@b> -5 +0000", Some(-5)),
            ("A <a> b> 7", Some(7)),
            ("<> 7 x", Some(7)),
            ("A <a@b> 99999999999999 +0000", None),
            ("A <a@b> 999999999999999999999999 +0000", None),
            ("A <a@b>", None),
            ("A 7 +0000", None),
            ("A <a@b> now", None),
        ] {
            assert_eq!(seconds(who.as_bytes()), expected, "{who}");
        }
    }

    #[test]
    fn a_commit_without_a_tree_or_with_half_an_id_is_damaged() {
        for text in ["", "\n\n", "tree 12\n\nm", "author A <a> 1 +0000\n\nm"] {
            assert!(RawCommit::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
