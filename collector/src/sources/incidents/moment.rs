//! A moment as incident tools write it, RFC 3339 or Unix time, read into milliseconds at the edge
//! so that no other file has to know that there are several ways.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// Milliseconds since 1970 UTC, after 1970 and before the year 10000.
///
/// A number below `SECONDS_BELOW` counts seconds, another one milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub(super) i64);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl Visitor<'_> for Written {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time: RFC 3339 with an offset, or seconds or milliseconds since 1970")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
        let time: Timestamp = text.parse().map_err(|_| {
            E::custom(format_args!("`{text:.40}` is no RFC 3339 time with an offset"))
        })?;
        within(time.as_millisecond())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Moment, E> {
        within(if number < SECONDS_BELOW { number.saturating_mul(1000) } else { number })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Moment, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Moment, E> {
        let ms = if number < SECONDS_BELOW as f64 { number * 1000.0 } else { number };
        // A cast saturates, and NaN becomes 0: both are out of the range.
        within(ms.round() as i64)
    }
}

fn within<E: Error>(ms: i64) -> Result<Moment, E> {
    if ms <= 0 || ms >= YEAR_10000_MS {
        return Err(E::custom("the time is not between the years 1970 and 10000"));
    }
    Ok(Moment(ms))
}

/// As seconds this is the year 5138, as milliseconds the spring of 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;
const YEAR_10000_MS: i64 = 253_402_300_800_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_moment_is_the_same_moment() {
        for text in [
            r#""2024-03-01T12:00:00.250Z""#,
            r#""2024-03-01T13:00:00.250+01:00""#,
            r#""2024-03-01T12:00:00.250999999Z""#,
            "1709294400250",
            "1709294400.25",
        ] {
            let moment: Moment = serde_json::from_str(text).expect(text);
            assert_eq!(moment, Moment(1_709_294_400_250), "{text}");
        }
        let seconds: Moment = serde_json::from_str("1709294400").expect("seconds");
        assert_eq!(seconds, Moment(1_709_294_400_000));
    }

    #[test]
    fn what_is_no_moment_says_so() {
        for (text, words) in [
            (r#""2024-03-01T12:00:00""#, "RFC 3339"),
            (r#""yesterday""#, "RFC 3339"),
            (r#""0001-01-01T00:00:00Z""#, "between the years"),
            ("-5", "between the years"),
            ("0", "between the years"),
            ("18446744073709551615", "between the years"),
            ("1e300", "between the years"),
            ("true", "a time"),
            ("null", "a time"),
            ("{}", "a time"),
        ] {
            let fault = serde_json::from_str::<Moment>(text).expect_err(text).to_string();
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }
}
