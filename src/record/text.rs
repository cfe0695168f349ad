//! The text of a record's body, searched as a person reads it: without the colours of a terminal,
//! and in a structured body wherever it stands.

use redora_wire::Value;

use super::asked::Body;

/// Room for a line without its escapes.
#[derive(Debug, Default)]
pub struct Text(Vec<u8>);

impl Text {
    /// One line as long as a request must not hold its room for ever.
    pub fn give_back(&mut self) {
        self.0.clear();
        self.0.shrink_to(BYTES_KEPT);
    }

    /// Whether a body says what is asked for; a structured one says it in any of its values.
    pub(super) fn says(&mut self, value: Value<'_>, body: &Body) -> bool {
        says(value, body, &mut self.0, DEPTH_MAX)
    }
}

fn says(value: Value<'_>, body: &Body, text: &mut Vec<u8>, depth: u32) -> bool {
    match value {
        Value::String(line) => line_says(plain(line, text), body),
        Value::Array(values) if depth > 0 => {
            values.iter().any(|value| says(value, body, text, depth - 1))
        }
        Value::KvList(attributes) if depth > 0 => {
            attributes.iter().any(|attribute| says(attribute.value.read(), body, text, depth - 1))
        }
        _ => false,
    }
}

fn line_says(line: &[u8], body: &Body) -> bool {
    let line = String::from_utf8_lossy(line);
    match body {
        Body::Contains(text) => line.contains(text.as_str()),
        Body::Matches(expression) => expression.is_match(&line),
    }
}

/// A line without terminal escapes: colours must not come between the letters of a word.
fn plain<'l>(line: &'l [u8], text: &'l mut Vec<u8>) -> &'l [u8] {
    if !line.contains(&ESCAPE) {
        return line;
    }
    text.clear();
    let mut rest = line;
    while let Some((first, after)) = rest.split_first() {
        rest = match (*first, after) {
            (ESCAPE, [b'[', sequence @ ..]) => {
                let end = sequence.iter().position(|byte| (0x40..0x7f).contains(byte));
                end.map_or(&[][..], |end| &sequence[end + 1..])
            }
            (ESCAPE, [_, after @ ..]) => after,
            (ESCAPE, []) => &[],
            (byte, after) => {
                text.push(byte);
                after
            }
        };
    }
    text
}

const ESCAPE: u8 = 0x1b;

/// Levels of a structured body that are searched: deeper ones are data, not a message.
const DEPTH_MAX: u32 = 8;

/// Room that is kept between batches.
const BYTES_KEPT: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_out_of_a_line() {
        for (line, expected) in [
            ("plain", "plain"),
            ("\u{1b}[31mcard \u{1b}[1;4mdecl\u{1b}[0mined\u{1b}[0m", "card declined"),
            ("cut off \u{1b}[3", "cut off "),
            ("\u{1b}", ""),
            ("\u{1b}(Bx", "Bx"),
        ] {
            assert_eq!(plain(line.as_bytes(), &mut Vec::new()), expected.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn a_line_as_long_as_a_request_leaves_no_room_behind() {
        let long = format!("\u{1b}[31m{}declined", "x".repeat(1 << 20));
        let mut text = Text::default();
        let declined = Body::Contains("declined".to_owned());
        assert!(text.says(Value::String(long.as_bytes()), &declined));
        assert!(text.0.capacity() > 1 << 20);
        text.give_back();
        assert!(text.0.capacity() <= 2 * BYTES_KEPT, "{}", text.0.capacity());
    }
}
