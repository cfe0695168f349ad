//! Whatever is pushed, what comes out reads back: checked with a small parser of the text formats
//! that knows nothing of the encoder.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use redora_exposition::{
    Compression, Encoder, Escaping, Exemplar, Family, Format, Histogram, Kind, Negotiated, Options,
    accept_encoding, negotiate,
};

/// A line that is no comment: name, labels, and the words after them.
#[derive(Debug, PartialEq)]
struct Line {
    name: String,
    labels: Vec<(String, String)>,
    value: String,
    exemplar: Option<Vec<(String, String)>>,
}

struct Parser<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Parser<'_> {
    fn line(text: &str) -> Option<Line> {
        let mut parser = Parser { rest: text.chars().peekable() };
        let mut name = parser.bare();
        let mut labels = Vec::new();
        if parser.rest.next_if_eq(&'{').is_some() {
            if name.is_empty() {
                name = parser.quoted()?;
                parser.rest.next_if_eq(&',');
            }
            labels = parser.labels()?;
        }
        parser.rest.next_if_eq(&' ')?;
        let value = parser.word();
        let mut exemplar = None;
        if parser.rest.next_if_eq(&' ').is_some() {
            for expected in "# {".chars() {
                parser.rest.next_if_eq(&expected)?;
            }
            exemplar = Some(parser.labels()?);
            parser.rest.next_if_eq(&' ')?;
            parser.word().parse::<f64>().ok()?;
        }
        parser.rest.next().is_none().then_some(Line { name, labels, value, exemplar })
    }

    /// The labels up to and with the closing brace.
    fn labels(&mut self) -> Option<Vec<(String, String)>> {
        let mut labels = Vec::new();
        while self.rest.next_if_eq(&'}').is_none() {
            if !labels.is_empty() {
                self.rest.next_if_eq(&',')?;
            }
            let name = if self.rest.peek() == Some(&'"') { self.quoted()? } else { self.bare() };
            self.rest.next_if_eq(&'=')?;
            labels.push((name, self.quoted()?));
        }
        Some(labels)
    }

    fn bare(&mut self) -> String {
        let legal = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == ':';
        std::iter::from_fn(|| self.rest.next_if(legal)).collect()
    }

    fn word(&mut self) -> String {
        std::iter::from_fn(|| self.rest.next_if(|c| *c != ' ')).collect()
    }

    fn quoted(&mut self) -> Option<String> {
        self.rest.next_if_eq(&'"')?;
        let mut text = String::new();
        loop {
            text.push(match self.rest.next()? {
                '"' => return Some(text),
                '\\' => match self.rest.next()? {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    _ => return None,
                },
                c => c,
            });
        }
    }
}

/// Comments and samples of a body.
fn parse(body: &str) -> (Vec<&str>, Vec<Line>) {
    let (comments, samples): (Vec<&str>, Vec<&str>) = body
        .strip_suffix('\n')
        .expect("a body ends its last line")
        .split('\n')
        .partition(|line| line.starts_with('#'));
    let line = |text: &str| Parser::line(text).unwrap_or_else(|| panic!("no sample: {text:?}"));
    (comments, samples.into_iter().map(line).collect())
}

fn body(format: Format, escaping: Escaping, push: impl FnOnce(&mut Encoder)) -> String {
    let mut encoder = Encoder::new(Negotiated { format, escaping }, Options { created: true });
    push(&mut encoder);
    encoder.finish();
    String::from_utf8(encoder.take()).expect("text is UTF-8")
}

fn is_legal(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn formats() -> impl Strategy<Value = Format> {
    prop::sample::select(vec![
        Format::Text004,
        Format::Text100,
        Format::OpenMetrics001,
        Format::OpenMetrics100,
    ])
}

fn schemes() -> impl Strategy<Value = Escaping> {
    prop::sample::select(vec![
        Escaping::Underscores,
        Escaping::AllowUtf8,
        Escaping::Dots,
        Escaping::Values,
    ])
}

/// Names that are legal, that become equal when escaped, that the formats keep for themselves, and
/// any others.
fn names() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c][._-][a-c]", "[a-z_:]{1,4}", "__name__|le|quantile|", any::<String>()]
}

fn values() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z/]{0,9}", "[\\\\n\n\"{},= #]{0,9}", any::<String>()]
}

fn labels() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((names(), values()), 0..6)
}

