//! The command line as scripts see it: the real binary, its exit codes, and what goes to stdout and
//! to stderr.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use redora_collector::ledger::Ledger;
use tempfile::TempDir;

fn redora() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redora"));
    // What the developer's own shell exports must not decide a test.
    command.env_clear().stdin(Stdio::null());
    command
}

/// Exit code, stdout, stderr.
fn answer(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn ask(words: &[&str]) -> (i32, String, String) {
    answer(redora().args(words))
}

/// The words that stand first on the lines of the section.
fn commands(help: &str) -> Vec<&str> {
    let section = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    section.lines().filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn help_lists_exactly_the_commands_that_exist() {
    for flag in ["--help", "-h"] {
        let (code, stdout, stderr) = ask(&[flag]);
        assert_eq!((code, stderr.as_str()), (0, ""));
        assert_eq!(
            commands(&stdout),
            ["run", "check", "health", "render", "slo", "dora", "completions"]
        );
    }
    assert!(ask(&["--help"]).1.contains("Exit codes: 0 done, 1 failed while running, 2 wrong"));
}

#[test]
fn every_command_explains_itself_with_examples() {
    for command in ["run", "check", "health", "render", "completions"] {
        let (code, stdout, stderr) = ask(&[command, "--help"]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{command}");
        assert!(stdout.contains(&format!("Usage: redora {command}")), "{stdout}");
        assert!(stdout.contains("Examples:\n"), "{stdout}");
    }
}

#[test]
fn render_writes_what_is_committed_and_check_only_looks() {
    let root = env!("CARGO_MANIFEST_DIR");
    assert_eq!(ask(&["render", "--check", "--out", root]), (0, String::new(), String::new()));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let render = |words: &[&str]| ask(&[&["render", "--out", out], words].concat());

    let (code, stdout, stderr) = render(&["--check"]);
    assert_eq!((code, stdout.as_str(), stderr.lines().count()), (1, "", 18), "{stderr}");
    assert!(stderr.contains("alerts/rules/slo.yaml is stale; run redora render"), "{stderr}");
    assert_eq!(std::fs::read_dir(out).unwrap().count(), 0);

    let (code, stdout, _) = render(&[]);
    assert!(code == 0 && stdout.starts_with("wrote "), "{stdout}");
    assert_eq!(render(&["--check"]).0, 0);
    let (code, stdout, _) = render(&[]);
    assert!(code == 0 && stdout.lines().all(|line| line.starts_with("kept ")), "{stdout}");
    for name in ["alerts/rules/slo.yaml", "alerts/grafana/rules.yaml", "dashboards/redora-red.json"]
    {
        let read = |base: &str| std::fs::read_to_string(format!("{base}/{name}")).unwrap();
        assert_eq!(read(out), read(root));
    }

    let grafana = ["--dashboards", "https://grafana.example/"];
    assert_eq!(render(&[&grafana[..], &["--check"]].concat()).0, 1);
    assert_eq!(render(&grafana).0, 0);
    let rules = std::fs::read_to_string(format!("{out}/alerts/rules/slo.yaml")).unwrap();
    assert!(rules.contains("\"https://grafana.example/d/redora-slo?"));

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (code, _, stderr) = ask(&["render", "--out", file.to_str().unwrap()]);
    assert!(code == 1 && stderr.contains("Not a directory"), "{stderr}");
}

/// What promtool is given beside the committed rules: rendered from a file of objectives, too.
#[test]
fn objectives_over_metrics_of_others_are_rendered_from_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let queried = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/promtool/queried");
    let render = |config: &str, words: &[&str]| {
        ask(&[&["render", "--out", out, "--config", config], words].concat())
    };
    let (some, rules) = (format!("{queried}/redora.yaml"), "alerts/rules/objectives.yaml");
    let none = folder.path().join("none.yaml");
    std::fs::write(&none, "").unwrap();
    let none = none.to_str().unwrap();
    let path = folder.path().join(rules);

    assert_eq!(render(none, &[]).0, 0);
    assert!(!path.exists());
    let (code, _, stderr) = render(&some, &["--check"]);
    assert_eq!((code, stderr.lines().count()), (1, 1));
    assert!(stderr.contains(&format!("{rules} is stale; run redora render")), "{stderr}");
    assert_eq!(render(&some, &[]).0, 0);
    assert_eq!(render(&some, &["--check"]), (0, String::new(), String::new()));

    let rendered = std::fs::read_to_string(&path).unwrap();
    let golden = format!("{queried}/rules.yaml");
    if std::fs::read_to_string(&golden).unwrap_or_default() != rendered {
        std::fs::write(&golden, &rendered).unwrap();
        panic!("{golden} was out of date and has been written anew; commit it");
    }

    assert_eq!(ask(&["render", "--out", out, "--check"]).0, 0, "no configuration, no opinion");
    let (code, _, stderr) = render(none, &["--check"]);
    assert_eq!((code, stderr.lines().count()), (1, 1));
    assert!(stderr.contains(&format!("{rules} is of no objective; run redora render")), "{stderr}");
    let (code, stdout, _) = render(none, &[]);
    assert_eq!(code, 0);
    assert!(stdout.ends_with(&format!("removed {}\n", path.display())), "{stdout}");
    assert!(!path.exists());

    std::fs::write(&path, "groups: []\n").unwrap();
    assert_eq!(render(none, &["--check"]).0, 0, "a file of somebody else's");
    assert_eq!(render(none, &[]).0, 0);
    assert!(path.exists());
    let (code, stdout, stderr) = render("/nowhere.yaml", &[]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("cannot be read"), "{stderr}");
}

#[test]
fn delivery_keeps_its_facts_in_a_ledger_that_nothing_foreign_is_taken_for() {
    let (code, stdout, _) = ask(&["dora", "--help"]);
    assert_eq!(
        (code, commands(&stdout)),
        (0, vec!["import", "export", "report", "backfill", "explain"])
    );
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("redora.yaml");
    std::fs::write(&config, format!("data_dir: {}\n", folder.path().display())).unwrap();
    let config = config.to_str().unwrap();
    let dora = |words: &[&str]| ask(&[&["dora"], words, &["--config", config]].concat());

    let (code, stdout, stderr) = dora(&["report"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("there is no ledger at"), "{stderr}");
    assert_eq!(dora(&["explain", "rework_ratio"]).2, stderr);
    let (code, _, stderr) = dora(&["import", "/nowhere/facts.jsonl"]);
    assert!(code == 1 && stderr.contains("/nowhere/facts.jsonl: No such file"), "{stderr}");
    for (words, fault) in [
        (["report", "--window", "30"], "such as 30d or 4w"),
        (["report", "--at", "yesterday"], "2026-11-01T00:00:00Z"),
        (["report", "--time-zone", "Mars"], "Europe/Berlin"),
        (["explain", "mttr", "--window=30d"], "deployments, lead_time, change_failure_ratio"),
    ] {
        let (code, _, stderr) = dora(&words);
        assert!(code == 2 && stderr.contains(fault), "{stderr}");
    }
    std::fs::write(folder.path().join("ledger.sqlite"), "a diary").unwrap();
    let (code, _, stderr) = dora(&["report"]);
    assert!(code == 1 && stderr.contains("ledger.sqlite is no ledger"), "{stderr}");
}

#[test]
fn delivery_is_read_while_another_process_collects_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("redora.yaml");
    std::fs::write(&config, format!("data_dir: {}\n", folder.path().display())).unwrap();
    let config = config.to_str().unwrap();
    let dora = |words: &[&str]| ask(&[&["dora"], words, &["--config", config]].concat());
    let facts = folder.path().join("facts.jsonl");
    std::fs::write(&facts, DEPLOYMENT).unwrap();
    let facts = facts.to_str().unwrap();
    assert_eq!(dora(&["import", facts]).0, 0);

    let held = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    let (code, _, stderr) = dora(&["import", facts]);
    assert!(code == 1 && stderr.contains("in use by another redora"), "{stderr}");
    assert_eq!(dora(&["export"]), (0, DEPLOYMENT.to_owned(), String::new()));
    let (code, stdout, stderr) = dora(&["report", "--at", "2026-01-02T00:00:00Z"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("shop"), "{stdout}");
    drop(held);
}

#[test]
fn a_dry_run_says_what_there_is_to_read_and_leaves_everything_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("incidents.jsonl"), "{}\n").unwrap();
    let write = |log: &str| {
        let delivery = format!("delivery: {{ incidents: [{{ jsonl: {} }}] }}", path(log));
        let text = format!("data_dir: {}\n{delivery}\n", path("data"));
        std::fs::write(path("redora.yaml"), text).unwrap();
    };
    write("incidents.jsonl");
    let config = path("redora.yaml");
    let backfill =
        |words: &[&str]| ask(&[&["dora", "backfill", "--config", &config], words].concat());

    let (code, stdout, stderr) = backfill(&["--dry-run"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let row: Vec<&str> = stdout.lines().nth(1).unwrap().split_whitespace().skip(1).collect();
    assert_eq!(row, ["bytes", "new", "-", "3", "0", "0", "0"], "{stdout}");
    assert!(!folder.path().join("data").exists(), "nothing is made");
    let (code, stdout, _) = backfill(&["--dry-run", "--format", "json"]);
    let planned: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &planned["sources"][0]["ahead"][0]["objects"]), (0, &3.into()));

    let (code, stdout, stderr) = backfill(&[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("1 set aside"), "{stdout}");
    assert!(stderr.contains(": 3 bytes: about 1 s\n"), "{stderr}");
    let stored = std::fs::read(folder.path().join("data/ledger.sqlite")).unwrap();
    let (_, stdout, _) = backfill(&["--dry-run"]);
    assert!(stdout.contains("present  -      0"), "{stdout}");
    assert!(stored == std::fs::read(folder.path().join("data/ledger.sqlite")).unwrap());

    write("nothing.jsonl");
    let (code, stdout, stderr) = backfill(&["--dry-run"]);
    assert_eq!((code, stdout.as_str(), stderr.lines().count()), (2, "", 1), "{stderr}");
    assert_eq!(backfill(&[]).2, stderr, "a backfill says the same");
    std::fs::write(&config, "delivery: { repositories: [{ repo: o/r }] }\n").unwrap();
    let (code, _, stderr) = backfill(&["--dry-run"]);
    assert_eq!((code, stderr), (2, backfill(&[]).2), "and of a faulty file as well");
}

const DEPLOYMENT: &str = concat!(
    r#"{"source":"test","id":"1","as_of_ms":1767225600000,"deployment":{"repository":"o/shop","#,
    r#""service":"shop","environment":"production","created_ms":1767225600000,"revision":"9d59","#,
    r#""statuses":[{"at_ms":1767225600000,"state":"success"}]}}"#,
    "\n"
);

/// Answers everything with this, until a connection says nothing; then tells what was asked.
fn serve(response: &'static str) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let mut asked = Vec::new();
        loop {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let lines: Vec<String> =
                reader.by_ref().lines().map(Result::unwrap).take_while(|l| !l.is_empty()).collect();
            let Some(line) = lines.into_iter().next() else { return asked };
            asked.push(line);
            reader.into_inner().write_all(response.as_bytes()).unwrap();
        }
    });
    (address, server)
}

