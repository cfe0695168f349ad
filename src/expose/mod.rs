//! The books and the agent's own counters into one scrape, a piece at a time: rows are encoded
//! under the lock until a piece is full, so that neither a scrape's memory nor the wait of a
//! request grows with the number of rows.

mod compress;
mod delivered;
mod delivery;
mod families;
mod labels;
mod own;
mod red;
mod rows;
mod sections;
mod slo;
mod versions_logs;

use std::sync::Arc;

use bytes::Bytes;
use redora_exposition::{Compression, Encoder, Negotiated, Options};

pub use delivered::{Delivered, Latest, PlaceNumbers, SourceNumbers, WorkflowNumbers};
pub use delivery::delivery_families;
pub use families::{Described, FAMILIES};
pub use own::{Births, Own, OwnFault};
pub use sections::Build;

use crate::digest::{Books, Digest};
use compress::Compressor;
use rows::{PIECE_BYTES, Place, Step};
use sections::{PARTS, Section};

/// What a scrape is made from.
#[derive(Clone)]
pub struct Expose {
    digest: Arc<Digest>,
    own: Arc<Own>,
    delivery: Option<Latest>,
    build: Build,
}

impl Expose {
    /// A source of scrapes, of the delivery half too where there is one.
    #[must_use]
    pub fn new(digest: Arc<Digest>, own: Arc<Own>, delivery: Option<Latest>, build: Build) -> Self {
        digest.read(|books| own.observe(books));
        Self { digest, own, delivery, build }
    }

    /// Begins a scrape.
    #[must_use]
    pub fn scrape(
        &self,
        negotiated: Negotiated,
        compression: Compression,
        options: Options,
    ) -> Scrape {
        Scrape {
            delivered: self.delivery.as_ref().map(|latest| latest()),
            source: self.clone(),
            encoder: Encoder::new(negotiated, options),
            compressor: Compressor::new(compression),
            section: Some(Section::FIRST),
            place: Place { begun: self.digest.read(Books::moment), row: 0 },
        }
    }
}

/// One scrape under way: an iterator over the pieces of its body.
pub struct Scrape {
    source: Expose,
    delivered: Option<Arc<Delivered>>,
    encoder: Encoder,
    compressor: Compressor,
    section: Option<Section>,
    place: Place,
}

impl Scrape {
    /// Encodes on until a piece is full or a section ends.
    fn advance(&mut self, section: Section) {
        let Expose { digest, own, build, .. } = &self.source;
        let (encoder, place) = (&mut self.encoder, self.place);
        let next = match section {
            Section::Build => {
                sections::encode_build(*build, encoder);
                None
            }
            Section::Own => {
                digest.read(|books| own.observe(books));
                own.encode(encoder);
                None
            }
            Section::Books(part) => {
                digest.read(|books| PARTS[part](Step { books, encoder, from: place }))
            }
            Section::Delivery(part) => self.delivered.as_ref().and_then(|delivered| {
                let row = delivery::encode(part, delivered, encoder, place.row)?;
                Some(place.at(row))
            }),
            Section::LogRule(rule) => digest
                .read(|books| versions_logs::log_rule(Step { books, encoder, from: place }, rule)),
        };
        match next {
            Some(place) => self.place = place,
            None => {
                self.place = place.at(0);
                let delivers = self.delivered.is_some();
                self.section = digest.read(|books| section.next(books, delivers));
            }
        }
    }
}

impl Iterator for Scrape {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while let Some(section) = self.section {
            self.advance(section);
            if self.section.is_none() {
                self.encoder.finish();
                return Some(self.compressor.finish(self.encoder.take()));
            }
            if self.encoder.buffered() >= PIECE_BYTES {
                let piece = self.compressor.piece(self.encoder.take());
                if !piece.is_empty() {
                    return Some(piece);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
