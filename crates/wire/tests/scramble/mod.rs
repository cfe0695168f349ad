//! Rewrites a valid request into other bytes that protobuf allows, and into bytes that it does not:
//! what an encoder of one's own never produces, other people's encoders and attackers do.

/// A seeded sequence of numbers (SplitMix64), so that a failing case can be run again from its
/// seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

/// Reorders, repeats and splits fields, adds unknown ones and writes keys and lengths longer than
/// need be, on every level of a message that is named as in [`child`]. The result is valid.
pub(crate) fn scramble(message: &str, bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let start = rest;
        let (key, after_key) = varint(rest);
        let (field, wire_type) = ((key >> 3) as u32, key & 7);
        let inner = child(message, field).filter(|_| wire_type == 2);
        rest = after_value(wire_type, after_key);
        let raw = &start[..start.len() - rest.len()];
        let Some(inner) = inner else {
            fields.push(raw.to_vec());
            continue;
        };
        let (length, body) = varint(after_key);
        let body = scramble(inner, &body[..length as usize], dice);
        // A message that occurs twice is merged where the field is single, and is two where it is
        // repeated.
        let cut = if dice.one_in(8) { boundary(&body, dice) } else { body.len() };
        if cut < body.len() {
            fields.push(delimited(field, &body[..cut], dice));
        }
        let last = if cut < body.len() { &body[cut..] } else { &body };
        fields.push(delimited(field, last, dice));
    }
    while dice.one_in(4) {
        let unknown = unknown_field(dice, 3);
        fields.insert(dice.below(fields.len() + 1), unknown);
    }
    if !fields.is_empty() && dice.one_in(3) {
        let (from, to) = (dice.below(fields.len()), dice.below(fields.len()));
        fields.swap(from, to);
    }
    if !fields.is_empty() && dice.one_in(4) {
        let again = fields[dice.below(fields.len())].clone();
        fields.insert(dice.below(fields.len() + 1), again);
    }
    fields.concat()
}

/// Damages bytes in a few places; the result may or may not be valid.
pub(crate) fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(6) {
            _ if bytes.is_empty() => bytes.push(dice.next() as u8),
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => drop(bytes.remove(at)),
            4 => bytes.insert(at, TELLING[dice.below(TELLING.len())]),
            _ => bytes[at] = TELLING[dice.below(TELLING.len())],
        }
    }
}

/// Bytes that mean something at many places of a request: keys, lengths, ends of varints and of
/// groups.
pub(crate) const TELLING: &[u8] = &[
    0x00, 0x01, 0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x0a, 0x0b, 0x0c, 0x10, 0x12, 0x13, 0x14, 0x1a,
    0x20, 0x22, 0x29, 0x2a, 0x30, 0x32, 0x39, 0x3a, 0x40, 0x41, 0x42, 0x4a, 0x52, 0x5a, 0x6a, 0x7a,
    0x7f, 0x80, 0x85, 0x9b, 0x9c, 0xff,
];

/// The message that a field holds; names are those of the .proto files.
pub(crate) fn child(message: &str, field: u32) -> Option<&'static str> {
    Some(match (message, field) {
        ("ExportTraceServiceRequest", 1) => "ResourceSpans",
        ("ExportLogsServiceRequest", 1) => "ResourceLogs",
        ("ExportMetricsServiceRequest", 1) => "ResourceMetrics",
        ("ResourceSpans" | "ResourceLogs" | "ResourceMetrics", 1) => "Resource",
        ("ResourceSpans", 2) => "ScopeSpans",
        ("ResourceLogs", 2) => "ScopeLogs",
        ("ResourceMetrics", 2) => "ScopeMetrics",
        ("ScopeSpans" | "ScopeLogs" | "ScopeMetrics", 1) => "InstrumentationScope",
        ("ScopeSpans", 2) => "Span",
        ("ScopeLogs", 2) => "LogRecord",
        ("ScopeMetrics", 2) => "Metric",
        ("Resource", 1) | ("InstrumentationScope", 3) => "KeyValue",
        ("Resource", 3) => "EntityRef",
        ("Span", 9) | ("Event", 3) | ("Link", 4) | ("LogRecord", 6) => "KeyValue",
        ("Span", 11) => "Event",
        ("Span", 13) => "Link",
        ("Span", 15) => "Status",
        ("LogRecord", 5) | ("KeyValue", 2) | ("ArrayValue", 1) => "AnyValue",
        ("AnyValue", 5) => "ArrayValue",
        ("AnyValue", 6) => "KeyValueList",
        ("KeyValueList", 1) | ("Metric", 12) => "KeyValue",
        ("Metric", 5) => "Gauge",
        ("Metric", 7) => "Sum",
        ("Metric", 9) => "Histogram",
        ("Metric", 10) => "ExponentialHistogram",
        ("Metric", 11) => "Summary",
        ("Gauge" | "Sum", 1) => "NumberDataPoint",
        ("Histogram", 1) => "HistogramDataPoint",
        ("ExponentialHistogram", 1) => "ExponentialHistogramDataPoint",
        ("Summary", 1) => "SummaryDataPoint",
        ("NumberDataPoint" | "SummaryDataPoint" | "Exemplar", 7) => "KeyValue",
        ("NumberDataPoint", 5) | ("HistogramDataPoint", 8) => "Exemplar",
        ("ExponentialHistogramDataPoint", 11) => "Exemplar",
        ("HistogramDataPoint", 9) | ("ExponentialHistogramDataPoint", 1) => "KeyValue",
        ("ExponentialHistogramDataPoint", 8 | 9) => "Buckets",
        ("SummaryDataPoint", 6) => "ValueAtQuantile",
        _ => return None,
    })
}

