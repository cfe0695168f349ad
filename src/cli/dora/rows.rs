//! Numbers as lines for people, as aligned columns or as Markdown: each with what it is counted
//! over, and `-` where there is none. Which lines there are is not decided here.

use std::fmt::Write;

pub(super) use super::super::columns::time;
use crate::app::delivery::text;

/// The lines of a place.
pub(super) struct Block {
    head: String,
    rows: Vec<Row>,
}

/// One line: what, how much, counted over what.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) basis: String,
}

impl Block {
    pub(super) fn new(
        service: &str,
        environment: &str,
        from_ms: i64,
        to_ms: i64,
        rows: Vec<Row>,
    ) -> Self {
        let head = format!("{service} in {environment}, {} to {}\n", text(from_ms), text(to_ms));
        Self { head, rows }
    }
}

/// Aligned columns.
pub(super) fn table(blocks: &[Block]) -> String {
    let mut out = String::new();
    for Block { head, rows } in blocks {
        let width = |cell: fn(&Row) -> &str| rows.iter().map(|row| cell(row).len()).max();
        let (first, second) = (width(|row| row.name), width(|row| &row.value));
        let (first, second) = (first.unwrap_or(0), second.unwrap_or(0));
        out.push_str(head);
        for Row { name, value, basis } in rows {
            let line = format!("  {name:first$}  {value:second$}  {basis}");
            let _infallible = writeln!(out, "{}", line.trim_end());
        }
    }
    if blocks.is_empty() { NOTHING.to_owned() } else { out }
}

/// Tables of Markdown.
pub(super) fn markdown(blocks: &[Block]) -> String {
    let mut out = String::new();
    for Block { head, rows } in blocks {
        let _infallible =
            write!(out, "### {head}\n| metric | value | over |\n| --- | --- | --- |\n");
        for Row { name, value, basis } in rows {
            let _infallible = writeln!(out, "| {name} | {value} | {basis} |");
        }
        out.push('\n');
    }
    if blocks.is_empty() { NOTHING.to_owned() } else { out }
}

pub(super) fn absent() -> String {
    "-".to_owned()
}

pub(super) fn percent(ratio: f64) -> String {
    format!("{:.1} %", ratio * 100.0)
}

const NOTHING: &str = "no deployments are known; `redora dora import FILE` stores some\n";
