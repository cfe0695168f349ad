//! A real Prometheus scrapes every format and must end up with the same series, because the
//! formats' documents and their readers differ in what they forgive. Needs `prometheus` on the
//! path, which the project's test command sees to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use redora_exposition::{
    Bucket, Encoder, Escaping, Exemplar, Family, Format, Histogram, Kind, Label, Native,
    Negotiated, Options,
};
use serde_json::Value;

const FORMATS: [(&str, Format); 4] = [
    ("text", Format::Text004),
    ("openmetrics001", Format::OpenMetrics001),
    ("openmetrics", Format::OpenMetrics100),
    ("protobuf", Format::Protobuf),
];
const DEADLINE: Duration = Duration::from_secs(60);
/// Enough for three protobuf messages.
const ROWS: usize = 6000;
const ODD: &str = "quote\" back\\slash \\n new\nline\r\0 tab\t {a=\"b\"} # grün 花火";

fn family<'a>(name: &'a str, kind: Kind, unit: Option<&'a str>) -> Family<'a> {
    Family { name, help: "Says \"how\\many\"\nin two lines.", kind, unit }
}

fn push(e: &mut Encoder) {
    let at = Some(1_700_000_000_123);
    let id = [("trace_id", "5b8efff798038103d269b633813fc60c")];
    let exemplar = Exemplar { labels: &id, value: 0.75, timestamp_ms: at };
    let long = "x".repeat(200);
    let too_long = Exemplar { labels: &[("trace_id", &long)], ..exemplar };
    e.family(&family("shop_requests_total", Kind::Counter, None));
    e.counter(&[("odd", ODD), ("empty", "")], 3.0, at, Some(&exemplar));
    e.counter(&[("odd", "long exemplar")], 1e300, None, Some(&too_long));
    e.counter(
        &[("a.b", "1"), ("a_b", "2"), ("a_b", "3"), ("__name__", "x"), ("", "y")],
        0.0,
        None,
        None,
    );
    e.family(&family("shop_busy_seconds_total", Kind::Counter, Some("seconds")));
    e.counter(&[], 0.25, at, None);
    e.family(&family("shop_queue_bytes", Kind::Gauge, Some("bytes")));
    for (name, value) in [("a", f64::NAN), ("b", f64::INFINITY), ("c", -5e-324), ("d", -0.0)] {
        e.gauge(&[("queue", name)], value);
    }
    e.family(&family("shop.deployments", Kind::Gauge, None));
    e.gauge(&[], 1.0);
    e.family(&family("shop.deployments_total", Kind::Counter, None));
    e.counter(&[], 2.0, None, None);
    e.family(&family("target_info", Kind::Info, None));
    e.gauge(&[("host", "a")], 1.0);
    e.family(&family("shop_what", Kind::Unknown, None));
    e.gauge(&[], 4.0);
    e.family(&family("shop_empty", Kind::Histogram, None));
    e.family(&family("shop_classic_seconds", Kind::Histogram, Some("seconds")));
    let uppers = [1e-5, 0.0001, 0.005, 0.25, 1.0, 10.0, 1e5, 1e6, 2_500_000.0, 123_456_789.0, 1e21];
    let buckets: Vec<_> = uppers
        .iter()
        .map(|&upper| Bucket { upper, cumulative: 2, exemplar: (upper == 1.0).then_some(exemplar) })
        .chain([Bucket { upper: f64::INFINITY, cumulative: 0, exemplar: Some(exemplar) }])
        .collect();
    let h = Histogram { count: 3, sum: 1.5, buckets: &buckets, native: None, created_ms: at };
    e.histogram(&[("le", "mine")], &h);
    e.histogram(&[], &Histogram { count: 0, sum: 0.0, buckets: &[], ..h });
    e.family(&family("shop_rows", Kind::Gauge, None));
    for row in 0..ROWS {
        e.gauge(&[("row", &format!("{row:0>100}"))], row as f64);
    }
    e.family(&family("shop_native_seconds", Kind::Histogram, Some("seconds")));
    let positive = [(-40, 1), (-39, 2), (-36, 3), (0, 1), (200, 1)];
    let native = Native { schema: 3, zero_threshold: 1e-128, zero_count: 1, positive: &positive };
    let h = Histogram { count: 9, sum: 3e7, ..h };
    let mut histogram = |kind, native, count| {
        e.histogram(&[("is", kind)], &Histogram { native, count, ..h });
    };
    histogram("full", Some(native), 9);
    histogram("unsound", Some(native), 10);
    histogram("absent", None, 9);
    let empty = Native { zero_count: 0, zero_threshold: 0.0, positive: &[], ..native };
    histogram("empty", Some(empty), 0);
}

