//! The protobuf format, written by hand, because a generated encoder needs the whole family as
//! objects before the first byte, and its length before the first sample.

use crate::labels::{Labels, exemplar_fits};
use crate::name::Name;
use crate::native;
use crate::negotiate::Escaping;
use crate::sample::{Bucket, Exemplar, Family, Histogram, Kind, Label, Native};

/// A family is cut into messages of about this size. Each repeats the family's name, help and kind,
/// and readers take them for one family.
const MESSAGE_BYTES: usize = 256 * 1024;

/// What stands for a threshold of exactly 0: the one that Prometheus gives to OTLP's histograms
/// without one.
const ZERO_THRESHOLD: f64 = 1e-128;

/// What writes the protobuf format.
#[derive(Debug)]
pub(crate) struct ProtobufWriter {
    escaping: Escaping,
    kind: Kind,
    /// The fields of MetricFamily that every message of the family repeats.
    header: Vec<u8>,
    /// The fields `metric` of the message at hand.
    metrics: Vec<u8>,
    /// Whether the histograms in `metrics` have native buckets.
    native: bool,
    labels: Labels,
}

impl ProtobufWriter {
    pub(crate) fn new(escaping: Escaping) -> Self {
        Self {
            escaping,
            kind: Kind::Unknown,
            header: Vec::new(),
            metrics: Vec::new(),
            native: false,
            labels: Labels::default(),
        }
    }

    pub(crate) fn family(&mut self, family: &Family<'_>, name: &Name) {
        self.kind = family.kind;
        self.header.clear();
        write_text(1, &name.full(), &mut self.header);
        if !family.help.is_empty() {
            write_text(2, family.help, &mut self.header);
        }
        let kind = match family.kind {
            Kind::Counter => 0,
            Kind::Gauge | Kind::Info => 1,
            Kind::Unknown => 3,
            Kind::Histogram => 4,
        };
        write_number(3, kind, &mut self.header);
        if let Some(unit) = name.unit(family.unit) {
            write_text(5, unit, &mut self.header);
        }
    }

