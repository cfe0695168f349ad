//! The walk over a document: serde's streaming visitors, driven by the tables of `schema`, writing
//! as they read. One visitor for objects, one for lists and one for everything else serve all
//! messages.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::fault::{JsonFault, Place, Step, path};
use super::limits::Limits;
use super::scalar::{Number, Refusal, number_in_text, put_base64, put_hex, put_number};
use super::schema::{Field, Kind, Message};
use super::writer::{Full, Writer};

/// What a walk knows: the bytes written, where it is, and, once it fails, why.
pub(super) struct Transcoder {
    out: Writer,
    limits: Limits,
    depth: usize,
    /// What the value that was last begun should have been.
    expected: &'static str,
    cause: Cause,
    /// From the fault outwards, noted while the walk unwinds.
    steps: Vec<Step>,
}

/// Our reason for an error that serde carries; serde's own text may repeat the value.
enum Cause {
    Unfit,
    NotHex,
    TooDeep,
    Full,
}

impl Transcoder {
    pub(super) fn new(body_bytes: usize, limits: Limits) -> Self {
        let limits = Limits { depth: limits.depth.min(Limits::DEPTH_MAX), ..limits };
        Transcoder {
            out: Writer::new(body_bytes / 2, limits.output_bytes),
            limits,
            depth: 0,
            expected: "an object",
            cause: Cause::Unfit,
            steps: Vec::new(),
        }
    }

    /// Walks the document and returns what it was transcoded to.
    pub(super) fn run(mut self, text: &str, root: &'static Message) -> Result<Vec<u8>, JsonFault> {
        let mut document = serde_json::Deserializer::from_str(text);
        let walked = document.deserialize_map(Object { walk: &mut self, message: root });
        match walked.and_then(|()| document.end()) {
            Ok(()) => Ok(self.out.finish()),
            Err(error) => Err(self.fault(&error, root)),
        }
    }

    fn fault(&self, error: &serde_json::Error, root: &'static Message) -> JsonFault {
        let at = Place { line: error.line(), column: error.column() };
        match (error.classify(), &self.cause) {
            (Category::Data, Cause::Full) => {
                JsonFault::TooLarge { output_bytes: self.limits.output_bytes }
            }
            (Category::Data, Cause::TooDeep) => {
                JsonFault::TooDeep { at, path: path(&self.steps), depth: self.limits.depth }
            }
            (Category::Data, Cause::NotHex) => JsonFault::Id { at, path: path(&self.steps) },
            (Category::Data, Cause::Unfit) if self.steps.is_empty() => {
                JsonFault::NotAnObject { at, key: root.fields[0].name }
            }
            (Category::Data, Cause::Unfit) => {
                JsonFault::Type { at, path: path(&self.steps), expected: self.expected }
            }
            (Category::Syntax | Category::Eof | Category::Io, _) => {
                let text = error.to_string();
                let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
                // The one fault of a value that the parser itself finds.
                if reason == "number out of range" && !self.steps.is_empty() {
                    return JsonFault::Type {
                        at,
                        path: path(&self.steps),
                        expected: self.expected,
                    };
                }
                JsonFault::Syntax { at, reason }
            }
        }
    }

    fn enter<E: Error>(&mut self) -> Result<(), E> {
        if self.depth == self.limits.depth {
            return Err(self.refuse(Cause::TooDeep));
        }
        self.depth += 1;
        Ok(())
    }

    fn room<T, E: Error>(&mut self, written: Result<T, Full>) -> Result<T, E> {
        written.map_err(|Full| self.refuse(Cause::Full))
    }

    fn refuse<E: Error>(&mut self, cause: Cause) -> E {
        self.cause = cause;
        E::custom("")
    }
}

/// A JSON object whose fields are written into the message that is open.
struct Object<'w> {
    walk: &'w mut Transcoder,
    message: &'static Message,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Object { walk, message } = self;
        walk.enter()?;
        let mut hint = 0;
        while let Some(key) = map.next_key_seed(Key { message, hint: &mut hint })? {
            let Some(field) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = Value { walk, field, position: Position::Field };
            if let Err(error) = map.next_value_seed(value) {
                walk.steps.push(Step::Key(field.name));
                return Err(error);
            }
        }
        walk.depth -= 1;
        Ok(())
    }
}

/// A key, looked up in its message; none if the message does not know it.
struct Key<'h> {
    message: &'static Message,
    hint: &'h mut usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        // As bytes, because a key with a lone surrogate is an unknown key and no fault.
        key.deserialize_bytes(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(self.message.find(key, self.hint))
    }
}

/// Where a value stands, which decides what `null` means and whether it has a tag of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// Under its key.
    Field,
    /// In a list whose elements are fields of their own.
    Element,
    /// In a list that is one field.
    Packed,
}

/// The value of a field, or one element of a list.
struct Value<'w> {
    walk: &'w mut Transcoder,
    field: &'static Field,
    position: Position,
}

