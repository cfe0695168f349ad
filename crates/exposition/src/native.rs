//! Exponential buckets as spans and deltas, the form in which Prometheus takes them, computed while
//! they are written so that a histogram allocates nothing.

use crate::sample::Native;

/// So many empty buckets in a row are written as zeros; more begin a new span. A span costs about
/// four bytes, an empty bucket up to two, because the deltas down to it and up again are both
/// there.
const BRIDGED: i64 = 2;

/// Whether Prometheus will accept the buckets. It refuses the whole scrape otherwise, so the answer
/// decides whether they are sent at all.
pub(crate) fn is_sound(native: &Native<'_>, count: u64, sum: f64) -> bool {
    let in_zero_or_above = native.positive.iter().try_fold(native.zero_count, |total, (_, n)| {
        // Deltas are signed, so no single count may reach beyond them.
        total.checked_add(*n).filter(|total| *total <= i64::MAX as u64)
    });
    // A NaN observation counts, makes the sum NaN and falls into no bucket.
    let adds_up = in_zero_or_above
        .is_some_and(|total| if sum.is_nan() { total <= count } else { total == count });
    let ascending = native.positive.windows(2).all(|pair| {
        let gap = i64::from(pair[1].0) - i64::from(pair[0].0);
        (1..=i64::from(i32::MAX)).contains(&gap)
    });
    adds_up
        && ascending
        && (-4..=8).contains(&native.schema)
        && native.zero_threshold >= 0.0
        && native.zero_threshold.is_finite()
}

/// Calls `write` with each span: how far it begins from the end of the span before (the first: from
/// zero), and its length.
pub(crate) fn spans(positive: &[(i32, u64)], mut write: impl FnMut(i32, u32)) {
    let mut end: i64 = 0;
    let mut open: Option<(i64, i64)> = None;
    for &(index, _) in positive {
        let index = i64::from(index);
        open = match open {
            Some((offset, length)) if index - end <= BRIDGED => {
                Some((offset, length + index - end + 1))
            }
            before => {
                if let Some(span) = before {
                    emit(span, &mut write);
                }
                Some((index - end, 1))
            }
        };
        end = index + 1;
    }
    if let Some(span) = open {
        emit(span, &mut write);
    }
}

fn emit((offset, length): (i64, i64), write: &mut impl FnMut(i32, u32)) {
    let offset = i32::try_from(offset).expect("sound buckets are at most an i32 apart");
    let length = u32::try_from(length).expect("a span is no longer than the range of an index");
    write(offset, length);
}

