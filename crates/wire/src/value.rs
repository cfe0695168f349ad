//! Attributes and log bodies as views. Arrays and lists stay on the wire and are read when someone
//! asks, because most values are strings and almost nobody looks into the others.

use std::fmt;

use crate::cursor::{Cursor, Key};
use crate::fault::DEPTH_MAX;
use crate::schema;

/// An attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KeyValue<'a> {
    /// The name, in UTF-8 if the sender kept to the protocol. Empty where it is absent or an index
    /// into the string table of a profile (`key_strindex`), as OTLP asks of the other signals.
    pub key: &'a [u8],
    /// The value.
    pub value: Value<'a>,
}

/// What an attribute or a log body holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Value<'a> {
    /// Nothing, or an index into the string table of a profile (`string_value_strindex`), which
    /// OTLP tells the other signals to take for nothing.
    #[default]
    Empty,
    /// Text, in UTF-8 if the sender kept to the protocol.
    String(&'a [u8]),
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Values in order.
    Array(Array<'a>),
    /// Attributes in order; keys may repeat.
    KvList(KvList<'a>),
    /// Bytes that are no text.
    Bytes(&'a [u8]),
}

/// Values in order, read as they are asked for. Their bytes were checked before.
#[derive(Clone, Copy)]
pub struct Array<'a>(Fragments<'a>);

impl<'a> Array<'a> {
    /// The values from the first one on.
    #[must_use]
    pub fn iter(&self) -> Values<'a> {
        Values(Elements::of(self.0, ARRAY_VALUE))
    }
}

/// Attributes in order, read as they are asked for. Their bytes were checked before.
#[derive(Clone, Copy)]
pub struct KvList<'a>(Fragments<'a>);

impl<'a> KvList<'a> {
    /// The attributes from the first one on.
    #[must_use]
    pub fn iter(&self) -> KeyValues<'a> {
        KeyValues(Elements::of(self.0, KEY_VALUE_LIST))
    }
}

/// The values of an [`Array`].
#[derive(Clone, Debug)]
pub struct Values<'a>(Elements<'a>);

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let mut value = Value::Empty;
        value.merge::<false>(Occurrence::alone(self.0.next()?), 0)?;
        Some(value)
    }
}

/// The attributes of a [`KvList`].
#[derive(Clone, Debug)]
pub struct KeyValues<'a>(Elements<'a>);

impl<'a> Iterator for KeyValues<'a> {
    type Item = KeyValue<'a>;

    fn next(&mut self) -> Option<KeyValue<'a>> {
        KeyValue::read_as::<false>(self.0.next()?, 0)
    }
}

impl<'a> IntoIterator for Array<'a> {
    type Item = Value<'a>;
    type IntoIter = Values<'a>;

    fn into_iter(self) -> Values<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for KvList<'a> {
    type Item = KeyValue<'a>;
    type IntoIter = KeyValues<'a>;

    fn into_iter(self) -> KeyValues<'a> {
        self.iter()
    }
}

impl PartialEq for Array<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl PartialEq for KvList<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for KvList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> KeyValue<'a> {
    /// Reads and checks one attribute; `depth` is how many messages may still be opened inside it.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8], depth: u32) -> Option<Self> {
        match Self::usual(bytes) {
            Some(usual) => Some(usual),
            None => Self::read_as::<true>(bytes, depth),
        }
    }

    /// The form in which nearly every attribute comes: a short key, then a short string, and
    /// nothing else. Found by its length alone, it takes a third of the steps; `None` says nothing
    /// about other forms.
    #[inline(always)]
    fn usual(bytes: &'a [u8]) -> Option<Self> {
        let (&[0x0a, key_length @ ..0x80], rest) = bytes.split_first_chunk()? else { return None };
        let (key, rest) = rest.split_at_checked(usize::from(key_length))?;
        let (&[0x12, value_length @ ..0x80, 0x0a, length], text) = rest.split_first_chunk()? else {
            return None;
        };
        let exact =
            usize::from(length) == text.len() && usize::from(value_length) == text.len() + 2;
        exact.then_some(Self { key, value: Value::String(text) })
    }

    #[inline(always)]
    fn read_as<const CHECKED: bool>(bytes: &'a [u8], depth: u32) -> Option<Self> {
        const KEY: Key = Key::bytes(1);
        const VALUE: Key = Key::bytes(2);
        let mut read = Self::default();
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            let key = cursor.key()?;
            match key {
                KEY => read.key = cursor.bytes()?,
                VALUE => {
                    let body = cursor.bytes()?;
                    let occurrence = Occurrence { body, after: cursor.rest(), again: VALUE };
                    read.value.merge::<CHECKED>(occurrence, depth.saturating_sub(1))?;
                }
                _ => {
                    cursor = schema::KEY_VALUE
                        .check_field(key, cursor, unchecked(CHECKED, depth))
                        .ok()?
                }
            }
        }
        Some(read)
    }
}

