//! The own traces against a real receiving side, since only decoded bytes show what an operator's
//! backend would see.

use super::*;
use crate::process::LogSettings;
use crate::process::log_lines::LogLines;
use crate::process::telemetry::dispatch;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

fn plan(variables: &[(&str, &str)]) -> Result<Option<Plan>, Fault> {
    Plan::read(&|name: &str| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
    })
}

fn endpoint(variables: &[(&str, &str)]) -> Option<String> {
    plan(variables).unwrap().map(|plan| plan.endpoint)
}

#[test]
fn without_an_endpoint_or_when_disabled_there_are_no_traces() {
    let base = (ENDPOINT, "http://h:4318");
    assert_eq!(endpoint(&[]), None);
    assert_eq!(endpoint(&[(ENDPOINT, "")]), None);
    assert_eq!(endpoint(&[base, ("OTEL_SDK_DISABLED", "TRUE")]), None);
    assert_eq!(endpoint(&[base, ("OTEL_TRACES_EXPORTER", "none")]), None);
    assert!(endpoint(&[base, ("OTEL_SDK_DISABLED", "false")]).is_some());
}

#[test]
fn the_endpoint_is_read_as_the_specification_says() {
    let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:1/as/it/is");
    assert_eq!(endpoint(&[(ENDPOINT, "http://h:4318")]).unwrap(), "http://h:4318/v1/traces");
    assert_eq!(endpoint(&[(ENDPOINT, "http://h/pre/")]).unwrap(), "http://h/pre/v1/traces");
    assert_eq!(endpoint(&[(ENDPOINT, "http://h:4318"), whole]).unwrap(), "http://t:1/as/it/is");
}

#[test]
fn what_is_not_built_is_named_with_its_cure() {
    let base = (ENDPOINT, "http://h:4317");
    let text = |variables: &[(&str, &str)]| plan(variables).unwrap_err().to_string();
    assert_eq!(
        text(&[base, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]),
        "OTLP protocol `grpc` is not built in; set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"
    );
    let both = [
        base,
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
    ];
    assert!(endpoint(&both).is_some());
    assert!(text(&[base, ("OTEL_TRACES_EXPORTER", "zipkin")]).contains("zipkin"));
    for bad in ["https://h:4318", "h:4318", "not an address", "http://"] {
        assert!(text(&[(ENDPOINT, bad)]).contains("use http://HOST:PORT"), "{bad}");
    }
}

/// Accepts connections on a port of loopback and hands on every decoded request.
async fn backend() -> (SocketAddr, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let sender = sender.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let sender = sender.clone();
                async move {
                    assert_eq!(request.uri().path(), "/v1/traces");
                    assert_eq!(request.headers()["content-type"], "application/x-protobuf");
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    sender.send(ExportTraceServiceRequest::decode(body).unwrap()).unwrap();
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
                }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(socket), service));
        }
    });
    (address, receiver)
}

fn nowhere() -> LogLines {
    LogLines::start(std::io::sink(), |_| String::new()).unwrap()
}

fn quiet_log() -> LogSettings {
    LogSettings::read(Some("off"), None, &|_| None).unwrap()
}

fn traces_to(address: SocketAddr) -> Traces {
    Traces::start(plan(&[(ENDPOINT, &format!("http://{address}"))]).unwrap().unwrap()).unwrap()
}

#[tokio::test]
async fn a_backend_sees_the_marked_spans_and_nothing_else() {
    let (address, mut requests) = backend().await;
    let traces = traces_to(address);
    {
        let _log =
            tracing::dispatcher::set_default(&dispatch(quiet_log(), nowhere(), Some(&traces)));
        spans::boot().in_scope(|| tracing::info_span!("hyper_internal").in_scope(|| {}));
        tracing::error_span!("foreign").in_scope(|| tracing::error!("unmarked"));
        let drain = spans::drain();
        spans::fail(&drain, &"books did not finish");
    }
    traces.flush(Duration::from_secs(10)).await;

    let request = requests.recv().await.unwrap();
    let [resource_spans] = &request.resource_spans[..] else { panic!("{request:?}") };
    let attribute = |key: &str| {
        let attributes = &resource_spans.resource.as_ref().unwrap().attributes;
        let found = attributes.iter().find(|attribute| attribute.key == key).unwrap();
        match found.value.as_ref().unwrap().value.as_ref().unwrap() {
            Value::StringValue(value) => value.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(attribute("service.name"), "redora");
    assert_eq!(attribute("service.version"), VERSION);
    let spans = &resource_spans.scope_spans[0].spans;
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["boot", "drain"]);
    assert!(spans.iter().all(|span| span.end_time_unix_nano >= span.start_time_unix_nano));
    let status = spans[1].status.as_ref().unwrap();
    assert_eq!(status.code(), StatusCode::Error);
    assert_eq!(status.message, "books did not finish");
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn a_service_name_of_the_environment_wins() {
    assert_eq!(
        resource(Some("edge".into())).get(&"service.name".into()).unwrap().to_string(),
        "edge"
    );
}

#[tokio::test]
async fn an_endpoint_that_accepts_and_never_answers_does_not_hold_the_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let traces = traces_to(listener.local_addr().unwrap());
    {
        let _log =
            tracing::dispatcher::set_default(&dispatch(quiet_log(), nowhere(), Some(&traces)));
        drop(spans::boot());
    }
    let start = std::time::Instant::now();
    traces.flush(Duration::from_millis(50)).await;
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_is_warned_about_once_per_period_with_all_losses() {
    let mut trouble = Trouble::default();
    assert_eq!(trouble.lose(2, Instant::now()), Some(2));
    assert_eq!(trouble.lose(3, Instant::now()), None);
    tokio::time::advance(WARNING_EVERY / 2).await;
    assert_eq!(trouble.lose(1, Instant::now()), None);
    tokio::time::advance(WARNING_EVERY / 2).await;
    assert_eq!(trouble.lose(1, Instant::now()), Some(5));
}