#[test]
fn a_key_of_another_app_is_one_line_and_exit_code_2() {
    let (address, server) = serve(
        "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n\
         {\"message\":\"A JSON web token could not be decoded\"}",
    );
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/collector/tests/data/github-app/app.pem");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("redora.yaml");
    let text = format!(
        "data_dir: {}\ndelivery:\n  github:\n    api_url: http://{address}\n    \
         app: {{ id: 1, private_key: \"${{file:{key}}}\" }}\n  \
         repositories: [{{ repo: acme/shop }}]\n",
        folder.path().display()
    );
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    assert_eq!(ask(&["check", "--config", config]).0, 0, "the key is one, whosever it is");
    let (code, _, stderr) = ask(&["dora", "backfill", "--config", config]);
    drop(std::net::TcpStream::connect(&address).unwrap());
    let asked = server.join().unwrap();
    // The plan asks before the reading does.
    assert_eq!(asked, ["GET /repos/acme/shop/installation HTTP/1.1"; 2]);
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    assert_eq!(ledger.cursor("github:acme/shop", "place").unwrap(), None, "the past is to come");
    assert_eq!((code, stderr.lines().count()), (2, 1), "{stderr}");
    assert!(stderr.contains("give the id and a private key of the same App"), "{stderr}");
}

#[test]
fn the_version_is_that_of_the_package() {
    let (code, stdout, stderr) = ask(&["--version"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let version = concat!("redora ", env!("CARGO_PKG_VERSION"));
    assert!(stdout.starts_with(version) && stdout.ends_with('\n'), "{stdout}");
}

#[test]
fn wrong_usage_exits_2_and_says_why_on_stderr() {
    let cases: [(&[&str], &str); 10] = [
        (&["fly"], "unrecognized subcommand 'fly'"),
        (&["demo"], "unrecognized subcommand 'demo'"),
        (&["--port", "1"], "unexpected argument '--port'"),
        (&["run", "--log-format", "xml"], "possible values: text, json"),
        (&["run", "--log-level", "verbose"], "--log-level: `verbose` is no log level"),
        (&["health", "--url", "https://localhost"], "only http is built in"),
        (&["health", "--timeout", "soon"], "500ms, 3s or 1m"),
        (&["completions", "cobol"], "possible values: bash"),
        (&["completions"], "<SHELL>"),
        (&["dora", "backfill", "--format", "json"], "--dry-run"),
    ];
    for (words, reason) in cases {
        let (code, stdout, stderr) = ask(words);
        assert_eq!((code, stdout.as_str()), (2, ""), "{words:?}");
        assert!(stderr.starts_with("error: ") && stderr.contains(reason), "{words:?}: {stderr}");
    }
    let (code, _, stderr) = answer(redora().env("REDORA_LOG", "verbose"));
    assert_eq!(code, 2);
    assert!(stderr.contains("REDORA_LOG: `verbose` is no log level"), "{stderr}");
    let (code, _, stderr) = answer(redora().env("REDORA_LOG_FORMAT", "xml"));
    assert_eq!(code, 2);
    assert!(stderr.contains("REDORA_LOG_FORMAT: `xml` is no log format"), "{stderr}");
}

const GOOD: &str = "listen: { admin: [\"127.0.0.1:9999\"] }\nlimits: { memory: 128MiB }\n";
const BAD: &str = "listn: {}\nlimits:\n  memory: lots\n  series: -1\n";

fn file(text: &str) -> (TempDir, String) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("redora.yaml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (directory, path)
}

#[test]
fn check_accepts_a_good_file_and_says_what_would_run() {
    let (_directory, path) = file(GOOD);
    let (code, stdout, stderr) = ask(&["check", "--config", &path]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with(&format!("{path}: ok\n")), "{stdout}");
    assert!(stdout.contains("127.0.0.1:9999") && stdout.contains("memory 128MiB"), "{stdout}");

    let by_variable = answer(redora().arg("check").env("REDORA_CONFIG", &path));
    assert_eq!(by_variable, (0, stdout, String::new()));
    let defaults = answer(redora().arg("check").env("REDORA_CONFIG", ""));
    assert!(defaults.1.starts_with("built-in defaults: ok\n"), "{defaults:?}");
}

#[test]
fn check_and_run_name_every_fault_of_a_bad_file() {
    let (_directory, path) = file(BAD);
    for words in [&["check", "--config", &path][..], &["run", "-c", &path], &["--config", &path]] {
        let (code, stdout, stderr) = ask(words);
        assert_eq!((code, stdout.as_str()), (2, ""), "{words:?}");
        assert!(stderr.starts_with(&format!("error: 3 faults in {path}\n")), "{stderr}");
        for place in [":1:1: listn: ", ":3:11: limits.memory: ", ":4:11: limits.series: "] {
            assert!(stderr.contains(&format!("\n{path}{place}")), "{place} in {stderr}");
        }
    }
}

#[test]
fn a_missing_file_is_a_wrong_configuration() {
    let (code, stdout, stderr) = ask(&["check", "--config", "no/such/file.yaml"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("no/such/file.yaml: cannot be read"), "{stderr}");
}

#[test]
fn completions_know_the_commands_and_survive_a_reader_that_leaves() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, stdout, _) = ask(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(stdout.contains("health") && stdout.contains("log-format"), "{shell}");
    }
    let mut command = redora();
    command.args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

/// Answers one request with these bytes and returns the request line.
fn serve_once(response: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        while !lines.next().unwrap().unwrap().is_empty() {}
        socket.write_all(response.as_bytes()).unwrap();
        first
    });
    (url, served)
}

