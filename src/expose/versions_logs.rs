//! Versions and log records as samples.

use redora_exposition::{Family, Kind};

use super::families::{Described, LOG_RECORDS, VERSION_REQUESTS};
use super::labels::LabelSet;
use super::rows::{Place, Step, labels_of};
use crate::log_metrics::SEVERITIES;
use crate::sightings::Seen;

/// Requests of each version, both outcomes.
pub(super) fn version_requests(step: Step<'_>) -> Option<Place> {
    let book = step.books.sightings.requests();
    step.rows(&VERSION_REQUESTS.family(), book, |encoder, entry| {
        for (outcome, count) in [("ok", entry.row.ok()), ("error", entry.row.error())] {
            let mut labels = labels_of(entry, &["service", "version"]);
            labels.push("outcome", outcome);
            encoder.counter(labels.as_slice(), count as f64, Some(entry.born_ms()), None);
        }
    })
}

/// One value of each sighting.
pub(super) fn seen(step: Step<'_>, family: &Described, value: fn(&Seen) -> f64) -> Option<Place> {
    let book = step.books.sightings.seen();
    step.rows(&family.family(), book, |encoder, entry| {
        let labels = labels_of(entry, family.labels);
        encoder.gauge(labels.as_slice(), value(&entry.row));
    })
}

/// Log records of each service, all severities.
pub(super) fn log_records(step: Step<'_>) -> Option<Place> {
    let book = step.books.log_metrics.records();
    step.rows(&LOG_RECORDS.family(), book, |encoder, entry| {
        for (severity, count) in SEVERITIES.iter().zip(entry.row.counts()) {
            let mut labels = labels_of(entry, &["service"]);
            labels.push("severity", severity);
            encoder.counter(labels.as_slice(), *count as f64, Some(entry.born_ms()), None);
        }
    })
}

/// The counter of the rule of this number.
pub(super) fn log_rule(step: Step<'_>, number: usize) -> Option<Place> {
    let books = step.books;
    let (rules, matched) = (books.log_metrics.rules(), books.log_metrics.matched());
    let (rule, book) = rules.get(number).zip(matched.get(number))?;
    let name = rule.metric();
    let help = "Log records that matched the configured rule of this name.";
    let family = Family { name: &name, help, kind: Kind::Counter, unit: None };
    step.rows(&family, book, |encoder, entry| {
        let mut values = entry.labels();
        let mut labels = LabelSet::new();
        labels.tenant(values.next());
        labels.named(&["service"], &mut values);
        labels.dimensions(&rule.labels, &mut values);
        let (count, born_ms) = (entry.row.count() as f64, entry.born_ms());
        encoder.counter(labels.as_slice(), count, Some(born_ms), None);
    })
}
