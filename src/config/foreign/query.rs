//! What a pair of queries means: requests that the agent judges itself where they ask for redora's
//! own metrics, else what Prometheus has to be asked. Only an exact meaning is taken for one; where
//! a known difference remains it is told.

use redora_model::slo::{Queries, Query, QueryFault, Template};

use super::draft::Measure;
use super::number;
use super::reason::{Inconvertible, Uncarried};
use super::selector::{Counter, Matcher, Range, Selector, Shape, Test, WINDOW, selector, shape};
use crate::config::delivery::plain_name;
use crate::config::promise::{THRESHOLD_NS_MAX, kind};
use crate::config::scalar::Shown;
use crate::slo::Select;

/// Which events the second query of a pair gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Bad,
    Good,
}

/// What a query means, with what was found on the way.
#[derive(Clone)]
pub(super) struct Meaning {
    pub(super) measure: Measure,
    /// The service that the agent judges requests of, where it does.
    pub(super) service: Option<String>,
    pub(super) notes: Vec<Uncarried>,
}

/// A query that a rule can ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prepared {
    /// For a number of events.
    Events(Query),
    /// For something of which only a share can be taken.
    Other(Template),
}

/// The meaning of all events and those of one side.
pub(super) fn pair(
    total: Prepared,
    side: Side,
    events: Prepared,
) -> Result<Meaning, Inconvertible> {
    let (total, events) = match (total, events) {
        (Prepared::Events(total), Prepared::Events(events)) => (total, events),
        (total, events) => return share(&total.text(), side, &events.text()),
    };
    let (side, events) = without_rest(&total, side, events);
    if let (Query::Selector(all), Query::Selector(some)) = (&total, &events)
        && let Some(meaning) = counted(all, side, some)
    {
        return Ok(meaning);
    }
    let own = [text(&total), text(&events)].iter().any(|query| query.contains(REQUESTS_PREFIX));
    let queries = match side {
        Side::Bad => Queries::Bad { total, bad: events },
        Side::Good => Queries::Good { total, good: events },
    };
    let notes = if own { vec![Uncarried::OwnMetric] } else { Vec::new() };
    Ok(Meaning { measure: Measure::Queried(queries), service: None, notes })
}

/// The share of bad events, as Prometheus divides it.
fn share(total: &str, side: Side, events: &str) -> Result<Meaning, Inconvertible> {
    let ratio = format!("(\n{events}\n)\n/\n(\n{total}\n)");
    let ratio = match side {
        Side::Bad => ratio,
        Side::Good => format!("1 -\n{ratio}"),
    };
    // Two that are short enough may be too long together.
    let ratio = bad_ratio(Template::parse(&ratio)?);
    Ok(Meaning { notes: vec![Uncarried::Ratio], ..ratio })
}

/// The meaning of a share of bad events that Prometheus computes.
pub(super) fn bad_ratio(ratio: Template) -> Meaning {
    let measure = Measure::Queried(Queries::BadRatio(ratio));
    Meaning { measure, service: None, notes: Vec::new() }
}

/// The meaning of two values that go up and down, each the number of events at its time.
pub(super) fn sampled(total: &str, side: Side, events: &str) -> Result<Meaning, Inconvertible> {
    let sum = |query: &str| match selector(query) {
        Some(selector) => format!("sum(sum_over_time({}[{WINDOW}]))", selector.text),
        None => format!("sum(sum_over_time((\n{query}\n)[{WINDOW}:1m]))"),
    };
    for query in [total, events] {
        no_window(query)?;
    }
    share(&sum(total), side, &sum(events))
}

/// The meaning of a ratio that is there already, as its average.
pub(super) fn averaged(query: &str, side: Side) -> Result<Meaning, Inconvertible> {
    let average = match selector(query) {
        Some(selector) => format!("avg(avg_over_time({}[{WINDOW}]))", selector.text),
        None if Template::parse(query).is_ok() => query.trim().to_owned(),
        None => format!("avg(avg_over_time((\n{query}\n)[{WINDOW}:1m]))"),
    };
    let ratio = match side {
        Side::Bad => average,
        Side::Good => format!("1 - (\n{average}\n)"),
    };
    Ok(Meaning { notes: vec![Uncarried::Ratio], ..bad_ratio(Template::parse(&ratio)?) })
}

/// The share of minutes in which a value compares so with a number. What is no number at all, as a
/// latency without requests, compares with nothing and is good.
pub(super) fn compared(query: &str, sign: &str, number: &str) -> Result<Template, Inconvertible> {
    no_window(query)?;
    let compared = format!("(\n{query}\n) {sign} bool {number}");
    Ok(Template::parse(&format!("avg(avg_over_time(({compared})[{WINDOW}:1m]))"))?)
}

/// Refuses a window of the rules where each minute is looked at.
fn no_window(query: &str) -> Result<(), Inconvertible> {
    let is_free = !matches!(Template::parse(query), Ok(_) | Err(QueryFault::Place));
    is_free.then_some(()).ok_or(Inconvertible::ComparedWindow)
}

