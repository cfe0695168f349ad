//! How the CI of each service fares, from the runs of the repositories that its deployments name.

use std::collections::{BTreeMap, BTreeSet};

use redora_model::fact::{Run, What};

use super::{Ask, query};
use crate::keys::ci::{Workflow, workflows};
use crate::ledger::{LedgerError, Reader, Scope};

/// The workflows of one service, for each window that was asked for, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRuns {
    /// The service.
    pub service: String,
    /// The workflows with a run that ended in the window, by name.
    pub windows: Vec<Vec<Workflow>>,
}

/// The workflows of every service, for windows of these lengths that end when `ask` says.
///
/// # Errors
/// The ledger cannot be read.
pub fn ci(ledger: &Reader, ask: &Ask, windows_ms: &[i64]) -> Result<Vec<ServiceRuns>, LedgerError> {
    let mut services: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for place in ledger.places()? {
        if !place.repository.is_empty() {
            services.entry(place.service).or_default().insert(place.repository);
        }
    }
    let mut all = Vec::new();
    for (service, repositories) in services {
        let mut runs: Vec<(String, Run)> = Vec::new();
        for repository in &repositories {
            ledger.winners("run", Scope::Repository(repository), |fact| {
                if let What::Run(run) = fact.what {
                    runs.push((format!("{repository}/{}", fact.id), run));
                }
            })?;
        }
        let of_window = |window_ms: &i64| {
            let query = query(&Ask { window_ms: *window_ms, ..ask.clone() });
            workflows(runs.iter().map(|(id, run)| (id.as_str(), run)), &query)
        };
        let windows = windows_ms.iter().map(of_window).collect();
        all.push(ServiceRuns { service, windows });
    }
    Ok(all)
}
