//! The loader against text that no user would write: whatever it is, the answer is a configuration
//! or faults with their places, never a panic.

use std::io::ErrorKind;
use std::path::Path;

use proptest::prelude::*;
use redora::config::{Config, Faults, KEYS, OBJECTIVE_KEYS, load, parse};

fn read(path: &Path, _bytes_max: usize) -> std::io::Result<Vec<u8>> {
    if path.ends_with("token") { Ok(b"x".to_vec()) } else { Err(ErrorKind::NotFound.into()) }
}

fn config(text: &str) -> Result<Config, Faults> {
    let env = |name: &str| (name == "SET").then(|| "1h".to_owned());
    parse(text, "redora.yaml", &env, &read)
}

/// Parses, and holds every fault against the text that it speaks about.
fn check(text: &str) {
    let Err(faults) = config(text) else { return };
    placed(text, "redora.yaml", &faults);
}

/// The same for a file of objectives.
fn check_objectives(text: &str) {
    let read = |path: &Path, bytes_max: usize| match path.to_str() {
        Some("redora.yaml") => Ok(b"slos: objectives.yaml".to_vec()),
        Some("objectives.yaml") => Ok(text.as_bytes()[..text.len().min(bytes_max)].to_vec()),
        _ => read(path, bytes_max),
    };
    let env = |name: &str| (name == "SET").then(|| "30d".to_owned());
    let list = |_: &Path| Ok(Vec::new());
    let Err(faults) = load(Path::new("redora.yaml"), &env, &read, &list) else { return };
    placed(text, "objectives.yaml", &faults);
}

fn placed(text: &str, file: &str, faults: &Faults) {
    assert!(faults.iter().next().is_some(), "an error without a fault for {text:?}");
    // A lone carriage return ends a line in YAML too.
    let lines = text.split(['\n', '\r']).count();
    for fault in faults.iter() {
        assert!((1..=lines).contains(&fault.line) && fault.column > 0, "{fault} for {text:?}");
        assert!(fault.to_string().starts_with(&format!("{file}:")), "{fault}");
    }
}

const FULL: &str = r#"# Everything at once.
listen:
  otlp_grpc: &both ["127.0.0.1:4317", "[::1]:4317"]
  otlp_http: localhost:4318
  admin: [ "127.0.0.1:${PORT:-9464}" ]
admin_token: ${file:token}
data_dir: './redora-data'
limits: { memory: 64MiB, request_bytes: 20MiB, spans_per_request: 100000,
  series: 20000, series_expire: "${SET}", connections: 1024,
  streams_per_connection: 16, header_timeout: 75s, body_timeout: 1m30s }
red:
  dimensions: [http.route]
  buckets:
    - 0.1
    - 1
  native_histograms: true
  exemplars: false
  compat: [tempo, spanmetrics]
log_metrics:
  - name: payment_declined
    match:
      severity: ">=WARN"
      body_regex: |-
        declined: [0-9]+$$
      attributes: { payment.method: card, "a b": >- 
          folded }
    labels: [payment.method]
"#;

#[test]
fn every_truncation_of_a_full_file_is_answered() {
    assert!(config(FULL).is_ok(), "{:?}", config(FULL));
    for (at, _) in FULL.char_indices() {
        check(&FULL[..at]);
        check(&FULL[at..]);
    }
}

#[test]
fn every_character_replaced_is_answered() {
    let others =
        ["", "\t", "\n", "\"", "'", "{", "]", ":", "- ", "&", "*", "!", "${", "#", "ä", "%"];
    for (i, (at, c)) in FULL.char_indices().enumerate() {
        for k in 0..4 {
            let other = others[(i + 5 * k) % others.len()];
            check(&format!("{}{other}{}", &FULL[..at], &FULL[at + c.len_utf8()..]));
        }
    }
}

/// Values of every shape under every key: the typed walk sees what a random text seldom reaches.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("[[a], {b: c}, ~]".to_owned()),
        Just("{name: x, match: {severity: '>WARN', attributes: {a: b}}}".to_owned()),
        Just("{severity: '>WARN', body: x, body_regex: '(', attributes: [a]}".to_owned()),
        Just("[{name: x, match: [], labels: {a: b}}, {name: [x]}]".to_owned()),
        "[0-9]{1,25}(B|KiB|GiB|ms|s|d|h)?",
        "'[^']{0,20}'",
        r"'\$?\$\{?(SET|NO|file:token|file:no)?(:-)?[a-z]{0,3}\}?'",
        "\\['(127\\.0\\.0\\.1|localhost|\\[::1\\]):[0-9]{0,6}'\\]",
        "'(<|>|<=|>=)?(WARN|error|UNSPECIFIED)(\\.\\.)?(INFO|FATAL)?'",
        "'[(){}\\[\\]*+?|\\\\a-z0-9]{0,12}'",
    ]
}

#[test]
fn a_page_of_one_thing_is_answered() {
    for piece in [
        "[",
        "]",
        "{",
        "}",
        "- ",
        "? ",
        ": ",
        "a: ",
        "a: b\n",
        "{a: ",
        "&a ",
        "*a ",
        "!t ",
        "!<",
        "%",
        "% a\n",
        "#",
        "# \n",
        "'",
        "\"",
        "\\",
        "\"\\u",
        "| ",
        "|\n ",
        ">\n\n",
        "\n",
        "\t",
        "\r",
        " ",
        "---\n",
        "...\n",
        "a",
        "a ",
        "a\n",
        "ä",
        "${",
        "$",
        "${a}",
        "a:\n ",
        "[a, ",
        "{a, ",
        "a: [b]\n",
        "- - ",
        "-\n",
        "? a\n",
        "&a a: *a\n",
        "''",
        "'a' ",
        ",",
        "\u{feff}",
    ] {
        let page = piece.repeat((64 << 10) / piece.len());
        check(&page);
        check(&format!("a: {page}"));
        check(&format!("data_dir: '{page}'"));
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        check(&text);
        check_objectives(&text);
    }

    #[test]
    fn any_text_of_yaml_characters_is_answered(text in "[-a-z:{}\\[\\],&*!|>'\"%@#? \
     \t\r\n0-9.$]{0,200}") {
        check(&text);
        check_objectives(&text);
    }

    #[test]
    fn any_value_under_any_key_is_answered(
        values in prop::collection::vec((0..KEYS.len(), value()), 1..6),
    ) {
        for (at, value) in values {
            let path = KEYS[at].path.replace("[]", "");
            let open: String = path.split('.').map(|name| format!("{{{name}: ")).collect();
            let close = "}".repeat(path.split('.').count());
            check(&format!("{open}{value}{close}"));
            if let Some(rule) = KEYS[at].path.strip_prefix("log_metrics[].") {
                let (open, close) = match rule.strip_prefix("match.") {
                    Some(name) => (format!("match: {{{name}: "), "}"),
                    None => (format!("{rule}: "), ""),
                };
                check(&format!("log_metrics: [{{{open}{value}{close}}}]"));
            }
        }
    }
    #[test]
    fn any_value_under_any_key_of_an_objective_is_answered(
        values in prop::collection::vec((0..OBJECTIVE_KEYS.len(), value()), 1..6),
    ) {
        for (at, value) in values {
            let path = OBJECTIVE_KEYS[at].path.strip_prefix("objective.").expect("one of them");
            let open: String = path.split('.').map(|name| format!("{{{name}: ")).collect();
            let close = "}".repeat(path.split('.').count());
            check_objectives(&format!("[{open}{value}{close}]"));
        }
    }
}
