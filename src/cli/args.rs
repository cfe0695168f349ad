//! The words of the command line. They are a contract with scripts: a word may be added, never
//! renamed.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use redora_ascode::rules::Links;

use super::values;
use crate::app::delivery::{Metric, Zone};
use crate::process::{LogFormat, REVISION, VERSION};

/// RED and DORA metrics from one small binary: OTLP in, Prometheus out.
///
/// Without a command, redora runs the agent: it takes OTLP spans and logs on ports 4317 (gRPC) and
/// 4318 (HTTP), and serves the metrics drawn from them on http://127.0.0.1:9464/metrics.
#[derive(Debug, Parser)]
#[command(
    name = "redora",
    verbatim_doc_comment,
    version = version(),
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    after_long_help = "Examples:
  redora                              run with defaults
  redora --config redora.yaml         run with a configuration
  redora check --config redora.yaml   find every fault before a rollout
  redora health                       exit 0 when the local agent is ready

Exit codes: 0 done, 1 failed while running, 2 wrong usage or configuration."
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: RunOptions,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Run(RunOptions),
    Check(CheckOptions),
    Health(HealthOptions),
    Render(RenderOptions),
    #[command(subcommand)]
    Dora(DoraCommand),
    Completions(CompletionsOptions),
}

/// Delivery: facts in and out of the ledger, and the five DORA metrics
///
/// The ledger is `ledger.sqlite` in the configured `data_dir`.
#[derive(Debug, Subcommand)]
#[command(verbatim_doc_comment, disable_help_subcommand = true)]
pub(super) enum DoraCommand {
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
pub(super) struct BackfillOptions {
    /// How far back a first reading goes, in days or weeks [default: delivery.history]
    #[arg(long, value_name = "TIME", value_parser = values::days)]
    pub(super) since: Option<u32>,

    /// Print what would be read and what that costs, and store nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    /// The form of the plan [default: table]
    #[arg(long, value_name = "FORMAT", value_enum, requires = "dry_run")]
    pub(super) format: Option<PlanFormat>,

    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, the built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
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
pub(super) struct ImportOptions {
    /// Files of one fact a line; - reads stdin
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,

    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, the built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// Print every fact that was ever stored as JSON lines
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ExportOptions {
    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, the built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
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
pub(super) struct ReportOptions {
    /// What is reported, and how
    #[command(flatten)]
    pub(super) ask: AskOptions,

    /// Compute the numbers by the rules of another tool
    #[arg(long, value_name = "TOOL", value_enum, conflicts_with_all = ["bands", "quick_check"])]
    pub(super) compat: Option<CompatWord>,

    /// Show where the numbers lie among the levels of DORA's report of a year
    #[arg(long, value_name = "YEAR", value_parser = values::year)]
    pub(super) bands: Option<u16>,

    /// Show what the numbers score in the DORA Quick Check, beside the industry means of 2025
    #[arg(long)]
    pub(super) quick_check: bool,
}

/// The tools whose rules are known.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum CompatWord {
    /// Apache DevLake and its DORA dashboard
    Devlake,
}

/// Which places, when, and in which form.
#[derive(Debug, clap::Args)]
pub(super) struct AskOptions {
    /// One service [default: all]
    #[arg(long, value_name = "NAME")]
    pub(super) service: Option<String>,

    /// One environment [default: all]
    #[arg(long, value_name = "NAME")]
    pub(super) environment: Option<String>,

    /// How far back the numbers reach, in days or weeks
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = values::days)]
    pub(super) window: u32,

    /// Where the window ends; what is later counts as not known [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = values::moment)]
    pub(super) at: Option<i64>,

    /// The time zone of days and weeks, by its IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = values::zone)]
    pub(super) time_zone: Zone,

    /// The form of the answer
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "table")]
    pub(super) format: ReportFormat,

    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, the built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
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
pub(super) struct ExplainOptions {
    /// The number
    #[arg(value_name = "METRIC", value_enum)]
    pub(super) metric: MetricWord,

    /// What is reported, and how
    #[command(flatten)]
    pub(super) ask: AskOptions,
}

