//! Numbers and durations as other tools write them, read as digits: `99.95` as a float is not the
//! goal that somebody wrote.

use redora_model::slo::{Goal, Share};

use super::super::scalar;

/// A goal from a share of a hundred, as `99.9`.
pub(super) fn percent(text: &str) -> Option<Goal> {
    Goal::parse(&format!("{}%", decimal(text)?))
}

/// A goal from a share of one, as `0.999`.
pub(super) fn ratio(text: &str) -> Option<Goal> {
    Goal::parse(&decimal(text)?)
}

/// A share of one that may be all of it, as `0.95` or `1.0`.
pub(super) fn share(text: &str) -> Option<Share> {
    Share::parse(&decimal(text)?)
}

/// Nanoseconds from decimal seconds, as `0.3`; none of less than a nanosecond.
pub(super) fn seconds_ns(text: &str) -> Option<u64> {
    let text = decimal(text)?;
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let zeros = 9usize.checked_sub(part.len())?;
    format!("{whole}{part}{:0<zeros$}", "").parse().ok().filter(|nanos| *nanos > 0)
}

/// Milliseconds from a duration as Prometheus writes it, as `1h30m` or `4w`.
pub(super) fn prometheus_ms(text: &str) -> Option<u64> {
    scalar::time(text, &PROMETHEUS_UNITS).filter(|ms| *ms > 0)
}

/// A number of units as OpenSLO writes it, as `4w` or `1M`.
pub(super) fn shorthand(text: &str) -> Option<(u64, Unit)> {
    let unit = text.chars().next_back()?;
    let number = &text[..text.len() - unit.len_utf8()];
    let number = scalar::count(number).filter(|number| *number > 0)?;
    let unit = match unit {
        'm' => Unit::Seconds(60),
        'h' => Unit::Seconds(3_600),
        'd' => Unit::Seconds(86_400),
        'w' => Unit::Seconds(7 * 86_400),
        'M' => Unit::Months(1),
        'Q' => Unit::Months(3),
        'Y' => Unit::Months(12),
        _ => return None,
    };
    Some((number, unit))
}

/// What OpenSLO counts time in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// So many seconds.
    Seconds(u64),
    /// So many months, which are not all of one length.
    Months(u64),
}

/// Digits with at most one point, without what means nothing.
fn decimal(text: &str) -> Option<String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + part.len() == 0 || text.len() > DIGITS_MAX || !digits(whole) || !digits(part) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    Some(match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    })
}

const PROMETHEUS_UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
/// More than any of these numbers needs.
const DIGITS_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_digits() {
        let shown = |goal: Option<Goal>| goal.map(|goal| goal.to_string());
        for (text, expected) in [
            ("99.9", Some("99.9%")),
            ("99.0", Some("99%")),
            ("95", Some("95%")),
            ("99.90000000000000000", Some("99.9%")),
            ("099.5", Some("99.5%")),
            ("100", None),
            ("0.999", None),
            ("9.99e1", None),
            ("-1", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(shown(percent(text)).as_deref(), expected, "{text}");
        }
        assert_eq!(shown(ratio(".9990")).as_deref(), Some("99.9%"));
        assert_eq!(shown(ratio("1.0")), None);
        assert_eq!(shown(ratio("99.9")), None);
        assert_eq!(share("1.0"), Some(Share::All));
        assert_eq!(share("1.1"), None);
    }

    #[test]
    fn seconds_are_exact_to_the_nanosecond() {
        for (text, expected) in [
            ("0.3", Some(300_000_000)),
            ("1", Some(1_000_000_000)),
            ("1.0", Some(1_000_000_000)),
            (".000000001", Some(1)),
            ("0.0000000001", None),
            ("0", None),
            ("+Inf", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(seconds_ns(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_have_the_units_of_their_tool() {
        assert_eq!(prometheus_ms("4w"), Some(28 * 86_400_000));
        assert_eq!(prometheus_ms("1h30m5ms"), Some(5_400_005));
        for text in ["", "4", "w", "0s", "30m1h", "1.5h", "9999999999y", "1M"] {
            assert_eq!(prometheus_ms(text), None, "{text}");
        }
        assert_eq!(shorthand("4w"), Some((4, Unit::Seconds(604_800))));
        assert_eq!(shorthand("1Q"), Some((1, Unit::Months(3))));
        for text in ["", "w", "0d", "1h30m", "1s", "-1d", "ä", "1ä"] {
            assert_eq!(shorthand(text), None, "{text}");
        }
    }
}
