//! OTLP/JSON against the decoder that everyone else uses: what is transcoded must decode to what an
//! SDK meant, and what is refused must say where and why.

mod dice;
mod emit;
mod generate;
mod golden;
mod hostile;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use redora_wire::Signal;
use redora_wire::json::{JsonFault, Limits, transcode};

use dice::Dice;
use emit::Emit;

/// Transcodes with limits that do not matter.
fn transcoded(signal: Signal, body: &[u8]) -> Result<Vec<u8>, JsonFault> {
    transcode(signal, body, Limits::of_output(64 << 20))
}

/// Transcodes and decodes a body that must be good.
fn decoded<M: Message + Default>(signal: Signal, body: &[u8]) -> M {
    let bytes = transcoded(signal, body)
        .unwrap_or_else(|fault| panic!("{fault}\n{}", String::from_utf8_lossy(body)));
    M::decode(bytes.as_slice()).expect("prost decodes what was transcoded")
}

fn traces(body: &str) -> ExportTraceServiceRequest {
    decoded(Signal::Traces, body.as_bytes())
}

fn logs(body: &str) -> ExportLogsServiceRequest {
    decoded(Signal::Logs, body.as_bytes())
}

fn metrics(body: &str) -> ExportMetricsServiceRequest {
    decoded(Signal::Metrics, body.as_bytes())
}

/// Emits a message and compares, by their encodings because NaN does not equal itself.
fn round_trip<M: Message + Default + Emit>(signal: Signal, original: &M, d: &mut Dice<'_>) {
    let body = original.emit(d).expect("a message is never left out");
    let back: M = decoded(signal, body.as_bytes());
    assert_eq!(back.encode_to_vec(), original.encode_to_vec(), "\n{body}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn traces_survive(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let mut d = Dice(&bytes);
        round_trip(Signal::Traces, &generate::traces(&mut d), &mut d);
    }

    #[test]
    fn logs_survive(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let mut d = Dice(&bytes);
        round_trip(Signal::Logs, &generate::logs(&mut d), &mut d);
    }

    #[test]
    fn metrics_survive(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let mut d = Dice(&bytes);
        round_trip(Signal::Metrics, &generate::metrics(&mut d), &mut d);
    }

    /// Good documents with a piece overwritten: refused or transcoded to protobuf, never a panic.
    #[test]
    fn damaged_bodies_are_refused_or_decodable(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        damage in prop::collection::vec(any::<u8>(), 1..4),
        place in any::<prop::sample::Index>(),
        output_bytes in 0usize..4000,
    ) {
        let mut d = Dice(&bytes);
        let original = generate::metrics(&mut d);
        let mut body = original.emit(&mut d).expect("a message is never left out").into_bytes();
        let start = place.index(body.len());
        let end = (start + damage.len()).min(body.len());
        body.splice(start..end, damage);
        if let Ok(bytes) = transcode(Signal::Metrics, &body, Limits::of_output(output_bytes)) {
            prop_assert!(bytes.len() <= output_bytes);
            prop_assert!(ExportMetricsServiceRequest::decode(bytes.as_slice()).is_ok());
        }
    }
}
