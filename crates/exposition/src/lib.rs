//! Metric families onto the wire of a scrape, streamed, because one label set must not cost a scrape its memory.
