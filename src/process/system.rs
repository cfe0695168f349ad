//! Everything of the system that a run needs, in one value, so that the wiring takes it as an
//! argument.

use super::clock::Clock;
use super::signals::Signals;

/// What the system gives one run of the agent.
#[derive(Debug)]
pub struct System {
    /// The clock of the machine.
    pub clock: Clock,
    /// Stop and reload, as the system asks for them.
    pub signals: Signals,
    /// Random per run, for the hashers of tables whose keys come from outside.
    pub seed: u64,
    /// The own trace of the boot; it ends when the agent drops it, once all listeners are bound.
    pub boot: tracing::Span,
}
