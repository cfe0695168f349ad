//! The one place that takes bytes off a protobuf message. Slices are split instead of indexed, so a bound is
//! checked once and no reader above can reach past its message.

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

/// A field's number and wire type as one number, so that a reader finds both right with one comparison.
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

    /// The next field's key, `None` at the end of the message.
    ///
    /// Field number 0 and undefined wire types pass here: they equal no key that a reader looks for, and
    /// [`Cursor::skip`], where all else ends, refuses them.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Result<Option<Key>, Fault> {
        match self.rest.split_first() {
            None => Ok(None),
            Some((&byte, rest)) if byte < 0x80 => {
                self.rest = rest;
                Ok(Some(Key(u32::from(byte))))
            }
            Some(_) => {
                let key = self.varint_long()?;
                u32::try_from(key).map(|key| Some(Key(key))).map_err(|_| Fault::FieldNumberTooLarge)
            }
        }
    }

    #[inline(always)]
    pub(crate) fn varint(&mut self) -> Result<u64, Fault> {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(byte))
            }
            _ => self.varint_long(),
        }
    }

    /// Kept out of line, so that the one-byte case stays small where it is inlined.
    #[inline(never)]
    fn varint_long(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for (at, &byte) in self.rest.iter().take(VARINT_BYTES_MAX).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                if at + 1 == VARINT_BYTES_MAX && byte > 1 {
                    return Err(Fault::VarintTooLong);
                }
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        let cut_off = self.rest.len() < VARINT_BYTES_MAX;
        Err(if cut_off { Fault::Truncated } else { Fault::VarintTooLong })
    }

    #[inline(always)]
    pub(crate) fn fixed64(&mut self) -> Result<u64, Fault> {
        let (value, rest) = self.rest.split_first_chunk().ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*value))
    }

    #[inline(always)]
    pub(crate) fn fixed32(&mut self) -> Result<u32, Fault> {
        let (value, rest) = self.rest.split_first_chunk().ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*value))
    }

    /// A length and the bytes it announces.
    #[inline(always)]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = usize::try_from(self.varint()?).map_err(|_| Fault::Truncated)?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Passes the value of a field whose key was just read, whatever it holds; `depth` is how many messages or
    /// groups may still be opened inside the message at hand.
    pub(crate) fn skip(&mut self, key: Key, depth: u32) -> Result<(), Fault> {
        let field = key.field();
        if field == 0 {
            return Err(Fault::FieldNumberZero);
        }
        if depth == 0 {
            return Err(Fault::TooDeep);
        }
        match key.wire_type() {
            wire_type::VARINT => self.varint().map(drop),
            wire_type::FIXED64 => self.fixed64().map(drop),
            wire_type::BYTES => self.bytes().map(drop),
            wire_type::GROUP_START => self.skip_group(field, depth),
            wire_type::GROUP_END => Err(Fault::GroupEndUnexpected { field }),
            wire_type::FIXED32 => self.fixed32().map(drop),
            found => Err(Fault::WireTypeUnknown { field, found }),
        }
    }

    /// Recursion ends with `depth`, so the stack is bounded.
    fn skip_group(&mut self, opened: u32, depth: u32) -> Result<(), Fault> {
        loop {
            let key = self.key()?.ok_or(Fault::Truncated)?;
            if key == Key(opened << 3 | u32::from(wire_type::GROUP_END)) {
                return Ok(());
            }
            self.skip(key, depth - 1)?;
        }
    }

    /// The bodies of the fields with this key, in order; other fields are passed over. Ends at the first fault,
    /// so it is for bytes that were walked before.
    #[inline]
    pub(crate) fn next_body(&mut self, wanted: Key) -> Option<&'a [u8]> {
        while let Ok(Some(key)) = self.key() {
            if key == wanted {
                return self.bytes().ok();
            }
            self.skip(key, crate::fault::DEPTH_MAX).ok()?;
        }
        None
    }
}

const VARINT_BYTES_MAX: usize = 10;
