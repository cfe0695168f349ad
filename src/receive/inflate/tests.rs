//! Bodies compressed by real encoders, whole, in pieces, damaged and lying.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::super::budget::Budget;
use super::*;

const MEMORY: usize = 64 << 20;

fn gzip_of(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn zlib_of(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn raw_of(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).expect("compressible")
}

/// A frame of a streaming encoder, which knows no content size and states a window.
fn zstd_stream_of(bytes: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.window_log(window_log).expect("a window that zstd knows");
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn run_within(
    coding: Coding,
    input: Vec<u8>,
    bytes_max: usize,
    memory: usize,
) -> Result<Vec<u8>, Denial> {
    let budget = Budget::new(memory);
    let mut hold = budget.hold();
    hold.resize(input.len()).expect("the test's memory holds the input");
    inflate(coding, &Held { bytes: Bytes::from(input), hold }, bytes_max)
        .map(|held| held.bytes.to_vec())
}

fn run(coding: Coding, input: Vec<u8>, bytes_max: usize) -> Result<Vec<u8>, Denial> {
    run_within(coding, input, bytes_max, MEMORY)
}

#[track_caller]
fn check_fault(coding: Coding, input: Vec<u8>, expected: InflateFault) {
    match run(coding, input, 1 << 20) {
        Err(Denial::Compressed(fault)) => assert_eq!(fault, expected),
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

fn samples() -> Vec<Vec<u8>> {
    let text = b"GET /cart/{id} ".repeat(5000);
    let noise: Vec<u8> =
        (0..70_000_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    vec![Vec::new(), vec![7], text, noise, vec![0; 1 << 20]]
}

#[test]
fn every_coding_gives_back_what_was_compressed() {
    for sample in samples() {
        for (coding, input) in [
            (Coding::Gzip, gzip_of(&sample)),
            (Coding::Deflate, zlib_of(&sample)),
            (Coding::Deflate, raw_of(&sample)),
            (Coding::Zstd, zstd_of(&sample)),
            (Coding::Zstd, zstd_stream_of(&sample, 20)),
        ] {
            assert_eq!(run(coding, input, 1 << 20).expect("valid"), sample, "{coding:?}");
        }
    }
}

#[test]
fn several_members_or_frames_are_one_body() {
    let (first, second) = (&b"resource "[..], &b"spans"[..]);
    for (coding, encode) in
        [(Coding::Gzip, gzip_of as fn(&[u8]) -> Vec<u8>), (Coding::Zstd, zstd_of)]
    {
        let input = [encode(first), encode(b""), encode(second)].concat();
        assert_eq!(run(coding, input, 100).expect("valid"), b"resource spans", "{coding:?}");
        check_fault(coding, encode(b"").repeat(PIECES_MAX + 1), InflateFault::Pieces(coding));
    }
}

#[test]
fn the_limit_is_exact() {
    let sample = vec![b'x'; 100_000];
    for (coding, input) in [
        (Coding::Gzip, gzip_of(&sample)),
        (Coding::Deflate, zlib_of(&sample)),
        (Coding::Zstd, zstd_of(&sample)),
        (Coding::Zstd, zstd_stream_of(&sample, 17)),
    ] {
        assert_eq!(run(coding, input.clone(), sample.len()).expect("fits"), sample);
        let over = run(coding, input, sample.len() - 1);
        assert!(matches!(over, Err(Denial::TooLarge { bytes_max: 99_999 })), "{coding:?} {over:?}");
    }
}

#[test]
fn a_bomb_is_refused_before_much_of_it_is_kept() {
    let sample = vec![b'x'; 12 << 20];
    let memory = UNMEASURED_MAX + (1 << 20);
    for (coding, input) in [
        (Coding::Gzip, gzip_of(&sample)),
        (Coding::Deflate, zlib_of(&sample)),
        (Coding::Zstd, zstd_stream_of(&sample, 17)),
    ] {
        let over = run_within(coding, input.clone(), sample.len() - 1, memory);
        let limit = sample.len() - 1;
        assert!(
            matches!(over, Err(Denial::TooLarge { bytes_max }) if bytes_max == limit),
            "{coding:?} {over:?}"
        );
        let poor = run_within(coding, input.clone(), sample.len(), memory);
        assert!(matches!(poor, Err(Denial::Busy { .. })), "{coding:?} {poor:?}");
        assert!(run(coding, input, sample.len()).expect("fits") == sample, "{coding:?}");
    }
}

#[test]
fn cut_and_followed_bodies_are_told_apart() {
    let sample = b"resource_spans".repeat(200);
    for (coding, input) in [
        (Coding::Gzip, gzip_of(&sample)),
        (Coding::Deflate, zlib_of(&sample)),
        (Coding::Zstd, zstd_of(&sample)),
    ] {
        for length in 0..input.len() {
            check_fault(coding, input[..length].to_vec(), InflateFault::Truncated(coding));
        }
        let followed = run(coding, [&input[..], b"garbage that follows"].concat(), 1 << 20);
        assert!(matches!(followed, Err(Denial::Compressed(_))), "{coding:?} {followed:?}");
    }
    let followed = [zlib_of(&sample), b"x".to_vec()].concat();
    check_fault(Coding::Deflate, followed, InflateFault::Trailing(Coding::Deflate));
}

#[test]
fn damage_and_another_coding_are_corrupt() {
    let sample = b"resource_spans".repeat(200);
    let mut wrong_sum = gzip_of(&sample);
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    check_fault(Coding::Gzip, wrong_sum, InflateFault::Corrupt(Coding::Gzip));
    check_fault(Coding::Gzip, sample.clone(), InflateFault::Corrupt(Coding::Gzip));
    check_fault(Coding::Gzip, zstd_of(&sample), InflateFault::Corrupt(Coding::Gzip));
    check_fault(Coding::Zstd, gzip_of(&sample), InflateFault::Corrupt(Coding::Zstd));
    check_fault(Coding::Deflate, gzip_of(&sample), InflateFault::Corrupt(Coding::Deflate));
}

#[test]
fn a_lying_trailer_is_not_believed() {
    let mut lying = gzip_of(b"five!");
    let size = lying.len() - 4;
    lying[size..].copy_from_slice(&u32::MAX.to_le_bytes());
    check_fault(Coding::Gzip, lying, InflateFault::Corrupt(Coding::Gzip));
}

#[test]
fn zstd_windows_are_paid_for_and_bounded() {
    let sample = vec![b'x'; 1000];
    check_fault(Coding::Zstd, zstd_stream_of(&sample, 24), InflateFault::Window);
    let input = zstd_stream_of(&sample, 23);
    assert_eq!(run(Coding::Zstd, input.clone(), 1 << 20).expect("the largest window"), sample);
    let poor = run_within(Coding::Zstd, input, 1 << 20, 1 << 20);
    assert!(matches!(poor, Err(Denial::Busy { .. })), "{poor:?}");
}

#[test]
fn the_budget_is_taken_before_the_memory_and_given_back() {
    let budget = Budget::new(3 << 20);
    let zeros = gzip_of(&vec![0; 8 << 20]);
    let hold = budget.hold();
    let input = Held { bytes: Bytes::from(zeros), hold };
    let bomb = inflate(Coding::Gzip, &input, 16 << 20);
    assert!(matches!(bomb, Err(Denial::Busy { .. })), "{bomb:?}");
    budget.hold().resize(3 << 20).expect("all of it is free again");
}
