//! A report beside what others reached: the levels of a year's report and the benchmark of the
//! Quick Check. Both only when they are asked for, since a number needs no rank to be true.

use serde::Serialize;

use super::{Answer, Ask, query};
use crate::keys::bands::{Bands, Measured, bands};
use crate::keys::quick_check::{QuickCheck, quick_check};

/// What a report is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scales {
    /// The levels of this year.
    pub bands: Option<u16>,
    /// The Quick Check.
    pub quick_check: bool,
}

/// The numbers of a place, held against what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// The numbers.
    #[serde(flatten)]
    pub answer: Answer,
    /// Where they lie among a year's levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bands: Option<Bands>,
    /// What they score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quick_check: Option<QuickCheck>,
}

/// Holds answers against scales; a year whose levels are not known gives none.
#[must_use]
pub fn judged(answers: Vec<Answer>, ask: &Ask, scales: Scales) -> Vec<Judged> {
    let query = query(ask);
    let judged = |answer: Answer| {
        let measured = Measured::of(&answer.report, &query);
        let bands = scales.bands.and_then(|year| bands(year, &measured));
        let quick_check = scales.quick_check.then(|| quick_check(&measured));
        Judged { answer, bands, quick_check }
    };
    answers.into_iter().map(judged).collect()
}
