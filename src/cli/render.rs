//! `redora render`: the files below `alerts/` and `dashboards/` as this build writes them. They are
//! made in memory first, so that `--check` compares what would be written and touches nothing.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use redora_ascode::rules::{Links, objectives};
use redora_ascode::{alerts, dashboard};
use redora_model::slo::Queried;

use super::args::RenderOptions;
use super::configuration;
use super::outcome::{self, Outcome};

/// Writes the files, or with `--check` says which of them differ.
pub(super) fn render(options: RenderOptions) -> Outcome {
    let (file, config) = match configuration::load(options.config) {
        Ok(loaded) => loaded,
        Err(unusable) => {
            outcome::complain(&unusable);
            return Outcome::Wrong;
        }
    };
    let links =
        Links { runbooks: trimmed(&options.runbooks), dashboards: trimmed(&options.dashboards) };
    let files = files(&links, &config.queried);
    // Without a configuration nobody said that there are no such objectives.
    let leftover = match file.is_some() && config.queried.is_empty() {
        true => leftover(&options.out),
        false => Ok(None),
    };
    match leftover {
        Ok(leftover) if options.check => check(&options.out, &files, leftover),
        Ok(leftover) => write(&options.out, &files, leftover),
        Err((path, error)) => failed(&path, &error),
    }
}

/// The rules of objectives that are there no more. A file of somebody else's is left alone.
fn leftover(folder: &Path) -> Result<Option<PathBuf>, (PathBuf, io::Error)> {
    let path = folder.join("alerts").join(objectives::PATH);
    let mut start = Vec::new();
    let start = File::open(&path)
        .and_then(|file| io::copy(&mut file.take(FIRST_LINE_BYTES_MAX), &mut start))
        .map(|_| String::from_utf8_lossy(&start));
    match start {
        Ok(start) => Ok(objectives::is_rendered(&start).then_some(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err((path, error)),
    }
}

/// Every file by its path, with its text.
fn files(links: &Links, queried: &[Queried]) -> Vec<(String, String)> {
    let below = |folder: &'static str, files: Vec<(String, String)>| {
        files.into_iter().map(move |(name, text)| (format!("{folder}/{name}"), text))
    };
    below("alerts", alerts::files(links, queried))
        .chain(below("dashboards", dashboard::dashboards()))
        .chain(below("dashboards/provisioning", dashboard::provisioning()))
        .collect()
}

fn write(folder: &Path, files: &[(String, String)], leftover: Option<PathBuf>) -> Outcome {
    let mut report = String::new();
    for (name, text) in files {
        let path = folder.join(name);
        match put(&path, text) {
            Ok(written) => {
                let verb = if written { "wrote" } else { "kept " };
                report.push_str(&format!("{verb} {}\n", path.display()));
            }
            Err(error) => return failed(&path, &error),
        }
    }
    if let Some(path) = leftover {
        if let Err(error) = fs::remove_file(&path) {
            return failed(&path, &error);
        }
        report.push_str(&format!("removed {}\n", path.display()));
    }
    outcome::print(report.as_bytes())
}

fn check(folder: &Path, files: &[(String, String)], leftover: Option<PathBuf>) -> Outcome {
    let mut stale = leftover.is_some();
    if let Some(path) = leftover {
        let path = path.display();
        outcome::complain(&format_args!("{path} is of no objective; run redora render"));
    }
    for (name, text) in files {
        let path = folder.join(name);
        match is_fresh(&path, text) {
            Ok(true) => {}
            Ok(false) => {
                let path = path.display();
                outcome::complain(&format_args!("{path} is stale; run redora render"));
                stale = true;
            }
            Err(error) => return failed(&path, &error),
        }
    }
    if stale { Outcome::Failed } else { Outcome::Done }
}

/// Whether the file had to be written. Its new text takes the place of the old one at once, so that
/// a Prometheus that reloads in between reads the one or the other.
fn put(path: &Path, text: &str) -> io::Result<bool> {
    if is_fresh(path, text)? {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    let written = File::create(new)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(new, path));
    if written.is_err() {
        // The first error is the one to tell; what is left behind is named after the file.
        let _ = fs::remove_file(new);
    }
    written.map(|()| true)
}

/// Whether the file holds exactly this text. A file of another length is not read to its end.
fn is_fresh(path: &Path, text: &str) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut rest = text.as_bytes();
    let mut file = file.take(rest.len() as u64 + 1);
    let mut piece = [0; 8192];
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => return Ok(rest.is_empty()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match rest.strip_prefix(&piece[..read]) {
            Some(after) => rest = after,
            None => return Ok(false),
        }
    }
}

fn failed(path: &Path, error: &dyn Display) -> Outcome {
    outcome::complain(&format_args!("{}: {error}", path.display()));
    Outcome::Failed
}

/// The address as links are glued to it.
fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

/// More than the first line of any rendered file has.
const FIRST_LINE_BYTES_MAX: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules/slo.yaml");
        let long = "a line of a rule\n".repeat(1_000);
        assert!(!is_fresh(&path, &long).unwrap());
        assert!(put(&path, &long).unwrap());
        assert!(!put(&path, &long).unwrap());
        for other in ["", "a line of a rule\n", &long[1..], &format!("{long}b")] {
            assert!(!is_fresh(&path, other).unwrap());
            assert!(put(&path, other).unwrap());
            assert_eq!(fs::read_to_string(&path).unwrap(), other);
        }
        let names: Vec<_> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["slo.yaml"]);
    }

    #[test]
    fn an_address_may_end_in_a_slash() {
        assert_eq!(trimmed("https://a.example/b//"), "https://a.example/b");
    }
}
