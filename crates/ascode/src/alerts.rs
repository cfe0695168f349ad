//! Everything below `alerts/`, as names and texts: whoever writes files decides where they go.

use redora_model::slo::Queried;

use crate::alertmanager;
use crate::grafana;
use crate::rules::{Links, RuleFile, agent, dora, objectives, red, slo};

/// Every file of rules that is the same for everyone.
#[must_use]
pub fn rule_files() -> [RuleFile; 4] {
    [slo::file(), red::file(), dora::file(), agent::file()]
}

/// Each file below `alerts/` with its text: `rules/slo.yaml`, …, `alertmanager.yml`, and the same
/// alerts as `grafana/rules.yaml` with `grafana/notify.yaml`. Objectives over metrics of others,
/// where there are any, have `rules/objectives.yaml`.
#[must_use]
pub fn files(links: &Links, queried: &[Queried]) -> Vec<(String, String)> {
    let rules = rule_files().into_iter().chain(objectives::file(queried));
    let rules = rules.map(|file| (format!("rules/{}", file.name), file.to_yaml(links)));
    // Without an objective that tells a share alone they find nothing: Grafana may have them.
    let alerting: Vec<_> = rule_files().into_iter().chain([objectives::shares()]).collect();
    let others = [
        ("alertmanager.yml".to_owned(), alertmanager::text()),
        ("grafana/rules.yaml".to_owned(), grafana::rules(&alerting, links)),
        ("grafana/notify.yaml".to_owned(), grafana::notify()),
    ];
    rules.chain(others).collect()
}