fn borrowed(labels: &[(String, String)]) -> Vec<(&str, &str)> {
    labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn number(text: &str) -> f64 {
    text.trim_start_matches('+').parse().expect("a number")
}

proptest! {
    #[test]
    fn values_come_back_to_the_bit(value in any::<f64>(), format in formats()) {
        let body = body(format, Escaping::Underscores, |e| {
            e.family(&Family { name: "a", help: "", kind: Kind::Gauge, unit: None });
            e.gauge(&[], value);
        });
        let found = number(&parse(&body).1[0].value);
        prop_assert!(found.to_bits() == value.to_bits() || found.is_nan() && value.is_nan());
    }

    #[test]
    fn distinct_utf8_labels_come_back_whole(
        name in names(),
        labels in prop::collection::btree_map(names(), values(), 0..6),
        format in formats(),
    ) {
        let labels: Vec<_> = labels
            .into_iter()
            .filter(|(name, _)| !["", "__name__"].contains(&name.as_str()))
            .collect();
        let body = body(format, Escaping::AllowUtf8, |e| {
            e.family(&Family { name: &name, help: "", kind: Kind::Gauge, unit: None });
            e.gauge(&borrowed(&labels), 1.0);
        });
        let (_, lines) = parse(&body);
        prop_assert_eq!(&lines[0].name, if name.is_empty() { "_" } else { &name });
        prop_assert_eq!(&lines[0].labels, &labels);
    }

    #[test]
    fn no_input_makes_an_illegal_line(
        (name, help, labels) in (names(), values(), labels()),
        (format, escaping) in (formats(), schemes()),
        kind in prop::sample::select(vec![Kind::Counter, Kind::Histogram, Kind::Info]),
    ) {
        let labels = borrowed(&labels);
        let exemplar = Exemplar { labels: &labels, value: 1.0, timestamp_ms: None };
        let h = Histogram { count: 1, sum: 1.0, buckets: &[], native: None, created_ms: Some(1) };
        let body = body(format, escaping, |e| {
            e.family(&Family { name: &name, help: &help, kind, unit: Some("c") });
            if kind == Kind::Histogram {
                e.histogram(&labels, &h);
            } else {
                e.counter(&labels, 1.0, Some(1), Some(&exemplar));
            }
        });
        let (comments, lines) = parse(&body);
        let words = ["# HELP ", "# TYPE ", "# UNIT ", "# EOF"];
        for word in words {
            prop_assert!(comments.iter().filter(|c| c.starts_with(word)).count() <= 1);
        }
        let known = |c: &&str| words.iter().any(|word| c.starts_with(word));
        prop_assert!(comments.iter().all(known), "{:?}", comments);
        for line in &lines {
            let names: BTreeSet<_> = line.labels.iter().map(|(name, _)| name).collect();
            prop_assert_eq!(names.len(), line.labels.len(), "repeated in {:?}", line);
            if escaping != Escaping::AllowUtf8 {
                prop_assert!(is_legal(&line.name.replace(':', "_")), "{:?}", line);
                prop_assert!(line.labels.iter().all(|(name, _)| is_legal(name)), "{:?}", line);
            }
            prop_assert!(!names.contains(&"__name__".to_owned()));
            for (name, value) in line.exemplar.iter().flatten() {
                prop_assert!(escaping == Escaping::AllowUtf8 || is_legal(name));
                prop_assert!(name.chars().count() + value.chars().count() <= 128);
            }
        }
        let openmetrics = matches!(format, Format::OpenMetrics001 | Format::OpenMetrics100);
        let created = usize::from(openmetrics && kind != Kind::Info);
        prop_assert_eq!(lines.len(), created + if kind == Kind::Histogram { 3 } else { 1 });
    }

    #[test]
    fn escaping_loses_no_value(labels in labels(), escaping in schemes()) {
        let body = body(Format::Text004, escaping, |e| {
            e.family(&Family { name: "a", help: "", kind: Kind::Gauge, unit: None });
            e.gauge(&borrowed(&labels), 1.0);
        });
        // Of a label that is given twice the first counts.
        let mut kept = BTreeMap::new();
        for (name, value) in &labels {
            kept.entry(name).or_insert(value);
        }
        let (_, lines) = parse(&body);
        let found = lines[0].labels.iter().map(|(_, value)| value.len() + 1).sum::<usize>();
        let pushed = kept.values().map(|value| value.len() + 1).sum::<usize>();
        // Each value is followed by the `;` that joins it to the next or by its label's end.
        prop_assert_eq!(found, pushed);
    }

    #[test]
    fn any_header_is_answered(
        any in any::<String>(),
        known in "(text/plain|\\*/\\*|;|,|q=0\\.[0-9]| |escaping=dots|gzip|zstd){0,8}",
    ) {
        for header in [any, known] {
            let negotiated = negotiate(Some(&header));
            prop_assert_eq!(negotiate(Some(&negotiated.content_type())), negotiated);
            match accept_encoding(Some(&header)) {
                Compression::Identity => {}
                Compression::Gzip => prop_assert!(header.contains(['z', 'Z', '*'])),
                Compression::Zstd => prop_assert!(header.to_lowercase().contains("zstd")),
            }
        }
    }
}
