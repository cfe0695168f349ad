//! What can be wrong with a configuration file, as data: each fault knows its place and its cure,
//! and no fault ever holds a value that came from the environment or from another file.

use std::fmt;
use std::io::ErrorKind;

use redora_collector::sources::github::KeyFault;
use redora_model::slo::QueryFault;
use thiserror::Error;

use super::foreign::reason::Inconvertible;
use super::interpolate::Broken;
use super::scalar::{Form, Shown};

/// Every fault of one configuration file, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults(pub Vec<Fault>);

/// One fault and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The file's name as it was given.
    pub file: String,
    /// The line, from 1; 0 where the fault belongs to the file as a whole.
    pub line: usize,
    /// The column in characters, from 1; 0 where the fault belongs to the file as a whole.
    pub column: usize,
    /// The dotted path of the key, `limits.memory` or `log_metrics[0].name`; empty above all keys.
    pub key: String,
    /// What is wrong there, and the cure.
    pub problem: Problem,
}

/// What is wrong; the text names the cure.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Problem {
    /// The file itself cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(ErrorKind),
    /// The file has more bytes than a configuration needs.
    #[error("has more than {bytes_max} bytes; a configuration stays below that")]
    TooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// Bytes that are no UTF-8 text.
    #[error("is no UTF-8 text here; save the file as UTF-8")]
    Encoding,
    /// A character that YAML does not permit.
    #[error("character U+{:04X} may not stand in YAML; remove it", u32::from(*.0))]
    Character(char),
    /// The text is no YAML.
    #[error("is no YAML: {reason}{cure}")]
    Syntax {
        /// The parser's words.
        reason: String,
        /// What usually helps.
        cure: SyntaxCure,
    },
    /// Collections inside collections beyond any configuration.
    #[error("is nested more than {0} levels deep; no section needs that")]
    TooDeep(usize),
    /// The file and its aliases unfold to more than a configuration needs.
    #[error("holds more than is read, aliases unfolded; split the file or the list")]
    TooManyNodes,
    /// An alias within the node that it stands for.
    #[error("this alias stands inside its own anchor; write the value out")]
    SelfAlias,
    /// A second YAML document.
    #[error("a second document starts here; keep one document per file")]
    Documents,
    /// A YAML tag.
    #[error(
        "tags such as !!str have no meaning here; remove the tag, and quote the value if need be"
    )]
    Tag,
    /// A mapping key that is no plain text.
    #[error("this key is no text; write it out as a word")]
    KeyKind,
    /// The merge key of YAML 1.1.
    #[error("merge keys are not part of YAML 1.2; write the keys out")]
    MergeKey,
    /// The same key twice in one mapping.
    #[error("stands twice, first in line {first_line}; remove one")]
    Duplicate {
        /// Where it stood first.
        first_line: usize,
    },
    /// A key that the schema does not know.
    #[error("is no known key{}", did_you_mean(.nearest))]
    Unknown {
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// A section that a later version will read.
    #[error("is not part of this version; remove the section until then")]
    NotYet,
    /// Another shape of value than the key takes.
    #[error("is {found} and must be {wanted}")]
    Kind {
        /// What stands there.
        found: &'static str,
        /// What the key takes.
        wanted: &'static str,
    },
    /// A required key is missing or null.
    #[error("is missing; {0}")]
    Missing(&'static str),
    /// A `${…}` that cannot be replaced.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// A scalar that is not of the form that the key takes.
    #[error("{shown} is no {}; {}", .form.noun(), .form.cure())]
    Value {
        /// The value, or where it came from.
        shown: Shown,
        /// What the key takes.
        form: Form,
    },
    /// A value of the right form beyond its bounds.
    #[error("{shown} is out of bounds; use {min} to {max}")]
    Bounds {
        /// The value, or where it came from.
        shown: Shown,
        /// The lowest value that is taken.
        min: String,
        /// The highest value that is taken.
        max: String,
    },
    /// More elements than the key takes.
    #[error("has {found} entries; {max} are the most")]
    TooMany {
        /// Entries in the file.
        found: usize,
        /// Entries that are taken.
        max: usize,
    },
    /// A pattern of files that none matches.
    #[error("{shown} matches no file in {folder}; write the file, or remove the pattern")]
    NoFile {
        /// The pattern, or where it came from.
        shown: Shown,
        /// The folder that was looked into.
        folder: String,
    },
    /// A folder that cannot be looked into.
    #[error("{folder} cannot be looked into: {kind}; create it, or let redora's user read it")]
    Folder {
        /// The folder.
        folder: String,
        /// The system's reason.
        kind: ErrorKind,
    },
    /// A list that needs an element.
    #[error("is an empty list; {0}")]
    EmptyList(&'static str),
    /// What is right by itself does not go with another part of the configuration.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// An objective of another tool that cannot become one of redora's.
    #[error(transparent)]
    Foreign(#[from] Inconvertible),
    /// A text that is no private key of an App.
    #[error(transparent)]
    PrivateKey(#[from] KeyFault),
    /// A text that is no question to Prometheus.
    #[error("{shown} {fault}")]
    Query {
        /// The text, or where it came from.
        shown: Shown,
        /// What is wrong with it.
        fault: QueryFault,
    },
    /// A regular expression that does not compile.
    #[error(
        "{shown} is no regular expression{}; escape special characters with a backslash",
        because(.reason)
    )]
    Regex {
        /// The expression, or where it came from.
        shown: Shown,
        /// The compiler's words, where the expression stands in the file itself.
        reason: Option<String>,
    },
    /// A regular expression that costs too much memory.
    #[error("{shown} compiles to more than {bytes_max} bytes; lower its repetition counts")]
    RegexSize {
        /// The expression, or where it came from.
        shown: Shown,
        /// The bound.
        bytes_max: usize,
    },
}

/// Two parts of the configuration that cannot stand together.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Conflict {
    /// Memory for fewer than one largest request.
    #[error(
        "a request may hold twice its {request_bytes} (compressed and plain), but limits.memory \
         is {memory}; raise limits.memory to {needed} or lower limits.request_bytes"
    )]
    Memory {
        /// `limits.request_bytes`, or where it came from.
        request_bytes: Shown,
        /// `limits.memory`, or where it came from.
        memory: Shown,
        /// The least that `limits.memory` must be, in words.
        needed: String,
    },
    /// Two listeners on one address and port.
    #[error("{shown} overlaps with {other}; give one of them another port")]
    Listener {
        /// The address, or where it came from.
        shown: Shown,
        /// The key of the other listener.
        other: String,
    },
    /// A label that the metric has already.
    #[error(
        "{shown} would become the label `{label}`, which the metric has already; choose another \
         attribute"
    )]
    ReservedLabel {
        /// The attribute, or where it came from.
        shown: Shown,
        /// The reserved label.
        label: &'static str,
    },
    /// Two attributes of one list with the same label.
    #[error("{shown} would become the same label as {other}; remove one")]
    SameLabel {
        /// The attribute, or where it came from.
        shown: Shown,
        /// The key of the other attribute.
        other: String,
    },
    /// A rule's name that another rule has.
    #[error("{shown} is already the name of {other}; names are unique")]
    SameName {
        /// The name, or where it came from.
        shown: Shown,
        /// The key of the other rule.
        other: String,
    },
    /// A rule's name whose metric exists.
    #[error("{shown} would count into {metric}, which exists already; choose another name")]
    ReservedName {
        /// The name, or where it came from.
        shown: Shown,
        /// The existing metric.
        metric: &'static str,
    },
    /// `body` beside `body_regex`.
    #[error("stands beside body; keep one of the two")]
    TwoBodies,
    /// `app` beside `token`.
    #[error("stands beside token; keep one of the two")]
    TokenAndApp,
    /// `prereleases` without `releases`.
    #[error("counts beside releases: true; add that, or remove this")]
    PrereleasesAlone,
    /// An element of `incidents` that names no teller, or several.
    #[error(
        "names {0} tellers of incidents; give exactly one of jsonl, statuspage, github_labels, \
         alertmanager, pagerduty or webhook"
    )]
    Tellers(usize),
    /// An objective's name that another one of the service has.
    #[error("{shown} is already the name of {other}, for the same service; give it another name")]
    SameObjective {
        /// The name, or where it came from.
        shown: Shown,
        /// The file and the key of the other objective.
        other: String,
    },
    /// Another choice of queries than one of those that make a ratio.
    #[error(
        "tells no events, or tells them twice; give total with bad or good, or bad_ratio alone"
    )]
    Queries,
    /// What picks requests of the agent's own, beside metrics of others.
    #[error("picks requests that redora counts; pick in the queries of prometheus instead")]
    NotOfMetrics,
    /// A period of the calendar for metrics of others.
    #[error("follows the calendar, which metrics of others cannot; write a duration such as 30d")]
    CalendarOfMetrics,
    /// More objectives in all files than are taken.
    #[error("is one objective more than the {0} that are taken; split them between agents")]
    Objectives(usize),
    /// More attributes in the `match` of all objectives than are looked for.
    #[error("is one attribute more than the {0} that all objectives together may ask for")]
    Attributes(usize),
    /// Two keys of which one is enough.
    #[error("stands beside {0}; keep one of the two")]
    Beside(&'static str),
    /// A key of requests in an objective over log records.
    #[error("says nothing of log records; ask for attributes in indicator.logs.total instead")]
    NotOfRecords,
    /// More objectives over log records in all files than a record is held against.
    #[error("is one objective over log records more than the {0} that an agent counts")]
    RecordObjectives(usize),
    /// A slice that is no whole number of seconds.
    #[error("{0} is no whole number of seconds; leave out the milliseconds")]
    PartOfSecond(Shown),
    /// `none` beside other families.
    #[error("none stands alone; remove it or the other families")]
    NoneAlone,
    /// The same element twice.
    #[error("{0} stands twice in the list; remove one")]
    Repeated(Shown),
    /// A bucket that does not rise above the one before.
    #[error(
        "{0} does not rise above the bound before it; sort the bounds and remove repeated ones"
    )]
    Order(Shown),
}

/// What usually helps against a syntax fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxCure {
    /// Nothing in particular.
    None,
    /// Quotes around a value that starts with a character of YAML's own.
    Quote(char),
    /// Quotes around a value with `${…}`, whose brace closes a mapping.
    QuoteDollar,
    /// Spaces instead of tabs.
    Spaces,
}

impl Faults {
    /// The faults in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for SyntaxCure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SyntaxCure::None => Ok(()),
            SyntaxCure::Quote(c) => write!(f, "; put quotes around a value that starts with {c}"),
            SyntaxCure::QuoteDollar => f.write_str("; put quotes around a value that holds ${…}"),
            SyntaxCure::Spaces => f.write_str("; indent with spaces, not with tabs"),
        }
    }
}

/// A dotted path; a key that would not read as one is quoted, and clipped where it is a whole page.
pub(super) fn join(path: &str, name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name = if !name.is_empty() && name.len() <= 80 && name.chars().all(plain) {
        name.to_owned()
    } else {
        Shown::quoted(name).to_string()
    };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    match nearest {
        Some(key) => format!("; did you mean `{key}`?"),
        None => "; remove it".to_owned(),
    }
}

fn because(reason: &Option<String>) -> String {
    reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
}
