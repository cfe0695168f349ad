//! The single walk over a batch: hands each view to the books below and computes nothing itself.
//!
//! A batch is walked once under one lock. Its items are staged and then counted together, so that a
//! request that turns out to be malformed counts nothing, and a scrape never sees half of one. One
//! lock is enough for a sidecar: a batch of 512 spans holds it for about a tenth of a millisecond.

mod resource;

use std::sync::{Mutex, MutexGuard};

use redora_model::identity::Tenant;
use redora_wire::logs::{LogRecord, ResourceLogs, resource_logs};
use redora_wire::trace::{ResourceSpans, Span, resource_spans};
use redora_wire::{Fault, Signal};

use crate::log_metrics::{LogMetrics, Rule, Watch};
use crate::red::{self, Attributes, Outcome, Red};
use crate::series::{Hasher, Limits, Moment};
use crate::sightings::{self, Sightings};
use crate::slo::{Gathered, Slo, StateFault, Watched};
use resource::Resource;

/// What the books are made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Requests: dimensions, buckets, families.
    pub red: red::Config,
    /// Counters over log records.
    pub log_metrics: Vec<Rule>,
    /// Objectives.
    pub slos: Vec<Watched>,
    /// Bounds of every family.
    pub series: Limits,
}

/// The books behind their lock.
#[derive(Debug)]
pub struct Digest {
    books: Mutex<Books>,
    hasher: Hasher,
}

/// Everything that is derived from telemetry.
#[derive(Debug)]
pub struct Books {
    /// Requests.
    pub red: Red,
    /// Log records.
    pub log_metrics: LogMetrics,
    /// Versions.
    pub sightings: Sightings,
    /// Objectives.
    pub slo: Slo,
    /// Room for the name of an operation.
    name: Vec<u8>,
}

impl Digest {
    /// Empty books. The hasher's seed decides nothing that is seen; it keeps peers from choosing
    /// colliding keys.
    #[must_use]
    pub fn new(settings: Settings, hasher: Hasher) -> Self {
        let Settings { red, log_metrics, slos, series } = settings;
        let mut books = Books {
            red: Red::new(red, series, &hasher),
            log_metrics: LogMetrics::new(log_metrics, series, &hasher),
            sightings: Sightings::new(series, &hasher),
            slo: Slo::new(slos, &hasher),
            name: Vec::new(),
        };
        books.red.watch(books.slo.attributes());
        books.slo.limit(series);
        Self { books: Mutex::new(books), hasher }
    }

    /// Counts everything in a batch, or nothing of it.
    ///
    /// # Errors
    /// The first fault in the bytes.
    pub fn take(
        &self,
        tenant: &Tenant,
        signal: Signal,
        bytes: &[u8],
        now_ms: u64,
    ) -> Result<(), Fault> {
        let stage = match signal {
            Signal::Traces => Books::stage_traces,
            Signal::Logs => Books::stage_logs,
            // No book counts data points, so checking them makes nobody wait.
            Signal::Metrics => return redora_wire::check(signal, bytes).map(drop),
        };
        let mut books = self.lock();
        let walked = stage(&mut books, tenant, bytes, now_ms);
        match walked {
            Ok(()) => books.commit(now_ms),
            Err(_) => books.discard(),
        }
        walked
    }

    /// Lets `look` see the books; keep it short, since nothing is counted meanwhile.
    pub fn read<T>(&self, look: impl FnOnce(&Books) -> T) -> T {
        look(&self.lock())
    }

    /// Removes label sets that have been idle for too long, by an age that never steps back.
    pub fn expire(&self, uptime_ms: u64) {
        let mut books = self.lock();
        books.red.expire(uptime_ms);
        books.log_metrics.expire(uptime_ms);
        books.sightings.expire(uptime_ms);
        books.slo.expire(uptime_ms);
    }

    /// Lets windows end by the wall clock although nothing comes.
    pub fn advance(&self, now_ms: u64) {
        self.lock().slo.advance(now_ms);
    }

    /// What the objectives have counted, for [`Digest::resume`] of a later process, unless that is
    /// the same as when their commits were `known`; beside it how many commits there are now.
    #[must_use]
    pub fn kept(&self, known: u64) -> Option<(u64, Vec<u8>)> {
        let books = self.lock();
        let commits = books.slo.commits();
        (commits != known).then(|| (commits, books.slo.state()))
    }

    /// Goes on where an earlier process stopped; says for how many objectives.
    ///
    /// # Errors
    /// The bytes are no state of objectives.
    pub fn resume(&self, bytes: &[u8], now_ms: u64) -> Result<usize, StateFault> {
        self.lock().slo.restore(bytes, now_ms)
    }

    /// Takes new settings. A book whose shape they change starts anew, the others go on counting.
    pub fn reconfigure(&self, settings: Settings) {
        let Settings { red, log_metrics, slos, series } = settings;
        let mut books = self.lock();
        if *books.red.config() != red {
            books.red = books.red.renewed(red, series, &self.hasher);
        }
        if books.log_metrics.rules() != log_metrics {
            books.log_metrics = books.log_metrics.renewed(log_metrics, series, &self.hasher);
        }
        if !books.slo.objectives().eq(&slos) {
            books.slo = books.slo.renewed(slos, &self.hasher);
        }
        let Books { red, slo, .. } = &mut *books;
        red.watch(slo.attributes());
        books.red.limit(series);
        books.log_metrics.limit(series);
        books.sightings.limit(series);
        books.slo.limit(series);
    }

