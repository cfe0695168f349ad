//! Configuration files as users write them: what a right one means, and what a wrong one hears.

use std::io::{Error, ErrorKind};
use std::path::Path;
use std::time::Duration;

use redora::config::{Config, Faults, list_folder, load, parse, read_file};
use redora::record::Body;

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
        Some("etc/app.pem") => APP_KEY.to_vec(),
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

const APP_KEY: &[u8] = include_bytes!("../collector/tests/data/github-app/app.pem");

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

/// Holds the faults of `text` against `expected`, where a line may go on in an indented one.
#[track_caller]
fn check(text: &str, expected: &str) {
    let expected = expected.trim_matches('\n').replace("\n    ", " ");
    assert_eq!(faults(text), expected, "for:\n{text}");
}

fn right(text: &str) -> Config {
    config(text).unwrap_or_else(|faults| panic!("{faults}"))
}

const FULL: &str = r#"
listen: { otlp_grpc: ["127.0.0.1:4317", "[::1]:4317"], otlp_http: [localhost:4318], admin:
    localhost:9464 }
data_dir: ./redora-data
limits: { memory: 64MiB, request_bytes: 20MiB, spans_per_request: 100000, series: 20000,
    series_expire: 1h }
red: { dimensions: [http.route], buckets: [0.1, 1], native_histograms: true, exemplars: true,
    compat: [tempo] }
log_metrics: [ { name: payment_declined, match: { severity: ">=WARN", body: "declined" }, labels:
    [payment.method] } ]
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
    assert_eq!(config.series.rows, 20_000);
    assert_eq!(config.series.expire_ms, 3_600_000);
    assert_eq!(config.red.dimensions[0].label, "http_route");
    assert_eq!(config.red.buckets.seconds(), [0.1, 1.0]);
    let [rule] = &config.log_metrics[..] else { panic!("one rule") };
    assert_eq!(rule.name, "payment_declined");
    let severity = rule.matches.severity.map(|range| (range.min, range.max));
    assert_eq!(severity, Some((13, 24)));
    assert!(matches!(&rule.matches.body, Some(Body::Contains(text)) if text == "declined"));
    assert_eq!(rule.labels[0].label, "payment_method");
}

#[test]
fn an_empty_file_and_empty_sections_are_the_defaults() {
    let defaults = format!("{:?}", Config::defaults());
    for text in [
        "",
        "\n# nothing yet\n",
        "---\n",
        "---\n...\n",
        "\u{feff}",
        "~",
        "{}",
        "listen:\nlimits: ~\nred: {}\nlog_metrics:\ndata_dir:\nadmin_token: null\n",
        "limits: { memory: }\nlisten: { admin: null }\n",
        "data_dir: ${EMPTY:-}\nadmin_token: \"${UNSET:-}\"\nlisten: { admin: '${UNSET:-}' }",
        "red: { compat: ['${UNSET:-}'], buckets: ['${UNSET:-}'], dimensions: ['${UNSET:-}'] }",
        "\r\nlimits:\r\n  memory: 64MiB\r\n",
    ] {
        assert_eq!(format!("{:?}", right(text)), defaults, "{text:?}");
    }
    assert_eq!(Config::defaults().receive.grpc.len(), 2);
}

