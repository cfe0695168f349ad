//! Sizes, titles and names of files. A long file is a room that was not found yet; the one list of
//! exceptions is checked from both sides, so that it cannot outlive its reasons.

use std::collections::BTreeMap;

use crate::scan::Scan;
use crate::tree::{Area, File, Tree};
use crate::{Fault, Law, Measure};

/// Names under which anything could be filed, and therefore nothing can be found.
const NAMES: [&str; 10] = [
    "common", "helper", "helpers", "manager", "managers", "misc", "shared", "stuff", "util",
    "utils",
];

/// Words that a title sentence needs to say both what and why.
const TITLE_WORDS_MIN: usize = 6;

impl Measure<'_> {
    fn limit(self) -> usize {
        match self {
            Measure::FileLines => 400,
            Measure::FunctionLines(_) => 60,
            Measure::StructFields(_) => 12,
            Measure::Columns => 100,
        }
    }

    fn too_much(self, size: usize, allowed: usize) -> String {
        match self {
            Measure::FileLines => format!("file of {size} lines before its tests, not {allowed}"),
            Measure::FunctionLines(name) => {
                format!("function `{name}` of {size} lines, not {allowed}")
            }
            Measure::StructFields(name) => {
                format!("struct `{name}` of {size} fields, not {allowed}")
            }
            Measure::Columns => format!("line of {size} columns, not {allowed}"),
        }
    }
}

/// Titles, names, sizes and stale exceptions.
pub(crate) fn check(tree: &Tree, law: &Law, faults: &mut Vec<Fault>) {
    let mut largest: BTreeMap<(&str, Measure<'_>), usize> = BTreeMap::new();
    for file in &tree.files {
        title_and_name(file, faults);
        for (measure, line, size) in measures(file) {
            let today = largest.entry((&file.path, measure)).or_default();
            *today = size.max(*today);
            let exception =
                law.exceptions.iter().find(|e| e.path == file.path && e.measure == measure);
            let allowed = exception.map_or(measure.limit(), |e| e.max);
            if size > allowed {
                faults.push(Fault::new(&file.path, line, measure.too_much(size, allowed)));
            }
        }
    }
    for exception in law.exceptions {
        let today = largest.get(&(exception.path, exception.measure)).copied().unwrap_or(0);
        let stale = if today <= exception.measure.limit() {
            "is needed no longer: delete it".to_owned()
        } else if today < exception.max {
            format!("says {} and today is {today}: lower it", exception.max)
        } else {
            continue;
        };
        let text = format!("exception for {:?} of {} {stale}", exception.measure, exception.path);
        faults.push(Fault::new("tests/tidy.rs", 0, text));
    }
}

fn title_and_name(file: &File, faults: &mut Vec<Fault>) {
    let lines = file.text.lines().map_while(|line| line.strip_prefix("//!"));
    let paragraph: Vec<&str> = lines.map(str::trim).take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    let sentence = paragraph.split_inclusive(". ").next().unwrap_or_default().trim_end();
    if !sentence.ends_with('.') || sentence.split_whitespace().count() < TITLE_WORDS_MIN {
        let text = format!("no title: open with `//!` and a sentence of {TITLE_WORDS_MIN} words");
        faults.push(Fault::new(&file.path, 1, text));
    }
    if let Some(name) = file.path.trim_end_matches(".rs").split('/').find(|p| NAMES.contains(p)) {
        faults.push(Fault::new(&file.path, 1, format!("`{name}` names nothing that is in it")));
    }
    if let Err((line, words)) = &file.scan {
        faults.push(Fault::new(&file.path, *line, format!("does not parse: {words}")));
    }
    for line in file.scan.iter().flat_map(|scan| &scan.ignored) {
        faults.push(Fault::new(&file.path, *line, "an ignored test tests nothing".to_owned()));
    }
}

/// What is measured in a file: the measure, the line to report and the size.
fn measures(file: &File) -> Vec<(Measure<'_>, usize, usize)> {
    let mut found = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let width = line.chars().count();
        if width > Measure::Columns.limit() && !is_test_data(file, number + 1, line) {
            found.push((Measure::Columns, number + 1, width));
        }
    }
    let Ok(scan) = &file.scan else { return found };
    if file.area != Area::Test && !file.test_only {
        let lines = file.text.lines().count() - test_lines(scan);
        found.push((Measure::FileLines, 1, lines));
        for function in &scan.functions {
            let measure = Measure::FunctionLines(&function.name);
            found.push((measure, function.line, function.size));
        }
        for record in &scan.structs {
            let measure = Measure::StructFields(&record.name);
            found.push((measure, record.line, record.size));
        }
    }
    found
}

fn test_lines(scan: &Scan) -> usize {
    scan.test_lines.iter().map(|(first, last)| last + 1 - first).sum()
}

/// Whether a line of test code is part of a string: what a test feeds or expects is as wide as it
/// is in the world. Doc comments are strings to the parser, and comments all the same.
fn is_test_data(file: &File, number: usize, line: &str) -> bool {
    let Ok(scan) = &file.scan else { return false };
    let holds = |ranges: &[(usize, usize)]| {
        ranges.iter().any(|(first, last)| (*first..=*last).contains(&number))
    };
    let is_test = file.area == Area::Test || file.test_only || holds(&scan.test_lines);
    is_test && holds(&scan.strings) && !line.trim_start().starts_with("//")
}
