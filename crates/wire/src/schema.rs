//! OTLP's messages as tables of wire types, and the walk that holds bytes against them. The views
//! read by hand what they report and leave every other field to these tables, so nothing passes
//! unchecked and each message is written down once.

use crate::cursor::{Cursor, Key, wire_type};
use crate::fault::Fault;

/// A message's name and its fields, indexed by field number.
pub(crate) struct Schema {
    name: &'static str,
    fields: &'static [Kind],
}

/// How a field stands on the wire.
enum Kind {
    /// OTLP defines no such field: whatever it holds is skipped.
    Unknown,
    Varint,
    Fixed64,
    Fixed32,
    /// Strings too: whether they are UTF-8 is not the wire's business, see the crate's
    /// documentation.
    Bytes,
    Message(&'static Schema),
    /// Repeated, in one packed run or field by field.
    Varints,
    /// Repeated, in one packed run or field by field.
    Fixed64s,
}

impl Schema {
    /// Walks a whole message. `depth` is how many messages or groups may still be opened inside it.
    pub(crate) fn check(&self, message: &[u8], depth: u32) -> Result<(), Fault> {
        let mut cursor = Cursor::new(message);
        while !cursor.is_empty() {
            let key = cursor.key().ok_or_else(|| cursor.key_fault())?;
            cursor = self.check_field(key, cursor, depth)?;
        }
        Ok(())
    }

    /// Passes the field whose key was just read, and everything inside it.
    pub(crate) fn check_field<'a>(
        &self,
        key: Key,
        mut cursor: Cursor<'a>,
        depth: u32,
    ) -> Result<Cursor<'a>, Fault> {
        let passed = match (self.kind(key), key.wire_type()) {
            (Kind::Unknown, _) => return cursor.skip(key, depth),
            (Kind::Varint | Kind::Varints, wire_type::VARINT) => cursor.varint().is_some(),
            (Kind::Fixed64 | Kind::Fixed64s, wire_type::FIXED64) => cursor.fixed64().is_some(),
            (Kind::Fixed32, wire_type::FIXED32) => cursor.fixed32().is_some(),
            (Kind::Bytes, wire_type::BYTES) => cursor.bytes().is_some(),
            (Kind::Message(inner), wire_type::BYTES) => {
                let body = cursor.bytes().ok_or_else(|| cursor.value_fault())?;
                inner.check(body, depth.checked_sub(1).ok_or(Fault::TooDeep)?)?;
                true
            }
            (Kind::Varints, wire_type::BYTES) => {
                let run = cursor.bytes().ok_or_else(|| cursor.value_fault())?;
                check_varints(run)?;
                true
            }
            (Kind::Fixed64s, wire_type::BYTES) => {
                cursor.bytes().is_some_and(|run| run.len().is_multiple_of(8))
            }
            _ => return Err(self.wire_type_fault(key)),
        };
        if passed { Ok(cursor) } else { Err(cursor.value_fault()) }
    }

    /// Why a message could not be read: the walk that found out only knows that it could not.
    #[cold]
    pub(crate) fn fault(&self, message: &[u8], depth: u32) -> Fault {
        self.check(message, depth).err().unwrap_or(Fault::Truncated)
    }

    /// Passes the field whose key was just read by its length alone, looking only at its wire type.
    pub(crate) fn skip_field<'a>(
        &self,
        key: Key,
        mut cursor: Cursor<'a>,
        depth: u32,
    ) -> Result<Cursor<'a>, Fault> {
        match (self.kind(key), key.wire_type()) {
            (Kind::Message(_), wire_type::BYTES) => match cursor.bytes() {
                Some(_) => Ok(cursor),
                None => Err(cursor.value_fault()),
            },
            _ => self.check_field(key, cursor, depth),
        }
    }

    #[inline]
    fn kind(&self, key: Key) -> &Kind {
        self.fields.get(key.field() as usize).unwrap_or(&Kind::Unknown)
    }

    #[cold]
    fn wire_type_fault(&self, key: Key) -> Fault {
        let expected = match self.kind(key) {
            Kind::Varint | Kind::Varints => wire_type::VARINT,
            Kind::Fixed64 | Kind::Fixed64s => wire_type::FIXED64,
            Kind::Fixed32 => wire_type::FIXED32,
            Kind::Bytes | Kind::Message(_) | Kind::Unknown => wire_type::BYTES,
        };
        let (field, found) = (key.field(), key.wire_type());
        Fault::WireType { message: self.name, field, found, expected }
    }
}

fn check_varints(run: &[u8]) -> Result<(), Fault> {
    let mut cursor = Cursor::new(run);
    while !cursor.is_empty() {
        cursor.varint().ok_or_else(|| cursor.value_fault())?;
    }
    Ok(())
}

use Kind::{Bytes, Fixed32, Fixed64, Fixed64s, Message, Unknown, Varint, Varints};

macro_rules! schema {
    ($($constant:ident, $name:literal: [$($kind:expr),* $(,)?];)*) => {
        $(
            pub(crate) static $constant: Schema =
                Schema { name: $name, fields: &[Unknown, $($kind),*] };
        )*
    };
}

