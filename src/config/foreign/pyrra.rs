//! Pyrra's files: an objective for each document, over selectors that Pyrra itself puts into rates.
//! It names no service, so that the query's is taken, and said.

use redora_model::slo::{Query, QueryFault, Template, Tiers, Window};

use super::super::delivery::plain_name;
use super::super::fault::Problem;
use super::super::scalar::{Form, Shown, switch};
use super::draft::{Contact, Draft, Place};
use super::keys::{Given, Keys, Reading};
use super::number;
use super::owner;
use super::query::{self, Meaning, Prepared, Side};
use super::reason::{Inconvertible, Uncarried};
use super::selector::{Selector, Test, WINDOW, selector};

/// Reads a document without what told that it is one of Pyrra's.
pub(super) fn objective(reading: &mut Reading<'_>, mut keys: Keys<'_>) -> Option<Draft> {
    let place = Place { at: keys.at, key: keys.path.clone() };
    let mut metadata = reading.section(&mut keys, "metadata");
    let name = owner::name(reading, &mut metadata, "name");
    reading.leave(&mut metadata, &["namespace"], &Uncarried::Namespace);
    let mut labels = reading.section(&mut metadata, "labels");
    let team = owner::labelled_team(reading, &mut labels, &["pyrra.dev/team", "team"]);
    let named = reading.typed(&mut labels, "pyrra.dev/service", plain_name, |shown| {
        Problem::Value { shown, form: Form::Name }
    });
    reading.leave_rest(labels, &Uncarried::Labels);
    let mut annotations = reading.section(&mut metadata, "annotations");
    let runbook = owner::runbook(reading, &mut annotations);
    reading.leave_rest(annotations, &Uncarried::Annotations);

    let mut spec = reading.section(&mut keys, "spec");
    let target = reading.required(&mut spec, "target", SHARE);
    let goal = target.and_then(|given| owner::share(reading, &given, number::percent, SHARE));
    let window = window(reading, &mut spec);
    let about = reading.text(&mut spec, "description").map(|given| given.text.to_owned());
    let indicators = reading.section(&mut spec, "indicator");
    let asked = indicator(reading, indicators);
    let tiers = alerting(reading, &mut spec);
    let rules = ["partial_response_strategy", "performanceOverAccuracy", "ruleOutput"];
    reading.leave(&mut spec, &rules, &Uncarried::RuleForm);
    reading.leave_rest(spec, &Uncarried::UnknownKey);
    // What Kubernetes keeps of a resource is no part of the objective.
    let _ = keys.take("status");
    reading.leave_rest(keys, &Uncarried::UnknownKey);

    let (Asked { meaning, given, service }, name) = (asked?, name?);
    let service = match (named, &meaning.service) {
        (_, Some(service)) => service.clone(),
        (Some(service), None) => service,
        (None, None) => {
            let service = service.unwrap_or_else(|| name.clone());
            reading.note(given.at, &given.key, Uncarried::Service(Shown::quoted(&service)));
            service
        }
    };
    owner::tell(reading, &given, &meaning, Some(&service));
    Some(Draft {
        place,
        name,
        service,
        measure: meaning.measure,
        goal: goal?,
        window: window?,
        slices: None,
        tiers,
        contact: Contact { team: team.unwrap_or_default(), runbook },
        about: about.unwrap_or_default(),
        notes: Vec::new(),
    })
}

/// What an indicator asks.
struct Asked<'n> {
    meaning: Meaning,
    /// All events.
    given: Given<'n>,
    /// The service that the selector of all events names.
    service: Option<String>,
}

fn indicator<'n>(reading: &mut Reading<'_>, mut keys: Keys<'n>) -> Option<Asked<'n>> {
    let found = INDICATORS.iter().filter(|name| keys.has(name)).count();
    if found != 1 {
        let choices = "ratio, latency, latencyNative and bool_gauge";
        reading.lost(keys.at, &keys.path, Inconvertible::Indicators { found, choices });
        return None;
    }
    let name = INDICATORS.into_iter().find(|name| keys.has(name)).expect("there is one");
    let mut section = reading.section(&mut keys, name);
    reading.leave_rest(keys, &Uncarried::UnknownKey);
    reading.leave(&mut section, &["grouping"], &Uncarried::Grouping);
    let asked = match name {
        "ratio" => pair(reading, &mut section, "errors", Side::Bad),
        "latency" => pair(reading, &mut section, "success", Side::Good),
        "latencyNative" => native(reading, &mut section),
        _ => gauge(reading, &mut section),
    };
    reading.leave_rest(section, &Uncarried::UnknownKey);
    asked
}

