//! Prometheus text and OpenMetrics, which differ in less than they share: how a family is declared,
//! and what may follow a value.

use crate::escape::{NameOf, write_line, write_quotable};
use crate::labels::{Labels, exemplar_fits};
use crate::name::Name;
use crate::negotiate::Escaping;
use crate::number::{write_bound, write_integer, write_seconds, write_value};
use crate::sample::{Bucket, Exemplar, Family, Histogram, Kind, Label};

/// What writes the two text formats.
#[derive(Debug)]
pub(crate) struct TextWriter {
    openmetrics: bool,
    escaping: Escaping,
    /// Whether OpenMetrics gets `_created` samples.
    created: bool,
    /// The family's HELP, TYPE and UNIT until its first sample.
    header: Vec<u8>,
    /// The family's name up to where a suffix follows, with the opening brace and quote if it is
    /// quoted.
    name: Vec<u8>,
    quoted: bool,
    /// What follows the name of a counter, a gauge, an info or an unknown.
    suffix: &'static str,
    counter: bool,
    /// The labels of the sample at hand, written once and copied to each line of a histogram.
    body: Vec<u8>,
    bounds: Bounds,
    labels: Labels,
}

impl TextWriter {
    pub(crate) fn new(openmetrics: bool, escaping: Escaping, created: bool) -> Self {
        Self {
            openmetrics,
            escaping,
            created: created && openmetrics,
            header: Vec::new(),
            name: Vec::new(),
            quoted: false,
            suffix: "",
            counter: false,
            body: Vec::new(),
            bounds: Bounds::default(),
            labels: Labels::default(),
        }
    }

    /// Begins a family. Its declaration waits for the first sample, because a family without one
    /// says nothing.
    pub(crate) fn family(&mut self, family: &Family<'_>, name: &Name, declared: bool) {
        self.header.clear();
        if declared {
            self.declare(family, name);
        }
        self.name.clear();
        if name.quoted {
            self.name.extend_from_slice(b"{\"");
            write_quotable(name.stem(), &mut self.name);
        } else {
            self.name.extend_from_slice(name.stem().as_bytes());
        }
        self.quoted = name.quoted;
        self.suffix = name.suffix();
        self.counter = family.kind == Kind::Counter;
    }

    fn declare(&mut self, family: &Family<'_>, name: &Name) {
        let declared = if self.openmetrics { name.stem().to_owned() } else { name.full() };
        let kind = match (family.kind, self.openmetrics) {
            (Kind::Counter, _) => "counter",
            (Kind::Histogram, _) => "histogram",
            (Kind::Info, true) => "info",
            (Kind::Gauge, _) | (Kind::Info, false) => "gauge",
            (Kind::Unknown, true) => "unknown",
            (Kind::Unknown, false) => "untyped",
        };
        if !family.help.is_empty() {
            self.declare_name("HELP", &declared, name.quoted);
            if self.openmetrics {
                write_quotable(family.help, &mut self.header);
            } else {
                write_line(family.help, &mut self.header);
            }
            self.header.push(b'\n');
        }
        self.declare_name("TYPE", &declared, name.quoted);
        self.header.extend_from_slice(kind.as_bytes());
        self.header.push(b'\n');
        if let Some(unit) = name.unit(family.unit).filter(|_| self.openmetrics) {
            self.declare_name("UNIT", &declared, name.quoted);
            self.header.extend_from_slice(unit.as_bytes());
            self.header.push(b'\n');
        }
    }

    fn declare_name(&mut self, word: &str, name: &str, quoted: bool) {
        self.header.extend_from_slice(b"# ");
        self.header.extend_from_slice(word.as_bytes());
        self.header.push(b' ');
        if quoted {
            self.header.push(b'"');
            write_quotable(name, &mut self.header);
            self.header.push(b'"');
        } else {
            self.header.extend_from_slice(name.as_bytes());
        }
        self.header.push(b' ');
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
        self.start(labels, None, out);
        self.series(self.suffix, None, out);
        write_value(value, out);
        self.exemplar(exemplar.filter(|_| self.counter), out);
        out.push(b'\n');
        if self.counter {
            self.created(created_ms, out);
        }
    }

