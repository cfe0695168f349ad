//! What every objective may say, whoever's file it stands in: the bounds and words that redora's
//! own format and those of other tools share, in one place so that neither can promise more.

use std::time::Duration;

use redora_model::slo::{Queried, Window};

use crate::red::Kind;
use crate::slo::Watched;

/// An objective, by who counts its events.
pub(super) enum Declared {
    /// The agent.
    Counted(Watched),
    /// Somebody else, whom Prometheus asks.
    Queried(Queried),
}

/// The window that alerting on burn rates was first described for, in seconds.
pub const DEFAULT_WINDOW_S: u64 = 30 * 86_400;
/// The window of an objective that names none.
pub(super) const DEFAULT_WINDOW: Window = Window::Rolling { seconds: DEFAULT_WINDOW_S };
/// A week: the longest burn window is three days of it.
pub const WINDOW_MIN: Duration = Duration::from_secs(7 * 86_400);
/// A quarter; who promises for longer has no time left to keep it.
pub const WINDOW_MAX: Duration = Duration::from_secs(92 * 86_400);
/// Shorter slices are as many as requests of a quiet service.
pub(super) const SLICE_MIN: Duration = Duration::from_secs(10);
/// Of longer ones a day has too few for a budget.
pub(super) const SLICE_MAX: Duration = Duration::from_secs(3_600);
/// The attributes that one objective may ask for.
pub(super) const ATTRIBUTES_MAX: usize = 16;
/// The longest duration that can be good.
pub(super) const THRESHOLD_NS_MAX: u64 = 24 * 3_600_000_000_000;

/// The role of a span by its name.
pub(super) fn kind(text: &str) -> Option<Kind> {
    let kinds = [Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer, Kind::Internal];
    kinds.into_iter().find(|kind| kind.as_str() == text)
}
