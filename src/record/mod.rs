//! Whether a log record is what somebody asks for. It stands below the books that ask, so that a
//! counter and an objective with the same words can never find different records.

mod asked;
mod seen;
mod text;

use redora_wire::logs::LogRecord;

pub use asked::{Body, Match, SeverityRange};
pub use seen::Seen;
pub use text::Text;

/// OTLP's number for the severity of a record, 1 to 24; anything else is 0, unspecified.
#[must_use]
pub fn severity(record: &LogRecord<'_>) -> u8 {
    u8::try_from(record.severity_number).ok().filter(|number| *number <= 24).unwrap_or(0)
}
