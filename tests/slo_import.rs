//! Files of Sloth, Pyrra and OpenSLO through the real binary: what it prints and what it says are
//! golden files beside them, and `redora check` has the last word on whether the output is good.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use redora::config::{Problem, import};

const DATA: &str = "tests/data/import";

/// Exit code, stdout, stderr; run where the tests stand, so that names of files are the same
/// everywhere.
fn redora(words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redora"));
    command.args(words).env_clear().stdin(Stdio::null());
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Every file of another tool, by its path from the package on.
fn examples() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let below = |path: &str| {
        let mut names: Vec<String> = fs::read_dir(root.join(path))
            .unwrap()
            .map(|entry| format!("{path}/{}", entry.unwrap().file_name().to_str().unwrap()))
            .collect();
        names.sort();
        names
    };
    let files = below(DATA).into_iter().flat_map(|folder| below(&folder));
    files.filter(|name| name.ends_with(".yaml") && !name.ends_with(".redora.yaml")).collect()
}

/// Holds a text against its file, which is written anew where they differ.
fn golden(name: &str, text: &str, stale: &mut Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if fs::read_to_string(&path).unwrap_or_default() != text {
        fs::write(&path, text).unwrap();
        stale.push(name.to_owned());
    }
}

/// A configuration that lists one file, in a folder of its own.
fn listing(file: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("redora.yaml");
    let text = format!("data_dir: {}\nslos: {}\n", folder.path().display(), file.display());
    fs::write(&config, text).unwrap();
    (folder, config)
}

#[test]
fn files_come_over_as_their_golden_files_say() {
    let mut stale = Vec::new();
    let examples = examples();
    assert_eq!(examples.len(), 8, "{examples:?}");
    for name in &examples {
        let (code, stdout, stderr) = redora(&["slo", "import", name]);
        assert_eq!(code, i32::from(name.ends_with("/lost.yaml")), "{name}: {stderr}");
        let stem = name.strip_suffix(".yaml").unwrap();
        golden(&format!("{stem}.redora.yaml"), &stdout, &mut stale);
        golden(&format!("{stem}.notes"), &stderr, &mut stale);
    }
    assert!(stale.is_empty(), "written anew, look at the difference: {stale:?}");
}

#[test]
fn what_is_written_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("imported.yaml");
    let all = examples();
    for name in &all {
        redora(&["slo", "import", "--out", out.to_str().unwrap(), name]);
        let objectives = fs::read_to_string(&out).unwrap().matches("\n- name: ").count();
        let (_keep, config) = listing(&out);
        let (code, stdout, stderr) = redora(&["check", "--config", config.to_str().unwrap()]);
        assert_eq!((code, &*stderr), (0, ""), "{name}");
        let slos = stdout.lines().find(|line| line.starts_with("  slos ")).unwrap();
        let told: usize = slos
            .split([' ', ':', ';'])
            .zip(slos.split([' ', ':', ';']).skip(1))
            .filter(|(_, word)| ["counted", "in"].contains(word))
            .map(|(count, _)| count.parse::<usize>().unwrap())
            .sum();
        assert_eq!(told, objectives, "{name}: {slos}");
    }
}

#[test]
fn promtool_takes_the_rules_of_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (i, name) in examples().iter().filter(|name| !name.ends_with("/lost.yaml")).enumerate() {
        let out = path(&format!("slos/{i}.yaml"));
        assert_eq!(redora(&["slo", "import", "--out", &out, name]).0, 0);
    }
    let config = path("redora.yaml");
    fs::write(&config, format!("data_dir: {}\nslos: slos/*.yaml\n", path("data"))).unwrap();
    let (code, _, stderr) = redora(&["render", "--config", &config, "--out", &path("")]);
    assert_eq!(code, 0, "{stderr}");
    let rules = path("alerts/rules/objectives.yaml");
    let run = Command::new("promtool").args(["check", "rules", &rules]).output();
    let run = run.expect("promtool is on PATH: ./test install brings it");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn openslo_is_read_as_it_stands_and_check_says_what_stayed_behind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join(DATA).join("openslo/harbour.yaml");
    let (_keep, config) = listing(&file);
    let (code, stdout, stderr) = redora(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    for one in ["arrivals/arrivals-judged 99%", "berths/berth-answered-2 99.95%"] {
        assert!(stdout.contains(one), "{stdout}");
    }
    let notes = fs::read_to_string(root.join(DATA).join("openslo/harbour.notes")).unwrap();
    let shown = format!("{DATA}/openslo/harbour.yaml");
    assert_eq!(stderr.replace(file.to_str().unwrap(), &shown), notes);
    for (tool, file) in [("Sloth", "sloth/library.yaml"), ("Pyrra", "pyrra/bakery.yaml")] {
        let (_keep, config) = listing(&root.join(DATA).join(file));
        let (code, _, stderr) = redora(&["check", "--config", config.to_str().unwrap()]);
        assert_eq!(code, 2, "{tool}");
        assert!(stderr.contains("is not read directly; convert the file with redora slo import"));
    }
}

#[test]
fn the_file_that_the_page_shows_is_one() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/slo.md"));
    let page = page.unwrap();
    let (_, part) = page.split_once("\n## From other tools\n").unwrap();
    let (_, block) = part.split_once("```yaml\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arrivals.yaml");
    fs::write(&file, block.split_once("```").unwrap().0).unwrap();
    let (_keep, config) = listing(&file);
    let (code, stdout, stderr) = redora(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!((code, &*stderr), (0, ""));
    assert!(stdout.contains("1 counted: arrivals/arrivals-fast 95%"), "{stdout}");
}

