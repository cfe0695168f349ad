//! `redora slo rehearse` as scripts see it: the real binary on a history that everybody can reckon,
//! and in front of servers that are no Prometheus, or none for everyone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

fn redora(words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redora"));
    command.env_clear().env("TOKEN", "open sesame").stdin(Stdio::null());
    let output = command.args(["slo", "rehearse"]).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A day of ten requests a second from 2026-01-01, noon to half past of which failed.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let mut lines = String::new();
        for minute in 0..1_440 {
            let (hour, rest) = (minute / 60, minute % 60);
            let bad = if (720..750).contains(&minute) { 600 } else { 0 };
            let good = 600 - bad;
            writeln!(
                lines,
                r#"{{"at":"2026-01-01T{hour:02}:{rest:02}:00Z","service":"shop","slo":"up","good":{good},"bad":{bad}}}"#
            )
            .unwrap();
        }
        place.write("events.jsonl", &lines);
        place.write(
            "incidents.jsonl",
            r#"{"id": 1, "started_at": "2026-01-01T12:00:00Z", "resolved_at": "2026-01-01T12:40:00Z", "service": "shop", "title": "Shop down"}
{"id": 2, "started_at": "2026-01-01T18:00:00Z", "resolved_at": "2026-01-01T18:10:00Z", "service": "shop"}
{"id": 3, "started_at": "2026-01-01T19:00:00Z", "kind": "drill", "service": "shop"}
{"id": 4, "started_at": "2026-01-01T19:00:00Z", "service": "bank"}
{"id": 5, "started_at": "2026-01-01T19:00:00Z", "service": "shop", "environment": "staging"}
{"id": 6, "started_at": "2026-02-01T19:00:00Z", "service": "shop"}
"#,
        );
        place
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn rehearse(&self, words: &[&str]) -> String {
        let history = ["--history", &self.path("events.jsonl")];
        let (code, stdout, stderr) = redora(&[&history, words].concat());
        assert_eq!((code, stderr.as_str()), (0, ""));
        stdout
    }
}

#[test]
fn a_goal_is_tried_on_a_day() {
    let place = Place::new();
    let incidents = place.path("incidents.jsonl");
    let table = place.rehearse(&["--objective", "99.9%", "--incidents", &incidents]);
    assert_eq!(
        table,
        "\
shop/up, 99.9% over 30 d, 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z
  pages      1 (7.0 a week)        2 alerts fired, 0 without an incident
  tickets    1 (7.0 a week)        2 alerts fired
  events     864000                18000 of them bad
  page 1h    2026-01-01T12:02:00Z  for 38 min, incident 1
  page 6h    2026-01-01T12:05:00Z  for 65 min, inhibited until 2026-01-01T12:40:00Z, the same page as the one before, incident 1
  ticket 1d  2026-01-01T12:22:00Z  for 2.6 h, inhibited until 2026-01-01T13:10:00Z
  ticket 3d  2026-01-01T12:36:00Z  for 6.9 h, inhibited until 2026-01-01T15:00:00Z, the same ticket as the one before
incidents: 1 of 2 detected, 1 missed, median after 2 min
  1 Shop down  2026-01-01T12:00:00Z  after 2 min by shop/up 1h
  2            2026-01-01T18:00:00Z  missed
"
    );
    let page = include_str!("../docs/slo.md");
    assert!(page.contains(&format!("```text\n{table}```\n")), "docs/slo.md shows another table");
    let calm = place.rehearse(&["--objective", "50%", "--format", "json"]);
    let calm: Value = serde_json::from_str(&calm).unwrap();
    assert_eq!(calm["objectives"][0]["firings"], Value::Array(Vec::new()));
    assert_eq!(calm["detection"], Value::Null);
    let markdown = place.rehearse(&["--objective", "99.9%", "--format", "markdown"]);
    assert!(markdown.starts_with("### shop/up, 99.9% over 30 d, 2026"), "{markdown}");
    assert!(markdown.contains("| page 1h | 2026-01-01T12:02:00Z | for 38 min |"), "{markdown}");
}

#[test]
fn objectives_and_incidents_are_those_of_a_configuration() {
    let place = Place::new();
    let slo = "- { name: up, service: shop, indicator: availability, objective: 99.9%, \
               window: { calendar: month }, tiers: [page] }\n\
               - { name: fast, service: shop, indicator: availability, objective: 99% }\n";
    place.write("slos.yaml", slo);
    place.write("redora.yaml", &format!("slos: [slos.yaml]\ndata_dir: {}\n", place.path("data")));
    let config = place.path("redora.yaml");
    let read = |words: &[&str]| -> Value {
        let always = ["--config", &config, "--format", "json"];
        serde_json::from_str(&place.rehearse(&[&always[..], words].concat())).unwrap()
    };
    let report = read(&[]);
    let played = &report["objectives"][0];
    // January has 31 days; tickets are not wanted; without a ledger nobody knows an incident.
    assert_eq!(played["window_s"], 31 * 86_400);
    assert_eq!((&played["pages"]["fired"], &played["tickets"]["fired"]), (&2.into(), &0.into()));
    assert_eq!(report["detection"], Value::Null);
    // What is tried goes before what is configured.
    let tried = read(&["--objective", "99%", "--window", "28d"]);
    let tried = &tried["objectives"][0];
    assert_eq!((&tried["objective"], &tried["window_s"]), (&"99%".into(), &2_419_200.into()));

    let facts = concat!(
        r#"{"source":"pagerduty","id":"i","as_of_ms":0,"incident":{"service":"shop","#,
        r#""title":"down","started_ms":1767268800000}}"#,
        "\n",
        r#"{"source":"alertmanager","id":"a","as_of_ms":0,"incident":{"service":"shop","#,
        r#""title":"a page","started_ms":1767268920000}}"#,
    );
    place.write("facts.jsonl", facts);
    let import = ["dora", "import", &place.path("facts.jsonl"), "--config", &config];
    let imported = Command::new(env!("CARGO_BIN_EXE_redora")).args(import).output().unwrap();
    assert!(imported.status.success());
    let report = read(&[]);
    assert_eq!(report["detection"]["n"], 1, "what a page opened is not found by pages");
    assert_eq!(report["detection"]["incidents"][0]["page"]["delay_s"], 120);
}

