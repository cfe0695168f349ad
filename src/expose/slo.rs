//! Objectives as samples: what rules join and compare, so that no rule has to know an objective.

use redora_exposition::Encoder;
use redora_model::slo::{BURN_WINDOWS, Severity};

use super::families::{Described, SLO_BURN_RATE, SLO_EVENTS, SLO_TIER_ENABLED, SLO_VERSION_EVENTS};
use super::rows::{Place, Step, labels_of};
use crate::slo::Standing;

/// Events since the start, both outcomes.
pub(super) fn events(step: Step<'_>) -> Option<Place> {
    each(step, &SLO_EVENTS, |encoder, [service, slo], standing| {
        let totals = standing.totals();
        for (outcome, count) in [("good", totals.good), ("bad", totals.bad)] {
            let labels = [service, slo, ("outcome", outcome)];
            encoder.counter(&labels, count as f64, Some(standing.born_ms()), None);
        }
    })
}

/// Events of each version, both outcomes.
pub(super) fn version_events(step: Step<'_>) -> Option<Place> {
    let book = step.books.slo.versions();
    step.rows(&SLO_VERSION_EVENTS.family(), book, |encoder, entry| {
        let counts = entry.row.counts();
        for (outcome, count) in [("good", counts.good), ("bad", counts.bad)] {
            let mut labels = labels_of(entry, &["service", "slo", "version"]);
            labels.push("outcome", outcome);
            encoder.counter(labels.as_slice(), count as f64, Some(entry.born_ms()), None);
        }
    })
}

/// The burn rate of every window that some tier looks at.
pub(super) fn burn_rates(step: Step<'_>) -> Option<Place> {
    each(step, &SLO_BURN_RATE, |encoder, [service, slo], standing| {
        for window in BURN_WINDOWS {
            let rate = standing.last(window).burn_rate(standing.watched.objective.goal);
            encoder.gauge(&[service, slo, ("window", window.name)], rate);
        }
    })
}

/// Whether alerts of each severity are wanted.
pub(super) fn tiers(step: Step<'_>) -> Option<Place> {
    each(step, &SLO_TIER_ENABLED, |encoder, [service, slo], standing| {
        for severity in Severity::ALL {
            let enabled = standing.watched.objective.tiers.has(severity);
            let labels = [service, slo, ("tier", severity.as_str())];
            encoder.gauge(&labels, f64::from(u8::from(enabled)));
        }
    })
}

/// What is said of an objective beside its numbers.
pub(super) fn info(step: Step<'_>, family: &Described) -> Option<Place> {
    each(step, family, |encoder, [service, slo], standing| {
        let objective = &standing.watched.objective;
        let team = ("team", objective.team.as_str());
        encoder.gauge(&[service, slo, team, ("runbook", &objective.runbook)], 1.0);
    })
}

/// One number of each objective.
pub(super) fn gauge(
    step: Step<'_>,
    family: &Described,
    value: fn(&Standing<'_>) -> f64,
) -> Option<Place> {
    each(step, family, |encoder, labels, standing| encoder.gauge(&labels, value(standing)))
}

/// Encodes every objective in one piece: there are few, and a reload between two pieces would show
/// one twice.
fn each(
    step: Step<'_>,
    family: &Described,
    encode: impl Fn(&mut Encoder, [(&str, &str); 2], &Standing<'_>),
) -> Option<Place> {
    let Step { books, encoder, .. } = step;
    let mut standings = books.slo.standings().peekable();
    standings.peek()?;
    encoder.family(&family.family());
    for standing in standings {
        let objective = &standing.watched.objective;
        let labels = [("service", objective.service.as_str()), ("slo", objective.name.as_str())];
        encode(encoder, labels, &standing);
    }
    None
}
