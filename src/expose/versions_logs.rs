//! Versions and log records as samples.

use redora_exposition::{Encoder, Family, Kind};

use super::families::{
    Described, LOG_RECORDS, VERSION_FIRST_SEEN, VERSION_INFO, VERSION_LAST_SEEN, VERSION_REQUESTS,
    log_rule_name,
};
use super::labels::LabelSet;
use super::rows::{PIECE_BYTES, Place, encode_rows, labels_of};
use crate::digest::Books;
use crate::log_metrics::SEVERITIES;
use crate::sightings::Seen;

pub(super) fn encode_version_requests(
    books: &Books,
    encoder: &mut Encoder,
    from: Place,
) -> Option<Place> {
    let book = books.sightings.requests();
    encode_rows(&VERSION_REQUESTS, book, encoder, from, |encoder, entry| {
        for (outcome, count) in [("ok", entry.row.ok()), ("error", entry.row.error())] {
            let mut labels = labels_of(entry, &["service", "version"]);
            labels.push("outcome", outcome);
            encoder.counter(labels.as_slice(), count as f64, Some(entry.born_ms()), None);
        }
    })
}

pub(super) fn encode_version_info(
    books: &Books,
    encoder: &mut Encoder,
    from: Place,
) -> Option<Place> {
    encode_seen(&VERSION_INFO, books, encoder, from, |_| 1.0)
}

pub(super) fn encode_version_first_seen(
    books: &Books,
    encoder: &mut Encoder,
    from: Place,
) -> Option<Place> {
    encode_seen(&VERSION_FIRST_SEEN, books, encoder, from, |seen| seen.first_ms as f64 / 1e3)
}

pub(super) fn encode_version_last_seen(
    books: &Books,
    encoder: &mut Encoder,
    from: Place,
) -> Option<Place> {
    encode_seen(&VERSION_LAST_SEEN, books, encoder, from, |seen| seen.last_ms as f64 / 1e3)
}

fn encode_seen(
    family: &Described,
    books: &Books,
    encoder: &mut Encoder,
    from: Place,
    value: fn(&Seen) -> f64,
) -> Option<Place> {
    encode_rows(family, books.sightings.seen(), encoder, from, |encoder, entry| {
        let labels = labels_of(entry, &["service", "version", "revision"]);
        encoder.gauge(labels.as_slice(), value(&entry.row));
    })
}

pub(super) fn encode_log_records(
    books: &Books,
    encoder: &mut Encoder,
    from: Place,
) -> Option<Place> {
    let book = books.log_metrics.records();
    encode_rows(&LOG_RECORDS, book, encoder, from, |encoder, entry| {
        for (severity, count) in SEVERITIES.iter().zip(entry.row.counts()) {
            let mut labels = labels_of(entry, &["service"]);
            labels.push("severity", severity);
            encoder.counter(labels.as_slice(), *count as f64, Some(entry.born_ms()), None);
        }
    })
}

/// The counter of the rule of this number.
pub(super) fn encode_rule(
    books: &Books,
    number: usize,
    encoder: &mut Encoder,
    from: Place,
) -> Option<Place> {
    let (rules, matched) = (books.log_metrics.rules(), books.log_metrics.matched());
    let (rule, book) = rules.get(number).zip(matched.get(number))?;
    if from.row == 0 {
        let name = log_rule_name(&rule.name);
        let help = "Log records that matched the configured rule of this name.";
        encoder.family(&Family { name: &name, help, kind: Kind::Counter, unit: None });
    }
    for (at, entry) in book.entries_until(from.begun, from.row) {
        let mut values = entry.labels();
        let mut labels = LabelSet::new();
        labels.tenant(values.next());
        labels.named(&["service"], &mut values);
        labels.dimensions(&rule.labels, &mut values);
        let (count, born_ms) = (entry.row.count() as f64, entry.born_ms());
        encoder.counter(labels.as_slice(), count, Some(born_ms), None);
        if encoder.buffered() >= PIECE_BYTES {
            return Some(from.at(at + 1));
        }
    }
    None
}
