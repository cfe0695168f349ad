//! A report as Apache DevLake computes it, gathered as redora's own is, so that the two differ by
//! their rules and never by their facts.

use serde::Serialize;

use super::{Ask, each_history, places, query};
use crate::keys::devlake::{DevLake, devlake};
use crate::ledger::{LedgerError, Reader};

/// DevLake's numbers of one service in one environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The first moment of the window, in milliseconds since the Unix epoch.
    pub from_ms: i64,
    /// The last one: here it is a part of the window.
    pub to_ms: i64,
    /// The numbers.
    pub devlake: DevLake,
}

/// DevLake's numbers of every place that is asked for, in the order of their names.
///
/// # Errors
/// The ledger cannot be read.
pub fn compared(ledger: &Reader, ask: &Ask) -> Result<Vec<Compared>, LedgerError> {
    let (query, mut all) = (query(ask), Vec::new());
    let (from_ms, to_ms) = (query.from_ms, query.to_ms);
    each_history(ledger, places(ledger, ask)?, ask.at_ms, |place, history, _, _| {
        let (service, environment) = (place.service.clone(), place.environment.clone());
        let devlake = devlake(history, &query);
        all.push(Compared { service, environment, from_ms, to_ms, devlake });
    })?;
    all.sort_by(|a, b| (&a.service, &a.environment).cmp(&(&b.service, &b.environment)));
    Ok(all)
}
