//! The words of the command line. They are a contract with scripts: a word may be added, never
//! renamed.

mod delivery;
mod slo;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use redora_ascode::rules::Links;

pub(super) use delivery::{
    AskOptions, BackfillOptions, CompatWord, DoraCommand, ExplainOptions, ImportOptions,
    PlanFormat, ReportFormat, ReportOptions,
};
pub(super) use slo::{HistoryOptions, RehearseOptions, SloCommand, SloImportOptions};

use super::values;
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
    Slo(SloCommand),
    #[command(subcommand)]
    Dora(DoraCommand),
    Completions(CompletionsOptions),
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
/// `dashboards/` for Grafana 11 or newer with its provisioning. The rules hold for any number of
/// objectives: what differs between them is read from the metrics. Objectives over metrics of
/// others, which only a configuration names, get `alerts/rules/objectives.yaml`.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:
  redora render --out /etc/prometheus/redora
  redora render --config redora.yaml  with the rules of objectives over metrics of others
  redora render --runbooks https://git.example/runbooks --dashboards https://grafana.example
  redora render --check               exit 1 when a file differs from what would be written"
)]
pub(super) struct RenderOptions {
    /// Configuration file, YAML [env: REDORA_CONFIG] [default: none, no objectives of your own]
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

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
