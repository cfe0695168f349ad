//! Counters drawn from log records: by severity always, and by the rules of the configuration, so
//! that a line that matters can be alerted on without a log store.

mod config;
mod watch;

use std::ops::Add;

use redora_model::identity::Tenant;
use redora_wire::logs::LogRecord;

pub use config::Rule;
pub use watch::Watch;

use crate::record::{self, Text};
use crate::series::{Book, Hasher, Key, Limits, Mark, Row, Size, Staged, Upkeep};

/// The book of log records.
#[derive(Debug)]
pub struct LogMetrics {
    rules: Vec<Rule>,
    records: Book<Records>,
    matched: Vec<Book<Matched>>,
    key: Key,
    tenant: Mark,
    service: Mark,
    text: Text,
    /// What the families of a book before this one counted as overflowed.
    overflowed_before: [u64; 2],
}

/// Log records of one service by severity, all of them born together.
#[derive(Debug, Default)]
pub struct Records([u64; SEVERITIES.len()]);

/// Records that matched a rule.
#[derive(Debug, Default)]
pub struct Matched(u64);

/// The values of the label `severity`, in the order in which [`Records::counts`] gives them.
pub const SEVERITIES: [&str; 7] =
    ["UNSPECIFIED", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

impl Records {
    /// Records by severity, in the order of [`SEVERITIES`].
    #[must_use]
    pub fn counts(&self) -> &[u64; SEVERITIES.len()] {
        &self.0
    }
}

impl Matched {
    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0
    }
}

impl Row for Records {
    /// The place of the severity in [`SEVERITIES`].
    type Hit = usize;
    type Context<'c> = ();

    fn apply(&mut self, severity: usize, (): &()) {
        self.0[severity] += 1;
    }
}

impl Row for Matched {
    /// 0 for a row that is only to be seen at 0, else 1.
    type Hit = u64;
    type Context<'c> = ();

    fn apply(&mut self, count: u64, (): &()) {
        self.0 += count;
    }
}

impl LogMetrics {
    /// An empty book. The rules share `limits.rows` between them.
    #[must_use]
    pub fn new(rules: Vec<Rule>, limits: Limits, hasher: &Hasher) -> Self {
        let share = share(limits, rules.len());
        Self {
            matched: rules.iter().map(|_| Book::new(share, hasher.clone())).collect(),
            rules,
            records: Book::new(limits, hasher.clone()),
            key: Key::new(),
            tenant: Mark::default(),
            service: Mark::default(),
            text: Text::default(),
            overflowed_before: [0; 2],
        }
    }

    /// An empty book in the place of this one, which goes on counting what went wrong.
    #[must_use]
    pub fn renewed(&self, rules: Vec<Rule>, limits: Limits, hasher: &Hasher) -> Self {
        let mut renewed = Self::new(rules, limits, hasher);
        renewed.overflowed_before = self.sizes().map(|(_, size)| size.overflowed);
        let moment = self.records.moment();
        renewed.records.start(moment);
        renewed.matched.iter_mut().for_each(|book| book.start(moment));
        renewed
    }

    /// The rules, in the order of [`LogMetrics::matched`].
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The records that follow are of this service. A rule without labels is seen at 0 from here
    /// on.
    pub fn service(&mut self, tenant: &Tenant, service: &[u8], now_ms: u64) {
        self.key.clear();
        self.key.push(tenant.as_str().as_bytes());
        self.tenant = self.key.mark();
        self.key.push(service);
        self.service = self.key.mark();
        for (rule, book) in self.rules.iter().zip(&mut self.matched) {
            if rule.labels.is_empty() {
                let _full = book.stage(&self.key, 0, now_ms, Matched::default);
            }
        }
    }

    /// Stages a record of the service named last; `watch` has seen its attributes.
    pub fn stage(&mut self, record: &LogRecord<'_>, watch: &Watch<'_>, now_ms: u64) {
        self.key.rewind(self.service);
        let severity = usize::from(record::severity(record).div_ceil(4));
        if self.records.stage(&self.key, severity, now_ms, Records::default) == Staged::Full {
            self.stage_other(severity, now_ms);
        }
        for (i, rule) in self.rules.iter().enumerate() {
            if !watch.matches(i, rule, record, &mut self.text) {
                continue;
            }
            self.key.rewind(self.service);
            watch.labels(i).push_to(&mut self.key);
            let book = &mut self.matched[i];
            if book.stage(&self.key, 1, now_ms, Matched::default) == Staged::Full {
                stage_other_match(book, &self.key, [self.tenant, self.service], rule, now_ms);
            }
        }
    }

    /// Counts what was staged.
    pub fn commit(&mut self) {
        self.records.commit(&());
        self.matched.iter_mut().for_each(|book| book.commit(&()));
        self.text.give_back();
    }

    /// Forgets what was staged.
    pub fn discard(&mut self) {
        self.records.discard();
        self.matched.iter_mut().for_each(Book::discard);
        self.text.give_back();
    }

    /// Removes the rows of services and label sets that have been idle for too long.
    pub fn expire(&mut self, uptime_ms: u64) {
        self.records.expire(uptime_ms);
        self.matched.iter_mut().for_each(|book| book.expire(uptime_ms));
    }

    /// Takes new limits.
    pub fn limit(&mut self, limits: Limits) {
        self.records.limit(limits);
        let share = share(limits, self.rules.len());
        self.matched.iter_mut().for_each(|book| book.limit(share));
    }

    /// How full each family is, the rules together.
    #[must_use]
    pub fn sizes(&self) -> [(&'static str, Size); 2] {
        let matched = self.matched.iter().map(Book::size).fold(Size::default(), Size::add);
        let mut sizes = [("log_records", self.records.size()), ("log_metrics", matched)];
        for ((_, size), before) in sizes.iter_mut().zip(self.overflowed_before) {
            size.overflowed += before;
        }
        sizes
    }

    /// Records by service.
    #[must_use]
    pub fn records(&self) -> &Book<Records> {
        &self.records
    }

    /// Matches of each rule by service and labels.
    #[must_use]
    pub fn matched(&self) -> &[Book<Matched>] {
        &self.matched
    }

    fn stage_other(&mut self, severity: usize, now_ms: u64) {
        let mut other = self.key.clone();
        other.rewind(self.tenant);
        other.push(OTHER);
        self.records.stage_last(&other, severity, now_ms, Records::default);
    }
}

/// Counts a match in `other` of its service, or in `other` of all services.
fn stage_other_match(
    book: &mut Book<Matched>,
    key: &Key,
    [tenant, service]: [Mark; 2],
    rule: &Rule,
    now_ms: u64,
) {
    let mut other = key.clone();
    other.rewind(service);
    rule.labels.iter().for_each(|_| other.push(OTHER));
    if book.stage_overflow(&other, 1, now_ms, Matched::default) == Staged::Full {
        other.rewind(tenant);
        other.push(OTHER);
        rule.labels.iter().for_each(|_| other.push(OTHER));
        book.stage_last(&other, 1, now_ms, Matched::default);
    }
}

/// The rules' books together hold no more than one book may.
fn share(limits: Limits, rules: usize) -> Limits {
    Limits { rows: (limits.rows / rules.max(1)).max(1), ..limits }
}

/// Where rows that did not fit are counted.
const OTHER: &[u8] = b"other";

#[cfg(test)]
mod tests;