#[test]
fn values_reach_their_organ() {
    let config = right(
        r#"limits:
  memory: 10MiB
  request_bytes: 5MB
  spans_per_request: 7
  series: 1000000
  series_expire: 1h30m
  connections: 3
  streams_per_connection: 2
  header_timeout: 10ms
  body_timeout: 1h
listen: { otlp_grpc: [], otlp_http: '0.0.0.0:0', admin: ['[::]:0', '[::]:0'] }
data_dir: /var/lib/redora
admin_token: s3cret
"#,
    );
    let limits = &config.receive.limits;
    assert_eq!(limits.memory_bytes, 10 << 20);
    assert_eq!(limits.request_bytes, 5_000_000);
    assert_eq!(limits.items_per_request, 7);
    assert_eq!(limits.connections, 3);
    assert_eq!(limits.streams_per_connection, 2);
    assert_eq!(limits.header_timeout, Duration::from_millis(10));
    assert_eq!(limits.body_timeout, Duration::from_secs(3600));
    assert_eq!(config.series.rows, 1_000_000);
    assert_eq!(config.series.expire_ms, 5_400_000);
    assert!(config.receive.grpc.is_empty());
    assert_eq!(config.receive.http.len(), 1);
    assert_eq!(config.admin.listen.len(), 2);
    assert_eq!(config.data_dir, Path::new("/var/lib/redora"));
    assert!(config.admin.token.is_some_and(|token| token.matches(b"s3cret")));

    let config = right(
        r#"red:
  compat: none
  buckets: 0.5
  dimensions: [status_code, __x]
  exemplars: false
  native_histograms: False
log_metrics:
- name: a
- name: b
  match:
    body_regex: ^x{2}$
    attributes: { 'http.route': /pay, empty: '' }
    severity: ERROR
  labels: k8s.pod
"#,
    );
    assert!(!config.red.compat.tempo && !config.red.compat.spanmetrics);
    assert!(!config.red.exemplars && !config.red.native_histograms);
    assert_eq!(config.red.buckets.seconds(), [0.5]);
    assert_eq!(config.red.dimensions[0].label, "status_code");
    assert_eq!(config.red.dimensions[1].label, "_x");
    let [a, b] = &config.log_metrics[..] else { panic!("two rules") };
    assert!(a.matches.body.is_none() && a.matches.severity.is_none() && a.labels.is_empty());
    assert!(matches!(&b.matches.body, Some(Body::Matches(regex)) if regex.is_match("xx")));
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(b.matches.attributes, [pair("http.route", "/pay"), pair("empty", "")]);
    assert_eq!(b.labels[0].label, "k8s_pod");
    let both = right("red: { compat: [spanmetrics, tempo] }").red.compat;
    assert!(both.tempo && both.spanmetrics);
}

#[test]
fn scalars_are_interpolated_after_parsing() {
    for (given, expected) in [
        ("${PORT}", "4999"),
        ("a${PORT}b${PORT}", "a4999b4999"),
        ("${UNSET:-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${PORT:-x}", "4999"),
        ("${UNSET:-a:-b$$}", "a:-b$"),
        ("x${EMPTY}", "x"),
        ("$$", "$"),
        ("$${PORT}", "${PORT}"),
        ("$$$${PORT}", "$${PORT}"),
        ("$$${PORT}", "$4999"),
        ("cost$", "cost$"),
        ("$HOME", "$HOME"),
        ("${file:token}", "from-a-file"),
        ("${file:crlf}", "from-windows"),
        ("${file:two}", "two lines\n"),
        ("${file:/secret/absolute}", "absolute"),
        ("x${file:empty}", "x"),
    ] {
        for text in [format!("data_dir: {given}"), format!("data_dir: '{given}'")] {
            assert_eq!(right(&text).data_dir.to_str(), Some(expected), "{text}");
        }
    }
    // The value is typed after interpolation, and is never read as YAML.
    let config = right("limits: { series: \"${PORT}\", connections: '${PORT}' }\n");
    assert_eq!(config.series.rows, 4999);
    assert_eq!(config.receive.limits.connections, 4999);
    // A key is never interpolated.
    check("${PORT}: 1", "1:1: \"${PORT}\": is no known key; remove it");
}

#[test]
fn broken_interpolation_names_the_cure() {
    check(
        "data_dir: ${UNSET}\nadmin_token: ${file:none}",
        r#"
1:11: data_dir: the environment variable UNSET is not set; set it, or give a default with
    ${UNSET:-default}
2:14: admin_token: the file none cannot be read: entity not found; create it, or let redora's user
    read it"#,
    );
    check(
        "data_dir: ${PORT",
        "1:11: data_dir: has a ${ without its closing brace; close it, or write $${ for the \
         characters themselves",
    );
    for form in
        ["${}", "${1X}", "${env:PORT}", "${PORT:x}", "${ PORT }", "${UNSET:-${PORT}", "${file:}"]
    {
        let shown = form.replace("${file:}", "file:");
        let found = faults(&format!("data_dir: '{form}'"));
        let expected = if form == "${file:}" { "${file:}" } else { &shown };
        assert_eq!(
            found,
            format!(
                "1:11: data_dir: \"{expected}\" is none of ${{NAME}}, ${{NAME:-default}} and \
                 ${{file:PATH}}; use one of them, or write $${{ for the characters themselves"
            )
        );
    }
    check(
        "data_dir: ${file:latin}",
        "1:11: data_dir: the file latin holds no UTF-8 text; save it as text",
    );
    check(
        "data_dir: ${file:denied}",
        "1:11: data_dir: the file denied cannot be read: permission denied; create it, or let \
         redora's user read it",
    );
    check(
        "data_dir: ${file:large}",
        "1:11: data_dir: grows beyond 65536 bytes; point it at a smaller file",
    );
    check(
        &format!("data_dir: {}", "${SECRET}".repeat(10_000)),
        "1:11: data_dir: grows beyond 65536 bytes; point it at a smaller file",
    );
}

