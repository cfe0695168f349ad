//! Sloth's files: one service with its objectives, in snake case by themselves and in camel case as
//! a resource of Kubernetes. The file says nothing of the window, so that it is Sloth's default.

use redora_model::slo::{Template, Tiers};

use super::super::fault::Problem;
use super::super::promise::DEFAULT_WINDOW;
use super::super::scalar::{Form, switch};
use super::super::walk::Field;
use super::draft::{Contact, Draft, Place};
use super::keys::{Keys, Reading};
use super::number;
use super::owner::{self, labelled_team};
use super::query::{self, Meaning, Side};
use super::reason::{Inconvertible, Uncarried};

/// How the keys of a document are spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// In a file of its own.
    Snake,
    /// In a resource of Kubernetes.
    Camel,
}

/// Reads a document without what told that it is one of Sloth's.
pub(super) fn service(
    reading: &mut Reading<'_>,
    mut keys: Keys<'_>,
    spelling: Spelling,
) -> Vec<Draft> {
    let service = owner::name(reading, &mut keys, "service");
    let mut labels = reading.section(&mut keys, "labels");
    let team = labelled_team(reading, &mut labels, &["team", "owner"]).unwrap_or_default();
    reading.leave_rest(labels, &Uncarried::Labels);
    reading.leave(&mut keys, &[spelling.of("slo_plugins", "sloPlugins")], &Uncarried::Plugins);
    let objectives = reading.list(&mut keys, "slos");
    reading.leave_rest(keys, &Uncarried::UnknownKey);
    // What was told so far is about all of them, and stands above the first.
    let drafts = objectives.iter().filter_map(|field| {
        let draft = objective(reading, field, service.clone(), &team, spelling);
        reading.noted(draft)
    });
    drafts.collect()
}

fn objective(
    reading: &mut Reading<'_>,
    field: &Field<'_>,
    service: Option<String>,
    team: &str,
    spelling: Spelling,
) -> Option<Draft> {
    let mut keys = reading.keys(field)?;
    let place = Place { at: field.at, key: field.key.clone() };
    let name = owner::name(reading, &mut keys, "name");
    let goal = reading.required(&mut keys, "objective", SHARE);
    let goal = goal.and_then(|given| owner::share(reading, &given, number::percent, SHARE));
    let about = reading.text(&mut keys, "description").map(|given| given.text.to_owned());
    reading.leave(&mut keys, &["plugins"], &Uncarried::Plugins);
    let mut labels = reading.section(&mut keys, "labels");
    let own_team = labelled_team(reading, &mut labels, &["team", "owner"]);
    reading.leave_rest(labels, &Uncarried::Labels);
    let sli = reading.section(&mut keys, "sli");
    let meaning = indicator(reading, sli, service.as_deref(), spelling);
    let (tiers, runbook) = alerting(reading, &mut keys, spelling);
    reading.leave_rest(keys, &Uncarried::UnknownKey);
    let Meaning { measure, service: asked, .. } = meaning?;
    Some(Draft {
        place,
        name: name?,
        service: asked.or(service)?,
        measure,
        goal: goal?,
        // As Sloth takes it where its command line does not say otherwise.
        window: DEFAULT_WINDOW,
        slices: None,
        tiers,
        contact: Contact { team: own_team.unwrap_or(team.to_owned()), runbook },
        about: about.unwrap_or_default(),
        notes: Vec::new(),
    })
}

fn indicator(
    reading: &mut Reading<'_>,
    mut keys: Keys<'_>,
    service: Option<&str>,
    spelling: Spelling,
) -> Option<Meaning> {
    let found = ["events", "raw", "plugin"].iter().filter(|name| keys.has(name)).count();
    if found != 1 {
        let choices = "events, raw and plugin";
        reading.lost(keys.at, &keys.path, Inconvertible::Indicators { found, choices });
        return None;
    }
    if let Some((at, field)) = keys.take("plugin") {
        reading.lost(at, &field.key, Inconvertible::Plugin);
        return None;
    }
    let mut events = reading.section(&mut keys, "events");
    let mut raw = reading.section(&mut keys, "raw");
    reading.leave_rest(keys, &Uncarried::UnknownKey);
    let meaning = if events.is_empty() {
        let ratio = spelling.of("error_ratio_query", "errorRatioQuery");
        let given = reading.required(&mut raw, ratio, EXPRESSION)?;
        let ratio = owner::accepted(reading, &given, Template::parse(given.text))?;
        Some(query::bad_ratio(ratio))
    } else {
        let total = spelling.of("total_query", "totalQuery");
        let total = owner::query(reading, &mut events, total, EXPRESSION);
        let error = spelling.of("error_query", "errorQuery");
        let error = owner::query(reading, &mut events, error, EXPRESSION);
        let ((total, given), (error, _)) = (total?, error?);
        let pair = query::pair(total, Side::Bad, error);
        let meaning = owner::accepted(reading, &given, pair)?;
        owner::tell(reading, &given, &meaning, service);
        Some(meaning)
    };
    reading.leave_rest(events, &Uncarried::UnknownKey);
    reading.leave_rest(raw, &Uncarried::UnknownKey);
    meaning
}

/// The tiers that are not switched off, and the runbook.
fn alerting(reading: &mut Reading<'_>, keys: &mut Keys<'_>, spelling: Spelling) -> (Tiers, String) {
    let mut alerting = reading.section(keys, "alerting");
    reading.leave(&mut alerting, &["name"], &Uncarried::AlertName);
    reading.leave(&mut alerting, &["labels"], &Uncarried::Labels);
    let mut annotations = reading.section(&mut alerting, "annotations");
    let runbook = owner::runbook(reading, &mut annotations);
    reading.leave_rest(annotations, &Uncarried::Annotations);
    let page = is_wanted(reading, &mut alerting, spelling.of("page_alert", "pageAlert"));
    let ticket = is_wanted(reading, &mut alerting, spelling.of("ticket_alert", "ticketAlert"));
    reading.leave_rest(alerting, &Uncarried::UnknownKey);
    (Tiers { page, ticket }, runbook)
}

fn is_wanted(reading: &mut Reading<'_>, alerting: &mut Keys<'_>, name: &str) -> bool {
    let mut alert = reading.section(alerting, name);
    reading.leave(&mut alert, &["labels"], &Uncarried::Labels);
    reading.leave(&mut alert, &["annotations"], &Uncarried::Annotations);
    let problem = |shown| Problem::Value { shown, form: Form::Switch };
    let disabled = reading.typed(&mut alert, "disable", switch, problem);
    reading.leave_rest(alert, &Uncarried::UnknownKey);
    disabled != Some(true)
}

impl Spelling {
    fn of(self, snake: &'static str, camel: &'static str) -> &'static str {
        match self {
            Spelling::Snake => snake,
            Spelling::Camel => camel,
        }
    }
}

const SHARE: &str = "a percentage from 1 to below 100, such as 99.9";
const EXPRESSION: &str = "an expression with {{.window}}";