/// The numbers as words, so that the delivery half needs no command line parser.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum MetricWord {
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
pub(super) enum PlanFormat {
    Table,
    Json,
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ReportFormat {
    Table,
    Json,
    Markdown,
}

/// Run the agent (the default when no command is given)
///
/// SIGTERM and Ctrl-C drain within ten seconds and exit 0; a second one exits at once. SIGHUP reads
/// the configuration again; a faulty file keeps the last good configuration and says so.
///
/// Own traces (boot, reload, drain, scrape) are sent over OTLP/HTTP when
/// OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set.
#[derive(Clone, Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora run
  redora run --config /etc/redora/redora.yaml --log-format json
  REDORA_LOG=info,redora::receive=debug redora run"
)]
pub(super) struct RunOptions {
    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, telemetry on the default
    /// ports]
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Log level: off, error, warn, info, debug, trace, or a list of target=level [env: REDORA_LOG]
    /// [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(super) log_level: Option<String>,

    /// Form of the log lines on stderr [env: REDORA_LOG_FORMAT] [default: text]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(super) log_format: Option<LogFormatWord>,
}

/// Validate everything that `run` would load
///
/// Prints every fault with its file, line and key to stderr and exits 2, or says `FILE: ok` with a
/// summary of what would run. Nothing is started and no port is opened.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora check --config redora.yaml
  REDORA_CONFIG=redora.yaml redora check"
)]
pub(super) struct CheckOptions {
    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, the built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// Exit 0 when the agent is ready, 1 when it is not
///
/// Made for container health checks in images without a shell. Without --url, both loopback
/// addresses are tried.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora health
  redora health --url http://10.0.0.7:9464 --timeout 500ms

In a container image:
  HEALTHCHECK CMD [\"redora\", \"health\"]"
)]
pub(super) struct HealthOptions {
    /// Address of the agent's admin port [default: http://127.0.0.1:9464/readyz, then
    /// http://[::1]:9464/readyz]
    ///
    /// A URL without a path asks for /readyz.
    #[arg(long, value_name = "URL", value_parser = values::url)]
    pub(super) url: Option<http::Uri>,

    /// How long the whole check may take, such as 500ms or 3s
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = values::time)]
    pub(super) timeout: Duration,
}

/// Write alert rules, an Alertmanager configuration and dashboards
///
/// Writes `alerts/rules/*.yaml` for Prometheus 2.42 or newer, `alerts/alertmanager.yml`, and
/// `dashboards/` for Grafana 11 or newer with its provisioning. The rules hold for any number of objectives: what differs between them is read from the metrics.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora render --out /etc/prometheus/redora
  redora render --runbooks https://git.example/runbooks --dashboards https://grafana.example
  redora render --check               exit 1 when a file differs from what would be written"
)]
pub(super) struct RenderOptions {
    /// The folder that `alerts/` is written below
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) out: PathBuf,

    /// Change nothing; name the files that are stale and exit 1 if there are any
    #[arg(long)]
    pub(super) check: bool,

    /// Where the runbooks are, as the beginning of `runbook_url`
    #[arg(long, value_name = "URL", default_value_t = Links::default().runbooks)]
    pub(super) runbooks: String,

    /// Where Grafana is, as the beginning of `dashboard_url`
    #[arg(long, value_name = "URL", default_value_t = Links::default().dashboards)]
    pub(super) dashboards: String,
}

/// Print a completion script for a shell to stdout
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora completions bash > /etc/bash_completion.d/redora
  redora completions zsh  > \"${fpath[1]}/_redora\"
  redora completions fish > ~/.config/fish/completions/redora.fish"
)]
pub(super) struct CompletionsOptions {
    /// The shell to complete for
    #[arg(value_name = "SHELL", value_enum)]
    pub(super) shell: Shell,
}

/// The log formats as words, so that the process room needs no command line parser.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogFormatWord {
    Text,
    Json,
}

impl From<LogFormatWord> for LogFormat {
    fn from(word: LogFormatWord) -> Self {
        match word {
            LogFormatWord::Text => Self::Text,
            LogFormatWord::Json => Self::Json,
        }
    }
}

/// `0.1.0 (1a2b3c4d5e6f)`, or the bare version of a build that was not told its revision.
fn version() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| match REVISION {
        // Twelve digits tell revisions apart in any repository; a full hash would drown the
        // version.
        Some(revision) => format!("{VERSION} ({})", revision.get(..12).unwrap_or(revision)),
        None => VERSION.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_words_agree_with_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn without_a_command_the_options_are_those_of_run() {
        let args = Args::try_parse_from(["redora", "--config", "a.yaml"]).unwrap();
        assert!(args.command.is_none());
        assert_eq!(args.run.config, Some("a.yaml".into()));
        let args = Args::try_parse_from(["redora", "run", "-c", "b.yaml"]).unwrap();
        let Some(Command::Run(options)) = args.command else { panic!("{args:?}") };
        assert_eq!(options.config, Some("b.yaml".into()));
    }
}
