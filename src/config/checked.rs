//! What a file is turned into: checked values that every organ is built from, with the defaults
//! that run without one.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use redora_model::slo::Queried;

use super::foreign::draft::Note;
use super::secret::Secret;
use super::sources::Delivery;
use crate::series::Limits;
use crate::slo::Watched;
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
    /// Objectives, in the order of their files.
    pub slos: Vec<Watched>,
    /// Objectives over metrics of others, in the order of their files: nothing here counts for
    /// them, and rules are rendered from them.
    pub queried: Vec<Queried>,
    /// What stayed behind of objectives in files of other tools; for people.
    pub notes: Vec<Note>,
    /// What the delivery half reads.
    pub delivery: Delivery,
}

/// The admin port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Its addresses; never empty.
    pub listen: Vec<SocketAddr>,
    /// What a request that changes something must show; without it nothing can be changed.
    pub token: Option<Secret>,
}

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
            slos: Vec::new(),
            queried: Vec::new(),
            notes: Vec::new(),
            delivery: Delivery::defaults(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::defaults()
    }
}