#[test]
fn what_comes_from_outside_is_never_shown() {
    // Every key gets a value that cannot be right for it; the value comes from outside the file.
    let mut found = String::new();
    for (foreign, origin) in [("${SECRET}", "${SECRET}"), ("x ${file:token}", "${file:token}")] {
        let text = format!(
            "listen: {{ otlp_grpc: '{foreign}', admin: ['{foreign}'] }}\n\
             admin_token: 'two words {foreign}'\n\
             limits: {{ memory: '{foreign}', series: '{foreign}', series_expire: '{foreign}' }}\n\
             red: {{ dimensions: ['{foreign}', '{foreign}'], buckets: ['{foreign}'], exemplars: \
             '{foreign}', compat: '{foreign}' }}\n\
             log_metrics: [{{ name: 'A{foreign}', match: {{ severity: '{foreign}', body_regex: \
             '({foreign}' }} }}]\n\
             "
        );
        let faults = faults(&text);
        assert!(faults.lines().all(|line| line.contains(&format!("(from {origin})"))), "{faults}");
        assert_eq!(faults.lines().count(), 13, "{faults}");
        found.push_str(&faults);
    }
    for secret in ["hunter2", "from-a-file", "from_a_file"] {
        assert!(!found.contains(secret), "{found}");
    }
    check(
        "limits: { series: '${PORT}0000', memory: '${PORT}KiB', request_bytes: '${PORT}KiB' }",
        "1:19: limits.series: (from ${PORT}) is out of bounds; use 1 to 1000000\n\
         1:42: limits.memory: a request may hold twice its (from ${PORT}) (compressed and \
         plain), but limits.memory is (from ${PORT}); raise limits.memory to twice that or lower \
         limits.request_bytes",
    );
}

#[test]
fn the_token_is_never_shown() {
    for token in ["two words", "''", "\"hunter2\\n\"", "hünter2", "${file:empty}", "${EMPTY}"] {
        let text = faults(&format!("admin_token: {token}"));
        assert!(
            text.ends_with("is no token; use 1 to 4096 visible ASCII characters without spaces")
        );
        assert!(!text.contains("nter2") && !text.contains("words"), "{text}");
    }
    let text = faults("admin_token: 'p4${ssw0rd!}'");
    assert!(text.contains("(secret) is none of") && !text.contains("ssw0rd"), "{text}");
    let config = right("admin_token: ${SECRET}");
    let printed = format!("{config:?}");
    assert!(printed.contains("token: Some((secret))") && !printed.contains("hunter2"), "{printed}");
    let token = config.admin.token.expect("a token was given");
    assert_eq!((token.to_string().as_str(), token.expose()), ("(secret)", "hunter2"));
    assert!(token.matches(b"hunter2"));
    for wrong in [&b""[..], b"hunter", b"hunter22", b"Hunter2"] {
        assert!(!token.matches(wrong));
    }
}

#[test]
fn every_fault_is_reported_in_the_order_of_the_file() {
    check(
        r#"limits:
  memory: 64Mib
  serie_expire: 1h
  series: 0
datadir: /x
red: [1]
listen: { admin: 'redora:1' }
"#,
        r#"
2:11: limits.memory: "64Mib" is no size; write a number with B, KiB, MiB or GiB, such as 64MiB
3:3: limits.serie_expire: is no known key; did you mean `series_expire`?
4:11: limits.series: "0" is out of bounds; use 1 to 1000000
5:1: datadir: is no known key; did you mean `data_dir`?
6:6: red: is a list and must be a section of keys
7:18: listen.admin: "redora:1" is no address; write an IP address and a port, such as
    127.0.0.1:4317 or "[::1]:4317", or localhost:4317"#,
    );
}

