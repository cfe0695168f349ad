//! `redora dora …`: facts in and out, and the report in the form that was asked for. Numbers are
//! only spelt here, never computed.

mod backfill;
mod compat;
mod plan;
mod reasons;
mod report;
mod rows;
mod screen;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::args::{
    AskOptions, CompatWord, DoraCommand, ExplainOptions, ImportOptions, ReportFormat, ReportOptions,
};
use super::configuration;
use super::outcome::{self, Outcome};
use crate::app::delivery::{self, Ask, DeliveryError, Scales};
use crate::config::Config;
use crate::process::Clock;

/// Does what a subcommand says.
pub(super) fn dora(command: DoraCommand) -> Outcome {
    match command {
        DoraCommand::Import(options) => {
            with(options.config.clone(), |config| import(config, &options))
        }
        DoraCommand::Export(options) => with(options.config, export),
        DoraCommand::Report(options) => {
            with(options.ask.config.clone(), |config| report(config, options))
        }
        DoraCommand::Backfill(options) => {
            with(options.config.clone(), |config| backfill::backfill(config.clone(), &options))
        }
        DoraCommand::Explain(options) => {
            with(options.ask.config.clone(), |config| explain(config, options))
        }
    }
}

fn with(
    file: Option<PathBuf>,
    command: impl FnOnce(&Config) -> Result<Outcome, DeliveryError>,
) -> Outcome {
    let config = match configuration::load(file) {
        Ok((_, config)) => config,
        Err(unusable) => {
            outcome::complain(&unusable);
            return Outcome::Wrong;
        }
    };
    command(&config).unwrap_or_else(|error| {
        outcome::complain(&error);
        match error {
            DeliveryError::Source(_) => Outcome::Wrong,
            _ => Outcome::Failed,
        }
    })
}

fn import(config: &Config, options: &ImportOptions) -> Result<Outcome, DeliveryError> {
    let mut outcome = Outcome::Done;
    for file in &options.files {
        let name = file.display();
        let input = match open(file) {
            Ok(input) => input,
            Err(error) => {
                outcome::complain(&format_args!("{name}: {error}"));
                return Ok(Outcome::Failed);
            }
        };
        let stored = delivery::import(config, input, |bad| {
            outcome::complain(&format_args!("{name}:{}: {}", bad.number, bad.fault));
            outcome = Outcome::Failed;
        })?;
        let line = format!(
            "{name}: {} new, {} corrected, {} known, {} out of date\n",
            stored.new, stored.corrected, stored.known, stored.stale
        );
        if outcome::print(line.as_bytes()) != Outcome::Done {
            outcome = Outcome::Failed;
        }
    }
    Ok(outcome)
}

fn open(file: &Path) -> io::Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(File::open(file)?)))
}

fn export(config: &Config) -> Result<Outcome, DeliveryError> {
    let mut out = BufWriter::new(io::stdout().lock());
    match delivery::export(config, &mut out).and_then(|()| Ok(out.flush()?)) {
        // A reader that left early has what it wanted.
        Err(DeliveryError::Stream(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Outcome::Done)
        }
        ended => ended.map(|()| Outcome::Done),
    }
}

fn report(config: &Config, options: ReportOptions) -> Result<Outcome, DeliveryError> {
    let format = options.ask.format;
    let scales = Scales { bands: options.bands, quick_check: options.quick_check };
    let ask = ask(config, options.ask);
    let text = match options.compat {
        None => {
            let places = delivery::report(config, &ask, scales)?;
            match format {
                ReportFormat::Json => delivery::page(&places, ask.at_ms),
                ReportFormat::Table => rows::table(&report::blocks(&places)),
                ReportFormat::Markdown => rows::markdown(&report::blocks(&places)),
            }
        }
        Some(CompatWord::Devlake) => {
            let places = delivery::compared(config, &ask)?;
            match format {
                ReportFormat::Json => delivery::page(&places, ask.at_ms),
                ReportFormat::Table => rows::table(&compat::blocks(&places)),
                ReportFormat::Markdown => rows::markdown(&compat::blocks(&places)),
            }
        }
    };
    Ok(outcome::print(text.as_bytes()))
}

fn explain(config: &Config, options: ExplainOptions) -> Result<Outcome, DeliveryError> {
    let (format, metric) = (options.ask.format, options.metric.into());
    let ask = ask(config, options.ask);
    let explained = delivery::explain(config, &ask, metric)?;
    let text = match format {
        ReportFormat::Json => delivery::page(&explained, ask.at_ms),
        ReportFormat::Table => reasons::table(&explained),
        ReportFormat::Markdown => reasons::markdown(&explained),
    };
    Ok(outcome::print(text.as_bytes()))
}

fn ask(config: &Config, options: AskOptions) -> Ask {
    Ask {
        service: options.service,
        environment: options.environment,
        window_ms: i64::from(options.window) * DAY_MS,
        at_ms: options.at.unwrap_or_else(|| Clock::system().unix_ms() as i64),
        zone: options.time_zone,
        rules: delivery::rules(config),
    }
}

const DAY_MS: i64 = 24 * 3_600_000;
