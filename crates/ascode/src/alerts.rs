//! Everything below `alerts/`, as names and texts: whoever writes files decides where they go.

use crate::alertmanager;
use crate::grafana;
use crate::rules::{Links, RuleFile, agent, dora, red, slo};

/// Every file of rules.
#[must_use]
pub fn rule_files() -> [RuleFile; 4] {
    [slo::file(), red::file(), dora::file(), agent::file()]
}

/// Each file below `alerts/` with its text: `rules/slo.yaml`, …, `alertmanager.yml`, and the same
/// alerts as `grafana/rules.yaml` with `grafana/notify.yaml`.
#[must_use]
pub fn files(links: &Links) -> Vec<(String, String)> {
    let files = rule_files();
    let rules = files.iter().map(|file| (format!("rules/{}", file.name), file.to_yaml(links)));
    let others = [
        ("alertmanager.yml".to_owned(), alertmanager::text()),
        ("grafana/rules.yaml".to_owned(), grafana::rules(&files, links)),
        ("grafana/notify.yaml".to_owned(), grafana::notify()),
    ];
    rules.chain(others).collect()
}
