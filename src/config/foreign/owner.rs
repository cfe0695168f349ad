//! What every format says of an objective beside its events: names, teams, runbooks, and what was
//! found out about a query, said at the query's place.

use redora_model::slo::{Goal, Window};

use super::super::delivery::{plain_name, url};
use super::super::fault::Problem;
use super::super::promise::{WINDOW_MAX, WINDOW_MIN};
use super::super::scalar::{Form, Shown};
use super::keys::{Given, Keys, Reading};
use super::query::{Meaning, Prepared, prepared};
use super::reason::{Inconvertible, Uncarried};

/// A required name.
pub(super) fn name(reading: &mut Reading<'_>, keys: &mut Keys<'_>, key: &str) -> Option<String> {
    let given = reading.required(keys, key, "1 to 256 characters")?;
    let name = plain_name(given.text);
    if name.is_none() {
        let problem = Problem::Value { shown: Shown::quoted(given.text), form: Form::Name };
        reading.walk.fault(given.at, &given.key, problem);
    }
    name
}

/// The team that one of these labels names, the first first.
pub(super) fn labelled_team(
    reading: &mut Reading<'_>,
    labels: &mut Keys<'_>,
    names: &[&str],
) -> Option<String> {
    let name = names.iter().find(|name| labels.has(name))?;
    let (at, field) = labels.take(name)?;
    let team = reading.single(&field).and_then(plain_name);
    if team.is_none() {
        reading.note(at, &field.key, Uncarried::Several);
    }
    team
}

/// The runbook that an annotation names.
pub(super) fn runbook(reading: &mut Reading<'_>, annotations: &mut Keys<'_>) -> String {
    let found = annotations.names().into_iter().find(|name| {
        let last = name.rsplit('/').next().unwrap_or(name);
        RUNBOOKS.contains(&last)
    });
    let Some(given) = found.and_then(|name| reading.text(annotations, name)) else {
        return String::new();
    };
    let address = url(given.text);
    if address.is_none() {
        reading.note(given.at, &given.key, Uncarried::Address(Shown::quoted(given.text)));
    }
    address.unwrap_or_default()
}

/// A required query, and its place.
pub(super) fn query<'n>(
    reading: &mut Reading<'_>,
    keys: &mut Keys<'n>,
    key: &str,
    cure: &'static str,
) -> Option<(Prepared, Given<'n>)> {
    let given = reading.required(keys, key, cure)?;
    let query = prepared_query(reading, &given)?;
    Some((query, given))
}

/// A query that a rule can ask.
pub(super) fn prepared_query(reading: &mut Reading<'_>, given: &Given<'_>) -> Option<Prepared> {
    let (query, note) = accepted(reading, given, prepared(given.text))?;
    if let Some(note) = note {
        reading.note(given.at, &given.key, note);
    }
    Some(query)
}

/// A share of good events.
pub(super) fn share(
    reading: &mut Reading<'_>,
    given: &Given<'_>,
    parse: impl Fn(&str) -> Option<Goal>,
    cure: &'static str,
) -> Option<Goal> {
    let shown = Shown::quoted(given.text);
    let share = parse(given.text).ok_or(Inconvertible::Share { shown, cure });
    accepted(reading, given, share)
}

/// A duration in whatever `parse` gives.
pub(super) fn duration<T>(
    reading: &mut Reading<'_>,
    given: &Given<'_>,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let shown = Shown::quoted(given.text);
    let duration = parse(given.text).ok_or(Inconvertible::Duration(shown));
    accepted(reading, given, duration)
}

/// A rolling window within its bounds.
pub(super) fn rolling(
    reading: &mut Reading<'_>,
    given: &Given<'_>,
    seconds: u64,
) -> Option<Window> {
    let shown = Shown::quoted(given.text);
    let is_kept = (WINDOW_MIN.as_secs()..=WINDOW_MAX.as_secs()).contains(&seconds);
    let window = is_kept.then_some(Window::Rolling { seconds });
    accepted(reading, given, window.ok_or(Inconvertible::Window(shown)))
}

/// What came of a text, or a fault at its place.
pub(super) fn accepted<T>(
    reading: &mut Reading<'_>,
    given: &Given<'_>,
    result: Result<T, impl Into<Inconvertible>>,
) -> Option<T> {
    result.map_err(|reason| reading.lost(given.at, &given.key, reason.into())).ok()
}

/// Says what was found out about a query, and whether its service is not the one that is named.
pub(super) fn tell(
    reading: &mut Reading<'_>,
    given: &Given<'_>,
    meaning: &Meaning,
    service: Option<&str>,
) {
    for note in &meaning.notes {
        reading.note(given.at, &given.key, note.clone());
    }
    if let (Some(query), Some(file)) = (&meaning.service, service)
        && query != file
    {
        let (query, file) = (Shown::quoted(query), Shown::quoted(file));
        reading.note(given.at, &given.key, Uncarried::OtherService { query, file });
    }
}

/// What people call the annotation of a runbook.
const RUNBOOKS: [&str; 4] = ["runbook", "runbook_url", "runbook-url", "runbookUrl"];
