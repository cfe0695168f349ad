//! The words of `redora dora …`, in a file of their own because a question about deliveries has
//! more of them than all the rest of the command line.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::super::values;
use crate::app::delivery::{Metric, Zone};

/// Delivery: facts in and out of the ledger, and the five DORA metrics
///
/// The ledger is `ledger.sqlite` in the configured `data_dir`.
#[derive(Debug, Subcommand)]
#[command(verbatim_doc_comment, disable_help_subcommand = true)]
pub(in crate::cli) enum DoraCommand {
    Import(ImportOptions),
    Export(ExportOptions),
    Report(ReportOptions),
    Backfill(BackfillOptions),
    Explain(ExplainOptions),
}

/// Read every configured source once and store what it says
///
/// The agent does the same at its start and then by the schedule. What was stored stays; an
/// interrupted backfill goes on where it stood. Limits of a server are waited out. Its plan and its
/// progress are on stderr: lines that redraw on a terminal, else a line a source in ten seconds.
///
/// With --dry-run nothing is stored and nothing has to be: each repository is asked for its size
/// with two requests, and the plan says what would be read, what that costs of the limits of an
/// hour, and how long it takes. It exits 2 where a source cannot be read as configured.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora dora backfill --config redora.yaml --dry-run
  redora dora backfill --config redora.yaml
  redora dora backfill --config redora.yaml --since 365d"
)]
pub(in crate::cli) struct BackfillOptions {
    /// How far back a first reading goes, in days or weeks [default: delivery.history]
    #[arg(long, value_name = "TIME", value_parser = values::days)]
    pub(in crate::cli) since: Option<u32>,

    /// Print what would be read and what that costs, and store nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,

    /// The form of the plan [default: table]
    #[arg(long, value_name = "FORMAT", value_enum, requires = "dry_run")]
    pub(in crate::cli) format: Option<PlanFormat>,

    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, the built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
}

/// Store facts from JSON lines
///
/// Facts that are stored already change nothing. A line that is no fact is named on stderr by its
/// number and set aside; the others are stored, and the command exits 1.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora dora import facts.jsonl
  redora dora export | ssh other redora dora import -"
)]
pub(in crate::cli) struct ImportOptions {
    /// Files of one fact a line; - reads stdin
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,

    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, the built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
}

/// Print every fact that was ever stored as JSON lines
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ExportOptions {
    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, the built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
}

/// Print the five DORA metrics of each service and environment
///
/// docs/definitions.md says what each number means. What has no samples is shown as -.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora dora report
  redora dora report --service shop --environment production --window 90d
  redora dora report --at 2026-11-01T00:00:00Z --format json
  redora dora report --bands 2024 --quick-check
  redora dora report --compat devlake"
)]
pub(in crate::cli) struct ReportOptions {
    /// What is reported, and how
    #[command(flatten)]
    pub(in crate::cli) ask: AskOptions,

    /// Compute the numbers by the rules of another tool
    #[arg(long, value_name = "TOOL", value_enum, conflicts_with_all = ["bands", "quick_check"])]
    pub(in crate::cli) compat: Option<CompatWord>,

    /// Show where the numbers lie among the levels of DORA's report of a year
    #[arg(long, value_name = "YEAR", value_parser = values::year)]
    pub(in crate::cli) bands: Option<u16>,

    /// Show what the numbers score in the DORA Quick Check, beside the industry means of 2025
    #[arg(long)]
    pub(in crate::cli) quick_check: bool,
}

/// The tools whose rules are known.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum CompatWord {
    /// Apache DevLake and its DORA dashboard
    Devlake,
}

/// Which places, when, and in which form.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AskOptions {
    /// One service [default: all]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) service: Option<String>,

    /// One environment [default: all]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) environment: Option<String>,

    /// How far back the numbers reach, in days or weeks
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = values::days)]
    pub(in crate::cli) window: u32,

    /// Where the window ends; what is later counts as not known [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = values::moment)]
    pub(in crate::cli) at: Option<i64>,

    /// The time zone of days and weeks, by its IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = values::zone)]
    pub(in crate::cli) time_zone: Zone,

    /// The form of the answer
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "table")]
    pub(in crate::cli) format: ReportFormat,

    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, the built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
}

/// Print what is behind one number: every deployment, change and incident with its rule
///
/// A line with + counts and one with - does not; its rule says why. The window is that of a report.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora dora explain lead_time --service shop --environment production
  redora dora explain change_failure_ratio --window 90d --format json"
)]
pub(in crate::cli) struct ExplainOptions {
    /// The number
    #[arg(value_name = "METRIC", value_enum)]
    pub(in crate::cli) metric: MetricWord,

    /// What is reported, and how
    #[command(flatten)]
    pub(in crate::cli) ask: AskOptions,
}

/// The numbers as words, so that the delivery half needs no command line parser.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(in crate::cli) enum MetricWord {
    Deployments,
    LeadTime,
    ChangeFailureRatio,
    RecoveryTime,
    ReworkRatio,
}

impl From<MetricWord> for Metric {
    fn from(word: MetricWord) -> Self {
        match word {
            MetricWord::Deployments => Self::Deployments,
            MetricWord::LeadTime => Self::LeadTime,
            MetricWord::ChangeFailureRatio => Self::ChangeFailureRatio,
            MetricWord::RecoveryTime => Self::RecoveryTime,
            MetricWord::ReworkRatio => Self::ReworkRatio,
        }
    }
}

/// The forms of a plan.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum PlanFormat {
    Table,
    Json,
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    Table,
    Json,
    Markdown,
}
