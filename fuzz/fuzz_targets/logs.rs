//! Feeds arbitrary bytes to the views over logs requests, with prost as the judge of what they must
//! see.

#![no_main]

#[path = "../../crates/wire/tests/oracle/mod.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|request: &[u8]| oracle::check(redora_wire::Signal::Logs, request));
