//! What an objective counts instead of requests: log records, and slices of time. Both are read
//! apart from the other keys, since they say what an event is and nothing of what is promised.

use redora_model::slo::{Share, Slices};

use super::delivery::required;
use super::fault::{Conflict, Problem};
use super::logs::matches;
use super::promise::{SLICE_MAX, SLICE_MIN};
use super::scalar::{self, Form};
use super::walk::{Field, Section, Walk};
use crate::record::Match;
use crate::slo::{Records, Told};

/// Reads `indicator.logs`.
pub(super) fn records(walk: &mut Walk<'_>, field: Field<'_>) -> Option<Records> {
    let section = walk.section(field, "objective.indicator.logs")?;
    let faults = walk.faults();
    let total = section.field("total").map(|field| matches(walk, field)).unwrap_or_default();
    let (good, bad) = (section.field("good"), section.field("bad"));
    let told = match (good, bad) {
        (None, Some(bad)) => asked(walk, bad).map(Told::Bad),
        (Some(good), None) => asked(walk, good).map(Told::Good),
        (Some(good), Some(_)) => {
            walk.fault(good.at, &good.key, Conflict::Beside("bad"));
            None
        }
        (None, None) => {
            let cure = "say what bad records have, such as { severity: \">=ERROR\" }, or give good";
            walk.fault(section.at, &section.key("bad"), Problem::Missing(cure));
            None
        }
    };
    (walk.faults() == faults).then_some(Records { total, told: told? })
}

/// A match that tells records apart, which one that asks for nothing does not.
fn asked(walk: &mut Walk<'_>, field: Field<'_>) -> Option<Match> {
    let (at, key) = (field.at, field.key.clone());
    let faults = walk.faults();
    let asked = matches(walk, field);
    if asked == Match::default() && walk.faults() == faults {
        let cure = "give severity, body, body_regex or attributes; all records would be the same";
        walk.fault(at, &key, Problem::Missing(cure));
        return None;
    }
    Some(asked)
}

/// Keys that only requests have.
pub(super) fn without_requests(walk: &mut Walk<'_>, objective: &Section<'_>) {
    for field in ["operation", "kind"].into_iter().filter_map(|key| objective.field(key)) {
        walk.fault(field.at, &field.key, Conflict::NotOfRecords);
    }
}

/// Reads `slices`; of one at fault there are none.
pub(super) fn slices(walk: &mut Walk<'_>, objective: &Section<'_>) -> Option<Slices> {
    let section = walk.section(objective.field("slices")?, "objective.slices")?;
    let good = required(walk, &section, "good", Form::Share, Share::parse);
    let faults = walk.faults();
    let length = section.field("length").and_then(|field| {
        let typed = walk.typed(&field, Form::Duration, scalar::duration)?;
        typed.bounded(walk, SLICE_MIN..=SLICE_MAX, |time| scalar::duration_text(*time))
    });
    if length.is_none() && walk.faults() == faults {
        let cure = Form::Duration.cure();
        walk.fault(section.at, &section.key("length"), Problem::Missing(cure));
    }
    let length = length?;
    if length.value.subsec_nanos() > 0 {
        length.conflict(walk, Conflict::PartOfSecond(length.shown.clone()));
        return None;
    }
    Some(Slices { seconds: length.value.as_secs(), good: good? })
}