/// Calls `write` with each bucket's count minus the count of the bucket before, the bridged empty
/// ones included.
pub(crate) fn deltas(positive: &[(i32, u64)], mut write: impl FnMut(i64)) {
    let mut before: Option<(i64, i64)> = None;
    for &(index, count) in positive {
        let index = i64::from(index);
        let count = i64::try_from(count).expect("sound counts fit into a delta");
        let mut last = 0;
        if let Some((at, n)) = before {
            last = n;
            let empty = index - at - 1;
            if (1..=BRIDGED).contains(&empty) {
                write(-last);
                for _ in 1..empty {
                    write(0);
                }
                last = 0;
            }
        }
        write(count - last);
        before = Some((index, count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(positive: &[(i32, u64)], expected_spans: &[(i32, u32)], expected_deltas: &[i64]) {
        let mut found = Vec::new();
        spans(positive, |offset, length| found.push((offset, length)));
        assert_eq!(found, expected_spans);
        let mut found = Vec::new();
        deltas(positive, |delta| found.push(delta));
        assert_eq!(found, expected_deltas);
    }

    #[test]
    fn gaps_of_one_and_two_are_bridged_and_longer_ones_begin_a_span() {
        check(&[], &[], &[]);
        check(&[(-3, 5)], &[(-3, 1)], &[5]);
        check(&[(0, 1), (1, 3), (2, 2)], &[(0, 3)], &[1, 2, -1]);
        check(&[(4, 1), (6, 4)], &[(4, 3)], &[1, -1, 4]);
        check(&[(4, 1), (7, 4)], &[(4, 4)], &[1, -1, 0, 4]);
        check(&[(4, 1), (8, 4)], &[(4, 1), (3, 1)], &[1, 3]);
        check(&[(-10, 2), (-9, 2), (0, 7)], &[(-10, 2), (8, 1)], &[2, 0, 5]);
    }

    #[test]
    fn the_last_index_of_all_is_a_bucket_like_any_other() {
        check(&[(i32::MAX, 1)], &[(i32::MAX, 1)], &[1]);
        check(&[(i32::MIN, 1), (i32::MIN + 1, 2)], &[(i32::MIN, 2)], &[1, 1]);
    }

    /// The buckets that a reader finds, empty ones left out.
    fn read(spans: &[(i32, u32)], deltas: &[i64]) -> Vec<(i32, u64)> {
        let mut deltas = deltas.iter();
        let (mut index, mut count, mut found) = (0_i64, 0_i64, Vec::new());
        for &(offset, length) in spans {
            index += i64::from(offset);
            for _ in 0..length {
                count += deltas.next().expect("a delta for each bucket of a span");
                if count != 0 {
                    found.push((index as i32, count as u64));
                }
                index += 1;
            }
        }
        assert_eq!(deltas.next(), None, "more deltas than buckets");
        found
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(
            first in -1000_i32..1000,
            rows in proptest::collection::vec((1_i32..6, 1_u64..1 << 50), 0..40),
        ) {
            let mut index = first;
            let step = |(gap, count)| {
                index += gap;
                (index, count)
            };
            let positive: Vec<(i32, u64)> = rows.into_iter().map(step).collect();
            let (mut found_spans, mut found_deltas) = (Vec::new(), Vec::new());
            spans(&positive, |offset, length| found_spans.push((offset, length)));
            deltas(&positive, |delta| found_deltas.push(delta));
            assert_eq!(read(&found_spans, &found_deltas), positive);
            let wide = positive.windows(2).filter(|pair| pair[1].0 - pair[0].0 > 3).count();
            assert_eq!(found_spans.len(), if positive.is_empty() { 0 } else { wide + 1 });
        }
    }

    #[test]
    fn what_would_fail_a_scrape_is_unsound() {
        let good = Native { schema: 3, zero_threshold: 1e-128, zero_count: 1, positive: &[(1, 2)] };
        assert!(is_sound(&good, 3, 1.0));
        assert!(is_sound(&good, 4, f64::NAN), "a NaN observation is in no bucket");
        for (native, count, why) in [
            (good, 4, "an observation in no bucket"),
            (good, 2, "more in the buckets than counted"),
            (Native { schema: 9, ..good }, 3, "a schema above 8"),
            (Native { schema: -5, ..good }, 3, "a schema below -4"),
            (Native { zero_threshold: -1.0, ..good }, 3, "a negative threshold"),
            (Native { zero_threshold: f64::NAN, ..good }, 3, "a threshold that is no number"),
            (Native { zero_threshold: f64::INFINITY, ..good }, 3, "a threshold that takes all"),
            (Native { positive: &[(2, 1), (1, 1)], ..good }, 3, "descending indices"),
            (Native { positive: &[(1, 1), (1, 1)], ..good }, 3, "a repeated index"),
            (Native { positive: &[(-9, 1), (i32::MAX, 1)], ..good }, 3, "too wide a gap"),
            (Native { positive: &[(1, u64::MAX), (2, 3)], ..good }, 3, "a sum past its type"),
            (Native { positive: &[(1, 1 << 63)], ..good }, (1 << 63) + 1, "a count past a delta"),
        ] {
            assert!(!is_sound(&native, count, 1.0), "{why}");
        }
    }
}
