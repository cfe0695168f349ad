//! How many label sets a book may hold and for how long an idle one stays, each default beside its
//! reason.

/// Bounds of one book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Label sets, without the reserve for overflow rows.
    pub rows: usize,
    /// Idle time after which a label set is forgotten, in milliseconds.
    pub expire_ms: u64,
}

impl Limits {
    /// Label sets beside those that count what did not fit.
    #[must_use]
    pub fn reserve(self) -> usize {
        (self.rows / 10).max(RESERVE_MIN)
    }
}

/// A reserve worth having even for a tiny limit: kinds × outcomes of a few services.
const RESERVE_MIN: usize = 32;

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A thousand services of twenty operations, or one runaway service held at about 30
            // MiB.
            rows: 20_000,
            // Longer than the gaps between the runs of an hourly job's neighbours, short enough
            // that replaced versions and instances do not pile up.
            expire_ms: 3_600_000,
        }
    }
}
