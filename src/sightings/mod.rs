//! When each version of a service was seen serving, and how it served: the arrival of a deployment
//! as the requests themselves tell it, which no pipeline can.
//!
//! A version counts as seen with a span that serves (SERVER or CONSUMER); work that a process does
//! for itself while it starts is no sighting. Times are those of the agent's clock at arrival.

use redora_model::identity::Tenant;

use crate::series::{Book, Carry, Hasher, Key, Limits, Mark, Row, Size, Staged, Upkeep, Weight};

/// The book of versions.
#[derive(Debug)]
pub struct Sightings {
    requests: Book<Served>,
    seen: Book<Seen>,
    served_key: Key,
    seen_key: Key,
    tenant: Mark,
    service: Mark,
    /// Where the version named last is counted, once it has served in this batch; its sighting is
    /// staged together with it.
    served_slot: Option<u32>,
    known: bool,
}

/// What a resource says of the version that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version<'a> {
    /// `service.version`; empty where it is not set.
    pub version: &'a [u8],
    /// The commit, `vcs.ref.head.revision`; empty where it is not set.
    pub revision: &'a [u8],
    /// Where it runs, `deployment.environment.name`; empty where it is not set.
    pub environment: &'a [u8],
}

/// Requests of one version of a service, by outcome.
#[derive(Debug, Default)]
pub struct Served {
    ok: (u64, Carry),
    error: (u64, Carry),
}

impl Served {
    /// Requests that were good.
    #[must_use]
    pub fn ok(&self) -> u64 {
        self.ok.0
    }

    /// Requests that failed.
    #[must_use]
    pub fn error(&self) -> u64 {
        self.error.0
    }
}

/// When one version and revision of a service was seen, in milliseconds since the Unix epoch.
#[derive(Debug)]
pub struct Seen {
    /// The first request it served.
    pub first_ms: u64,
    /// The last one.
    pub last_ms: u64,
}

/// A span that served.
#[derive(Clone, Copy, Debug)]
pub struct Requests {
    /// How many requests it stands for.
    pub weight: Weight,
    /// Whether they failed.
    pub failed: bool,
}

impl Row for Served {
    type Hit = Requests;
    type Context<'c> = ();

    fn apply(&mut self, hit: Requests, (): &()) {
        let (total, carry) = if hit.failed { &mut self.error } else { &mut self.ok };
        *total = total.saturating_add(carry.take(hit.weight));
    }
}

impl Row for Seen {
    type Hit = ();
    /// The time of arrival, in milliseconds since the Unix epoch.
    type Context<'c> = u64;

    fn apply(&mut self, (): (), now_ms: &u64) {
        self.last_ms = self.last_ms.max(*now_ms);
    }
}

impl Sightings {
    /// An empty book.
    #[must_use]
    pub fn new(limits: Limits, hasher: &Hasher) -> Self {
        Self {
            requests: Book::new(limits, hasher.clone()),
            seen: Book::new(remembered(limits), hasher.clone()),
            served_key: Key::new(),
            seen_key: Key::new(),
            tenant: Mark::default(),
            service: Mark::default(),
            served_slot: None,
            known: false,
        }
    }

    /// The spans that follow are of this service and version.
    pub fn version(&mut self, tenant: &Tenant, service: &[u8], version: Version<'_>) {
        self.known = !(version.version.is_empty() && version.revision.is_empty());
        self.served_slot = None;
        for key in [&mut self.served_key, &mut self.seen_key] {
            key.clear();
            key.push(tenant.as_str().as_bytes());
            self.tenant = key.mark();
            key.push(service);
            self.service = key.mark();
            key.push(version.version);
        }
        self.seen_key.push(version.revision);
        self.seen_key.push(version.environment);
    }

    /// Stages a served request of the version named last; without a version there is nothing to
    /// see.
    pub fn stage(&mut self, hit: Requests, now_ms: u64) {
        if !self.known {
            return;
        }
        if let Some(slot) = self.served_slot {
            return self.requests.stage_at(slot, hit);
        }
        match self.requests.stage(&self.served_key, hit, now_ms, Served::default) {
            Staged::Known(slot) | Staged::Created(slot) => self.served_slot = Some(slot),
            Staged::Full => self.stage_other(hit, now_ms),
        }
        let born = || Seen { first_ms: now_ms, last_ms: now_ms };
        if self.seen.stage(&self.seen_key, (), now_ms, born) == Staged::Full {
            self.seen.overflow();
        }
    }

    /// Counts a request in `other` of its service, or in `other` of all services.
    fn stage_other(&mut self, hit: Requests, now_ms: u64) {
        let mut other = self.served_key.clone();
        other.rewind(self.service);
        other.push(OTHER);
        if self.requests.stage_overflow(&other, hit, now_ms, Served::default) == Staged::Full {
            other.rewind(self.tenant);
            other.push(OTHER);
            other.push(OTHER);
            self.requests.stage_last(&other, hit, now_ms, Served::default);
        }
    }