fn serve(listener: TcpListener, scraped: mpsc::Sender<&'static str>) {
    let bodies: BTreeMap<_, _> = FORMATS
        .into_iter()
        .map(|(path, format)| {
            let negotiated = Negotiated { format, escaping: Escaping::Underscores };
            let mut encoder = Encoder::new(negotiated, Options { created: false });
            push(&mut encoder);
            encoder.finish();
            assert_eq!(encoder.omitted(), 0);
            (path, (negotiated.content_type(), encoder.take()))
        })
        .collect();
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut request = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut first = String::new();
        request.read_line(&mut first).expect("a request line");
        let mut line = String::from("-");
        while !line.trim().is_empty() {
            line.clear();
            request.read_line(&mut line).expect("a header");
        }
        let path = first.split(['/', ' ']).nth(2).expect("a path");
        let (path, (content_type, body)) = bodies.get_key_value(path).expect("a known path");
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("the head is sent");
        stream.write_all(body).expect("the body is sent");
        if scraped.send(path).is_err() {
            return;
        }
    }
}

/// Ends Prometheus with the test, also with one that fails.
struct Prometheus {
    child: Child,
    address: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Prometheus {
    /// Starts it on a free port; none if it is not installed.
    fn start(directory: &std::path::Path, target: &str) -> Self {
        let mut config =
            String::from("global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n");
        for (path, _) in FORMATS {
            config += &format!(
                "- {{ job_name: {path}, metrics_path: /{path}, \
                 static_configs: [ {{ targets: [ \"{target}\" ] }} ] }}\n"
            );
        }
        let file = directory.join("prometheus.yml");
        std::fs::write(&file, config).expect("the configuration is written");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--enable-feature=native-histograms,exemplar-storage")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let mut child = child.expect("prometheus does not start; `./test install` installs it");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let address = log.by_ref().find_map(|line| {
            let line = line.ok()?;
            let (_, address) = line.split_once("msg=\"Listening on\" address=")?;
            Some(address.to_owned())
        });
        let address = address.expect("prometheus says where it listens");
        // Its pipe must not fill up, and what it complains of belongs to a failing test's output.
        std::thread::spawn(move || log.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        Self { child, address }
    }

