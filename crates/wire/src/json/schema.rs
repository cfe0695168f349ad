//! The messages of OTLP as tables of JSON key, field number and kind, because one interpreter over
//! tables is smaller and harder to get wrong than a visitor for each of thirty messages.
//!
//! Fields stand in the order in which SDKs write them, which lets the search for a key start where
//! the last one ended.

/// One protobuf message: its fields.
pub(super) struct Message {
    pub(super) fields: &'static [Field],
}

/// One field of a message.
pub(super) struct Field {
    /// The lowerCamelCase key.
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
}

/// How a value is written in JSON and in protobuf.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Message(&'static Message),
    Text,
    /// `bytes` as hex digits, OTLP's exception for ids.
    Id,
    /// `bytes` as base64.
    Bytes,
    Bool,
    Double,
    Enum,
    Int32,
    Uint32,
    Sint32,
    Int64,
    Uint64,
    Fixed32,
    Fixed64,
    Sfixed64,
}

impl Message {
    /// The field with this key. `hint` is where to look first and becomes the place after the one
    /// found.
    pub(super) fn find(&self, key: &[u8], hint: &mut usize) -> Option<&'static Field> {
        let fields = self.fields;
        let start = (*hint).min(fields.len());
        let found = (start..fields.len()).chain(0..start);
        for index in found {
            let field = &fields[index];
            if field.name.as_bytes() == key {
                *hint = index + 1;
                return Some(field);
            }
        }
        None
    }
}

impl Kind {
    /// What a sender has to put there, for the fault's text.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Kind::Message(_) => "an object",
            Kind::Text => "a string",
            Kind::Id => "a string of hex digits",
            Kind::Bytes => "a string in base64",
            Kind::Bool => "true or false",
            Kind::Double => "a number or one of \"NaN\", \"Infinity\", \"-Infinity\"",
            Kind::Enum => "the enum value's number, as OTLP/JSON forbids its name",
            Kind::Int32 | Kind::Sint32 => "an integer of 32 bits",
            Kind::Uint32 | Kind::Fixed32 => "an unsigned integer of 32 bits",
            Kind::Int64 | Kind::Sfixed64 => "an integer of 64 bits, as a string or a number",
            Kind::Uint64 | Kind::Fixed64 => {
                "an unsigned integer of 64 bits, as a string or a number"
            }
        }
    }

    /// The wire type of one value outside of a packed list.
    pub(super) fn wire_type(self) -> u8 {
        match self {
            Kind::Bool | Kind::Enum | Kind::Int32 | Kind::Uint32 => 0,
            Kind::Sint32 | Kind::Int64 | Kind::Uint64 => 0,
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => 1,
            Kind::Message(_) | Kind::Text | Kind::Id | Kind::Bytes => 2,
            Kind::Fixed32 => 5,
        }
    }

    /// Whether it is no message.
    pub(super) fn is_scalar(self) -> bool {
        !matches!(self, Kind::Message(_))
    }

    /// Whether a list of this kind is written as one field.
    pub(super) fn is_packed(self) -> bool {
        self.wire_type() != 2
    }
}

const fn one(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, repeated: false }
}

const fn many(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, repeated: true }
}

const fn message(fields: &'static [Field]) -> Message {
    Message { fields }
}

/// `ExportTraceServiceRequest`.
pub(super) static TRACES: Message =
    message(&[many("resourceSpans", 1, Kind::Message(&RESOURCE_SPANS))]);

/// `ExportLogsServiceRequest`.
pub(super) static LOGS: Message =
    message(&[many("resourceLogs", 1, Kind::Message(&RESOURCE_LOGS))]);

/// `ExportMetricsServiceRequest`.
pub(super) static METRICS: Message =
    message(&[many("resourceMetrics", 1, Kind::Message(&RESOURCE_METRICS))]);

static KEY_VALUE: Message = message(&[
    one("key", 1, Kind::Text),
    one("value", 2, Kind::Message(&ANY_VALUE)),
    one("keyStrindex", 3, Kind::Int32),
]);

static ANY_VALUE: Message = message(&[
    one("stringValue", 1, Kind::Text),
    one("intValue", 3, Kind::Int64),
    one("boolValue", 2, Kind::Bool),
    one("doubleValue", 4, Kind::Double),
    one("arrayValue", 5, Kind::Message(&ARRAY_VALUE)),
    one("kvlistValue", 6, Kind::Message(&KEY_VALUE_LIST)),
    one("bytesValue", 7, Kind::Bytes),
    one("stringValueStrindex", 8, Kind::Int32),
]);

static ARRAY_VALUE: Message = message(&[many("values", 1, Kind::Message(&ANY_VALUE))]);