    /// Counts what was staged.
    pub fn commit(&mut self, now_ms: u64) {
        self.requests.commit(&());
        self.seen.commit(&now_ms);
    }

    /// Forgets what was staged.
    pub fn discard(&mut self) {
        self.requests.discard();
        self.seen.discard();
    }

    /// Removes versions that have not served for long.
    pub fn expire(&mut self, uptime_ms: u64) {
        self.requests.expire(uptime_ms);
        self.seen.expire(uptime_ms);
    }

    /// Takes new limits.
    pub fn limit(&mut self, limits: Limits) {
        self.requests.limit(limits);
        self.seen.limit(remembered(limits));
    }

    /// How full each family is.
    #[must_use]
    pub fn sizes(&self) -> [(&'static str, Size); 2] {
        [("version_requests", self.requests.size()), ("versions", self.seen.size())]
    }

    /// Requests by service and version.
    #[must_use]
    pub fn requests(&self) -> &Book<Served> {
        &self.requests
    }

    /// Times by tenant, service, version, revision and environment.
    #[must_use]
    pub fn seen(&self) -> &Book<Seen> {
        &self.seen
    }
}

/// Sightings outlive the counters: a version that is idle over a weekend must not arrive a second
/// time on Monday.
fn remembered(limits: Limits) -> Limits {
    Limits { expire_ms: limits.expire_ms.max(SEEN_EXPIRE_MS), ..limits }
}

/// Where requests of versions that did not fit are counted.
const OTHER: &[u8] = b"other";

/// Thirty days.
const SEEN_EXPIRE_MS: u64 = 30 * 24 * 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SERVED: Requests = Requests { weight: Weight::ONE, failed: false };

    fn sightings() -> Sightings {
        Sightings::new(Limits { rows: 3, expire_ms: 1000 }, &Hasher::default())
    }

    fn version<'a>(version: &'a str, revision: &'a str) -> Version<'a> {
        let (version, revision) = (version.as_bytes(), revision.as_bytes());
        Version { version, revision, environment: b"" }
    }

    fn seen(book: &Sightings) -> Vec<(String, u64, u64)> {
        let mut rows: Vec<_> = book
            .seen()
            .entries(0)
            .map(|(_, entry)| {
                let labels: Vec<_> = entry.labels().collect();
                (labels.join("|"), entry.row.first_ms, entry.row.last_ms)
            })
            .collect();
        rows.sort();
        rows
    }

    #[test]
    fn a_version_has_a_first_and_a_last_time() {
        let mut book = sightings();
        for now_ms in [10, 20, 15] {
            book.version(&Tenant::single(), b"shop", version("1", "abc"));
            book.stage(SERVED, now_ms);
            book.commit(now_ms);
        }
        assert_eq!(seen(&book), [("|shop|1|abc|".to_owned(), 10, 20)]);
        let served = book.requests().entries(0).map(|(_, entry)| entry.row.ok()).sum::<u64>();
        assert_eq!(served, 3);
    }

    #[test]
    fn a_version_arrives_in_each_environment_by_itself() {
        let mut book = sightings();
        for (environment, now_ms) in [("staging", 5), ("production", 9)] {
            let environment = environment.as_bytes();
            let version = Version { environment, ..version("1", "abc") };
            book.version(&Tenant::single(), b"shop", version);
            book.stage(SERVED, now_ms);
            book.commit(now_ms);
        }
        let expected = [("|shop|1|abc|production", 9, 9), ("|shop|1|abc|staging", 5, 5)];
        assert_eq!(seen(&book), expected.map(|(key, first, last)| (key.to_owned(), first, last)));
    }

    #[test]
    fn two_revisions_of_one_version_share_its_counter() {
        let mut book = sightings();
        for revision in ["abc", "def"] {
            book.version(&Tenant::single(), b"shop", version("1", revision));
            book.stage(Requests { weight: Weight::of(b"ot=th:8"), failed: true }, 5);
        }
        book.commit(5);
        assert_eq!(seen(&book).len(), 2);
        let rows: Vec<_> =
            book.requests().entries(0).map(|(_, e)| (e.row.ok(), e.row.error())).collect();
        assert_eq!(rows, [(0, 4)]);
    }

    #[test]
    fn without_a_version_or_after_a_discard_nothing_was_seen() {
        let mut book = sightings();
        book.version(&Tenant::single(), b"shop", version("", ""));
        book.stage(SERVED, 1);
        book.commit(1);
        book.version(&Tenant::single(), b"shop", version("1", ""));
        book.stage(SERVED, 1);
        book.discard();
        assert!(book.seen().is_empty() && book.requests().is_empty());
    }

    #[test]
    fn a_weekend_without_requests_is_no_new_arrival() {
        let mut book = sightings();
        for now_ms in [1, 60 * 3_600_000] {
            book.version(&Tenant::single(), b"shop", version("1", ""));
            book.stage(SERVED, now_ms);
            book.commit(now_ms);
            book.expire(now_ms + 2000);
        }
        assert_eq!(seen(&book), [("|shop|1||".to_owned(), 1, 60 * 3_600_000)]);
    }
}
