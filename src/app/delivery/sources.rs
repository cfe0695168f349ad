//! The sources that a configuration names, ready to be read; what cannot be made of it is told
//! before anything is asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redora_collector::collect::{Clock as UnixMs, Doors, GitHub, Reader, Source, Timed};
use redora_collector::sources::git::{self, GitError, ServicePaths, TagRule};
use redora_collector::sources::github::{self, Client, Identity, Plan, SetupError, Stream};
use redora_collector::sources::glob::{BadPattern, Glob};
use redora_collector::sources::incidents::jsonl::Tongue;
use redora_collector::sources::incidents::{Origin, alertmanager, pagerduty, statuspage};
use redora_model::identity::{Environment, Repository, Service};
use thiserror::Error;

use crate::config::sources as named;
use crate::config::sources::{Delivery, Incidents, Teller};
use crate::process::Clock;

/// Why a configured source cannot be read.
#[derive(Debug, Error)]
pub enum SourceFault {
    /// GitHub cannot be reached as configured.
    #[error("delivery.github: {0}")]
    GitHub(#[from] SetupError),
    /// A clone's patterns are none.
    #[error("delivery.git: {0}")]
    Git(#[from] GitError),
    /// A repository's patterns of tags are none.
    #[error("delivery.repositories: {0}")]
    Tags(#[from] BadPattern),
}

/// Every source that is read by a schedule, beginning `delivery.history` before `now_ms`. Needs a
/// tokio runtime around it.
///
/// # Errors
/// The first that cannot work.
pub(super) fn timed(delivery: &Delivery, now_ms: i64) -> Result<Vec<Timed>, SourceFault> {
    let mut sources = Vec::new();
    let history_ms = i64::try_from(delivery.history.as_millis()).unwrap_or(i64::MAX);
    let since_ms = now_ms.saturating_sub(history_ms);
    let client = client(delivery)?;
    for repository in &delivery.repositories {
        let Some(client) = &client else { break };
        let schedule = repository.schedule.as_ref().unwrap_or(&delivery.schedule);
        let mut add = |name, streams, label: &str, of_incidents: &str| {
            let plan = plan(repository, streams, label, since_ms)?;
            let environments = repository.environments.iter();
            let environments = environments.map(|name| Environment::new(name)).collect();
            let of_incidents = Environment::new(of_incidents);
            let github = GitHub::new(client, plan, environments, of_incidents);
            let github = Box::new(github.expect("the name was checked with the file"));
            let source = Source { name, reader: Reader::GitHub(github) };
            sources.push(Timed { source: Arc::new(source), schedule: schedule.clone() });
            Ok::<_, BadPattern>(())
        };
        let name = format!("github:{}", repository.repo);
        add(name.clone(), streams(repository), "", "")?;
        for (label, environment) in delivery.incidents.iter().flat_map(labels) {
            add(format!("{name} issues:{label}"), vec![Stream::Incidents], label, environment)?;
        }
    }
    for clone in &delivery.git {
        let schedule = clone.schedule.as_ref().unwrap_or(&delivery.schedule).clone();
        let name = format!("git:{}", clone.path.display());
        let reader = Reader::Git(git_config(clone)?);
        sources.push(Timed { source: Arc::new(Source { name, reader }), schedule });
    }
    for incidents in &delivery.incidents {
        let Some((name, path, tongue)) = log(incidents) else { continue };
        let schedule = incidents.schedule.as_ref().unwrap_or(&delivery.schedule).clone();
        let reader = Reader::Log { path: path.to_owned(), tongue };
        sources.push(Timed { source: Arc::new(Source { name, reader }), schedule });
    }
    Ok(sources)
}

/// The agent's clock as the collector reads it.
pub(super) fn unix_ms(clock: &Clock) -> UnixMs {
    let clock = clock.clone();
    Arc::new(move || i64::try_from(clock.unix_ms()).unwrap_or(i64::MAX))
}

/// Who listens to which door.
pub(super) fn doors(delivery: &Delivery, sources: &[Timed]) -> Doors {
    let mut doors = Doors::default();
    if let Some(secret) = &delivery.github.webhook_secret {
        let is_github = |timed: &&Timed| matches!(timed.source.reader, Reader::GitHub(_));
        let repositories = sources.iter().filter(is_github).map(|timed| timed.source.clone());
        doors.github = Some((repositories.collect(), secret.expose().as_bytes().to_vec()));
    }
    for incidents in &delivery.incidents {
        match &incidents.teller {
            Teller::Alertmanager => {
                let origin = origin(incidents, "alertmanager");
                doors.alertmanager = Some(alertmanager::Config::new(origin));
            }
            Teller::PagerDuty(secret) => {
                let origin = origin(incidents, "pagerduty");
                let config = pagerduty::Config { origin, services: BTreeMap::new() };
                doors.pagerduty = Some((config, secret.expose().as_bytes().to_vec()));
            }
            Teller::Webhook => doors.incidents = Some(origin(incidents, "webhook")),
            Teller::Jsonl(_) | Teller::Statuspage(_) | Teller::GitHubLabels(_) => {}
        }
    }
    doors
}

/// The labels of issues that are incidents, with the environment that these are in.
fn labels(incidents: &Incidents) -> impl Iterator<Item = (&str, &str)> {
    let labels = match &incidents.teller {
        Teller::GitHubLabels(labels) => &labels[..],
        _ => &[],
    };
    let environment = incidents.environment.as_deref().unwrap_or(PRODUCTION);
    labels.iter().map(move |label| (label.as_str(), environment))
}

/// A log that is followed, by its name and place.
fn log(incidents: &Incidents) -> Option<(String, &Path, Tongue)> {
    let named = |kind: &str, path: &Path| format!("{kind}:{}", path.display());
    match &incidents.teller {
        Teller::Jsonl(path) => {
            let name = named("jsonl", path);
            let origin = origin(incidents, &name);
            Some((name, path, Tongue::Record(origin)))
        }
        Teller::Statuspage(path) => {
            let name = named("statuspage", path);
            let config = statuspage::Config {
                origin: origin(incidents, &name),
                none_is_disruption: false,
                services: BTreeMap::new(),
            };
            Some((name, path, Tongue::Statuspage(config)))
        }
        _ => None,
    }
}

/// Who speaks, and what goes without saying there.
pub(super) fn origin(incidents: &Incidents, source: &str) -> Origin {
    Origin {
        source: source.to_owned(),
        service: incidents.service.as_deref().map(Service::new),
        environment: Some(Environment::new(incidents.environment.as_deref().unwrap_or(PRODUCTION))),
    }
}

/// The way to GitHub, where anything is read from there.
fn client(delivery: &Delivery) -> Result<Option<Client>, SetupError> {
    let named::GitHub { api_url, token, app, ca_file, proxy, .. } = &delivery.github;
    let identity = match (token, app) {
        _ if delivery.repositories.is_empty() => return Ok(None),
        (Some(token), _) => Identity::Token(token.expose().to_owned()),
        (None, Some(app)) => Identity::App(app.clone()),
        (None, None) => return Ok(None),
    };
    let mut config = github::Config::of(identity);
    config.api.clone_from(api_url);
    config.ca_file.clone_from(ca_file);
    config.proxy.clone_from(proxy);
    Client::new(&config).map(Some)
}

fn plan(
    of: &named::Repository,
    streams: Vec<Stream>,
    label: &str,
    since_ms: i64,
) -> Result<Plan, BadPattern> {
    Ok(Plan {
        repository: Repository::new(&of.repo),
        service: Service::new(&of.service),
        streams,
        incident_label: label.to_owned(),
        workflow: of.workflow.clone().unwrap_or_default(),
        jobs: of.jobs,
        prereleases: of.prereleases,
        tags: of.tags.iter().map(|pattern| Glob::new(pattern)).collect::<Result<_, _>>()?,
        environment: Environment::new(of.environments.first().map_or(PRODUCTION, |name| name)),
        since_ms,
    })
}

/// What is read of a repository, deployments first: commits are looked for by what was deployed.
fn streams(of: &named::Repository) -> Vec<Stream> {
    let mut streams = Vec::new();
    streams.extend(of.workflow.as_ref().map(|_| Stream::Workflow));
    streams.extend(of.releases.then_some(Stream::Releases));
    streams.extend((!of.tags.is_empty()).then_some(Stream::Tags));
    if streams.is_empty() {
        streams.push(Stream::Deployments);
    }
    streams.extend([Stream::Commits, Stream::PullRequests, Stream::Runs]);
    streams
}

fn git_config(clone: &named::Clone) -> Result<git::Config, GitError> {
    let service = Service::new(&clone.service);
    let path = Path::new(&clone.path).to_owned();
    let mut config = git::Config::new(path, Repository::new(&clone.repo), &clone.branch);
    for pattern in &clone.tags {
        let environment = Environment::new(&clone.environment);
        config.tags.push(TagRule::new(pattern, service.clone(), environment)?);
    }
    if !clone.paths.is_empty() {
        let paths: Vec<&str> = clone.paths.iter().map(String::as_str).collect();
        config.services.push(ServicePaths::new(service, &paths)?);
    }
    Ok(config)
}

/// Where an incident is, or a version, that does not say it.
pub(super) const PRODUCTION: &str = "production";
