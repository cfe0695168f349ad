//! A PromQL query of a panel. Expressions are written as PromQL with the word `SCOPE` where the
//! matchers of the board's variables go: a builder of expressions would hide what is asked.

use serde_json::{Map, Value, json};

use super::source::datasource;

/// Requests that a service answered, as opposed to those it made.
pub(crate) const SERVED: &str = r#"kind=~"server|consumer""#;
/// Requests that a service made.
pub(crate) const CALLS: &str = r#"kind=~"client|producer""#;
/// Which stretch of a counter one value is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// A point of a line: as short as the scrape interval and the width of the graph allow.
    Step,
    /// All of the time that is shown.
    Shown,
}

impl Over {
    /// How much a counter or a histogram grew: by second for a step, in all for what is shown.
    fn growth(self, selector: &str) -> String {
        match self {
            Self::Step => format!("rate({selector}[$__rate_interval])"),
            Self::Shown => format!("increase({selector}[$__range])"),
        }
    }
}

/// What a query's answer is shaped into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Series,
    Table,
    Heatmap,
}

/// One expression of a panel.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    expr: String,
    legend: String,
    format: Format,
    instant: bool,
    exemplars: bool,
}

impl Query {
    /// A line over time.
    pub(crate) fn over_time(legend: &str, expr: impl Into<String>) -> Self {
        Self {
            expr: expr.into(),
            legend: legend.to_owned(),
            format: Format::Series,
            instant: false,
            exemplars: false,
        }
    }

    /// One value, that of the end of the shown time.
    pub(crate) fn now(legend: &str, expr: impl Into<String>) -> Self {
        Self { instant: true, ..Self::over_time(legend, expr) }
    }

    /// One value a row, labels as columns.
    pub(crate) fn rows(expr: impl Into<String>) -> Self {
        Self { format: Format::Table, ..Self::now("", expr) }
    }

    /// Buckets over time.
    pub(crate) fn buckets(expr: impl Into<String>) -> Self {
        Self { format: Format::Heatmap, ..Self::over_time("{{le}}", expr) }
    }

    /// With the traces that stand for its samples.
    pub(crate) fn with_exemplars(self) -> Self {
        Self { exemplars: true, ..self }
    }

    /// The target of a panel; `place` counts the panel's queries.
    pub(crate) fn json(&self, place: usize, scope: &str) -> Value {
        let format = match self.format {
            Format::Series => "time_series",
            Format::Table => "table",
            Format::Heatmap => "heatmap",
        };
        let mut target = Map::new();
        target.insert("datasource".to_owned(), datasource());
        target.insert("editorMode".to_owned(), json!("code"));
        target.insert("expr".to_owned(), json!(in_scope(&self.expr, scope)));
        target.insert("format".to_owned(), json!(format));
        target.insert("instant".to_owned(), json!(self.instant));
        target.insert("range".to_owned(), json!(!self.instant));
        target.insert("legendFormat".to_owned(), json!(self.legend));
        target.insert("refId".to_owned(), json!(name(place)));
        if self.exemplars {
            target.insert("exemplar".to_owned(), json!(true));
        }
        Value::Object(target)
    }
}

/// A query's name by its place in the panel.
pub(crate) fn name(place: usize) -> String {
    let letter = u8::try_from(place).ok().and_then(|place| b'A'.checked_add(place));
    char::from(letter.expect("a panel has fewer queries than there are letters")).to_string()
}

/// The expression on one line, with the board's matchers in it.
pub(crate) fn in_scope(expr: &str, scope: &str) -> String {
    let words: Vec<_> = expr.split_whitespace().collect();
    words.join(" ").replace("SCOPE", scope)
}

/// How many requests the matchers pick, by the given labels.
pub(crate) fn requests(metric: &str, matchers: &str, by: &str, over: Over) -> String {
    let comma = if matchers.is_empty() { "" } else { ", " };
    let grown = over.growth(&format!("{metric}{{SCOPE{comma}{matchers}}}"));
    if by.is_empty() { format!("sum({grown})") } else { format!("sum by ({by}) ({grown})") }
}

/// The share of errors among the requests that the matchers pick, by the given labels, weighted by
/// requests. Where there were none there is no ratio.
pub(crate) fn error_ratio(metric: &str, matchers: &str, by: &str, over: Over) -> String {
    let comma = if matchers.is_empty() { "" } else { ", " };
    let bad = requests(metric, &format!(r#"{matchers}{comma}outcome="error""#), by, over);
    format!("{bad} / ({} > 0)", requests(metric, matchers, by, over))
}

/// A quantile of durations by the given labels, from classic or native histograms, whichever
/// Prometheus keeps. Where there were no requests there is no duration.
pub(crate) fn duration(quantile: &str, matchers: &str, by: &str, over: Over) -> String {
    let metric = "redora_request_duration_seconds";
    let buckets = if by.is_empty() { "le".to_owned() } else { format!("le, {by}") };
    let classic = requests(&format!("{metric}_bucket"), matchers, &buckets, over);
    let native = requests(metric, matchers, by, over);
    let quantile = |of: &str| format!("histogram_quantile({quantile}, {of})");
    format!("({} or {}) >= 0", quantile(&classic), quantile(&native))
}
