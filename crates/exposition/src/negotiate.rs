//! From a scraper's headers to a format, by the scraper's own order, because Prometheus 3 fails a
//! scrape whose answer it did not ask for or cannot name.

/// A format of a scrape's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text, which everything understands.
    Text004,
    /// Prometheus text that may quote names.
    Text100,
    /// The draft before OpenMetrics 1.0, which Prometheus asked for until 2.3x. All that redora
    /// writes in 1.0.0 means the same in it, so the body is the same and only the version in the
    /// Content-Type differs.
    OpenMetrics001,
    /// OpenMetrics, with exemplars.
    OpenMetrics100,
    /// Length-delimited `io.prometheus.client.MetricFamily`, with exemplars, start times and native
    /// histograms.
    Protobuf,
}

/// How names that are no legal Prometheus names travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Escaping {
    /// Every illegal character becomes `_`.
    Underscores,
    /// Names travel as they are, in quotes where the format needs them.
    AllowUtf8,
    /// `.` becomes `_dot_`, `_` becomes `__`, also in legal names, and any other illegal character
    /// `__`.
    Dots,
    /// Illegal names begin with `U__` and spell illegal characters as hexadecimal code points.
    Values,
}

impl Escaping {
    /// The value of the parameter `escaping` in Accept and Content-Type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Escaping::Underscores => "underscores",
            Escaping::AllowUtf8 => "allow-utf-8",
            Escaping::Dots => "dots",
            Escaping::Values => "values",
        }
    }

    fn parse(value: &str) -> Option<Self> {
        [Escaping::Underscores, Escaping::AllowUtf8, Escaping::Dots, Escaping::Values]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(value))
    }
}

/// What a scrape is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Negotiated {
    /// The body's format.
    pub format: Format,
    /// How its names are escaped.
    pub escaping: Escaping,
}

impl Negotiated {
    /// The answer to a scraper that asks for nothing.
    pub const DEFAULT: Negotiated =
        Negotiated { format: Format::Text004, escaping: Escaping::Underscores };

    /// The value of the header Content-Type.
    #[must_use]
    pub fn content_type(&self) -> String {
        let media = match self.format {
            Format::Text004 => "text/plain; version=0.0.4; charset=utf-8",
            Format::Text100 => "text/plain; version=1.0.0; charset=utf-8",
            Format::OpenMetrics001 => "application/openmetrics-text; version=0.0.1; charset=utf-8",
            Format::OpenMetrics100 => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                 encoding=delimited"
            }
        };
        format!("{media}; escaping={}", self.escaping.as_str())
    }
}

/// The supported format with the highest q-value in an Accept header; at the same q-value a named
/// format comes before a wildcard, then the first before the others. Nothing known, nothing
/// acceptable or no header: text 0.0.4. A header of several lines is one line with commas between.
#[must_use]
pub fn negotiate(accept: Option<&str>) -> Negotiated {
    let mut best: Option<(u16, bool, Negotiated)> = None;
    for entry in accept.unwrap_or_default().split(',') {
        let Some((named, negotiated)) = offer(entry) else { continue };
        let quality = quality_permille(entry);
        let better = best.is_none_or(|(q, n, _)| (quality, named) > (q, n));
        if quality > 0 && better {
            best = Some((quality, named, negotiated));
        }
    }
    best.map_or(Negotiated::DEFAULT, |(_, _, negotiated)| negotiated)
}

