//! Values as they stand in paths and queries of GitHub, which reads times to the second only.

/// A time as GitHub reads it, to the second.
pub(crate) fn date(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_second(at_ms.div_euclid(1_000));
    at.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

/// A text as the value of a query.
pub(crate) fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a string takes all");
        }
        escaped
    })
}
