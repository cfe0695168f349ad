//! Protobuf written forward although the length of a message stands before it and is known after
//! it. Copying each message into its parent would move the innermost bytes once for every level
//! around them; here they move once.
//!
//! Every length gets one byte, which is right for most messages (an attribute, a value). A message
//! that turns out longer is noted, and when all is written one sweep from the end makes room for
//! the noted lengths.

/// The output would grow past its bound.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A message that was begun and waits for its length.
#[derive(Debug)]
pub(crate) struct Open {
    index: usize,
    widening: usize,
}

/// A growing protobuf message with a bound on its final size.
#[derive(Debug)]
pub(crate) struct Writer {
    out: Vec<u8>,
    /// Messages that are open, or that are closed and need more than one byte of length, by
    /// ascending slot.
    long: Vec<Long>,
    /// The bytes that the closed messages in `long` need beyond their slots.
    widening: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Long {
    slot: usize,
    len: usize,
}

impl Writer {
    /// A writer that takes `bytes_expected` of memory at once and refuses to exceed `bytes_max`.
    pub(crate) fn new(bytes_expected: usize, bytes_max: usize) -> Self {
        let out = Vec::with_capacity(bytes_expected.min(bytes_max));
        Writer { out, long: Vec::new(), widening: 0, bytes_max }
    }

    /// Begins a length-delimited field whose content is written next.
    pub(crate) fn open(&mut self, number: u32) -> Result<Open, Full> {
        self.tag(number, 2)?;
        self.put(&[0])?;
        let open = Open { index: self.long.len(), widening: self.widening };
        self.long.push(Long { slot: self.out.len() - 1, len: 0 });
        Ok(open)
    }

    /// Ends the field that `open` began; fields end in the reverse order of their beginning.
    pub(crate) fn close(&mut self, open: &Open) -> Result<(), Full> {
        let slot = self.long[open.index].slot;
        let len = self.out.len() - slot - 1 + (self.widening - open.widening);
        if let Ok(len @ 0..0x80) = u8::try_from(len) {
            self.out[slot] = len;
            // A short message holds no long one, so its note is the last.
            self.long.truncate(open.index);
            return Ok(());
        }
        self.long[open.index].len = len;
        self.widening += varint_len(len as u64) - 1;
        self.room(0)
    }

    /// Writes the tag of a field.
    pub(crate) fn tag(&mut self, number: u32, wire_type: u8) -> Result<(), Full> {
        self.varint(u64::from(number << 3) | u64::from(wire_type))
    }

    /// Writes a base-128 number.
    pub(crate) fn varint(&mut self, value: u64) -> Result<(), Full> {
        self.room(varint_len(value))?;
        put_varint(&mut self.out, value);
        Ok(())
    }

    /// Writes bytes as they are.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.room(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes a length and makes room for as many bytes, which the caller fills in.
    pub(crate) fn slice(&mut self, len: usize) -> Result<&mut [u8], Full> {
        self.varint(len as u64)?;
        self.room(len)?;
        let start = self.out.len();
        self.out.resize(start + len, 0);
        Ok(&mut self.out[start..])
    }

    /// The finished bytes, after the sweep that gives the long lengths their room.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let mut from = self.out.len();
        let mut to = from + self.widening;
        self.out.reserve_exact(self.widening);
        self.out.resize(to, 0);
        for long in self.long.iter().rev() {
            let content = long.slot + 1;
            to -= from - content;
            self.out.copy_within(content..from, to);
            to -= varint_len(long.len as u64);
            write_varint(&mut self.out[to..], long.len as u64);
            from = long.slot;
        }
        debug_assert_eq!(from, to, "what was not noted does not move");
        self.out
    }

    fn room(&self, more: usize) -> Result<(), Full> {
        let len = self.out.len() + self.widening + more;
        if len > self.bytes_max { Err(Full) } else { Ok(()) }
    }
}

/// Appends a base-128 number.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn write_varint(out: &mut [u8], mut value: u64) {
    for byte in out {
        if value < 0x80 {
            *byte = value as u8;
            return;
        }
        *byte = value as u8 | 0x80;
        value >>= 7;
    }
}

fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nests `content` in `levels` fields and compares with the obvious encoder that copies at each
    /// level.
    fn check(levels: u32, content: usize) {
        let mut writer = Writer::new(0, usize::MAX);
        let opened: Vec<Open> =
            (0..levels).map(|level| writer.open(level + 1).expect("no bound")).collect();
        writer.put(&vec![7; content]).expect("no bound");
        for open in opened.iter().rev() {
            writer.close(open).expect("no bound");
            writer.put(&[9, 9]).expect("no bound");
        }

        let mut expected = vec![7; content];
        for level in (0..levels).rev() {
            let mut outer = Vec::new();
            put_varint(&mut outer, u64::from((level + 1) << 3 | 2));
            put_varint(&mut outer, expected.len() as u64);
            outer.extend_from_slice(&expected);
            outer.extend_from_slice(&[9, 9]);
            expected = outer;
        }
        assert_eq!(writer.finish(), expected, "{levels} levels around {content} bytes");
    }

    #[test]
    fn lengths_are_minimal_at_every_width_and_depth() {
        for levels in [0, 1, 2, 3, 40, 100] {
            for content in [0, 1, 126, 127, 128, 129, 16_382, 16_383, 16_384, 2_097_152] {
                check(levels, content);
            }
        }
    }

    #[test]
    fn siblings_of_all_sizes_keep_their_places() {
        let sizes = [0, 300, 5, 128, 127, 20_000, 1];
        let mut writer = Writer::new(0, usize::MAX);
        let outer = writer.open(1).expect("no bound");
        let mut inner = Vec::new();
        for size in sizes {
            let open = writer.open(2).expect("no bound");
            writer.put(&vec![size as u8; size]).expect("no bound");
            writer.close(&open).expect("no bound");
            inner.push(0x12);
            put_varint(&mut inner, size as u64);
            inner.extend(vec![size as u8; size]);
        }
        writer.close(&outer).expect("no bound");
        let mut expected = vec![0x0A];
        put_varint(&mut expected, inner.len() as u64);
        expected.extend_from_slice(&inner);
        assert_eq!(writer.finish(), expected);
    }

    #[test]
    fn the_bound_counts_the_final_size() {
        let nest = |bytes_max| {
            let mut writer = Writer::new(0, bytes_max);
            let open = writer.open(1)?;
            writer.put(&[0; 128])?;
            writer.close(&open)?;
            Ok(writer.finish().len())
        };
        assert_eq!(nest(131), Ok(131));
        assert_eq!(nest(130), Err(Full));
        assert_eq!(nest(0), Err(Full));
    }
}
