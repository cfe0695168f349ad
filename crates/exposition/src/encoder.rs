//! The one door to all formats: it decides how a family may be declared and hands its samples to
//! the format's writer.

use std::collections::BTreeMap;

use crate::name::Name;
use crate::negotiate::{Format, Negotiated};
use crate::protobuf::ProtobufWriter;
use crate::sample::{Exemplar, Family, Histogram, Kind, Label};
use crate::text::TextWriter;

/// What a scrape may choose beside its format.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Write `_created` samples in OpenMetrics. Off by default: Prometheus stores them as series of
    /// their own unless a feature is on. Protobuf carries start times always, at no cost.
    pub created: bool,
}

/// Turns families and samples into the bytes of one scrape.
///
/// Call [`family`](Self::family), then its samples, and so on, then [`finish`](Self::finish).
/// [`take`](Self::take) the bytes whenever [`buffered`](Self::buffered) grows past what the caller
/// wants to hold, between any two calls. Besides those bytes the encoder holds the names of the
/// families, at most 256 KiB of a protobuf message, and one sample.
///
/// Nothing that is pushed can fail: names are escaped, and what no format can carry is left out and
/// counted in [`omitted`](Self::omitted).
#[derive(Debug)]
pub struct Encoder {
    negotiated: Negotiated,
    writer: Writer,
    out: Vec<u8>,
    /// Every name that was declared, with the kind it was declared as.
    declared: BTreeMap<String, Kind>,
    /// The current family's name in `declared` as long as it has no sample and so no declaration.
    unused: Option<String>,
    /// The kind of the current family's samples; none before the first family and in one that is
    /// left out.
    kind: Option<Kind>,
    omitted: u64,
}

#[derive(Debug)]
enum Writer {
    Text(TextWriter),
    Protobuf(ProtobufWriter),
}

impl Encoder {
    /// An encoder for one scrape.
    #[must_use]
    pub fn new(negotiated: Negotiated, options: Options) -> Self {
        let escaping = negotiated.escaping;
        let writer = match negotiated.format {
            Format::Text004 | Format::Text100 => {
                Writer::Text(TextWriter::new(false, escaping, options.created))
            }
            Format::OpenMetrics001 | Format::OpenMetrics100 => {
                Writer::Text(TextWriter::new(true, escaping, options.created))
            }
            Format::Protobuf => Writer::Protobuf(ProtobufWriter::new(escaping)),
        };
        let (out, declared) = (Vec::new(), BTreeMap::new());
        Self { negotiated, writer, out, declared, unused: None, kind: None, omitted: 0 }
    }

    /// Ends the family before and begins this one. A family without samples leaves no trace.
    ///
    /// The samples of one family belong together. If they come in several parts all the same, only
    /// the first part is declared; a part of another kind is left out. OpenMetrics takes `x_total`
    /// and a gauge `x` for one family: the counter, if it comes second, is then declared as an
    /// unknown `x_total`, and a gauge that comes second stays undeclared, so that no sample is
    /// lost.
    pub fn family(&mut self, family: &Family<'_>) {
        self.end_family();
        let mut name = Name::new(family, self.negotiated.escaping);
        let mut kind = family.kind;
        let full = name.full();
        let openmetrics =
            matches!(self.negotiated.format, Format::OpenMetrics001 | Format::OpenMetrics100);
        let mut key = if openmetrics { name.stem().to_owned() } else { full.clone() };
        let clashes = |key: &str, kind| self.declared.get(key).is_some_and(|k| *k != kind);
        if openmetrics && clashes(&key, kind) && !name.suffix().is_empty() {
            name.absorb_suffix();
            (key, kind) = (full, Kind::Unknown);
        }
        if clashes(&key, kind) && !(openmetrics && is_suffixed(self.declared.get(&key))) {
            self.kind = None;
            return;
        }
        let fresh = !self.declared.contains_key(&key);
        if fresh {
            self.unused = Some(key.clone());
            self.declared.insert(key, kind);
        }
        self.kind = Some(kind);
        let family = Family { kind, ..*family };
        match &mut self.writer {
            Writer::Text(text) => text.family(&family, &name, fresh),
            Writer::Protobuf(protobuf) => protobuf.family(&family, &name),
        }
    }

    /// Adds a sample to a counter. In a gauge's family it is written as a gauge, without start and
    /// exemplar.
    pub fn counter(
        &mut self,
        labels: &[Label<'_>],
        value: f64,
        created_ms: Option<u64>,
        exemplar: Option<&Exemplar<'_>>,
    ) {
        match (self.kind, &mut self.writer) {
            (None | Some(Kind::Histogram), _) => self.omitted += 1,
            (Some(_), Writer::Text(text)) => {
                self.unused = None;
                text.value(labels, value, created_ms, exemplar, &mut self.out);
            }
            (Some(_), Writer::Protobuf(protobuf)) => {
                self.unused = None;
                protobuf.value(labels, value, created_ms, exemplar, &mut self.out);
            }
        }
    }

    /// Adds a sample to a gauge, an info or an unknown.
    pub fn gauge(&mut self, labels: &[Label<'_>], value: f64) {
        self.counter(labels, value, None, None);
    }

    /// Adds a sample to a histogram.
    pub fn histogram(&mut self, labels: &[Label<'_>], h: &Histogram<'_>) {
        match (self.kind, &mut self.writer) {
            (Some(Kind::Histogram), Writer::Text(text)) => {
                self.unused = None;
                text.histogram(labels, h, &mut self.out);
            }
            (Some(Kind::Histogram), Writer::Protobuf(protobuf)) => {
                self.unused = None;
                protobuf.histogram(labels, h, &mut self.out);
            }
            _ => self.omitted += 1,
        }
    }

    /// Ends the last family and the body. Nothing may be pushed after it.
    pub fn finish(&mut self) {
        self.end_family();
        if let Writer::Text(text) = &mut self.writer {
            text.finish(&mut self.out);
        }
    }

    /// How many bytes are ready to be sent.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.out.len()
    }

    /// The bytes that are ready to be sent.
    #[must_use = "these bytes are part of the body"]
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// How many samples were left out: those of a family of another kind under a name that was
    /// taken, and those that do not fit their family's kind. Anything but 0 is a fault of the
    /// caller.
    #[must_use]
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    fn end_family(&mut self) {
        self.kind = None;
        if let Some(name) = self.unused.take() {
            self.declared.remove(&name);
        }
        if let Writer::Protobuf(protobuf) = &mut self.writer {
            protobuf.end_family(&mut self.out);
        }
    }
}

/// Whether samples of this kind have a suffix, so that a bare sample beside them is no repetition.
fn is_suffixed(kind: Option<&Kind>) -> bool {
    matches!(kind, Some(Kind::Counter | Kind::Info))
}
