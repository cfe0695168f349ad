//! OTLP/JSON documents that are hostile to a reader of JSON: deep, long, repeated or not quite
//! JSON; over HTTP alone.

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let refused = |name, body: String| Case::json(name, body).refused(400, 3);
    let arrays = format!("{}{}", "[".repeat(LEVELS), "]".repeat(LEVELS));
    let objects = format!("{}1{}", "{\"a\":".repeat(LEVELS), "}".repeat(LEVELS));
    let value = |open: &str, close: &str| {
        let value = format!("{}{}", open.repeat(LEVELS), close.repeat(LEVELS));
        span(&format!(r#""attributes":[{{"key":"hostile","value":{value}}}]"#))
    };
    let list = r#"{"kvlistValue":{"values":[{"key":"k","value":"#;
    let long = "x".repeat(20_000_000);
    vec![
        refused("JSON arrays in arrays", value(r#"{"arrayValue":{"values":["#, "]}}")),
        refused("JSON lists in lists", value(list, "}]}}")),
        refused("JSON arrays for a request", arrays.clone()),
        refused("JSON objects for spans", format!(r#"{{"resourceSpans":{objects}}}"#)),
        Case::json("JSON arrays under an unknown key", span(&format!(r#""odd":{arrays}"#)))
            .counts(1),
        Case::json("JSON objects under an unknown key", span(&format!(r#""odd":{objects}"#)))
            .counts(1),
        refused("JSON arrays that stay open", format!(r#"{{"odd":{}"#, "[".repeat(1_000_000))),
        Case::json("JSON of 20 MB in a name", span(&format!(r#""name":"{long}""#))).counts(1),
        Case::json("JSON of 20 MB in an unknown key", span(&format!(r#""odd":"{long}""#)))
            .counts(1),
        refused("JSON of 20 MB without an end", format!(r#"{{"odd":"{long}"#)),
        Case::json("JSON with a key twice", span(r#""name":"one","name":"two""#)).counts(1),
        Case::json("JSON with half a surrogate", span(r#""name":"\uD800""#)).counts(1),
        Case::json("JSON with a raw newline", span("\"name\":\"a\nb\"")).counts(1),
        refused("JSON with an id that is no hex", span(r#""traceId":"xyz""#)),
        refused("JSON with a time that is none", span(r#""startTimeUnixNano":"1e400""#)),
        refused("JSON with a negative time", span(r#""startTimeUnixNano":-1"#)),
        refused("JSON with garbage behind it", span("") + "}"),
        refused("JSON that is empty", String::new()),
        refused("JSON that is null", "null".to_owned()),
        Case::json("JSON that is no UTF-8", b"{\"odd\":\"\xFF\"}".to_vec()).refused(400, 3),
        Case::json("JSON with a hundred thousand spans too many", {
            let spans = vec!["{}"; 100_001].join(",");
            format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#)
        })
        .refused(413, 8),
        Case::json("JSON with a double that has no end", {
            let value = format!(r#"{{"doubleValue":{}}}"#, "9".repeat(1_000_000));
            span(&format!(r#""attributes":[{{"key":"hostile","value":{value}}}]"#))
        })
        .refused(400, 3),
        Case::json("JSON with doubles that are none", {
            let value = r#"{"doubleValue":"NaN"}"#;
            span(&format!(r#""attributes":[{{"key":"hostile","value":{value}}}]"#))
        })
        .counts(1),
        Case::json("JSON text for protobuf", span(""))
            .labelled("application/x-protobuf", "")
            .refused(400, 3),
        Case::json("a wrong content type", span("")).labelled("text/plain", "").refused(415, 3),
        Case::json("no content type", span("")).labelled("", "").refused(415, 3),
        Case::json("gRPC over HTTP/1.1", span("")).labelled("application/grpc", "").refused(415, 3),
    ]
}

/// A request of one span with these members.
fn span(members: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{members}}}]}}]}}]}}"#)
}

const LEVELS: usize = 5_000;
