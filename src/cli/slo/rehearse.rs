//! `redora slo rehearse`: words into a rehearsal, and its report in the form that was asked for.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::super::args::{HistoryOptions, RehearseOptions, ReportFormat};
use super::super::configuration;
use super::super::outcome::{self, Outcome};
use super::rehearsed;
use crate::app::rehearse::{self, Ask, History, RehearseError, Source, Stage, Time};
use crate::config;
use crate::process::{self, Clock};

/// Rehearses and prints the report.
pub(super) fn rehearse(options: RehearseOptions) -> Outcome {
    let (file, config) = match configuration::load(options.config.clone()) {
        Ok(loaded) => loaded,
        Err(unusable) => {
            outcome::complain(&unusable);
            return Outcome::Wrong;
        }
    };
    let format = options.format;
    let ask = ask(&options, config.slos.clone());
    let stage = match stage(options, ask, file.is_some().then_some(&config)) {
        Ok(stage) => stage,
        Err(fault) => {
            outcome::complain(&fault);
            return fault.outcome();
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            outcome::complain(&format_args!("cannot start: {error}"));
            return Outcome::Failed;
        }
    };
    let mut set_aside = Outcome::Done;
    let rehearsed = runtime.block_on(rehearse::rehearse(stage, |bad| {
        outcome::complain(&bad);
        set_aside = Outcome::Failed;
    }));
    // A name still being resolved sits in a thread that must not hold the exit.
    runtime.shutdown_background();
    match rehearsed {
        Ok(report) => {
            let text = match format {
                ReportFormat::Json => rehearsed::json(&report),
                ReportFormat::Table => rehearsed::table(&report),
                ReportFormat::Markdown => rehearsed::markdown(&report),
            };
            set_aside.max(outcome::print(text.as_bytes()))
        }
        Err(fault) => {
            outcome::complain(&fault);
            match fault {
                RehearseError::Aimless => Outcome::Wrong,
                _ => Outcome::Failed,
            }
        }
    }
}

/// Why there is nothing to rehearse with.
#[derive(Debug, thiserror::Error)]
enum Unstaged {
    #[error("{}: {fault}", .file.display())]
    File { file: PathBuf, fault: io::Error },
    #[error("{flag} {fault}")]
    Secret { flag: &'static str, fault: config::Broken },
    #[error("{0} holds characters that no header may hold; is it the right one?")]
    Header(&'static str),
    #[error("stdin is one file; give --history or --incidents another name than -")]
    Stdin,
}

impl Unstaged {
    fn outcome(&self) -> Outcome {
        match self {
            Self::File { .. } => Outcome::Failed,
            Self::Secret { .. } | Self::Header(_) | Self::Stdin => Outcome::Wrong,
        }
    }
}

fn ask(options: &RehearseOptions, objectives: Vec<crate::slo::Watched>) -> Ask {
    let trial = &options.trial;
    // A file says nothing of windows, and 30 days is what an objective has that names none.
    let is_said = options.source.prometheus.is_some() || !objectives.is_empty();
    Ask {
        service: trial.service.clone(),
        slo: trial.slo.clone(),
        goal: trial.objective,
        window_s: trial.window.or((!is_said).then_some(config::DEFAULT_WINDOW_S)),
        objectives,
    }
}

fn stage(
    options: RehearseOptions,
    ask: Ask,
    ledger: Option<&config::Config>,
) -> Result<Stage<'_>, Unstaged> {
    let stdin = Path::new("-");
    if options.source.history.as_deref() == Some(stdin)
        && options.incidents.as_deref() == Some(stdin)
    {
        return Err(Unstaged::Stdin);
    }
    let now_ms = i64::try_from(Clock::system().unix_ms()).unwrap_or(i64::MAX);
    let until_ms = options.trial.until.unwrap_or(now_ms);
    let since = |days: u32| until_ms - i64::from(days) * DAY_MS;
    let mut time = Time {
        since_ms: options.trial.since.map(since),
        until_ms: options.trial.until.map(|_| until_ms),
    };
    let history = match options.source.history.as_deref() {
        Some(file) => History::Lines(open(file)?),
        None => {
            let since_ms = time.since_ms.unwrap_or_else(|| since(DAYS));
            time = Time { since_ms: Some(since_ms), until_ms: Some(until_ms) };
            History::Prometheus(source(options.source)?)
        }
    };
    let incidents = options.incidents.as_deref().map(open).transpose()?;
    let tolerance_ms = i64::try_from(options.tolerance.as_millis()).unwrap_or(i64::MAX);
    Ok(Stage { ask, history, time, incidents, ledger, tolerance_ms })
}

fn open(file: &Path) -> Result<Box<dyn BufRead>, Unstaged> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let opened = File::open(file);
    let opened = opened.map_err(|fault| Unstaged::File { file: file.to_owned(), fault })?;
    Ok(Box::new(BufReader::new(opened)))
}

fn source(options: HistoryOptions) -> Result<Source, Unstaged> {
    let expanded = |flag: &'static str, raw: &str| {
        let value = config::expanded(raw, &process::env, &config::read_file);
        value.map_err(|fault| Unstaged::Secret { flag, fault })
    };
    let header = |flag: &'static str, text: String| {
        let mut value = HeaderValue::try_from(text).map_err(|_| Unstaged::Header(flag))?;
        value.set_sensitive(true);
        Ok(value)
    };
    let authorization = match (&options.token, &options.user, &options.password) {
        (Some(token), ..) => {
            Some(header("--token", format!("Bearer {}", expanded("--token", token)?))?)
        }
        (None, Some(user), Some(password)) => {
            let (user, password) = (expanded("--user", user)?, expanded("--password", password)?);
            let pair = STANDARD.encode(format!("{user}:{password}"));
            Some(header("--password", format!("Basic {pair}"))?)
        }
        _ => None,
    };
    let url = options.prometheus.expect("the words ask for a history or for this");
    Ok(Source { url, authorization, limit: options.timeout })
}

const DAYS: u32 = 30;
const DAY_MS: i64 = 24 * 3_600_000;