static KEY_VALUE_LIST: Message = message(&[many("values", 1, Kind::Message(&KEY_VALUE))]);

static SCOPE: Message = message(&[
    one("name", 1, Kind::Text),
    one("version", 2, Kind::Text),
    many("attributes", 3, Kind::Message(&KEY_VALUE)),
    one("droppedAttributesCount", 4, Kind::Uint32),
]);

static ENTITY_REF: Message = message(&[
    one("schemaUrl", 1, Kind::Text),
    one("type", 2, Kind::Text),
    many("idKeys", 3, Kind::Text),
    many("descriptionKeys", 4, Kind::Text),
]);

static RESOURCE: Message = message(&[
    many("attributes", 1, Kind::Message(&KEY_VALUE)),
    one("droppedAttributesCount", 2, Kind::Uint32),
    many("entityRefs", 3, Kind::Message(&ENTITY_REF)),
]);

static RESOURCE_SPANS: Message = message(&[
    one("resource", 1, Kind::Message(&RESOURCE)),
    many("scopeSpans", 2, Kind::Message(&SCOPE_SPANS)),
    one("schemaUrl", 3, Kind::Text),
]);

static SCOPE_SPANS: Message = message(&[
    one("scope", 1, Kind::Message(&SCOPE)),
    many("spans", 2, Kind::Message(&SPAN)),
    one("schemaUrl", 3, Kind::Text),
]);

static SPAN: Message = message(&[
    one("traceId", 1, Kind::Id),
    one("spanId", 2, Kind::Id),
    one("traceState", 3, Kind::Text),
    one("parentSpanId", 4, Kind::Id),
    one("name", 5, Kind::Text),
    one("kind", 6, Kind::Enum),
    one("startTimeUnixNano", 7, Kind::Fixed64),
    one("endTimeUnixNano", 8, Kind::Fixed64),
    many("attributes", 9, Kind::Message(&KEY_VALUE)),
    one("droppedAttributesCount", 10, Kind::Uint32),
    many("events", 11, Kind::Message(&EVENT)),
    one("droppedEventsCount", 12, Kind::Uint32),
    one("status", 15, Kind::Message(&STATUS)),
    many("links", 13, Kind::Message(&LINK)),
    one("droppedLinksCount", 14, Kind::Uint32),
    one("flags", 16, Kind::Fixed32),
]);

static EVENT: Message = message(&[
    many("attributes", 3, Kind::Message(&KEY_VALUE)),
    one("name", 2, Kind::Text),
    one("timeUnixNano", 1, Kind::Fixed64),
    one("droppedAttributesCount", 4, Kind::Uint32),
]);

static LINK: Message = message(&[
    many("attributes", 4, Kind::Message(&KEY_VALUE)),
    one("spanId", 2, Kind::Id),
    one("traceId", 1, Kind::Id),
    one("traceState", 3, Kind::Text),
    one("droppedAttributesCount", 5, Kind::Uint32),
    one("flags", 6, Kind::Fixed32),
]);

static STATUS: Message = message(&[one("code", 3, Kind::Enum), one("message", 2, Kind::Text)]);

static RESOURCE_LOGS: Message = message(&[
    one("resource", 1, Kind::Message(&RESOURCE)),
    many("scopeLogs", 2, Kind::Message(&SCOPE_LOGS)),
    one("schemaUrl", 3, Kind::Text),
]);

static SCOPE_LOGS: Message = message(&[
    one("scope", 1, Kind::Message(&SCOPE)),
    many("logRecords", 2, Kind::Message(&LOG_RECORD)),
    one("schemaUrl", 3, Kind::Text),
]);

static LOG_RECORD: Message = message(&[
    one("timeUnixNano", 1, Kind::Fixed64),
    one("observedTimeUnixNano", 11, Kind::Fixed64),
    one("severityNumber", 2, Kind::Enum),
    one("severityText", 3, Kind::Text),
    one("body", 5, Kind::Message(&ANY_VALUE)),
    one("eventName", 12, Kind::Text),
    many("attributes", 6, Kind::Message(&KEY_VALUE)),
    one("droppedAttributesCount", 7, Kind::Uint32),
    one("flags", 8, Kind::Fixed32),
    one("traceId", 9, Kind::Id),
    one("spanId", 10, Kind::Id),
]);

static RESOURCE_METRICS: Message = message(&[
    one("resource", 1, Kind::Message(&RESOURCE)),
    many("scopeMetrics", 2, Kind::Message(&SCOPE_METRICS)),
    one("schemaUrl", 3, Kind::Text),
]);

static SCOPE_METRICS: Message = message(&[
    one("scope", 1, Kind::Message(&SCOPE)),
    many("metrics", 2, Kind::Message(&METRIC)),
    one("schemaUrl", 3, Kind::Text),
]);

