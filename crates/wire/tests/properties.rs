//! Generated requests, rewritten and damaged, must be read as prost reads them: examples by hand
//! cover what their author thought of, and a parser fails on the rest.

mod oracle;
mod scramble;
mod strategies;

use proptest::prelude::*;
use prost::Message;
use redora_wire::Signal;
use scramble::Dice;

/// The request message of each signal, by its name in the .proto files.
fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "ExportTraceServiceRequest",
        Signal::Logs => "ExportLogsServiceRequest",
        Signal::Metrics => "ExportMetricsServiceRequest",
    }
}

/// As it is, rewritten, rewritten and damaged, and cut off.
fn check_variants(signal: Signal, request: &[u8], seed: u64) {
    oracle::check(signal, request);
    assert!(redora_wire::check(signal, request).is_ok());
    let dice = &mut Dice::new(seed);
    let scrambled = scramble::scramble(name(signal), request, dice);
    assert!(redora_wire::check(signal, &scrambled).is_ok(), "what was rewritten stays valid");
    oracle::check(signal, &scrambled);
    for _ in 0..4 {
        // What is damaged as it was encoded takes the short ways through the views, the other the
        // long ones.
        check_damaged(signal, request, dice);
        check_damaged(signal, &scrambled, dice);
    }
}

fn check_damaged(signal: Signal, request: &[u8], dice: &mut Dice) {
    let mut damaged = request.to_vec();
    scramble::damage(&mut damaged, dice);
    oracle::check(signal, &damaged);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn traces_are_read_as_prost_reads_them(request in strategies::traces(), seed: u64) {
        check_variants(Signal::Traces, &request.encode_to_vec(), seed);
    }

    #[test]
    fn logs_are_read_as_prost_reads_them(request in strategies::logs(), seed: u64) {
        check_variants(Signal::Logs, &request.encode_to_vec(), seed);
    }

    #[test]
    fn metrics_are_counted_as_prost_reads_them(request in strategies::metrics(), seed: u64) {
        check_variants(Signal::Metrics, &request.encode_to_vec(), seed);
    }

    #[test]
    fn telling_bytes_in_any_order_are_read_as_prost_reads_them(
        request in prop::collection::vec(prop::sample::select(scramble::TELLING), 0..48),
    ) {
        for signal in Signal::ALL {
            oracle::check(signal, &request);
        }
    }

    #[test]
    fn one_span_of_telling_bytes_is_read_as_prost_reads_it(
        item in prop::collection::vec(prop::sample::select(scramble::TELLING), 0..48),
    ) {
        for signal in Signal::ALL {
            oracle::check(signal, &in_frames(&[0x0a, 0x12, 0x12], &item));
            oracle::check(signal, &in_frames(&[0x0a, 0x12, 0x12, 0x4a, 0x12], &item));
            oracle::check(signal, &in_frames(&[0x0a, 0x12, 0x12, 0x2a], &item));
            oracle::check(signal, &in_frames(&[0x0a, 0x12, 0x12, 0x2a, 0x0a], &item));
        }
    }

    #[test]
    fn one_damaged_attribute_is_read_as_prost_reads_it(
        attribute in strategies::attribute(),
        seed: u64,
    ) {
        let dice = &mut Dice::new(seed);
        for _ in 0..8 {
            let mut body = attribute.encode_to_vec();
            scramble::damage(&mut body, dice);
            oracle::check(Signal::Traces, &in_frames(&[0x0a, 0x12, 0x12, 0x4a], &body));
            oracle::check(Signal::Logs, &in_frames(&[0x0a, 0x12, 0x12, 0x32], &body));
        }
    }

    #[test]
    fn every_prefix_is_refused_or_read_as_prost_does(request in strategies::traces()) {
        let request = request.encode_to_vec();
        let step = request.len() / 64 + 1;
        for end in (0..request.len()).step_by(step) {
            oracle::check(Signal::Traces, &request[..end]);
        }
    }
}

/// Wraps a body into length-delimited fields with these one-byte keys, the last one innermost.
fn in_frames(keys: &[u8], body: &[u8]) -> Vec<u8> {
    keys.iter().rev().fold(body.to_vec(), |body, &key| {
        let mut framed = vec![key];
        prost::encoding::encode_varint(body.len() as u64, &mut framed);
        [framed, body].concat()
    })
}
