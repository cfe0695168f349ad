//! What objectives cost a span or a log record: those of every operation are all looked at, those
//! of one operation are found by its name, so a hundred of the one kind are dearer than a hundred
//! of the other; those over log records search its text, one after the other.

use redora::digest::Digest;
use redora::series::Hasher;
use redora::slo::Watched;
use redora_wire::Signal;

use crate::report::{self, Figure};
use crate::settings::{in_slices, objectives as watched, over_records, with_objectives};
use crate::{best_ns, logs, take, traces};

/// Digests server spans of one service, on which every objective looks.
pub(crate) fn objectives() {
    report::heading("objectives, all of one service, every span an event");
    let requests: Vec<_> =
        (0..REQUESTS as u64).map(|seed| traces::label_sets(0..OPERATIONS, seed)).collect();
    let names: Vec<String> = (0..OPERATIONS).map(traces::operation).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let of = |count: usize, operations: &[&str]| watched("shop-frontend", count, operations);
    let cost = |slos| cost(slos, Signal::Traces, &requests, OPERATIONS);
    let none_ns = cost(Vec::new());
    let unit = "ns/span";
    print("none", none_ns, unit, none_ns, None);
    for (name, slos, most_ns) in [
        ("1 of every operation", of(1, &[]), 20.0),
        ("20 of every operation", of(20, &[]), 400.0),
        ("100 of every operation", of(100, &[]), 1000.0),
        ("100 of an operation each", of(100, &names), 1000.0),
        ("1 of every operation, in slices", in_slices(of(1, &[])), 20.0),
        ("100 of every operation, in slices", in_slices(of(100, &[])), 1000.0),
    ] {
        print(name, cost(slos), unit, none_ns, Some(most_ns));
    }
}

/// Digests log records of one service, at which every objective looks.
pub(crate) fn record_objectives() {
    report::heading("objectives over log records, all of one service, no rule beside them");
    let requests: Vec<_> = (0..REQUESTS as u64).map(|seed| logs::request(RECORDS, seed)).collect();
    let cost = |slos| cost(slos, Signal::Logs, &requests, RECORDS);
    let none_ns = cost(Vec::new());
    let unit = "ns/item";
    print("none", none_ns, unit, none_ns, None);
    for (name, service, count, words) in [
        ("1, by its severity", "payments", 1, None),
        ("1, by words and severity", "payments", 1, Some("authorised")),
        ("20, by words and severity", "payments", 20, Some("authorised")),
        ("20 of another service", "shop", 20, Some("authorised")),
    ] {
        let slos = over_records(service, count, words);
        print(name, cost(slos), unit, none_ns, None);
    }
}

/// Nanoseconds an item under these objectives.
fn cost(slos: Vec<Watched>, signal: Signal, requests: &[Vec<u8>], items: usize) -> f64 {
    let concerned = slos.iter().any(|one| one.objective.service.as_str() != "shop");
    // What is counted in slices shows only in what is kept.
    let digest = Digest::new(with_objectives(slos), Hasher::default());
    let ns = best_ns(requests.len() * items, || take(&digest, signal, requests));
    assert_eq!(digest.kept(0).is_some(), concerned, "the objectives look at these");
    ns
}

/// A line, beside what it costs without an objective.
fn print(name: &str, value: f64, unit: &str, none_ns: f64, most_ns: Option<f64>) {
    let note = format!("none + {:.0}", value - none_ns);
    let budget = most_ns.map(|most_ns| none_ns + most_ns);
    report::print(&Figure { name, value, unit, budget, note });
}

/// Requests in a round.
const REQUESTS: usize = 10;

/// Operations, of each of which a request has one span.
const OPERATIONS: usize = 100;

/// Records of a request: the SDKs' usual batch.
const RECORDS: usize = 512;
