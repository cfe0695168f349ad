//! Scalars of the configuration from text: sizes, durations, addresses and the like, without a YAML
//! library's guesses, so that `64Mib` or a bare `30` is a fault with a cure instead of a surprise.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// A value as a fault may show it: quoted and clipped, or only its origin where it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

/// What a key takes; the noun and the cure of its faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Bytes with a unit.
    Size,
    /// Time with units.
    Duration,
    /// A whole number.
    Count,
    /// True or false.
    Switch,
    /// An address and a port.
    Address,
    /// A directory.
    Directory,
    /// A finite, positive number of seconds.
    Seconds,
    /// A range of severities.
    Severity,
    /// The middle of a metric's name.
    MetricName,
    /// The key of an attribute that becomes a label.
    Attribute,
    /// A family of metrics under another tool's names.
    Compat,
    /// Text to search for.
    Needle,
    /// A secret for an `Authorization` header.
    Token,
    /// A cron expression with seconds.
    Schedule,
    /// A time zone by its name.
    TimeZone,
    /// An HTTP address.
    Url,
    /// A file or a directory.
    Path,
    /// A repository on GitHub.
    Repository,
    /// What GitHub calls an App by.
    AppId,
    /// A service, an environment, a branch or a label.
    Name,
    /// A pattern of tags or paths.
    Pattern,
    /// A pattern of files.
    Files,
    /// The share of events that must be good.
    Goal,
    /// The share of a slice's events that must be good.
    Share,
    /// What makes an event good.
    Indicator,
    /// A time down to nanoseconds.
    Threshold,
    /// A stretch of the calendar.
    Period,
    /// The role of a span.
    SpanKind,
    /// A severity of alerts.
    Tier,
}

impl Form {
    /// What the value is not.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Form::Size => "size",
            Form::Duration => "duration",
            Form::Count => "whole number",
            Form::Switch => "switch",
            Form::Address => "address",
            Form::Directory => "directory",
            Form::Seconds => "bound in seconds",
            Form::Severity => "range of severities",
            Form::MetricName => "name for a metric",
            Form::Attribute => "attribute for a label",
            Form::Compat => "family of metrics",
            Form::Needle => "text to search for",
            Form::Token => "token",
            Form::Schedule => "schedule",
            Form::TimeZone => "time zone",
            Form::Url => "address",
            Form::Path => "path",
            Form::Repository => "repository",
            Form::AppId => "id of a GitHub App",
            Form::Name => "name",
            Form::Pattern => "pattern",
            Form::Files => "pattern of files",
            Form::Goal => "goal",
            Form::Share => "share",
            Form::Indicator => "indicator",
            Form::Threshold => "threshold",
            Form::Period => "period",
            Form::SpanKind => "kind of span",
            Form::Tier => "tier",
        }
    }

    /// What to write instead.
    #[must_use]
    pub fn cure(self) -> &'static str {
        match self {
            Form::Size => "write a number with B, KiB, MiB or GiB, such as 64MiB",
            Form::Duration => "write numbers with ms, s, m, h or d, such as 30s or 1h30m",
            Form::Count => "write digits only, such as 20000",
            Form::Switch => "write true or false",
            Form::Address => {
                "write an IP address and a port, such as 127.0.0.1:4317 or \"[::1]:4317\", or \
                 localhost:4317"
            }
            Form::Directory => "write a path, such as ./redora-data",
            Form::Seconds => "write a number from 1e-9 to 1e9, such as 0.25",
            Form::Severity => SEVERITY_CURE,
            Form::MetricName => METRIC_NAME_CURE,
            Form::Attribute => {
                "write an attribute's key with a letter or digit, at most 256 bytes, such as \
                 http.route"
            }
            Form::Compat => "write tempo, spanmetrics or none",
            Form::Needle => "write at least one character, or remove the key",
            Form::Token => "use 1 to 4096 visible ASCII characters without spaces",
            Form::Schedule => {
                "write a cron expression with seconds that comes true some day, such as \
                 \"0 */5 * * * *\" for every five minutes"
            }
            Form::TimeZone => "write a name of the IANA database, such as Europe/Berlin or UTC",
            Form::Url => {
                "write it like https://api.github.com, or for an Enterprise Server \
                 https://<host>/api/v3, without user, password or query"
            }
            Form::Path => "write a path, such as /src/shop.git",
            Form::Repository => "write owner/name, such as acme/shop",
            Form::AppId => {
                "write the App id or the client id of the App's settings page, such as 123456 or \
                 Iv23liAbCdEfGhIjKlMn"
            }
            Form::Name => "write 1 to 256 characters, such as production",
            Form::Pattern => "write it like v* or services/shop/**",
            Form::Files => {
                "write a file or a pattern with * and ? in its last part, such as slos/*.yaml"
            }
            Form::Goal => {
                "write a percentage such as 99.9% or a ratio such as 0.999, from 1% to below 100%"
            }
            Form::Share => "write it like 95% or 0.95, from 1% to 100%",
            Form::Indicator => {
                "write availability, latency: { threshold: 300ms }, logs: {…} or prometheus: {…}"
            }
            Form::Threshold => "write numbers with ns, us, ms, s, m or h, such as 300ms or 1s500ms",
            Form::Period => "write week, month or quarter",
            Form::SpanKind => "write server, client, producer, consumer or internal",
            Form::Tier => "write page or ticket",
        }
    }
}

