//! The fuzz corpus' first files, made by code, so that a reader sees what each one is and no opaque
//! bytes are committed on trust. Findings of the fuzzer stand beside them under other names.

mod oracle;
mod strategies;

use std::path::Path;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use prost::Message;
use redora_wire::Signal;

#[test]
fn seeds_in_the_corpus_are_the_ones_made_here() {
    let rewrite = std::env::var_os("REDORA_UPDATE_SEEDS").is_some();
    for signal in Signal::ALL {
        let corpus =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(signal.as_str());
        if rewrite {
            std::fs::create_dir_all(&corpus).expect("a writable corpus");
            for (name, request) in requests(signal).into_iter().chain(shapes(signal)) {
                std::fs::write(corpus.join(name), request).expect("a writable corpus");
            }
        }
        for (name, shape) in shapes(signal) {
            let committed = std::fs::read(corpus.join(&name)).unwrap_or_default();
            let cure = "REDORA_UPDATE_SEEDS=1 writes it";
            assert!(committed == shape, "{}/{name} is stale; {cure}", signal.as_str());
            oracle::check(signal, &shape);
        }
    }
}

/// Whole and cut requests. Which ones depends on the version of proptest, so the committed ones are
/// not compared.
fn requests(signal: Signal) -> Vec<(String, Vec<u8>)> {
    let mut runner = TestRunner::deterministic();
    let mut request = || match signal {
        Signal::Traces => drawn(strategies::traces(), &mut runner).encode_to_vec(),
        Signal::Logs => drawn(strategies::logs(), &mut runner).encode_to_vec(),
        Signal::Metrics => drawn(strategies::metrics(), &mut runner).encode_to_vec(),
    };
    let mut named = Vec::new();
    while named.len() < 6 {
        let drawn = request();
        if (200..3000).contains(&drawn.len()) {
            named.push((format!("seed-request-{}", named.len()), drawn));
        }
    }
    let first = named[0].1.clone();
    named.push(("seed-cut-in-half".to_owned(), first[..first.len() / 2].to_vec()));
    named.push(("seed-cut-by-one".to_owned(), first[..first.len() - 1].to_vec()));
    named
}

/// One input for each rule of the wire that a parser may get wrong.
fn shapes(signal: Signal) -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| seeds.push((format!("seed-{name}"), bytes));
    add("empty-resource", framed(&[0x0a], &[]));
    add("empty-items", framed(&[0x0a, 0x12], &[0x12, 0x00].repeat(40)));
    add("length-lies-by-one", vec![0x0a, 0x03, 0x12, 0x00]);
    add("length-lies-beyond-memory", [&[0x0a][..], &[0xff; 9], &[0x01]].concat());
    add("varint-of-eleven-bytes", [&[0x08][..], &[0x80; 10], &[0x01]].concat());
    add("varint-of-65-bits", [&[0x08][..], &[0xff; 9], &[0x02]].concat());
    add("field-zero", framed(&[0x0a, 0x12, 0x12], &[0x00, 0x00]));
    add("undefined-wire-type", framed(&[0x0a, 0x12, 0x12], &[0x9e, 0x06]));
    add("item-as-varint", framed(&[0x0a, 0x12], &[0x10, 0x01]));
    add("group-unknown", framed(&[0x0a, 0x12, 0x12], &[0x9b, 0x06, 0x08, 0x01, 0x9c, 0x06]));
    add("group-unclosed", framed(&[0x0a, 0x12, 0x12], &[0x9b, 0x06, 0x08, 0x01]));
    add("group-closed-by-another", framed(&[0x0a], &[0x9b, 0x06, 0xa4, 0x06]));
    for depth in [99, 100, 101] {
        let groups = [[0x9b, 0x06].repeat(depth), [0x9c, 0x06].repeat(depth)].concat();
        add(&format!("groups-{depth}-deep"), groups);
    }
    let attribute = match signal {
        Signal::Traces => 0x4a,
        Signal::Logs => 0x32,
        Signal::Metrics => 0x62,
    };
    for arrays in [47, 48] {
        let path =
            [&[0x0a, 0x12, 0x12, attribute, 0x12][..], &[0x2a, 0x0a].repeat(arrays)].concat();
        add(&format!("arrays-{arrays}-deep"), framed(&path, &[]));
    }
    let halves = [0x12, 0x06, 0x2a, 0x04, 0x0a, 0x02, 0x18, 0x01].repeat(2);
    add("array-in-two-halves", framed(&[0x0a, 0x12, 0x12, attribute], &halves));
    add("name-not-utf8", framed(&[0x0a, 0x12, 0x12, attribute], &[0x0a, 0x01, 0xff]));
    seeds
}

fn drawn<T: std::fmt::Debug>(of: impl Strategy<Value = T>, runner: &mut TestRunner) -> T {
    of.new_tree(runner).expect("a strategy that filters nothing").current()
}

/// Wraps a body into length-delimited fields with these one-byte keys, the last one innermost.
fn framed(keys: &[u8], body: &[u8]) -> Vec<u8> {
    keys.iter().rev().fold(body.to_vec(), |body, &key| {
        let mut framed = vec![key];
        prost::encoding::encode_varint(body.len() as u64, &mut framed);
        framed.extend(body);
        framed
    })
}
