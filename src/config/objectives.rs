//! A file of objectives: a list, each element checked as far as a single agent can check it. What
//! the file is in is told by its shape, so that files of other tools can be told apart from a slip
//! of the pen.

use redora_model::identity::Service;
use redora_model::slo::{
    Goal, Indicator, Objective, Period, Queried, Queries, Severity, Tiers, Window,
};

use super::delivery::{plain_name, required, typed, url, zone};
use super::events;
use super::fault::{Conflict, Fault, Problem, join};
use super::foreign::{self, Draft, Note};
use super::interpolate::Sources;
use super::node::{self, Position};
use super::promise::{
    ATTRIBUTES_MAX, DEFAULT_WINDOW, Declared, THRESHOLD_NS_MAX, WINDOW_MAX, WINDOW_MIN, kind,
};
use super::queries::queries;
use super::scalar::{self, Form, Shown};
use super::walk::{Field, Section, Walk};
use crate::red::WATCHED_MAX;
use crate::slo::{Records, Select, Watched};

/// The objectives of the files so far.
#[derive(Default)]
pub(super) struct Known {
    objectives: Vec<Watched>,
    queried: Vec<Queried>,
    /// The name of each within its service, and where it stands.
    names: Vec<((Service, String), String)>,
    /// Every attribute that some objective asks for.
    attributes: Vec<String>,
    /// What stayed behind of the files of other tools.
    notes: Vec<Note>,
}

impl Known {
    /// Those that the agent counts for and those that it does not, in the order of the files.
    pub(super) fn into_objectives(self) -> (Vec<Watched>, Vec<Queried>, Vec<Note>) {
        (self.objectives, self.queried, self.notes)
    }
}

/// What makes an event good, by who counts it.
enum Told {
    Events(Indicator, Option<Records>),
    Metrics(Queries),
}

/// What a file is in.
enum FileKind {
    /// A list of redora's own objectives.
    Objectives,
    /// Documents that name their tool by `apiVersion` or `version`.
    Foreign,
}

/// Reads one file after those that are `known`; gives its faults.
pub(super) fn objectives(
    text: &str,
    file: &str,
    sources: Sources<'_>,
    known: &mut Known,
) -> Vec<Fault> {
    let mut walk = Walk::new(file, sources);
    let trees = match node::documents(text) {
        Ok(trees) => trees,
        Err((at, problem)) => {
            walk.fault(at, "", problem);
            return walk.finish();
        }
    };
    let whole = trees.iter().find_map(|tree| tree.root.as_ref()).map(|root| walk.whole(root));
    match whole.as_ref().map_or(FileKind::Objectives, FileKind::of) {
        FileKind::Foreign => {
            let found = foreign::read(file, walk, &trees, true);
            let mut walk = Walk::new(file, sources);
            for draft in found.drafts {
                foreign_one(&mut walk, draft, file, known);
            }
            known.notes.extend(found.notes);
            found.faults.into_iter().chain(walk.finish()).collect()
        }
        FileKind::Objectives => {
            if let Some(second) = trees.get(1) {
                walk.fault(second.at, "", Problem::Documents);
                return walk.finish();
            }
            for (at, key, problem) in trees.iter().flat_map(|tree| tree.faults.clone()) {
                walk.fault(at, &key, problem);
            }
            own(&mut walk, whole, file, known);
            walk.finish()
        }
    }
}

/// Reads a list of redora's own objectives.
fn own(walk: &mut Walk<'_>, whole: Option<Field<'_>>, file: &str, known: &mut Known) {
    let Some(whole) = whole else { return };
    for field in walk.elements(&whole, OBJECTIVES_MAX).unwrap_or_default() {
        let place = format!("{file}: {}", field.key);
        let Some(section) = walk.section(field, "objective") else { continue };
        if let Some(declared) = declared(walk, &section) {
            keep(walk, (section.at, section.path()), declared, place, known);
        }
    }
}

/// Keeps an objective of another tool, with what stayed behind of it.
fn foreign_one(walk: &mut Walk<'_>, mut draft: Draft, file: &str, known: &mut Known) {
    known.notes.append(&mut draft.notes);
    let foreign::Place { at, key } = draft.place.clone();
    let place = format!("{file}: the SLO in line {}", at.line);
    match draft.declared() {
        Ok(declared) => keep(walk, (at, &key), declared, place, known),
        Err(reason) => walk.fault(at, &key, reason),
    }
}

impl FileKind {
    fn of(whole: &Field<'_>) -> Self {
        let names = |name| matches!(name, "apiVersion" | "version");
        match whole.entries().iter().any(|(_, name, _)| names(*name)) {
            true => Self::Foreign,
            false => Self::Objectives,
        }
    }
}