/// A query as redora takes it. A counter's own range, or its sum without one, is no loss: the rules
/// ask for its events over each of their windows.
pub(super) fn prepared(query: &str) -> Result<(Prepared, Option<Uncarried>), Inconvertible> {
    match Query::parse(query) {
        Ok(query) => Ok((Prepared::Events(query), None)),
        Err(QueryFault::NoUnit | QueryFault::TwoUnits) => {
            Ok((Prepared::Other(Template::parse(query)?), None))
        }
        Err(QueryFault::NoWindow) => {
            let Some(Shape::One(Counter { selector, over, .. })) = shape(query) else {
                return Err(QueryFault::NoWindow.into());
            };
            let range = over.and_then(|(_, range)| match range {
                Range::Fixed(range) => Some(Uncarried::FixedRange(Shown::quoted(range))),
                Range::Window => None,
            });
            Ok((Prepared::Events(Query::parse(selector.text)?), range))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// The text of a query, with a window where it needs one.
pub(in super::super) fn text(query: &Query) -> String {
    match query {
        Query::Selector(selector) => selector.clone(),
        Query::PerSecond(template) | Query::Count(template) => over_window(template),
    }
}

/// The text of an expression, with what stands for the window in it.
pub(in super::super) fn over_window(template: &Template) -> String {
    template.over(WINDOW)
}

impl Prepared {
    /// As an expression over a window.
    fn text(&self) -> String {
        match self {
            Prepared::Events(Query::Selector(of)) => format!("sum(increase({of}[{WINDOW}]))"),
            Prepared::Events(query) => text(query),
            Prepared::Other(template) => over_window(template),
        }
    }
}

/// The good events instead of all events without them.
fn without_rest(total: &Query, side: Side, events: Query) -> (Side, Query) {
    let rest = || {
        let (Query::Selector(all), Side::Bad) = (total, side) else { return None };
        let text = text(&events);
        let Shape::Less(minuend, good) = shape(&text)? else { return None };
        let is_all = alike(&minuend, &good) && minuend.selector.is(&selector(all)?);
        is_all.then(|| Query::parse(good.selector.text).ok())?
    };
    match rest() {
        Some(good) => (Side::Good, good),
        None => (side, events),
    }
}

/// Requests that the agent judges itself, where both selectors ask for nothing else.
fn counted(all: &str, side: Side, some: &str) -> Option<Meaning> {
    let (all, some) = (selector(all)?, selector(some)?);
    let own = Asked::requests(&all, &some, side);
    let own = own.or_else(|| Asked::durations(&all, &some, side));
    own.or_else(|| Asked::spans(&all, &some, side))?.meaning()
}

/// Whether two counters are summed over the same window in the same way.
fn alike(one: &Counter<'_>, other: &Counter<'_>) -> bool {
    let is_whole = |counter: &Counter<'_>| counter.summed && counter.over.is_some();
    is_whole(one) && is_whole(other) && one.over == other.over
}

/// A native histogram of redora's and a bound, as a latency.
pub(super) fn native_latency(selector: &Selector<'_>, threshold_ns: u64) -> Option<Meaning> {
    if selector.metric != DURATION || threshold_ns > THRESHOLD_NS_MAX {
        return None;
    }
    let asked = Asked {
        threshold_ns: Some(threshold_ns),
        labels: OWN,
        matchers: selector.matchers.clone(),
        notes: vec![Uncarried::FailedFast],
    };
    asked.meaning()
}

/// The labels that the agent chooses requests by.
struct Labels {
    service: &'static str,
    operation: Option<&'static str>,
    kind: &'static str,
    /// What stands before the name of a kind.
    kind_prefix: &'static str,
}

/// What a pair asks of the agent, before it is known that the agent can choose so.
struct Asked<'q> {
    /// The longest good duration, where one is asked for.
    threshold_ns: Option<u64>,
    labels: Labels,
    /// Of the total.
    matchers: Vec<Matcher<'q>>,
    notes: Vec<Uncarried>,
}

impl<'q> Asked<'q> {
    /// Requests and the failed or good ones among them.
    fn requests(all: &Selector<'q>, some: &Selector<'q>, side: Side) -> Option<Self> {
        if all.metric != REQUESTS || some.metric != REQUESTS {
            return None;
        }
        let tells = tells(some, "outcome", "error", "ok", side)?;
        same(all, some, &[tells])?;
        let matchers = all.matchers.clone();
        Some(Self { threshold_ns: None, labels: OWN, matchers, notes: Vec::new() })
    }

    /// Requests and the fast ones among them.
    fn durations(all: &Selector<'q>, some: &Selector<'q>, side: Side) -> Option<Self> {
        if all.metric != DURATION_COUNT || some.metric != DURATION_BUCKET || side == Side::Bad {
            return None;
        }
        let bound = some.matchers.iter().find(|one| one.label == "le" && one.test == Test::Is)?;
        let threshold_ns = number::seconds_ns(&bound.value).filter(|ns| *ns <= THRESHOLD_NS_MAX)?;
        let mut notes = Vec::new();
        match tells(some, "outcome", "error", "ok", Side::Good) {
            Some(good) => same(all, some, &[bound, good])?,
            None => {
                same(all, some, &[bound])?;
                notes.push(Uncarried::FailedFast);
            }
        }
        let (threshold_ns, matchers) = (Some(threshold_ns), all.matchers.clone());
        Some(Self { threshold_ns, labels: OWN, matchers, notes })
    }

    /// Spans under the names that other tools give them, and those of which the status says that
    /// they failed.
    fn spans(all: &Selector<'q>, some: &Selector<'q>, side: Side) -> Option<Self> {
        let (_, service) = SPANS.into_iter().find(|(metric, _)| *metric == all.metric)?;
        let (error, ok) = ("STATUS_CODE_ERROR", "STATUS_CODE_OK");
        let tells = tells(some, "status_code", error, ok, side)?;
        // A status that is not OK may be unset, which is no failure.
        let is_exact = tells.value == error && some.metric == all.metric;
        if !is_exact {
            return None;
        }
        same(all, some, &[tells])?;
        let notes = vec![Uncarried::SpanStatus];
        let (kind, kind_prefix) = ("span_kind", "SPAN_KIND_");
        let labels = Labels { service, operation: None, kind, kind_prefix };
        Some(Self { threshold_ns: None, labels, matchers: all.matchers.clone(), notes })
    }

    /// The requests that these matchers choose, if the agent can choose them.
    fn meaning(self) -> Option<Meaning> {
        let Self { threshold_ns, labels, matchers, mut notes } = self;
        let mut service = None;
        let mut select = Select::default();
        let mut kinds = None;
        for Matcher { label, test, value } in matchers {
            let is_first = match test {
                Test::Is if label == labels.service => {
                    service.replace(plain_name(&value)?).is_none()
                }
                Test::Is if Some(label) == labels.operation => {
                    select.operation.replace(plain_name(&value)?).is_none()
                }
                Test::Is if label == labels.kind => {
                    let name = value.strip_prefix(labels.kind_prefix)?.to_ascii_lowercase();
                    kinds.replace(Some(kind(&name)?)).is_none()
                }
                Test::Like if label == OWN.kind && label == labels.kind => {
                    SERVED.contains(&&*value) && kinds.replace(None).is_none()
                }
                _ => false,
            };
            if !is_first {
                return None;
            }
        }
        let service = service?;
        match kinds {
            Some(kind) => select.kind = kind,
            None => notes.insert(0, Uncarried::EveryKind),
        }
        let measure = Measure::Counted { threshold_ns, select };
        Some(Meaning { measure, service: Some(service), notes })
    }
}

/// The matcher that leaves events of one side.
fn tells<'s, 'q>(
    selector: &'s Selector<'q>,
    label: &str,
    error: &str,
    ok: &str,
    side: Side,
) -> Option<&'s Matcher<'q>> {
    let (is, is_not) = match side {
        Side::Bad => (error, ok),
        Side::Good => (ok, error),
    };
    selector.matchers.iter().find(|one| {
        let Matcher { label: name, test, value } = one;
        *name == label
            && ((*test, &**value) == (Test::Is, is) || (*test, &**value) == (Test::IsNot, is_not))
    })
}

/// Whether a selector chooses what another one does, but for these matchers of it.
fn same(all: &Selector<'_>, some: &Selector<'_>, but: &[&Matcher<'_>]) -> Option<()> {
    let mut of_all: Vec<&Matcher<'_>> = all.matchers.iter().collect();
    let mut of_some: Vec<&Matcher<'_>> =
        some.matchers.iter().filter(|one| !but.contains(one)).collect();
    of_all.sort();
    of_some.sort();
    (of_all == of_some).then_some(())
}

const REQUESTS: &str = "redora_requests_total";
const REQUESTS_PREFIX: &str = "redora_request";
const DURATION: &str = "redora_request_duration_seconds";
const DURATION_COUNT: &str = "redora_request_duration_seconds_count";
const DURATION_BUCKET: &str = "redora_request_duration_seconds_bucket";
const OWN: Labels =
    Labels { service: "service", operation: Some("operation"), kind: "kind", kind_prefix: "" };
/// Spans as Tempo and the Collector name them, each with the label of the service.
const SPANS: [(&str, &str); 2] = [
    ("traces_spanmetrics_calls_total", "service"),
    ("traces_span_metrics_calls_total", "service_name"),
];
/// What the agent counts where no kind is named.
const SERVED: [&str; 2] = ["server|consumer", "consumer|server"];

#[cfg(test)]
mod tests;
