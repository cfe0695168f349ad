//! When an issue was an incident: from the label's coming to the closing, by the issue's
//! timeline. Its own times would say when someone opened it, which may be days before someone saw
//! in it an incident.

use redora_model::fact::Turn;

use super::payload::Event;
use super::reply::parse_ms;

/// What a timeline says of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) started_ms: i64,
    pub(crate) turns: Vec<Turn>,
    /// The label was taken away before the incident was over: it was none.
    pub(crate) is_declined: bool,
}

/// The course of an issue, from its own times and the events of its timeline, in any order. An
/// issue whose label is in no event, or came after its last closing, was an incident all its time.
pub(crate) fn course(
    created_ms: i64,
    closed_ms: Option<i64>,
    label: &str,
    events: &[Event],
) -> Course {
    let mut moves: Vec<(i64, Move)> =
        events.iter().filter_map(|event| read(event, label)).collect();
    moves.sort_unstable();
    let labelled = moves.iter().find(|(_, what)| *what == Move::Labelled);
    let closed_last = moves.iter().rfind(|(_, what)| *what == Move::Closed);
    let is_afterthought = |at_ms: i64| {
        closed_ms.is_some() && closed_last.is_some_and(|(closed_ms, _)| *closed_ms <= at_ms)
    };
    let Some((started_ms, _)) = labelled.filter(|(at_ms, _)| !is_afterthought(*at_ms)) else {
        moves.retain(|(_, what)| matches!(what, Move::Closed | Move::Reopened));
        if !moves.iter().any(|(_, what)| *what == Move::Closed) {
            moves.extend(closed_ms.map(|at_ms| (at_ms, Move::Closed)));
        }
        return follow(created_ms, &moves);
    };
    let after = moves.partition_point(|moved| *moved < (*started_ms, Move::Labelled));
    follow(*started_ms, &moves[after..])
}

/// In the order in which moves of the same second are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Move {
    Labelled,
    Reopened,
    Closed,
    Unlabelled,
}

fn read(event: &Event, label: &str) -> Option<(i64, Move)> {
    let is_ours = || {
        let name = event.label.as_ref()?.name.as_deref()?;
        name.eq_ignore_ascii_case(label).then_some(())
    };
    let what = match event.event.as_deref()? {
        "labeled" => is_ours().map(|()| Move::Labelled)?,
        "unlabeled" => is_ours().map(|()| Move::Unlabelled)?,
        "closed" => Move::Closed,
        "reopened" => Move::Reopened,
        _ => return None,
    };
    Some((parse_ms(event.created_at.as_deref()?)?, what))
}

fn follow(started_ms: i64, moves: &[(i64, Move)]) -> Course {
    let mut course = Course { started_ms, turns: Vec::new(), is_declined: false };
    let (mut labelled, mut closed) = (true, false);
    for (at_ms, what) in moves {
        let was_on = labelled && !closed;
        match what {
            Move::Labelled => labelled = true,
            Move::Unlabelled => labelled = false,
            Move::Closed => closed = true,
            Move::Reopened => closed = false,
        }
        let is_on = labelled && !closed;
        if was_on == is_on {
            continue;
        }
        if *what == Move::Unlabelled && course.turns.is_empty() {
            course.is_declined = true;
        } else if is_on && course.is_declined {
            course.is_declined = false;
        } else {
            course.turns.push(Turn { at_ms: *at_ms, resolved: !is_on });
        }
    }
    course
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A course as text, from events as `hour word`: opened at 0, closed when `closed` says.
    fn told(closed: Option<i64>, events: &str) -> String {
        let hour = |at: i64| format!("1970-01-01T{at:02}:00:00Z");
        let events: Vec<Event> = events
            .split(',')
            .filter_map(|event| event.trim().split_once(' '))
            .map(|(at, word)| {
                let (word, label) = word.split_once(' ').unwrap_or((word, "incident"));
                let event = serde_json::json!({
                    "event": word,
                    "created_at": hour(at.parse().unwrap()),
                    "label": {"name": label},
                });
                serde_json::from_value(event).unwrap()
            })
            .collect();
        let course = course(0, closed.map(|at| at * 3_600_000), "Incident", &events);
        let mut told = format!("{}", course.started_ms / 3_600_000);
        for Turn { at_ms, resolved } in course.turns {
            told += &format!(" {}{}", if resolved { '-' } else { '+' }, at_ms / 3_600_000);
        }
        told + if course.is_declined { " declined" } else { "" }
    }

    #[test]
    fn an_incident_lasts_while_it_has_its_label_and_is_open() {
        for (closed, events, expected) in [
            (None, "", "0"),
            (Some(5), "", "0 -5"),
            (Some(5), "2 labeled bug, 5 closed", "0 -5"),
            (None, "2 labeled", "2"),
            (Some(5), "2 labeled, 5 closed", "2 -5"),
            (Some(5), "5 closed, 2 labeled", "2 -5"),
            (Some(9), "2 labeled, 5 closed, 6 reopened, 9 closed", "2 -5 +6 -9"),
            (None, "2 labeled, 3 unlabeled", "2 declined"),
            (Some(5), "2 labeled, 3 unlabeled, 5 closed", "2 declined"),
            (None, "2 labeled, 3 unlabeled, 4 labeled", "2"),
            (Some(5), "2 labeled, 3 unlabeled bug, 5 closed", "2 -5"),
            (Some(5), "2 labeled, 5 closed, 6 unlabeled", "2 -5"),
            (None, "2 labeled, 5 closed, 6 reopened, 7 unlabeled", "2 -5 +6 -7"),
            (Some(5), "5 closed, 8 labeled", "0 -5"),
            (None, "1 closed, 2 reopened, 3 labeled", "3"),
            (None, "1 closed, 2 labeled, 3 reopened", "2"),
        ] {
            assert_eq!(told(closed, events), expected, "{closed:?} {events}");
        }
    }
}
