//! Readings of repositories that `git` itself makes, held against what `git` says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use redora_model::fact::{Commit, Deployment, Fact, What};
use redora_model::identity::{Environment, Repository, Service};

use super::*;

mod graph;
mod refused;
mod tagged;

/// A repository in a folder of its own, written by `git` with fixed dates and identities.
struct Bench {
    folder: tempfile::TempDir,
    path: PathBuf,
    seconds: i64,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("repo");
        std::fs::create_dir(&path).expect("a folder");
        let bench = Self { folder, path, seconds: 1_700_000_000 };
        bench.git(&["init", "-q", "-b", "main"]);
        bench
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, at: &Path, words: &[&str]) -> Command {
        let date = format!("{} +0100", self.seconds);
        let mut command = Command::new("git");
        command.current_dir(at).args(["-c", "protocol.file.allow=always"]).args(words);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "a@b.c");
            command.env(format!("GIT_{who}_DATE"), &date);
        }
        command
    }

    fn feed(&self, words: &[&str], input: &[u8]) -> String {
        let mut command = self.command(&self.path, words);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("git is installed");
        let mut stdin = child.stdin.take().expect("piped");
        let output = std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(input));
            child.wait_with_output().expect("it ends")
        });
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {words:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn git(&self, words: &[&str]) -> String {
        self.feed(words, b"")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().expect("in the repository")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Commits everything, a minute after the last commit.
    fn commit(&mut self, message: &str) -> String {
        self.seconds += 60;
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Changes a file and commits.
    fn change(&mut self, path: &str, text: &str) -> String {
        self.write(path, text);
        self.commit(&format!("Change {path}"))
    }

    fn config(&self) -> Config {
        Config::new(self.path.clone(), Repository::new("o/shop"), "main")
    }

    fn read(&self) -> Facts {
        Facts::read(&self.config(), &Cursor::default())
    }

    fn patch_id(&self, sha: &str) -> Option<String> {
        let diff = self.command(&self.path, &["diff-tree", "-p", "--root", sha]).output();
        let diff = diff.expect("git is installed").stdout;
        let line = self.feed(&["patch-id", "--stable"], &diff);
        Some(line.split(' ').next()?.to_owned()).filter(|id| !id.is_empty())
    }
}

/// What one reading handed out, by id.
#[derive(Debug)]
struct Facts {
    commits: BTreeMap<String, Commit>,
    deployments: BTreeMap<String, Deployment>,
    reading: Reading,
}

impl Facts {
    fn read(config: &Config, cursor: &Cursor) -> Self {
        let (mut commits, mut deployments) = (BTreeMap::new(), BTreeMap::new());
        let reading = read(config, cursor, 9, &mut |facts: Vec<Fact>| {
            assert!(facts.len() <= config.batch, "{} facts", facts.len());
            for fact in facts {
                assert_eq!(fact.source, format!("git:{}", config.path.display()));
                let own_ms = match &fact.what {
                    What::Commit(commit) => commit.committed_ms,
                    What::Deployment(made) => made.created_ms,
                    other => panic!("{other:?}"),
                };
                let is_first = *cursor == Cursor::default();
                assert_eq!(fact.as_of_ms, if is_first { own_ms } else { 9 });
                let twice = match fact.what {
                    What::Commit(commit) => commits.insert(fact.id, commit).is_some(),
                    What::Deployment(made) => deployments.insert(fact.id, made).is_some(),
                    other => panic!("{other:?}"),
                };
                assert!(!twice, "a fact twice");
            }
            ControlFlow::Continue(())
        });
        let reading = reading.expect("a reading");
        assert_eq!(reading.commits, commits.len() as u64);
        assert_eq!(reading.deployments, deployments.len() as u64);
        Self { commits, deployments, reading }
    }

    fn shas(&self) -> BTreeSet<String> {
        self.commits.keys().cloned().collect()
    }

    fn services(&self, sha: &str) -> Vec<&str> {
        let services = self.commits[sha].services.as_ref().expect("paths are configured");
        services.iter().map(Service::as_str).collect()
    }
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).collect()
}

fn rule(pattern: &str, service: &str) -> TagRule {
    TagRule::new(pattern, Service::new(service), Environment::new("production")).expect(pattern)
}
