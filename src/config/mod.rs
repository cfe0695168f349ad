//! The configuration file: YAML text to a checked [`Config`], with every fault named at its line,
//! instead of a serde derive, which stops at the first fault and knows neither columns nor secrets.
//!
//! The way is one direction: text → `node` (a tree with places) → `walk` (typed values, faults
//! collected, with `interpolate` and `scalar`) → `sections`, `red`, `logs` (what each key means) →
//! [`Config`]. Limits: 1 MiB of text, 64 KiB of any value that comes from outside the file.

mod fault;
mod interpolate;
mod logs;
mod node;
mod red;
mod scalar;
mod schema;
mod sections;
mod walk;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use fault::{Conflict, Fault, Faults, Problem, SyntaxCure};
pub use interpolate::{Broken, Read};
pub use scalar::{Form, Shown};
pub use schema::{KEYS, Key, LATER};

use crate::{log_metrics, receive, red as red_book};
use interpolate::Sources;
use node::Position;
use walk::Walk;

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
    pub series: SeriesLimits,
    /// What the RED book keeps.
    pub red: red_book::Config,
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

/// Bounds of every book of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesLimits {
    /// Series that are kept before new ones go to the overflow row.
    pub max: usize,
    /// How long a series without events is kept.
    pub expire: Duration,
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
            series: SeriesLimits::default(),
            red: red_book::Config::default(),
            log_metrics: Vec::new(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::defaults()
    }
}

impl Default for SeriesLimits {
    fn default() -> Self {
        Self {
            // A few dozen services with some hundred operations each, at a few MiB.
            max: 20_000,
            // A batch job that runs hourly keeps its series.
            expire: Duration::from_secs(3600),
        }
    }
}

/// Reads and checks a file; relative `${file:PATH}` start from the file's directory.
///
/// `env` gives an environment variable's value, `read` at most so many first bytes of a file
/// ([`read_file`] in production).
pub fn load(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    read: Read<'_>,
) -> Result<Config, Faults> {
    let file = path.to_string_lossy();
    let bytes = read(path, FILE_BYTES_MAX + 1)
        .map_err(|fault| whole_file(&file, Problem::Unreadable(fault.kind())))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(whole_file(&file, Problem::TooLarge { bytes_max: FILE_BYTES_MAX }));
    }
    let text = std::str::from_utf8(&bytes).map_err(|fault| {
        let good = String::from_utf8_lossy(&bytes[..fault.valid_up_to()]);
        one(&file, node::end(&good), Problem::Encoding)
    })?;
    parse(text, &file, env, read)
}

/// Checks a text; `file_name` stands in faults, and its directory is what relative `${file:PATH}`
/// start from.
///
/// Asks nobody but the two closures for anything, so the same text, variables and files give the
/// same answer.
pub fn parse(
    text: &str,
    file_name: &str,
    env: &dyn Fn(&str) -> Option<String>,
    read: Read<'_>,
) -> Result<Config, Faults> {
    if text.len() > FILE_BYTES_MAX {
        return Err(whole_file(file_name, Problem::TooLarge { bytes_max: FILE_BYTES_MAX }));
    }
    let tree = node::read(text).map_err(|(at, problem)| one(file_name, at, problem))?;
    let directory = Path::new(file_name).parent().unwrap_or(Path::new(""));
    let mut walk = Walk::new(file_name, Sources { env, read, directory });
    for (at, key, problem) in tree.faults {
        walk.fault(at, &key, problem);
    }
    let mut config = Config::defaults();
    if let Some(root) = &tree.root
        && let Some(top) = walk.top(root)
    {
        if let Some(section) = top.field("listen").and_then(|field| walk.section(field, "listen")) {
            sections::listen(&mut walk, &section, &mut config);
        }
        config.admin.token = sections::admin_token(&mut walk, &top);
        if let Some(path) = sections::data_dir(&mut walk, &top) {
            config.data_dir = path;
        }
        if let Some(section) = top.field("limits").and_then(|field| walk.section(field, "limits")) {
            let limits = &mut config.receive.limits;
            sections::limits(&mut walk, &section, limits, &mut config.series);
        }
        if let Some(section) = top.field("red").and_then(|field| walk.section(field, "red")) {
            red::red(&mut walk, &section, &mut config.red);
        }
        if let Some(field) = top.field("log_metrics") {
            config.log_metrics = logs::log_metrics(&mut walk, &field);
        }
    }
    walk.finish(config)
}

/// The first bytes of a file, at most `bytes_max`: the reader that production passes to [`load`].
pub fn read_file(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::copy(&mut File::open(path)?.take(bytes_max as u64), &mut bytes)?;
    Ok(bytes)
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

fn whole_file(file: &str, problem: Problem) -> Faults {
    one(file, Position { line: 0, column: 0 }, problem)
}

fn one(file: &str, at: Position, problem: Problem) -> Faults {
    let Position { line, column } = at;
    Faults(vec![Fault { file: file.to_owned(), line, column, key: String::new(), problem }])
}

/// A hundred times a long configuration.
const FILE_BYTES_MAX: usize = 1 << 20;
