//! What a pair of queries means: requests that the agent judges itself where they ask for redora's
//! own metrics, else what Prometheus has to be asked. Only an exact meaning is taken for one; where
//! a known difference remains it is told.

use redora_model::slo::Indicator;

use super::draft::{Measure, Queries};
use super::number;
use super::reason::{Inconvertible, Uncarried};
use super::selector::{Counter, Function, Matcher, Range, Selector, Shape, Test, WINDOW, shape};
use crate::config::scalar::Shown;
use crate::red::Kind;
use crate::slo::Select;

/// Which events the second query of a pair gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Bad,
    Good,
}

/// What a query means, with what was found on the way.
pub(super) struct Meaning {
    pub(super) measure: Measure,
    /// The service that the agent judges requests of, where it does.
    pub(super) service: Option<String>,
    pub(super) notes: Vec<Uncarried>,
}

/// The meaning of all events and those of one side, each [`prepared`].
pub(super) fn pair(total: &str, side: Side, events: &str) -> Meaning {
    if let Some(meaning) = counted(total, side, events) {
        return meaning;
    }
    let mut notes: Vec<Uncarried> = Vec::new();
    if [total, events].iter().any(|query| query.contains(REQUESTS_PREFIX)) {
        notes.push(Uncarried::OwnMetric);
    }
    let (total, events) = (total.to_owned(), events.to_owned());
    let queries = match side {
        _ if !is_countable(&total) || !is_countable(&events) => {
            notes.push(Uncarried::Ratio);
            let ratio = format!("(\n{events}\n)\n/\n(\n{total}\n)");
            Queries::BadRatio(match side {
                Side::Bad => ratio,
                Side::Good => format!("1 -\n{ratio}"),
            })
        }
        Side::Bad => Queries::Bad { total, bad: events },
        Side::Good => Queries::Good { total, good: events },
    };
    Meaning { measure: Measure::Queried(queries), service: None, notes }
}

/// The meaning of a share of bad events that Prometheus computes.
pub(super) fn bad_ratio(query: String) -> Meaning {
    let measure = Measure::Queried(Queries::BadRatio(query));
    Meaning { measure, service: None, notes: Vec::new() }
}

/// A query as redora takes it: the selector of a counter, or an expression with `{{.window}}`.
pub(super) fn prepared(query: &str) -> Result<(String, Option<Uncarried>), Inconvertible> {
    let query = templated(query)?;
    if query.contains(WINDOW) {
        return Ok((query, None));
    }
    let Some(Shape::One(Counter { selector, over, .. })) = shape(&query) else {
        return Err(Inconvertible::NoWindow);
    };
    match over {
        None => Ok((selector.text.to_owned(), None)),
        Some((_, Range::Fixed(range))) => {
            let note = Uncarried::FixedRange(Shown::quoted(range));
            Ok((selector.text.to_owned(), Some(note)))
        }
        Some((_, Range::Window)) => Err(Inconvertible::NoWindow),
    }
}

/// An expression with `{{.window}}`, whatever it gives.
pub(super) fn expression(query: &str) -> Result<String, Inconvertible> {
    let query = templated(query)?;
    if query.contains(WINDOW) { Ok(query) } else { Err(Inconvertible::NoWindow) }
}

/// The query without white space around it, and with every template of the window in one spelling.
fn templated(query: &str) -> Result<String, Inconvertible> {
    let mut rest = query.trim();
    let mut text = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, after) = after.split_once("}}").ok_or(Inconvertible::Template)?;
        if inner.trim() != ".window" {
            return Err(Inconvertible::Template);
        }
        text.push_str(before);
        text.push_str(WINDOW);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// Whether events can be counted by it: a selector, or an expression in one of the two functions.
fn is_countable(query: &str) -> bool {
    if !query.contains(WINDOW) {
        return true;
    }
    let calls = |function: &str| {
        query.match_indices(function).any(|(at, _)| {
            let before = query[..at].chars().next_back();
            let is_whole = before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
            is_whole && query[at + function.len()..].trim_start().starts_with('(')
        })
    };
    calls("rate") != calls("increase")
}

/// Requests that the agent judges itself, where both queries ask for nothing else.
fn counted(total: &str, side: Side, events: &str) -> Option<Meaning> {
    let Shape::One(all) = shape(total)? else { return None };
    let (side, some) = match shape(events)? {
        Shape::One(some) => (side, some),
        // All without the good ones are the bad ones.
        Shape::Less(minuend, good) if side == Side::Bad => (alike(&minuend, &all)
            && minuend.selector == all.selector)
            .then_some((Side::Good, good))?,
        Shape::Less(..) => return None,
    };
    if !alike(&all, &some) {
        return None;
    }
    let own = Asked::requests(&all.selector, &some.selector, side);
    let own = own.or_else(|| Asked::durations(&all.selector, &some.selector, side));
    own.or_else(|| Asked::spans(&all.selector, &some.selector, side))?.meaning()
}