/// The format that one entry of Accept asks for, and whether it names it rather than matching a
/// wildcard.
fn offer(entry: &str) -> Option<(bool, Negotiated)> {
    let media = token(entry);
    let version = parameter(entry, "version");
    let escaping =
        parameter(entry, "escaping").and_then(Escaping::parse).unwrap_or(Escaping::Underscores);
    let is = |name: &str| media.eq_ignore_ascii_case(name);
    let format = if is("text/plain") {
        match version {
            None | Some("0.0.4") => Format::Text004,
            Some("1.0.0") => Format::Text100,
            Some(_) => return None,
        }
    } else if is("application/openmetrics-text") {
        match version {
            None | Some("1.0.0") => Format::OpenMetrics100,
            Some("0.0.1") => Format::OpenMetrics001,
            Some(_) => return None,
        }
    } else if is("application/vnd.google.protobuf") {
        let delimited =
            parameter(entry, "encoding").is_some_and(|e| e.eq_ignore_ascii_case("delimited"));
        if !delimited || parameter(entry, "proto") != Some("io.prometheus.client.MetricFamily") {
            return None;
        }
        Format::Protobuf
    } else if is("*/*") || is("text/*") {
        return Some((false, Negotiated { format: Format::Text004, escaping }));
    } else {
        return None;
    };
    Some((true, Negotiated { format, escaping }))
}

/// How a body is compressed on its way. The caller does the compressing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    Identity,
    /// `Content-Encoding: gzip`.
    Gzip,
    /// `Content-Encoding: zstd`.
    Zstd,
}

impl Compression {
    /// The value of the header Content-Encoding, which an uncompressed answer does not have.
    #[must_use]
    pub fn content_encoding(self) -> Option<&'static str> {
        match self {
            Compression::Identity => None,
            Compression::Gzip => Some("gzip"),
            Compression::Zstd => Some("zstd"),
        }
    }
}

/// The compression with the highest q-value in an Accept-Encoding header; at the same q-value zstd,
/// which costs the least, then gzip, then none. No header: none.
///
/// A client that forbids even `identity` is answered with it all the same: an answer it may read
/// beats none.
#[must_use]
pub fn accept_encoding(header: Option<&str>) -> Compression {
    let Some(header) = header else { return Compression::Identity };
    let quality = |names: &[&str]| {
        header
            .split(',')
            .find(|entry| names.iter().any(|name| token(entry).eq_ignore_ascii_case(name)))
            .map(quality_permille)
    };
    let any = quality(&["*"]);
    // A wildcard is answered with gzip only: whoever names no compression has most likely never
    // heard of zstd.
    let gzip = quality(&["gzip", "x-gzip"]).or(any).unwrap_or(0);
    let zstd = quality(&["zstd"]).unwrap_or(0);
    // Identity is always acceptable, but comes last unless the client ranks it.
    let identity = quality(&["identity"]).unwrap_or(0);
    if zstd > 0 && zstd >= gzip && zstd >= identity {
        Compression::Zstd
    } else if gzip > 0 && gzip >= identity {
        Compression::Gzip
    } else {
        Compression::Identity
    }
}

/// What stands before an entry's parameters.
fn token(entry: &str) -> &str {
    entry.split(';').next().unwrap_or_default().trim()
}

