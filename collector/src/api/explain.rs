//! What stands behind a number of a report, gathered as the report itself is, so that both speak of
//! the same facts.

use serde::Serialize;

use super::{Ask, each_place, places, query};
use crate::keys::explain::{self, Explanation, Metric};
use crate::ledger::{LedgerError, Reader};

/// One number of one service in one environment, explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The first moment of the window, in milliseconds since the Unix epoch.
    pub from_ms: i64,
    /// The first moment after it.
    pub to_ms: i64,
    /// The number and what is behind it.
    #[serde(flatten)]
    pub explanation: Explanation,
}

/// What is behind a number of every place that is asked for, in the order of their names.
///
/// # Errors
/// The ledger cannot be read.
pub fn explain(ledger: &Reader, ask: &Ask, metric: Metric) -> Result<Vec<Explained>, LedgerError> {
    let (mut all, query) = (Vec::new(), query(ask));
    each_place(ledger, places(ledger, ask)?, ask, |place, linked, _| {
        let (service, environment) = (place.service, place.environment);
        let explanation = explain::explain(&linked, &query, metric);
        let (from_ms, to_ms) = (query.from_ms, query.to_ms);
        all.push(Explained { service, environment, from_ms, to_ms, explanation });
    })?;
    all.sort_by(|a, b| (&a.service, &a.environment).cmp(&(&b.service, &b.environment)));
    Ok(all)
}
