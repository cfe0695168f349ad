//! The section `red`: which attributes become labels, the buckets, and whose metric names are kept
//! beside redora's.

use redora_model::dimension::Dimension;

use super::fault::{Conflict, Problem};
use super::scalar::{self, Form};
use super::walk::{Field, Section, Typed, Walk};
use crate::red::{Buckets, Compat, Config};

/// Reads `red`.
pub(super) fn red(walk: &mut Walk<'_>, section: &Section<'_>, red: &mut Config) {
    if let Some(field) = section.field("compat") {
        red.compat = compat(walk, &field).unwrap_or(red.compat);
    }
    if let Some(field) = section.field("dimensions") {
        let mut reserved = REQUEST_LABELS.to_vec();
        if red.compat.tempo {
            reserved.extend(TEMPO_LABELS);
        }
        if red.compat.spanmetrics {
            reserved.extend(SPANMETRICS_LABELS);
        }
        red.dimensions = dimensions(walk, &field, &reserved);
    }
    if let Some(field) = section.field("buckets")
        && let Some(buckets) = buckets(walk, &field)
    {
        red.buckets = buckets;
    }
    for (name, target) in
        [("native_histograms", &mut red.native_histograms), ("exemplars", &mut red.exemplars)]
    {
        if let Some(field) = section.field(name)
            && let Some(typed) = walk.typed(&field, Form::Switch, scalar::switch)
        {
            *target = typed.value;
        }
    }
}

/// Attributes as labels that clash neither with each other nor with the metric's own.
pub(super) fn dimensions(
    walk: &mut Walk<'_>,
    field: &Field<'_>,
    reserved: &[&'static str],
) -> Vec<Dimension> {
    let mut kept: Vec<Typed<Dimension>> = Vec::new();
    for field in walk.list(field, DIMENSIONS_MAX).unwrap_or_default() {
        let Some(typed) = walk.typed(&field, Form::Attribute, dimension) else { continue };
        let label = &typed.value.label;
        if let Some(label) = reserved.iter().find(|taken| *taken == label) {
            let shown = typed.shown.clone();
            typed.conflict(walk, Conflict::ReservedLabel { shown, label });
        } else if let Some(early) = kept.iter().find(|early| early.value.label == *label) {
            let conflict =
                Conflict::SameLabel { shown: typed.shown.clone(), other: early.key.clone() };
            typed.conflict(walk, conflict);
        } else {
            kept.push(typed);
        }
    }
    kept.into_iter().map(|typed| typed.value).collect()
}

/// An attribute whose label says something. The label never starts with two underscores, which
/// Prometheus keeps for itself, because [`Dimension::new`] collapses runs of them.
fn dimension(attribute: &str) -> Option<Dimension> {
    let clean = attribute.len() <= ATTRIBUTE_BYTES_MAX && !attribute.contains(char::is_control);
    let says = attribute.contains(|c: char| c.is_ascii_alphanumeric());
    (clean && says).then(|| Dimension::new(attribute))
}

fn buckets(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Buckets> {
    let fields = walk.list(field, Buckets::MAX)?;
    if fields.is_empty() {
        let why = "write at least one bound, or remove the key for the default";
        walk.fault(field.at, &field.key, Problem::EmptyList(why));
    }
    let mut bounds: Vec<f64> = Vec::with_capacity(fields.len());
    for field in &fields {
        let Some(typed) = walk.typed(field, Form::Seconds, scalar::seconds) else { continue };
        if bounds.last().is_some_and(|last| typed.value <= *last) {
            typed.conflict(walk, Conflict::Order(typed.shown.clone()));
        }
        bounds.push(typed.value);
    }
    // Whatever `Buckets` refuses was refused above with its place, or nothing was given.
    Buckets::new(&bounds).ok()
}

fn compat(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Compat> {
    let fields = walk.list(field, COMPAT_MAX)?;
    if fields.is_empty() {
        let why = "write none to keep no other names, or remove the key for the default";
        walk.fault(field.at, &field.key, Problem::EmptyList(why));
        return None;
    }
    let mut kept = Compat::default();
    let mut none = None;
    for field in &fields {
        let Some(typed) = walk.typed(field, Form::Compat, family) else { continue };
        let repeated = match typed.value {
            Family::Tempo => std::mem::replace(&mut kept.tempo, true),
            Family::Spanmetrics => std::mem::replace(&mut kept.spanmetrics, true),
            Family::None => none.replace(typed.clone()).is_some(),
        };
        if repeated {
            typed.conflict(walk, Conflict::Repeated(typed.shown.clone()));
        }
    }
    let some = kept.tempo || kept.spanmetrics;
    if let Some(none) = &none
        && some
    {
        none.conflict(walk, Conflict::NoneAlone);
    }
    // Nothing but empty `${NAME:-}` is not given.
    (some || none.is_some()).then_some(kept)
}

#[derive(Clone, Copy)]
enum Family {
    Tempo,
    Spanmetrics,
    None,
}

fn family(text: &str) -> Option<Family> {
    match text {
        "tempo" => Some(Family::Tempo),
        "spanmetrics" => Some(Family::Spanmetrics),
        "none" => Some(Family::None),
        _ => None,
    }
}

/// Labels of the request metrics themselves, and those that Prometheus or tenancy add.
const REQUEST_LABELS: [&str; 7] =
    ["service", "operation", "kind", "outcome", "status", "tenant", "le"];
/// Dimensions stand beside these in `traces_spanmetrics_*`; a label twice fails the whole scrape.
const TEMPO_LABELS: [&str; 3] = ["span_name", "span_kind", "status_code"];
/// Dimensions stand beside these in `traces_span_metrics_*`.
const SPANMETRICS_LABELS: [&str; 4] = ["service_name", "span_name", "span_kind", "status_code"];
/// Each dimension multiplies the series; past this the bound on series would cut at random.
const DIMENSIONS_MAX: usize = 16;
const ATTRIBUTE_BYTES_MAX: usize = 256;
/// The three words.
const COMPAT_MAX: usize = 3;
