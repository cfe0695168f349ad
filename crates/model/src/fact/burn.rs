//! What the agent counted while an error budget burned: the one kind of fact that no outside tool
//! tells, and the evidence for a change failure.

use serde::{Deserialize, Serialize};

use crate::identity::{Environment, Service};

/// A burn of a page tier, with what was counted: the evidence for a change failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burn {
    /// Whose objective.
    pub service: Service,
    /// Where.
    pub environment: Environment,
    /// The objective, by its name within the service.
    pub slo: String,
    /// The long window of the tier that fired first: `1h` or `6h`.
    pub tier: String,
    /// When it began to burn that fast.
    pub started_ms: i64,
    /// The last bad event, once it burns no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// Events of the hour before it began.
    #[serde(default)]
    pub before: Events,
    /// Events since.
    #[serde(default)]
    pub since: Events,
    /// Requests of each version that served since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionEvents>,
}

/// Good and bad events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Those that kept the promise.
    pub good: u64,
    /// Those that broke it.
    pub bad: u64,
}

/// Requests of one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionEvents {
    /// `service.version`.
    pub version: String,
    /// Requests that were good.
    pub good: u64,
    /// Requests that failed.
    pub bad: u64,
    /// Whether the budget would burn as fast with these requests alone.
    pub burns: bool,
}