#[test]
fn health_against_nothing_exits_1_with_a_clear_message() {
    // A bound and dropped port is closed for the moment of the test.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let (code, stdout, stderr) = ask(&["health", "--url", &url]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.starts_with(&format!("error: {url}/readyz: cannot connect")), "{stderr}");
    assert!(stderr.contains("is redora running"), "{stderr}");
}

#[test]
fn health_follows_the_answer_of_the_agent() {
    let (url, served) = serve_once("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nready\n");
    assert_eq!(ask(&["health", "--url", &url]), (0, "ready\n".into(), String::new()));
    assert_eq!(served.join().unwrap(), "GET /readyz HTTP/1.1");

    let (url, served) =
        serve_once("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 9\r\n\r\ndraining\n");
    let (code, _, stderr) = ask(&["health", "--url", &url]);
    assert_eq!(code, 1);
    assert!(stderr.contains("not ready: 503 Service Unavailable: draining\n"), "{stderr}");
    served.join().unwrap();

    let (url, served) = serve_once("SSH-2.0-OpenSSH_9.9\r\n\r\n");
    let (code, _, stderr) = ask(&["health", "--url", &url]);
    assert_eq!(code, 1);
    assert!(stderr.contains("the answer is not HTTP"), "{stderr}");
    served.join().unwrap();
}

