//! Rows of a book as samples, a piece at a time.

use redora_exposition::Encoder;

use super::families::Described;
use super::labels::LabelSet;
use crate::series::{Book, Entry, Row};

/// Encodes the rows of a book from a position on, until a piece is full.
pub(super) fn encode_rows<'b, R: Row>(
    family: &Described,
    book: &'b Book<R>,
    encoder: &mut Encoder,
    from: usize,
    mut encode: impl FnMut(&mut Encoder, &'b Entry<R>),
) -> Option<usize> {
    if from == 0 {
        encoder.family(&family.family());
    }
    for (at, entry) in book.entries(from) {
        encode(encoder, entry);
        if encoder.buffered() >= PIECE_BYTES {
            return Some(at + 1);
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
