//! Counters of many agents into events of each objective's minutes: what a counter grew by since
//! the minute before, and from 0 where it began anew. Between two answers the last value of each
//! counter is remembered, so where one answer ends and the next begins changes nothing.

use std::collections::{BTreeMap, HashMap};

use redora_model::slo::Counts;

use super::super::play::Name;
use super::answer::Series;

/// Events of each objective in the minutes of an answer.
pub(super) type Minutes = BTreeMap<Name, BTreeMap<u64, Counts>>;

/// The last value of each counter.
#[derive(Debug, Default)]
pub(super) struct Counters {
    last: HashMap<BTreeMap<String, String>, Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    at_min: u64,
    value: u64,
}

impl Counters {
    /// What the counters of the next answer grew by.
    pub(super) fn minutes(&mut self, answer: Vec<Series>) -> Minutes {
        let mut minutes = Minutes::new();
        for Series { labels, points } in answer {
            let is_bad = match labels.get("outcome").map(String::as_str) {
                Some("good") => false,
                Some("bad") => true,
                _ => continue,
            };
            let (Some(service), Some(slo)) = (labels.get("service"), labels.get("slo")) else {
                continue;
            };
            let name = Name { service: service.clone(), slo: slo.clone() };
            let told = minutes.entry(name).or_default();
            let mut last = self.last.get(&labels).copied();
            for (at_min, value) in points {
                // A cast saturates, and makes 0 of what is less.
                let value = value.round() as u64;
                let grown = last.map_or(0, |last| last.grown(at_min, value));
                let (good, bad) = if is_bad { (0, grown) } else { (grown, 0) };
                let counts = told.entry(at_min).or_default();
                *counts = counts.and(Counts { good, bad });
                last = Some(Last { at_min, value });
            }
            if let Some(last) = last {
                self.last.insert(labels, last);
            }
        }
        self.forget(&minutes);
        minutes
    }

    /// Drops the counters that a later value will not be compared with: a fleet that is rolled out
    /// anew every hour has many in a month.
    fn forget(&mut self, minutes: &Minutes) {
        let newest = minutes.values().filter_map(|told| told.keys().next_back()).max();
        if let Some(newest) = newest.copied() {
            self.last.retain(|_, last| newest.saturating_sub(last.at_min) <= UNSEEN_MIN_MAX);
        }
    }
}

impl Last {
    fn grown(self, at_min: u64, value: u64) -> u64 {
        match value.checked_sub(self.value) {
            _ if at_min.saturating_sub(self.at_min) > UNSEEN_MIN_MAX => 0,
            Some(grown) => grown,
            None => value,
        }
    }
}

/// What a counter grew by while nobody saw it is in the windows that hold both of its ends, and the
/// longest that the rules count from counters is six hours.
const UNSEEN_MIN_MAX: u64 = 360;

#[cfg(test)]
mod tests {
    use super::*;

    fn series(outcome: &str, instance: &str, points: &[(u64, f64)]) -> Series {
        let labels = [("service", "shop"), ("slo", "up"), ("outcome", outcome), ("i", instance)];
        let labels = labels.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        Series { labels, points: points.to_vec() }
    }

    fn told(minutes: &Minutes) -> Vec<(u64, u64, u64)> {
        let told = minutes.values().flatten();
        told.map(|(at_min, counts)| (*at_min, counts.good, counts.bad)).collect()
    }

    #[test]
    fn agents_are_added_up_and_a_counter_that_begins_anew_counts_from_0() {
        let mut counters = Counters::default();
        let minutes = counters.minutes(vec![
            series("good", "a", &[(1, 100.0), (2, 110.0), (3, 5.0), (4, 6.0)]),
            series("good", "b", &[(3, 7.0), (4, 9.0)]),
            series("bad", "a", &[(1, 2.0), (2, 2.0), (4, 5.0)]),
            series("unknown", "a", &[(9, 1.0)]),
        ]);
        assert_eq!(told(&minutes), [(1, 0, 0), (2, 10, 0), (3, 5, 0), (4, 3, 3)]);
    }

    proptest::proptest! {
        /// Counters of two agents that begin anew at will, cut into answers at will.
        #[test]
        fn where_an_answer_ends_changes_nothing(
            values in proptest::collection::vec((1_u64..50, 0_u32..20, 0_u32..20), 1..60),
            cuts in proptest::collection::btree_set(0_u64..2_000, 0..6),
        ) {
            let mut at_min = 0;
            let [mut good, mut bad] = [Vec::new(), Vec::new()];
            for (step, some, others) in values {
                at_min += step;
                good.push((at_min, f64::from(some)));
                bad.push((at_min, f64::from(others)));
            }
            let within = |points: &[(u64, f64)], from: u64, to: u64| {
                let own = points.iter().filter(|(at, _)| (from..to).contains(at));
                own.copied().collect::<Vec<_>>()
            };
            let answer = |from, to| {
                vec![
                    series("good", "a", &within(&good, from, to)),
                    series("bad", "a", &within(&bad, from, to)),
                    series("bad", "b", &within(&good, from, to)),
                ]
            };
            let whole = told(&Counters::default().minutes(answer(0, u64::MAX)));
            let mut counters = Counters::default();
            let mut from = 0;
            let mut parts = Vec::new();
            for to in cuts.into_iter().chain([u64::MAX]) {
                parts.extend(told(&counters.minutes(answer(from, to))));
                from = to;
            }
            proptest::prop_assert_eq!(parts, whole);
        }
    }

    #[test]
    fn a_counter_that_was_away_for_longer_than_any_window_is_a_new_one() {
        let mut counters = Counters::default();
        let points = [(1, 10.0), (361, 20.0), (722, 90.0), (723, 91.0)];
        let expected = [(1, 0, 0), (361, 10, 0), (722, 0, 0), (723, 1, 0)];
        assert_eq!(told(&counters.minutes(vec![series("good", "a", &points)])), expected);
    }
}
