//! A service with the real Rust SDK sends known spans and log records to the real binary, over both
//! transports; bytes made by hand would only show that the agent understands its own author.

#![expect(clippy::unwrap_used, reason = "what fails to be set up here is the failure to be shown")]

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command};
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry_otlp::{LogExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::logs::log_processor_with_async_runtime::BatchLogProcessor;
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_from_the_sdks_own_thread() {
    let agent = Agent::start().await;
    let endpoint = format!("http://{}", agent.grpc);
    let spans = SpanExporter::builder().with_tonic().with_endpoint(&endpoint).build().unwrap();
    let logs = LogExporter::builder().with_tonic().with_endpoint(&endpoint).build().unwrap();
    let service = Service {
        tracers: SdkTracerProvider::builder()
            .with_resource(resource())
            .with_batch_exporter(spans)
            .build(),
        loggers: SdkLoggerProvider::builder()
            .with_resource(resource())
            .with_batch_exporter(logs)
            .build(),
    };
    agent.hears(service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_protobuf_from_the_async_runtime() {
    let agent = Agent::start().await;
    let traces = format!("http://{}/v1/traces", agent.http);
    let logs = format!("http://{}/v1/logs", agent.http);
    let traces = SpanExporter::builder().with_http().with_endpoint(traces).build().unwrap();
    let logs = LogExporter::builder().with_http().with_endpoint(logs).build().unwrap();
    let service = Service {
        tracers: SdkTracerProvider::builder()
            .with_resource(resource())
            .with_span_processor(BatchSpanProcessor::builder(traces, Tokio).build())
            .build(),
        loggers: SdkLoggerProvider::builder()
            .with_resource(resource())
            .with_log_processor(BatchLogProcessor::builder(logs, Tokio).build())
            .build(),
    };
    agent.hears(service).await;
}

/// Served requests by duration in nanoseconds: bounds to the digit, one more, and above them all.
const GOOD: [(u64, u64); 7] = [
    (1_000_000, 100),
    (5_000_000, 90),
    (5_000_001, 80),
    (25_000_000, 70),
    (249_999_999, 300),
    (10_000_000_000, 40),
    (10_000_000_001, 3),
];
/// Failed requests, all of this duration.
const BAD: (u64, u64) = (300_000_000, 37);
/// Log records by severity; the SDK's queue holds 2,048 of them.
const LOGS: [(Severity, &str, u64); 3] =
    [(Severity::Info, "INFO", 700), (Severity::Warn3, "WARN", 12), (Severity::Error, "ERROR", 5)];
/// What the cumulative buckets of the good ones must hold.
const BUCKETS: [(f64, u64); 15] = [
    (0.005, 190),
    (0.01, 270),
    (0.025, 340),
    (0.05, 340),
    (0.075, 340),
    (0.1, 340),
    (0.25, 640),
    (0.5, 640),
    (0.75, 640),
    (1.0, 640),
    (2.5, 640),
    (5.0, 640),
    (7.5, 640),
    (10.0, 680),
    (f64::INFINITY, 683),
];

fn resource() -> Resource {
    let attributes = [
        KeyValue::new("service.version", "3.1.4"),
        KeyValue::new("vcs.ref.head.revision", "89abcdef"),
    ];
    Resource::builder().with_service_name("forge").with_attributes(attributes).build()
}

/// The SDK as a service sets it up.
struct Service {
    tracers: SdkTracerProvider,
    loggers: SdkLoggerProvider,
}

impl Service {
    /// Serves every request of the tables, logs, and flushes: what returns is acknowledged.
    fn work(self) {
        let tracer = self.tracers.tracer("forge");
        for (nanos, count) in GOOD {
            (0..count).for_each(|_| serve(&tracer, nanos, false));
        }
        (0..BAD.1).for_each(|_| serve(&tracer, BAD.0, true));
        self.tracers.force_flush().unwrap();

        let logger = self.loggers.logger("forge");
        for (severity, _, count) in LOGS {
            for number in 0..count {
                let mut record = logger.create_log_record();
                record.set_severity_number(severity);
                record.set_body(format!("blow {number}").into());
                logger.emit(record);
            }
        }
        self.loggers.force_flush().unwrap();
        self.tracers.shutdown().unwrap();
        self.loggers.shutdown().unwrap();
    }
}

fn serve(tracer: &impl Tracer<Span: Span>, nanos: u64, failed: bool) {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let builder = SpanBuilder::from_name("GET /blades/{id}")
        .with_kind(SpanKind::Server)
        .with_start_time(start)
        .with_attributes([
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("http.route", "/blades/{id}"),
            KeyValue::new("http.response.status_code", if failed { 500 } else { 200 }),
        ]);
    let mut span = tracer.build(builder);
    if failed {
        span.set_status(Status::error("broke"));
    }
    span.end_with_timestamp(start + Duration::from_nanos(nanos));
}

/// The real binary on ports of its own.
struct Agent {
    child: Child,
    grpc: SocketAddr,
    http: SocketAddr,
    admin: SocketAddr,
    _directory: TempDir,
}

impl Agent {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let [grpc, http, admin] = free_addresses();
        let config = directory.path().join("redora.yaml");
        let listen = format!(
            "listen: {{ otlp_grpc: [\"{grpc}\"], otlp_http: [\"{http}\"], admin: [\"{admin}\"] }}\n"
        );
        fs::write(&config, format!("{listen}data_dir: {}\n", directory.path().display())).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_redora"))
            .arg("run")
            .arg("--config")
            .arg(&config)
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .spawn()
            .unwrap();
        let mut agent = Self { child, grpc, http, admin, _directory: directory };
        agent.wait_ready().await;
        agent
    }

    /// The agent has no way to call back, so this asks again until it is ready.
    async fn wait_ready(&mut self) {
        let mut turns = tokio::time::interval(TURN);
        for _ in 0..TURNS_MAX {
            turns.tick().await;
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the agent ended at once: {ended:?}");
            if self.ask("/readyz").await.is_ok_and(|answer| answer.contains(" 200 ")) {
                return;
            }
        }
        panic!("the agent is not ready after {:?}", TURN * TURNS_MAX);
    }

    /// Lets a service work, then checks every number that the scrape tells of it, then stops.
    async fn hears(mut self, service: Service) {
        // Flushing blocks its thread until the exporters have their answers.
        tokio::task::spawn_blocking(|| service.work()).await.unwrap();
        let scrape = Scrape(self.ask("/metrics").await.unwrap());
        check_requests(&scrape);
        check_logs(&scrape);
        check_versions(&scrape);

        let stop = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &stop]).status().unwrap().success());
        let mut turns = tokio::time::interval(TURN);
        for _ in 0..TURNS_MAX {
            turns.tick().await;
            if let Some(ended) = self.child.try_wait().unwrap() {
                assert_eq!(ended.code(), Some(0));
                return;
            }
        }
        panic!("the agent still runs {:?} after SIGTERM", TURN * TURNS_MAX);
    }

    /// One answer with its head. HTTP/1.0 ends it with the connection: no chunks to take apart.
    async fn ask(&self, path: &str) -> std::io::Result<String> {
        let mut peer = TcpStream::connect(self.admin).await?;
        peer.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

impl Drop for Agent {
    /// A failed test must not leave its agent behind; one that has ended already cannot be killed.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Loopback addresses on which nobody listens, held together until they are chosen: they differ.
fn free_addresses() -> [SocketAddr; 3] {
    [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap()).map(|l| l.local_addr().unwrap())
}

fn check_requests(scrape: &Scrape) {
    let good: u64 = GOOD.iter().map(|(_, count)| count).sum();
    let row = "service=\"forge\",operation=\"GET /blades/{id}\",kind=\"server\"";
    for (outcome, status, count) in [("ok", "2xx", good), ("error", "5xx", BAD.1)] {
        let labels = format!("{row},outcome=\"{outcome}\"");
        let counted = format!("{labels},status=\"{status}\"");
        assert_eq!(scrape.one("redora_requests_total", &counted), count as f64, "{counted}");
        let observed = scrape.one("redora_request_duration_seconds_count", &labels);
        assert_eq!(observed, count as f64, "{labels}");
    }
    assert_eq!(scrape.sum("redora_requests_total", ""), (good + BAD.1) as f64);

    let labels = format!("{row},outcome=\"ok\"");
    assert_eq!(scrape.buckets("redora_request_duration_seconds_bucket", &labels), BUCKETS);
    let nanos: u64 = GOOD.iter().map(|(nanos, count)| nanos * count).sum();
    let seconds = scrape.one("redora_request_duration_seconds_sum", &labels);
    assert!((seconds - nanos as f64 / 1e9).abs() < 1e-6, "{seconds}");
}

fn check_logs(scrape: &Scrape) {
    for (_, severity, count) in LOGS {
        let labels = format!("service=\"forge\",severity=\"{severity}\"");
        assert_eq!(scrape.one("redora_log_records_total", &labels), count as f64, "{labels}");
    }
    let all: u64 = LOGS.iter().map(|(_, _, count)| count).sum();
    assert_eq!(scrape.sum("redora_log_records_total", ""), all as f64);
}

fn check_versions(scrape: &Scrape) {
    let version = "service=\"forge\",version=\"3.1.4\"";
    let failed = format!("{version},outcome=\"error\"");
    assert_eq!(scrape.one("redora_version_requests_total", &failed), BAD.1 as f64);
    let info = format!("{version},revision=\"89abcdef\"");
    assert_eq!(scrape.one("redora_version_info", &info), 1.0);
}

/// A scrape in the text format.
struct Scrape(String);

impl Scrape {
    /// Samples of a name whose labels include these, as label text and value.
    fn samples(&self, name: &str, labels: &str) -> impl Iterator<Item = (&str, f64)> {
        let wanted: Vec<&str> = labels.split(',').filter(|label| !label.is_empty()).collect();
        self.0.lines().filter_map(move |line| {
            let (found, value) = line.strip_prefix(name)?.strip_prefix('{')?.rsplit_once("} ")?;
            let all = wanted.iter().all(|label| found.split(',').any(|one| one == *label));
            all.then(|| (found, value.parse().unwrap()))
        })
    }

    /// The one sample that these labels name.
    fn one(&self, name: &str, labels: &str) -> f64 {
        let found: Vec<_> = self.samples(name, labels).collect();
        assert_eq!(found.len(), 1, "{name}{{{labels}}}: {found:?} in\n{}", self.0);
        found[0].1
    }

    fn sum(&self, name: &str, labels: &str) -> f64 {
        self.samples(name, labels).map(|(_, value)| value).sum()
    }

    /// Upper bounds with cumulative counts, in the order of the scrape.
    fn buckets(&self, name: &str, labels: &str) -> Vec<(f64, u64)> {
        self.samples(name, labels)
            .map(|(found, count)| {
                let bound = found.split(',').find_map(|label| label.strip_prefix("le=\"")).unwrap();
                (bound.trim_end_matches('"').parse().unwrap(), count as u64)
            })
            .collect()
    }
}

/// How often something that the agent cannot announce is looked at again.
const TURN: Duration = Duration::from_millis(20);
/// Turns until a wait counts as failed: fifteen seconds, longer than the agent's drain may take.
const TURNS_MAX: u32 = 750;