/// Keeps an objective, unless another has its name or there are too many.
fn keep(
    walk: &mut Walk<'_>,
    (at, path): (Position, &str),
    declared: Declared,
    place: String,
    known: &mut Known,
) {
    let (service, name) = match &declared {
        Declared::Counted(of) => (&of.objective.service, &of.objective.name),
        Declared::Queried(of) => (&of.service, &of.name),
    };
    let names = (service.clone(), name.clone());
    if let Some((_, other)) = known.names.iter().find(|(other, _)| *other == names) {
        let (shown, other) = (Shown::quoted(name), other.clone());
        walk.fault(at, &join(path, "name"), Conflict::SameObjective { shown, other });
        return;
    }
    if known.names.len() == OBJECTIVES_MAX {
        walk.fault(at, path, Conflict::Objectives(OBJECTIVES_MAX));
        return;
    }
    match declared {
        Declared::Queried(queried) => known.queried.push(queried),
        Declared::Counted(watched) => {
            if !ask(walk, (at, path), &watched, known) {
                return;
            }
            known.objectives.push(watched);
        }
    }
    known.names.push((names, place));
}

/// Whether what an objective asks for of each span and record is within what is looked for, or
/// could be added to it.
fn ask(
    walk: &mut Walk<'_>,
    (at, path): (Position, &str),
    watched: &Watched,
    known: &mut Known,
) -> bool {
    let over_records = |of: &Watched| of.select.records.is_some();
    let others = known.objectives.iter().filter(|other| over_records(other)).count();
    if over_records(watched) && others == RECORD_OBJECTIVES_MAX {
        let conflict = Conflict::RecordObjectives(RECORD_OBJECTIVES_MAX);
        walk.fault(at, &join(path, "indicator"), conflict);
        return false;
    }
    for (key, _) in &watched.select.attributes {
        if known.attributes.contains(key) {
            continue;
        }
        if known.attributes.len() == WATCHED_MAX {
            walk.fault(at, &join(path, "match"), Conflict::Attributes(WATCHED_MAX));
            return false;
        }
        known.attributes.push(key.clone());
    }
    true
}

fn declared(walk: &mut Walk<'_>, section: &Section<'_>) -> Option<Declared> {
    let name = required(walk, section, "name", Form::Name, plain_name);
    let service = required(walk, section, "service", Form::Name, plain_name);
    let goal = required(walk, section, "objective", Form::Goal, Goal::parse);
    let indicator = indicator(walk, section);
    let window = window(walk, section);
    let slices = events::slices(walk, section);
    let select = select(walk, section);
    let tiers = tiers(walk, section);
    let team = typed(walk, section, "team", Form::Name, plain_name).unwrap_or_default();
    let runbook = typed(walk, section, "runbook", Form::Url, url).unwrap_or_default();
    if let Some(Told::Metrics(_)) = &indicator {
        apart(walk, section, window.as_ref());
    }
    let service = Service::new(&service?);
    let (name, goal, tiers, window) = (name?, goal?, tiers?, window?);
    match (indicator?, window) {
        (Told::Events(indicator, records), window) => {
            let objective =
                Objective { name, service, indicator, goal, window, tiers, team, runbook };
            let select = Select { records, ..select? };
            Some(Declared::Counted(Watched { objective, select, slices }))
        }
        (Told::Metrics(queries), Window::Rolling { seconds: window_s }) => {
            let queried = Queried { name, service, queries, goal, window_s, tiers, team, runbook };
            Some(Declared::Queried(queried))
        }
        // Told by `apart`.
        (Told::Metrics(_), Window::Calendar { .. }) => None,
    }
}

/// Names what cannot be said of metrics of others.
fn apart(walk: &mut Walk<'_>, section: &Section<'_>, window: Option<&Window>) {
    for key in ["operation", "kind", "match"] {
        if let Some(field) = section.field(key) {
            walk.fault(field.at, &field.key, Conflict::NotOfMetrics);
        }
    }
    if let Some(field) = section.field("slices") {
        walk.fault(field.at, &field.key, Conflict::Beside("indicator.prometheus"));
    }
    if let (Some(field), Some(Window::Calendar { .. })) = (section.field("window"), window) {
        walk.fault(field.at, &field.key, Conflict::CalendarOfMetrics);
    }
}