/// Two counters.
fn pair<'n>(
    reading: &mut Reading<'_>,
    section: &mut Keys<'n>,
    events: &str,
    side: Side,
) -> Option<Asked<'n>> {
    let mut events = reading.section(section, events);
    let events = metric(reading, &mut events);
    let mut total = reading.section(section, "total");
    let total = metric(reading, &mut total);
    let ((events, _), (total, given)) = (events?, total?);
    let service = service(&total);
    let of = |selector| Prepared::Events(Query::Selector(selector));
    let pair = query::pair(of(total), side, of(events));
    let meaning = owner::accepted(reading, &given, pair)?;
    Some(Asked { meaning, given, service })
}

/// A native histogram and a bound.
fn native<'n>(reading: &mut Reading<'_>, section: &mut Keys<'n>) -> Option<Asked<'n>> {
    let mut total = reading.section(section, "total");
    let total = metric(reading, &mut total);
    let bound = reading.required(section, "latency", DURATION);
    let ms = bound.and_then(|given| owner::duration(reading, &given, number::prometheus_ms));
    let ((of, given), ms) = (total?, ms?);
    let service = service(&of);
    let threshold_ns = ms.saturating_mul(1_000_000);
    let own = selector(&of).and_then(|selector| query::native_latency(&selector, threshold_ns));
    let meaning = match own {
        Some(meaning) => meaning,
        None => {
            let seconds = format!("{}.{:03}", ms / 1_000, ms % 1_000);
            let rate = format!("sum(rate({of}[{WINDOW}]))");
            let share = format!("1 - histogram_fraction(0, {seconds}, {rate})");
            let share = Template::parse(&share);
            query::bad_ratio(owner::accepted(reading, &given, share)?)
        }
    };
    Some(Asked { meaning, given, service })
}

/// A gauge that is 1 while all is well.
fn gauge<'n>(reading: &mut Reading<'_>, section: &mut Keys<'n>) -> Option<Asked<'n>> {
    let (of, given) = metric(reading, section)?;
    let service = service(&of);
    let sum = |function: &str| format!("sum({function}({of}[{WINDOW}]))");
    let share = format!("1 - {} / {}", sum("sum_over_time"), sum("count_over_time"));
    let share = Template::parse(&share);
    let meaning = query::bad_ratio(owner::accepted(reading, &given, share)?);
    Some(Asked { meaning, given, service })
}

/// The key `metric`, which holds a selector.
fn metric<'n>(reading: &mut Reading<'_>, keys: &mut Keys<'n>) -> Option<(String, Given<'n>)> {
    let given = reading.required(keys, "metric", "the selector of a metric")?;
    // Pyrra puts it into rates of its own, and what is one already is no selector.
    let selector = match Query::parse(given.text) {
        Ok(Query::Selector(text)) if !given.text.contains("{{") => Ok(text),
        Ok(_) | Err(QueryFault::NoWindow | QueryFault::NoUnit | QueryFault::TwoUnits) => {
            Err(Inconvertible::Selector)
        }
        Err(fault) => Err(fault.into()),
    };
    Some((owner::accepted(reading, &given, selector)?, given))
}

/// The service that a selector chooses, by the labels that most metrics have.
fn service(metric: &str) -> Option<String> {
    let Selector { matchers, .. } = selector(metric)?;
    ["service", "service_name", "job"].iter().find_map(|label| {
        let is_it = matchers.iter().find(|one| one.label == *label && one.test == Test::Is)?;
        plain_name(&is_it.value)
    })
}

fn window(reading: &mut Reading<'_>, spec: &mut Keys<'_>) -> Option<Window> {
    let given = reading.required(spec, "window", DURATION)?;
    let ms = owner::duration(reading, &given, number::prometheus_ms)?;
    owner::rolling(reading, &given, ms / 1_000)
}

fn alerting(reading: &mut Reading<'_>, spec: &mut Keys<'_>) -> Tiers {
    let mut alerting = reading.section(spec, "alerting");
    let problem = |shown| Problem::Value { shown, form: Form::Switch };
    let disabled = reading.typed(&mut alerting, "disabled", switch, problem);
    let burnrates = reading.typed(&mut alerting, "burnrates", switch, problem);
    reading.leave(&mut alerting, &["name"], &Uncarried::AlertName);
    reading.leave(&mut alerting, &["absent", "absentName"], &Uncarried::Absent);
    reading.leave(&mut alerting, &["severities"], &Uncarried::Labels);
    reading.leave_rest(alerting, &Uncarried::UnknownKey);
    let wanted = disabled != Some(true) && burnrates != Some(false);
    Tiers { page: wanted, ticket: wanted }
}

const INDICATORS: [&str; 4] = ["ratio", "latency", "latencyNative", "bool_gauge"];
const SHARE: &str = "a percentage from 1 to below 100, such as 99.9";
const DURATION: &str = "a number with ms, s, m, h, d or w, such as 4w";