    /// Writes a sample of any family but a histogram.
    pub(crate) fn value(
        &mut self,
        labels: &[Label<'_>],
        value: f64,
        created_ms: Option<u64>,
        exemplar: Option<&Exemplar<'_>>,
        out: &mut Vec<u8>,
    ) {
        let (room, escaping, kind) = (&mut self.labels, self.escaping, self.kind);
        write_message(4, &mut self.metrics, |metric| {
            write_labels(room, labels, escaping, None, metric);
            let field = match kind {
                Kind::Gauge | Kind::Info => 2,
                Kind::Counter => 3,
                Kind::Unknown | Kind::Histogram => 5,
            };
            write_message(field, metric, |body| {
                write_double(1, value, body);
                if kind == Kind::Counter {
                    write_exemplar(2, exemplar, room, escaping, body);
                    write_time(3, created_ms, body);
                }
            });
        });
        self.cut(MESSAGE_BYTES, out);
    }

    /// Writes a histogram's classic buckets, and its native ones if they are sound.
    pub(crate) fn histogram(&mut self, labels: &[Label<'_>], h: &Histogram<'_>, out: &mut Vec<u8>) {
        let native = h.native.filter(|native| native::is_sound(native, h.count, h.sum));
        // Prometheus 2.4x decides by a message's first histogram whether it reads native or classic
        // buckets from all of them.
        if self.native != native.is_some() {
            self.end_family(out);
            self.native = native.is_some();
        }
        let (room, escaping) = (&mut self.labels, self.escaping);
        write_message(4, &mut self.metrics, |metric| {
            write_labels(room, labels, escaping, Some("le"), metric);
            write_message(7, metric, |body| {
                write_number(1, h.count, body);
                write_double(2, h.sum, body);
                for bucket in h.buckets {
                    write_bucket(bucket, h.count, room, escaping, body);
                }
                if let Some(native) = &native {
                    write_native(native, body);
                    for bucket in h.buckets {
                        let timed = |e: &&Exemplar<'_>| e.timestamp_ms.is_some();
                        let exemplar = bucket.exemplar.as_ref().filter(timed);
                        write_exemplar(16, exemplar, room, escaping, body);
                    }
                }
                write_time(15, h.created_ms, body);
            });
        });
        self.cut(MESSAGE_BYTES, out);
    }

    /// Sends what is left of the family.
    pub(crate) fn end_family(&mut self, out: &mut Vec<u8>) {
        self.cut(1, out);
    }

    /// Sends a message if at least `bytes` wait for one.
    fn cut(&mut self, bytes: usize, out: &mut Vec<u8>) {
        if self.metrics.len() < bytes {
            return;
        }
        write_varint((self.header.len() + self.metrics.len()) as u64, out);
        out.extend_from_slice(&self.header);
        out.append(&mut self.metrics);
    }
}

fn write_bucket(
    bucket: &Bucket<'_>,
    count: u64,
    room: &mut Labels,
    escaping: Escaping,
    out: &mut Vec<u8>,
) {
    let infinite = bucket.upper == f64::INFINITY;
    // Readers add the bucket +Inf themselves, so it is worth its bytes only for an exemplar.
    if infinite && bucket.exemplar.is_none() {
        return;
    }
    write_message(3, out, |body| {
        write_number(1, if infinite { count } else { bucket.cumulative }, body);
        write_double(2, bucket.upper, body);
        write_exemplar(3, bucket.exemplar.as_ref(), room, escaping, body);
    });
}

fn write_native(native: &Native<'_>, out: &mut Vec<u8>) {
    // A threshold above 0 is the one sign of native buckets that every reader knows when they are
    // empty.
    let zero_threshold =
        if native.zero_threshold == 0.0 { ZERO_THRESHOLD } else { native.zero_threshold };
    write_number(5, zigzag(i64::from(native.schema)), out);
    write_double(6, zero_threshold, out);
    write_number(7, native.zero_count, out);
    native::spans(native.positive, |offset, length| write_span(offset, length, out));
    if !native.positive.is_empty() {
        write_message(13, out, |packed| {
            native::deltas(native.positive, |delta| write_varint(zigzag(delta), packed));
        });
    }
}

fn write_span(offset: i32, length: u32, out: &mut Vec<u8>) {
    write_message(12, out, |span| {
        write_number(1, zigzag(i64::from(offset)), span);
        write_number(2, u64::from(length), span);
    });
}

fn write_exemplar(
    field: u32,
    exemplar: Option<&Exemplar<'_>>,
    room: &mut Labels,
    escaping: Escaping,
    out: &mut Vec<u8>,
) {
    let Some(exemplar) = exemplar else { return };
    if !exemplar_fits(room, exemplar, escaping) {
        return;
    }
    write_message(field, out, |body| {
        write_labels(room, exemplar.labels, escaping, None, body);
        write_double(2, exemplar.value, body);
        write_time(3, exemplar.timestamp_ms, body);
    });
}

/// Writes LabelPair messages, which are field 1 of a Metric and of an Exemplar alike.
fn write_labels(
    room: &mut Labels,
    labels: &[Label<'_>],
    escaping: Escaping,
    reserved: Option<&str>,
    out: &mut Vec<u8>,
) {
    room.each(labels, escaping, reserved, |name, value| {
        write_message(1, out, |pair| {
            write_text(1, name, pair);
            write_text(2, value, pair);
        });
    });
}

/// Writes a google.protobuf.Timestamp.
fn write_time(field: u32, ms: Option<u64>, out: &mut Vec<u8>) {
    let Some(ms) = ms else { return };
    write_message(field, out, |time| {
        write_number(1, ms / 1000, time);
        write_number(2, ms % 1000 * 1_000_000, time);
    });
}

/// Writes a length-delimited field whose length is known only after it is written.
fn write_message(field: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    write_tag(field, 2, out);
    let length_at = out.len();
    // Most messages are shorter than 128 bytes, so one byte is kept free and a longer message moved
    // aside.
    out.push(0);
    write(out);
    let mut length = out.len() - length_at - 1;
    let more = if length < 128 { 0 } else { length.ilog2() as usize / 7 };
    out.resize(out.len() + more, 0);
    out.copy_within(length_at + 1..length_at + 1 + length, length_at + 1 + more);
    for byte in &mut out[length_at..length_at + more] {
        // The casts cannot truncate: seven bits are left.
        *byte = (length & 0x7f) as u8 | 0x80;
        length >>= 7;
    }
    out[length_at + more] = length as u8;
}

fn write_text(field: u32, text: &str, out: &mut Vec<u8>) {
    write_tag(field, 2, out);
    write_varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn write_double(field: u32, value: f64, out: &mut Vec<u8>) {
    write_tag(field, 1, out);
    out.extend_from_slice(&value.to_le_bytes());
}

fn write_number(field: u32, value: u64, out: &mut Vec<u8>) {
    write_tag(field, 0, out);
    write_varint(value, out);
}

fn write_tag(field: u32, wire_type: u32, out: &mut Vec<u8>) {
    write_varint(u64::from(field << 3 | wire_type), out);
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        // The cast keeps the seven bits that the byte carries.
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}
