//! Requests as samples: redora's own families, and the same requests under the names of other
//! tools.

use redora_exposition::{Bucket, Encoder, Exemplar, Label, Native};

use super::families::{Described, REQUEST_DURATION, REQUESTS};
use super::labels::LabelSet;
use super::rows::{Place, Step, labels_of};
use crate::digest::Books;
use crate::red::{
    Buckets, Calls, Family, Histogram, NATIVE_BUCKETS_MAX, Outcome, Requests, Shape, Trace,
};
use crate::series::Entry;

/// Requests by operation, outcome and status.
pub(super) fn requests(step: Step<'_>) -> Option<Place> {
    let books = step.books;
    step.rows(&REQUESTS.family(), &books.red.requests().book, |encoder, entry| {
        for outcome in Outcome::ALL {
            for (status, count) in entry.row.side(outcome).statuses() {
                let labels = request_labels(books, entry, outcome, Some(status.as_str()));
                encoder.counter(labels.as_slice(), *count as f64, Some(entry.born_ms()), None);
            }
        }
    })
}

/// Durations by operation and outcome; an outcome that never happened has none.
pub(super) fn request_durations(step: Step<'_>) -> Option<Place> {
    let books = step.books;
    let Family { book, shape } = books.red.requests();
    step.rows(&REQUEST_DURATION.family(), book, |encoder, entry| {
        for outcome in Outcome::ALL {
            if let Some(histogram) = entry.row.side(outcome).histogram() {
                let labels = request_labels(books, entry, outcome, None);
                encode_histogram(encoder, labels.as_slice(), histogram, shape, entry.born_ms());
            }
        }
    })
}

fn request_labels<'b>(
    books: &'b Books,
    entry: &'b Entry<Requests>,
    outcome: Outcome,
    status: Option<&'static str>,
) -> LabelSet<'b> {
    let mut values = entry.labels();
    let mut labels = LabelSet::new();
    labels.tenant(values.next());
    labels.named(&["service", "operation", "kind"], &mut values);
    labels.push("outcome", outcome.as_str());
    if let Some(status) = status {
        labels.push("status", status);
    }
    labels.dimensions(&books.red.config().dimensions, &mut values);
    labels
}

/// Calls by span status. UNSET and ERROR stand at 0 from the first call on; OK is rare and appears
/// when it is set.
pub(super) fn calls(
    step: Step<'_>,
    described: &Described,
    calls: Option<&Family<Calls>>,
) -> Option<Place> {
    let books = step.books;
    step.rows(&described.family(), &calls?.book, |encoder, entry| {
        for (number, status) in SPAN_STATUSES.iter().enumerate() {
            let histogram = entry.row.side(number);
            if histogram.is_some() || *status != "STATUS_CODE_OK" {
                let count = histogram.map_or(0, Histogram::count);
                let labels = call_labels(described, books, entry, status);
                encoder.counter(labels.as_slice(), count as f64, Some(entry.born_ms()), None);
            }
        }
    })
}

/// Durations of calls by span status.
pub(super) fn call_durations(
    step: Step<'_>,
    described: &Described,
    calls: Option<&Family<Calls>>,
) -> Option<Place> {
    let books = step.books;
    let Family { book, shape } = calls?;
    step.rows(&described.family(), book, |encoder, entry| {
        for (number, status) in SPAN_STATUSES.iter().enumerate() {
            if let Some(histogram) = entry.row.side(number) {
                let labels = call_labels(described, books, entry, status);
                encode_histogram(encoder, labels.as_slice(), histogram, shape, entry.born_ms());
            }
        }
    })
}

fn call_labels<'b>(
    described: &Described,
    books: &'b Books,
    entry: &'b Entry<Calls>,
    status: &'static str,
) -> LabelSet<'b> {
    let mut values = entry.labels();
    let mut labels = LabelSet::new();
    labels.tenant(values.next());
    labels.named(&described.labels[..3], &mut values);
    labels.push("status_code", status);
    labels.dimensions(&books.red.config().dimensions, &mut values);
    labels
}

/// Durations of the service graph's edges.
pub(super) fn edge_durations(step: Step<'_>, described: &Described) -> Option<Place> {
    let Family { book, shape } = step.books.red.edges()?;
    step.rows(&described.family(), book, |encoder, entry| {
        if let Some(histogram) = entry.row.histogram() {
            let labels = labels_of(entry, described.labels);
            encode_histogram(encoder, labels.as_slice(), histogram, shape, entry.born_ms());
        }
    })
}

/// One histogram, with its exemplars' ids spelled out on the stack.
fn encode_histogram(
    encoder: &mut Encoder,
    labels: &[Label<'_>],
    histogram: &Histogram,
    shape: &Shape,
    born_ms: u64,
) {
    let counts = histogram.counts();
    let classic = counts.len();
    let mut ids = [Ids::default(); BUCKETS_MAX];
    for (bucket, ids) in ids.iter_mut().enumerate().take(classic) {
        if let Some(exemplar) = histogram.exemplar(bucket) {
            *ids = Ids::of(&exemplar.trace);
        }
    }
    let pairs = ids.each_ref().map(Ids::labels);
    let mut buckets = [Bucket { upper: f64::INFINITY, cumulative: 0, exemplar: None }; BUCKETS_MAX];
    let mut cumulative = 0_u64;
    for (at, (count, bucket)) in counts.zip(&mut buckets).enumerate() {
        cumulative = cumulative.saturating_add(count);
        *bucket = Bucket {
            upper: shape.bounds().get(at).copied().unwrap_or(f64::INFINITY),
            cumulative,
            exemplar: histogram.exemplar(at).map(|exemplar| Exemplar {
                labels: &pairs[at],
                value: shape.in_units(exemplar.nanos),
                timestamp_ms: Some(exemplar.at_ms),
            }),
        };
    }
    let mut positive = [(0, 0); NATIVE_BUCKETS_MAX];
    let native = histogram.native().map(|native| {
        let mut filled = 0;
        for (place, (index, count)) in positive.iter_mut().zip(native.buckets()) {
            *place = (i32::from(index), count);
            filled += 1;
        }
        (native, filled)
    });
    encoder.histogram(
        labels,
        &redora_exposition::Histogram {
            count: cumulative,
            sum: histogram.sum(shape),
            buckets: &buckets[..classic],
            native: native.map(|(native, len)| Native {
                schema: native.schema(),
                zero_threshold: 0.0,
                zero_count: native.zero(),
                positive: &positive[..len],
            }),
            created_ms: Some(born_ms),
        },
    );
}

/// The ids of an exemplar in hexadecimal.
#[derive(Clone, Copy)]
struct Ids {
    trace: [u8; 32],
    span: [u8; 16],
}

impl Default for Ids {
    fn default() -> Self {
        Self { trace: [b'0'; 32], span: [b'0'; 16] }
    }
}

impl Ids {
    fn of(trace: &Trace) -> Self {
        let mut ids = Self::default();
        hex(&trace.trace_id(), &mut ids.trace);
        hex(&trace.span_id(), &mut ids.span);
        ids
    }

    fn labels(&self) -> [Label<'_>; 2] {
        let text = |digits| std::str::from_utf8(digits).expect("hexadecimal digits are ASCII");
        [("trace_id", text(&self.trace)), ("span_id", text(&self.span))]
    }
}

fn hex(bytes: &[u8], out: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Configured buckets and the infinite one.
const BUCKETS_MAX: usize = Buckets::MAX + 1;

/// In the order of OTLP's numbers.
const SPAN_STATUSES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
