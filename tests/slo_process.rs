//! Objectives in the real binary: requests over the socket into a scrape, and what a stop, a kill,
//! a damaged file and a reload leave of a budget.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value::Value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use tempfile::TempDir;

/// A running agent on ports of its own; killed when dropped.
struct Agent {
    child: Child,
    http: SocketAddr,
    admin: SocketAddr,
    log: Option<JoinHandle<String>>,
}

impl Agent {
    /// Starts in a folder that holds `redora.yaml`, and returns once it is ready.
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_redora"))
            .args(["run", "--log-format", "json", "--config", "redora.yaml"])
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (mut said, mut http, mut admin) = (String::new(), None, None);
        loop {
            let start = said.len();
            assert!(log.read_line(&mut said).unwrap() > 0, "the agent ended at once\n{said}");
            let line: serde_json::Value = serde_json::from_str(&said[start..]).unwrap();
            let address = || line["address"].as_str().unwrap().parse().unwrap();
            match (line["event"].as_str(), line["port"].as_str()) {
                (Some("ready"), _) => break,
                (Some("listening"), Some("otlp_http")) => http = Some(address()),
                (Some("listening"), Some("admin")) => admin = Some(address()),
                _ => {}
            }
        }
        let log = std::thread::spawn(move || {
            log.read_to_string(&mut said).unwrap();
            said
        });
        Self { child, http: http.unwrap(), admin: admin.unwrap(), log: Some(log) }
    }

    /// Sends these requests of the shop, as an SDK would.
    fn serve(&self, spans: Vec<Span>) {
        let body = export(spans);
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: agent\r\ncontent-type: application/x-protobuf\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let answer = ask(self.http, &[head.as_bytes(), &body].concat());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// The values of these series in a scrape.
    #[track_caller]
    fn shows(&self, expected: &[(&str, &str)]) {
        for (series, value) in expected {
            assert_eq!(self.value(series), *value, "{series}");
        }
    }

    /// The value of a series.
    #[track_caller]
    fn value(&self, series: &str) -> String {
        let scrape = ask(self.admin, b"GET /metrics HTTP/1.0\r\n\r\n");
        let value = scrape.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{series} is missing in\n{scrape}")).to_owned()
    }

    fn reload(&self) {
        let answer = ask(self.admin, RELOAD);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Sends a signal and waits for the end; gives everything that was logged.
    fn end(mut self, signal: &str) -> String {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.child.wait().unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        assert!(!log.contains("panicked"), "{log}");
        log
    }
}

impl Drop for Agent {
    /// A failed test must not leave its agent behind; one that has ended already cannot be killed.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut peer = TcpStream::connect(address).unwrap();
    peer.write_all(request).unwrap();
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..Default::default() }
}

fn number(key: &str, value: i64) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::IntValue(value)) });
    KeyValue { key: key.into(), value, ..Default::default() }
}

fn export(spans: Vec<Span>) -> Vec<u8> {
    let attributes = vec![
        text("service.name", "shop"),
        text("service.version", "1.4.2"),
        text("telemetry.sdk.language", "rust"),
        text("telemetry.sdk.name", "opentelemetry"),
    ];
    let scope = InstrumentationScope { name: "axum".into(), ..Default::default() };
    let part = ResourceSpans {
        resource: Some(Resource { attributes, ..Default::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..Default::default() }],
        ..Default::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![part] }.encode_to_vec()
}

/// A served request to a route that took so many microseconds.
fn served(route: &str, status: i64, micros: u64) -> Span {
    let start = 1_790_000_000_000_000_000;
    Span {
        trace_id: vec![7; 16],
        span_id: vec![9; 8],
        name: format!("POST {route}"),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + micros * 1000,
        attributes: vec![
            text("http.request.method", "POST"),
            text("http.route", route),
            number("http.response.status_code", status),
        ],
        status: Some(Status::default()),
        ..Default::default()
    }
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("slos")).unwrap();
    fs::write(folder.path().join("redora.yaml"), CONFIGURATION).unwrap();
    fs::write(folder.path().join("slos/shop.yaml"), OBJECTIVES).unwrap();
    folder
}

const CONFIGURATION: &str = "\
listen: { otlp_grpc: [], otlp_http: '127.0.0.1:0', admin: '127.0.0.1:0' }
data_dir: data
slos: ['slos/*.yaml']
";

const OBJECTIVES: &str = "\
- { name: up, service: shop, operation: POST /pay, indicator: availability, objective: 99% }
- name: fast
  service: shop
  indicator: { latency: { threshold: 300ms } }
  objective: 90%
  window: { calendar: quarter, time_zone: Europe/Berlin }
  tiers: [page]
  team: till
";

const RELOAD: &[u8] = b"POST /-/reload HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\
    content-length: 0\r\n\r\n";

const UP_GOOD: &str = r#"redora_slo_events_total{service="shop",slo="up",outcome="good"}"#;
const UP_BAD: &str = r#"redora_slo_events_total{service="shop",slo="up",outcome="bad"}"#;
const FAST_GOOD: &str = r#"redora_slo_events_total{service="shop",slo="fast",outcome="good"}"#;
const FAST_BAD: &str = r#"redora_slo_events_total{service="shop",slo="fast",outcome="bad"}"#;
const UP_BURN: &str = r#"redora_slo_burn_rate{service="shop",slo="up",window="5m"}"#;
const UP_LEFT: &str = r#"redora_slo_error_budget_remaining_ratio{service="shop",slo="up"}"#;
const FAST_LEFT: &str = r#"redora_slo_error_budget_remaining_ratio{service="shop",slo="fast"}"#;