    fn api(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).expect("prometheus accepts");
        write!(stream, "GET /api/v1/{path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address)
            .expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer in UTF-8");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let answer: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// The results of an instant query, by the labels that are not the target's.
    fn query(&self, query: &str) -> BTreeMap<String, Value> {
        let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let data = self.api(&format!("query?query={query}"));
        let rows = data["result"].as_array().expect("a vector").clone();
        rows.into_iter()
            .map(|row| {
                let value = if row["value"].is_null() { &row["histogram"] } else { &row["value"] };
                (identity(&row["metric"]), value[1].clone())
            })
            .collect()
    }
}

fn identity(metric: &Value) -> String {
    let mut labels = metric.as_object().expect("labels").clone();
    labels.remove("job");
    labels.remove("instance");
    Value::Object(labels).to_string()
}

fn wait_for_two_scrapes_of_each(scraped: &mpsc::Receiver<&'static str>) {
    // The second scrape of a target begins after the first is stored.
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    while seen.len() < FORMATS.len() || seen.values().any(|n| *n < 2) {
        let path = scraped.recv_timeout(DEADLINE).expect("prometheus scrapes");
        *seen.entry(path).or_default() += 1;
    }
}

#[test]
fn prometheus_reads_the_same_series_from_every_format() {
    let directory = tempfile::tempdir().expect("a directory");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = listener.local_addr().expect("an address").to_string();
    let (sender, scraped) = mpsc::channel();
    std::thread::spawn(move || serve(listener, sender));
    let prometheus = Prometheus::start(directory.path(), &target);
    wait_for_two_scrapes_of_each(&scraped);

    for target in prometheus.api("targets")["activeTargets"].as_array().expect("targets") {
        assert_eq!(target["lastError"], "", "{}", target["scrapePool"]);
        assert_eq!(target["health"], "up");
    }
    let simple = |job: &str| {
        prometheus.query(&format!(
            "{{job=\"{job}\",__name__=~\"shop_.*|target_info\",__name__!~\"shop_native.*\"}}"
        ))
    };
    let text = simple("text");
    assert_eq!(text.len(), ROWS + 29);
    let odd: Label = ("odd", ODD);
    let odd = serde_json::json!({"__name__": "shop_requests_total", odd.0: odd.1});
    assert_eq!(text[&odd.to_string()], "3");
    for (job, _) in FORMATS {
        let other = simple(job);
        let names = |m: &BTreeMap<String, Value>| m.keys().cloned().collect::<BTreeSet<_>>();
        let (a, b) = (names(&text), names(&other));
        assert_eq!(a.symmetric_difference(&b).collect::<Vec<_>>(), [""; 0], "text and {job}");
        assert!(text == other, "values of {job} differ");
    }
    check_native_and_exemplars(&prometheus);
}

fn check_native_and_exemplars(prometheus: &Prometheus) {
    let native = prometheus.query("shop_native_seconds{job=\"protobuf\"}");
    let series = |is: &str| {
        let name = serde_json::json!({"__name__": "shop_native_seconds", "is": is});
        native.get(&name.to_string())
    };
    let full = series("full").expect("a native histogram");
    assert_eq!((&full["count"], &full["sum"]), (&"9".into(), &"30000000".into()));
    let counts: Vec<_> = full["buckets"]
        .as_array()
        .expect("buckets")
        .iter()
        .map(|bucket| bucket[3].as_str().expect("a count"))
        .collect();
    assert_eq!(counts, ["1", "1", "2", "3", "1", "1"]);
    // Index 0 at schema 3 ends at 1.
    assert_eq!(full["buckets"][4][2], "1");
    assert_eq!(series("empty").expect("an empty native histogram")["count"], "0");
    assert_eq!(series("unsound"), None);
    let classic = prometheus.query("shop_native_seconds_count{job=\"protobuf\"}");
    assert_eq!(classic.len(), 2, "unsound and absent stay classic: {classic:?}");

    for (job, _) in FORMATS.into_iter().skip(1) {
        let data = prometheus.api(&format!(
            "query_exemplars?query=%7Bjob=%22{job}%22%7D&start=1699999999&end=1700000001"
        ));
        let exemplars: BTreeSet<_> = data
            .as_array()
            .expect("exemplars")
            .iter()
            .map(|row| {
                let name = row["seriesLabels"]["__name__"].as_str().expect("a name");
                assert_eq!(row["exemplars"][0]["timestamp"], 1_700_000_000.123);
                assert_eq!(row["exemplars"][0]["value"], "0.75");
                format!("{name} {}", row["seriesLabels"]["le"].as_str().unwrap_or(""))
            })
            .collect();
        for expected in [
            "shop_requests_total ",
            "shop_classic_seconds_bucket 1.0",
            "shop_classic_seconds_bucket +Inf",
        ] {
            assert!(exemplars.contains(expected), "{job}: {expected} is not in {exemplars:?}");
        }
        assert_eq!(exemplars.contains("shop_native_seconds "), job == "protobuf", "{job}");
    }
}
