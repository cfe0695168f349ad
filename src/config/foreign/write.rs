//! Objectives as a file of redora's own, for people to read, keep and change: what stayed behind
//! stands as a comment right above the objective that it belonged to.

use std::fmt::Write as _;
use std::time::Duration;

use redora_model::slo::{Queries, Tiers, Window};

use super::super::scalar::{duration_text, nanos_text};
use super::draft::{Draft, Measure, Note};
use super::query;
use crate::slo::Select;

/// The objectives of a file, under its name.
pub(in super::super) fn write(file: &str, drafts: &[Draft]) -> String {
    let mut text = String::new();
    comment(&mut text, &format!("From {file}"));
    for draft in drafts {
        text.push('\n');
        objective(&mut text, draft);
    }
    text
}

fn objective(out: &mut String, draft: &Draft) {
    let Draft { name, service, measure, goal, window, slices, tiers, contact, .. } = draft;
    for line in draft.about.lines() {
        comment(out, line);
    }
    for Note { line, key, reason, .. } in &draft.notes {
        comment(out, &format!("line {line}, {key}: {reason}"));
    }
    out.push_str("- ");
    let first = out.len();
    entry(out, 1, "name", name);
    // The dash stands where the first key would be indented.
    out.replace_range(first..first + INDENT.len(), "");
    entry(out, 1, "service", service);
    if let Measure::Counted { select, .. } = measure {
        selection(out, select);
    }
    entry(out, 1, "objective", &goal.to_string());
    match window {
        Window::Rolling { seconds } => {
            entry(out, 1, "window", &duration_text(Duration::from_secs(*seconds)));
        }
        Window::Calendar { period, time_zone } => {
            section(out, 1, "window");
            entry(out, 2, "calendar", period.as_str());
            entry(out, 2, "time_zone", time_zone);
        }
    }
    indicator(out, measure);
    if let Some(slices) = slices {
        section(out, 1, "slices");
        entry(out, 2, "length", &duration_text(Duration::from_secs(slices.seconds)));
        entry(out, 2, "good", &slices.good.to_string());
    }
    let wanted = match tiers {
        Tiers { page: true, ticket: true } => "",
        Tiers { page: true, ticket: false } => "[page]",
        Tiers { page: false, ticket: true } => "[ticket]",
        Tiers { page: false, ticket: false } => "[]",
    };
    if !wanted.is_empty() {
        line(out, 1, "tiers", wanted);
    }
    for (key, value) in [("team", &contact.team), ("runbook", &contact.runbook)] {
        if !value.is_empty() {
            entry(out, 1, key, value);
        }
    }
}

fn selection(out: &mut String, select: &Select) {
    if let Some(operation) = &select.operation {
        entry(out, 1, "operation", operation);
    }
    if let Some(kind) = select.kind {
        entry(out, 1, "kind", kind.as_str());
    }
    if !select.attributes.is_empty() {
        section(out, 1, "match");
    }
    for (key, value) in &select.attributes {
        let key = if is_plain(key) && !key.contains(':') { key.clone() } else { quoted(key) };
        entry(out, 2, &key, value);
    }
}

fn indicator(out: &mut String, measure: &Measure) {
    let queries = match measure {
        Measure::Counted { threshold_ns: None, .. } => {
            return entry(out, 1, "indicator", "availability");
        }
        Measure::Counted { threshold_ns: Some(threshold_ns), .. } => {
            section(out, 1, "indicator");
            section(out, 2, "latency");
            return entry(out, 3, "threshold", &nanos_text(*threshold_ns));
        }
        Measure::Queried(queries) => queries,
    };
    section(out, 1, "indicator");
    section(out, 2, "prometheus");
    match queries {
        Queries::Bad { total, bad } => {
            entry(out, 3, "total", &query::text(total));
            entry(out, 3, "bad", &query::text(bad));
        }
        Queries::Good { total, good } => {
            entry(out, 3, "total", &query::text(total));
            entry(out, 3, "good", &query::text(good));
        }
        Queries::BadRatio(ratio) => entry(out, 3, "bad_ratio", &query::over_window(ratio)),
    }
}

/// A key with its value, in the plainest form that reads back as the same text.
fn entry(out: &mut String, level: usize, key: &str, value: &str) {
    let value = uninterpolated(value);
    if is_plain(&value) {
        line(out, level, key, &value);
    } else if is_block(&value) {
        line(out, level, key, "|-");
        for text in value.split('\n') {
            if !text.is_empty() {
                out.extend(std::iter::repeat_n(INDENT, level + 1));
                out.push_str(text);
            }
            out.push('\n');
        }
    } else {
        line(out, level, key, &quoted(&value));
    }
}

fn section(out: &mut String, level: usize, key: &str) {
    out.extend(std::iter::repeat_n(INDENT, level));
    out.push_str(key);
    out.push_str(":\n");
}

