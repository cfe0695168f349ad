//! Answers without reading the ledger anew: what linking made of each place, kept until a fact of
//! that place or the time has changed it. An answer is then a report over what is linked.
//!
//! Nothing is updated in place. When a fact came, its place is gathered and linked again, which is
//! the same arithmetic as for a first answer. What is kept is bounded; a place that does not fit is
//! linked for each answer.

use std::collections::BTreeMap;

use super::{Answer, Ask, Place, each_place, places, query};
use crate::keys;
use crate::ledger::{LedgerError, Reader};
use crate::link::{Linked, Rules};

/// What is kept between answers.
#[derive(Debug)]
pub struct Warm {
    bytes_max: usize,
    bytes: usize,
    rules: Rules,
    /// The ledger's generation when it was last looked at, and the places of then.
    generation: Option<u64>,
    places: BTreeMap<Place, u64>,
    kept: BTreeMap<Place, Kept>,
    cold: usize,
}

#[derive(Debug)]
struct Kept {
    /// Which generation had last touched the place when it was read.
    touched: u64,
    /// The moment as of which it was linked.
    from_ms: i64,
    /// The first moment of a fact that was left out because it was later.
    until_ms: i64,
    bytes: usize,
    linked: Linked,
}

impl Warm {
    /// Keeps about so much at most.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            rules: Rules::default(),
            generation: None,
            places: BTreeMap::new(),
            kept: BTreeMap::new(),
            cold: 0,
        }
    }

    /// How many places did not fit when they were asked for last.
    #[must_use]
    pub fn cold(&self) -> usize {
        self.cold
    }

    /// Answers for every place, in the order of their names, for windows of these lengths: those
    /// that [`answers`](super::answers) gives. The window, service and environment of `ask` are not
    /// looked at.
    ///
    /// # Errors
    /// The ledger cannot be read; the next answer reads it anew.
    pub fn answers(
        &mut self,
        ledger: &Reader,
        ask: &Ask,
        windows_ms: &[i64],
    ) -> Result<Vec<Vec<Answer>>, LedgerError> {
        if self.rules != ask.rules {
            self.rules = ask.rules.clone();
            self.kept.clear();
        }
        let generation = ledger.generation()?;
        // Taken, so that after an error nothing is taken for known.
        let touched = match self.generation.take().filter(|known| *known == generation) {
            Some(_) => std::mem::take(&mut self.places),
            None => touched(ledger, ask)?,
        };
        self.kept.retain(|place, kept| kept.holds(touched.get(place).copied(), ask.at_ms));
        self.bytes = self.kept.values().map(|kept| kept.bytes).sum();
        self.cold = 0;
        let kept = self.kept.iter();
        let mut all: Vec<Vec<Answer>> =
            kept.map(|(place, kept)| reports(place, &kept.linked, ask, windows_ms)).collect();
        let old = touched.keys().filter(|place| !self.kept.contains_key(place)).cloned().collect();
        each_place(ledger, old, ask, |place, linked, until_ms| {
            all.push(reports(&place, &linked, ask, windows_ms));
            let (touched, from_ms, bytes) = (touched[&place], ask.at_ms, linked.bytes());
            self.keep(place, Kept { touched, from_ms, until_ms, bytes, linked });
        })?;
        self.places = touched;
        self.generation = Some(generation);
        all.sort_by(|a, b| name(a).cmp(&name(b)));
        Ok(all)
    }

    fn keep(&mut self, place: Place, kept: Kept) {
        if self.bytes + kept.bytes > self.bytes_max {
            self.cold += 1;
            return;
        }
        self.bytes += kept.bytes;
        self.kept.insert(place, kept);
    }
}

impl Kept {
    /// Whether the place is there and nothing was learned or reached since.
    fn holds(&self, touched: Option<u64>, at_ms: i64) -> bool {
        touched == Some(self.touched) && (self.from_ms..self.until_ms).contains(&at_ms)
    }
}

/// Which places there are, and the generation that touched each last.
fn touched(ledger: &Reader, ask: &Ask) -> Result<BTreeMap<Place, u64>, LedgerError> {
    let touched = ledger.touched()?;
    let all = Ask { service: None, environment: None, ..ask.clone() };
    let known = places(ledger, &all)?.into_iter().map(|place| {
        let touched = touched.place(&place.service, &place.environment, &place.repositories);
        (place, touched)
    });
    Ok(known.collect())
}

fn reports(place: &Place, linked: &Linked, ask: &Ask, windows_ms: &[i64]) -> Vec<Answer> {
    let report = |window_ms: &i64| {
        let query = query(&Ask { window_ms: *window_ms, ..ask.clone() });
        place.answer(keys::report(linked, &query), &query)
    };
    windows_ms.iter().map(report).collect()
}

/// Of no window, nobody asks.
fn name(answers: &[Answer]) -> Option<(&str, &str)> {
    answers.first().map(|answer| (&*answer.service, &*answer.environment))
}
