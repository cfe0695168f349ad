//! Views over `ExportLogsServiceRequest`: a log record is read in one walk that checks all of it
//! and leaves its body on the wire, instead of copying bodies that most rules never look at.

use crate::cursor::{Cursor, Key};
use crate::fault::Fault;
use crate::holder::levels::Levels;
use crate::holder::{self, OfResource};
use crate::message::{self, DEPTH_IN_ITEM, Level, Messages};
use crate::schema;
use crate::value::{KeyValue, Occurrence, Value};

/// The request's parts, one for each resource that sent log records.
#[inline]
#[must_use]
pub fn resource_logs(request: &[u8]) -> Messages<'_, ResourceLogs<'_>> {
    holder::of_resources(request)
}

/// What one resource sent.
pub type ResourceLogs<'a> = OfResource<'a, LogRecords>;

/// Items that are log records.
#[derive(Debug)]
pub enum LogRecords {}

impl Levels for LogRecords {
    const REQUEST: &'static Level = &Level {
        schema: &schema::LOGS_REQUEST,
        wanted: Key::bytes(1),
        depth: message::DEPTH_IN_REQUEST,
    };
    const RESOURCE: &'static Level = &Level {
        schema: &schema::RESOURCE_LOGS,
        wanted: Key::bytes(2),
        depth: message::DEPTH_IN_RESOURCES,
    };
    const SCOPE: &'static Level = &Level {
        schema: &schema::SCOPE_LOGS,
        wanted: Key::bytes(2),
        depth: message::DEPTH_IN_SCOPES,
    };
}

/// A log record without its attributes. Absent fields are empty or 0; text is UTF-8 if the sender
/// kept to the protocol; ids have whatever length they were sent with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogRecord<'a> {
    /// When it happened, nanoseconds since 1970; 0 where the source did not know.
    pub time_unix_nano: u64,
    /// When it was collected, nanoseconds since 1970.
    pub observed_time_unix_nano: u64,
    /// 1 to 24, in fours from TRACE to FATAL; 0 unspecified; other numbers may come.
    pub severity_number: i32,
    /// The source's own word for the severity.
    pub severity_text: &'a [u8],
    /// What the record says.
    pub body: Value<'a>,
    /// 16 bytes; empty outside a trace.
    pub trace_id: &'a [u8],
    /// 8 bytes; empty outside a span.
    pub span_id: &'a [u8],
    /// The W3C trace flags in the low 8 bits.
    pub flags: u32,
    /// The event's name; empty for a record that is no event.
    pub event_name: &'a [u8],
}

impl<'a> LogRecord<'a> {
    /// Checks all of a record in one walk and hands its attributes to `on_attribute` in order.
    /// Attributes before a fault were handed over when it is returned.
    ///
    /// # Errors
    /// The first fault anywhere in the record.
    #[inline]
    pub fn read(bytes: &'a [u8], on_attribute: impl FnMut(KeyValue<'a>)) -> Result<Self, Fault> {
        Self::walk(bytes, on_attribute)
            .ok_or_else(|| schema::LOG_RECORD.fault(bytes, DEPTH_IN_ITEM))
    }

    #[inline]
    fn walk(bytes: &'a [u8], mut on_attribute: impl FnMut(KeyValue<'a>)) -> Option<Self> {
        let mut record = Self::default();
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            let key = cursor.key()?;
            match key {
                TIME => record.time_unix_nano = cursor.fixed64()?,
                SEVERITY_NUMBER => record.severity_number = cursor.varint()? as i32,
                SEVERITY_TEXT => record.severity_text = cursor.bytes()?,
                BODY => {
                    let body = cursor.bytes()?;
                    let occurrence = Occurrence { body, after: cursor.rest(), again: BODY };
                    record.body.merge::<true>(occurrence, DEPTH_IN_ITEM - 1)?;
                }
                ATTRIBUTE => on_attribute(KeyValue::read(cursor.bytes()?, DEPTH_IN_ITEM - 1)?),
                FLAGS => record.flags = cursor.fixed32()?,
                TRACE_ID => record.trace_id = cursor.bytes()?,
                SPAN_ID => record.span_id = cursor.bytes()?,
                OBSERVED_TIME => record.observed_time_unix_nano = cursor.fixed64()?,
                EVENT_NAME => record.event_name = cursor.bytes()?,
                _ => cursor = schema::LOG_RECORD.check_field(key, cursor, DEPTH_IN_ITEM).ok()?,
            }
        }
        Some(record)
    }
}

const TIME: Key = Key::fixed64(1);
const SEVERITY_NUMBER: Key = Key::varint(2);
const SEVERITY_TEXT: Key = Key::bytes(3);
const BODY: Key = Key::bytes(5);
const ATTRIBUTE: Key = Key::bytes(6);
const FLAGS: Key = Key::fixed32(8);
const TRACE_ID: Key = Key::bytes(9);
const SPAN_ID: Key = Key::bytes(10);
const OBSERVED_TIME: Key = Key::fixed64(11);
const EVENT_NAME: Key = Key::bytes(12);