fn line(out: &mut String, level: usize, key: &str, value: &str) {
    out.extend(std::iter::repeat_n(INDENT, level));
    writeln!(out, "{key}: {value}").expect("a string takes it");
}

/// A comment in lines of a readable length; what would end one is a blank.
fn comment(out: &mut String, text: &str) {
    let mut columns = COLUMNS_MAX;
    for word in text.split(|c: char| c.is_whitespace() || !is_printable(c)) {
        if word.is_empty() {
            continue;
        }
        let wide = word.chars().count() + 1;
        if columns + wide > COLUMNS_MAX {
            if !out.is_empty() && !out.ends_with('\n') {
                out.push('\n');
            }
            out.push('#');
            columns = 1;
        }
        out.push(' ');
        out.push_str(word);
        columns += wide;
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// The text with its dollars doubled where one would be read as the start of an interpolation.
fn uninterpolated(text: &str) -> String {
    let mut doubled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let run = rest[at..].find(|c| c != '$').unwrap_or(rest.len() - at);
        let (before, after) = (&rest[..at], &rest[at + run..]);
        doubled.push_str(before);
        let is_plain = run == 1 && !after.starts_with('{');
        doubled.extend(std::iter::repeat_n('$', if is_plain { 1 } else { 2 * run }));
        rest = after;
    }
    doubled.push_str(rest);
    doubled
}

/// Whether a text stands for itself without quotes, as a value in a block.
fn is_plain(text: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '(' | '/');
    text.starts_with(starts)
        && text.chars().all(|c| c == ' ' || (is_printable(c) && !c.is_whitespace()))
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !["null", "Null", "NULL"].contains(&text)
}

/// Whether a text of several lines stands for itself in a literal block.
fn is_block(text: &str) -> bool {
    let is_kept = |line: &str| {
        line.chars().all(|c| c == ' ' || (is_printable(c) && !c.is_whitespace()))
            && (line.is_empty() || !line.trim().is_empty())
    };
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with('\n')
        && text.split('\n').all(is_kept)
}

/// A text in double quotes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_printable(c) => quoted.push(c),
            c => write!(quoted, "\\U{:08X}", u32::from(c)).expect("a string takes it"),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a character is one that YAML shows as it is.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

const INDENT: &str = "  ";
const COLUMNS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::node::{self, Value};

    /// What a value reads back as, dollars aside.
    #[track_caller]
    fn read_back(value: &str) -> String {
        let mut text = String::from("- \n");
        entry(&mut text, 1, "key", value);
        let tree = node::read(&text).unwrap_or_else(|fault| panic!("{fault:?} in {text:?}"));
        let Some(Value::List(list)) = tree.root.map(|root| root.value) else { panic!("{text:?}") };
        let Value::Map(entries) = &list[0].value else { panic!("{text:?}") };
        match &entries[0].value.value {
            Value::Scalar(found) => found.clone(),
            other => panic!("{other:?} in {text:?}"),
        }
    }

    #[test]
    fn the_plainest_form_is_taken() {
        for (value, expected) in [
            ("shop", "key: shop\n"),
            ("POST /checkout", "key: POST /checkout\n"),
            ("99.9%", "key: 99.9%\n"),
            ("a{b=\"c\",d=~\"5..$\"}", "key: a{b=\"c\",d=~\"5..$\"}\n"),
            ("null", "key: \"null\"\n"),
            ("", "key: \"\"\n"),
            ("a: b", "key: \"a: b\"\n"),
            ("a #b", "key: \"a #b\"\n"),
            ("{a}", "key: \"{a}\"\n"),
            ("(\n  a\n)", "key: |-\n  (\n    a\n  )\n"),
            (" a\nb", "key: \" a\\nb\"\n"),
            ("a\u{7}", "key: \"a\\U00000007\"\n"),
            ("${A} $$ $", "key: \"$${A} $$$$ $\"\n"),
        ] {
            let mut text = String::new();
            entry(&mut text, 0, "key", value);
            assert_eq!(text, expected, "{value:?}");
        }
    }

    #[test]
    fn a_comment_is_one_whatever_stands_in_it() {
        let mut text = String::new();
        comment(&mut text, &format!("a\nb\u{85}c\u{2028}d\r {}", "word ".repeat(30)));
        assert!(text.lines().all(|line| line.starts_with("# ") && line.len() <= 100), "{text}");
        assert!(text.starts_with("# a b c d word"), "{text}");
        let before = text.clone();
        comment(&mut text, "\n");
        assert_eq!(text, before);
    }

    proptest! {
        #[test]
        fn any_text_reads_back(value in any::<String>()) {
            prop_assert_eq!(read_back(&value), uninterpolated(&value));
        }

        #[test]
        fn any_text_of_yaml_characters_reads_back(
            value in "[-a:{}\\[\\],&*!|>'\"%@#? \t\r\n~$]{0,12}",
        ) {
            prop_assert_eq!(read_back(&value), uninterpolated(&value));
        }
    }
}