#[test]
fn keys_that_are_not_known() {
    check("memory: 1MiB", "1:1: memory: is no known key; did you mean `limits.memory`?");
    check("exporters: {}", "1:1: exporters: is no known key; remove it");
    check(
        "forward:\ntenancy: { mode: single }",
        "\
         1:1: forward: is not part of this version; remove the section until then\n\
         2:1: tenancy: is not part of this version; remove the section until then",
    );
    check("red: { slos: 1 }", "1:8: red.slos: is no known key; did you mean `slos`?");
    check(
        "log_metrics: [{ name: a, match: { bodyRegex: x } }]",
        "1:35: log_metrics[0].match.bodyRegex: is no known key; did you mean `body_regex`?",
    );
}

#[test]
fn text_that_is_no_sound_yaml() {
    check("- a", "1:1: is a list and must be a section of keys");
    check("redora", "1:1: is a single value and must be a section of keys");
    check(
        "limits: { memory: 64MiB }\nlimits: { series: 1 }\n",
        "2:1: limits: stands twice, first in line 1; remove one",
    );
    check(
        "log_metrics:\n- name: a\n- name: b\n  match: { body: x, body: y }\n",
        "4:21: log_metrics[1].match.body: stands twice, first in line 4; remove one",
    );
    check(
        "data_dir: a\n---\ndata_dir: b\n",
        "2:1: a second document starts here; keep one document per file",
    );
    check(
        "data_dir: !!str a",
        "1:11: data_dir: tags such as !!str have no meaning here; remove the tag, and quote the \
         value if need be",
    );
    check("? [a]\n: b\n", "1:3: this key is no text; write it out as a word");
    check(
        "limits: &l { series: 1 }\nred:\n  <<: *l\n",
        "3:3: red.<<: merge keys are not part of YAML 1.2; write the keys out"
            .replace("red.<<", "red.\"<<\"")
            .as_str(),
    );
    check("data_dir: a\0b", "1:12: character U+0000 may not stand in YAML; remove it");
    check("a\n b\u{1b}", "2:3: character U+001B may not stand in YAML; remove it");
    let syntax = |text: &str, place: &str, cure: &str| {
        let found = faults(text);
        assert!(
            found.starts_with(&format!("{place}: is no YAML: ")) && found.ends_with(cure),
            "{found}"
        );
    };
    syntax(
        "log_metrics:\n- match:\n    severity: >=WARN\n",
        "3:15",
        "; put quotes around a value that starts with >",
    );
    syntax("data_dir: @x\n", "1:11", "; put quotes around a value that starts with @");
    syntax("limits:\n\tmemory: 64MiB\n", "2:2", "; indent with spaces, not with tabs");
    syntax("listen: {", "1:10", "");
    syntax("listen: {\n\n\n", "1:10", "");
    let holds = "; put quotes around a value that holds ${…}";
    syntax("limits: { series: ${PORT} }\n", "1:20", holds);
    syntax("listen: ]", "1:9", "");
}

#[test]
fn aliases_stand_for_values_but_never_for_too_many() {
    let config = right("listen: { otlp_grpc: &a [localhost:0], otlp_http: *a, admin: *a }");
    assert_eq!(config.receive.grpc, config.receive.http);
    check(
        "log_metrics: &a [*a]",
        "1:18: this alias stands inside its own anchor; write the value out",
    );
    check(
        "a: *b",
        "1:4: is no YAML: while parsing node, found unknown anchor; put quotes around a value \
         that starts with *",
    );
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..9 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
        laughs.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
    }
    assert!(
        faults(&laughs)
            .ends_with("holds more than is read, aliases unfolded; split the file or the list")
    );
    let page = format!("a: &a {}\nb: [{}]", "x".repeat(100_000), vec!["*a"; 100].join(", "));
    assert!(faults(&page).contains("holds more than is read"));
    let deep = format!("a: {}{}", "[".repeat(64), "]".repeat(64));
    check(&deep, "1:67: is nested more than 64 levels deep; no section needs that");
    let mut ladder = String::from("a0: &a0 [x]\n");
    for i in 1..100 {
        ladder.push_str(&format!("a{i}: &a{i} [*a{}]\n", i - 1));
    }
    assert!(faults(&ladder).contains("is nested more than 64 levels deep"));
    assert!(faults(&"- ".repeat(100_000)).contains("is nested more than 64 levels deep"));
    assert!(faults(&format!("a: [{}]", "x,".repeat(30_000))).contains("holds more than is read"));
}

