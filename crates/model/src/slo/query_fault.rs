//! What can be wrong with a question to Prometheus, apart from the reading of one, since whoever
//! finds words and whoever reads them both find faults.

use std::fmt;

/// Why a text is no question that a rule can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryFault {
    /// Nothing but blanks and comments.
    Empty,
    /// More text than a rule should hold.
    TooLong,
    /// A character that PromQL does not have outside quotes.
    Character(char),
    /// A bracket that nothing closes.
    Open(char),
    /// A bracket that closes nothing, or another one than was opened.
    Close(char),
    /// Quotes that do not end, in the line where they must.
    Quote(char),
    /// A backslash in quotes before what PromQL does not escape; 0 at the end of the text.
    Escape(char),
    /// Braces that hold another word than the window.
    Variable,
    /// The window stands where no range is.
    Place,
    /// Neither a window nor a selector alone.
    NoWindow,
    /// A selector that picks everything.
    Everything,
    /// An expression with neither `rate(` nor `increase(`.
    NoUnit,
    /// An expression with both.
    TwoUnits,
}

impl fmt::Display for QueryFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => out.write_str("asks nothing; write a selector such as requests_total"),
            Self::TooLong => write!(
                out,
                "has more than {QUERY_BYTES_MAX} bytes; record a part of it in a rule of its own"
            ),
            Self::Character(one) => {
                write!(out, "has {one:?} outside quotes, where PromQL has no such character")
            }
            Self::Open(one) => write!(out, "does not close its {one}"),
            Self::Close(one) => write!(out, "has a {one} that closes nothing"),
            Self::Quote(one) => write!(out, "does not close its {one} in the same line"),
            Self::Escape('\0') => out.write_str("ends within an escape"),
            Self::Escape(one) => write!(
                out,
                "has \\{one} in quotes, which PromQL does not know; write \\\\{one}, or use \
                 backquotes"
            ),
            Self::Variable => {
                out.write_str("has {{…}} with another word than .window; {{.window}} is the one")
            }
            Self::Place => out.write_str(
                "has {{.window}} where no range is; write it in brackets after a selector, as in \
                 rate(requests_total[{{.window}}])",
            ),
            Self::NoWindow => out.write_str(
                "is no selector alone and has no {{.window}}; write the one, or the other where \
                 the range is, as in sum(rate(requests_total[{{.window}}]))",
            ),
            Self::Everything => {
                out.write_str("picks every series there is; name a metric or a label")
            }
            Self::NoUnit => out.write_str(
                "uses neither rate( nor increase(; use rate( for events per second or increase( \
                 for events",
            ),
            Self::TwoUnits => out.write_str(
                "uses rate( and increase(, which are events per second and events; use one of them",
            ),
        }
    }
}

impl std::error::Error for QueryFault {}

/// A long query is a screen of text.
pub(super) const QUERY_BYTES_MAX: usize = 10_000;
