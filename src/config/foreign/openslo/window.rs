//! The time of an OpenSLO promise: its window, and whether its events are requests or slices.

use redora_model::slo::{Period, Slices, Window};

use crate::config::delivery::zone;
use crate::config::fault::Problem;
use crate::config::foreign::keys::{Keys, Reading};
use crate::config::foreign::number::{self, Unit};
use crate::config::foreign::owner;
use crate::config::foreign::reason::{Inconvertible, Uncarried};
use crate::config::promise::{DEFAULT_WINDOW, SLICE_MAX, SLICE_MIN};
use crate::config::scalar::{Form, Shown, switch};

/// What a budget is spent by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Budgeting {
    Occurrences,
    Timeslices,
    RatioTimeslices,
}

/// Reads `timeWindow`, a list of one.
pub(super) fn window(reading: &mut Reading<'_>, spec: &mut Keys<'_>) -> Option<Window> {
    let (at, key) = (spec.at, spec.key("timeWindow"));
    let is_given = spec.has("timeWindow");
    let windows = reading.list(spec, "timeWindow");
    let [field] = &windows[..] else {
        if is_given {
            let reason =
                Inconvertible::Indicators { found: windows.len(), choices: "time windows" };
            reading.lost(at, &key, reason);
            return None;
        }
        reading.note(at, &key, Uncarried::NoWindow);
        return Some(DEFAULT_WINDOW);
    };
    let mut keys = reading.keys(field)?;
    let duration = reading.required(&mut keys, "duration", "a number with a unit, such as 4w");
    let problem = |shown| Problem::Value { shown, form: Form::Switch };
    let is_rolling = reading.typed(&mut keys, "isRolling", switch, problem) == Some(true);
    let is_calendar = keys.has("calendar");
    let mut calendar = reading.section(&mut keys, "calendar");
    reading.leave_rest(keys, &Uncarried::UnknownKey);
    let given = duration?;
    let (number, unit) = owner::duration(reading, &given, number::shorthand)?;
    if is_rolling == is_calendar {
        let found = usize::from(is_rolling) * 2;
        let choices = "isRolling: true and calendar";
        reading.lost(field.at, &field.key, Inconvertible::Indicators { found, choices });
        return None;
    }
    if is_calendar {
        let period = match (number, unit) {
            (1, Unit::Months(1)) => Some(Period::Month),
            (1, Unit::Months(3)) | (3, Unit::Months(1)) => Some(Period::Quarter),
            (number, Unit::Seconds(unit)) if number.checked_mul(unit) == Some(WEEK_S) => {
                Some(Period::Week)
            }
            _ => None,
        };
        let shown = Shown::quoted(given.text);
        let period = owner::accepted(reading, &given, period.ok_or(Inconvertible::Period(shown)))?;
        let time_zone = aligned(reading, &mut calendar, period)?;
        reading.leave_rest(calendar, &Uncarried::UnknownKey);
        return Some(Window::Calendar { period, time_zone });
    }
    let seconds = match unit {
        Unit::Seconds(unit) => number.saturating_mul(unit),
        Unit::Months(months) => number.saturating_mul(months).saturating_mul(30 * 86_400),
    };
    let window = owner::rolling(reading, &given, seconds)?;
    if let Unit::Months(_) = unit {
        reading.note(given.at, &given.key, Uncarried::RollingPeriod(seconds / 86_400));
    }
    Some(window)
}

/// The time zone of a calendar, whose periods start where they start everywhere.
fn aligned(reading: &mut Reading<'_>, calendar: &mut Keys<'_>, period: Period) -> Option<String> {
    if let Some(start) = reading.text(calendar, "startTime") {
        let (day, time) = start.text.split_once([' ', 'T']).unwrap_or((start.text, "00:00:00"));
        let is_first = match period {
            Period::Week => false,
            Period::Month => day.ends_with("-01"),
            Period::Quarter => {
                ["-01-01", "-04-01", "-07-01", "-10-01"].iter().any(|first| day.ends_with(first))
            }
        };
        if !is_first || !matches!(time, "00:00:00" | "00:00" | "00:00:00Z") {
            reading.note(start.at, &start.key, Uncarried::StartTime);
        }
    }
    if !calendar.has("timeZone") {
        return Some("UTC".to_owned());
    }
    let problem = |shown| Problem::Value { shown, form: Form::TimeZone };
    reading.typed(calendar, "timeZone", zone, problem)
}

/// Reads `budgetingMethod`.
pub(super) fn budgeting(reading: &mut Reading<'_>, spec: &mut Keys<'_>) -> Option<Budgeting> {
    let given = reading.required(spec, "budgetingMethod", METHODS)?;
    match given.text {
        "Occurrences" => Some(Budgeting::Occurrences),
        "Timeslices" => Some(Budgeting::Timeslices),
        "RatioTimeslices" => {
            reading.note(given.at, &given.key, Uncarried::AveragedSlices);
            Some(Budgeting::RatioTimeslices)
        }
        other => {
            let shown = Shown::quoted(other);
            reading.lost(given.at, &given.key, Inconvertible::Word { shown, choices: METHODS });
            None
        }
    }
}

/// The slices of an objective; `None` where they are at fault, `Some(None)` without any.
#[expect(clippy::option_option, reason = "a fault is something else than no slices")]
pub(super) fn slices(
    reading: &mut Reading<'_>,
    keys: &mut Keys<'_>,
    budgeting: Option<Budgeting>,
) -> Option<Option<Slices>> {
    match budgeting? {
        Budgeting::Occurrences => {
            reading.leave(keys, &["timeSliceTarget", "timeSliceWindow"], &Uncarried::SliceKey);
            return Some(None);
        }
        Budgeting::RatioTimeslices => {
            // What was told of the method says it of its keys.
            let _ = (keys.take("timeSliceTarget"), keys.take("timeSliceWindow"));
            return Some(None);
        }
        Budgeting::Timeslices => {}
    }
    let target = reading.required(keys, "timeSliceTarget", "a ratio such as 0.95");
    let good = target.and_then(|given| {
        let shown = Shown::quoted(given.text);
        let cure = "a ratio such as 0.95, at most 1";
        let share = number::share(given.text).ok_or(Inconvertible::Share { shown, cure });
        owner::accepted(reading, &given, share)
    });
    let length = reading.required(keys, "timeSliceWindow", "a duration such as 1m");
    let seconds = length.and_then(|given| {
        let seconds = owner::duration(reading, &given, slice_s)?;
        let shown = Shown::quoted(given.text);
        let is_kept = (SLICE_MIN.as_secs()..=SLICE_MAX.as_secs()).contains(&seconds);
        let kept = is_kept.then_some(seconds).ok_or(Inconvertible::SliceLength(shown));
        owner::accepted(reading, &given, kept)
    });
    Some(Some(Slices { seconds: seconds?, good: good? }))
}

/// Seconds of a slice, whose bare number means minutes.
fn slice_s(text: &str) -> Option<u64> {
    if let Some(minutes) = crate::config::scalar::count(text) {
        return minutes.checked_mul(60);
    }
    match number::shorthand(text)? {
        (number, Unit::Seconds(unit)) => number.checked_mul(unit),
        (_, Unit::Months(_)) => None,
    }
}

const METHODS: &str = "Occurrences, Timeslices or RatioTimeslices";
const WEEK_S: u64 = 7 * 86_400;