#[test]
fn several_files_become_one_and_a_name_is_taken_once() {
    let [sloth, pyrra] = ["sloth/library.yaml", "pyrra/bakery.yaml"].map(|n| format!("{DATA}/{n}"));
    let (code, both, _) = redora(&["slo", "import", &sloth, &pyrra]);
    assert_eq!(code, 0);
    let one = |name: &str| redora(&["slo", "import", name]).1;
    assert_eq!(both, format!("{}\n{}", one(&sloth), one(&pyrra)));
    let (code, again, stderr) = redora(&["slo", "import", &pyrra, &pyrra]);
    assert_eq!((code, again), (1, one(&pyrra)));
    assert!(stderr.contains("\"oven-lit\" is already the name of "), "{stderr}");
}

#[test]
fn what_is_no_such_file_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    for (text, fault) in [
        ("- name: a\n", ":1:1: says neither version: prometheus/v1 nor an apiVersion"),
        ("name: a\n", ":1:1: says neither version: prometheus/v1 nor an apiVersion"),
        ("apiVersion: apps/v1\n", ":1:13: apiVersion: \"apps/v1\" is no format that is read here"),
        ("version: [\n", ":1:11: is no YAML"),
        (
            "version: prometheus/v1\n---\nversion: prometheus/v2\n",
            ":3:10: version: \"prometheus/v2\"",
        ),
    ] {
        let file = folder.path().join("file.yaml");
        fs::write(&file, text).unwrap();
        let (code, stdout, stderr) = redora(&["slo", "import", file.to_str().unwrap()]);
        assert_eq!((code, &*stdout), (2, ""), "{stderr}");
        assert!(stderr.contains(fault), "{stderr}");
    }
    let (code, _, stderr) = redora(&["slo", "import", "/nowhere/file.yaml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("/nowhere/file.yaml: cannot be read: entity not found"), "{stderr}");
    assert_eq!(redora(&["slo", "import"]).0, 2);
}

/// Imports a text: its output has to be one that the loader takes, and every word on it has a line.
fn check(text: &str) {
    let read =
        |_: &Path, bytes_max: usize| Ok(text.as_bytes()[..text.len().min(bytes_max)].to_vec());
    let lines = text.split(['\n', '\r']).count();
    match import(&[PathBuf::from("file.yaml")], &read) {
        Err(faults) => {
            assert!(faults.iter().all(|fault| (1..=lines).contains(&fault.line)), "{faults}");
        }
        Ok(imported) => {
            for fault in &imported.faults {
                assert!((1..=lines).contains(&fault.line), "{fault} for {text}");
                assert!(!matches!(fault.problem, Problem::Syntax { .. }), "{fault}");
            }
            for note in &imported.notes {
                assert!((1..=lines).contains(&note.line), "{note} for {text}");
            }
            loads(&imported.text);
        }
    }
}

fn loads(imported: &str) {
    let read = |path: &Path, _: usize| match path.to_str() {
        Some("redora.yaml") => Ok(b"slos: imported.yaml".to_vec()),
        _ => Ok(imported.as_bytes().to_vec()),
    };
    let config = redora::config::load(Path::new("redora.yaml"), &|_| None, &read, &|_| Ok(vec![]));
    if let Err(faults) = config {
        let bounds = faults.iter().all(|fault| matches!(fault.problem, Problem::Conflict(_)));
        assert!(bounds, "{faults} for\n{imported}");
    }
}

fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    examples().iter().map(|name| fs::read_to_string(root.join(name)).unwrap()).collect()
}

#[test]
fn documents_without_one_of_their_lines_are_answered() {
    for text in texts() {
        let lines: Vec<&str> = text.lines().collect();
        for at in (0..lines.len()).step_by(4) {
            let rest: Vec<&str> = [&lines[..at], &lines[at + 1..]].concat();
            check(&rest.join("\n"));
            check(&lines[..at].join("\n"));
        }
    }
}

/// What may stand where a value is expected.
fn value() -> impl Strategy<Value = String> {
    let odd = [
        "",
        "null",
        "[]",
        "{}",
        "[a]",
        "{a: b}",
        "99",
        "0",
        "-1",
        "1e400",
        "99999999999999999999",
        "true",
        "1M",
        "1Y",
        "9999999999999999999w",
        "\"\"",
        "\" \"",
        "\"\\n\"",
        "\"{{.window}}\"",
        "\"a[{{.window}}]\"",
        "\"sum(rate(a[{{.window}}]))\"",
        "\"a{b='$${c}'}\"",
        "\"#\"",
        "ä",
        "\"a{le='0.3'}\"",
        "\"\\u0007\"",
        "lt",
        "Timeslices",
        "RatioTimeslices",
        "*a",
    ];
    prop_oneof![4 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned), 1 => ".{0,20}"]
}

/// A hundred, or as many as `PROPTEST_CASES` asks for.
fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").is_ok();
    if asked { ProptestConfig::default() } else { ProptestConfig::with_cases(100) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..cases() })]

    #[test]
    fn any_value_in_any_place_is_answered(
        which in 0usize..8,
        changes in prop::collection::vec((any::<prop::sample::Index>(), value()), 1..5),
    ) {
        let text = texts().swap_remove(which);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (at, value) in changes {
            let line = &mut lines[at.index(text.lines().count())];
            if let Some((key, _)) = line.split_once(": ") {
                *line = format!("{key}: {value}");
            }
        }
        check(&lines.join("\n"));
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        check(&text);
        check(&format!("apiVersion: openslo/v1\n{text}"));
        check(&format!("version: prometheus/v1\nservice: a\nslos:\n- {text}"));
    }
}