#[test]
fn requests_become_events_and_stand_at_zero_before() {
    let folder = folder();
    let agent = Agent::start(folder.path());
    agent.shows(&[(UP_GOOD, "0"), (UP_BAD, "0"), (FAST_GOOD, "0"), (FAST_BAD, "0")]);
    agent.shows(&[(UP_BURN, "0"), (UP_LEFT, "1"), (FAST_LEFT, "1")]);
    agent.shows(&[
        (r#"redora_slo_objective_ratio{service="shop",slo="up"}"#, "0.99"),
        (r#"redora_slo_window_seconds{service="shop",slo="up"}"#, "2592000"),
        (r#"redora_slo_info{service="shop",slo="fast",team="till",runbook=""}"#, "1"),
        (r#"redora_slo_tier_enabled{service="shop",slo="fast",tier="ticket"}"#, "0"),
    ]);
    let quarter = agent.value(r#"redora_slo_window_seconds{service="shop",slo="fast"}"#);
    let quarter: u64 = quarter.parse().unwrap();
    assert!((90 * 86_400 - 3600..=92 * 86_400 + 3600).contains(&quarter), "{quarter}");
    let mut spans: Vec<_> = (0..18).map(|_| served("/pay", 200, 300_000)).collect();
    spans.extend([served("/pay", 500, 1), served("/pay", 404, 300_001), served("/cart", 200, 1)]);
    agent.serve(spans);
    agent.shows(&[(UP_GOOD, "19"), (UP_BAD, "1"), (FAST_GOOD, "19"), (FAST_BAD, "2")]);
    agent.shows(&[(UP_BURN, "5"), (UP_LEFT, "-4")]);
    agent.end("TERM");
}

#[test]
fn a_budget_outlives_stops_and_kills() {
    let folder = folder();
    let state = folder.path().join("data/slo.state");
    let agent = Agent::start(folder.path());
    agent.serve((0..49).map(|_| served("/pay", 200, 1)).chain([served("/pay", 503, 1)]).collect());
    agent.shows(&[(UP_BAD, "1"), (UP_LEFT, "-1"), (FAST_LEFT, "0.8")]);
    agent.end("TERM");
    let kept = fs::read(&state).unwrap();

    // A kill in the middle of writing leaves a new file that is not whole.
    fs::write(state.with_extension("new"), &kept[..kept.len() / 2]).unwrap();
    let agent = Agent::start(folder.path());
    let resumed = [(UP_BAD, "0"), (UP_BURN, "2"), (UP_LEFT, "-1"), (FAST_LEFT, "0.8")];
    agent.shows(&resumed);
    agent.serve(vec![served("/pay", 503, 1)]);
    agent.end("KILL");
    assert_eq!(fs::read(&state).unwrap(), kept);

    let agent = Agent::start(folder.path());
    agent.shows(&resumed);
    agent.end("TERM");
}

#[test]
fn a_file_that_is_none_is_set_aside_and_stops_no_start() {
    for bytes in [
        b"SQLite format 3\0".as_slice(),
        b"redora-slo\x03....",
        b"redora-slo\x02....x",
        b"redora-slo\x01....x",
        b"",
    ] {
        let folder = folder();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("slo.state"), bytes).unwrap();
        let agent = Agent::start(folder.path());
        agent.shows(&[(UP_BAD, "0"), (UP_LEFT, "1")]);
        agent.serve(vec![served("/pay", 200, 1)]);
        agent.shows(&[(UP_GOOD, "1")]);
        let log = agent.end("TERM");
        assert!(log.contains("objectives_set_aside"), "{log}");
        assert_eq!(fs::read(data.join("slo.set-aside")).unwrap(), bytes);
        assert!(fs::read(data.join("slo.state")).unwrap().starts_with(b"redora-slo\x02"));
    }
}

#[test]
fn a_reload_takes_new_objectives_and_a_faulty_file_keeps_the_last_good_ones() {
    let folder = folder();
    let file = folder.path().join("slos/shop.yaml");
    let agent = Agent::start(folder.path());
    agent.serve(vec![served("/pay", 503, 1)]);
    fs::write(&file, OBJECTIVES.replace("objective: 99%", "objective: 50%")).unwrap();
    agent.reload();
    agent.shows(&[(UP_BAD, "1"), (UP_BURN, "2")]);
    fs::write(&file, "- { name: up }\n").unwrap();
    let refused = ask(agent.admin, RELOAD);
    assert!(!refused.starts_with("HTTP/1.1 200"), "{refused}");
    assert!(refused.contains("slos/shop.yaml:1:3: [0].service: is missing"), "{refused}");
    agent.shows(&[(UP_BAD, "1"), (UP_BURN, "2")]);
    agent.end("TERM");
}

#[test]
fn check_names_the_objectives_or_what_is_wrong_with_them() {
    let folder = folder();
    let check = || {
        let mut check = Command::new(env!("CARGO_BIN_EXE_redora"));
        check.args(["check", "--config", "redora.yaml"]).current_dir(folder.path()).env_clear();
        let output = check.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, said) = check();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("\n  slos         2 counted: shop/up 99%, shop/fast 90%\n"), "{said}");
    let file = folder.path().join("slos/shop.yaml");
    fs::write(file, OBJECTIVES.replace("99%", "100%").replace("300ms", "300")).unwrap();
    let (code, said) = check();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("slos/shop.yaml:1:88: [0].objective: \"100%\" is no goal"), "{said}");
    assert!(said.contains("slos/shop.yaml:4:38: [1].indicator.latency.threshold"), "{said}");
}
