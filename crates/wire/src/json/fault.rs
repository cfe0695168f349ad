//! Why a body is no OTLP/JSON, with the place and the key, because the reader of the text is an
//! SDK's author who sees only an answer to a request. It never repeats a value of the body: those
//! belong to somebody's users.

use std::fmt;
use std::str::Utf8Error;

/// A position in the body, both counted from 1, the column in bytes. It is where reading stopped,
/// which is the end of the value at fault or just behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The byte in the line.
    pub column: usize,
}

/// Why a body was refused. All are the sender's to cure, and the same body fails again; only
/// [`JsonFault::TooLarge`] is about size rather than form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// The body is not UTF-8.
    Encoding {
        /// The first byte that is wrong.
        at: Place,
    },
    /// The body is not JSON, or goes on after its end.
    Syntax {
        /// Where.
        at: Place,
        /// What the JSON parser says; one of its fixed texts.
        reason: String,
    },
    /// The body is JSON, but not an object.
    NotAnObject {
        /// Where.
        at: Place,
        /// The key that the object should have.
        key: &'static str,
    },
    /// A value is of another JSON type than its field, or does not fit into it.
    Type {
        /// Where.
        at: Place,
        /// The field, as in `resourceSpans[0].scopeSpans[1].spans[2].kind`.
        path: String,
        /// What the field takes.
        expected: &'static str,
    },
    /// An id is not hex.
    Id {
        /// Where.
        at: Place,
        /// The field.
        path: String,
    },
    /// Objects and arrays are nested deeper than [`super::limits::Limits::depth`].
    TooDeep {
        /// Where.
        at: Place,
        /// The field, shortened in its middle.
        path: String,
        /// The depth allowed.
        depth: usize,
    },
    /// The request is larger than [`super::limits::Limits::output_bytes`].
    TooLarge {
        /// The size allowed, as protobuf.
        output_bytes: usize,
    },
}

impl JsonFault {
    /// The field at fault, empty where the fault is not in one; what a `BadRequest` names.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            JsonFault::Type { path, .. }
            | JsonFault::Id { path, .. }
            | JsonFault::TooDeep { path, .. } => path,
            JsonFault::Encoding { .. }
            | JsonFault::Syntax { .. }
            | JsonFault::NotAnObject { .. }
            | JsonFault::TooLarge { .. } => "",
        }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonFault::Encoding { at } => {
                write!(f, "{at}: the body is not UTF-8; encode it as UTF-8")
            }
            JsonFault::Syntax { at, reason } => write!(f, "{at}: the body is not JSON: {reason}"),
            JsonFault::NotAnObject { at, key } => {
                write!(f, "{at}: the body must be one object, as in {{\"{key}\": [...]}}")
            }
            JsonFault::Type { at, path, expected } => write!(f, "{at}: {path} must be {expected}"),
            JsonFault::Id { at, path } => write!(
                f,
                "{at}: {path} must be hex, two digits a byte (32 for a trace id, 16 for a span \
                 id); OTLP/JSON does not take base64 here"
            ),
            JsonFault::TooDeep { at, path, depth } => write!(
                f,
                "{at}: {path} is inside more than {depth} objects and arrays; flatten the value"
            ),
            JsonFault::TooLarge { output_bytes } => write!(
                f,
                "the request takes more than {output_bytes} bytes as protobuf; send smaller batches"
            ),
        }
    }
}

impl std::error::Error for JsonFault {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

/// The fault of a body that is not UTF-8.
pub(super) fn not_utf8(body: &[u8], error: &Utf8Error) -> JsonFault {
    let valid = &body[..error.valid_up_to()];
    let line_start = valid.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
    JsonFault::Encoding { at: Place { line, column: valid.len() - line_start + 1 } }
}

/// One step from the document's root to a fault.
#[derive(Debug)]
pub(super) enum Step {
    Key(&'static str),
    Index(usize),
}

/// Joins steps that were noted from the fault outwards. A path through deeply nested values loses
/// its middle, whose keys only repeat.
pub(super) fn path(inwards: &[Step]) -> String {
    let mut path = String::new();
    let count = inwards.len();
    for (index, step) in inwards.iter().rev().enumerate() {
        if count > HEAD + TAIL && (HEAD..count - TAIL).contains(&index) {
            if index == HEAD {
                path.push_str("...");
            }
            continue;
        }
        match step {
            Step::Key(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Step::Index(place) => path.push_str(&format!("[{place}]")),
        }
    }
    path
}

const HEAD: usize = 12;
const TAIL: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_from_the_root_and_lose_their_middle() {
        let steps = [Step::Key("kind"), Step::Index(3), Step::Key("spans")];
        assert_eq!(path(&steps), "spans[3].kind");
        assert_eq!(path(&[]), "");

        let long: Vec<Step> = (0..90).map(|_| Step::Key("v")).collect();
        assert_eq!(path(&long), "v.v.v.v.v.v.v.v.v.v.v.v....v.v.v.v");
    }
}
