//! Keys of another tool's file, taken one by one: what nobody asked for is left in the end, and is
//! told instead of dropped. The table of redora's own keys does not hold here.

use super::super::fault::{Fault, Problem, join};
use super::super::node::{Position, Tree};
use super::super::scalar::Shown;
use super::super::walk::{Field, Walk};
use super::draft::{Draft, Note};
use super::reason::{Inconvertible, Uncarried};

/// The faults and notes of a file so far.
pub(super) struct Reading<'a> {
    pub(super) walk: Walk<'a>,
    file: &'a str,
    notes: Vec<Note>,
    /// Notes of objectives that did not come over.
    aside: Vec<Note>,
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
        Self { walk, file, notes: Vec::new(), aside: Vec::new() }
    }

    /// The value that a document is, with the faults of its form; none where it is empty.
    pub(super) fn document<'n>(&mut self, tree: &'n Tree) -> Option<Field<'n>> {
        for (at, key, problem) in &tree.faults {
            self.walk.fault(*at, key, problem.clone());
        }
        let whole = self.walk.whole(tree.root.as_ref()?);
        (!whole.is_null()).then_some(whole)
    }

    /// The resources that a document holds: those of a list as `kubectl get` prints it, or itself.
    pub(super) fn items<'n>(&mut self, document: &Field<'n>) -> Vec<Field<'n>> {
        let entries = document.entries();
        let of = |name: &str| entries.iter().find(|(_, key, _)| *key == name);
        let is_list = of("kind")
            .and_then(|(_, _, kind)| kind.as_plain())
            .is_some_and(|kind| kind.ends_with("List"));
        match of("items").filter(|_| is_list) {
            Some((_, _, items)) => self.walk.elements(items, ELEMENTS_MAX).unwrap_or_default(),
            None => vec![document.clone()],
        }
    }

    /// Tells what stays behind.
    pub(super) fn note(&mut self, at: Position, key: &str, reason: Uncarried) {
        let Position { line, column } = at;
        let (file, key) = (self.file.to_owned(), key.to_owned());
        self.notes.push(Note { file, line, column, key, reason });
    }

    /// The objective with what was told since the one before; without one, that is set aside.
    pub(super) fn noted(&mut self, draft: Option<Draft>) -> Option<Draft> {
        let notes = in_order(std::mem::take(&mut self.notes));
        let Some(draft) = draft else {
            self.aside.extend(notes);
            return None;
        };
        Some(Draft { notes, ..draft })
    }

    /// Keeps a reason why an objective does not come over.
    pub(super) fn lost(&mut self, at: Position, key: &str, reason: Inconvertible) {
        self.walk.fault(at, key, reason);
    }

    /// Every fault, and the notes that no objective has.
    pub(super) fn finish(self) -> (Vec<Fault>, Vec<Note>) {
        let notes = self.aside.into_iter().chain(self.notes).collect();
        let mut faults = self.walk.finish();
        // What several objectives share is read for each of them.
        faults.dedup();
        (faults, in_order(notes))
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

    /// The single value that a field is, or that its list holds.
    pub(super) fn single<'n>(&mut self, field: &Field<'n>) -> Option<&'n str> {
        let elements = self.walk.list(field, ELEMENTS_MAX)?;
        let [one] = &elements[..] else { return None };
        self.walk.plain(one)
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
            self.missing(keys, name, cure);
        }
        given
    }

    /// Keeps a fault for a key that has to be there; the cure is what it takes.
    pub(super) fn missing(&mut self, keys: &Keys<'_>, name: &str, cure: &'static str) {
        self.walk.fault(keys.at, &keys.key(name), Inconvertible::Missing(cure));
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

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The keys that are left.
    pub(super) fn names(&self) -> Vec<&'n str> {
        self.left.iter().map(|(_, key, _)| *key).collect()
    }

    /// The value of a key, with the place of the key itself.
    pub(super) fn take(&mut self, name: &str) -> Option<(Position, Field<'n>)> {
        let at = self.left.iter().position(|(_, key, _)| *key == name)?;
        let (at, _, field) = self.left.remove(at);
        Some((at, field))
    }
}

/// Notes in the order of the file, each once: a document that several objectives refer to says the
/// same each time.
fn in_order(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by_key(|note| (note.line, note.column));
    notes.dedup();
    notes
}

/// More keys than any section of these formats has; labels are free, and never so many.
const KEYS_MAX: usize = 1000;
const ELEMENTS_MAX: usize = 2000;
