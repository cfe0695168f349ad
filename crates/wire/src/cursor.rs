//! The one place that takes bytes off a protobuf message. Slices are split instead of indexed, so a
//! bound is checked once and no reader above can reach past its message.
//!
//! What is read in the innermost loops is an `Option`, not a `Result`: a fault has more words than
//! a value, and carrying both through the loop costs more than the reading. Why there is nothing is
//! found out afterwards.

use crate::fault::Fault;

/// The wire types of protobuf, as they stand in a key's low three bits.
pub(crate) mod wire_type {
    pub(crate) const VARINT: u8 = 0;
    pub(crate) const FIXED64: u8 = 1;
    pub(crate) const BYTES: u8 = 2;
    pub(crate) const GROUP_START: u8 = 3;
    pub(crate) const GROUP_END: u8 = 4;
    pub(crate) const FIXED32: u8 = 5;
}

/// A field's number and wire type as one number, so that a reader finds both right with one
/// comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u32);

impl Key {
    pub(crate) const fn varint(field: u32) -> Self {
        Self(field << 3 | wire_type::VARINT as u32)
    }

    pub(crate) const fn fixed64(field: u32) -> Self {
        Self(field << 3 | wire_type::FIXED64 as u32)
    }

    pub(crate) const fn bytes(field: u32) -> Self {
        Self(field << 3 | wire_type::BYTES as u32)
    }

    pub(crate) const fn fixed32(field: u32) -> Self {
        Self(field << 3 | wire_type::FIXED32 as u32)
    }

    pub(crate) const fn field(self) -> u32 {
        self.0 >> 3
    }

    pub(crate) const fn wire_type(self) -> u8 {
        (self.0 & 7) as u8
    }
}

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not read yet.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field's key; `None` where there is none, which [`Cursor::key_fault`] explains.
    ///
    /// Field number 0 and undefined wire types pass here: they equal no key that a reader looks
    /// for, and [`Cursor::skip`], where all else ends, refuses them.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Option<Key> {
        let mut after = *self;
        let key = u32::try_from(after.varint()?).ok()?;
        *self = after;
        Some(Key(key))
    }

    /// `None` where the bytes are no varint, which [`Cursor::value_fault`] explains.
    #[inline(always)]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let (value, rest) = match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => (u64::from(byte), rest),
            [low, high, ref rest @ ..] if high < 0x80 => {
                (u64::from(low & 0x7f) | u64::from(high) << 7, rest)
            }
            _ => varint_long(self.rest)?,
        };
        self.rest = rest;
        Some(value)
    }

    #[inline(always)]
    pub(crate) fn fixed64(&mut self) -> Option<u64> {
        let (value, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*value))
    }

    #[inline(always)]
    pub(crate) fn fixed32(&mut self) -> Option<u32> {
        let (value, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u32::from_le_bytes(*value))
    }

    /// A length and the bytes it announces.
    #[inline(always)]
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let mut after = *self;
        let length = usize::try_from(after.varint()?).ok()?;
        let (bytes, rest) = after.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    /// Why [`Cursor::key`] found none at this place.
    #[cold]
    pub(crate) fn key_fault(mut self) -> Fault {
        if self.varint().is_some() { Fault::FieldNumberTooLarge } else { self.value_fault() }
    }

    /// Why a value could not be read at this place.
    #[cold]
    pub(crate) fn value_fault(mut self) -> Fault {
        let is_long = self.rest.len() >= VARINT_BYTES_MAX;
        if is_long && self.varint().is_none() { Fault::VarintTooLong } else { Fault::Truncated }
    }

    /// Passes the value of a field whose key was just read, whatever it holds; `depth` is how many
    /// messages or groups may still be opened inside the message at hand.
    ///
    /// Takes and returns the cursor by value, as does all that is not inlined: a cursor whose
    /// address is known elsewhere cannot stay in registers.
    pub(crate) fn skip(mut self, key: Key, depth: u32) -> Result<Self, Fault> {
        let field = key.field();
        if field == 0 {
            return Err(Fault::FieldNumberZero);
        }
        if depth == 0 {
            return Err(Fault::TooDeep);
        }
        let passed = match key.wire_type() {
            wire_type::VARINT => self.varint().is_some(),
            wire_type::FIXED64 => self.fixed64().is_some(),
            wire_type::BYTES => self.bytes().is_some(),
            wire_type::FIXED32 => self.fixed32().is_some(),
            wire_type::GROUP_START => return self.skip_group(field, depth),
            wire_type::GROUP_END => return Err(Fault::GroupEndUnexpected { field }),
            found => return Err(Fault::WireTypeUnknown { field, found }),
        };
        if passed { Ok(self) } else { Err(self.value_fault()) }
    }

    /// Recursion ends with `depth`, so the stack is bounded.
    fn skip_group(mut self, opened: u32, depth: u32) -> Result<Self, Fault> {
        loop {
            let key = self.key().ok_or_else(|| self.key_fault())?;
            if key == Key(opened << 3 | u32::from(wire_type::GROUP_END)) {
                return Ok(self);
            }
            self = self.skip(key, depth - 1)?;
        }
    }

    /// The bodies of the fields with this key, in order; other fields are passed over. Ends at the
    /// first fault, so it is for bytes that were walked before.
    #[inline]
    pub(crate) fn next_body(&mut self, wanted: Key) -> Option<&'a [u8]> {
        while !self.is_empty() {
            let key = self.key()?;
            if key == wanted {
                return self.bytes();
            }
            *self = self.skip(key, crate::fault::DEPTH_MAX).ok()?;
        }
        None
    }
}

