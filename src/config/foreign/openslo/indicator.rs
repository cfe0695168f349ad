//! An OpenSLO indicator as a meaning: what Prometheus is asked, or which requests the agent judges.
//! A threshold is only known with the objective that holds it, so that this is asked for each.

use redora_model::slo::Template;

use super::objects::Objects;
use crate::config::fault::Problem;
use crate::config::foreign::draft::Measure;
use crate::config::foreign::keys::{Given, Keys, Reading};
use crate::config::foreign::number;
use crate::config::foreign::owner;
use crate::config::foreign::query::{self, Meaning, Side};
use crate::config::foreign::reason::{Inconvertible, Uncarried};
use crate::config::promise::{ATTRIBUTES_MAX, THRESHOLD_NS_MAX, kind};
use crate::config::scalar::{Form, Shown, switch};
use crate::slo::Select;

/// Where objectives find their indicator.
pub(super) struct Indicators<'n, 'o> {
    pub(super) objects: &'o Objects<'n>,
    /// The `spec` of the one that all objectives of the SLO share.
    pub(super) common: Option<Keys<'n>>,
}

/// Where a metric is read from.
enum Source<'n> {
    Prometheus(Given<'n>),
    Redora(Select),
}

impl<'n> Indicators<'n, '_> {
    /// What the objective of these keys looks at.
    pub(super) fn meaning(
        &self,
        reading: &mut Reading<'_>,
        keys: &mut Keys<'n>,
        service: Option<&str>,
    ) -> Option<Meaning> {
        let faults = reading.walk.faults();
        let own = self.objects.indicator(reading, keys);
        let Some(mut spec) = own.or_else(|| self.common.clone()) else {
            // A reference that nothing has was a fault already.
            if reading.walk.faults() == faults {
                reading.missing(keys, "indicator", "an indicator here or in the SLO");
            }
            return None;
        };
        let _ = spec.take("description");
        let found = ["ratioMetric", "thresholdMetric"].iter().filter(|name| spec.has(name)).count();
        if found != 1 {
            let choices = "ratioMetric and thresholdMetric";
            reading.lost(spec.at, &spec.path, Inconvertible::Indicators { found, choices });
            return None;
        }
        let bound = Bound { op: reading.text(keys, "op"), value: reading.text(keys, "value") };
        let is_ratio = spec.has("ratioMetric");
        let mut ratio = reading.section(&mut spec, "ratioMetric");
        let threshold = reading.section(&mut spec, "thresholdMetric");
        reading.leave_rest(spec, &Uncarried::UnknownKey);
        if !is_ratio {
            return self.threshold(reading, threshold, bound, keys);
        }
        let meaning = match ratio.has("raw") {
            true => self.raw(reading, &mut ratio),
            false => self.ratio(reading, &mut ratio, service),
        };
        reading.leave_rest(ratio, &Uncarried::UnknownKey);
        meaning
    }

    /// Good or bad events of all.
    fn ratio(
        &self,
        reading: &mut Reading<'_>,
        keys: &mut Keys<'n>,
        service: Option<&str>,
    ) -> Option<Meaning> {
        let problem = |shown| Problem::Value { shown, form: Form::Switch };
        let is_counter = reading.typed(keys, "counter", switch, problem) != Some(false);
        let found = ["good", "bad"].iter().filter(|name| keys.has(name)).count();
        if found != 1 {
            let choices = "good and bad";
            reading.lost(keys.at, &keys.path, Inconvertible::Indicators { found, choices });
            return None;
        }
        let (name, side) = if keys.has("good") { ("good", Side::Good) } else { ("bad", Side::Bad) };
        if !keys.has("total") {
            reading.missing(keys, "total", "the metric of all events");
        }
        let total = reading.section(keys, "total");
        let total = self.source(reading, total);
        let events = reading.section(keys, name);
        let (at, path) = (events.at, events.path.clone());
        let events = self.source(reading, events);
        let (total, events) = match (total?, events?) {
            (Source::Redora(total), Source::Redora(events)) if total == events => {
                return Some(counted(None, total));
            }
            (Source::Prometheus(total), Source::Prometheus(events)) => (total, events),
            _ => {
                reading.lost(at, &path, Inconvertible::Selections);
                return None;
            }
        };
        let meaning = if is_counter {
            let events = owner::prepared_query(reading, &events);
            let all = owner::prepared_query(reading, &total);
            let pair = query::pair(all?, side, events?);
            owner::accepted(reading, &total, pair)?
        } else {
            let sampled = query::sampled(total.text, side, events.text);
            owner::accepted(reading, &total, sampled)?
        };
        owner::tell(reading, &total, &meaning, service);
        Some(meaning)
    }

    /// A ratio that somebody computed.
    fn raw(&self, reading: &mut Reading<'_>, keys: &mut Keys<'n>) -> Option<Meaning> {
        let kind = reading.required(keys, "rawType", RAW_TYPES);
        let raw = reading.section(keys, "raw");
        let (at, path) = (raw.at, raw.path.clone());
        let source = self.source(reading, raw);
        let kind = kind?;
        let side = match kind.text {
            "success" => Side::Good,
            "failure" => Side::Bad,
            other => {
                let shown = Shown::quoted(other);
                reading.lost(kind.at, &kind.key, Inconvertible::Word { shown, choices: RAW_TYPES });
                return None;
            }
        };
        let Source::Prometheus(given) = source? else {
            reading.lost(at, &path, Inconvertible::Selections);
            return None;
        };
        let meaning = owner::accepted(reading, &given, query::averaged(given.text, side))?;
        owner::tell(reading, &given, &meaning, None);
        Some(meaning)
    }

    /// A value that is compared with a bound.
    fn threshold(
        &self,
        reading: &mut Reading<'_>,
        threshold: Keys<'n>,
        bound: Bound<'n>,
        objective: &Keys<'_>,
    ) -> Option<Meaning> {
        let source = self.source(reading, threshold);
        let Bound { op, value } = bound;
        if op.is_none() {
            reading.missing(objective, "op", OPS);
        }
        if value.is_none() {
            reading.missing(objective, "value", "a number");
        }
        let (source, op, value) = (source?, op?, value?);
        let Some((_, bad)) = OPPOSITES.into_iter().find(|(name, _)| *name == op.text) else {
            let shown = Shown::quoted(op.text);
            reading.lost(op.at, &op.key, Inconvertible::Word { shown, choices: OPS });
            return None;
        };
        match source {
            Source::Redora(select) => {
                let seconds = number::seconds_ns(value.text).filter(|ns| *ns <= THRESHOLD_NS_MAX);
                let Some(threshold_ns) = seconds.filter(|_| op.text.starts_with("lt")) else {
                    let shown = format!("{} {}", op.text, value.text);
                    let reason = Inconvertible::Bound(Shown::quoted(&shown));
                    reading.lost(value.at, &value.key, reason);
                    return None;
                };
                if op.text == "lt" {
                    let shown = Shown::quoted(value.text);
                    reading.note(value.at, &value.key, Uncarried::Inclusive(shown));
                }
                Some(counted(Some(threshold_ns), select))
            }
            Source::Prometheus(given) => {
                let is_number = value.text.parse::<f64>().is_ok_and(f64::is_finite);
                if !is_number {
                    let shown = Shown::quoted(value.text);
                    let choices = "a number";
                    reading.lost(value.at, &value.key, Inconvertible::Word { shown, choices });
                    return None;
                }
                let compared = query::compared(given.text, bad, value.text);
                let compared: Template = owner::accepted(reading, &given, compared)?;
                reading.note(given.at, &given.key, Uncarried::Samples);
                Some(query::bad_ratio(compared))
            }
        }
    }

    /// The source of a metric, which its type or that of its data source tells.
    fn source(&self, reading: &mut Reading<'_>, mut metric: Keys<'n>) -> Option<Source<'n>> {
        let mut source = reading.section(&mut metric, "metricSource");
        reading.leave_rest(metric, &Uncarried::UnknownKey);
        let reference = reading.text(&mut source, "metricSourceRef");
        let given = match (reading.text(&mut source, "type"), reference) {
            (Some(given), _) => given,
            (None, Some(reference)) => self.referred(reading, &reference)?,
            (None, None) => {
                reading.missing(&source, "type", "Prometheus or redora");
                return None;
            }
        };
        let mut spec = reading.section(&mut source, "spec");
        reading.leave_rest(source, &Uncarried::UnknownKey);
        let source = match given.text.to_ascii_lowercase().as_str() {
            "prometheus" => {
                Source::Prometheus(reading.required(&mut spec, "query", "a query in PromQL")?)
            }
            "redora" => Source::Redora(select(reading, &mut spec)?),
            _ => {
                let reason = Inconvertible::Source(Shown::quoted(given.text));
                reading.lost(given.at, &given.key, reason);
                return None;
            }
        };
        reading.leave_rest(spec, &Uncarried::UnknownKey);
        Some(source)
    }

    /// The type of a data source by its name.
    fn referred(&self, reading: &mut Reading<'_>, reference: &Given<'n>) -> Option<Given<'n>> {
        let Some(mut spec) = self.objects.spec(reading, "DataSource", reference.text) else {
            let shown = Shown::quoted(reference.text);
            let reason = Inconvertible::Reference { shown, kind: "DataSource" };
            reading.lost(reference.at, &reference.key, reason);
            return None;
        };
        reading.required(&mut spec, "type", "Prometheus or redora")
    }
}

