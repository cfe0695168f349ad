//! OpenSLO v1: an SLO for each promise, of which indicator, data source and alerts stand in place
//! or in documents of their own, by name. References are followed within the file alone, so that
//! what a file says does not depend on its neighbours.
//!
//! Two types of sources are read. `Prometheus` takes `query`. `redora` is what the agent counts
//! itself: `operation`, `kind` and `match` as in redora's own files, as a ratio for availability
//! and as a threshold in seconds for latency.

mod alerts;
mod indicator;
mod objects;
mod window;

use redora_model::slo::{Goal, Tiers, Window};

use super::super::walk::Field;
use super::draft::{Contact, Draft, Measure, Place};
use super::keys::{Keys, Reading};
use super::number;
use super::owner;
use super::query::Meaning;
use super::reason::{Inconvertible, Uncarried};
use indicator::Indicators;
use objects::Objects;
use window::Budgeting;

/// Reads the documents of a file, each without what told that it is one of OpenSLO's.
pub(super) fn objectives(reading: &mut Reading<'_>, documents: Vec<Keys<'_>>) -> Vec<Draft> {
    let mut objects = Objects::read(reading, documents);
    let mut drafts = Vec::new();
    for promise in objects.take_all("SLO") {
        // What is told of a document stands above the first of its objectives.
        let mut found = slo(reading, promise, &objects).into_iter();
        drafts.extend(reading.noted(found.next()));
        drafts.extend(found);
    }
    drafts
}

/// What all objectives of a document share; `None` is at fault.
struct Promise {
    name: Option<String>,
    service: Option<String>,
    window: Option<Window>,
    budgeting: Option<Budgeting>,
    tiers: Tiers,
    contact: Contact,
    about: String,
}

fn slo(reading: &mut Reading<'_>, mut keys: Keys<'_>, objects: &Objects<'_>) -> Vec<Draft> {
    let mut metadata = reading.section(&mut keys, "metadata");
    let name = owner::name(reading, &mut metadata, "name");
    let display = reading.text(&mut metadata, "displayName");
    let mut labels = reading.section(&mut metadata, "labels");
    let team = owner::labelled_team(reading, &mut labels, &["team"]).unwrap_or_default();
    reading.leave_rest(labels, &Uncarried::Labels);
    let mut annotations = reading.section(&mut metadata, "annotations");
    let runbook = owner::runbook(reading, &mut annotations);
    reading.leave_rest(annotations, &Uncarried::Annotations);
    reading.leave_rest(metadata, &Uncarried::UnknownKey);

    let mut spec = reading.section(&mut keys, "spec");
    reading.leave_rest(keys, &Uncarried::UnknownKey);
    let service = owner::name(reading, &mut spec, "service");
    let about = reading.text(&mut spec, "description").or(display);
    let window = window::window(reading, &mut spec);
    let budgeting = window::budgeting(reading, &mut spec);
    let tiers = alerts::tiers(reading, &mut spec, objects);
    let indicator = objects.indicator(reading, &mut spec);
    let (at, key) = (spec.at, spec.key("objectives"));
    let objectives = reading.list(&mut spec, "objectives");
    if objectives.is_empty() {
        reading.missing(&spec, "objectives", "a list with a target");
    }
    reading.leave_rest(spec, &Uncarried::UnknownKey);

    let is_composite = objectives.iter().any(|field| {
        field.entries().iter().any(|(_, name, _)| matches!(*name, "indicator" | "indicatorRef"))
    });
    if is_composite && objectives.len() > 1 {
        reading.note(at, &key, Uncarried::Composite);
    }
    let about = about.map(|given| given.text.to_owned()).unwrap_or_default();
    let contact = Contact { team, runbook };
    let promise = Promise { name, service, window, budgeting, tiers, contact, about };
    let indicators = Indicators { objects, common: indicator };
    let is_one = objectives.len() == 1;
    let drafts = objectives.iter().enumerate().filter_map(|(i, field)| {
        let number = (!is_one).then_some(i + 1);
        objective(reading, field, &promise, number, &indicators)
    });
    drafts.collect()
}

fn objective(
    reading: &mut Reading<'_>,
    field: &Field<'_>,
    promise: &Promise,
    number: Option<usize>,
    indicators: &Indicators<'_, '_>,
) -> Option<Draft> {
    let mut keys = reading.keys(field)?;
    let place = Place { at: field.at, key: field.key.clone() };
    let display = reading.text(&mut keys, "displayName").map(|given| given.text.to_owned());
    let goal = goal(reading, &mut keys);
    let slices = window::slices(reading, &mut keys, promise.budgeting);
    reading.leave(&mut keys, &["compositeWeight"], &Uncarried::Composite);
    let named = promise.service.clone();
    let meaning = indicators.meaning(reading, &mut keys, named.as_deref());
    reading.leave_rest(keys, &Uncarried::UnknownKey);
    let (Meaning { measure, service, .. }, slices) = (meaning?, slices?);
    let (name, window) = (promise.name.as_deref()?, promise.window.clone()?);
    if let Measure::Queried(_) = measure {
        let unfit = match (&window, slices) {
            (_, Some(_)) => Some(Inconvertible::SlicesOfQueries),
            (Window::Calendar { .. }, None) => Some(Inconvertible::CalendarOfQueries),
            (Window::Rolling { .. }, None) => None,
        };
        if let Some(reason) = unfit {
            reading.lost(place.at, &place.key, reason);
            return None;
        }
    }
    Some(Draft {
        place,
        name: number.map_or(name.to_owned(), |number| format!("{name}-{number}")),
        service: service.or(named)?,
        measure,
        goal: goal?,
        window,
        slices,
        tiers: promise.tiers,
        contact: promise.contact.clone(),
        about: [promise.about.clone(), display.unwrap_or_default()].join("\n"),
        notes: Vec::new(),
    })
}

/// The target, in whichever of its two forms.
fn goal(reading: &mut Reading<'_>, keys: &mut Keys<'_>) -> Option<Goal> {
    let found = ["target", "targetPercent"].iter().filter(|name| keys.has(name)).count();
    if found != 1 {
        let choices = "target and targetPercent";
        reading.lost(keys.at, &keys.path, Inconvertible::Indicators { found, choices });
        let _ = (keys.take("target"), keys.take("targetPercent"));
        return None;
    }
    if let Some(given) = reading.text(keys, "target") {
        return owner::share(reading, &given, number::ratio, "a ratio such as 0.999");
    }
    let given = reading.text(keys, "targetPercent")?;
    owner::share(reading, &given, number::percent, "a percentage such as 99.9")
}
