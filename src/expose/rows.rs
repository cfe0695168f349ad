//! Rows of a book as samples, a piece at a time.

use redora_exposition::{Encoder, Family};

use super::families::Described;
use super::labels::LabelSet;
use crate::digest::Books;
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

/// What one step of a scrape reads and writes, held together under the lock.
pub(super) struct Step<'s> {
    pub(super) books: &'s Books,
    pub(super) encoder: &'s mut Encoder,
    pub(super) from: Place,
}

impl<'s> Step<'s> {
    /// Encodes the rows of a book from a position on, until a piece is full; gives the position to
    /// go on from, or nothing when the family is complete.
    pub(super) fn rows<R: Row>(
        self,
        family: &Family<'_>,
        book: &'s Book<R>,
        mut encode: impl FnMut(&mut Encoder, &'s Entry<R>),
    ) -> Option<Place> {
        let Self { encoder, from, .. } = self;
        if from.row == 0 {
            encoder.family(family);
        }
        for (at, entry) in book.entries_until(from.begun, from.row) {
            encode(encoder, entry);
            if encoder.buffered() >= PIECE_BYTES {
                return Some(from.at(at + 1));
            }
        }
        None
    }

    /// Encodes one counter for each row of a book whose key holds exactly the family's labels.
    pub(super) fn counters<R: Row>(
        self,
        family: &Described,
        book: &'s Book<R>,
        count: fn(&R) -> u64,
    ) -> Option<Place> {
        self.rows(&family.family(), book, |encoder, entry| {
            let labels = labels_of(entry, family.labels);
            let count = count(&entry.row) as f64;
            encoder.counter(labels.as_slice(), count, Some(entry.born_ms()), None);
        })
    }
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