    /// Writes a histogram's classic buckets, its sum and its count.
    pub(crate) fn histogram(&mut self, labels: &[Label<'_>], h: &Histogram<'_>, out: &mut Vec<u8>) {
        self.start(labels, Some("le"), out);
        // Taken out so that its texts can be borrowed while the lines are written.
        let mut bounds = std::mem::take(&mut self.bounds);
        bounds.refresh(h.buckets);
        let finite = h.buckets.iter().enumerate().filter(|(_, b)| b.upper != f64::INFINITY);
        for (at, bucket) in finite {
            self.series("_bucket", Some(bounds.text(at)), out);
            write_integer(bucket.cumulative, out);
            self.exemplar(bucket.exemplar.as_ref(), out);
            out.push(b'\n');
        }
        self.bounds = bounds;
        self.series("_bucket", Some("+Inf"), out);
        write_integer(h.count, out);
        let last = h.buckets.last().filter(|bucket| bucket.upper == f64::INFINITY);
        self.exemplar(last.and_then(|bucket| bucket.exemplar.as_ref()), out);
        out.push(b'\n');
        self.series("_sum", None, out);
        write_value(h.sum, out);
        out.push(b'\n');
        self.series("_count", None, out);
        write_integer(h.count, out);
        out.push(b'\n');
        self.created(h.created_ms, out);
    }

    /// Writes what ends a body.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.openmetrics {
            out.extend_from_slice(b"# EOF\n");
        }
    }

    fn start(&mut self, labels: &[Label<'_>], reserved: Option<&str>, out: &mut Vec<u8>) {
        out.append(&mut self.header);
        self.body.clear();
        write_labels(&mut self.labels, labels, self.escaping, reserved, &mut self.body);
    }

    /// Writes a line up to the blank before its value.
    fn series(&self, suffix: &str, le: Option<&str>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.name);
        out.extend_from_slice(suffix.as_bytes());
        let mut before: &[u8] = b"{";
        if self.quoted {
            out.push(b'"');
            before = b",";
        }
        if !self.body.is_empty() {
            out.extend_from_slice(before);
            out.extend_from_slice(&self.body);
            before = b",";
        }
        if let Some(le) = le {
            out.extend_from_slice(before);
            out.extend_from_slice(b"le=\"");
            out.extend_from_slice(le.as_bytes());
            out.push(b'"');
        }
        if self.quoted || le.is_some() || !self.body.is_empty() {
            out.push(b'}');
        }
        out.push(b' ');
    }

    fn exemplar(&mut self, exemplar: Option<&Exemplar<'_>>, out: &mut Vec<u8>) {
        let Some(exemplar) = exemplar.filter(|_| self.openmetrics) else { return };
        if !exemplar_fits(&mut self.labels, exemplar, self.escaping) {
            return;
        }
        out.extend_from_slice(b" # {");
        write_labels(&mut self.labels, exemplar.labels, self.escaping, None, out);
        out.extend_from_slice(b"} ");
        write_value(exemplar.value, out);
        if let Some(ms) = exemplar.timestamp_ms {
            out.push(b' ');
            write_seconds(ms, out);
        }
    }

    fn created(&self, created_ms: Option<u64>, out: &mut Vec<u8>) {
        let Some(ms) = created_ms.filter(|_| self.created) else { return };
        self.series("_created", None, out);
        write_seconds(ms, out);
        out.push(b'\n');
    }
}

fn write_labels(
    room: &mut Labels,
    labels: &[Label<'_>],
    escaping: Escaping,
    reserved: Option<&str>,
    out: &mut Vec<u8>,
) {
    let mut first = true;
    room.each(labels, escaping, reserved, |name, value| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        if escaping == Escaping::AllowUtf8 && !NameOf::Label.is_legal(name) {
            out.push(b'"');
            write_quotable(name, out);
            out.push(b'"');
        } else {
            out.extend_from_slice(name.as_bytes());
        }
        out.extend_from_slice(b"=\"");
        write_quotable(value, out);
        out.push(b'"');
    });
}

/// The texts of the last histogram's bounds, because all histograms of a family have the same ones.
#[derive(Debug, Default)]
struct Bounds {
    bits: Vec<u64>,
    texts: String,
    ends: Vec<usize>,
}

impl Bounds {
    /// Makes the texts those of `buckets`, writing only what changed.
    fn refresh(&mut self, buckets: &[Bucket<'_>]) {
        let known =
            self.bits.iter().zip(buckets).take_while(|(bits, b)| **bits == b.upper.to_bits());
        let known = known.count();
        if known == buckets.len() {
            return;
        }
        self.bits.truncate(known);
        self.ends.truncate(known);
        self.texts.truncate(self.ends.last().copied().unwrap_or(0));
        for bucket in &buckets[known..] {
            self.bits.push(bucket.upper.to_bits());
            write_bound(bucket.upper, &mut self.texts);
            self.ends.push(self.texts.len());
        }
    }

    fn text(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.texts[start..self.ends[at]]
    }
}
