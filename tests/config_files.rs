//! Configuration files as users write them: what a right one means, and what a wrong one hears.

use std::io::{Error, ErrorKind};
use std::path::Path;
use std::time::Duration;

use redora::config::{Config, Faults, load, parse, read_file};
use redora::log_metrics::Body;

fn env(name: &str) -> Option<String> {
    match name {
        "PORT" => Some("4999".to_owned()),
        "SECRET" => Some("hunter2".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Error> {
    let bytes = match path.to_str() {
        Some("etc/token") => b"from-a-file\n".to_vec(),
        Some("etc/crlf") => b"from-windows\r\n".to_vec(),
        Some("etc/two") => b"two lines\n\n".to_vec(),
        Some("etc/empty") => Vec::new(),
        Some("etc/latin") => vec![0xE4],
        Some("etc/large") => vec![b'x'; bytes_max],
        Some("/secret/absolute") => b"absolute".to_vec(),
        Some("etc/denied") => return Err(ErrorKind::PermissionDenied.into()),
        _ => return Err(ErrorKind::NotFound.into()),
    };
    Ok(bytes)
}

fn config(text: &str) -> Result<Config, Faults> {
    parse(text, "etc/redora.yaml", &env, &read)
}

/// The faults of `text`, one a line without the file's name, or `fine`.
fn faults(text: &str) -> String {
    match config(text) {
        Ok(_) => "fine".to_owned(),
        Err(faults) => faults.to_string().replace("etc/redora.yaml:", ""),
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(faults(text), expected.trim_matches('\n'), "for:\n{text}");
}

fn right(text: &str) -> Config {
    config(text).unwrap_or_else(|faults| panic!("{faults}"))
}

const FULL: &str = r#"
listen: { otlp_grpc: ["127.0.0.1:4317", "[::1]:4317"], otlp_http: [localhost:4318], admin: localhost:9464 }
data_dir: ./redora-data
limits: { memory: 64MiB, request_bytes: 20MiB, spans_per_request: 100000, series: 20000, series_expire: 1h }
red: { dimensions: [http.route], buckets: [0.1, 1], native_histograms: true, exemplars: true, compat: [tempo] }
log_metrics: [ { name: payment_declined, match: { severity: ">=WARN", body: "declined" }, labels: [payment.method] } ]
"#;

#[test]
fn the_contracts_example_loads_exactly() {
    let config = right(FULL);
    let text = |list: &[std::net::SocketAddr]| {
        list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(text(&config.receive.grpc), "127.0.0.1:4317 [::1]:4317");
    assert_eq!(text(&config.receive.http), "127.0.0.1:4318 [::1]:4318");
    assert_eq!(text(&config.admin.listen), "127.0.0.1:9464 [::1]:9464");
    assert_eq!(config.admin.token, None);
    assert_eq!(config.data_dir, Path::new("./redora-data"));
    assert_eq!(config.receive.limits, redora::receive::Limits::default());
    assert_eq!(config.series.max, 20_000);
    assert_eq!(config.series.expire, Duration::from_secs(3600));
    assert_eq!(config.red.dimensions[0].label, "http_route");
    assert_eq!(config.red.buckets.seconds(), [0.1, 1.0]);
    let [rule] = &config.log_metrics[..] else { panic!("one rule") };
    assert_eq!(rule.name, "payment_declined");
    let severity = rule.matches.severity.map(|range| (range.min, range.max));
    assert_eq!(severity, Some((13, 24)));
    assert!(matches!(&rule.matches.body, Some(Body::Contains(text)) if text == "declined"));
    assert_eq!(rule.labels[0].label, "payment_method");
}
