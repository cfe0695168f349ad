//! Keys of another tool's file, taken one by one: what nobody asked for is left in the end, and is
//! told instead of dropped. The table of redora's own keys does not hold here.

use super::super::fault::{Fault, Problem, join};
use super::super::node::{Position, Tree};
use super::super::scalar::Shown;
use super::super::walk::{Field, Walk};
use super::draft::Note;
use super::reason::{Inconvertible, Uncarried};

/// The faults and notes of a file so far.
pub(super) struct Reading<'a> {
    pub(super) walk: Walk<'a>,
    file: &'a str,
    notes: Vec<Note>,
}

/// A section whose keys are taken.
#[derive(Clone)]
pub(super) struct Keys<'n> {
    /// Where its first key stands.
    pub(super) at: Position,
    /// Its path.
    pub(super) path: String,
    left: Vec<(Position, &'n str, Field<'n>)>,
}

/// A single value with its place.
#[derive(Clone)]
pub(super) struct Given<'n> {
    pub(super) at: Position,
    pub(super) key: String,
    pub(super) text: &'n str,
}

impl<'a> Reading<'a> {
    pub(super) fn new(file: &'a str, walk: Walk<'a>) -> Self {
        Self { walk, file, notes: Vec::new() }
    }

    /// The value that a document is, with the faults of its form; none where it is empty.
    pub(super) fn document<'n>(&mut self, tree: &'n Tree) -> Option<Field<'n>> {
        for (at, key, problem) in &tree.faults {
            self.walk.fault(*at, key, problem.clone());
        }
        let whole = self.walk.whole(tree.root.as_ref()?);
        (!whole.is_null()).then_some(whole)
    }

    /// Tells what stays behind.
    pub(super) fn note(&mut self, at: Position, key: &str, reason: Uncarried) {
        let Position { line, column } = at;
        let (file, key) = (self.file.to_owned(), key.to_owned());
        self.notes.push(Note { file, line, column, key, reason });
    }

    /// What was told since this was asked last, in the order of the file.
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.sort_by_key(|note| (note.line, note.column));
        // A document that several objectives refer to says the same each time.
        notes.dedup();
        notes
    }

    /// Keeps a reason why an objective does not come over.
    pub(super) fn lost(&mut self, at: Position, key: &str, reason: Inconvertible) {
        self.walk.fault(at, key, reason);
    }

    pub(super) fn finish(self) -> Vec<Fault> {
        self.walk.finish()
    }

    /// The keys of a section; a fault where it is none.
    pub(super) fn keys<'n>(&mut self, field: &Field<'n>) -> Option<Keys<'n>> {
        // Asked for the fault alone: what is no section has no entries.
        self.walk.map(field, KEYS_MAX)?;
        Some(Keys { at: field.at, path: field.key.clone(), left: field.entries() })
    }

    /// The keys of the section under a key, none where it is not given.
    pub(super) fn section<'n>(&mut self, keys: &mut Keys<'n>, name: &str) -> Keys<'n> {
        let field = keys.take(name);
        let section = field.and_then(|(_, field)| self.keys(&field));
        section.unwrap_or(Keys { at: keys.at, path: keys.key(name), left: Vec::new() })
    }

    /// The elements of the list under a key, none where it is not given.
    pub(super) fn list<'n>(&mut self, keys: &mut Keys<'n>, name: &str) -> Vec<Field<'n>> {
        let Some((_, field)) = keys.take(name) else { return Vec::new() };
        self.walk.elements(&field, ELEMENTS_MAX).unwrap_or_default()
    }

    /// The single value under a key.
    pub(super) fn text<'n>(&mut self, keys: &mut Keys<'n>, name: &str) -> Option<Given<'n>> {
        let (_, field) = keys.take(name)?;
        let text = self.walk.plain(&field)?;
        Some(Given { at: field.at, key: field.key, text })
    }

    /// As [`Reading::text`]; what is not given is a fault with this cure.
    pub(super) fn required<'n>(
        &mut self,
        keys: &mut Keys<'n>,
        name: &str,
        cure: &'static str,
    ) -> Option<Given<'n>> {
        let faults = self.walk.faults();
        let given = self.text(keys, name).filter(|given| !given.text.trim().is_empty());
        if given.is_none() && self.walk.faults() == faults {
            self.walk.fault(keys.at, &keys.key(name), Problem::Missing(cure));
        }
        given
    }

    /// The value under a key as what it means; a fault where it means nothing.
    pub(super) fn typed<T>(
        &mut self,
        keys: &mut Keys<'_>,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        problem: impl Fn(Shown) -> Problem,
    ) -> Option<T> {
        let given = self.text(keys, name)?;
        let value = parse(given.text);
        if value.is_none() {
            self.walk.fault(given.at, &given.key, problem(Shown::quoted(given.text)));
        }
        value
    }

    /// Tells of keys that stay behind for a reason of their own, where they are given.
    pub(super) fn leave(&mut self, keys: &mut Keys<'_>, names: &[&str], reason: &Uncarried) {
        for name in names {
            if let Some((at, field)) = keys.take(name) {
                self.note(at, &field.key, reason.clone());
            }
        }
    }

    /// Tells of every key that nobody took.
    pub(super) fn leave_rest(&mut self, keys: Keys<'_>, reason: &Uncarried) {
        for (at, _, field) in keys.left {
            self.note(at, &field.key, reason.clone());
        }
    }
}

impl<'n> Keys<'n> {
    /// The path of a key.
    pub(super) fn key(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Whether a key is given and not taken yet.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.iter().any(|(_, key, _)| *key == name)
    }

    /// The value of a key, with the place of the key itself.
    pub(super) fn take(&mut self, name: &str) -> Option<(Position, Field<'n>)> {
        let at = self.left.iter().position(|(_, key, _)| *key == name)?;
        let (at, _, field) = self.left.remove(at);
        Some((at, field))
    }

    /// Every key that is left, with its value.
    pub(super) fn take_all(&mut self) -> Vec<(Position, &'n str, Field<'n>)> {
        std::mem::take(&mut self.left)
    }
}

/// More keys than any section of these formats has; labels are free, and never so many.
const KEYS_MAX: usize = 1000;
const ELEMENTS_MAX: usize = 2000;
