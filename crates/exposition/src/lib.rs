//! Metric families onto the wire of a scrape, streamed, because one label set must not cost a
//! scrape its memory.
//!
//! The caller walks its rows once and pushes each into an [`Encoder`], draining the bytes whenever
//! it likes; there is no tree of families in between, as client libraries build. The crate has no
//! input or output, no clock and no dependency: a request's headers come in as text ([`negotiate`],
//! [`accept_encoding`]) and bytes go out.
//!
//! A series has the same name and labels in every format. That decides the less obvious choices:
//! `le` is written as `1.0`, not `1`, because that is how Prometheus itself names a bucket that it
//! read from protobuf (2.x) or from any format (3.x); a counter always ends in `_total` and an info
//! in `_info`, whether its family was named so or not; and escaping never touches those suffixes.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

mod encoder;
mod escape;
mod labels;
mod name;
mod native;
mod negotiate;
mod number;
mod protobuf;
mod sample;
mod text;

pub use encoder::{Encoder, Options};
pub use negotiate::{Compression, Escaping, Format, Negotiated, accept_encoding, negotiate};
pub use sample::{Bucket, Exemplar, Family, Histogram, Kind, Label, Native};
