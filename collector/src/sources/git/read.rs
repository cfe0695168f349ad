//! One reading from refs to facts, in batches, so that a history of millions of commits never
//! stands in memory as facts.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use git2::{BranchType, Odb, Oid, Repository};
use redora_model::fact::{Commit, Deployment, Fact, State, Status, What};
use redora_model::identity::Revision;

use super::config::{Config, TagRule};
use super::cursor::{Cursor, Fault, Reading, Rewrite};
use super::error::GitError;
use super::object::RawCommit;
use super::patch::Changes;
use super::tags::{self, Tag, Tagged};
use super::walk::{self, Walked};
use crate::sources::reverts;

/// Hands the facts that are new since `cursor` to `take`, in batches of `config.batch`.
///
/// Facts are held to be so as of `now_ms`, those of a reading without a cursor as of their own
/// times: a lost cursor then adds no second version of what is known. Facts are never taken back:
/// commits that a rewrite left behind stay, and no deployment names them unless it deployed them.
///
/// # Errors
///
/// When the repository cannot be read at all, or `take` breaks off; one bad object is no error, it
/// is counted in the [`Reading`].
pub fn read(
    config: &Config,
    cursor: &Cursor,
    now_ms: i64,
    take: &mut dyn FnMut(Vec<Fact>) -> ControlFlow<()>,
) -> Result<Reading, GitError> {
    let repository = open(config)?;
    let odb = repository.odb().map_err(|error| GitError::of(&config.path, &error))?;
    let Sight { tip, tags, shallow, rules, edge, is_whole, walked } =
        look(&repository, &odb, config, cursor)?;
    let mut reading = Reading::default();
    (reading.cursor.rules, reading.cursor.edge) = (rules, edge);
    reading.cut = walked.cut;
    for (id, fault) in walked.faults {
        reading.absent(id, fault);
    }
    if !is_whole {
        carry(cursor, &mut reading);
    }
    let source = format!("git:{}", config.path.display());
    let as_of_ms = (*cursor != Cursor::default()).then_some(now_ms);
    let mut out = Out { config, source, as_of_ms, take, batch: Vec::new() };
    let view = View { repository: &repository, odb: &odb, shallow: &shallow };
    for id in walked.fresh {
        out.commit(&view, id, &mut reading)?;
    }
    out.tags(&tags, cursor, is_whole, &mut reading)?;
    out.flush()?;
    reading.rewritten = rewrite(&repository, cursor, tip);
    reading.cursor.branch = tip.to_string();
    Ok(reading)
}

/// What a reading from `cursor` would hand out. It walks as far as that one, which takes a small
/// part of its time: commits are compared with nothing.
///
/// # Errors
///
/// When the repository cannot be read at all.
pub fn count(config: &Config, cursor: &Cursor) -> Result<Fresh, GitError> {
    let repository = open(config)?;
    let odb = repository.odb().map_err(|error| GitError::of(&config.path, &error))?;
    let Sight { tags, is_whole, walked, .. } = look(&repository, &odb, config, cursor)?;
    let is_fresh = |tag: &&Tag| {
        let object = tag.object.to_string();
        tag.commit.is_ok() && (is_whole || cursor.tags.get(&tag.name) != Some(&object))
    };
    let deployments = tags.iter().filter(is_fresh).map(|tag| {
        let names = |rule: &&TagRule| rule.pattern.matches(tag.name.as_bytes());
        config.tags.iter().filter(names).count() as u64
    });
    Ok(Fresh { commits: walked.fresh.len() as u64, deployments: deployments.sum() })
}

/// How much is new to a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// Commits of the branch and of tags.
    pub commits: u64,
    /// Deployments that tags stand for.
    pub deployments: u64,
}

/// A repository as a reading finds it.
struct Sight {
    tip: Oid,
    tags: Vec<Tag>,
    shallow: HashSet<Oid>,
    rules: String,
    edge: Vec<String>,
    /// Whether all of it is read, whatever the cursor knows.
    is_whole: bool,
    walked: Walked,
}

fn open(config: &Config) -> Result<Repository, GitError> {
    Repository::open(&config.path).map_err(|error| GitError::of_open(&config.path, &error))
}

