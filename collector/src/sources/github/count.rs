//! How many objects of a stream there are from a time on, as far as a count without a date tells:
//! its newest and its oldest object often show where that time is, and otherwise it is a bound.

/// What is known of a stream's size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// From `from_ms` on.
    pub(crate) total: u64,
    /// From when on they were counted; `None` is all of them.
    pub(crate) from_ms: Option<i64>,
    /// When the newest of them were, the newest first.
    pub(crate) newest_ms: Vec<i64>,
    pub(crate) oldest_ms: Option<i64>,
    /// Among them those that have not come to an end.
    pub(crate) open: u64,
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Many {
    pub(crate) objects: u64,
    /// Whether it may be fewer.
    pub(crate) at_most: bool,
}

/// Beyond what any repository has, so that no sum of such numbers is too large for its type.
pub(crate) const OBJECTS_MAX: u64 = 1 << 32;

impl Count {
    /// How many there are from a time on until `to_ms`, which is when they were counted.
    pub(crate) fn since(&self, from_ms: i64, to_ms: i64) -> Many {
        let exactly = |objects| Many { objects, at_most: false };
        if self.from_ms.is_some() {
            return exactly(self.share(from_ms, to_ms));
        }
        let shown = self.newest_ms.len() as u64;
        let within = self.newest_ms.iter().filter(|at_ms| **at_ms >= from_ms).count() as u64;
        if within < shown || shown >= self.total {
            return exactly(within);
        }
        let all_within = self.oldest_ms.is_some_and(|oldest_ms| oldest_ms >= from_ms);
        Many { objects: self.total, at_most: !all_within }
    }

    /// How many there are in a part of the time that was counted, were they spread evenly.
    pub(crate) fn share(&self, from_ms: i64, to_ms: i64) -> u64 {
        let counted_ms = self.from_ms.unwrap_or(from_ms);
        let whole_ms = u128::try_from(to_ms.saturating_sub(counted_ms)).unwrap_or(0);
        let part_ms = u128::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0).min(whole_ms);
        let share = (u128::from(self.total) * part_ms).checked_div(whole_ms);
        share.map_or(self.total, |share| u64::try_from(share).unwrap_or(self.total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_and_oldest_tell_where_a_time_is() {
        let of = |total, newest_ms: &[i64], oldest_ms| {
            let count =
                Count { total, newest_ms: newest_ms.to_vec(), oldest_ms, ..Count::default() };
            let Many { objects, at_most } = count.since(50, 100);
            (objects, at_most)
        };
        assert_eq!(of(0, &[], None), (0, false));
        assert_eq!(of(900, &[70, 60, 40], Some(1)), (2, false), "the newest pass the border");
        assert_eq!(of(3, &[70, 60, 50], Some(50)), (3, false), "the newest are all");
        assert_eq!(of(900, &[70, 60, 55], Some(50)), (900, false), "the oldest is within");
        assert_eq!(of(900, &[70, 60, 55], Some(49)), (900, true), "it is somewhere between");
        let dated = Count { total: 7, from_ms: Some(50), ..Count::default() };
        assert_eq!(dated.since(50, 100), Many { objects: 7, at_most: false });
    }

    #[test]
    fn a_part_of_the_time_has_its_share() {
        let count = Count { total: 1_000, from_ms: Some(0), ..Count::default() };
        assert_eq!(count.share(0, 100), 1_000);
        assert_eq!(count.share(75, 100), 250);
        assert_eq!(count.share(100, 100), 0);
        assert_eq!(count.share(-20, 100), 1_000);
        assert_eq!(count.share(0, 0), 1_000, "no time has passed");
    }
}
