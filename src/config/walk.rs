//! The walk from the tree to typed values: collects every fault on its way, so that one run of
//! `redora check` names everything that is wrong, and keeps going with the default where a value is
//! at fault.

use super::fault::{Conflict, Fault, Problem, join};
use super::interpolate::{Broken, Sources, Text, interpolate};
use super::node::{Entry, Node, Position, Value};
use super::scalar::{Form, Shown};
use super::schema;

/// The faults so far, and what scalars are interpolated from.
pub(super) struct Walk<'a> {
    file: &'a str,
    sources: Sources<'a>,
    faults: Vec<Fault>,
}

/// A mapping whose keys are all known.
pub(super) struct Section<'n> {
    pub(super) at: Position,
    /// The path with the indices of lists, for faults.
    path: String,
    /// The path with `[]`, for the table of keys.
    schema: &'static str,
    entries: &'n [Entry],
}

/// A value that is not null, and its key.
#[derive(Clone)]
pub(super) struct Field<'n> {
    pub(super) at: Position,
    /// The path with the indices of lists.
    pub(super) key: String,
    node: &'n Node,
}

/// A typed value with what a later fault about it needs.
#[derive(Clone)]
pub(super) struct Typed<T> {
    pub(super) value: T,
    pub(super) at: Position,
    pub(super) key: String,
    pub(super) shown: Shown,
    /// Whether the value came from outside the file and may be a secret.
    pub(super) foreign: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(file: &'a str, sources: Sources<'a>) -> Self {
        Self { file, sources, faults: Vec::new() }
    }

    /// How many faults were found so far, to tell a value at fault from one that is not given.
    pub(super) fn faults(&self) -> usize {
        self.faults.len()
    }

    /// Keeps a fault.
    pub(super) fn fault(&mut self, at: Position, key: &str, problem: impl Into<Problem>) {
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line: at.line,
            column: at.column,
            key: key.to_owned(),
            problem: problem.into(),
        });
    }

    /// Every fault, in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| (fault.line, fault.column));
        self.faults
    }

    /// The value that a whole file is.
    pub(super) fn whole<'n>(&self, node: &'n Node) -> Field<'n> {
        Field { at: node.at, key: String::new(), node }
    }

    /// The section at the top of the file.
    pub(super) fn top<'n>(&mut self, node: &'n Node) -> Option<Section<'n>> {
        self.open(node, String::new(), "")
    }

    /// The section that a field holds; `schema` is its path in the table of keys.
    pub(super) fn section<'n>(
        &mut self,
        field: Field<'n>,
        schema: &'static str,
    ) -> Option<Section<'n>> {
        self.open(field.node, field.key, schema)
    }

    fn open<'n>(
        &mut self,
        node: &'n Node,
        path: String,
        schema: &'static str,
    ) -> Option<Section<'n>> {
        let entries = match &node.value {
            Value::Null => &[][..],
            Value::Map(entries) => entries,
            Value::Scalar(_) | Value::List(_) => {
                self.kind(node, &path, "a section of keys");
                return None;
            }
        };
        let section = Section { at: node.at, path, schema, entries };
        for entry in entries.iter().filter(|entry| !schema::knows(schema, &entry.key)) {
            let later = schema.is_empty() && schema::LATER.contains(&entry.key.as_str());
            let problem = if later {
                Problem::NotYet
            } else {
                Problem::Unknown { nearest: schema::nearest(schema, &entry.key) }
            };
            self.fault(entry.at, &section.key(&entry.key), problem);
        }
        Some(section)
    }

    /// The scalar after interpolation; `None` where it is at fault or counts as not given.
    pub(super) fn text(&mut self, field: &Field<'_>) -> Option<Text> {
        self.scalar(field, |broken| broken)
    }

    /// As [`Walk::text`], for a scalar of which no fault may repeat a part: a token may well hold
    /// a `${` of its own.
    pub(super) fn secret(&mut self, field: &Field<'_>) -> Option<Text> {
        self.scalar(field, |broken| match broken {
            Broken::Form(_) => Broken::Form(Shown::origin("secret")),
            other => other,
        })
    }

    fn scalar(&mut self, field: &Field<'_>, told: impl FnOnce(Broken) -> Broken) -> Option<Text> {
        let Value::Scalar(raw) = &field.node.value else {
            self.kind(field.node, &field.key, "one value");
            return None;
        };
        match interpolate(raw, self.sources) {
            Ok(text) if text.absent => None,
            Ok(text) => Some(text),
            Err(broken) => {
                self.fault(field.at, &field.key, told(broken));
                None
            }
        }
    }

    /// The scalar as it stands in the file; `None` where it is none. Files of other tools know of
    /// no interpolation, and their queries may well hold a `$`.
    pub(super) fn plain<'n>(&mut self, field: &Field<'n>) -> Option<&'n str> {
        let plain = field.as_plain();
        if plain.is_none() {
            self.kind(field.node, &field.key, "one value");
        }
        plain
    }

    /// The typed scalar; `None` where it is at fault or counts as not given.
    pub(super) fn typed<T>(
        &mut self,
        field: &Field<'_>,
        form: Form,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Typed<T>> {
        let text = self.text(field)?;
        let Some(value) = parse(&text.value) else {
            self.fault(field.at, &field.key, Problem::Value { shown: text.shown, form });
            return None;
        };
        Some(Typed {
            value,
            at: field.at,
            key: field.key.clone(),
            shown: text.shown,
            foreign: text.foreign,
        })
    }

    /// The elements of a list of scalars; a scalar counts as a list of one. `None` as for
    /// [`Walk::elements`].
    pub(super) fn list<'n>(&mut self, field: &Field<'n>, max: usize) -> Option<Vec<Field<'n>>> {
        match &field.node.value {
            Value::Scalar(_) => Some(vec![field.clone()]),
            Value::Null | Value::List(_) | Value::Map(_) => self.elements(field, max),
        }
    }

    /// The elements of a list. `None` where the field is no list or too long.
    pub(super) fn elements<'n>(&mut self, field: &Field<'n>, max: usize) -> Option<Vec<Field<'n>>> {
        let Value::List(nodes) = &field.node.value else {
            self.kind(field.node, &field.key, "a list");
            return None;
        };
        if nodes.len() > max {
            let problem = Problem::TooMany { found: nodes.len(), max };
            self.fault(field.at, &field.key, problem);
            return None;
        }
        let element = |(i, node): (usize, &'n Node)| Field {
            at: node.at,
            key: format!("{}[{i}]", field.key),
            node,
        };
        Some(nodes.iter().enumerate().map(element).collect())
    }

    /// The entries of a mapping whose keys are the user's own.
    pub(super) fn map<'n>(
        &mut self,
        field: &Field<'n>,
        max: usize,
    ) -> Option<Vec<(&'n str, Field<'n>)>> {
        let Value::Map(entries) = &field.node.value else {
            self.kind(field.node, &field.key, "a map of keys and values");
            return None;
        };
        if entries.len() > max {
            let problem = Problem::TooMany { found: entries.len(), max };
            self.fault(field.at, &field.key, problem);
            return None;
        }
        let field = |entry: &'n Entry| {
            let key = join(&field.key, &entry.key);
            (entry.key.as_str(), Field { at: entry.value.at, key, node: &entry.value })
        };
        Some(entries.iter().map(field).collect())
    }

    fn kind(&mut self, node: &Node, key: &str, wanted: &'static str) {
        let found = match &node.value {
            Value::Null => "null",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a section of keys",
        };
        self.fault(node.at, key, Problem::Kind { found, wanted });
    }
}