#[test]
fn listeners() {
    check(
        "listen: { otlp_grpc: ['127.0.0.1:4318', '[::1]:9464'] }",
        "1:9: listen.otlp_http: (127.0.0.1:4318, the default) overlaps with \
         listen.otlp_grpc[0]; give one of them another port\n\
         1:9: listen.admin: ([::1]:9464, the default) overlaps with listen.otlp_grpc[1]; give \
         one of them another port",
    );
    check(
        r#"listen:
  otlp_grpc: 0.0.0.0:1
  otlp_http: ['127.0.0.1:1', '[::1]:1']
  admin: ['[::ffff:10.0.0.1]:1', '[::]:2']
"#,
        "3:15: listen.otlp_http[0]: \"127.0.0.1:1\" overlaps with listen.otlp_grpc; give one of \
         them another port\n\
         4:11: listen.admin[0]: \"[::ffff:10.0.0.1]:1\" overlaps with listen.otlp_grpc; give one \
         of them another port",
    );
    check(
        "listen: { otlp_grpc: [localhost:1, '127.0.0.1:1'] }",
        "1:36: listen.otlp_grpc[1]: \"127.0.0.1:1\" overlaps with listen.otlp_grpc[0]; give one \
         of them another port",
    );
    check(
        "listen: { admin: [] }",
        "1:18: listen.admin: is an empty list; metrics and health would be out of reach; remove \
         the key for the default",
    );
    check(
        &format!("listen: {{ admin: [{}] }}", vec!["a"; 17].join(",")),
        "1:18: listen.admin: has 17 entries; 16 are the most",
    );
    check(
        "listen: { admin: { a: b } }",
        "1:18: listen.admin: is a section of keys and must be a list",
    );
    check(
        "listen: { admin: [[a], ~] }",
        "1:19: listen.admin[0]: is a list and must be one value\n\
        1:24: listen.admin[1]: is null and must be one value",
    );
}

#[test]
fn limits() {
    check(
        "limits: { request_bytes: 64MiB }",
        "1:26: limits.request_bytes: a request may hold twice its \"64MiB\" (compressed and \
         plain), but limits.memory is (64MiB, the default); raise limits.memory to 128MiB or \
         lower limits.request_bytes",
    );
    check(
        "limits: { memory: 1KiB }",
        "1:19: limits.memory: a request may hold twice its (20MiB, the default) (compressed and \
         plain), but limits.memory is \"1KiB\"; raise limits.memory to 40MiB or lower \
         limits.request_bytes",
    );
    assert_eq!(faults("limits: { memory: 2KiB, request_bytes: 1KiB }"), "fine");
    // One fault is not told twice: what memory would be is not known.
    check(
        "limits: { memory: 1GB., request_bytes: 64MiB }",
        "1:19: limits.memory: \"1GB.\" is no size; write a number with B, KiB, MiB or GiB, such as \
         64MiB",
    );
    check(
        r#"limits:
  memory: 65GiB
  request_bytes: 0B
  spans_per_request: -1
  series: 1000001
  series_expire: 0s
  connections: 1e3
  streams_per_connection: 4294967296
  header_timeout: 30
  body_timeout: 2h
"#,
        r#"
2:11: limits.memory: "65GiB" is out of bounds; use 1KiB to 64GiB
3:18: limits.request_bytes: "0B" is out of bounds; use 1KiB to 1GiB
4:22: limits.spans_per_request: "-1" is no whole number; write digits only, such as 20000
5:11: limits.series: "1000001" is out of bounds; use 1 to 1000000
6:18: limits.series_expire: "0s" is out of bounds; use 1s to 31d
7:16: limits.connections: "1e3" is no whole number; write digits only, such as 20000
8:27: limits.streams_per_connection: "4294967296" is out of bounds; use 1 to 1000
9:19: limits.header_timeout: "30" is no duration; write numbers with ms, s, m, h or d, such as 30s
    or 1h30m
10:17: limits.body_timeout: "2h" is out of bounds; use 10ms to 1h"#,
    );
    check(
        "data_dir: ''",
        "1:11: data_dir: \"\" is no directory; write a path, such as ./redora-data",
    );
}

