//! What one request or log record is to one objective, in a file of its own since both kinds of
//! checks give it and the book counts it.

/// Whether something is an event of an objective, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// An event that kept the promise.
    Good,
    /// An event that broke it.
    Bad,
    /// No event of it.
    None,
}

impl Verdict {
    /// Where it is staged: good events first.
    #[inline]
    pub(super) fn side(self) -> Option<usize> {
        match self {
            Verdict::Good => Some(0),
            Verdict::Bad => Some(1),
            Verdict::None => None,
        }
    }
}
