//! How many requests a sampled span stands for, read from its tracestate: without it a sampled
//! service looks slower to fill its error budget than it is.
//!
//! Source: OpenTelemetry's probability sampling. `ot=th:T` holds a rejection threshold of up to 14
//! hexadecimal digits with trailing zeros left out; a span was kept with probability (2⁵⁶ − T) /
//! 2⁵⁶.

/// The adjusted count of a span in 32.32 fixed point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight(u64);

impl Weight {
    /// A span that stands for itself.
    pub const ONE: Weight = Weight(1 << 32);

    /// The weight that a span's tracestate declares; one where it declares none.
    #[must_use]
    pub fn of(trace_state: &[u8]) -> Self {
        if trace_state.is_empty() {
            return Self::ONE;
        }
        threshold(trace_state).map_or(Self::ONE, Self::from_threshold)
    }

    fn from_threshold(threshold: u64) -> Self {
        let kept = (1_u64 << THRESHOLD_BITS) - threshold;
        let fixed = (1_u128 << (THRESHOLD_BITS + 32)) / u128::from(kept);
        Self(u64::try_from(fixed).unwrap_or(u64::MAX))
    }
}

/// Many weights together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weights(u128);

impl Weights {
    /// Adds one.
    #[inline]
    pub fn add(&mut self, weight: Weight) {
        self.0 = self.0.saturating_add(u128::from(weight.0));
    }

    /// Adds many.
    #[inline]
    pub fn merge(&mut self, others: Weights) {
        self.0 = self.0.saturating_add(others.0);
    }
}

/// What of the weights was not a whole number yet: counters count requests, so the rest is carried
/// to the next span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carry(u32);

impl Default for Carry {
    /// Half a request, which turns cutting into rounding.
    fn default() -> Self {
        Self(1 << 31)
    }
}

impl Carry {
    /// The whole number that `weight` adds now.
    pub fn take(&mut self, weight: Weight) -> u64 {
        self.take_all(Weights(u128::from(weight.0)))
    }

    /// The whole number that many weights add now: the same as one after the other.
    pub fn take_all(&mut self, weights: Weights) -> u64 {
        let sum = weights.0.saturating_add(u128::from(self.0));
        self.0 = (sum & u128::from(u32::MAX)) as u32;
        u64::try_from(sum >> 32).unwrap_or(u64::MAX)
    }
}

/// The threshold in the `ot` member, if it is well formed.
fn threshold(trace_state: &[u8]) -> Option<u64> {
    let member = trace_state
        .split(|byte| *byte == b',')
        .find_map(|member| member.trim_ascii().strip_prefix(b"ot="))?;
    let digits = member.split(|byte| *byte == b';').find_map(|field| field.strip_prefix(b"th:"))?;
    if digits.is_empty() || digits.len() > THRESHOLD_DIGITS {
        return None;
    }
    let mut value = 0;
    for place in 0..THRESHOLD_DIGITS {
        let digit = digits.get(place).map_or(Some(0), |byte| (*byte as char).to_digit(16))?;
        value = value << 4 | u64::from(digit);
    }
    Some(value)
}

const THRESHOLD_BITS: u32 = 56;
const THRESHOLD_DIGITS: usize = 14;

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(trace_state: &str, spans: u32) -> u64 {
        let mut carry = Carry::default();
        (0..spans).map(|_| carry.take(Weight::of(trace_state.as_bytes()))).sum()
    }

    #[test]
    fn a_threshold_becomes_the_number_of_requests() {
        for (trace_state, spans, requests) in [
            ("", 7, 7),
            ("ot=th:0", 7, 7),
            ("ot=th:8", 7, 14),
            ("ot=th:c", 10, 40),
            ("vendor=x, ot=rv:00000000000001;th:8 ,other=y", 3, 6),
            ("ot=th:e666666666666", 1000, 10_000),
            ("ot=th:55555555555556", 1, 2),
            ("ot=th:55555555555554", 2, 3),
            ("ot=th:4", 1, 1),
            ("x=th:8,ot=p:3", 3, 3),
            ("xot=th:8", 3, 3),
            ("ot=th:8,ot=th:c", 1, 2),
            ("ot=th:55555555555554", 1000, 1500),
        ] {
            assert_eq!(counted(trace_state, spans), requests, "{trace_state}");
        }
    }

    #[test]
    fn weights_together_count_as_one_after_the_other() {
        let (mut one, mut all) = (Carry::default(), Carry::default());
        for spans in 0..50 {
            let weight = Weight::of(b"ot=th:55555555555554");
            let mut weights = Weights::default();
            (0..spans).for_each(|_| weights.add(weight));
            let counted: u64 = (0..spans).map(|_| one.take(weight)).sum();
            assert_eq!(all.take_all(weights), counted);
        }
        assert_eq!(all, one);
    }

    #[test]
    fn a_threshold_that_is_none_counts_one() {
        for trace_state in ["ot=th:", "ot=th:xyz", "ot=th:123456789012345", "ot=rv:8", "th:8", ","]
        {
            assert_eq!(counted(trace_state, 3), 3, "{trace_state}");
        }
    }

    #[test]
    fn the_heaviest_weight_is_bounded() {
        assert_eq!(counted("ot=th:ffffffffffffff", 1), u64::from(u32::MAX) + 1);
    }
}