/// What a value is compared with.
struct Bound<'n> {
    op: Option<Given<'n>>,
    value: Option<Given<'n>>,
}

/// Which requests a source of type redora means.
fn select(reading: &mut Reading<'_>, spec: &mut Keys<'_>) -> Option<Select> {
    let faults = reading.walk.faults();
    let problem = |shown| Problem::Value { shown, form: Form::Name };
    let plain = crate::config::delivery::plain_name;
    let operation = reading.typed(spec, "operation", plain, problem);
    let kind =
        reading.typed(spec, "kind", kind, |shown| Problem::Value { shown, form: Form::SpanKind });
    let mut attributes = Vec::new();
    if let Some((_, field)) = spec.take("match") {
        for (key, field) in reading.walk.map(&field, ATTRIBUTES_MAX).unwrap_or_default() {
            if let Some(text) = reading.walk.plain(&field) {
                attributes.push((key.to_owned(), text.to_owned()));
            }
        }
    }
    (reading.walk.faults() == faults).then_some(Select {
        operation,
        kind,
        attributes,
        records: None,
    })
}

fn counted(threshold_ns: Option<u64>, select: Select) -> Meaning {
    let measure = Measure::Counted { threshold_ns, select };
    Meaning { measure, service: None, notes: Vec::new() }
}

/// Each comparison with the one that holds where it does not, of numbers.
const OPPOSITES: [(&str, &str); 4] = [("lte", ">"), ("lt", ">="), ("gte", "<"), ("gt", "<=")];
const OPS: &str = "lte, lt, gte or gt";
const RAW_TYPES: &str = "success or failure";
