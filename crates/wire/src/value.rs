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
    pub value: Encoded<'a>,
}

/// A value that is still on the wire. It was checked, and it is read when someone asks: most
/// attributes are passed by, and who only wants to know whether a value is the one of a span before
/// compares the bytes.
#[derive(Clone, Copy, Default)]
pub struct Encoded<'a> {
    /// A KeyValue message, from its value on where the key stands first and once.
    message: &'a [u8],
}

impl<'a> Encoded<'a> {
    /// The value itself.
    #[must_use]
    pub fn read(self) -> Value<'a> {
        match self.message {
            [VALUE_TAG, value, STRING_TAG, length, text @ ..]
                if usize::from(*length) == text.len() && usize::from(*value) == text.len() + 2 =>
            {
                Value::String(text)
            }
            message => {
                read_message::<false>(message, 0).map(|(_, value)| value).unwrap_or_default()
            }
        }
    }

    /// Bytes that are equal only for values that are equal; the reverse need not hold.
    #[inline]
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.message
    }
}

impl PartialEq for Encoded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.read() == other.read()
    }
}

impl fmt::Debug for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
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
        KeyValue::unusual::<false>(self.0.next()?, 0)
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
    #[inline(always)]
    pub(crate) fn read(bytes: &'a [u8], depth: u32) -> Option<Self> {
        match Self::usual(bytes) {
            Some(usual) => Some(usual),
            None => Self::unusual::<true>(bytes, depth),
        }
    }

    /// The forms in which nearly every attribute comes: a short key, then a short string or a
    /// number, and nothing else. Found by its lengths alone, it takes a third of the steps; `None`
    /// says nothing about other forms.
    #[inline(always)]
    fn usual(bytes: &'a [u8]) -> Option<Self> {
        let (&[KEY_TAG, key_length @ ..0x80], rest) = bytes.split_first_chunk()? else {
            return None;
        };
        let (key, message) = rest.split_at_checked(usize::from(key_length))?;
        let (&[VALUE_TAG, value_length @ ..0x80, tag, first], rest) =
            message.split_first_chunk()?
        else {
            return None;
        };
        let whole = usize::from(value_length) == rest.len() + 2
            && match tag {
                STRING_TAG => usize::from(first) == rest.len(),
                INT_TAG => is_varint(first, rest),
                _ => false,
            };
        whole.then_some(Self { key, value: Encoded { message } })
    }

    #[inline(never)]
    fn unusual<const CHECKED: bool>(bytes: &'a [u8], depth: u32) -> Option<Self> {
        let (key, _) = read_message::<CHECKED>(bytes, depth)?;
        Some(Self { key, value: Encoded { message: bytes } })
    }
}

/// Whether these bytes are one varint and nothing more, and surely one of at most 64 bits.
#[inline(always)]
fn is_varint(first: u8, rest: &[u8]) -> bool {
    let Some((last, between)) = rest.split_last() else { return first < 0x80 };
    let continued = first >= 0x80 && between.iter().all(|byte| *byte >= 0x80);
    continued && *last < 0x80 && rest.len() < VARINT_BYTES_SURE
}

/// The key and value of a KeyValue message.
#[inline(always)]
fn read_message<const CHECKED: bool>(bytes: &[u8], depth: u32) -> Option<(&[u8], Value<'_>)> {
    const KEY: Key = Key::bytes(1);
    const VALUE: Key = Key::bytes(2);
    let (mut name, mut value) = (&[][..], Value::Empty);
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_empty() {
        let key = cursor.key()?;
        match key {
            KEY => name = cursor.bytes()?,
            VALUE => {
                let body = cursor.bytes()?;
                let occurrence = Occurrence { body, after: cursor.rest(), again: VALUE };
                value.merge::<CHECKED>(occurrence, depth.saturating_sub(1))?;
            }
            _ => {
                cursor =
                    schema::KEY_VALUE.check_field(key, cursor, unchecked(CHECKED, depth)).ok()?
            }
        }
    }
    Some((name, value))
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

/// The bytes with which the fields of the usual attribute begin.
const KEY_TAG: u8 = 0x0a;
const VALUE_TAG: u8 = 0x12;
const STRING_TAG: u8 = 0x0a;
const INT_TAG: u8 = 0x18;

/// A varint of fewer bytes has at most 63 bits.
const VARINT_BYTES_SURE: usize = 9;

const STRING_VALUE: Key = Key::bytes(1);
const BOOL_VALUE: Key = Key::varint(2);
const INT_VALUE: Key = Key::varint(3);
const DOUBLE_VALUE: Key = Key::fixed64(4);
const ARRAY_VALUE: Key = Key::bytes(5);
const KEY_VALUE_LIST: Key = Key::bytes(6);
const BYTES_VALUE: Key = Key::bytes(7);
const STRING_INDEX: Key = Key::varint(8);
