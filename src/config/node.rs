//! The YAML text as a tree that knows its lines and columns, built from parser events instead of a
//! serde value, so that a fault can point at its place and aliases cannot unfold without a bound.
//!
//! Limits: 64 levels, 20,000 nodes and 4 MiB of text after aliases are replaced by what they stand
//! for.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::fault::{Problem, SyntaxCure, join};

/// A place in the file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    /// In characters.
    pub(super) column: usize,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Position,
    pub(super) key: String,
    pub(super) value: Node,
}

/// The tree of a document, and what was wrong with it beside its values.
pub(super) struct Tree {
    /// Where the document starts.
    pub(super) at: Position,
    /// `None` for an empty one.
    pub(super) root: Option<Node>,
    /// Each with the path of its key.
    pub(super) faults: Vec<(Position, String, Problem)>,
}

/// Reads a text of one document; the first fault after which nothing can be trusted ends the
/// reading.
pub(super) fn read(text: &str) -> Result<Tree, (Position, Problem)> {
    parse(text, 1).map(|mut trees| trees.swap_remove(0))
}

/// As [`read`], for a text of any number of documents; there is always a first one. The limits are
/// those of the whole text.
pub(super) fn documents(text: &str) -> Result<Vec<Tree>, (Position, Problem)> {
    parse(text, DOCUMENTS_MAX)
}

fn parse(text: &str, documents_max: usize) -> Result<Vec<Tree>, (Position, Problem)> {
    refuse_control_characters(text)?;
    let mut parser = Parser::new_from_str(text);
    let mut tree = Builder { documents_max, ..Builder::default() };
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|fault| syntax(text, &fault))?;
        tree.take(event, span)?;
    }
    if tree.done.is_empty() {
        let at = Position { line: 1, column: 1 };
        tree.done.push(Tree { at, root: None, faults: Vec::new() });
    }
    Ok(tree.done)
}

/// The place after the last character of a text.
pub(super) fn end(text: &str) -> Position {
    let mut at = Position { line: 1, column: 1 };
    for c in text.chars() {
        at.step(c);
    }
    at
}

/// What an alias costs: nodes, bytes of text, levels.
#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    bytes: usize,
    levels: usize,
}

impl Position {
    fn step(&mut self, over: char) {
        if over == '\n' {
            *self = Position { line: self.line + 1, column: 1 };
        } else {
            self.column += 1;
        }
    }
}

#[derive(Default)]
struct Builder {
    /// Documents that have ended.
    done: Vec<Tree>,
    documents_max: usize,
    /// Where the present document started.
    at: Option<Position>,
    root: Option<Node>,
    faults: Vec<(Position, String, Problem)>,
    /// Collections that are still open, the innermost last.
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    weight: Weight,
}

struct Open {
    at: Position,
    anchor: usize,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, lines: HashMap<String, usize>, key: Option<Key> },
}

/// A key that waits for its value.
struct Key {
    at: Position,
    text: String,
    /// Whether the value is kept; that of a key at fault is read and dropped.
    sound: bool,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), (Position, Problem)> {
        let at = Position { line: span.start.line(), column: span.start.col() + 1 };
        match event {
            Event::DocumentStart(_) => match self.done.len() {
                1 if self.documents_max == 1 => return Err((at, Problem::Documents)),
                many if many == self.documents_max => {
                    return Err((at, Problem::TooMany { found: many + 1, max: many }));
                }
                _ => self.at = Some(at),
            },
            Event::DocumentEnd => {
                // An anchor is known within its document.
                self.anchors.clear();
                let at = self.at.take().expect("a document that ends has started");
                let (root, faults) = (self.root.take(), std::mem::take(&mut self.faults));
                self.done.push(Tree { at, root, faults });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(at, tag.is_some());
                self.grow(at, Weight { nodes: 1, bytes: text.len(), levels: 0 })?;
                let value = if style == ScalarStyle::Plain && is_null(&text) {
                    Value::Null
                } else {
                    Value::Scalar(text.into_owned())
                };
                self.close(Node { at, value }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(at, tag.is_some());
                self.open(at, anchor, Items::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(at, tag.is_some());
                let items = Items::Map { entries: Vec::new(), lines: HashMap::new(), key: None };
                self.open(at, anchor, items)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let done = self.open.pop().expect("the parser closes what it opened");
                let value = match done.items {
                    Items::List(nodes) => Value::List(nodes),
                    Items::Map { entries, .. } => Value::Map(entries),
                };
                self.close(Node { at: done.at, value }, done.anchor)?;
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err((at, Problem::SelfAlias));
                };
                // Weighed before it is copied: nine aliases of nine aliases of … cost nothing here.
                let weight = weigh(node);
                self.grow(at, weight)?;
                let node = self.anchors[&anchor].clone();
                self.close(node, 0)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
        }
        Ok(())
    }

    fn open(
        &mut self,
        at: Position,
        anchor: usize,
        items: Items,
    ) -> Result<(), (Position, Problem)> {
        self.grow(at, Weight { nodes: 1, bytes: 0, levels: 1 })?;
        self.open.push(Open { at, anchor, items });
        Ok(())
    }

    /// Puts a finished node into the collection around it.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), (Position, Problem)> {
        if anchor != 0 {
            self.grow(node.at, weigh(&node))?;
            self.anchors.insert(anchor, node.clone());
        }
        let at = node.at;
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(node),
            Some(Items::List(nodes)) => nodes.push(node),
            Some(Items::Map { entries, lines, key }) => match key.take() {
                Some(Key { at, text, sound: true }) => {
                    entries.push(Entry { at, key: text, value: node });
                }
                Some(_) => {}
                None => {
                    let (text, problem) = check_key(node.value, at, lines);
                    *key = Some(Key { at, text, sound: problem.is_none() });
                    if let Some(problem) = problem {
                        let path = self.path();
                        self.faults.push((at, path, problem));
                    }
                }
            },
        }
        Ok(())
    }

    /// The path of the value that is read next.
    fn path(&self) -> String {
        self.open.iter().fold(String::new(), |path, open| match &open.items {
            Items::List(nodes) => format!("{path}[{}]", nodes.len()),
            Items::Map { key: Some(key), .. } if !key.text.is_empty() => join(&path, &key.text),
            Items::Map { .. } => path,
        })
    }

    fn grow(&mut self, at: Position, by: Weight) -> Result<(), (Position, Problem)> {
        self.weight.nodes += by.nodes;
        self.weight.bytes += by.bytes;
        if self.weight.nodes > NODES_MAX || self.weight.bytes > TEXT_BYTES_MAX {
            return Err((at, Problem::TooManyNodes));
        }
        if self.open.len() + by.levels > LEVELS_MAX {
            return Err((at, Problem::TooDeep(LEVELS_MAX)));
        }
        Ok(())
    }

    fn refuse_tag(&mut self, at: Position, tagged: bool) {
        if tagged {
            let path = self.path();
            self.faults.push((at, path, Problem::Tag));
        }
    }
}

