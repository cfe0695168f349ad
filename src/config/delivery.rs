//! The section `delivery`: repositories, clones and incident logs, each checked so far that a start
//! fails only at what the outside says.

use std::path::PathBuf;
use std::time::Duration;

use redora_collector::schedule::{Schedule, ScheduleFault};
use redora_collector::sources::git::{ServicePaths, TagRule};
use redora_collector::sources::github::{App, AppKey};
use redora_collector::sources::glob::Glob;
use redora_model::identity::{Environment, Service};

use super::fault::{Conflict, Problem};
use super::scalar::{self, Form, Shown};
use super::secret::Secret;
use super::sources::{Clone, Delivery, GitHub, Incidents, Repository, SCHEDULE, Teller};
use super::walk::{Section, Typed, Walk};

/// Reads `delivery`.
pub(super) fn delivery(walk: &mut Walk<'_>, section: &Section<'_>, delivery: &mut Delivery) {
    let zone = typed(walk, section, "time_zone", Form::TimeZone, zone);
    delivery.time_zone = zone.unwrap_or_else(|| delivery.time_zone.clone());
    let zone = delivery.time_zone.clone();
    delivery.schedule = schedule(walk, section, &zone).unwrap_or_else(|| {
        Schedule::new(SCHEDULE, &zone).expect("the default is a schedule in every zone")
    });
    if let Some(time) = time(walk, section, "history", HISTORY_MAX) {
        delivery.history = time;
    }
    if let Some(time) = time(walk, section, "attribution_window", ATTRIBUTION_MAX) {
        delivery.attribution_window = time;
    }
    if let Some(memory) = super::sections::bytes(walk, section, "memory", MEMORY_BYTES_MAX) {
        delivery.memory_bytes = usize::try_from(memory.value).unwrap_or(usize::MAX);
    }
    let faults = walk.faults();
    if let Some(section) =
        section.field("github").and_then(|field| walk.section(field, "delivery.github"))
    {
        github(walk, &section, &mut delivery.github);
    }
    let is_github_sound = walk.faults() == faults;
    let every = |walk: &mut Walk<'_>, name: &str| {
        section.field(name).and_then(|field| walk.elements(&field, SOURCES_MAX)).unwrap_or_default()
    };
    for field in every(walk, "repositories") {
        let Some(section) = walk.section(field, "delivery.repositories[]") else { continue };
        delivery.repositories.extend(repository(walk, &section, &zone));
    }
    for field in every(walk, "git") {
        let Some(section) = walk.section(field, "delivery.git[]") else { continue };
        delivery.git.extend(clone(walk, &section, &zone));
    }
    for field in every(walk, "incidents") {
        let Some(section) = walk.section(field, "delivery.incidents[]") else { continue };
        delivery.incidents.extend(incidents(walk, &section, &zone));
    }
    let GitHub { token, app, .. } = &delivery.github;
    let needs_token = !delivery.repositories.is_empty() && token.is_none() && app.is_none();
    if needs_token && is_github_sound {
        let cure = "give a token that may read the repositories, such as \
                    ${file:/run/secrets/github}, or delivery.github.app";
        walk.fault(section.at, &section.key("github.token"), Problem::Missing(cure));
    }
}

fn github(walk: &mut Walk<'_>, section: &Section<'_>, github: &mut GitHub) {
    if let Some(url) = address(walk, section, "api_url") {
        github.api_url = url;
    }
    github.proxy = address(walk, section, "proxy");
    github.ca_file = typed(walk, section, "ca_file", Form::Path, path);
    github.token = secret(walk, section, "token");
    github.webhook_secret = secret(walk, section, "webhook_secret");
    let Some(field) = section.field("app") else { return };
    if github.token.is_some() {
        walk.fault(field.at, &field.key, Conflict::TokenAndApp);
    }
    let section = walk.section(field, "delivery.github.app");
    github.app = section.and_then(|section| app(walk, &section));
}

/// A GitHub App, with a key that can sign.
fn app(walk: &mut Walk<'_>, section: &Section<'_>) -> Option<App> {
    let id = required(walk, section, "id", Form::AppId, app_id);
    let faults = walk.faults();
    let key = section.field("private_key").and_then(|field| {
        let text = walk.secret(&field)?;
        let key = AppKey::parse(&text.value);
        key.map_err(|fault| walk.fault(field.at, &field.key, fault)).ok()
    });
    if key.is_none() && walk.faults() == faults {
        let cure = "give the text of the .pem file that GitHub handed out, such as \
                    ${file:/run/secrets/app.pem}";
        walk.fault(section.at, &section.key("private_key"), Problem::Missing(cure));
    }
    let installation = section.field("installation").and_then(|field| {
        let number: Typed<u64> = walk.typed(&field, Form::Count, scalar::count)?;
        number.bounded(walk, 1..=u64::MAX, u64::to_string).map(|number| number.value)
    });
    Some(App { id: id?, key: key?, installation })
}

