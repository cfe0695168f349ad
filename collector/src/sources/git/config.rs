//! What an operator says about one repository, as names and patterns that were checked once, so
//! that a reading meets no bad pattern halfway.

use std::path::PathBuf;

use redora_model::identity::{Environment, Repository, Service};

use super::error::GitError;
use crate::sources::glob::Glob;

/// One repository and what to take from it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The repository: a clone, a linked worktree, a submodule or a bare repository. Folders above
    /// it are not searched.
    pub path: PathBuf,
    /// The name that its facts carry.
    pub repository: Repository,
    /// The branch that changes arrive on: `main` is the local branch, else that of `origin`;
    /// `origin/main` and `refs/heads/main` name one of them.
    pub branch: String,
    /// Which tags are deployments. A tag that several rules name is a deployment for each.
    pub tags: Vec<TagRule>,
    /// Which paths belong to which service; empty where the repository is one service.
    pub services: Vec<ServicePaths>,
    /// The facts of one batch.
    pub batch: usize,
    /// The new commits of one reading. What is older than the newest of them is a gap.
    pub commits_max: usize,
    /// The largest file whose lines are compared for a patch id. A larger one is compared whole, by
    /// its object ids.
    pub file_bytes_max: u32,
}

impl Config {
    /// A repository that is one service and whose tags mean nothing.
    #[must_use]
    pub fn new(path: PathBuf, repository: Repository, branch: &str) -> Self {
        Self {
            path,
            repository,
            branch: branch.to_owned(),
            tags: Vec::new(),
            services: Vec::new(),
            // A quarter of a MiB of facts, and one transaction of the ledger.
            batch: 1_000,
            // Twice the Linux kernel's history, in about 200 MB.
            commits_max: 3_000_000,
            // Sources are smaller; what is larger is generated or data.
            file_bytes_max: 4 << 20,
        }
    }

    /// What the facts of a commit depend on beside the commit itself: when it changes, a cursor no
    /// longer says what was read.
    pub(super) fn fingerprint(&self) -> String {
        let mut text = format!("{}\n{}\n", self.repository, self.file_bytes_max);
        for of in &self.services {
            text.push_str(&format!("{}={}\n", of.service, texts(&of.paths)));
        }
        for rule in &self.tags {
            let TagRule { pattern, service, environment } = rule;
            text.push_str(&format!("{}={service}@{environment}\n", pattern.as_str()));
        }
        text
    }
}

/// The paths of one service in a monorepo.
#[derive(Clone, Debug)]
pub struct ServicePaths {
    service: Service,
    paths: Vec<Glob>,
}

impl ServicePaths {
    /// Paths from the repository's root: `services/shop/**`. `*` and `?` stay within one folder,
    /// `**` stands for any number of folders, and a `/` at the end for all below.
    ///
    /// # Errors
    ///
    /// A pattern that is empty or can match nothing.
    pub fn new(service: Service, paths: &[&str]) -> Result<Self, GitError> {
        let paths = paths.iter().map(|path| Glob::new(path)).collect::<Result<_, _>>()?;
        Ok(Self { service, paths })
    }

    pub(super) fn service(&self) -> &Service {
        &self.service
    }

    pub(super) fn has(&self, path: &[u8]) -> bool {
        self.paths.iter().any(|glob| glob.matches(path))
    }
}

/// Which tags deploy what, and where to.
#[derive(Clone, Debug)]
pub struct TagRule {
    pub(super) pattern: Glob,
    pub(super) service: Service,
    pub(super) environment: Environment,
}

impl TagRule {
    /// Tags by name without `refs/tags/`: `v*`, `shop/v*`.
    ///
    /// # Errors
    ///
    /// A pattern that is empty or can match nothing.
    pub fn new(
        pattern: &str,
        service: Service,
        environment: Environment,
    ) -> Result<Self, GitError> {
        Ok(Self { pattern: Glob::new(pattern)?, service, environment })
    }
}

fn texts(globs: &[Glob]) -> String {
    globs.iter().map(Glob::as_str).collect::<Vec<_>>().join(" ")
}
