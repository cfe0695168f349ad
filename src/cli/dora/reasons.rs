//! What is behind a number as lines for people, `+` for what counts and `-` for what does not. A
//! report's rows have one line a number; here a line is one deployment, change or incident.

use std::fmt::Write;

use crate::app::delivery::{Explained, Metric, Told, text};

/// What is told, a line each.
pub(super) fn table(all: &[Explained]) -> String {
    let mut out = String::new();
    for explained in all {
        let _infallible = writeln!(out, "{}", heading(explained));
        for told in &explained.explanation.told {
            let Line { sign, what, of, from, to, value, rule } = line(told);
            let of = if of.is_empty() { of } else { format!(" of {of}") };
            let _infallible = writeln!(out, "  {sign} {what}{of}  {from}  {to}  {value}  {rule}");
        }
    }
    if all.is_empty() { NOTHING.to_owned() } else { out }
}

/// What is told as tables of Markdown.
pub(super) fn markdown(all: &[Explained]) -> String {
    let mut out = String::new();
    for explained in all {
        let _infallible = writeln!(out, "### {}\n\n{HEAD}", heading(explained));
        for told in &explained.explanation.told {
            let Line { sign, what, of, from, to, value, rule } = line(told);
            let _infallible = writeln!(
                out,
                "| {sign} | {} | {} | {from} | {to} | {value} | {rule} |",
                cell(&what),
                cell(&of)
            );
        }
        out.push('\n');
    }
    if all.is_empty() { NOTHING.to_owned() } else { out }
}

fn heading(explained: &Explained) -> String {
    let Explained { service, environment, from_ms, to_ms, explanation } = explained;
    let name = match explanation.metric {
        Metric::Deployments => "deployments",
        Metric::LeadTime => "median lead time in seconds, commit to deployed",
        Metric::ChangeFailureRatio => "change failure ratio, confirmed",
        Metric::RecoveryTime => "median recovery time in seconds",
        Metric::ReworkRatio => "rework ratio",
    };
    format!(
        "{service} in {environment}, {} to {}: {name} {} over {}",
        text(*from_ms),
        text(*to_ms),
        number(explanation.value),
        explanation.n
    )
}

struct Line {
    sign: char,
    what: String,
    of: String,
    from: String,
    to: String,
    value: String,
    rule: &'static str,
}

fn line(told: &Told) -> Line {
    let moment = |ms: Option<i64>| ms.map_or_else(|| "-".to_owned(), text);
    Line {
        sign: if told.value.is_some() { '+' } else { '-' },
        what: format!("{} {}", told.kind, told.id),
        of: told.of.clone().unwrap_or_default(),
        from: moment(told.from_ms),
        to: moment(told.to_ms),
        value: number(told.value),
        rule: told.rule,
    }
}

/// A number in full, so that the reader can add it up.
fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A source chooses its ids, and a bar in one would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const HEAD: &str = "| | what | of | from | to | value | rule |\n| - | - | - | - | - | - | - |";

const NOTHING: &str = "no deployments are known; `redora dora import FILE` stores some\n";