#[test]
fn red() {
    check(
        r#"red:
  dimensions: [service, http.route, http_route, '...', le, status.code]
  native_histograms: yes
  exemplars: [true]
"#,
        r#"
2:16: red.dimensions[0]: "service" would become the label `service`, which the metric has already;
    choose another attribute
2:37: red.dimensions[2]: "http_route" would become the same label as red.dimensions[1]; remove one
2:49: red.dimensions[3]: "..." is no attribute for a label; write an attribute's key with a letter
    or digit, at most 256 bytes, such as http.route
2:56: red.dimensions[4]: "le" would become the label `le`, which the metric has already; choose
    another attribute
2:60: red.dimensions[5]: "status.code" would become the label `status_code`, which the metric has
    already; choose another attribute
3:22: red.native_histograms: "yes" is no switch; write true or false
4:14: red.exemplars: is a list and must be one value"#,
    );
    for label in ["service", "operation", "kind", "outcome", "status", "tenant", "le"] {
        let text = faults(&format!("red: {{ compat: none, dimensions: [{label}] }}"));
        assert!(text.contains("which the metric has already"), "{text}");
    }
    let labels = (0..17).map(|i| format!("a{i}")).collect::<Vec<_>>().join(",");
    check(
        &format!("red: {{ dimensions: [{labels}] }}"),
        "1:20: red.dimensions: has 17 entries; 16 are the most",
    );
    check(
        "red: { buckets: [1, 0.5, .inf, 0, x, 2, 2] }",
        r#"
1:21: red.buckets[1]: "0.5" does not rise above the bound before it; sort the bounds and remove
    repeated ones
1:26: red.buckets[2]: ".inf" is no bound in seconds; write a number from 1e-9 to 1e9, such as 0.25
1:32: red.buckets[3]: "0" is no bound in seconds; write a number from 1e-9 to 1e9, such as 0.25
1:35: red.buckets[4]: "x" is no bound in seconds; write a number from 1e-9 to 1e9, such as 0.25
1:41: red.buckets[6]: "2" does not rise above the bound before it; sort the bounds and remove
    repeated ones"#,
    );
    check(
        "red: { buckets: [], compat: [] }",
        "1:17: red.buckets: is an empty list; write at least one bound, or remove the key for \
         the default\n\
         1:29: red.compat: is an empty list; write none to keep no other names, or remove the \
         key for the default",
    );
    check(
        "red: { compat: [none, tempo] }",
        "1:17: red.compat[0]: none stands alone; remove it or the other families",
    );
    check(
        "red: { compat: [tempo, tempo, otel] }",
        "1:24: red.compat[1]: \"tempo\" stands twice in the list; remove one\n\
         1:31: red.compat[2]: \"otel\" is no family of metrics; write tempo, spanmetrics or none",
    );
}

