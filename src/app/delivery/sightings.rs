//! What telemetry saw of versions, as facts: a first request outlives the process that saw it, and
//! lead time can run to it.

use std::collections::BTreeMap;

use redora_collector::ledger::{Ledger, LedgerError, Scope};
use redora_model::fact::{Fact, Sighting, What};
use redora_model::identity::{Environment, Revision, Service};

use super::sources::PRODUCTION;
use super::store;
use crate::digest::{Books, Digest};

/// What was stored of each version, so that it is stored again only when it says something new.
#[derive(Clone, Debug, Default)]
pub(super) struct Sighted(BTreeMap<String, (i64, i64)>);

impl Sighted {
    /// What the ledger knows.
    pub(super) fn of(ledger: &Ledger) -> Result<Self, LedgerError> {
        let mut known = BTreeMap::new();
        ledger.winners("sighting", Scope::All, |fact| {
            if let What::Sighting(Sighting { first_ms, last_ms, .. }) = fact.what
                && fact.source == SOURCE
            {
                known.insert(fact.id, (first_ms, last_ms));
            }
        })?;
        Ok(Self(known))
    }

    /// Stores what was seen since; says whether anything was.
    pub(super) fn keep(
        &mut self,
        digest: &Digest,
        ledger: &mut Ledger,
    ) -> Result<bool, LedgerError> {
        let before = self.clone();
        let facts = digest.read(|books| self.fresh(books));
        store(ledger, facts).inspect_err(|_| *self = before)
    }

    /// Versions that were not known, and those last known to have served an hour before now.
    fn fresh(&mut self, books: &Books) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (_, entry) in books.sightings.seen().entries(0) {
            let mut labels = entry.labels().skip(1);
            let mut next = || labels.next().unwrap_or_default();
            let (service, version, revision) = (next(), next(), next());
            let environment = Some(next()).filter(|name| !name.is_empty()).unwrap_or(PRODUCTION);
            let id = format!("{service}/{environment}/{version}/{revision}");
            let seen = (signed(entry.row.first_ms), signed(entry.row.last_ms));
            let known = self.0.get(&id).copied();
            if known.is_some_and(|(_, last_ms)| seen.1.saturating_sub(last_ms) < HOUR_MS) {
                continue;
            }
            // The first request ever, though this process saw only a later one.
            let first_ms = known.map_or(seen.0, |(first_ms, _)| first_ms.min(seen.0));
            self.0.insert(id.clone(), (first_ms, seen.1));
            let sighting = Sighting {
                service: Service::new(service),
                environment: Environment::new(environment),
                version: version.to_owned(),
                revision: Some(revision).filter(|sha| !sha.is_empty()).map(Revision::new),
                first_ms,
                last_ms: seen.1,
            };
            let (source, what) = (SOURCE.to_owned(), What::Sighting(sighting));
            facts.push(Fact { source, id, as_of_ms: seen.1, what });
        }
        facts
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// The source of what this agent's telemetry says.
const SOURCE: &str = "telemetry";

/// How much later a version must have served for that to be stored.
const HOUR_MS: i64 = 3_600_000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use redora_model::identity::Tenant;
    use redora_wire::Signal;

    use super::*;
    use crate::digest::Settings;
    use crate::series::{Hasher, Limits};

    fn digest() -> Digest {
        let (red, log_metrics, series) = (Default::default(), Vec::new(), Limits::default());
        Digest::new(Settings { red, log_metrics, slos: Vec::new(), series }, Hasher::default())
    }

    /// A SERVER span of shop 1.2 in staging.
    fn served(digest: &Digest, now_ms: u64) {
        fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
            let length = u8::try_from(bytes.len()).expect("short");
            [&[number << 3 | 2, length], bytes].concat()
        }
        let attribute = |key: &str, value: &str| {
            let pair = [field(1, key.as_bytes()), field(2, &field(1, value.as_bytes()))].concat();
            field(1, &pair)
        };
        let resource = [
            attribute("service.name", "shop"),
            attribute("service.version", "1.2"),
            attribute("deployment.environment.name", "staging"),
        ];
        let span = [field(5, b"GET /"), vec![6 << 3, 2]].concat();
        let spans = [field(1, &resource.concat()), field(2, &field(2, &span))].concat();
        digest.take(&Tenant::single(), Signal::Traces, &field(1, &spans), now_ms).expect("a span");
    }

    fn sightings(ledger: &Ledger) -> Vec<(String, i64, i64)> {
        let mut all = BTreeMap::new();
        let each = |fact: Fact| {
            let What::Sighting(seen) = fact.what else { panic!("{fact:?}") };
            all.insert(fact.id, (seen.first_ms, seen.last_ms));
        };
        ledger.winners("sighting", Scope::All, each).expect("readable");
        all.into_iter().map(|(id, (first, last))| (id, first, last)).collect()
    }

    #[test]
    fn a_first_request_outlives_the_process_that_saw_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.sqlite");
        let (first, later) = (1_000_000, 1_000_000 + 2 * 3_600_000);
        let id = || "shop/staging/1.2/".to_owned();
        {
            let mut ledger = Ledger::open(&file).unwrap();
            let (mut sighted, digest) = (Sighted::of(&ledger).unwrap(), digest());
            served(&digest, first);
            assert!(sighted.keep(&digest, &mut ledger).unwrap());
            served(&digest, first + 1000);
            assert!(!sighted.keep(&digest, &mut ledger).unwrap(), "nothing worth a row");
        }
        let mut ledger = Ledger::open(&file).unwrap();
        let (mut sighted, digest) = (Sighted::of(&ledger).unwrap(), digest());
        served(&digest, later);
        assert!(sighted.keep(&digest, &mut ledger).unwrap());
        assert_eq!(sightings(&ledger), [(id(), 1_000_000, signed(later))]);
    }
}