fn look(
    repository: &Repository,
    odb: &Odb<'_>,
    config: &Config,
    cursor: &Cursor,
) -> Result<Sight, GitError> {
    let tip = tip(repository, config)?;
    let tags = tags::all(repository, odb).map_err(|error| GitError::of(&config.path, &error))?;
    let shallow = shallow(repository, config)?;
    let rules = config.fingerprint();
    let mut edge: Vec<String> = shallow.iter().map(Oid::to_string).collect();
    edge.sort();
    let is_whole = cursor.rules != rules
        || cursor.edge != edge
        || cursor.absent.iter().any(|id| Oid::from_str(id).is_ok_and(|id| odb.exists(id)));
    let known = if is_whole { Vec::new() } else { known(cursor, odb) };
    let mut tips = vec![tip];
    tips.extend(tags.iter().filter_map(|tag| Some(tag.commit.as_ref().ok()?.id)));
    let walked = walk::fresh(odb, &tips, &known, &shallow, config.commits_max);
    Ok(Sight { tip, tags, shallow, rules, edge, is_whole, walked })
}

impl Reading {
    fn absent(&mut self, id: Oid, fault: Fault) {
        if fault == Fault::Missing && self.cursor.absent.len() < ABSENT_MAX {
            self.cursor.absent.push(id.to_string());
        }
        self.skip(id.to_string(), fault);
    }
}

/// What is still absent stays in the cursor, without being counted again.
fn carry(cursor: &Cursor, reading: &mut Reading) {
    for id in &cursor.absent {
        if reading.cursor.absent.len() < ABSENT_MAX && !reading.cursor.absent.contains(id) {
            reading.cursor.absent.push(id.clone());
        }
    }
}

/// The branch's commit: a local branch before that of a remote, as `git switch` would choose.
fn tip(repository: &Repository, config: &Config) -> Result<Oid, GitError> {
    let Config { path, branch, .. } = config;
    let names = [
        branch.clone(),
        format!("refs/heads/{branch}"),
        format!("refs/remotes/{branch}"),
        format!("refs/remotes/origin/{branch}"),
    ];
    for name in names.iter().filter(|name| name.starts_with("refs/")) {
        if let Ok(reference) = repository.find_reference(name) {
            let resolved = reference.resolve().ok().and_then(|reference| reference.target());
            return resolved.ok_or_else(|| GitError::Unreadable {
                path: path.clone(),
                what: format!("{name} leads to no commit"),
            });
        }
    }
    let (path, branch) = (path.clone(), branch.clone());
    let branches = repository.branches(None).map_err(|error| GitError::of(&path, &error))?;
    let mut has: Vec<String> = branches
        .flatten()
        .take(BRANCHES_MAX)
        .map(|(branch, kind)| {
            let prefix = if kind == BranchType::Local { "refs/heads/" } else { "refs/remotes/" };
            let name = String::from_utf8_lossy(branch.get().name_bytes()).into_owned();
            name.strip_prefix(prefix).unwrap_or(&name).to_owned()
        })
        .collect();
    has.sort();
    match has.is_empty() {
        true => Err(GitError::Empty { path }),
        false => Err(GitError::NoBranch { path, branch, has: has.join(", ") }),
    }
}

/// The edge of a shallow clone, which git keeps as a list of ids.
fn shallow(repository: &Repository, config: &Config) -> Result<HashSet<Oid>, GitError> {
    let file = match std::fs::File::open(repository.commondir().join("shallow")) {
        Ok(file) => file,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(HashSet::new()),
        Err(fault) => return Err(GitError::of_io(config.path.clone(), &fault)),
    };
    let lines = BufReader::new(file.take(SHALLOW_BYTES_MAX)).lines();
    Ok(lines.map_while(Result::ok).filter_map(|line| Oid::from_str(line.trim()).ok()).collect())
}

/// The commits that the last reading ended with, as far as they are still there.
fn known(cursor: &Cursor, odb: &Odb<'_>) -> Vec<Oid> {
    let objects = std::iter::once(&cursor.branch).chain(cursor.tags.values());
    let ids = objects.filter_map(|id| Oid::from_str(id).ok());
    ids.filter_map(|id| Some(tags::peel(odb, id).ok()?.id)).collect()
}

fn rewrite(repository: &Repository, cursor: &Cursor, tip: Oid) -> Option<Rewrite> {
    let from = Oid::from_str(&cursor.branch).ok().filter(|from| *from != tip)?;
    let goes_on = repository.graph_descendant_of(tip, from).unwrap_or(false);
    (!goes_on).then(|| Rewrite { from: revision(from), to: revision(tip) })
}

struct View<'a> {
    repository: &'a Repository,
    odb: &'a Odb<'a>,
    shallow: &'a HashSet<Oid>,
}

/// Facts on their way out.
struct Out<'a> {
    config: &'a Config,
    source: String,
    /// `None` where each fact is as of its own time.
    as_of_ms: Option<i64>,
    take: &'a mut dyn FnMut(Vec<Fact>) -> ControlFlow<()>,
    batch: Vec<Fact>,
}