/// The key's text, and what is wrong with it.
fn check_key(
    value: Value,
    at: Position,
    lines: &mut HashMap<String, usize>,
) -> (String, Option<Problem>) {
    let Value::Scalar(text) = value else {
        return (String::new(), Some(Problem::KeyKind));
    };
    if text == "<<" {
        return (text, Some(Problem::MergeKey));
    }
    let problem = match lines.get(&text) {
        Some(first_line) => Some(Problem::Duplicate { first_line: *first_line }),
        None => {
            lines.insert(text.clone(), at.line);
            None
        }
    };
    (text, problem)
}

fn weigh(node: &Node) -> Weight {
    let (keys, own, children): (usize, usize, Vec<Weight>) = match &node.value {
        Value::Null => (0, 0, Vec::new()),
        Value::Scalar(text) => (0, text.len(), Vec::new()),
        Value::List(nodes) => (0, 0, nodes.iter().map(weigh).collect()),
        Value::Map(entries) => (
            entries.len(),
            entries.iter().map(|entry| entry.key.len()).sum(),
            entries.iter().map(|entry| weigh(&entry.value)).collect(),
        ),
    };
    let is_collection = matches!(node.value, Value::List(_) | Value::Map(_));
    Weight {
        nodes: 1 + keys + children.iter().map(|child| child.nodes).sum::<usize>(),
        bytes: own + children.iter().map(|child| child.bytes).sum::<usize>(),
        levels: usize::from(is_collection)
            + children.iter().map(|child| child.levels).max().unwrap_or(0),
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// The parser takes a NUL for the end of the text and would read half a file in silence.
fn refuse_control_characters(text: &str) -> Result<(), (Position, Problem)> {
    let mut at = Position { line: 1, column: 1 };
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') {
            return Err((at, Problem::Character(c)));
        }
        at.step(c);
    }
    Ok(())
}

fn syntax(text: &str, fault: &ScanError) -> (Position, Problem) {
    let at = Position { line: fault.marker().line().max(1), column: fault.marker().col() + 1 };
    // What is still open at the end is reported a line behind it, where no editor can go.
    let at = at.min(end(text.trim_end()));
    let line = text.lines().nth(at.line - 1).unwrap_or_default();
    let value = line.split_once(": ").map_or("", |(_, value)| value.trim_start());
    let cure = match value.chars().next() {
        // Inside `{ … }` the closing brace of `${…}` ends the mapping.
        _ if line.contains("${") => SyntaxCure::QuoteDollar,
        Some(c) if "><|@`%&*!".contains(c) => SyntaxCure::Quote(c),
        _ if line.trim_end().contains('\t') => SyntaxCure::Spaces,
        _ => SyntaxCure::None,
    };
    (at, Problem::Syntax { reason: fault.info().to_owned(), cure })
}

/// As many as a file of another tool may have objectives, and each of them an indicator and alerts.
const DOCUMENTS_MAX: usize = 2_000;
/// Ten times as deep as the schema goes, and far from the end of the stack.
const LEVELS_MAX: usize = 64;
/// All log rules with all that they may have are near 5,000.
const NODES_MAX: usize = 20_000;
/// Four times the largest file.
const TEXT_BYTES_MAX: usize = 4 << 20;
