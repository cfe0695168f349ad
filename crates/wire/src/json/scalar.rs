//! Numbers, hex and base64 as proto3 JSON spells them; apart from the walk over the document, so
//! that each rule can be read and tested as a table.

use super::schema::Kind;
use super::writer::{Full, Writer};

/// A number of the document before its field decides what it becomes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

/// Why a value could not be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not what the field takes.
    Unfit,
    /// There is no room for it.
    Full,
}

impl From<Full> for Refusal {
    fn from(_: Full) -> Self {
        Refusal::Full
    }
}

impl Number {
    /// Reads a number from a string. What is not a JSON number is none, though Rust would read
    /// `inf`, `+1` or `.5`.
    pub(super) fn from_text(text: &str) -> Option<Number> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        if let Ok(unsigned) = text.parse() {
            return Some(Number::Unsigned(unsigned));
        }
        if let Ok(signed @ ..0) = text.parse() {
            return Some(Number::Signed(signed));
        }
        text.parse().ok().filter(|float: &f64| float.is_finite()).map(Number::Float)
    }

    /// The number as an integer, if it is one that 64 bits can hold, signed or not.
    fn integer(self) -> Option<i128> {
        match self {
            Number::Unsigned(value) => Some(i128::from(value)),
            Number::Signed(value) => Some(i128::from(value)),
            // What lies outside of 64 bits may have been rounded onto a bound, so both bounds are
            // outside.
            Number::Float(value)
                if value.fract() == 0.0 && value > -(2f64.powi(63)) && value < 2f64.powi(64) =>
            {
                Some(value as i128)
            }
            Number::Float(_) => None,
        }
    }

    fn double(self) -> f64 {
        match self {
            Number::Unsigned(value) => value as f64,
            Number::Signed(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

/// Writes a number as `kind`, without a tag.
pub(super) fn put_number(out: &mut Writer, kind: Kind, number: Number) -> Result<(), Refusal> {
    if let Kind::Double = kind {
        out.put(&number.double().to_le_bytes())?;
        return Ok(());
    }
    let value = number.integer().ok_or(Refusal::Unfit)?;
    match kind {
        Kind::Enum | Kind::Int32 => out.varint(i64::from(fit::<i32>(value)?) as u64)?,
        Kind::Uint32 => out.varint(u64::from(fit::<u32>(value)?))?,
        Kind::Sint32 => {
            let value = fit::<i32>(value)?;
            out.varint(u64::from(((value << 1) ^ (value >> 31)) as u32))?;
        }
        Kind::Int64 => out.varint(fit::<i64>(value)? as u64)?,
        Kind::Uint64 => out.varint(fit(value)?)?,
        Kind::Fixed32 => out.put(&fit::<u32>(value)?.to_le_bytes())?,
        Kind::Fixed64 => out.put(&fit::<u64>(value)?.to_le_bytes())?,
        Kind::Sfixed64 => out.put(&fit::<i64>(value)?.to_le_bytes())?,
        Kind::Message(_) | Kind::Text | Kind::Id | Kind::Bytes | Kind::Bool | Kind::Double => {
            return Err(Refusal::Unfit);
        }
    }
    Ok(())
}

/// The number that a string stands for in a field of `kind`.
pub(super) fn number_in_text(kind: Kind, text: &str) -> Option<Number> {
    match (kind, text) {
        (Kind::Enum, _) => None,
        (Kind::Double, "NaN") => Some(Number::Float(f64::NAN)),
        (Kind::Double, "Infinity") => Some(Number::Float(f64::INFINITY)),
        (Kind::Double, "-Infinity") => Some(Number::Float(f64::NEG_INFINITY)),
        _ => Number::from_text(text),
    }
}

/// Writes length and bytes of hex digits of either case.
pub(super) fn put_hex(out: &mut Writer, digits: &[u8]) -> Result<(), Refusal> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Refusal::Unfit);
    }
    for (byte, &[high, low]) in out.slice(pairs.len())?.iter_mut().zip(pairs) {
        *byte = hex_digit(high)? << 4 | hex_digit(low)?;
    }
    Ok(())
}

