//! The forms of a delivery report that have to be asked for, from the real binary: another tool's
//! rules, the levels of a year, the Quick Check. The plain report has stories of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Two deployments of 2026-01-05 and -06, noon, with a pull request and an incident between.
const FACTS: &str = concat!(
    r#"{"source":"t","id":"1","as_of_ms":0,"deployment":{"repository":"o/shop","service":"shop","#,
    r#""environment":"production","created_ms":1767614400000,"revision":"aa","#,
    r#""statuses":[{"at_ms":1767614400000,"state":"success"}]}}"#,
    "\n",
    r#"{"source":"t","id":"2","as_of_ms":0,"deployment":{"repository":"o/shop","service":"shop","#,
    r#""environment":"production","created_ms":1767700800000,"revision":"bb","#,
    r#""statuses":[{"at_ms":1767700800000,"state":"success"}]}}"#,
    "\n",
    r#"{"source":"t","id":"aa","as_of_ms":0,"commit":{"repository":"o/shop","#,
    r#""authored_ms":1767610800000,"committed_ms":1767610800000}}"#,
    "\n",
    r#"{"source":"t","id":"bb","as_of_ms":0,"commit":{"repository":"o/shop","parents":["aa"],"#,
    r#""authored_ms":1767693600000,"committed_ms":1767693600000}}"#,
    "\n",
    r#"{"source":"t","id":"7","as_of_ms":0,"pull_request":{"repository":"o/shop","#,
    r#""commits":["cc"],"first_authored_ms":1767693600000,"created_ms":1767695400000,"#,
    r#""first_review_ms":1767696300001,"merged_ms":1767697200000,"merge":"bb"}}"#,
    "\n",
    r#"{"source":"t","id":"i","as_of_ms":0,"incident":{"service":"shop","#,
    r#""environment":"production","started_ms":1767704400000,"#,
    r#""changes":[{"at_ms":1767708000000,"resolved":true}]}}"#,
    "\n",
);

fn redora(words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redora"));
    let output = command.env_clear().stdin(Stdio::null()).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A data directory with the facts, and a report of the two weeks up to 2026-01-12.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("c.yaml"), format!("data_dir: {}\n", path("data"))).unwrap();
        std::fs::write(path("facts.jsonl"), FACTS).unwrap();
        let import = ["dora", "import", &path("facts.jsonl"), "--config", &path("c.yaml")];
        let (code, _, stderr) = redora(&import);
        assert_eq!((code, stderr.as_str()), (0, ""));
        Self(folder)
    }

    fn report(&self, words: &[&str]) -> String {
        let config = self.0.path().join("c.yaml");
        let always = ["--config", config.to_str().unwrap(), "--window", "2w"];
        let at = ["--at", "2026-01-12T00:00:00Z"];
        let (code, stdout, stderr) = redora(&[&["dora", "report"], words, &always, &at].concat());
        assert_eq!((code, stderr.as_str()), (0, ""));
        stdout
    }

    fn json(&self, words: &[&str]) -> Value {
        let page = self.report(&[words, &["--format", "json"]].concat());
        serde_json::from_str::<Value>(&page).unwrap()["places"][0].take()
    }
}

#[test]
fn devlake_has_numbers_of_its_own() {
    let place = Place::new();
    let expected = "\
shop in production, 2025-12-29T00:00:00Z to 2026-01-12T00:00:00Z
  deployment days per week, median        0        2 deployments with 2 commits
  deployment days per month, median       0
  lead time for changes, median           120 min  1 pull requests
  coding time, mean                       30.0 min  missing ones as 0
  pickup time, mean                       16.0 min  missing ones as 0
  review time, mean                       15.0 min  missing ones as 0
  deploy time, mean                       60.0 min  missing ones as 0
  change failure rate                     50.0 %   1 of 2 deployments
  failed deployment recovery time, median  120 min  1 incidents
  time to restore service, median         60 min   1 incidents
";
    let plain = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let found = place.report(&["--compat", "devlake"]);
    assert_eq!(plain(&found), plain(expected), "{found}");
    let markdown = place.report(&["--compat", "devlake", "--format", "markdown"]);
    assert!(
        markdown.contains("| change failure rate | 50.0 % | 1 of 2 deployments |"),
        "{markdown}"
    );

    let devlake = place.json(&["--compat", "devlake"])["devlake"].take();
    assert_eq!(devlake["pull_requests"][0]["id"], "o/shop#7");
    assert_eq!(devlake["pull_requests"][0]["cycle_min"], 120);
    assert_eq!(devlake["deployments"][1]["previous"], "t:1");
    assert_eq!(devlake["deployments"][1]["incidents"], serde_json::json!(["t:i"]));
}

#[test]
fn levels_and_scores_stand_below_the_numbers_and_only_when_they_are_asked_for() {
    let place = Place::new();
    let plain = place.report(&[]);
    let judged = place.report(&["--bands", "2024", "--quick-check"]);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<_> = plain.lines().map(words).collect();
    let below: Vec<_> = judged.lines().map(words).collect();
    assert_eq!(below[..lines.len()], lines, "{judged}");
    let expected = "\
level, deployment frequency  high  between once per day and once per week
level, lead time  elite  less than one day
level, change failure rate  low  40%
level, failed deployment recovery  high, medium  less than one day
levels of  2024  Accelerate State of DevOps 2024, page 13, as tabled by Octopus Deploy in `The 2024 DevOps performance clusters`
Quick Check score  7.4  of 10; industry mean 6.7
score, lead time  8.0  of 10; industry mean 5.5
score, deployment frequency  6.0  of 10; industry mean 4.8
score, failed deployment recovery  8.0  of 10; industry mean 7.4
score, change failure rate  5.0  of 10; industry mean 8.1
score, rework rate  10.0  of 10; industry mean 7.8
";
    let expected: Vec<_> = expected.lines().map(words).collect();
    assert_eq!(below[lines.len()..], expected, "{judged}");

    let page = place.json(&[]);
    assert_eq!((page.get("bands"), page.get("quick_check")), (None, None));
    let page = place.json(&["--bands=2021", "--quick-check"]);
    assert_eq!(page["bands"]["metrics"][1]["levels"], serde_json::json!([]));
    assert_eq!(page["bands"]["metrics"][3]["metric"], "time_to_restore");
    assert_eq!(page["quick_check"]["metrics"][4]["score"], 10.0);
}

#[test]
fn a_form_that_does_not_exist_is_refused_with_those_that_do() {
    for (words, said) in [
        (&["--bands", "2020"][..], "2018, 2019, 2021, 2022, 2023, 2024"),
        (&["--compat", "fourkeys"], "devlake"),
        (&["--compat", "devlake", "--bands", "2024"], "cannot be used with"),
    ] {
        let (code, _, stderr) = redora(&[&["dora", "report"], words].concat());
        assert!(code == 2 && stderr.contains(said), "{stderr}");
    }
    let (code, _, _) = redora(&["dora", "explain", "lead_time", "--quick-check"]);
    assert_eq!(code, 2);
}