impl Shown {
    /// A value that stands in the file itself.
    pub(super) fn quoted(text: &str) -> Self {
        let mut clipped: String = text.chars().take(SHOWN_CHARS_MAX).collect();
        if clipped.len() < text.len() {
            clipped.push('…');
        }
        Self(format!("{clipped:?}"))
    }

    /// A value that nothing but its origin may stand for.
    pub(super) fn origin(origin: &str) -> Self {
        Self(format!("({origin})"))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes from a whole number and a unit.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let (_, factor) = SIZE_UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.checked_mul(*factor)
}

/// Bytes in the largest unit that divides them.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    let (name, factor) = [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .into_iter()
        .find(|(_, factor)| bytes != 0 && bytes.is_multiple_of(*factor))
        .unwrap_or(("B", 1));
    format!("{}{name}", bytes / factor)
}

/// Time from whole numbers with falling units, each at most once.
pub(super) fn duration(text: &str) -> Option<Duration> {
    time(text, &TIME_UNITS).map(Duration::from_millis)
}

/// Nanoseconds, as [`duration`] with smaller units.
pub(super) fn nanos(text: &str) -> Option<u64> {
    time(text, &THRESHOLD_UNITS)
}

/// Nanoseconds as [`nanos`] reads them.
pub(super) fn nanos_text(nanos: u64) -> String {
    time_text(nanos, &THRESHOLD_UNITS)
}

/// Time in the last of these units, which fall.
pub(super) fn time(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0u64;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = split_unit(rest)?;
        let unit_len = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_len);
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        if *factor >= smallest {
            return None;
        }
        smallest = *factor;
        sum = sum.checked_add(number.checked_mul(*factor)?)?;
        rest = next;
    }
    (smallest < u64::MAX).then_some(sum)
}

/// Time as [`duration`] reads it.
pub(super) fn duration_text(time: Duration) -> String {
    time_text(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), &TIME_UNITS)
}