impl Out<'_> {
    fn commit(&mut self, view: &View<'_>, id: Oid, reading: &mut Reading) -> Result<(), GitError> {
        let raw = match RawCommit::read(view.odb, id) {
            Ok(raw) => raw,
            Err(fault) => {
                reading.absent(id, fault);
                return Ok(());
            }
        };
        let authored_s = raw.authored_s.or(raw.committed_s);
        let (Some(authored_s), Some(committed_s)) = (authored_s, raw.committed_s.or(authored_s))
        else {
            reading.skip(id.to_string(), Fault::Date);
            return Ok(());
        };
        let changes = if view.shallow.contains(&id) && !raw.parents.is_empty() {
            reading.shallow.push(revision(id));
            Changes::default()
        } else {
            Changes::read(view.repository, view.odb, &raw, self.config).unwrap_or_else(|_| {
                reading.skip(id.to_string(), Fault::Diff);
                Changes::default()
            })
        };
        let reverted = reverts::reverted(&raw.message).into_iter().map(|sha| {
            let found = view.repository.find_commit_by_prefix(&sha);
            found.map_or_else(|_| Revision::new(&sha), |commit| revision(commit.id()))
        });
        let commit = Commit {
            repository: self.config.repository.clone(),
            parents: raw.parents.iter().copied().map(revision).collect(),
            authored_ms: authored_s * 1000,
            committed_ms: committed_s * 1000,
            patch: changes.patch,
            reverts: reverted.collect(),
            services: changes.services,
        };
        reading.commits += 1;
        self.put(id.to_string(), commit.committed_ms, What::Commit(commit))
    }

    fn tags(
        &mut self,
        tags: &[Tag],
        cursor: &Cursor,
        is_whole: bool,
        reading: &mut Reading,
    ) -> Result<(), GitError> {
        for tag in tags {
            let object = tag.object.to_string();
            let before = cursor.tags.get(&tag.name);
            if before.is_some_and(|before| *before != object) {
                reading.moved.push(tag.name.clone());
            }
            reading.cursor.tags.insert(tag.name.clone(), object.clone());
            if is_whole || before != Some(&object) {
                match &tag.commit {
                    Ok(tagged) => self.deployments(tag, tagged, reading)?,
                    Err(Fault::Missing) => reading.absent(tag.object, Fault::Missing),
                    Err(fault) => reading.skip(tag.name.clone(), *fault),
                }
            }
        }
        let still = &reading.cursor.tags;
        let gone = cursor.tags.keys().filter(|name| !still.contains_key(*name)).cloned();
        reading.gone = gone.collect();
        Ok(())
    }

    fn deployments(
        &mut self,
        tag: &Tag,
        tagged: &Tagged,
        reading: &mut Reading,
    ) -> Result<(), GitError> {
        let at_ms = tagged.at_s * 1000;
        for rule in &self.config.tags {
            if !rule.pattern.matches(tag.name.as_bytes()) {
                continue;
            }
            let deployment = Deployment {
                repository: self.config.repository.clone(),
                service: rule.service.clone(),
                environment: rule.environment.clone(),
                created_ms: at_ms,
                revision: Some(revision(tagged.id)),
                version: tag.name.clone(),
                // A tag says that a version is out, and nothing of how it came out.
                statuses: vec![Status { at_ms, state: State::Success }],
                attempt: 1,
                region: String::new(),
                url: String::new(),
            };
            reading.deployments += 1;
            // No ref name holds a colon, so the parts stay apart.
            let id = format!("{}:{}:{}", tag.name, rule.service, rule.environment);
            self.put(id, at_ms, What::Deployment(deployment))?;
        }
        Ok(())
    }

    fn put(&mut self, id: String, at_ms: i64, what: What) -> Result<(), GitError> {
        let (source, as_of_ms) = (self.source.clone(), self.as_of_ms.unwrap_or(at_ms));
        self.batch.push(Fact { source, id, as_of_ms, what });
        if self.batch.len() >= self.config.batch { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), GitError> {
        let batch = std::mem::take(&mut self.batch);
        if !batch.is_empty() && (self.take)(batch).is_break() {
            return Err(GitError::Stopped);
        }
        Ok(())
    }
}

fn revision(id: Oid) -> Revision {
    Revision::new(&id.to_string())
}

/// The commits that are looked for again at each reading.
const ABSENT_MAX: usize = 1_000;
/// The branches that an error names.
const BRANCHES_MAX: usize = 8;
/// A hundred thousand edges of a shallow clone; each is a line of 41 bytes.
const SHALLOW_BYTES_MAX: u64 = 4_100_000;
