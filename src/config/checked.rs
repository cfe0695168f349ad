//! What a file is turned into: checked values that every organ is built from, with the defaults
//! that run without one.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use crate::series::Limits;
use crate::{log_metrics, receive, red};

/// A checked configuration: what every organ is built from.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where OTLP is received, and what one peer may ask for.
    pub receive: receive::Config,
    /// Where metrics, health and pages are served.
    pub admin: Admin,
    /// Where state is kept; relative to the working directory.
    pub data_dir: PathBuf,
    /// How many series are kept, and for how long.
    pub series: Limits,
    /// What the RED book keeps.
    pub red: red::Config,
    /// Counters over log records, in the order of the file.
    pub log_metrics: Vec<log_metrics::Rule>,
}

/// The admin port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Its addresses; never empty.
    pub listen: Vec<SocketAddr>,
    /// What a request that changes something must show; without it nothing can be changed.
    pub token: Option<Secret>,
}

/// A secret that prints as `(secret)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Config {
    /// What runs without a file: telemetry on the default ports of both loopback families.
    #[must_use]
    pub fn defaults() -> Self {
        let loopback = |port| {
            vec![
                SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
            ]
        };
        Self {
            receive: receive::Config {
                // The ports that OpenTelemetry has registered.
                grpc: loopback(4317),
                http: loopback(4318),
                limits: receive::Limits::default(),
            },
            // The port that OpenTelemetry's own Prometheus exporter takes.
            admin: Admin { listen: loopback(9464), token: None },
            data_dir: PathBuf::from("./redora-data"),
            series: Limits::default(),
            red: red::Config::default(),
            log_metrics: Vec::new(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::defaults()
    }
}

impl Secret {
    /// A secret of this text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Whether a peer showed this secret; takes the same time wherever the first difference stands.
    #[must_use]
    pub fn matches(&self, shown: &[u8]) -> bool {
        let own = self.0.as_bytes();
        let differences = own.iter().zip(shown).fold(0, |sum, (a, b)| sum | (a ^ b));
        own.len() == shown.len() && differences == 0
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
