//! Numbers as a scraper reads them. Bounds are spelt exactly as Prometheus spells a bound that it
//! read as a number, because `le` is part of a series' identity and one bucket must not have two
//! names.

use std::fmt::Write as _;
use std::io::Write as _;

const IN_MEMORY: &str = "writing into memory cannot fail";

/// Appends a whole number.
pub(crate) fn write_integer(mut n: u64, out: &mut Vec<u8>) {
    // The largest u64 has twenty digits.
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        // The cast cannot truncate: the remainder is below ten.
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a sample's value: the shortest text that reads back as the same number, `NaN`, `+Inf` or
/// `-Inf`.
pub(crate) fn write_value(value: f64, out: &mut Vec<u8>) {
    // Above this a whole f64 may differ from its shortest text, and below it most values of a
    // scrape are whole.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let size = value.abs();
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if size < EXACT && value.fract() == 0.0 {
        if value.is_sign_negative() {
            out.push(b'-');
        }
        write_integer(size as u64, out);
    } else if (1e-5..1e21).contains(&size) {
        write!(out, "{value}").expect(IN_MEMORY);
    } else {
        // Without an exponent the smallest number would be 327 characters long.
        write!(out, "{value:e}").expect(IN_MEMORY);
    }
}

/// Appends a point in time, in seconds with milliseconds.
pub(crate) fn write_seconds(ms: u64, out: &mut Vec<u8>) {
    write_integer(ms / 1000, out);
    out.push(b'.');
    let rest = ms % 1000;
    for unit in [100, 10, 1] {
        // The cast cannot truncate: it is one digit.
        out.push(b'0' + (rest / unit % 10) as u8);
    }
}

/// Appends a bucket's upper bound: always with a point or an exponent, the exponent from 1e+06 up
/// and from 1e-05 down with at least two digits (`0.25`, `1.0`, `1e+06`, `+Inf`).
pub(crate) fn write_bound(bound: f64, out: &mut String) {
    if bound.is_nan() {
        return out.push_str("NaN");
    }
    if bound.is_infinite() {
        return out.push_str(if bound > 0.0 { "+Inf" } else { "-Inf" });
    }
    // Zero is one bound, whatever its sign.
    let bound = if bound == 0.0 { 0.0 } else { bound };
    let size = bound.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        let start = out.len();
        write!(out, "{bound:e}").expect(IN_MEMORY);
        pad_exponent(out, start);
    } else {
        write!(out, "{bound:?}").expect(IN_MEMORY);
    }
}

/// Turns the exponent of the number that begins at `start` into a sign and at least two digits.
fn pad_exponent(out: &mut String, start: usize) {
    let e = out[start..].find('e').map_or(out.len(), |at| start + at);
    let exponent = out.split_off(e);
    let exponent = exponent.trim_start_matches('e');
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    write!(out, "e{sign}{digits:0>2}").expect(IN_MEMORY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_shortest_text_that_reads_back() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-17.0, "-17"),
            (0.1, "0.1"),
            (1.5, "1.5"),
            (1_027_000.0, "1027000"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (1e300, "1e300"),
            (5e-324, "5e-324"),
            (-2.5e-9, "-2.5e-9"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            let mut out = Vec::new();
            write_value(value, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn whole_numbers_have_all_their_digits() {
        for n in [0, 9, 10, 1234567890, u64::MAX] {
            let mut out = Vec::new();
            write_integer(n, &mut out);
            assert_eq!(out, n.to_string().as_bytes());
        }
    }

    #[test]
    fn bounds_are_spelt_as_prometheus_spells_them() {
        for (bound, expected) in [
            (0.005, "0.005"),
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (1.0, "1.0"),
            (-1.0, "-1.0"),
            (2.5, "2.5"),
            (10.0, "10.0"),
            (100_000.0, "100000.0"),
            (999_999.5, "999999.5"),
            (1_000_000.0, "1e+06"),
            (2_500_000.0, "2.5e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (1e100, "1e+100"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.000025, "-2.5e-05"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            let mut out = String::new();
            write_bound(bound, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn times_are_seconds() {
        for (ms, expected) in [(0, "0.000"), (1_520_872_607_123, "1520872607.123"), (5, "0.005")] {
            let mut out = Vec::new();
            write_seconds(ms, &mut out);
            assert_eq!(out, expected.as_bytes());
        }
    }
}
