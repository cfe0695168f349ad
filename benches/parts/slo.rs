//! What objectives cost a span: those of every operation are all looked at, those of one operation
//! are found by its name, so a hundred of the one kind are dearer than a hundred of the other.

use redora::digest::Digest;
use redora::series::Hasher;
use redora_wire::Signal;

use crate::report::{self, Figure};
use crate::settings::{objectives as watched, with_objectives};
use crate::{best_ns, take, traces};

/// Digests server spans of one service, on which every objective looks.
pub(crate) fn objectives() {
    report::heading("objectives, all of one service, every span an event");
    let requests: Vec<_> =
        (0..REQUESTS as u64).map(|seed| traces::label_sets(0..OPERATIONS, seed)).collect();
    let names: Vec<String> = (0..OPERATIONS).map(traces::operation).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let cost = |count: usize, operations: &[&str]| {
        let slos = watched("shop-frontend", count, operations);
        let digest = Digest::new(with_objectives(slos), Hasher::default());
        let ns = best_ns(REQUESTS * OPERATIONS, || take(&digest, Signal::Traces, &requests));
        let events = digest.read(|books| {
            books.slo.standings().map(|one| one.totals()).map(|all| all.good + all.bad).sum::<u64>()
        });
        assert_eq!(events > 0, count > 0, "the objectives look at these spans");
        ns
    };
    let none_ns = cost(0, &[]);
    let unit = "ns/span";
    report::print(&Figure {
        name: "none",
        value: none_ns,
        unit,
        budget: None,
        note: String::new(),
    });
    for (name, count, operations, most_ns) in [
        ("1 of every operation", 1, &[][..], 20.0),
        ("20 of every operation", 20, &[][..], 400.0),
        ("100 of every operation", 100, &[][..], 1000.0),
        ("100 of an operation each", 100, &names[..], 1000.0),
    ] {
        let value = cost(count, operations);
        let note = format!("none + {:.0}", value - none_ns);
        let budget = Some(none_ns + most_ns);
        report::print(&Figure { name, value, unit, budget, note });
    }
}

/// Requests in a round.
const REQUESTS: usize = 10;

/// Operations, of each of which a request has one span.
const OPERATIONS: usize = 100;