/// The value of an entry's parameter, without quotes.
fn parameter<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    entry.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// An entry's q-value in thousandths; 1000 without one, 0 for one that is no number from 0 to 1.
fn quality_permille(entry: &str) -> u16 {
    let Some(q) = parameter(entry, "q") else { return 1000 };
    match q.parse::<f64>() {
        // The cast cannot truncate: the value is at most 1000.
        Ok(q) if (0.0..=1.0).contains(&q) => (q * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, format: Format, escaping: Escaping) {
        assert_eq!(negotiate(Some(accept)), Negotiated { format, escaping }, "{accept}");
    }

    const PROTOBUF: &str = "application/vnd.google.protobuf;\
                            proto=io.prometheus.client.MetricFamily;encoding=delimited";

    #[test]
    fn what_prometheus_sends_is_answered_with_its_first_choice() {
        use Escaping::{AllowUtf8, Underscores};
        let openmetrics = "application/openmetrics-text;version=1.0.0";
        check(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;\
             q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format::OpenMetrics100,
            Underscores,
        );
        check(
            &format!("{PROTOBUF},{openmetrics};q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            Format::Protobuf,
            Underscores,
        );
        check(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             application/openmetrics-text;version=0.0.1;q=0.4,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,\
             */*;q=0.1",
            Format::OpenMetrics100,
            AllowUtf8,
        );
        check(
            &format!("{PROTOBUF};escaping=allow-utf-8;q=0.6,{openmetrics};q=0.5,*/*;q=0.1"),
            Format::Protobuf,
            AllowUtf8,
        );
        check("text/plain;version=1.0.0;escaping=allow-utf-8", Format::Text100, AllowUtf8);
        // Prometheus 2.5 to 2.3x.
        check(
            "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format::OpenMetrics001,
            Underscores,
        );
    }

    #[test]
    fn the_highest_quality_that_is_supported_wins() {
        use Escaping::{Dots, Underscores, Values};
        use Format::{OpenMetrics100, Protobuf, Text004, Text100};
        for (accept, format, escaping) in [
            ("", Text004, Underscores),
            ("*/*", Text004, Underscores),
            ("text/html,application/xml;q=0.9,*/*;q=0.8", Text004, Underscores),
            ("application/json", Text004, Underscores),
            ("application/openmetrics-text", OpenMetrics100, Underscores),
            ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", Text004, Underscores),
            ("text/plain;q=0.4,application/openmetrics-text;q=0.6", OpenMetrics100, Underscores),
            ("*/*,application/openmetrics-text", OpenMetrics100, Underscores),
            ("application/openmetrics-text;q=0,text/plain;q=0.01", Text004, Underscores),
            ("application/openmetrics-text;q=2", Text004, Underscores),
            ("application/openmetrics-text;q=NaN", Text004, Underscores),
            ("TEXT/PLAIN ; Version=\"1.0.0\" ; Escaping=DOTS", Text100, Dots),
            ("text/plain;escaping=values", Text004, Values),
            ("text/plain;escaping=rot13", Text004, Underscores),
            ("application/vnd.google.protobuf", Text004, Underscores),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
                 encoding=text",
                Text004,
                Underscores,
            ),
            (PROTOBUF, Protobuf, Underscores),
            (";;,,q=;=,\"", Text004, Underscores),
        ] {
            check(accept, format, escaping);
        }
        assert_eq!(negotiate(None), Negotiated::DEFAULT);
    }

    #[test]
    fn the_content_type_names_format_version_and_escaping() {
        use Escaping::{AllowUtf8, Dots, Underscores, Values};
        for (format, escaping, expected) in [
            (
                Format::Text004,
                Underscores,
                "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
            ),
            (
                Format::Text100,
                AllowUtf8,
                "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            ),
            (
                Format::OpenMetrics100,
                Values,
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=values",
            ),
            (
                Format::OpenMetrics001,
                Underscores,
                "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores",
            ),
            (
                Format::Protobuf,
                Dots,
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                 encoding=delimited; escaping=dots",
            ),
        ] {
            let negotiated = Negotiated { format, escaping };
            assert_eq!(negotiated.content_type(), expected);
            assert_eq!(negotiate(Some(expected)), negotiated, "an answer is a legal question");
        }
    }

    #[test]
    fn compression_follows_the_quality() {
        use Compression::{Gzip, Identity, Zstd};
        for (header, expected) in [
            ("gzip", Gzip),
            ("", Identity),
            ("identity", Identity),
            ("deflate, br", Identity),
            ("gzip, zstd", Zstd),
            ("gzip;q=1.0, zstd;q=0.5", Gzip),
            ("gzip;q=0, zstd;q=0", Identity),
            ("identity, gzip;q=0.5", Identity),
            ("identity;q=0.5, gzip", Gzip),
            ("*", Gzip),
            ("gzip;q=0, *", Identity),
            ("X-GZIP ; Q=0.3", Gzip),
            ("identity;q=0", Identity),
        ] {
            assert_eq!(accept_encoding(Some(header)), expected, "{header}");
        }
        assert_eq!(accept_encoding(None), Identity);
        assert_eq!(Gzip.content_encoding(), Some("gzip"));
        assert_eq!(Zstd.content_encoding(), Some("zstd"));
        assert_eq!(Identity.content_encoding(), None);
    }
}
