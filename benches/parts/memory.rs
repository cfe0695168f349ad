//! What a label set costs in resident memory, as the kernel counts it: a sum of sizes would leave
//! out what the allocator rounds up and what tables hold in reserve.

use redora::digest::Digest;
use redora::red::Config;
use redora::series::Hasher;
use redora_model::identity::Tenant;
use redora_wire::Signal;

use crate::report::{self, Figure};
use crate::settings::{own_names, settings};
use crate::{NOW_MS, traces};

/// Fills books with label sets and prints what each cost.
pub(crate) fn label_sets() {
    report::heading(&format!("memory of {SETS} label sets"));
    let requests: Vec<Vec<u8>> = (0..DURATIONS)
        .flat_map(|seed| {
            (0..SETS)
                .step_by(SPANS)
                .map(move |from| traces::label_sets(from..SETS.min(from + SPANS), seed as u64))
        })
        .collect();
    let once = &requests[..requests.len() / DURATIONS];
    // Kept to the end, so that no digest moves into the memory of the one before.
    let mut kept = Vec::new();
    for (name, config, requests, budget) in [
        ("own names, one request each", own_names(), once, Some(BYTES_BUDGET)),
        ("own names, ten durations each", own_names(), &requests[..], None),
        ("defaults, one request each", Config::default(), once, None),
        ("defaults, ten durations each", Config::default(), &requests[..], None),
    ] {
        let before = resident_bytes();
        let digest = Digest::new(settings(config, Vec::new()), Hasher::default());
        for request in requests {
            digest.take(&Tenant::single(), Signal::Traces, request, NOW_MS).expect("valid");
        }
        let rows = digest.read(|books| books.red.requests().book.len());
        let value = (resident_bytes().saturating_sub(before)) as f64 / rows as f64;
        report::print(&Figure { name, value, unit: "B/set", budget, note: String::new() });
        kept.push(digest);
    }
}

/// Resident memory of this process; 0 where the system has no `/proc`.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

const SETS: usize = 13_000;
const SPANS: usize = 512;

/// Durations of one label set in the full case: as many as a busy operation has buckets.
const DURATIONS: usize = 10;

/// Bytes that a label set of twenty series may cost.
const BYTES_BUDGET: f64 = 1500.0;
