//! A label set as one run of bytes, written into a buffer that is used again: hashing and comparing
//! it is one pass over memory, where a list of strings would be an allocation for each.
//!
//! Format: for each label value its length as two bytes, little-endian, then its UTF-8. Values are
//! at most [`LABEL_BYTES_MAX`] bytes; a longer one is cut at a character and ends in `…`.

use redora_wire::{Value, write_text};

/// The longest label value in bytes: Prometheus has no bound, but a value past this is content, not
/// a name.
pub const LABEL_BYTES_MAX: usize = 256;

/// A key being written.
#[derive(Clone, Debug, Default)]
pub struct Key {
    packed: Vec<u8>,
    text: Vec<u8>,
}

/// A place in a key to come back to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark(usize);

impl Key {
    /// An empty key.
    #[must_use]
    pub fn new() -> Self {
        Self { packed: Vec::with_capacity(256), text: Vec::new() }
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        self.packed.clear();
    }

    /// Adds a label value; bytes that are no UTF-8 become U+FFFD.
    pub fn push(&mut self, value: &[u8]) {
        let start = self.packed.len();
        self.packed.extend_from_slice(&[0, 0]);
        match std::str::from_utf8(value) {
            Ok(text) => self.push_text(text),
            // Repair never shortens text, so a byte more than fits still shows that some are left.
            Err(_) => {
                let head = &value[..value.len().min(LABEL_BYTES_MAX + 1)];
                self.push_text(&String::from_utf8_lossy(head));
            }
        }
        let length = (self.packed.len() - start - 2) as u16;
        self.packed[start..start + 2].copy_from_slice(&length.to_le_bytes());
    }

    /// Adds a label value of any type, strings as they are and others as JSON would spell them.
    pub fn push_value(&mut self, value: Value<'_>) {
        if let Value::String(text) = value {
            return self.push(text);
        }
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        write_text(value, LABEL_BYTES_MAX + 1, &mut text);
        self.push(&text);
        self.text = text;
    }

    /// Begins anew with what another key holds before `mark`.
    pub fn branch(&mut self, from: &Key, mark: Mark) {
        self.packed.clear();
        self.packed.extend_from_slice(&from.packed[..mark.0]);
    }

    fn push_text(&mut self, text: &str) {
        let kept = cut(text);
        self.packed.extend_from_slice(kept.as_bytes());
        if kept.len() < text.len() {
            self.packed.extend_from_slice("…".as_bytes());
        }
    }

    /// The place after what was written so far.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.packed.len())
    }

    /// Takes back what was written after `mark`.
    pub fn rewind(&mut self, mark: Mark) {
        self.packed.truncate(mark.0);
    }

    /// The packed label values.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.packed
    }

    /// The label values again.
    #[must_use]
    pub fn labels(&self) -> Labels<'_> {
        Labels::new(&self.packed)
    }
}

/// Leaves room for the `…` of a cut value.
fn cut(text: &str) -> &str {
    if text.len() <= LABEL_BYTES_MAX {
        return text;
    }
    let mut end = LABEL_BYTES_MAX - "…".len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The label values of a packed key.
#[derive(Clone, Debug)]
pub struct Labels<'a>(&'a [u8]);

impl<'a> Labels<'a> {
    pub(super) fn new(packed: &'a [u8]) -> Self {
        Self(packed)
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)));
        self.0 = rest;
        Some(std::str::from_utf8(value).expect("a key holds UTF-8 only"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(value: &[u8]) -> String {
        let mut key = Key::new();
        key.push(b"before");
        key.push(value);
        key.push(b"after");
        let labels: Vec<_> = key.labels().collect();
        assert_eq!((labels.len(), labels[0], labels[2]), (3, "before", "after"));
        labels[1].to_owned()
    }

    #[test]
    fn values_come_back_as_they_were_written() {
        for value in ["", "a", "GET /items/{id}", "grün", "\0", "\u{1f980}"] {
            assert_eq!(round_trip(value.as_bytes()), value);
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_repaired() {
        assert_eq!(round_trip(b"a\xffb"), "a\u{fffd}b");
        let all_bad = round_trip(&[0xff; 300]);
        assert!(all_bad.len() <= LABEL_BYTES_MAX, "{}", all_bad.len());
        assert!(all_bad.ends_with('…'));
        // Repaired text is as long as what it repairs here, or twice as long there.
        let same = [&[b'x'; 253][..], &[0xf0, 0x9f, 0x98], &[b'y'; 44]].concat();
        let grown = [&[0xff; 128][..], &[b'y'; 100]].concat();
        for value in [same, grown] {
            let label = round_trip(&value);
            assert!(label.len() <= LABEL_BYTES_MAX, "{}", label.len());
            assert!(label.ends_with('…'), "{label}");
        }
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        let cut = round_trip("ü".repeat(200).as_bytes());
        assert_eq!(cut.len(), 255, "126 characters of two bytes and the mark of three");
        assert!(cut.ends_with("ü…"));
        assert_eq!(round_trip("x".repeat(256).as_bytes()).len(), 256);
    }

    #[test]
    fn keys_do_not_run_into_each_other() {
        let (mut one, mut other) = (Key::new(), Key::new());
        one.push(b"ab");
        one.push(b"c");
        other.push(b"a");
        other.push(b"bc");
        assert_ne!(one.bytes(), other.bytes());
    }

    #[test]
    fn a_key_branches_at_a_mark_and_takes_values_of_any_type() {
        let (mut key, mut other) = (Key::new(), Key::new());
        key.push(b"service");
        let mark = key.mark();
        key.push_value(Value::Int(503));
        key.push_value(Value::Empty);
        key.push_value(Value::String(b"a"));
        other.push(b"what stood there before");
        other.branch(&key, mark);
        other.push(b"other");
        assert_eq!(key.labels().collect::<Vec<_>>(), ["service", "503", "", "a"]);
        assert_eq!(other.labels().collect::<Vec<_>>(), ["service", "other"]);
    }

    #[test]
    fn a_key_rewinds_to_a_mark() {
        let mut key = Key::new();
        key.push(b"service");
        let mark = key.mark();
        key.push(b"operation");
        key.rewind(mark);
        assert_eq!(key.labels().collect::<Vec<_>>(), ["service"]);
    }
}
