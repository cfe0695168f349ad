//! Metric families onto the wire of a scrape, streamed, because one label set must not cost a
//! scrape its memory.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]