#[test]
fn the_command_explains_itself_with_examples() {
    let (code, stdout, stderr) = redora(&["--help"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("Usage: redora slo rehearse") && stdout.contains("Examples:\n"));
}

#[test]
fn what_cannot_be_rehearsed_says_what_to_do() {
    let place = Place::new();
    let history = place.path("events.jsonl");
    place.write("bad.jsonl", "{}\n");
    let bad = place.path("bad.jsonl");
    for (words, code, said) in [
        (vec![], 2, "--prometheus <URL>"),
        (vec!["--history", &history], 2, "no objective has a goal; give --objective"),
        (vec!["--history", &history, "--objective", "100%"], 2, "from 1% to below 100%"),
        (vec!["--history", &history, "--window", "100d"], 2, "write 7d to 92d"),
        (vec!["--history", "/nowhere/x", "--objective", "99%"], 1, "/nowhere/x: No such file"),
        (vec!["--history", &history, "--objective", "99%", "--slo", "down"], 1, "holds no events"),
        (vec!["--history", &bad, "--objective", "99%"], 1, "the history: line 1: no record"),
        (vec!["--history", "-", "--incidents", "-", "--objective", "9%"], 2, "stdin is one file"),
        (vec!["--prometheus", "http://h", "--history", &history], 2, "cannot be used with"),
        (vec!["--prometheus", "http://h", "--token", "${NOBODY}"], 2, "NOBODY is not set"),
        (vec!["--prometheus", "http://h", "--token", "a\nb"], 2, "no header may hold"),
        (vec!["--prometheus", "http://127.0.0.1:1"], 1, "cannot connect"),
    ] {
        let (ended, stdout, stderr) = redora(&words);
        assert_eq!((ended, stdout.as_str()), (code, ""), "{words:?}: {stderr}");
        assert!(stderr.contains(said), "{words:?}: {stderr}");
    }
}

/// Answers a number of requests with these bytes, and returns what stood in their heads.
fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let served = answers.into_iter().map(|answer| {
            let (mut socket, _) = listener.accept().unwrap();
            let lines = BufReader::new(socket.try_clone().unwrap()).lines();
            let head = lines.map(Result::unwrap).take_while(|line| !line.is_empty());
            let head = head.collect::<Vec<_>>().join("\n");
            // Who has enough of it leaves.
            let _ = socket.write_all(answer.as_bytes());
            head
        });
        served.collect()
    });
    (url, served)
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

#[test]
fn a_server_that_does_not_tell_is_told_apart() {
    let empty = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    let refused = r#"{"status":"error","errorType":"bad_data","error":"no"}"#;
    for (status, body, said) in [
        ("401 Unauthorized", "", "give --token, or --user and --password"),
        ("404 Not Found", "<html>", "not as Prometheus does"),
        ("200 OK", "{}", "not as Prometheus does"),
        ("400 Bad Request", refused, "refuses the question: no"),
        ("200 OK", empty, "does it scrape redora"),
    ] {
        let (url, served) = serve(vec![answer(status, body)]);
        let words = ["--prometheus", &url, "--since", "1d", "--until", "1970-01-01T12:00:00Z"];
        let (code, stdout, stderr) = redora(&[&words[..], &["--token", "${TOKEN}"]].concat());
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
        let head = served.join().unwrap().remove(0);
        assert!(
            head.starts_with("GET /api/v1/query_range?query=redora_slo_events_total"),
            "{head}"
        );
        assert!(head.contains("authorization: Bearer open sesame"), "{head}");
    }
}

#[test]
fn too_much_at_a_time_is_asked_for_in_smaller_parts() {
    let much = answer(
        "422 Unprocessable Entity",
        r#"{"status":"error","error":"query processing would load too many samples into memory"}"#,
    );
    let (url, served) = serve(vec![much; 9]);
    let words = ["--prometheus", &url, "--user", "shop", "--password", "${TOKEN}"];
    let (code, _, stderr) = redora(&words);
    assert!(code == 1 && stderr.contains("10 minutes of these objectives are more"), "{stderr}");
    let heads = served.join().unwrap();
    let lengths = heads.iter().map(|head| {
        let value = |key: &str| -> u64 {
            let rest = head.split(key).nth(1).unwrap();
            rest.split(['&', ' ']).next().unwrap().parse().unwrap()
        };
        (value("end=") - value("start=")) / 60 + 1
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [1_440, 720, 360, 180, 90, 45, 22, 11, 10]);
    assert!(heads[0].contains("authorization: Basic c2hvcDpvcGVuIHNlc2FtZQ=="), "{}", heads[0]);
}