impl Value<'_> {
    /// Reads what the field's kind asks for.
    fn read<'de, D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        let Value { walk, field, position } = self;
        walk.expected = field.kind.expected();
        match field.kind {
            Kind::Message(message) => {
                let opened = walk.out.open(field.number);
                let open = walk.room(opened)?;
                value.deserialize_map(Object { walk, message })?;
                let closed = walk.out.close(&open);
                walk.room(closed)
            }
            Kind::Text | Kind::Id | Kind::Bytes => {
                value.deserialize_bytes(Scalar { walk, field, position })
            }
            _ => value.deserialize_any(Scalar { walk, field, position }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        let nullable = self.position == Position::Field || !self.field.kind.is_scalar();
        if nullable { value.deserialize_option(self) } else { self.read(value) }
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.kind.expected())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        if self.position == Position::Field {
            return Ok(());
        }
        let opened = self.walk.out.open(self.field.number);
        let open = self.walk.room(opened)?;
        let closed = self.walk.out.close(&open);
        self.walk.room(closed)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        if self.position == Position::Field && self.field.repeated {
            self.walk.expected = "an array";
            return value.deserialize_seq(List { walk: self.walk, field: self.field });
        }
        self.read(value)
    }
}

/// A JSON array, the value of a repeated field.
struct List<'w> {
    walk: &'w mut Transcoder,
    field: &'static Field,
}

impl List<'_> {
    fn elements<'de, A: SeqAccess<'de>>(
        &mut self,
        mut list: A,
        position: Position,
    ) -> Result<(), A::Error> {
        for index in 0.. {
            let element = Value { walk: self.walk, field: self.field, position };
            match list.next_element_seed(element) {
                Ok(Some(())) => {}
                Ok(None) => break,
                Err(error) => {
                    self.walk.steps.push(Step::Index(index));
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, list: A) -> Result<(), A::Error> {
        self.walk.enter()?;
        if self.field.kind.is_packed() {
            let opened = self.walk.out.open(self.field.number);
            let open = self.walk.room(opened)?;
            self.elements(list, Position::Packed)?;
            let closed = self.walk.out.close(&open);
            self.walk.room(closed)?;
        } else {
            self.elements(list, Position::Element)?;
        }
        self.walk.depth -= 1;
        Ok(())
    }
}

/// A string, a number or a bool.
struct Scalar<'w> {
    walk: &'w mut Transcoder,
    field: &'static Field,
    position: Position,
}

impl Scalar<'_> {
    fn tag(&mut self) -> Result<(), Full> {
        match self.position {
            Position::Packed => Ok(()),
            Position::Field | Position::Element => {
                self.walk.out.tag(self.field.number, self.field.kind.wire_type())
            }
        }
    }

    fn number<E: Error>(mut self, number: Number) -> Result<(), E> {
        let written = match self.tag() {
            Ok(()) => put_number(&mut self.walk.out, self.field.kind, number),
            Err(full) => Err(full.into()),
        };
        written.map_err(|refusal| self.refuse(refusal))
    }

    fn string(&mut self, string: &[u8], escaped: bool) -> Result<(), Refusal> {
        self.tag()?;
        let out = &mut self.walk.out;
        match self.field.kind {
            Kind::Id => put_hex(out, string),
            Kind::Bytes => put_base64(out, string),
            _ => {
                let room = out.slice(string.len())?;
                room.copy_from_slice(string);
                if escaped {
                    replace_surrogates(room);
                }
                Ok(())
            }
        }
    }

    fn refuse<E: Error>(&mut self, refusal: Refusal) -> E {
        let cause = match (refusal, self.field.kind) {
            (Refusal::Full, _) => Cause::Full,
            (Refusal::Unfit, Kind::Id) => Cause::NotHex,
            (Refusal::Unfit, _) => Cause::Unfit,
        };
        self.walk.refuse(cause)
    }
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.kind.expected())
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<(), E> {
        let Kind::Bool = self.field.kind else {
            return Err(self.refuse(Refusal::Unfit));
        };
        let written = self.tag().and_then(|()| self.walk.out.varint(u64::from(value)));
        self.walk.room(written)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(Number::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(Number::Signed(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(Number::Float(value))
    }

    fn visit_str<E: Error>(mut self, value: &str) -> Result<(), E> {
        match number_in_text(self.field.kind, value) {
            Some(number) => self.number(number),
            None => Err(self.refuse(Refusal::Unfit)),
        }
    }

    fn visit_borrowed_bytes<E: Error>(mut self, value: &'de [u8]) -> Result<(), E> {
        self.string(value, false).map_err(|refusal| self.refuse(refusal))
    }

    fn visit_bytes<E: Error>(mut self, value: &[u8]) -> Result<(), E> {
        self.string(value, true).map_err(|refusal| self.refuse(refusal))
    }
}

/// Makes UTF-8 of a string whose escapes may have left lone surrogates in it, three bytes each as
/// U+FFFD has. In UTF-8 no other character has 0xED before a byte from 0xA0 on.
fn replace_surrogates(string: &mut [u8]) {
    for start in 0..string.len().saturating_sub(2) {
        if string[start] == 0xED && string[start + 1] >= 0xA0 {
            string[start..start + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
}