// Numbered from 1, in the order of the .proto files at version 1.10; reserved numbers are
// `Unknown`.
schema! {
    TRACE_REQUEST, "ExportTraceServiceRequest": [Message(&RESOURCE_SPANS)];
    RESOURCE_SPANS, "ResourceSpans": [Message(&RESOURCE), Message(&SCOPE_SPANS), Bytes];
    SCOPE_SPANS, "ScopeSpans": [Message(&SCOPE), Message(&SPAN), Bytes];
    SPAN, "Span": [
        Bytes, Bytes, Bytes, Bytes, Bytes, Varint, Fixed64, Fixed64, Message(&KEY_VALUE), Varint,
        Message(&EVENT), Varint, Message(&LINK), Varint, Message(&STATUS), Fixed32,
    ];
    EVENT, "Span.Event": [Fixed64, Bytes, Message(&KEY_VALUE), Varint];
    LINK, "Span.Link": [Bytes, Bytes, Bytes, Message(&KEY_VALUE), Varint, Fixed32];
    STATUS, "Status": [Unknown, Bytes, Varint];

    LOGS_REQUEST, "ExportLogsServiceRequest": [Message(&RESOURCE_LOGS)];
    RESOURCE_LOGS, "ResourceLogs": [Message(&RESOURCE), Message(&SCOPE_LOGS), Bytes];
    SCOPE_LOGS, "ScopeLogs": [Message(&SCOPE), Message(&LOG_RECORD), Bytes];
    LOG_RECORD, "LogRecord": [
        Fixed64, Varint, Bytes, Unknown, Message(&ANY_VALUE), Message(&KEY_VALUE), Varint, Fixed32,
        Bytes, Bytes, Fixed64, Bytes,
    ];

    METRICS_REQUEST, "ExportMetricsServiceRequest": [Message(&RESOURCE_METRICS)];
    RESOURCE_METRICS, "ResourceMetrics": [Message(&RESOURCE), Message(&SCOPE_METRICS), Bytes];
    SCOPE_METRICS, "ScopeMetrics": [Message(&SCOPE), Message(&METRIC), Bytes];
    METRIC, "Metric": [
        Bytes, Bytes, Bytes, Unknown, Message(&GAUGE), Unknown, Message(&SUM), Unknown,
        Message(&HISTOGRAM), Message(&EXPONENTIAL_HISTOGRAM), Message(&SUMMARY),
        Message(&KEY_VALUE),
    ];
    GAUGE, "Gauge": [Message(&NUMBER_POINT)];
    SUM, "Sum": [Message(&NUMBER_POINT), Varint, Varint];
    HISTOGRAM, "Histogram": [Message(&HISTOGRAM_POINT), Varint];
    EXPONENTIAL_HISTOGRAM, "ExponentialHistogram": [Message(&EXPONENTIAL_POINT), Varint];
    SUMMARY, "Summary": [Message(&SUMMARY_POINT)];
    NUMBER_POINT, "NumberDataPoint": [
        Unknown, Fixed64, Fixed64, Fixed64, Message(&EXEMPLAR), Fixed64,
        Message(&KEY_VALUE), Varint,
    ];
    HISTOGRAM_POINT, "HistogramDataPoint": [
        Unknown, Fixed64, Fixed64, Fixed64, Fixed64, Fixed64s, Fixed64s, Message(&EXEMPLAR),
        Message(&KEY_VALUE), Varint, Fixed64, Fixed64,
    ];
    EXPONENTIAL_POINT, "ExponentialHistogramDataPoint": [
        Message(&KEY_VALUE), Fixed64, Fixed64, Fixed64, Fixed64, Varint, Fixed64, Message(&BUCKETS),
        Message(&BUCKETS), Varint, Message(&EXEMPLAR), Fixed64, Fixed64, Fixed64,
    ];
    BUCKETS, "ExponentialHistogramDataPoint.Buckets": [Varint, Varints];
    SUMMARY_POINT, "SummaryDataPoint": [
        Unknown, Fixed64, Fixed64, Fixed64, Fixed64, Message(&QUANTILE),
        Message(&KEY_VALUE), Varint,
    ];
    QUANTILE, "SummaryDataPoint.ValueAtQuantile": [Fixed64, Fixed64];
    EXEMPLAR, "Exemplar": [
        Unknown, Fixed64, Fixed64, Bytes, Bytes, Fixed64, Message(&KEY_VALUE),
    ];

    RESOURCE, "Resource": [Message(&KEY_VALUE), Varint, Message(&ENTITY_REF)];
    ENTITY_REF, "EntityRef": [Bytes, Bytes, Bytes, Bytes];
    SCOPE, "InstrumentationScope": [Bytes, Bytes, Message(&KEY_VALUE), Varint];
    KEY_VALUE, "KeyValue": [Bytes, Message(&ANY_VALUE), Varint];
    ANY_VALUE, "AnyValue": [
        Bytes, Varint, Varint, Fixed64, Message(&ARRAY_VALUE),
        Message(&KEY_VALUE_LIST), Bytes, Varint,
    ];
    ARRAY_VALUE, "ArrayValue": [Message(&ANY_VALUE)];
    KEY_VALUE_LIST, "KeyValueList": [Message(&KEY_VALUE)];
}
