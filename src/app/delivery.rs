//! The delivery half as the command line asks for it: the ledger of the configured data directory,
//! filled from lines and from sources, and asked for reports.

mod agent;
mod answers;
mod backfill;
mod burns;
mod pace;
mod plan;
mod sightings;
mod sources;

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use redora_collector::api;
use redora_collector::ledger::{Appended, Batch, Ledger, LedgerError, OpenError, Reader};
use redora_collector::link::Rules;
use redora_collector::sources::lines::{self, BadLine, Line};
use redora_model::fact::Fact;
use thiserror::Error;

use crate::config::Config;

pub use agent::Delivering;
pub use answers::page;
pub use backfill::{Left, Progress, Watch, backfill};
pub use plan::{Budget, Planned, PlannedSource, plan};
pub use redora_collector::api::devlake::Compared;
pub use redora_collector::api::explain::Explained;
pub use redora_collector::api::judged::{Judged, Scales};
pub use redora_collector::api::{Ask, Zone, moment, text};
pub use redora_collector::collect::End;
pub use redora_collector::keys::bands::{Bands, years};
pub use redora_collector::keys::devlake::{DevLake, Median};
pub use redora_collector::keys::explain::{Metric, Told};
pub use redora_collector::keys::quick_check::QuickCheck;
pub use redora_collector::keys::{Report, Spread};
pub use redora_collector::sources::ahead::Ahead;
pub use sources::SourceFault;

/// Why the delivery half could not do what it was asked.
#[derive(Debug, Error)]
pub enum DeliveryError {
    /// The ledger's folder cannot be made.
    #[error("{} cannot be created: {fault}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        fault: io::Error,
    },
    /// The ledger cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A source cannot be read as configured.
    #[error(transparent)]
    Source(#[from] SourceFault),
    /// What is read or written beside it cannot be.
    #[error("{0}")]
    Stream(#[from] io::Error),
}

/// Stores every fact of `input`; lines that are none are handed to `on_bad` and set aside.
///
/// # Errors
/// What came before is stored.
pub fn import(
    config: &Config,
    input: impl BufRead,
    mut on_bad: impl FnMut(&BadLine),
) -> Result<Appended, DeliveryError> {
    let mut ledger = open(config)?;
    let mut all = Appended::default();
    let mut batch = Batch::default();
    let mut fault = None;
    lines::read(input, |line| match line {
        Line::Bad(bad) => on_bad(&bad),
        // The rest is read for its bad lines, and not kept.
        Line::Fact(_) if fault.is_some() => {}
        Line::Fact(fact) => {
            batch.facts.push(*fact);
            if batch.facts.len() == FACTS_PER_BATCH {
                fault = append(&mut ledger, &mut batch, &mut all).err();
            }
        }
    })?;
    fault.map_or(Ok(()), Err)?;
    append(&mut ledger, &mut batch, &mut all)?;
    Ok(all)
}

fn append(ledger: &mut Ledger, batch: &mut Batch, all: &mut Appended) -> Result<(), LedgerError> {
    let appended = ledger.append(batch)?;
    all.new += appended.new;
    all.corrected += appended.corrected;
    all.stale += appended.stale;
    all.known += appended.known;
    batch.facts.clear();
    Ok(())
}

/// Writes every fact that was ever stored, a line each, in the order of storing.
///
/// # Errors
/// The ledger cannot be read, or `out` takes no more.
pub fn export(config: &Config, out: &mut impl Write) -> Result<(), DeliveryError> {
    read(config)?.export(|fact| {
        let line = serde_json::to_string(&fact).map_err(io::Error::from)?;
        Ok(writeln!(out, "{line}")?)
    })
}

/// The numbers of every service and environment that is asked for.
///
/// # Errors
/// The ledger cannot be read.
pub fn report(config: &Config, ask: &Ask, scales: Scales) -> Result<Vec<Judged>, DeliveryError> {
    Ok(api::judged::judged(api::answers(&read(config)?, ask)?, ask, scales))
}

/// The same as Apache DevLake computes them.
///
/// # Errors
/// The ledger cannot be read.
pub fn compared(config: &Config, ask: &Ask) -> Result<Vec<Compared>, DeliveryError> {
    Ok(api::devlake::compared(&read(config)?, ask)?)
}

/// What the configuration decides about links.
pub fn rules(config: &Config) -> Rules {
    let attribution = config.delivery.attribution_window.as_millis();
    let attribution_ms = i64::try_from(attribution).unwrap_or(i64::MAX);
    Rules { attribution_ms, ..Rules::default() }
}

/// What is behind one number of every service and environment that is asked for.
///
/// # Errors
/// The ledger cannot be read.
pub fn explain(
    config: &Config,
    ask: &Ask,
    metric: Metric,
) -> Result<Vec<Explained>, DeliveryError> {
    Ok(api::explain::explain(&read(config)?, ask, metric)?)
}

/// Stores facts in one wait for the disk; says whether there were any.
fn store(ledger: &mut Ledger, facts: Vec<Fact>) -> Result<bool, LedgerError> {
    if facts.is_empty() {
        return Ok(false);
    }
    ledger.append(&Batch { facts, ..Batch::default() })?;
    Ok(true)
}

fn open(config: &Config) -> Result<Ledger, DeliveryError> {
    let folder = &config.data_dir;
    std::fs::create_dir_all(folder)
        .map_err(|fault| DeliveryError::Folder { folder: folder.clone(), fault })?;
    Ok(Ledger::open(&folder.join(LEDGER_FILE))?)
}

/// Opens the ledger beside whoever writes it. One that an earlier redora left is brought up to date
/// first, for which nobody else may write it.
fn read(config: &Config) -> Result<Reader, OpenError> {
    let file = config.data_dir.join(LEDGER_FILE);
    match Reader::open(&file) {
        Err(OpenError::Older { .. }) => {
            drop(Ledger::open(&file)?);
            Reader::open(&file)
        }
        opened => opened,
    }
}

/// The ledger's place in the data directory.
pub(super) const LEDGER_FILE: &str = "ledger.sqlite";

/// Facts that are stored together: a commit waits for the disk, so thousands share one wait.
const FACTS_PER_BATCH: usize = 1000;
