//! The words of `redora slo …`: what is done with objectives beside counting for them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use redora_model::slo::Goal;

use super::super::values;
use super::ReportFormat;

/// Objectives: brought from other tools, and tried on what has been
#[derive(Debug, Subcommand)]
#[command(verbatim_doc_comment, disable_help_subcommand = true)]
pub(in crate::cli) enum SloCommand {
    Import(SloImportOptions),
    Rehearse(Box<RehearseOptions>),
}

/// Convert files of Sloth, Pyrra or OpenSLO to objectives of redora
///
/// Prints one file for `slos`, with a comment above each objective on what stayed behind. The same
/// is said on stderr with its line. The command exits 1 when an objective could not be converted;
/// the others are printed. docs/slo.md has a table of what comes over.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora slo import sloth/*.yml > slos/imported.yaml
  redora slo import --out slos/checkout.yaml checkout.pyrra.yaml"
)]
pub(in crate::cli) struct SloImportOptions {
    /// Files of any of these formats, each with any number of documents
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,

    /// The file to write; - is stdout
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(in crate::cli) out: PathBuf,
}

/// Say when the alerts on burn would have fired over recorded events
///
/// The events are read from a Prometheus that scraped redora, or from JSON lines such as
/// {"at": "2026-01-01T00:00:00Z", "service": "shop", "slo": "up", "good": 120, "bad": 3}. Goals and
/// windows are those of the configuration, else those that Prometheus recorded. Incidents are those
/// of the configuration's ledger and of --incidents. A line that is no record is named on stderr
/// and set aside; the others are rehearsed, and the command exits 1.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora slo rehearse --prometheus http://localhost:9090 --since 30d
  redora slo rehearse --prometheus http://localhost:9090 --service shop --objective 99.5%
  redora slo rehearse --config redora.yaml --history events.jsonl --incidents incidents.jsonl
  zcat events.jsonl.gz | redora slo rehearse --history - --objective 99.9% --format json"
)]
pub(in crate::cli) struct RehearseOptions {
    /// Where the events are
    #[command(flatten)]
    pub(in crate::cli) source: HistoryOptions,

    /// What is tried on them
    #[command(flatten)]
    pub(in crate::cli) trial: TrialOptions,

    /// A log of incidents, one a line in the form of delivery.incidents; - reads stdin
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) incidents: Option<PathBuf>,

    /// How long before an incident a page may fire and still belong to it
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = values::time)]
    pub(in crate::cli) tolerance: Duration,

    /// The form of the answer
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "table")]
    pub(in crate::cli) format: ReportFormat,

    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none]
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
}

/// A history and how to come by it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HistoryOptions {
    /// The address of a Prometheus, or of what speaks its HTTP API
    #[arg(
        long,
        value_name = "URL",
        value_parser = values::prometheus,
        required_unless_present = "history",
        conflicts_with = "history"
    )]
    pub(in crate::cli) prometheus: Option<http::Uri>,

    /// A bearer token for it, as ${NAME} or ${file:PATH}
    #[arg(long, value_name = "TOKEN", requires = "prometheus", conflicts_with = "user")]
    pub(in crate::cli) token: Option<String>,

    /// A user that it knows
    #[arg(long, value_name = "NAME", requires_all = ["prometheus", "password"])]
    pub(in crate::cli) user: Option<String>,

    /// The user's password, as ${NAME} or ${file:PATH}
    #[arg(long, value_name = "PASSWORD", requires = "user")]
    pub(in crate::cli) password: Option<String>,

    /// How long each of its answers may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::time)]
    pub(in crate::cli) timeout: Duration,

    /// A file of events, one record a line; - reads stdin
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) history: Option<PathBuf>,
}

/// What is tried.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TrialOptions {
    /// How far back the report goes, in days or weeks [default: 30d, or a whole file]
    #[arg(long, value_name = "TIME", value_parser = values::days)]
    pub(in crate::cli) since: Option<u32>,

    /// Where it ends [default: now, or the end of a file]
    #[arg(long, value_name = "RFC3339", value_parser = values::moment)]
    pub(in crate::cli) until: Option<i64>,

    /// One service [default: all]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) service: Option<String>,

    /// One objective by its name [default: all]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) slo: Option<String>,

    /// Another goal, such as 99.5%, in the place of each objective's own
    #[arg(long, value_name = "GOAL", value_parser = values::goal)]
    pub(in crate::cli) objective: Option<Goal>,

    /// Another rolling window, 7d to 92d, in the place of each objective's own [default: 30d where
    /// nobody says one]
    #[arg(long, value_name = "TIME", value_parser = values::budget_window)]
    pub(in crate::cli) window: Option<u64>,
}
