//! The queries of an objective over metrics of others: each checked where its fault has a line,
//! since Prometheus would refuse the whole file of rules and name a line of that one.

use redora_model::slo::{Queries, Query, QueryFault, Template};

use super::fault::{Conflict, Problem};
use super::walk::{Field, Section, Walk};

/// Reads `indicator.prometheus`.
pub(super) fn queries(walk: &mut Walk<'_>, section: &Section<'_>) -> Option<Queries> {
    let ratio = section.field("bad_ratio");
    let [total, bad, good] = ["total", "bad", "good"].map(|key| section.field(key));
    match (ratio, total, bad, good) {
        (Some(ratio), None, None, None) => {
            parsed(walk, section, &ratio, Template::parse).map(Queries::BadRatio)
        }
        (None, Some(total), Some(bad), None) => {
            let total = parsed(walk, section, &total, Query::parse);
            let bad = parsed(walk, section, &bad, Query::parse);
            Some(Queries::Bad { total: total?, bad: bad? })
        }
        (None, Some(total), None, Some(good)) => {
            let total = parsed(walk, section, &total, Query::parse);
            let good = parsed(walk, section, &good, Query::parse);
            Some(Queries::Good { total: total?, good: good? })
        }
        _ => {
            walk.fault(section.at, section.path(), Conflict::Queries);
            None
        }
    }
}

fn parsed<T>(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    field: &Field<'_>,
    parse: impl Fn(&str) -> Result<T, QueryFault>,
) -> Option<T> {
    let faults = walk.faults();
    let Some(text) = walk.text(field) else {
        if walk.faults() == faults {
            // Nothing but an empty `${NAME:-}` is not given.
            walk.fault(section.at, &field.key, Problem::Missing(CURE));
        }
        return None;
    };
    let shown = text.shown;
    let fault = |fault| walk.fault(field.at, &field.key, Problem::Query { shown, fault });
    parse(&text.value).map_err(fault).ok()
}

const CURE: &str = "write a selector such as requests_total{job=\"api\"}, or an expression with \
                    {{.window}} for its range";
