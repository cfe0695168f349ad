//! The section `log_metrics`: counters over log records, each rule checked so far that its metric
//! cannot clash and its expression cannot cost unbounded memory.

use regex::{Regex, RegexBuilder};

use super::fault::{Conflict, Problem};
use super::red::dimensions;
use super::scalar::Form;
use super::walk::{Field, Section, Typed, Walk};
use crate::log_metrics::Rule;
use crate::record::{Body, Match, SeverityRange};

/// Reads `log_metrics`.
pub(super) fn log_metrics(walk: &mut Walk<'_>, field: &Field<'_>) -> Vec<Rule> {
    let mut names: Vec<Typed<String>> = Vec::new();
    let mut rules = Vec::new();
    for field in walk.elements(field, RULES_MAX).unwrap_or_default() {
        let Some(section) = walk.section(field, "log_metrics[]") else { continue };
        let name = name(walk, &section, &mut names);
        let matches = section.field("match").map(|field| matches(walk, field)).unwrap_or_default();
        let labels = section
            .field("labels")
            .map(|field| dimensions(walk, &field, &LOG_LABELS))
            .unwrap_or_default();
        if let Some(name) = name {
            rules.push(Rule { name, matches, labels });
        }
    }
    rules
}

fn name(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    names: &mut Vec<Typed<String>>,
) -> Option<String> {
    let faults = walk.faults();
    let given = section.field("name");
    let typed = given.and_then(|field| walk.typed(&field, Form::MetricName, metric_name));
    let Some(typed) = typed else {
        if walk.faults() == faults {
            let cure = "give the rule a name, such as payment_declined";
            walk.fault(section.at, &section.key("name"), Problem::Missing(cure));
        }
        return None;
    };
    let shown = typed.shown.clone();
    if let Some((_, metric)) = TAKEN_NAMES.iter().find(|(taken, _)| *taken == typed.value) {
        typed.conflict(walk, Conflict::ReservedName { shown, metric });
    } else if let Some(early) = names.iter().find(|early| early.value == typed.value) {
        typed.conflict(walk, Conflict::SameName { shown, other: early.key.clone() });
    } else {
        names.push(typed.clone());
    }
    Some(typed.value)
}

/// `_total` is the metric's own ending, and beside a family `x` OpenMetrics permits neither
/// `x_total` nor `x_created`.
fn metric_name(text: &str) -> Option<String> {
    let legal = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && text.len() <= NAME_BYTES_MAX
        && !text.ends_with("_total")
        && !text.ends_with("_created");
    legal.then(|| text.to_owned())
}

/// Reads what a record must have, under whichever key.
pub(super) fn matches(walk: &mut Walk<'_>, field: Field<'_>) -> Match {
    let mut matches = Match::default();
    let Some(section) = walk.section(field, "log_metrics[].match") else { return matches };
    if let Some(field) = section.field("severity") {
        matches.severity = walk.typed(&field, Form::Severity, severities).map(|typed| typed.value);
    }
    if let Some(field) = section.field("body") {
        let needle = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        matches.body =
            walk.typed(&field, Form::Needle, needle).map(|typed| Body::Contains(typed.value));
    }
    if let Some(field) = section.field("body_regex") {
        if section.field("body").is_some() {
            walk.fault(field.at, &field.key, Conflict::TwoBodies);
        }
        matches.body = expression(walk, &field).map(Body::Matches);
    }
    if let Some(field) = section.field("attributes") {
        for (key, field) in walk.map(&field, ATTRIBUTES_MAX).unwrap_or_default() {
            if let Some(text) = walk.text(&field) {
                matches.attributes.push((key.to_owned(), text.value));
            }
        }
    }
    matches
}

fn expression(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Regex> {
    let needle = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let typed = walk.typed(field, Form::Needle, needle)?;
    let built = RegexBuilder::new(&typed.value)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build();
    let problem = match built {
        Ok(regex) => return Some(regex),
        Err(regex::Error::CompiledTooBig(bytes_max)) => {
            Problem::RegexSize { shown: typed.shown, bytes_max }
        }
        Err(fault) => {
            // The last line is the reason; the lines above repeat the expression, which may be a
            // secret.
            let words = fault.to_string();
            let last = words.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let reason = (!typed.foreign).then(|| last.to_owned());
            Problem::Regex { shown: typed.shown, reason }
        }
    };
    walk.fault(typed.at, &typed.key, problem);
    None
}

/// A range of severity numbers from `>=WARN`, `<INFO`, `ERROR` or `WARN..ERROR`.
///
/// "At most" starts at 1: a record without a severity is not known to be below anything.
fn severities(text: &str) -> Option<SeverityRange> {
    let text = text.trim();
    let (min, max) = if let Some(name) = text.strip_prefix(">=") {
        (graded(name)?.min, SEVERITY_MAX)
    } else if let Some(name) = text.strip_prefix("<=") {
        (1, graded(name)?.max)
    } else if let Some(name) = text.strip_prefix('>') {
        (graded(name)?.max + 1, SEVERITY_MAX)
    } else if let Some(name) = text.strip_prefix('<') {
        (1, graded(name)?.min - 1)
    } else if let Some((low, high)) = text.split_once("..") {
        (graded(low)?.min, graded(high)?.max)
    } else {
        let exact = level(text)?;
        (exact.min, exact.max)
    };
    (min <= max).then_some(SeverityRange { min, max })
}

/// A level that stands in an order: every one but UNSPECIFIED.
fn graded(name: &str) -> Option<SeverityRange> {
    level(name).filter(|range| range.min > 0)
}

fn level(name: &str) -> Option<SeverityRange> {
    let name = name.trim();
    let at = LEVELS.iter().position(|level| level.eq_ignore_ascii_case(name))?;
    let at = u8::try_from(at).expect("seven levels");
    Some(match at {
        0 => SeverityRange { min: 0, max: 0 },
        _ => SeverityRange { min: at * 4 - 3, max: at * 4 },
    })
}

/// OTLP's levels, each but the first with four numbers, in their order.
const LEVELS: [&str; 7] = ["UNSPECIFIED", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const SEVERITY_MAX: u8 = 24;
/// Every record is held against every rule.
const RULES_MAX: usize = 64;
const ATTRIBUTES_MAX: usize = 16;
const NAME_BYTES_MAX: usize = 64;
/// Of one compiled expression: alternatives of some hundred words fit, nested repetitions do not.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// Labels that the counters have by themselves.
const LOG_LABELS: [&str; 2] = ["service", "tenant"];
/// Names whose metric redora has already.
const TAKEN_NAMES: [(&str, &str); 1] = [("records", "redora_log_records_total")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_ranges_of_otlp_numbers() {
        for (text, range) in [
            (">=WARN", Some((13, 24))),
            (">= warn", Some((13, 24))),
            ("<=INFO", Some((1, 12))),
            (">WARN", Some((17, 24))),
            ("<WARN", Some((1, 12))),
            ("ERROR", Some((17, 20))),
            ("fatal", Some((21, 24))),
            ("WARN..ERROR", Some((13, 20))),
            ("UNSPECIFIED", Some((0, 0))),
            ("ERROR..WARN", None),
            (">FATAL", None),
            ("<TRACE", None),
            (">=UNSPECIFIED", None),
            ("UNSPECIFIED..INFO", None),
            ("WARNING", None),
            ("13", None),
            (">=", None),
            ("", None),
        ] {
            let range = range.map(|(min, max)| SeverityRange { min, max });
            assert_eq!(severities(text), range, "{text}");
        }
    }
}