/// A field that no version of OTLP defines, sometimes a group with more of them.
fn unknown_field(dice: &mut Dice, depth: u32) -> Vec<u8> {
    let field = [17, 99, 2047, 2048, (1 << 29) - 1][dice.below(5)];
    let key = |wire_type: u64| u64::from(field as u32) << 3 | wire_type;
    let mut bytes = Vec::new();
    match dice.below(if depth == 0 { 4 } else { 5 }) {
        0 => {
            put_varint(&mut bytes, key(0), dice);
            let value = dice.next() >> dice.below(64);
            put_varint(&mut bytes, value, dice);
        }
        1 => {
            put_varint(&mut bytes, key(1), dice);
            bytes.extend(dice.next().to_le_bytes());
        }
        2 => {
            put_varint(&mut bytes, key(5), dice);
            bytes.extend((dice.next() as u32).to_le_bytes());
        }
        3 => bytes = delimited(field as u32, &dice.next().to_le_bytes()[..dice.below(8)], dice),
        _ => {
            put_varint(&mut bytes, key(3), dice);
            for _ in 0..dice.below(3) {
                bytes.extend(unknown_field(dice, depth - 1));
            }
            put_varint(&mut bytes, key(4), dice);
        }
    }
    bytes
}

fn delimited(field: u32, body: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 4);
    put_varint(&mut bytes, u64::from(field) << 3 | 2, dice);
    put_varint(&mut bytes, body.len() as u64, dice);
    bytes.extend(body);
    bytes
}

/// Sometimes with up to two bytes more than needed, which protobuf allows.
fn put_varint(bytes: &mut Vec<u8>, mut value: u64, dice: &mut Dice) {
    let stays_legal = value < 1 << 40;
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    if stays_legal && dice.one_in(16) {
        for _ in 0..=dice.below(2) {
            *bytes.last_mut().expect("just pushed") |= 0x80;
            bytes.push(0);
        }
    }
}

/// Where one of the message's fields ends.
fn boundary(bytes: &[u8], dice: &mut Dice) -> usize {
    let mut ends = vec![0];
    let mut rest = bytes;
    while !rest.is_empty() {
        let (key, after_key) = varint(rest);
        rest = after_value(key & 7, after_key);
        // Inside a group there is no field of this message; its end closes it.
        if key & 7 != 3 {
            ends.push(bytes.len() - rest.len());
        } else {
            return bytes.len();
        }
    }
    ends[dice.below(ends.len())]
}

/// Reads what a well-behaved encoder wrote.
fn varint(bytes: &[u8]) -> (u64, &[u8]) {
    let mut value = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return (value, &bytes[at + 1..]);
        }
    }
    panic!("a varint without end");
}

fn after_value(wire_type: u64, bytes: &[u8]) -> &[u8] {
    match wire_type {
        0 => varint(bytes).1,
        1 => &bytes[8..],
        2 => {
            let (length, body) = varint(bytes);
            &body[length as usize..]
        }
        5 => &bytes[4..],
        _ => bytes,
    }
}
