//! Rows of a book as samples, a piece at a time.

use redora_exposition::Encoder;

use super::families::Described;
use super::labels::LabelSet;
use crate::series::{Book, Entry, Moment, Row};

/// Where in its books a scrape is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// When the scrape began. Rows that are younger wait for the next one, those of a book that a
    /// reload put in the place of another among them: half a family under old labels and half under
    /// new ones would be a series twice.
    pub(super) begun: Moment,
    /// The row in the book at hand.
    pub(super) row: usize,
}

impl Place {
    /// The place at another row.
    pub(super) fn at(self, row: usize) -> Self {
        Self { row, ..self }
    }
}

/// Encodes the rows of a book from a position on, until a piece is full.
pub(super) fn encode_rows<'b, R: Row>(
    family: &Described,
    book: &'b Book<R>,
    encoder: &mut Encoder,
    from: Place,
    mut encode: impl FnMut(&mut Encoder, &'b Entry<R>),
) -> Option<Place> {
    if from.row == 0 {
        encoder.family(&family.family());
    }
    for (at, entry) in book.entries_until(from.begun, from.row) {
        encode(encoder, entry);
        if encoder.buffered() >= PIECE_BYTES {
            return Some(from.at(at + 1));
        }
    }
    None
}

/// The labels of a family whose key holds exactly tenant and these.
pub(super) fn labels_of<'b, R: Row>(entry: &'b Entry<R>, names: &[&'static str]) -> LabelSet<'b> {
    let mut values = entry.labels();
    let mut labels = LabelSet::new();
    labels.tenant(values.next());
    labels.named(names, &mut values);
    labels
}

/// A piece of a body: large enough that locking costs nothing beside encoding, small enough that
/// four scrapes at once stay under a MiB.
pub(super) const PIECE_BYTES: usize = 64 << 10;