#[test]
fn health_does_not_wait_longer_than_it_was_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (code, _, stderr) = ask(&["health", "--url", &url, "--timeout", "50ms"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("no answer within 50 ms"), "{stderr}");
}

/// Any free port for every listener, so that runs do not meet.
const ANYWHERE: &str = "listen:
  otlp_grpc: [\"127.0.0.1:0\"]
  otlp_http: [\"127.0.0.1:0\"]
  admin: [\"127.0.0.1:0\"]
";

/// A running agent that listens to signals, and the rest of its log.
fn start(command: &mut Command) -> (Child, BufReader<ChildStderr>) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("starting") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the agent ended before it started");
    }
    (child, log)
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

#[test]
fn a_stop_signal_drains_and_exits_0_and_a_hangup_does_not_end_the_run() {
    let (_directory, path) = file(ANYWHERE);
    for name in ["TERM", "INT"] {
        let (mut child, mut log) = start(redora().args(["run", "--config", &path]));
        signal(&child, "HUP");
        signal(&child, name);
        let mut rest = String::new();
        log.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}: {rest}");
        assert!(rest.contains(&format!("stopping signal=\"SIG{name}\"")), "{rest}");
        assert!(!rest.contains('\x1b'), "colours only belong on a terminal: {rest}");
    }
}

#[test]
fn a_json_log_is_one_object_a_line() {
    let (_directory, path) = file(ANYWHERE);
    let words = ["--config", &path, "--log-format", "json"];
    let mut child = redora().args(words).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let first: serde_json::Value = serde_json::from_str(&log.next().unwrap().unwrap()).unwrap();
    assert_eq!(first["message"], "starting");
    assert_eq!(first["level"], "INFO");
    assert_eq!(first["config"], path);
    assert_eq!(first["version"], env!("CARGO_PKG_VERSION"));
    signal(&child, "TERM");
    for line in log {
        let line = line.unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&line).unwrap().is_object(), "{line}");
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn own_traces_reach_the_named_endpoint_before_the_process_ends() {
    let (_directory, path) = file(ANYWHERE);
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", backend.local_addr().unwrap());
    let (mut child, _log) =
        start(redora().args(["-c", &path]).env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint));
    signal(&child, "TERM");

    let (mut socket, _) = backend.accept().unwrap();
    let mut request = BufReader::new(socket.try_clone().unwrap());
    let mut length = 0;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        request.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    request.read_exact(&mut body).unwrap();
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();

    let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    assert!(spans.iter().any(|span| span.name == "boot"), "{spans:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn own_traces_that_are_not_built_are_a_warning_and_no_failure() {
    let (_directory, path) = file(ANYWHERE);
    let mut command = redora();
    command.args(["-c", &path]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    log.read_line(&mut line).unwrap();
    assert!(line.contains("own traces are off") && line.contains("`grpc`"), "{line}");
    while !line.contains("starting") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0);
    }
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