/// One appearance of an AnyValue's bytes in the message that holds it.
#[derive(Clone, Copy)]
pub(crate) struct Occurrence<'a> {
    /// The AnyValue.
    pub(crate) body: &'a [u8],
    /// What follows it in the message that holds it.
    pub(crate) after: &'a [u8],
    /// The key under which `after` may continue the same value.
    pub(crate) again: Key,
}

impl<'a> Occurrence<'a> {
    /// An element of an array: the next one is a value of its own.
    fn alone(body: &'a [u8]) -> Self {
        Self { body, after: &[], again: ARRAY_VALUE }
    }
}

impl<'a> Value<'a> {
    /// Takes in one more appearance of the value, by protobuf's rules: the last kind wins, and
    /// lists of the same kind that follow each other are one. `depth` counts what may still be
    /// opened inside the AnyValue.
    #[inline(always)]
    pub(crate) fn merge<const CHECKED: bool>(
        &mut self,
        occurrence: Occurrence<'a>,
        depth: u32,
    ) -> Option<()> {
        let mut cursor = Cursor::new(occurrence.body);
        while !cursor.is_empty() {
            let here = cursor.rest();
            let key = cursor.key()?;
            match key {
                STRING_VALUE => *self = Value::String(cursor.bytes()?),
                BOOL_VALUE => *self = Value::Bool(cursor.varint()? != 0),
                INT_VALUE => *self = Value::Int(cursor.varint()?.cast_signed()),
                DOUBLE_VALUE => *self = Value::Double(f64::from_bits(cursor.fixed64()?)),
                BYTES_VALUE => *self = Value::Bytes(cursor.bytes()?),
                STRING_INDEX => {
                    cursor.varint()?;
                    *self = Value::Empty;
                }
                _ => {
                    if CHECKED {
                        cursor = schema::ANY_VALUE.check_field(key, cursor, depth).ok()?;
                    } else {
                        cursor = schema::ANY_VALUE.skip_field(key, cursor, DEPTH_MAX).ok()?;
                    }
                    *self = self.continued(key, Fragments { here, ..Fragments::from(occurrence) });
                }
            }
        }
        Some(())
    }

    /// Notes where a list starts; where one of the same kind has started, the bytes at hand belong
    /// to that one.
    #[inline(never)]
    fn continued(self, key: Key, start: Fragments<'a>) -> Self {
        match (key, &self) {
            (ARRAY_VALUE, Value::Array(_)) | (KEY_VALUE_LIST, Value::KvList(_)) => self,
            (ARRAY_VALUE, _) => Value::Array(Array(start)),
            (KEY_VALUE_LIST, _) => Value::KvList(KvList(start)),
            _ => self,
        }
    }
}

/// Where a list's elements are: protobuf lets a sender split one list over several fields, and the
/// message that holds the list over several more, so the bytes from its first field to the end of
/// its holder are kept.
#[derive(Clone, Copy)]
struct Fragments<'a> {
    /// The AnyValue from the list's first field on.
    here: &'a [u8],
    after: &'a [u8],
    again: Key,
}

impl<'a> From<Occurrence<'a>> for Fragments<'a> {
    fn from(Occurrence { body, after, again }: Occurrence<'a>) -> Self {
        Self { here: body, after, again }
    }
}

/// The bodies of a list's elements, across all its fragments.
#[derive(Clone, Debug)]
struct Elements<'a> {
    list: Cursor<'a>,
    value: Cursor<'a>,
    holder: Cursor<'a>,
    /// The list's key in AnyValue.
    kind: Key,
    /// The AnyValue's key in its holder.
    again: Key,
}

impl<'a> Elements<'a> {
    fn of(fragments: Fragments<'a>, kind: Key) -> Self {
        let Fragments { here, after, again } = fragments;
        let (value, holder) = (Cursor::new(here), Cursor::new(after));
        Self { list: Cursor::new(&[]), value, holder, kind, again }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        const ELEMENT: Key = Key::bytes(1);
        loop {
            if let Some(element) = self.list.next_body(ELEMENT) {
                return Some(element);
            }
            if let Some(list) = self.value.next_body(self.kind) {
                self.list = Cursor::new(list);
            } else {
                self.value = Cursor::new(self.holder.next_body(self.again)?);
            }
        }
    }
}

/// Bytes that were checked before are passed without counting their depth again.
const fn unchecked(checked: bool, depth: u32) -> u32 {
    if checked { depth } else { DEPTH_MAX }
}

const STRING_VALUE: Key = Key::bytes(1);
const BOOL_VALUE: Key = Key::varint(2);
const INT_VALUE: Key = Key::varint(3);
const DOUBLE_VALUE: Key = Key::fixed64(4);
const ARRAY_VALUE: Key = Key::bytes(5);
const KEY_VALUE_LIST: Key = Key::bytes(6);
const BYTES_VALUE: Key = Key::bytes(7);
const STRING_INDEX: Key = Key::varint(8);