fn repository(walk: &mut Walk<'_>, section: &Section<'_>, zone: &str) -> Option<Repository> {
    let repo = required(walk, section, "repo", Form::Repository, repo_name)?;
    let service = name(walk, section, "service");
    let deployments = section
        .field("deployments")
        .and_then(|field| walk.section(field, "delivery.repositories[].deployments"));
    let service = service.unwrap_or_else(|| bare_name(&repo).to_owned());
    let mut repository = Repository {
        repo,
        service,
        environments: Vec::new(),
        workflow: None,
        releases: false,
        prereleases: false,
        tags: Vec::new(),
        jobs: false,
        schedule: schedule(walk, section, zone),
    };
    if let Some(section) =
        section.field("ci").and_then(|field| walk.section(field, "delivery.repositories[].ci"))
    {
        let jobs = typed(walk, &section, "jobs", Form::Switch, scalar::switch);
        repository.jobs = jobs.unwrap_or(false);
    }
    if let Some(section) = deployments {
        signs(walk, &section, &mut repository);
    }
    Some(repository)
}

/// What the deployments of a repository are told by.
fn signs(walk: &mut Walk<'_>, section: &Section<'_>, repository: &mut Repository) {
    repository.environments = names(walk, section, "environment");
    repository.workflow = name(walk, section, "workflow");
    let faults = walk.faults();
    let mut switch = |key| typed(walk, section, key, Form::Switch, scalar::switch);
    repository.releases = switch("releases").unwrap_or(false);
    repository.prereleases = switch("prereleases").unwrap_or(false);
    let is_alone = repository.prereleases && !repository.releases;
    if let Some(field) = section.field("prereleases").filter(|_| is_alone)
        && walk.faults() == faults
    {
        walk.fault(field.at, &field.key, Conflict::PrereleasesAlone);
    }
    let pattern = |text: &str| Glob::new(text).ok().map(|_| text.to_owned());
    repository.tags = listed(walk, section, "tags", Form::Pattern, pattern);
}

fn clone(walk: &mut Walk<'_>, section: &Section<'_>, zone: &str) -> Option<Clone> {
    let path = required(walk, section, "path", Form::Path, path)?;
    let folder = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let folder = folder.unwrap_or_default().trim_end_matches(".git").to_owned();
    let repo = typed(walk, section, "repo", Form::Repository, repo_name);
    let service = name(walk, section, "service");
    let branch = name(walk, section, "branch").unwrap_or_else(|| "main".to_owned());
    let pattern = |text: &str| {
        let rule = TagRule::new(text, Service::new("s"), Environment::new("e"));
        rule.ok().map(|_| text.to_owned())
    };
    let paths = |text: &str| {
        let paths = ServicePaths::new(Service::new("s"), &[text]);
        paths.ok().map(|_| text.to_owned())
    };
    let tags = listed(walk, section, "tags", Form::Pattern, pattern);
    let paths = listed(walk, section, "paths", Form::Pattern, paths);
    let environment = name(walk, section, "environment");
    let schedule = schedule(walk, section, zone);
    Some(Clone {
        path,
        service: service.unwrap_or_else(|| repo.as_deref().map_or(&*folder, bare_name).to_owned()),
        repo: repo.unwrap_or(folder),
        branch,
        tags,
        environment: environment.unwrap_or_else(|| "production".to_owned()),
        paths,
        schedule,
    })
}

fn incidents(walk: &mut Walk<'_>, section: &Section<'_>, zone: &str) -> Option<Incidents> {
    let (faults, mut tellers) = (walk.faults(), Vec::new());
    tellers.extend(typed(walk, section, "jsonl", Form::Path, path).map(Teller::Jsonl));
    tellers.extend(typed(walk, section, "statuspage", Form::Path, path).map(Teller::Statuspage));
    tellers.extend(secret(walk, section, "pagerduty").map(Teller::PagerDuty));
    let labels = names(walk, section, "github_labels");
    tellers.extend((!labels.is_empty()).then_some(Teller::GitHubLabels(labels)));
    for (key, teller) in [("alertmanager", Teller::Alertmanager), ("webhook", Teller::Webhook)] {
        let is_on = typed(walk, section, key, Form::Switch, scalar::switch);
        tellers.extend(is_on.unwrap_or(false).then_some(teller));
    }
    let (service, environment) =
        (name(walk, section, "service"), name(walk, section, "environment"));
    let schedule = schedule(walk, section, zone);
    if tellers.len() != 1 && walk.faults() == faults {
        walk.fault(section.at, section.path(), Conflict::Tellers(tellers.len()));
    }
    let teller = tellers.pop()?;
    Some(Incidents { teller, service, environment, schedule })
}

