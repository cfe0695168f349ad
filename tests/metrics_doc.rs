//! Writes docs/metrics.md from the families that the agent declares and fails when it had to: a
//! page about metrics that is kept by hand describes last year's.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use redora::digest::{Digest, Settings};
use redora::expose::{Births, Build, Expose, FAMILIES, Own, delivery_families};
use redora::series::Hasher;
use redora_exposition::Kind;

#[test]
fn the_page_about_metrics_is_the_registry() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = page();
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != page {
        std::fs::write(&path, page).expect("docs/metrics.md is writable");
        panic!("docs/metrics.md was out of date and has been written anew; commit it");
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    table(&mut page, "What is derived from telemetry");
    for family in FAMILIES {
        let labels = family.labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
        row(&mut page, family.name, family.kind, &labels, family.help);
    }
    let counter = "`redora_log_<name>_total`";
    let labels = "`service`, configured labels";
    let help = "Log records that matched the rule `<name>` of `log_metrics`.";
    writeln!(page, "| {counter} | counter | {labels} | {help} |").expect("a string takes it");
    table(&mut page, "What the delivery half finds");
    for family in delivery_families() {
        let labels = family.labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
        row(&mut page, family.name, family.kind, &labels, family.help);
    }
    table(&mut page, "What the agent says of itself");
    let births = Births {
        signals: &["traces"],
        no_signal: "none",
        reasons: &["busy"],
        ports: &["admin"],
        connection_events: &["cut"],
    };
    let own = Arc::new(Own::new(&births).expect("collectors fit together"));
    let settings = Settings {
        red: redora::red::Config::default(),
        log_metrics: Vec::new(),
        slos: Vec::new(),
        series: redora::series::Limits::default(),
    };
    let digest = Arc::new(Digest::new(settings, Hasher::default()));
    // A source of scrapes gives the counters by book their first value.
    let _source = Expose::new(digest, own.clone(), None, Build { version: "", revision: "" });
    for (name, kind, labels, help) in own.described() {
        row(&mut page, &name, kind, &labels, &help);
    }
    page.push_str(FOOT);
    page
}

fn table(page: &mut String, title: &str) {
    let head = "| name | type | labels | what it says |\n| --- | --- | --- | --- |";
    writeln!(page, "\n## {title}\n\n{head}").expect("a string takes it");
}

fn row(page: &mut String, name: &str, kind: Kind, labels: &[String], help: &str) {
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
        Kind::Info => "info",
        Kind::Unknown => "unknown",
    };
    let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
    let labels = labels.join(", ");
    writeln!(page, "| `{name}` | {kind} | {labels} | {help} |").expect("a string takes it");
}

const HEAD: &str = "\
# Metrics

Written by a test from the registry; edit the descriptions in `src/expose`. Durations are in seconds unless a name
says otherwise. With tenants kept apart every family has the label `tenant` as well; the request families carry the
attributes of `red.dimensions`, and one that a span does not have is left out.
";

const FOOT: &str = "
## What the words mean

- `operation` is what the semantic conventions, old or current, call the request: method and route, RPC method,
  database operation, messaging destination. A span that has none of them keeps its own name, with parts that look
  generated replaced by `{id}`. An HTTP span that has none of them and whose name is a raw path is its method alone.
- `outcome` is `error` when the span says so; where it says nothing, for a server when the answer was a 5xx or a gRPC
  code that blames the server, for a client when it was a 4xx, a 5xx or any gRPC code but OK, and whenever
  `error.type` is set. A span that says OK is good.
- `status` is the HTTP class (`2xx`) or the gRPC code (`NOT_FOUND`); empty where there is neither.
- Both outcomes stand at 0 from an operation's first request on, so that `increase` sees the first error.
- A span that ends before it starts counts as a request and has no duration; `redora_dropped_durations_total` counts it.
- A sampled span (`ot=th:` in its tracestate) counts for the requests that it stands for.
- What finds a book full is counted in `operation=\"other\"` or `version=\"other\"` of its service and in
  `redora_series_overflow_total`.
- `traces_spanmetrics_*`, `traces_service_graph_*` and `traces_span_metrics_*` are there for dashboards made for
  other tools (`red.compat`). Their durations take 0 for a span that ends before it starts. An edge of the service
  graph is what the calling span says: its peer by `service.peer.name` or `peer.service`, the database or the
  destination, else the host (`connection_type=\"virtual_node\"`); both of its histograms hold the duration that
  the client measured.
";