fn time_text(mut rest: u64, units: &[(&str, u64)]) -> String {
    let mut text = String::new();
    for (name, factor) in units {
        if rest >= *factor {
            text.push_str(&format!("{}{name}", rest / factor));
            rest %= factor;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A whole number from digits only.
pub(super) fn count(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// `true` and `false` as YAML 1.2 spells them.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A finite, positive number of seconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    text.parse().ok().filter(|seconds| (1e-9..=1e9).contains(seconds))
}

/// The addresses that `host:port` stands for: both loopback families for `localhost`, else one.
///
/// Other names are refused, since what they resolve to may change between a check and a start.
pub(super) fn addresses(text: &str) -> Option<Vec<SocketAddr>> {
    if let Some(port) = text.strip_prefix("localhost:") {
        let port = count(port)?.try_into().ok()?;
        return Some(vec![
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
            SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port),
        ]);
    }
    text.parse().ok().map(|address| vec![address])
}

/// The leading digits as a number, and what follows them.
fn split_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((count(&text[..digits])?, &text[digits..]))
}

const SIZE_UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

const TIME_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

const THRESHOLD_UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

const SEVERITY_CURE: &str = "write \">=WARN\", \"<=INFO\", ERROR or WARN..ERROR with \
                             TRACE, DEBUG, INFO, WARN, ERROR, FATAL or, by itself, UNSPECIFIED";
const METRIC_NAME_CURE: &str = "start with a lower-case letter, go on with lower-case letters, \
                                digits and underscores, at most 64 in all, and leave out an \
                                ending of _total or _created";

/// Characters of a value that a fault shows: enough to find it by.
const SHOWN_CHARS_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_need_a_unit() {
        for (text, bytes) in [
            ("0B", Some(0)),
            ("64MiB", Some(64 << 20)),
            ("64 MiB", Some(64 << 20)),
            ("2KB", Some(2000)),
            ("1GiB", Some(1 << 30)),
            ("17179869183GiB", Some(17179869183 << 30)),
            ("17179869184GiB", None),
            ("64Mib", None),
            ("64", None),
            ("MiB", None),
            ("1.5MiB", None),
            ("-1B", None),
            ("+1B", None),
            ("1B ", None),
            ("99999999999999999999B", None),
            ("", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[test]
    fn durations_are_numbers_with_falling_units() {
        for (text, millis) in [
            ("1h30m", Some(5_400_000)),
            ("1d2h3m4s5ms", Some(93_784_005)),
            ("250ms", Some(250)),
            ("0s", Some(0)),
            ("90m", Some(5_400_000)),
            ("30m1h", None),
            ("1h1h", None),
            ("1h 30m", None),
            ("30", None),
            ("1h30", None),
            ("1.5h", None),
            ("h", None),
            ("1w", None),
            ("213503982335d", None),
            ("", None),
        ] {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn thresholds_reach_down_to_nanoseconds() {
        for (text, expected) in [
            ("300ms", Some(300_000_000)),
            ("1s500ms", Some(1_500_000_000)),
            ("250us", Some(250_000)),
            ("1ms1ns", Some(1_000_001)),
            ("1h", Some(3_600_000_000_000)),
            ("1d", None),
            ("0.3s", None),
            ("300", None),
        ] {
            assert_eq!(nanos(text), expected, "{text}");
            assert!(expected.is_none_or(|nanos| nanos_text(nanos) == text), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for bytes in [0, 1, 1023, 1024, 20 << 20, 3 << 30, (64 << 20) + 1] {
            assert_eq!(size(&size_text(bytes)), Some(bytes));
        }
        for millis in [0, 1, 999, 1000, 75_000, 5_400_000, 86_400_001] {
            let time = Duration::from_millis(millis);
            assert_eq!(duration(&duration_text(time)), Some(time));
        }
        assert_eq!(duration_text(Duration::from_secs(5400)), "1h30m");
    }

    #[test]
    fn only_addresses_and_localhost_are_listened_on() {
        let text = |given| {
            addresses(given).map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(text("127.0.0.1:4317"), Some(vec!["127.0.0.1:4317".to_owned()]));
        assert_eq!(text("localhost:0"), Some(vec!["127.0.0.1:0".to_owned(), "[::1]:0".to_owned()]));
        for bad in [
            "",
            ":4317",
            "4317",
            "::1:4317:",
            "redora:4317",
            "localhost",
            "localhost:+1",
            "1.2.3.4:65536",
        ] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }
}