static METRIC: Message = message(&[
    one("name", 1, Kind::Text),
    one("description", 2, Kind::Text),
    one("unit", 3, Kind::Text),
    one("sum", 7, Kind::Message(&SUM)),
    one("gauge", 5, Kind::Message(&GAUGE)),
    one("histogram", 9, Kind::Message(&HISTOGRAM)),
    one("exponentialHistogram", 10, Kind::Message(&EXPONENTIAL_HISTOGRAM)),
    one("summary", 11, Kind::Message(&SUMMARY)),
    many("metadata", 12, Kind::Message(&KEY_VALUE)),
]);

static GAUGE: Message = message(&[many("dataPoints", 1, Kind::Message(&NUMBER_POINT))]);

static SUM: Message = message(&[
    one("aggregationTemporality", 2, Kind::Enum),
    one("isMonotonic", 3, Kind::Bool),
    many("dataPoints", 1, Kind::Message(&NUMBER_POINT)),
]);

static HISTOGRAM: Message = message(&[
    one("aggregationTemporality", 2, Kind::Enum),
    many("dataPoints", 1, Kind::Message(&HISTOGRAM_POINT)),
]);

static EXPONENTIAL_HISTOGRAM: Message = message(&[
    one("aggregationTemporality", 2, Kind::Enum),
    many("dataPoints", 1, Kind::Message(&EXPONENTIAL_POINT)),
]);

static SUMMARY: Message = message(&[many("dataPoints", 1, Kind::Message(&SUMMARY_POINT))]);

static NUMBER_POINT: Message = message(&[
    many("attributes", 7, Kind::Message(&KEY_VALUE)),
    one("startTimeUnixNano", 2, Kind::Fixed64),
    one("timeUnixNano", 3, Kind::Fixed64),
    one("asDouble", 4, Kind::Double),
    one("asInt", 6, Kind::Sfixed64),
    many("exemplars", 5, Kind::Message(&EXEMPLAR)),
    one("flags", 8, Kind::Uint32),
]);

static HISTOGRAM_POINT: Message = message(&[
    many("attributes", 9, Kind::Message(&KEY_VALUE)),
    one("startTimeUnixNano", 2, Kind::Fixed64),
    one("timeUnixNano", 3, Kind::Fixed64),
    one("count", 4, Kind::Fixed64),
    one("sum", 5, Kind::Double),
    many("bucketCounts", 6, Kind::Fixed64),
    many("explicitBounds", 7, Kind::Double),
    one("min", 11, Kind::Double),
    one("max", 12, Kind::Double),
    many("exemplars", 8, Kind::Message(&EXEMPLAR)),
    one("flags", 10, Kind::Uint32),
]);

static EXPONENTIAL_POINT: Message = message(&[
    many("attributes", 1, Kind::Message(&KEY_VALUE)),
    one("startTimeUnixNano", 2, Kind::Fixed64),
    one("timeUnixNano", 3, Kind::Fixed64),
    one("count", 4, Kind::Fixed64),
    one("sum", 5, Kind::Double),
    one("scale", 6, Kind::Sint32),
    one("zeroCount", 7, Kind::Fixed64),
    one("positive", 8, Kind::Message(&BUCKETS)),
    one("negative", 9, Kind::Message(&BUCKETS)),
    one("min", 12, Kind::Double),
    one("max", 13, Kind::Double),
    one("zeroThreshold", 14, Kind::Double),
    many("exemplars", 11, Kind::Message(&EXEMPLAR)),
    one("flags", 10, Kind::Uint32),
]);

static BUCKETS: Message =
    message(&[one("offset", 1, Kind::Sint32), many("bucketCounts", 2, Kind::Uint64)]);

static SUMMARY_POINT: Message = message(&[
    many("attributes", 7, Kind::Message(&KEY_VALUE)),
    one("startTimeUnixNano", 2, Kind::Fixed64),
    one("timeUnixNano", 3, Kind::Fixed64),
    one("count", 4, Kind::Fixed64),
    one("sum", 5, Kind::Double),
    many("quantileValues", 6, Kind::Message(&VALUE_AT_QUANTILE)),
    one("flags", 8, Kind::Uint32),
]);

static VALUE_AT_QUANTILE: Message =
    message(&[one("quantile", 1, Kind::Double), one("value", 2, Kind::Double)]);

static EXEMPLAR: Message = message(&[
    many("filteredAttributes", 7, Kind::Message(&KEY_VALUE)),
    one("timeUnixNano", 2, Kind::Fixed64),
    one("asDouble", 3, Kind::Double),
    one("asInt", 6, Kind::Sfixed64),
    one("spanId", 4, Kind::Id),
    one("traceId", 5, Kind::Id),
]);