/// A varint of any length, and what follows it. Out of line, so that the short cases stay small
/// where they are inlined.
#[inline(never)]
fn varint_long(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(VARINT_BYTES_MAX).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            let fits = at + 1 < VARINT_BYTES_MAX || byte <= 1;
            return fits.then(|| (value, &bytes[at + 1..]));
        }
    }
    None
}

const VARINT_BYTES_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(bytes: &[u8]) -> Result<(u64, usize), Fault> {
        let mut cursor = Cursor::new(bytes);
        let value = cursor.varint().ok_or_else(|| cursor.value_fault())?;
        Ok((value, bytes.len() - cursor.rest().len()))
    }

    #[test]
    fn varints_of_every_length() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                prost::encoding::encode_varint(value, &mut bytes);
                let length = bytes.len();
                assert_eq!(varint(&bytes), Ok((value, length)), "{value} at the end");
                bytes.push(0x7f);
                assert_eq!(varint(&bytes), Ok((value, length)), "{value} before another");
                for end in 0..length {
                    assert_eq!(varint(&bytes[..end]), Err(Fault::Truncated), "{value} cut off");
                }
            }
        }
    }

    #[test]
    fn varints_longer_than_needed_are_taken_up_to_ten_bytes() {
        let check = |bytes: &[u8], expected| assert_eq!(varint(bytes), expected, "{bytes:x?}");
        check(&[0x80, 0x00], Ok((0, 2)));
        check(&[0x85, 0x80, 0x00], Ok((5, 3)));
        check(&[&[0x80; 9][..], &[0x00]].concat(), Ok((0, 10)));
        check(&[&[0x80; 9][..], &[0x01]].concat(), Ok((1 << 63, 10)));
        check(&[&[0x80; 9][..], &[0x02]].concat(), Err(Fault::VarintTooLong));
        check(&[0x80; 10], Err(Fault::VarintTooLong));
        check(&[&[0x80; 10][..], &[0x00]].concat(), Err(Fault::VarintTooLong));
        check(&[0x80; 9], Err(Fault::Truncated));
    }

    #[test]
    fn a_failed_read_moves_nothing() {
        let mut cursor = Cursor::new(&[0x03, 0x01, 0x02]);
        assert_eq!(cursor.bytes(), None);
        assert_eq!(cursor.fixed32(), None);
        assert_eq!(cursor.fixed64(), None);
        assert_eq!(cursor.rest(), [0x03, 0x01, 0x02]);
        assert_eq!(cursor.varint(), Some(3));
    }

    #[test]
    fn skipping_passes_each_wire_type_and_nothing_more() {
        let check = |bytes: &[u8], expected: Result<usize, Fault>| {
            let mut cursor = Cursor::new(bytes);
            let key = cursor.key().expect("a key");
            let left = cursor.skip(key, 3).map(|cursor| cursor.rest().len());
            assert_eq!(left, expected, "{bytes:x?}");
        };
        let unexpected = |field| Err(Fault::GroupEndUnexpected { field });
        check(&[0x08, 0x96, 0x01, 0xaa], Ok(1));
        check(&[0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0xaa], Ok(1));
        check(&[0x0a, 0x02, 0, 0, 0xaa], Ok(1));
        check(&[0x0d, 0, 0, 0, 0, 0xaa], Ok(1));
        check(&[0x0b, 0x0c, 0xaa], Ok(1));
        check(&[0x0b, 0x08, 0x01, 0x13, 0x14, 0x12, 0x01, 0x0c, 0x0c, 0xaa], Ok(1));
        check(&[0x0b, 0x13, 0x1b, 0x1c, 0x14, 0x0c], Ok(0));
        check(&[0x0b, 0x13, 0x1b, 0x23, 0x24, 0x1c, 0x14, 0x0c], Err(Fault::TooDeep));
        check(&[0x0b, 0x13, 0x1b, 0x08, 0x01, 0x1c, 0x14, 0x0c], Err(Fault::TooDeep));
        check(&[0x08], Err(Fault::Truncated));
        check(&[0x09, 0, 0, 0, 0, 0, 0, 0], Err(Fault::Truncated));
        check(&[0x0a, 0x02, 0], Err(Fault::Truncated));
        check(&[0x0d, 0, 0, 0], Err(Fault::Truncated));
        check(&[0x0b], Err(Fault::Truncated));
        check(&[0x0b, 0x13, 0x14], Err(Fault::Truncated));
        check(&[0x0b, 0x14], unexpected(2));
        check(&[0x0b, 0x13, 0x0c, 0x14], unexpected(1));
        check(&[0x0c], unexpected(1));
        check(&[0x00, 0x00], Err(Fault::FieldNumberZero));
        check(&[0x0b, 0x04], Err(Fault::FieldNumberZero));
        check(&[0x0e], Err(Fault::WireTypeUnknown { field: 1, found: 6 }));
        check(&[0x0f], Err(Fault::WireTypeUnknown { field: 1, found: 7 }));
        check(&[0x0b, 0xff, 0xff, 0xff, 0xff, 0x10], Err(Fault::FieldNumberTooLarge));
    }
}