impl<T> Typed<T> {
    /// The value within its bounds; else a fault that names them.
    pub(super) fn bounded(
        self,
        walk: &mut Walk<'_>,
        bounds: std::ops::RangeInclusive<T>,
        text: impl Fn(&T) -> String,
    ) -> Option<Self>
    where
        T: PartialOrd,
    {
        if bounds.contains(&self.value) {
            return Some(self);
        }
        let problem = Problem::Bounds {
            shown: self.shown,
            min: text(bounds.start()),
            max: text(bounds.end()),
        };
        walk.fault(self.at, &self.key, problem);
        None
    }

    /// Keeps a fault about this value.
    pub(super) fn conflict(&self, walk: &mut Walk<'_>, conflict: Conflict) {
        walk.fault(self.at, &self.key, conflict);
    }
}

impl<'n> Field<'n> {
    /// Whether the value is null.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.node.value, Value::Null)
    }

    /// The scalar as it stands in the file.
    pub(super) fn as_plain(&self) -> Option<&'n str> {
        match &self.node.value {
            Value::Scalar(raw) => Some(raw),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Whether the value is a section of keys.
    pub(super) fn is_section(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// The entries of a section, each with the place of its key; none where it is no section. What
    /// is null counts as not given.
    pub(super) fn entries(&self) -> Vec<(Position, &'n str, Field<'n>)> {
        let Value::Map(entries) = &self.node.value else { return Vec::new() };
        let given = entries.iter().filter(|entry| !matches!(entry.value.value, Value::Null));
        given
            .map(|entry| {
                let key = join(&self.key, &entry.key);
                let field = Field { at: entry.value.at, key, node: &entry.value };
                (entry.at, entry.key.as_str(), field)
            })
            .collect()
    }
}

impl<'n> Section<'n> {
    /// The path of the section itself.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The path of a key in this section.
    pub(super) fn key(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// The value of a key; `None` where it is absent or null.
    pub(super) fn field(&self, name: &str) -> Option<Field<'n>> {
        debug_assert!(schema::knows(self.schema, name), "{name} stands in the table of keys");
        let entry = self.entries.iter().find(|entry| entry.key == name)?;
        if matches!(entry.value.value, Value::Null) {
            return None;
        }
        Some(Field { at: entry.value.at, key: self.key(name), node: &entry.value })
    }
}
