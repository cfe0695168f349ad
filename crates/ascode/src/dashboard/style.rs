//! Units, colours and bands with one meaning on every board, because a red that means "much" on one
//! and "broken" on another teaches nobody to look.

use serde_json::{Value, json};

/// What a number counts, as Grafana names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Things: deployments, runs, events.
    Count,
    /// A plain number with a fraction: a burn rate, cores.
    Number,
    /// A share between 0 and 1, shown in percent.
    Ratio,
    /// A duration.
    Seconds,
    /// A duration in seconds that is agreed on in days: thirty days are no 4.29 weeks.
    Days,
    /// Requests by time.
    RequestsPerSecond,
    /// Items by time.
    PerSecond,
    /// Memory.
    Bytes,
    /// A moment, as milliseconds since the epoch.
    Moment,
    /// How long ago a moment is, as milliseconds since the epoch.
    Ago,
    /// No number at all.
    Text,
}

impl Unit {
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Count | Self::Number => "short",
            Self::Ratio => "percentunit",
            Self::Seconds => "s",
            Self::Days => "dtdhms",
            Self::RequestsPerSecond => "reqps",
            Self::PerSecond => "cps",
            Self::Bytes => "bytes",
            Self::Moment => "dateTimeAsIso",
            Self::Ago => "dateTimeFromNow",
            Self::Text => "string",
        }
    }

    /// Digits behind the point; `None` leaves them to Grafana.
    pub(crate) const fn decimals(self) -> Option<u8> {
        match self {
            Self::Count => Some(0),
            _ => None,
        }
    }
}

/// A colour by what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Good,
    Fair,
    Bad,
    /// Neither good nor bad.
    Plain,
    /// Plain, and less so than its neighbours.
    Pale,
    /// Plain, and more so than its neighbours.
    Strong,
    /// Not worth a look.
    Quiet,
}

impl Colour {
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Good => "green",
            Self::Fair => "orange",
            Self::Bad => "red",
            Self::Plain => "blue",
            Self::Pale => "light-blue",
            Self::Strong => "dark-purple",
            Self::Quiet => "text",
        }
    }
}

/// Which values are good, fair and bad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bands {
    /// The number alone says neither.
    None,
    /// Good below the first, bad from the second on.
    Low(f64, f64),
    /// Bad below the first, good from the second on.
    High(f64, f64),
}

impl Bands {
    pub(crate) fn json(self) -> Value {
        let steps = match self {
            Self::None => vec![(None, Colour::Plain)],
            Self::Low(fair, bad) => {
                vec![(None, Colour::Good), (Some(fair), Colour::Fair), (Some(bad), Colour::Bad)]
            }
            Self::High(fair, good) => {
                vec![(None, Colour::Bad), (Some(fair), Colour::Fair), (Some(good), Colour::Good)]
            }
        };
        let steps: Vec<_> = steps
            .into_iter()
            .map(|(from, colour)| json!({ "color": colour.id(), "value": from }))
            .collect();
        json!({ "mode": "absolute", "steps": steps })
    }
}