/// The schedule of a section, in a zone that exists.
fn schedule(walk: &mut Walk<'_>, section: &Section<'_>, zone: &str) -> Option<Schedule> {
    let schedule = |text: &str| Schedule::new(text, zone).ok();
    typed(walk, section, "schedule", Form::Schedule, schedule)
}

pub(super) fn zone(text: &str) -> Option<String> {
    let known = !matches!(Schedule::new(SCHEDULE, text), Err(ScheduleFault::Zone));
    known.then(|| text.to_owned())
}

fn name(walk: &mut Walk<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    typed(walk, section, key, Form::Name, plain_name)
}

fn names(walk: &mut Walk<'_>, section: &Section<'_>, key: &str) -> Vec<String> {
    listed(walk, section, key, Form::Name, plain_name)
}

fn listed<T>(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    key: &str,
    form: Form,
    parse: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let Some(field) = section.field(key) else { return Vec::new() };
    let fields = walk.list(&field, NAMES_MAX).unwrap_or_default();
    let typed = fields.iter().filter_map(|field| walk.typed(field, form, &parse));
    typed.map(|typed| typed.value).collect()
}

pub(super) fn typed<T>(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    key: &str,
    form: Form,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let field = section.field(key)?;
    walk.typed(&field, form, parse).map(|typed| typed.value)
}

pub(super) fn required<T>(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    key: &str,
    form: Form,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let faults = walk.faults();
    let value = typed(walk, section, key, form, parse);
    if value.is_none() && walk.faults() == faults {
        walk.fault(section.at, &section.key(key), Problem::Missing(form.cure()));
    }
    value
}

/// A secret of which no fault may show a part.
fn secret(walk: &mut Walk<'_>, section: &Section<'_>, key: &str) -> Option<Secret> {
    let field = section.field(key)?;
    super::sections::token(walk, &field)
}

/// An address; one that may hold a password is not shown.
fn address(walk: &mut Walk<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    let field = section.field(key)?;
    let text = walk.text(&field)?;
    let url = url(&text.value);
    if url.is_none() {
        let is_secret = text.value.contains('@');
        let shown = if is_secret { Shown::origin("secret") } else { text.shown };
        walk.fault(field.at, &field.key, Problem::Value { shown, form: Form::Url });
    }
    url
}

fn time(walk: &mut Walk<'_>, section: &Section<'_>, key: &str, max: Duration) -> Option<Duration> {
    let field = section.field(key)?;
    let typed: Typed<Duration> = walk.typed(&field, Form::Duration, scalar::duration)?;
    let bounded = typed.bounded(walk, TIME_MIN..=max, |time| scalar::duration_text(*time));
    bounded.map(|typed| typed.value)
}

pub(super) fn plain_name(text: &str) -> Option<String> {
    let legal = !text.trim().is_empty() && text.len() <= NAME_BYTES_MAX;
    (legal && !text.contains(char::is_control)).then(|| text.to_owned())
}

/// A number, or a client id.
fn app_id(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let legal = (1..=APP_ID_BYTES_MAX).contains(&text.len()) && text.chars().all(is_plain);
    legal.then(|| text.to_owned())
}

/// `owner/name` as GitHub allows both.
fn repo_name(text: &str) -> Option<String> {
    let (owner, name) = text.split_once('/')?;
    let is_plain = |part: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && part != "." && part != ".." && part.chars().all(plain)
    };
    (text.len() <= NAME_BYTES_MAX && is_plain(owner) && is_plain(name)).then(|| text.to_owned())
}

fn bare_name(repo: &str) -> &str {
    repo.rsplit('/').next().unwrap_or(repo)
}

/// An address with a scheme that is spoken, a host and no secret in it.
pub(super) fn url(text: &str) -> Option<String> {
    let uri: http::Uri = text.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
    let host = uri.authority().filter(|authority| !authority.as_str().contains('@'));
    (scheme.is_some() && host.is_some() && uri.query().is_none()).then(|| text.to_owned())
}

fn path(text: &str) -> Option<PathBuf> {
    let legal = !text.is_empty() && !text.contains('\0') && text.len() <= PATH_BYTES_MAX;
    legal.then(|| PathBuf::from(text))
}

/// More than the history of any repository takes.
const MEMORY_BYTES_MAX: u64 = 64 << 30;
/// A large organisation's.
const SOURCES_MAX: usize = 1000;
const NAMES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 256;
/// Thrice what the ids of today have.
const APP_ID_BYTES_MAX: usize = 64;
const PATH_BYTES_MAX: usize = 4096;
const TIME_MIN: Duration = Duration::from_secs(60);
/// Longer than GitHub exists.
const HISTORY_MAX: Duration = Duration::from_secs(30 * 366 * 86_400);
/// Past a month nobody would call it a consequence.
const ATTRIBUTION_MAX: Duration = Duration::from_secs(31 * 86_400);