/// Whether two counters are asked in the same way, and in one in which series add up.
fn alike(one: &Counter<'_>, other: &Counter<'_>) -> bool {
    let over = |counter: &Counter<'_>| match counter.over {
        None => Some(None),
        Some((function, Range::Window)) if counter.summed => Some(Some(function)),
        Some(_) => None,
    };
    let one: Option<Option<Function>> = over(one);
    one.is_some() && one == over(other)
}

/// A native histogram of redora's and a bound, as a latency.
pub(super) fn native_latency(selector: &Selector<'_>, threshold_ns: u64) -> Option<Meaning> {
    if selector.metric != DURATION {
        return None;
    }
    let asked = Asked {
        indicator: Indicator::Latency { threshold_ns },
        service_label: "service",
        matchers: selector.matchers.clone(),
        notes: vec![Uncarried::FailedFast],
    };
    asked.meaning()
}

/// What a pair asks of the agent, before it is known that the agent can choose so.
struct Asked<'q> {
    indicator: Indicator,
    service_label: &'static str,
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
        let indicator = Indicator::Availability;
        Some(Self {
            indicator,
            service_label: "service",
            matchers: all.matchers.clone(),
            notes: vec![],
        })
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
        let indicator = Indicator::Latency { threshold_ns };
        Some(Self { indicator, service_label: "service", matchers: all.matchers.clone(), notes })
    }

    /// Spans under the names that other tools give them, and those of which the status says that
    /// they failed.
    fn spans(all: &Selector<'q>, some: &Selector<'q>, side: Side) -> Option<Self> {
        let (_, service_label) = SPANS.into_iter().find(|(metric, _)| *metric == all.metric)?;
        let (error, ok) = ("STATUS_CODE_ERROR", "STATUS_CODE_OK");
        let tells = tells(some, "status_code", error, ok, side)?;
        // A status that is not OK may be unset, which is no failure.
        let is_exact = tells.value == error && some.metric == all.metric;
        if !is_exact {
            return None;
        }
        same(all, some, &[tells])?;
        let notes = vec![Uncarried::SpanStatus];
        let indicator = Indicator::Availability;
        Some(Self { indicator, service_label, matchers: all.matchers.clone(), notes })
    }

    /// The requests that these matchers choose, if the agent can choose them.
    fn meaning(self) -> Option<Meaning> {
        let Self { indicator, service_label, matchers, mut notes } = self;
        let mut service = None;
        let mut select = Select::default();
        let mut kinds = None;
        for Matcher { label, test, value } in matchers {
            let is_first = match (label, test) {
                (label, Test::Is) if label == service_label => service.replace(value).is_none(),
                ("operation", Test::Is) if service_label == "service" && !value.is_empty() => {
                    select.operation.replace(value).is_none()
                }
                ("kind", Test::Is) => kinds.replace(Some(kind(&value)?)).is_none(),
                ("kind", Test::Like) if SERVED.contains(&&*value) => kinds.replace(None).is_none(),
                ("span_kind", Test::Is) => {
                    let name = value.strip_prefix("SPAN_KIND_")?.to_ascii_lowercase();
                    kinds.replace(Some(kind(&name)?)).is_none()
                }
                _ => false,
            };
            if !is_first {
                return None;
            }
        }
        let service = service.filter(|service| !service.is_empty())?;
        match kinds {
            Some(kind) => select.kind = kind,
            None => notes.insert(0, Uncarried::EveryKind),
        }
        let measure = Measure::Counted { indicator, select };
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

/// The role of a span by its name.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let kinds = [Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer, Kind::Internal];
    kinds.into_iter().find(|kind| kind.as_str() == name)
}

const REQUESTS: &str = "redora_requests_total";
const REQUESTS_PREFIX: &str = "redora_request";
const DURATION: &str = "redora_request_duration_seconds";
const DURATION_COUNT: &str = "redora_request_duration_seconds_count";
const DURATION_BUCKET: &str = "redora_request_duration_seconds_bucket";
/// Spans as Tempo and the Collector name them, each with the label of the service.
const SPANS: [(&str, &str); 2] = [
    ("traces_spanmetrics_calls_total", "service"),
    ("traces_span_metrics_calls_total", "service_name"),
];
/// What the agent counts where no kind is named.
const SERVED: [&str; 2] = ["server|consumer", "consumer|server"];
/// What an objective may have.
const THRESHOLD_NS_MAX: u64 = 24 * 3_600_000_000_000;

#[cfg(test)]
mod tests;