/// Reads `indicator`: a word, or a section with what the word needs.
fn indicator(walk: &mut Walk<'_>, objective: &Section<'_>) -> Option<Told> {
    let field = objective.field("indicator");
    let Some(field) = field.filter(Field::is_section) else {
        let word = |text: &str| (text == "availability").then_some(Indicator::Availability);
        let word = required(walk, objective, "indicator", Form::Indicator, word);
        return word.map(|word| Told::Events(word, None));
    };
    let section = walk.section(field, "objective.indicator")?;
    let [latency, logs, metrics] =
        ["latency", "logs", "prometheus"].map(|name| section.field(name));
    match (latency, logs, metrics) {
        (Some(latency), None, None) => {
            self::latency(walk, latency).map(|indicator| Told::Events(indicator, None))
        }
        (latency, Some(logs), None) => {
            if latency.is_some() {
                walk.fault(logs.at, &logs.key, Conflict::Beside("latency"));
            }
            events::without_requests(walk, objective);
            let records = events::records(walk, logs);
            records.map(|records| Told::Events(Indicator::Logs, Some(records)))
        }
        (None, None, Some(metrics)) => {
            let section = walk.section(metrics, "objective.indicator.prometheus")?;
            queries(walk, &section).map(Told::Metrics)
        }
        (latency, logs, Some(_)) => {
            let other = latency.or(logs).expect("one of the two stands beside it");
            walk.fault(other.at, &other.key, Conflict::Beside("prometheus"));
            None
        }
        (None, None, None) => {
            // An unknown key is a fault of its own, and an empty section is none yet.
            let cure = Form::Indicator.cure();
            walk.fault(section.at, &section.key("latency"), Problem::Missing(cure));
            None
        }
    }
}

fn latency(walk: &mut Walk<'_>, latency: Field<'_>) -> Option<Indicator> {
    let section = walk.section(latency, "objective.indicator.latency")?;
    let faults = walk.faults();
    let threshold = section.field("threshold").and_then(|field| {
        let typed = walk.typed(&field, Form::Threshold, scalar::nanos)?;
        typed.bounded(walk, 1..=THRESHOLD_NS_MAX, |nanos| scalar::nanos_text(*nanos))
    });
    if threshold.is_none() && walk.faults() == faults {
        let cure = Form::Threshold.cure();
        walk.fault(section.at, &section.key("threshold"), Problem::Missing(cure));
    }
    threshold.map(|typed| Indicator::Latency { threshold_ns: typed.value })
}

/// Reads `window`: a duration, or a period of a calendar.
fn window(walk: &mut Walk<'_>, objective: &Section<'_>) -> Option<Window> {
    let Some(field) = objective.field("window") else { return Some(DEFAULT_WINDOW) };
    if !field.is_section() {
        let faults = walk.faults();
        let typed = walk.typed(&field, Form::Duration, scalar::duration);
        // Nothing but an empty `${NAME:-}` is not given.
        let Some(typed) = typed else {
            return (walk.faults() == faults).then_some(DEFAULT_WINDOW);
        };
        let typed =
            typed.bounded(walk, WINDOW_MIN..=WINDOW_MAX, |time| scalar::duration_text(*time))?;
        return Some(Window::Rolling { seconds: typed.value.as_secs() });
    }
    let section = walk.section(field, "objective.window")?;
    let period = |text: &str| Period::ALL.into_iter().find(|period| period.as_str() == text);
    let period = required(walk, &section, "calendar", Form::Period, period);
    let faults = walk.faults();
    let time_zone = typed(walk, &section, "time_zone", Form::TimeZone, zone);
    if walk.faults() > faults {
        return None;
    }
    let time_zone = time_zone.unwrap_or_else(|| "UTC".to_owned());
    Some(Window::Calendar { period: period?, time_zone })
}

fn select(walk: &mut Walk<'_>, section: &Section<'_>) -> Option<Select> {
    let faults = walk.faults();
    let operation = typed(walk, section, "operation", Form::Name, plain_name);
    let kind = typed(walk, section, "kind", Form::SpanKind, kind);
    let mut attributes = Vec::new();
    if let Some(field) = section.field("match") {
        for (key, field) in walk.map(&field, ATTRIBUTES_MAX).unwrap_or_default() {
            if let Some(text) = walk.text(&field) {
                attributes.push((key.to_owned(), text.value));
            }
        }
    }
    (walk.faults() == faults).then_some(Select { operation, kind, attributes, records: None })
}

fn tiers(walk: &mut Walk<'_>, section: &Section<'_>) -> Option<Tiers> {
    let Some(field) = section.field("tiers") else { return Some(Tiers::ALL) };
    let faults = walk.faults();
    let mut tiers = Tiers { page: false, ticket: false };
    for field in walk.list(&field, Severity::ALL.len()).unwrap_or_default() {
        let severity = |text: &str| Severity::ALL.into_iter().find(|one| one.as_str() == text);
        let Some(typed) = walk.typed(&field, Form::Tier, severity) else { continue };
        let tier = match typed.value {
            Severity::Page => &mut tiers.page,
            Severity::Ticket => &mut tiers.ticket,
        };
        if std::mem::replace(tier, true) {
            typed.conflict(walk, Conflict::Repeated(typed.shown.clone()));
        }
    }
    (walk.faults() == faults).then_some(tiers)
}

/// Buckets of so many objectives take ten MiB.
const OBJECTIVES_MAX: usize = 500;
/// Every record of a service is held against all that it has of them.
const RECORD_OBJECTIVES_MAX: usize = 64;
