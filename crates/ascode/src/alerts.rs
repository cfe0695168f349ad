//! Everything below `alerts/`, as names and texts: whoever writes files decides where they go.

use crate::alertmanager;
use crate::rules::{Links, RuleFile, agent, dora, red, slo};

/// Every file of rules.
#[must_use]
pub fn rule_files() -> [RuleFile; 4] {
    [slo::file(), red::file(), dora::file(), agent::file()]
}

/// Each file below `alerts/` with its text: `rules/slo.yaml`, …, `alertmanager.yml`.
#[must_use]
pub fn files(links: &Links) -> Vec<(String, String)> {
    let rules = rule_files();
    let rules = rules.iter().map(|file| (format!("rules/{}", file.name), file.to_yaml(links)));
    rules.chain([("alertmanager.yml".to_owned(), alertmanager::text())]).collect()
}
