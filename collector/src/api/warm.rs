//! Answers without reading the ledger anew: what linking made of each place, kept until the ledger
//! or the time has changed it. An answer is then a report over what is linked, and a scrape of all
//! windows reads and links once.
//!
//! Nothing is updated in place. When any fact came, everything is gathered and linked again, which
//! is the same arithmetic as for a first answer; what is kept is one history, linked.

use super::{Answer, Ask, each_history, query};
use crate::keys;
use crate::ledger::{LedgerError, Reader};
use crate::link::{self, Linked, Rules};

/// What is kept between answers.
#[derive(Debug, Default)]
pub struct Warm {
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// The ledger's when it was read.
    generation: u64,
    /// Those of the linking.
    rules: Rules,
    /// The moment as of which it was linked.
    from_ms: i64,
    /// The first moment of a fact that was left out because it was later.
    until_ms: i64,
    /// Every place with its name.
    places: Vec<(String, String, Linked)>,
}

impl Warm {
    /// Answers for every place that is asked for, in the order of their names: those that
    /// [`answers`](super::answers) gives.
    ///
    /// # Errors
    /// The ledger cannot be read; the next answer reads it anew.
    pub fn answers(&mut self, ledger: &Reader, ask: &Ask) -> Result<Vec<Answer>, LedgerError> {
        let generation = ledger.generation()?;
        let kept = match self.kept.take().filter(|kept| kept.holds(generation, ask)) {
            Some(kept) => kept,
            None => Kept::read(ledger, generation, ask)?,
        };
        let query = query(ask);
        let wanted = |name: &str, asked: &Option<String>| asked.as_ref().is_none_or(|a| a == name);
        let places = kept.places.iter().filter(|(service, environment, _)| {
            wanted(service, &ask.service) && wanted(environment, &ask.environment)
        });
        let answers = places.map(|(service, environment, linked)| Answer {
            service: service.clone(),
            environment: environment.clone(),
            from_ms: query.from_ms,
            to_ms: query.to_ms,
            report: keys::report(linked, &query),
        });
        let answers = answers.collect();
        self.kept = Some(kept);
        Ok(answers)
    }
}

impl Kept {
    fn read(ledger: &Reader, generation: u64, ask: &Ask) -> Result<Self, LedgerError> {
        let (mut places, mut until_ms) = (Vec::new(), i64::MAX);
        let all = Ask { service: None, environment: None, ..ask.clone() };
        each_history(ledger, &all, |service, environment, mut history| {
            until_ms = until_ms.min(history.forget_after(ask.at_ms).unwrap_or(i64::MAX));
            places.push((service, environment, link::link(&history, &ask.rules)));
        })?;
        let (rules, from_ms) = (ask.rules.clone(), ask.at_ms);
        Ok(Self { generation, rules, from_ms, until_ms, places })
    }

    /// Whether nothing was learned, decided or reached since.
    fn holds(&self, generation: u64, ask: &Ask) -> bool {
        self.generation == generation
            && self.rules == ask.rules
            && (self.from_ms..self.until_ms).contains(&ask.at_ms)
    }
}
