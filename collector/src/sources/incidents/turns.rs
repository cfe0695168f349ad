//! A history of statuses into the turns of an incident: only going over and coming back count, so
//! that ten updates of one outage are one outage.

use redora_model::fact::Turn;

/// What a status means for an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// It is going on; after an end it has come back.
    Open,
    /// It is over.
    Over,
    /// Something was said of it that changes nothing, such as a post-mortem.
    Said,
}

/// What a status of a public incident history means; words unknown here are only said.
pub(super) fn step(status: &str) -> Step {
    let status = status.trim();
    let is = |words: &[&str]| words.iter().any(|word| status.eq_ignore_ascii_case(word));
    if is(&["resolved", "completed"]) {
        Step::Over
    } else if is(&["investigating", "identified", "monitoring", "verifying"])
        || is(&["in progress", "in_progress", "scheduled"])
    {
        Step::Open
    } else {
        Step::Said
    }
}

/// The turns of a history, in the order of time; of steps at one time the end is the later one.
pub(super) fn turns(mut steps: Vec<(i64, Step)>) -> Vec<Turn> {
    steps.sort();
    let mut over = false;
    let mut turns = Vec::new();
    for (at_ms, step) in steps {
        let resolved = match step {
            Step::Open => false,
            Step::Over => true,
            Step::Said => continue,
        };
        if resolved != over {
            over = resolved;
            turns.push(Turn { at_ms, resolved });
        }
    }
    turns
}

/// When a source held an incident to be so, from all the times it gave. An end of the same time as
/// an opening is a millisecond later, or the opening might win.
pub(super) fn as_of_ms(times: impl IntoIterator<Item = i64>, turns: &[Turn]) -> i64 {
    let latest = times.into_iter().chain(turns.iter().map(|turn| turn.at_ms)).max().unwrap_or(0);
    latest + i64::from(turns.last().is_some_and(|turn| turn.resolved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(steps: &[(i64, &str)], expected: &[(i64, bool)]) {
        let expected: Vec<_> =
            expected.iter().map(|&(at_ms, resolved)| Turn { at_ms, resolved }).collect();
        let mut steps: Vec<_> = steps.iter().map(|&(at, word)| (at, step(word))).collect();
        assert_eq!(turns(steps.clone()), expected);
        steps.reverse();
        assert_eq!(turns(steps), expected, "newest first");
    }

    #[test]
    fn only_ends_and_returns_are_turns() {
        check(&[(1, "Investigating"), (2, "Identified"), (3, "Update")], &[]);
        check(&[(1, "Investigating"), (5, "Resolved"), (9, "Postmortem")], &[(5, true)]);
        check(&[(1, "investigating"), (5, "resolved"), (6, "Resolved")], &[(5, true)]);
        check(&[(1, "Scheduled"), (2, "In progress"), (3, "Completed")], &[(3, true)]);
        check(&[(1, "Investigating"), (1, "Resolved")], &[(1, true)]);
        let again = [(1, "Investigating"), (2, "Resolved"), (4, "Monitoring"), (7, "Resolved")];
        check(&again, &[(2, true), (4, false), (7, true)]);
    }
}
