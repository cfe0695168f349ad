//! Every key of the configuration as a table: the walk knows a key only if it stands here, and the
//! documentation is checked against the same rows, so that neither can grow a key in silence.

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The dotted path; `[]` stands for every element of a list.
    pub path: &'static str,
    /// What the key takes, in a few words.
    pub takes: &'static str,
    /// The default as YAML; `None` where the key has none.
    pub default: Option<&'static str>,
}

/// Every key that this version reads, a section before its keys.
pub const KEYS: [Key; 78] = [
    key("listen", "section", None),
    key("listen.otlp_grpc", "addresses", Some(r#"["127.0.0.1:4317", "[::1]:4317"]"#)),
    key("listen.otlp_http", "addresses", Some(r#"["127.0.0.1:4318", "[::1]:4318"]"#)),
    key("listen.admin", "addresses", Some(r#"["127.0.0.1:9464", "[::1]:9464"]"#)),
    key("admin_token", "secret", None),
    key("data_dir", "path", Some("./redora-data")),
    key("limits", "section", None),
    key("limits.memory", "size", Some("64MiB")),
    key("limits.request_bytes", "size", Some("20MiB")),
    key("limits.spans_per_request", "number", Some("100000")),
    key("limits.series", "number", Some("20000")),
    key("limits.series_expire", "duration", Some("1h")),
    key("limits.connections", "number", Some("1024")),
    key("limits.streams_per_connection", "number", Some("16")),
    key("limits.header_timeout", "duration", Some("75s")),
    key("limits.body_timeout", "duration", Some("30s")),
    key("red", "section", None),
    key("red.dimensions", "attributes", Some("[]")),
    key(
        "red.buckets",
        "seconds",
        Some("[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]"),
    ),
    key("red.native_histograms", "switch", Some("true")),
    key("red.exemplars", "switch", Some("true")),
    key("red.compat", "families", Some("[tempo]")),
    key("log_metrics", "rules", Some("[]")),
    key("log_metrics[].name", "name", None),
    key("log_metrics[].match", "section", None),
    key("log_metrics[].match.severity", "severities", None),
    key("log_metrics[].match.body", "text", None),
    key("log_metrics[].match.body_regex", "expression", None),
    key("log_metrics[].match.attributes", "map", None),
    key("log_metrics[].labels", "attributes", Some("[]")),
    key("slos", "files", Some("[]")),
    key("delivery", "section", None),
    key("delivery.schedule", "schedule", Some(r#""0 */5 * * * *""#)),
    key("delivery.time_zone", "time zone", Some("UTC")),
    key("delivery.history", "duration", Some("90d")),
    key("delivery.attribution_window", "duration", Some("1d")),
    key("delivery.memory", "size", Some("256MiB")),
    key("delivery.github", "section", None),
    key("delivery.github.api_url", "address", Some("https://api.github.com")),
    key("delivery.github.token", "secret", None),
    key("delivery.github.app", "section", None),
    key("delivery.github.app.id", "App id", None),
    key("delivery.github.app.private_key", "secret", None),
    key("delivery.github.app.installation", "number", None),
    key("delivery.github.ca_file", "path", None),
    key("delivery.github.proxy", "address", None),
    key("delivery.github.webhook_secret", "secret", None),
    key("delivery.repositories", "repositories", Some("[]")),
    key("delivery.repositories[].repo", "repository", None),
    key("delivery.repositories[].service", "name", None),
    key("delivery.repositories[].deployments", "section", None),
    key("delivery.repositories[].deployments.environment", "names", Some("[]")),
    key("delivery.repositories[].deployments.workflow", "name", None),
    key("delivery.repositories[].deployments.releases", "switch", Some("false")),
    key("delivery.repositories[].deployments.prereleases", "switch", Some("false")),
    key("delivery.repositories[].deployments.tags", "patterns", Some("[]")),
    key("delivery.repositories[].ci", "section", None),
    key("delivery.repositories[].ci.jobs", "switch", Some("false")),
    key("delivery.repositories[].schedule", "schedule", None),
    key("delivery.git", "clones", Some("[]")),
    key("delivery.git[].path", "path", None),
    key("delivery.git[].repo", "repository", None),
    key("delivery.git[].service", "name", None),
    key("delivery.git[].branch", "name", Some("main")),
    key("delivery.git[].tags", "patterns", Some("[]")),
    key("delivery.git[].environment", "name", Some("production")),
    key("delivery.git[].paths", "patterns", Some("[]")),
    key("delivery.git[].schedule", "schedule", None),
    key("delivery.incidents", "tellers", Some("[]")),
    key("delivery.incidents[].jsonl", "path", None),
    key("delivery.incidents[].statuspage", "path", None),
    key("delivery.incidents[].github_labels", "names", None),
    key("delivery.incidents[].alertmanager", "switch", Some("false")),
    key("delivery.incidents[].pagerduty", "secret", None),
    key("delivery.incidents[].webhook", "switch", Some("false")),
    key("delivery.incidents[].service", "name", None),
    key("delivery.incidents[].environment", "name", Some("production")),
    key("delivery.incidents[].schedule", "schedule", None),
];

/// Every key of an objective in a file that `slos` names; the file is a list of objectives.
pub const OBJECTIVE_KEYS: [Key; 27] = [
    key("objective.name", "name", None),
    key("objective.service", "name", None),
    key("objective.operation", "name", None),
    key("objective.kind", "kind", None),
    key("objective.match", "map", None),
    key("objective.indicator", "indicator", None),
    key("objective.indicator.latency", "section", None),
    key("objective.indicator.latency.threshold", "threshold", None),
    key("objective.indicator.prometheus", "section", None),
    key("objective.indicator.prometheus.total", "query", None),
    key("objective.indicator.prometheus.bad", "query", None),
    key("objective.indicator.prometheus.good", "query", None),
    key("objective.indicator.prometheus.bad_ratio", "query", None),
    key("objective.indicator.logs", "section", None),
    key("objective.indicator.logs.total", "match", None),
    key("objective.indicator.logs.good", "match", None),
    key("objective.indicator.logs.bad", "match", None),
    key("objective.slices", "section", None),
    key("objective.slices.length", "duration", None),
    key("objective.slices.good", "share", None),
    key("objective.objective", "goal", None),
    key("objective.window", "duration", Some("30d")),
    key("objective.window.calendar", "period", None),
    key("objective.window.time_zone", "time zone", Some("UTC")),
    key("objective.tiers", "tiers", Some("[page, ticket]")),
    key("objective.team", "name", None),
    key("objective.runbook", "address", None),
];

/// Sections that a later version will read.
pub const LATER: [&str; 2] = ["forward", "tenancy"];

/// Whether the table has a key named `name` in the section `section`.
pub(super) fn knows(section: &str, name: &str) -> bool {
    names(section).any(|known| known == name)
}

/// The key that was probably meant by `name` in `section`: a sibling first, then a key of another
/// section.
pub(super) fn nearest(section: &str, name: &str) -> Option<String> {
    let wanted = fold(name);
    let close = |known: &str| {
        let distance = distance(&wanted, &fold(known));
        (distance <= (known.len() / 3).min(3)).then_some(distance)
    };
    names(section)
        .filter_map(|known| Some((close(known)?, known)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.to_owned())
        .or_else(|| {
            KEYS.iter()
                .find(|key| key.path.rsplit('.').next().is_some_and(|last| fold(last) == wanted))
                .map(|key| key.path.to_owned())
        })
}

fn names(section: &str) -> impl Iterator<Item = &'static str> {
    let objectives = section.starts_with("objective");
    let table = if objectives { &OBJECTIVE_KEYS[..] } else { &KEYS[..] };
    table.iter().filter_map(move |key| {
        let name = match section {
            "" => key.path,
            _ => key.path.strip_prefix(section)?.strip_prefix('.')?,
        };
        (!name.contains(['.', '['])).then_some(name)
    })
}

const fn key(path: &'static str, takes: &'static str, default: Option<&'static str>) -> Key {
    Key { path, takes, default }
}

/// The name without what camel case, dashes and underscores make of it; bounded, since a key may be
/// a whole page.
fn fold(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).take(64).flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (i, a) in from.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != *b)).min(last[j + 1] + 1).min(next[j] + 1);
            if j > 0 && previous == Some(*b) && a == to[j - 1] {
                cost = cost.min(before[j - 1] + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut last, next);
        previous = Some(a);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_its_key() {
        for (section, name, meant) in [
            ("limits", "serie_expire", Some("series_expire")),
            ("limits", "seriesExpire", Some("series_expire")),
            ("limits", "memroy", Some("memory")),
            ("limits", "Memory", Some("memory")),
            ("listen", "otlp-grpc", Some("otlp_grpc")),
            ("", "memory", Some("limits.memory")),
            ("red", "body_regex", Some("log_metrics[].match.body_regex")),
            ("", "logmetrics", Some("log_metrics")),
            ("", "exporters", None),
            ("limits", "", None),
        ] {
            assert_eq!(nearest(section, name).as_deref(), meant, "{section} {name}");
        }
    }

    #[test]
    fn swaps_count_once() {
        assert_eq!(distance("memroy", "memory"), 1);
        assert_eq!(distance("", "red"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn every_key_stands_below_its_section() {
        for (i, key) in KEYS.iter().enumerate() {
            assert!(KEYS[..i].iter().all(|before| before.path != key.path), "{}", key.path);
            if let Some((section, _)) = key.path.rsplit_once('.') {
                let section = section.trim_end_matches("[]");
                assert!(KEYS[..i].iter().any(|before| before.path == section), "{}", key.path);
            }
        }
    }
}