/// Writes length and bytes of base64 in either alphabet, padded or not.
pub(super) fn put_base64(out: &mut Writer, text: &[u8]) -> Result<(), Refusal> {
    let mut text = text;
    for _ in 0..2 {
        text = text.strip_suffix(b"=").unwrap_or(text);
    }
    if text.len() % 4 == 1 {
        return Err(Refusal::Unfit);
    }
    // Three quarters, without the overflow of a product.
    let len = text.len() / 4 * 3 + text.len() % 4 * 3 / 4;
    let mut quads = text.chunks(4);
    for bytes in out.slice(len)?.chunks_mut(3) {
        let quad = quads.next().unwrap_or_default();
        let mut bits = 0u32;
        for &digit in quad {
            bits = bits << 6 | base64_digit(digit)?;
        }
        bits <<= 6 * (4 - quad.len());
        let [_, decoded @ ..] = bits.to_be_bytes();
        bytes.copy_from_slice(&decoded[..bytes.len()]);
    }
    Ok(())
}

fn fit<T: TryFrom<i128>>(value: i128) -> Result<T, Refusal> {
    T::try_from(value).map_err(|_| Refusal::Unfit)
}

fn hex_digit(digit: u8) -> Result<u8, Refusal> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(Refusal::Unfit),
    }
}

fn base64_digit(digit: u8) -> Result<u32, Refusal> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return Err(Refusal::Unfit),
    };
    Ok(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(put: impl FnOnce(&mut Writer) -> Result<(), Refusal>) -> Result<Vec<u8>, Refusal> {
        let mut out = Writer::new(0, 64);
        put(&mut out)?;
        Ok(out.finish())
    }

    #[test]
    fn strings_that_are_numbers() {
        let check = |kind: Kind, text: &str, expected: Option<&[u8]>| {
            let number = number_in_text(kind, text).ok_or(Refusal::Unfit);
            let bytes = written(|out| put_number(out, kind, number?));
            assert_eq!(bytes.as_deref().ok(), expected, "{text}");
        };
        check(Kind::Uint64, "0", Some(&[0]));
        check(Kind::Uint64, "1e2", Some(&[100]));
        check(Kind::Uint64, "5.0", Some(&[5]));
        check(Kind::Uint64, "-0", Some(&[0]));
        check(Kind::Fixed64, "18446744073709551615", Some(&[0xFF; 8]));
        for text in ["18446744073709551616", "-1", "1.5", "1e999", "", " 1", "+1", ".5", "0x1"] {
            check(Kind::Fixed64, text, None);
        }
        for text in ["NaN", "inf", "infinity", "Infinity", "one", "-", "--1", "1 "] {
            check(Kind::Int64, text, None);
        }
        check(Kind::Sfixed64, "-9223372036854775808", Some(&i64::MIN.to_le_bytes()));
        check(Kind::Sfixed64, "9223372036854775807", Some(&i64::MAX.to_le_bytes()));
        check(Kind::Sfixed64, "9223372036854775808", None);
        check(Kind::Sfixed64, "-9223372036854775809", None);
        check(Kind::Fixed32, "4294967295", Some(&[0xFF; 4]));
        check(Kind::Fixed32, "4294967296", None);
        check(Kind::Sint32, "-1", Some(&[1]));
        check(Kind::Sint32, "-2147483648", Some(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]));
        check(Kind::Double, "-Infinity", Some(&f64::NEG_INFINITY.to_le_bytes()));
        check(Kind::Double, "-0.0", Some(&(-0.0f64).to_le_bytes()));
        check(Kind::Double, "1.5", Some(&1.5f64.to_le_bytes()));
        check(Kind::Double, "nan", None);
        check(Kind::Enum, "2", None);
    }

    #[test]
    fn hex_of_any_even_length() {
        let check = |digits: &str, expected: Option<&[u8]>| {
            let bytes = written(|out| put_hex(out, digits.as_bytes()));
            assert_eq!(bytes.as_deref().ok(), expected, "{digits}");
        };
        check("", Some(&[0]));
        check("00fFA9", Some(&[3, 0x00, 0xFF, 0xA9]));
        for digits in ["0", "0g", "abc", "W47/95gDgQ==", " a", "é"] {
            check(digits, None);
        }
    }

    #[test]
    fn base64_of_either_alphabet_and_padding() {
        let check = |text: &str, expected: Option<&[u8]>| {
            let bytes = written(|out| put_base64(out, text.as_bytes()));
            assert_eq!(bytes.as_deref().ok(), expected, "{text}");
        };
        check("", Some(&[0]));
        check("AA==", Some(&[1, 0]));
        check("_-8", Some(&[2, 0xFF, 0xEF]));
        check("/+8=", Some(&[2, 0xFF, 0xEF]));
        check("AQIDBA", Some(&[4, 1, 2, 3, 4]));
        check("AQID", Some(&[3, 1, 2, 3]));
        for text in ["A", "A===", "AQ=I", "AQID=A", "A Q", "Aé", "AQIDB"] {
            check(text, None);
        }
    }
}