    /// A panic while the lock was held left a batch half staged at worst; it is forgotten, since
    /// its peer was never told that it counts.
    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(|poisoned| {
            let mut books = poisoned.into_inner();
            books.discard();
            self.books.clear_poison();
            books
        })
    }
}

impl Books {
    /// How far the books have come: every one of them commits every batch, whatever is in it.
    #[must_use]
    pub fn moment(&self) -> Moment {
        self.sightings.seen().moment()
    }

    fn commit(&mut self, now_ms: u64) {
        self.red.commit(now_ms);
        self.log_metrics.commit();
        self.sightings.commit(now_ms);
        self.slo.commit(now_ms);
    }

    fn discard(&mut self) {
        self.red.discard();
        self.log_metrics.discard();
        self.sightings.discard();
        self.slo.discard();
    }

    fn stage_traces(&mut self, tenant: &Tenant, bytes: &[u8], now_ms: u64) -> Result<(), Fault> {
        let mut attributes = self.red.attributes();
        for part in resource_spans(bytes) {
            let part = part?;
            let mut named = false;
            for scope in part.scopes() {
                for span in scope?.items() {
                    if !named {
                        self.name_spans(tenant, &part, &mut attributes, now_ms)?;
                        named = true;
                    }
                    self.stage_span(span?, &mut attributes, now_ms)?;
                }
            }
        }
        Ok(())
    }

    /// Reads whose spans follow; not before there is one, since a request may hold millions of
    /// empty parts.
    fn name_spans<'a>(
        &mut self,
        tenant: &Tenant,
        part: &ResourceSpans<'a>,
        attributes: &mut Attributes<'a>,
        now_ms: u64,
    ) -> Result<(), Fault> {
        attributes.clear_resource();
        let wanted = self.red.vocabulary();
        let resource = Resource::read(&part.resource(), |kv| attributes.see_resource(wanted, kv))?;
        let service = resource.service();
        self.red.service(tenant, &service, attributes);
        self.sightings.version(tenant, &service, resource.version());
        self.slo.service(&service);
        self.slo.version(resource.version().version, now_ms);
        Ok(())
    }

    fn stage_span<'a>(
        &mut self,
        bytes: &'a [u8],
        attributes: &mut Attributes<'a>,
        now_ms: u64,
    ) -> Result<(), Fault> {
        attributes.clear();
        let wanted = self.red.vocabulary();
        let span = Span::read(bytes, |kv| attributes.see(wanted, kv))?;
        let judged = self.red.stage(&span, attributes, now_ms);
        if judged.kind.serves() {
            let failed = judged.outcome == Outcome::Error;
            self.sightings.stage(sightings::Requests { weight: judged.weight, failed }, now_ms);
        }
        if self.slo.concerns(judged.kind) {
            let operation = if self.slo.asks_operation() {
                self.red.operation(&judged, &span, attributes, &mut self.name)
            } else {
                b""
            };
            self.slo.stage(&judged, operation, attributes.watched());
        }
        Ok(())
    }

    fn stage_logs(&mut self, tenant: &Tenant, bytes: &[u8], now_ms: u64) -> Result<(), Fault> {
        let mut look = Look { watch: Watch::new(self.log_metrics.rules()), ..Look::default() };
        for part in resource_logs(bytes) {
            let part = part?;
            let mut named = false;
            for scope in part.scopes() {
                for record in scope?.items() {
                    if !named {
                        self.name_records(tenant, &part, &mut look, now_ms)?;
                        named = true;
                    }
                    self.stage_record(record?, &mut look, now_ms)?;
                }
            }
        }
        Ok(())
    }

    fn name_records<'a>(
        &mut self,
        tenant: &Tenant,
        part: &ResourceLogs<'a>,
        look: &mut Look<'a>,
        now_ms: u64,
    ) -> Result<(), Fault> {
        look.watch.clear_resource();
        let rules = self.log_metrics.rules();
        let resource = Resource::read(&part.resource(), |kv| look.watch.see_resource(rules, kv))?;
        let service = resource.service();
        self.log_metrics.service(tenant, &service, now_ms);
        self.slo.log_service(&service, &mut look.gathered);
        self.slo.version(resource.version().version, now_ms);
        if let Some(checks) = self.slo.record_checks() {
            // Whose they are is known only now; a second look costs other services nothing.
            part.resource().read(|kv| look.gathered.see_resource(checks, kv))?;
        }
        Ok(())
    }

    fn stage_record<'a>(
        &mut self,
        bytes: &'a [u8],
        look: &mut Look<'a>,
        now_ms: u64,
    ) -> Result<(), Fault> {
        let Look { watch, gathered } = look;
        watch.clear();
        gathered.clear();
        let (rules, checks) = (self.log_metrics.rules(), self.slo.record_checks());
        let record = LogRecord::read(bytes, |kv| {
            watch.see(rules, kv);
            if let Some(checks) = checks {
                gathered.see(checks, kv);
            }
        })?;
        self.log_metrics.stage(&record, watch, now_ms);
        self.slo.stage_record(&record, gathered);
        Ok(())
    }
}

/// One log record as the books look at it.
#[derive(Debug, Default)]
struct Look<'a> {
    watch: Watch<'a>,
    gathered: Gathered<'a>,
}

#[cfg(test)]
mod tests;
