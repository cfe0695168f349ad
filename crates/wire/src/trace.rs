//! Views over `ExportTraceServiceRequest`: a span is read in one walk that checks all of it and
//! keeps only what metrics are made of, instead of a list of objects per span.

use crate::cursor::{Cursor, Key};
use crate::fault::Fault;
use crate::holder::levels::Levels;
use crate::holder::{self, OfResource};
use crate::message::{self, DEPTH_IN_ITEM, Level, Messages};
use crate::schema;
use crate::value::KeyValue;

/// The request's parts, one for each resource that sent spans.
#[inline]
#[must_use]
pub fn resource_spans(request: &[u8]) -> Messages<'_, ResourceSpans<'_>> {
    holder::of_resources(request)
}

/// What one resource sent.
pub type ResourceSpans<'a> = OfResource<'a, Spans>;

/// Items that are spans.
#[derive(Debug)]
pub enum Spans {}

impl Levels for Spans {
    const REQUEST: &'static Level = &Level {
        schema: &schema::TRACE_REQUEST,
        wanted: Key::bytes(1),
        depth: message::DEPTH_IN_REQUEST,
    };
    const RESOURCE: &'static Level = &Level {
        schema: &schema::RESOURCE_SPANS,
        wanted: Key::bytes(2),
        depth: message::DEPTH_IN_RESOURCES,
    };
    const SCOPE: &'static Level = &Level {
        schema: &schema::SCOPE_SPANS,
        wanted: Key::bytes(2),
        depth: message::DEPTH_IN_SCOPES,
    };
}

/// A span without its attributes, events and links. Absent fields are empty or 0; text is UTF-8 if
/// the sender kept to the protocol; ids have whatever length they were sent with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span<'a> {
    /// 16 bytes.
    pub trace_id: &'a [u8],
    /// 8 bytes.
    pub span_id: &'a [u8],
    /// 8 bytes; empty for a root span.
    pub parent_span_id: &'a [u8],
    /// The W3C `tracestate` header.
    pub trace_state: &'a [u8],
    /// The operation's name.
    pub name: &'a [u8],
    /// 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer; later kinds may come.
    pub kind: i32,
    /// The W3C trace flags in the low 8 bits, 0x100 and 0x200 for whether the parent is remote.
    pub flags: u32,
    /// Nanoseconds since 1970.
    pub start_unix_nano: u64,
    /// Nanoseconds since 1970.
    pub end_unix_nano: u64,
    /// 0 unset, 1 ok, 2 error; later codes may come.
    pub status_code: i32,
    /// The error's description.
    pub status_message: &'a [u8],
}

impl<'a> Span<'a> {
    /// Checks all of a span, events and links too, in one walk and hands its attributes to
    /// `on_attribute` in order. Attributes before a fault were handed over when it is returned.
    ///
    /// # Errors
    /// The first fault anywhere in the span.
    #[inline]
    pub fn read(bytes: &'a [u8], on_attribute: impl FnMut(KeyValue<'a>)) -> Result<Self, Fault> {
        Self::walk(bytes, on_attribute).ok_or_else(|| schema::SPAN.fault(bytes, DEPTH_IN_ITEM))
    }

    #[inline]
    fn walk(bytes: &'a [u8], mut on_attribute: impl FnMut(KeyValue<'a>)) -> Option<Self> {
        let mut span = Self::default();
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            let key = cursor.key()?;
            match key {
                ATTRIBUTE => on_attribute(KeyValue::read(cursor.bytes()?, DEPTH_IN_ITEM - 1)?),
                TRACE_ID => span.trace_id = cursor.bytes()?,
                SPAN_ID => span.span_id = cursor.bytes()?,
                TRACE_STATE => span.trace_state = cursor.bytes()?,
                PARENT_SPAN_ID => span.parent_span_id = cursor.bytes()?,
                NAME => span.name = cursor.bytes()?,
                KIND => span.kind = cursor.varint()? as i32,
                START => span.start_unix_nano = cursor.fixed64()?,
                END => span.end_unix_nano = cursor.fixed64()?,
                STATUS => span.merge_status(cursor.bytes()?)?,
                FLAGS => span.flags = cursor.fixed32()?,
                _ => cursor = schema::SPAN.check_field(key, cursor, DEPTH_IN_ITEM).ok()?,
            }
        }
        Some(span)
    }

    /// How long the operation took, in nanoseconds; `None` where it ends before it starts.
    #[inline]
    #[must_use]
    pub fn duration_nanos(&self) -> Option<u64> {
        self.end_unix_nano.checked_sub(self.start_unix_nano)
    }

    #[inline]
    fn merge_status(&mut self, bytes: &'a [u8]) -> Option<()> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            let key = cursor.key()?;
            match key {
                STATUS_MESSAGE => self.status_message = cursor.bytes()?,
                STATUS_CODE => self.status_code = cursor.varint()? as i32,
                _ => cursor = schema::STATUS.check_field(key, cursor, DEPTH_IN_ITEM - 1).ok()?,
            }
        }
        Some(())
    }
}

const TRACE_ID: Key = Key::bytes(1);
const SPAN_ID: Key = Key::bytes(2);
const TRACE_STATE: Key = Key::bytes(3);
const PARENT_SPAN_ID: Key = Key::bytes(4);
const NAME: Key = Key::bytes(5);
const KIND: Key = Key::varint(6);
const START: Key = Key::fixed64(7);
const END: Key = Key::fixed64(8);
const ATTRIBUTE: Key = Key::bytes(9);
const STATUS: Key = Key::bytes(15);
const FLAGS: Key = Key::fixed32(16);
const STATUS_MESSAGE: Key = Key::bytes(2);
const STATUS_CODE: Key = Key::varint(3);