#[test]
fn log_rules() {
    check(
        r#"log_metrics:
- name: records
- name: a
- name: a
- match: {}
- name: ${UNSET:-}
- name: A
- name: errors_total
- x
-
"#,
        r#"
2:9: log_metrics[0].name: "records" would count into redora_log_records_total, which exists
    already; choose another name
4:9: log_metrics[2].name: "a" is already the name of log_metrics[1].name; names are unique
5:3: log_metrics[3].name: is missing; give the rule a name, such as payment_declined
6:3: log_metrics[4].name: is missing; give the rule a name, such as payment_declined
7:9: log_metrics[5].name: "A" is no name for a metric; start with a lower-case letter, go on with
    lower-case letters, digits and underscores, at most 64 in all, and leave out an ending of
    _total or _created
8:9: log_metrics[6].name: "errors_total" is no name for a metric; start with a lower-case letter,
    go on with lower-case letters, digits and underscores, at most 64 in all, and leave out an
    ending of _total or _created
9:3: log_metrics[7]: is a single value and must be a section of keys
10:2: log_metrics[8].name: is missing; give the rule a name, such as payment_declined"#,
    );
    check(
        r#"log_metrics:
- name: a
  match:
    severity: WARNING
    body: ''
    body_regex: (
    attributes: [a]
  labels: [service.name, service, a.b, a_b, tenant]
"#,
        r#"
4:15: log_metrics[0].match.severity: "WARNING" is no range of severities; write ">=WARN",
    "<=INFO", ERROR or WARN..ERROR with TRACE, DEBUG, INFO, WARN, ERROR, FATAL or, by itself,
    UNSPECIFIED
5:11: log_metrics[0].match.body: "" is no text to search for; write at least one character, or
    remove the key
6:17: log_metrics[0].match.body_regex: stands beside body; keep one of the two
6:17: log_metrics[0].match.body_regex: "(" is no regular expression (unclosed group); escape
    special characters with a backslash
7:17: log_metrics[0].match.attributes: is a list and must be a map of keys and values
8:26: log_metrics[0].labels[1]: "service" would become the label `service`, which the metric has
    already; choose another attribute
8:40: log_metrics[0].labels[3]: "a_b" would become the same label as log_metrics[0].labels[2];
    remove one
8:45: log_metrics[0].labels[4]: "tenant" would become the label `tenant`, which the metric has
    already; choose another attribute"#,
    );
    check(
        "log_metrics: [{ name: a, match: { body_regex: '(\\w{100}){100}{10}' } }]",
        "1:47: log_metrics[0].match.body_regex: \"(\\\\w{100}){100}{10}\" compiles to more than \
         1048576 bytes; lower its repetition counts",
    );
    check(
        "log_metrics: [{ name: a, match: { attributes: { a.b: [1], 'c d': ~ } } }]",
        "1:54: log_metrics[0].match.attributes.a.b: is a list and must be one value\n\
         1:66: log_metrics[0].match.attributes.\"c d\": is null and must be one value",
    );
    check("log_metrics: { name: a }", "1:14: log_metrics: is a section of keys and must be a list");
    check("log_metrics: a", "1:14: log_metrics: is a single value and must be a list");
    let rules = "- name: a\n".repeat(65);
    check(&format!("log_metrics:\n{rules}"), "2:3: log_metrics: has 65 entries; 64 are the most");
    let long = "a".repeat(65);
    assert!(
        faults(&format!("log_metrics: [{{ name: {long} }}]")).contains("is no name for a metric")
    );
    assert_eq!(faults(&format!("log_metrics: [{{ name: {} }}]", &long[1..])), "fine");
}

#[test]
fn sources_of_delivery_that_cannot_be_meant() {
    check(
        r#"
delivery:
  schedule: "*/5 * * * *"
  time_zone: Mars/Olympus
  history: 30s
  github: { api_url: "https://me:secret@github.example.org", token: "a b", pat: 1 }
  repositories:
    - { repo: shop, service: "" }
    - { service: shop }
    - { repo: acme/shop, deployments: { enviroment: production, releases: perhaps } }
    - { repo: acme/tool, deployments: { prereleases: true, tags: ["v*", "/"] } }
  git:
    - { repo: acme/shop }
    - { path: /src/shop.git, tags: "", paths: ["a//b"] }
  incidents:
    - { service: shop }
    - { jsonl: /a, webhook: true }
    - { alertmanager: 1, pagerduty: "" }
"#,
        r#"
3:13: delivery.schedule: "*/5 * * * *" is no schedule; write a cron expression with seconds that
    comes true some day, such as "0 */5 * * * *" for every five minutes
4:14: delivery.time_zone: "Mars/Olympus" is no time zone; write a name of the IANA database, such
    as Europe/Berlin or UTC
5:12: delivery.history: "30s" is out of bounds; use 1m to 10980d
6:22: delivery.github.api_url: (secret) is no address; write it like https://api.github.com, or for
    an Enterprise Server https://<host>/api/v3, without user, password or query
6:69: delivery.github.token: (secret) is no token; use 1 to 4096 visible ASCII characters without
    spaces
6:76: delivery.github.pat: is no known key; remove it
8:15: delivery.repositories[0].repo: "shop" is no repository; write owner/name, such as acme/shop
9:7: delivery.repositories[1].repo: is missing; write owner/name, such as acme/shop
10:41: delivery.repositories[2].deployments.enviroment: is no known key; did you mean
    `environment`?
10:75: delivery.repositories[2].deployments.releases: "perhaps" is no switch; write true or false
11:54: delivery.repositories[3].deployments.prereleases: counts beside releases: true; add that, or
    remove this
11:73: delivery.repositories[3].deployments.tags[1]: "/" is no pattern; write it like v* or
    services/shop/**
13:7: delivery.git[0].path: is missing; write a path, such as /src/shop.git
14:36: delivery.git[1].tags: "" is no pattern; write it like v* or services/shop/**
14:48: delivery.git[1].paths[0]: "a//b" is no pattern; write it like v* or services/shop/**
16:7: delivery.incidents[0]: names 0 tellers of incidents; give exactly one of jsonl, statuspage,
    github_labels, alertmanager, pagerduty or webhook
17:7: delivery.incidents[1]: names 2 tellers of incidents; give exactly one of jsonl, statuspage,
    github_labels, alertmanager, pagerduty or webhook
18:23: delivery.incidents[2].alertmanager: "1" is no switch; write true or false
18:37: delivery.incidents[2].pagerduty: (secret) is no token; use 1 to 4096 visible ASCII
    characters without spaces"#,
    );
    check(
        "delivery: { repositories: [{ repo: acme/shop }] }",
        "1:11: delivery.github.token: is missing; give a token that may read the repositories, \
         such as ${file:/run/secrets/github}, or delivery.github.app",
    );
    let config = right("delivery: { github: { token: t }, repositories: [{ repo: acme/shop }] }");
    assert_eq!(config.delivery.repositories[0].service, "shop", "named after the repository");
}

#[test]
fn a_github_app_has_a_key_that_can_sign() {
    let with = |app: &str| {
        format!("delivery: {{ github: {{ app: {app} }}, repositories: [{{ repo: acme/shop }}] }}")
    };
    let whole = r#"{ id: 123456, private_key: "${file:app.pem}", installation: 42 }"#;
    let config = right(&with(whole));
    let app = config.delivery.github.app.as_ref().expect("an app was given");
    assert_eq!((app.id.as_str(), app.installation), ("123456", Some(42)));
    let printed = format!("{config:?}");
    assert!(printed.contains("key: (secret)") && !printed.contains("MII"), "{printed}");
    let text = String::from_utf8(APP_KEY.to_vec()).expect("PEM is text").replace('\n', "\n    ");
    right(&format!("delivery:\n github:\n  app:\n   id: Iv1.8a61\n   private_key: |\n    {text}"));
    check(
        &with("{}"),
        r#"
1:28: delivery.github.app.id: is missing; write the App id or the client id of the App's settings
    page, such as 123456 or Iv23liAbCdEfGhIjKlMn
1:28: delivery.github.app.private_key: is missing; give the text of the .pem file that GitHub handed
    out, such as ${file:/run/secrets/app.pem}"#,
    );
    check(
        &with(r#"{ id: my app, private_key: "${file:token}", installation: 0 }"#),
        r#"
1:34: delivery.github.app.id: "my app" is no id of a GitHub App; write the App id or the client id
    of the App's settings page, such as 123456 or Iv23liAbCdEfGhIjKlMn
1:55: delivery.github.app.private_key: holds no PEM private key; give the text of the .pem file that
    GitHub handed out, with its line breaks, such as ${file:/run/secrets/app.pem}
1:86: delivery.github.app.installation: "0" is out of bounds; use 1 to 18446744073709551615"#,
    );
    check(
        r#"delivery: { github: { token: t, app: { id: 1, private_key: "${file:app.pem}" } } }"#,
        "1:38: delivery.github.app: stands beside token; keep one of the two",
    );
    let text = faults(&with("{ id: 1, private_key: hunter2 }"));
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn files_are_read_within_bounds() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("redora.yaml");
    let unset = |_: &str| None;
    let told = |path: &Path| {
        let faults = load(path, &unset, &read_file, &list_folder).expect_err("a fault").to_string();
        faults.replace(&directory.path().display().to_string(), "DIR")
    };
    assert_eq!(told(&path), "DIR/redora.yaml: cannot be read: entity not found");
    std::fs::write(directory.path().join("token"), "s3cret\n").expect("written");
    std::fs::write(&path, "admin_token: ${file:token}\n").expect("written");
    let config = load(&path, &unset, &read_file, &list_folder).expect("a sound file");
    assert_eq!(config.admin.token.expect("a token").expose(), "s3cret");
    std::fs::write(&path, b"data_dir: a\nadmin_token: \xE4\n").expect("written");
    assert_eq!(told(&path), "DIR/redora.yaml:2:14: is no UTF-8 text here; save the file as UTF-8");
    std::fs::write(&path, vec![b'#'; 1 << 20]).expect("written");
    assert!(load(&path, &unset, &read_file, &list_folder).is_ok());
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).expect("written");
    assert_eq!(
        told(&path),
        "DIR/redora.yaml: has more than 1048576 bytes; a configuration stays below that"
    );
    check(
        &"#".repeat((1 << 20) + 1),
        " has more than 1048576 bytes; a configuration stays below that",
    );
}

#[test]
fn long_values_are_clipped_in_faults() {
    let text = faults(&format!("limits: {{ memory: {} }}", "9".repeat(10_000)));
    assert!(text.len() < 300 && text.contains("99…\" is no size"), "{text}");
    let text = faults(&format!("limits: {{ '{}': 1 }}", "k".repeat(900)));
    assert!(text.len() < 300, "{text}");
}
