//! Service level objectives and the arithmetic of their error budgets, once for the agent that
//! counts, the rules that alert and the delivery half that judges a deployment, so that no two of
//! them can disagree about what burns.
//!
//! Source of the formulas: Google, *The Site Reliability Workbook*, chapter 5, "Alerting on SLOs",
//! multiwindow and multi-burn-rate alerts.

mod burn;
mod goal;
mod lex;
mod query;
mod query_fault;
pub mod replay;
mod slices;

pub use burn::{BAD_EVENTS_MIN, BURN_WINDOWS, BurnWindow, Counts, Hold, Severity, TIERS, Tier};
pub use goal::Goal;
pub use query::{Queries, Query, Template};
pub use query_fault::QueryFault;
pub use slices::{Share, Slices};

use crate::identity::Service;

/// What a service has promised, as everyone who counts, alerts or draws needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// Its name, unique within the service.
    pub name: String,
    /// Whose requests are events.
    pub service: Service,
    /// What makes an event good.
    pub indicator: Indicator,
    /// The share of events that must be good.
    pub goal: Goal,
    /// The time over which the share is taken.
    pub window: Window,
    /// Which alerts are wanted.
    pub tiers: Tiers,
    /// Who is alerted; empty where nobody is named.
    pub team: String,
    /// Where it is written what to do, as an address; empty where it is written nowhere.
    pub runbook: String,
}

/// What a service has promised in metrics of others, which nobody here counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queried {
    /// Its name, unique within the service among these and every [`Objective`].
    pub name: String,
    /// Whose requests are events.
    pub service: Service,
    /// What Prometheus is asked for them.
    pub queries: Queries,
    /// The share of events that must be good.
    pub goal: Goal,
    /// The time over which the share is taken, in seconds; it rolls.
    pub window_s: u64,
    /// Which alerts are wanted.
    pub tiers: Tiers,
    /// Who is alerted; empty where nobody is named.
    pub team: String,
    /// Where it is written what to do, as an address; empty where it is written nowhere.
    pub runbook: String,
}

/// What makes an event good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indicator {
    /// A request that did not fail.
    Availability,
    /// A request that did not fail and took at most this long.
    Latency {
        /// The longest good duration, in nanoseconds.
        threshold_ns: u64,
    },
    /// A log record that says so, in words that only the agent needs to know.
    Logs,
}

/// The time over which a budget is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last so many seconds.
    Rolling {
        /// Its length.
        seconds: u64,
    },
    /// From the start of a week, month or quarter, when the whole budget is there again.
    Calendar {
        /// How long a period is.
        period: Period,
        /// Whose midnight it starts at, by its IANA name.
        time_zone: String,
    },
}

/// A stretch of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From Monday on.
    Week,
    /// From the first of a month on.
    Month,
    /// From the first of January, April, July or October on.
    Quarter,
}

impl Period {
    /// Every period there is.
    pub const ALL: [Period; 3] = [Period::Week, Period::Month, Period::Quarter];

    /// The word for it in an objectives file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Period::Week => "week",
            Period::Month => "month",
            Period::Quarter => "quarter",
        }
    }
}

/// Which alerts an objective raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiers {
    /// Burns that someone is woken for.
    pub page: bool,
    /// Burns that someone looks at in the morning.
    pub ticket: bool,
}

impl Tiers {
    /// Both.
    pub const ALL: Tiers = Tiers { page: true, ticket: true };

    /// Whether burns of this severity alert.
    #[must_use]
    pub fn has(self, severity: Severity) -> bool {
        match severity {
            Severity::Page => self.page,
            Severity::Ticket => self.ticket,
        }
    }
}
