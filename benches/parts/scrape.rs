//! What a scrape costs in each format, from the books to the last byte, since a scraper chooses the
//! format and the slowest one decides how long requests wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redora::digest::Digest;
use redora::expose::{Births, Build, Expose, Own};
use redora::red::Config;
use redora::series::Hasher;
use redora_exposition::{Compression, Escaping, Format, Negotiated, Options};
use redora_model::identity::Tenant;
use redora_wire::Signal;

use crate::report::{self, Figure};
use crate::settings::{own_names, settings};
use crate::{NOW_MS, traces};

/// Scrapes books of ten thousand label sets.
pub(crate) fn label_sets() {
    report::heading(&format!("scrape of {SETS} label sets"));
    let plain = Compression::Identity;
    let own = source(own_names());
    for (name, format, compression) in [
        ("Prometheus text", Format::Text004, plain),
        ("OpenMetrics", Format::OpenMetrics100, plain),
        ("protobuf", Format::Protobuf, plain),
        ("OpenMetrics, gzip", Format::OpenMetrics100, Compression::Gzip),
        ("protobuf, gzip", Format::Protobuf, Compression::Gzip),
    ] {
        print(name, &own, format, compression);
    }
    let defaults = source(Config::default());
    print("OpenMetrics, with Tempo's names", &defaults, Format::OpenMetrics100, plain);
}

fn print(name: &str, source: &Expose, format: Format, compression: Compression) {
    let negotiated = Negotiated { format, escaping: Escaping::Underscores };
    let mut best = Duration::MAX;
    let (mut bytes, mut largest) = (0, 0);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        (bytes, largest) = (0, 0);
        for piece in source.scrape(negotiated, compression, Options::default()) {
            bytes += piece.len();
            largest = largest.max(piece.len());
        }
        best = best.min(begin.elapsed());
    }
    let value = best.as_secs_f64() * 1e3;
    let mib = bytes as f64 / f64::from(1 << 20);
    let note = format!("{mib:.1} MiB, largest piece {} KiB", largest.div_ceil(1024));
    report::print(&Figure { name, value, unit: "ms", budget: Some(MS_BUDGET), note });
}

fn source(config: Config) -> Expose {
    let digest = Digest::new(settings(config, Vec::new()), Hasher::default());
    for seed in 0..DURATIONS {
        for from in (0..SETS).step_by(SPANS) {
            let request = traces::label_sets(from..SETS.min(from + SPANS), seed);
            digest.take(&Tenant::single(), Signal::Traces, &request, NOW_MS).expect("valid");
        }
    }
    let own = Own::new(&Births::default()).expect("collectors fit together");
    Expose::new(Arc::new(digest), Arc::new(own), None, Build { version: "0.1.0", revision: "" })
}

const SETS: usize = 10_000;
const SPANS: usize = 500;

/// Durations of each label set.
const DURATIONS: u64 = 5;

const ROUNDS: usize = 7;

/// 13,000 label sets in 100 ms.
const MS_BUDGET: f64 = 77.0;
