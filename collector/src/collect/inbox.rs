//! What was pushed, from the inbox into facts: an incident is in its delivery, while a delivery of
//! GitHub names an object that is read now. A delivery ends with its facts in one transaction, so a
//! crash handles it again and never half.

use super::door::{ALERTMANAGER, Doors, EVENT, GITHUB, INCIDENTS, PAGERDUTY};
use super::round::{Clock, random};
use super::source::Reader;
use super::step::Moment;
use super::store::{Store, Yield};
use crate::ledger::{Delivery, LedgerError, Reject, Waiting};
use crate::sources::hooks::{self, Hint};
use crate::sources::incidents::{Fault, Reading, alertmanager, generic, pagerduty};

impl Doors {
    /// Handles what waits; says whether anything did.
    ///
    /// # Errors
    /// The ledger cannot be used.
    pub async fn handle(
        &self,
        store: &Store,
        clock: &Clock,
        seed: u64,
    ) -> Result<bool, LedgerError> {
        let waiting = store.ledger().deliveries(DELIVERIES_A_TURN)?;
        let found = !waiting.is_empty();
        for Waiting { number, delivery } in waiting {
            let moment = Moment { now_ms: clock(), random: random(seed, number.unsigned_abs()) };
            match delivery.door.as_str() {
                GITHUB => self.github(store, number, &delivery, moment).await?,
                _ => self.incident(store, number, &delivery, moment)?,
            }
        }
        Ok(found)
    }

    async fn github(
        &self,
        store: &Store,
        number: i64,
        delivery: &Delivery,
        moment: Moment,
    ) -> Result<(), LedgerError> {
        let header = |name: &str| delivery.headers.iter().find(|(known, _)| known == name);
        let event = header(EVENT).map_or("", |(_, value)| value.as_str());
        let mut reason = match hooks::read(event, &delivery.body) {
            Ok(None) => return end(store, number, Yield::default()),
            Ok(Some(hint)) => match self.follow(store, &hint, moment).await? {
                0 => Some(format!("no source reads {}", hint.repository)),
                _ => None,
            },
            Err(fault) => Some(fault.to_string()),
        };
        let rejects = reason.take().map(|reason| rejected(GITHUB, delivery, reason));
        end(store, number, Yield { rejects: rejects.into_iter().collect(), ..Yield::default() })
    }

    /// Reads the object of a hint in every source of its repository; says how many there are.
    async fn follow(
        &self,
        store: &Store,
        hint: &Hint,
        moment: Moment,
    ) -> Result<usize, LedgerError> {
        let mut sources = 0;
        for source in self.github.iter().flat_map(|(sources, _)| sources) {
            let Reader::GitHub(github) = &source.reader else { continue };
            if github.is(&hint.repository) {
                github.read_object(&source.name, store, &hint.object, moment).await?;
                sources += 1;
            }
        }
        Ok(sources)
    }

    fn incident(
        &self,
        store: &Store,
        number: i64,
        delivery: &Delivery,
        Moment { now_ms, .. }: Moment,
    ) -> Result<(), LedgerError> {
        let source = self.source(&delivery.door).unwrap_or(&delivery.door);
        let reject = |place, reason| {
            let source = source.to_owned();
            Reject { source, place, reason, at_ms: now_ms }
        };
        let yields = match self.read(delivery) {
            Ok(Reading { facts, rejects, .. }) => {
                let element = |bad: crate::sources::incidents::Reject| {
                    reject(format!("{} of {}", bad.number, delivery.id), bad.fault.to_string())
                };
                let rejects = rejects.into_iter().map(element).collect();
                Yield { facts, rejects, ..Yield::default() }
            }
            Err(fault) => {
                let rejects = vec![reject(delivery.id.clone(), fault.to_string())];
                Yield { rejects, ..Yield::default() }
            }
        };
        end(store, number, yields)
    }

    fn read(&self, delivery: &Delivery) -> Result<Reading, Fault> {
        let body = &delivery.body;
        match delivery.door.as_str() {
            ALERTMANAGER => {
                self.alertmanager.as_ref().map(|config| alertmanager::read(body, config))
            }
            PAGERDUTY => self.pagerduty.as_ref().map(|(config, _)| pagerduty::read(body, config)),
            INCIDENTS => self.incidents.as_ref().map(|origin| generic::read(body, origin)),
            _ => None,
        }
        // Nobody listens there any more: a restart with another configuration.
        .unwrap_or_else(|| Ok(Reading::default()))
    }

    fn source(&self, door: &str) -> Option<&str> {
        let origin = match door {
            ALERTMANAGER => self.alertmanager.as_ref().map(|config| &config.origin),
            PAGERDUTY => self.pagerduty.as_ref().map(|(config, _)| &config.origin),
            _ => self.incidents.as_ref(),
        };
        origin.map(|origin| origin.source.as_str())
    }
}

fn end(store: &Store, number: i64, yields: Yield) -> Result<(), LedgerError> {
    store.end(Yield { handled: vec![number], ..yields }).map(drop)
}

fn rejected(source: &str, delivery: &Delivery, reason: String) -> Reject {
    let (source, place) = (source.to_owned(), delivery.id.clone());
    Reject { source, place, reason, at_ms: delivery.at_ms }
}

/// A few pages of answers of a server, or some thousand incidents.
const DELIVERIES_A_TURN: u32 = 32;
