//! What the delivery half reads, checked: plain values, from which the wiring builds its sources.

use std::path::PathBuf;
use std::time::Duration;

use redora_collector::schedule::Schedule;
use redora_collector::sources::github::App;

use super::secret::Secret;

/// The section `delivery`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When sources are read that have no schedule of their own.
    pub schedule: Schedule,
    /// The calendar of schedules, days and weeks, by its IANA name.
    pub time_zone: String,
    /// How far back a first reading goes.
    pub history: Duration,
    /// How long after a deployment an incident is taken for its consequence.
    pub attribution_window: Duration,
    /// How much of what was linked is kept from one computation to the next.
    pub memory_bytes: usize,
    /// How GitHub is reached.
    pub github: GitHub,
    /// Repositories on GitHub.
    pub repositories: Vec<Repository>,
    /// Clones.
    pub git: Vec<Clone>,
    /// Where incidents are told.
    pub incidents: Vec<Incidents>,
}

/// How GitHub is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHub {
    /// The address of the API.
    pub api_url: String,
    /// What is shown to it.
    pub token: Option<Secret>,
    /// As which App it is asked instead.
    pub app: Option<App>,
    /// Certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A proxy that speaks CONNECT.
    pub proxy: Option<String>,
    /// What its webhooks are signed with; without it their door is closed.
    pub webhook_secret: Option<Secret>,
}

/// A repository on GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// `owner/name`.
    pub repo: String,
    /// What its deployments deploy.
    pub service: String,
    /// The environments whose deployments are kept; none for all.
    pub environments: Vec<String>,
    /// The file of a workflow whose runs are deployments, instead of what GitHub calls so.
    pub workflow: Option<String>,
    /// Whether releases are deployments, instead of what GitHub calls so.
    pub releases: bool,
    /// Whether releases of which their author says that they are not ready count as others do.
    pub prereleases: bool,
    /// Tags that are deployments, instead of what GitHub calls so.
    pub tags: Vec<String>,
    /// Whether the jobs of workflow runs are read.
    pub jobs: bool,
    /// Its own schedule.
    pub schedule: Option<Schedule>,
}

/// A clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clone {
    /// Where it lies.
    pub path: PathBuf,
    /// The name that its facts carry: `owner/name` where they meet those of GitHub.
    pub repo: String,
    /// What it holds.
    pub service: String,
    /// The branch that changes arrive on.
    pub branch: String,
    /// Tags that are deployments, and where to.
    pub tags: Vec<String>,
    /// Where those tags deploy to.
    pub environment: String,
    /// The paths of the service in a repository of several.
    pub paths: Vec<String>,
    /// Its own schedule.
    pub schedule: Option<Schedule>,
}

/// A place where incidents are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incidents {
    /// What tells them.
    pub teller: Teller,
    /// The service of an incident that names none.
    pub service: Option<String>,
    /// The environment of an incident that names none.
    pub environment: Option<String>,
    /// Its own schedule.
    pub schedule: Option<Schedule>,
}

/// What tells of incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Teller {
    /// A file of redora's own records, a line each.
    Jsonl(PathBuf),
    /// A file of a status page's incidents, a line each.
    Statuspage(PathBuf),
    /// Issues with one of these labels, of every configured repository.
    GitHubLabels(Vec<String>),
    /// Alertmanager's webhook.
    Alertmanager,
    /// PagerDuty's webhook, signed with this.
    PagerDuty(Secret),
    /// The generic webhook.
    Webhook,
}

impl Delivery {
    /// Nothing to read, every five minutes.
    #[must_use]
    pub fn defaults() -> Self {
        Self {
            schedule: Schedule::new(SCHEDULE, TIME_ZONE).expect("the default is a schedule"),
            time_zone: TIME_ZONE.to_owned(),
            history: Duration::from_secs(90 * 86_400),
            attribution_window: Duration::from_secs(86_400),
            memory_bytes: 256 << 20,
            github: GitHub {
                api_url: "https://api.github.com".to_owned(),
                token: None,
                app: None,
                ca_file: None,
                proxy: None,
                webhook_secret: None,
            },
            repositories: Vec::new(),
            git: Vec::new(),
            incidents: Vec::new(),
        }
    }

    /// Whether there is nothing to read and nobody to listen to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.repositories.is_empty() && self.git.is_empty() && self.incidents.is_empty()
    }
}

/// Every five minutes.
pub(super) const SCHEDULE: &str = "0 */5 * * * *";
const TIME_ZONE: &str = "UTC";
