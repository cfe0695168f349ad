//! The append-only table of facts in one SQLite file: what a source once said is never changed, and
//! which of its versions holds is decided by the facts themselves, so that the order in which they
//! arrive does not matter. The only room with SQL.
//!
//! A version of a fact is told by kind, source, id and `as_of_ms`. Of a fact's versions the one
//! with the latest `as_of_ms` wins, of two with the same the one whose JSON is greater. What is
//! appended together is stored together or not at all, cursors included: after a crash a source
//! goes on where its stored facts end.
//!
//! One process writes; it holds a lock on `<file>.lock` for as long as the ledger is open. Others
//! read meanwhile, each through a [`Reader`] of its own.

mod error;
mod file;
mod inbox;
mod read;
mod schema;
mod touched;

use std::ops::Deref;

use redora_model::fact::{Fact, What};
use rusqlite::{OptionalExtension, Transaction, params};
use touched::Scopes;

pub use error::{LedgerError, OpenError, ReceiveError};
pub use inbox::{Delivery, InboxBounds, Received, Waiting};
pub use read::{Place, Reader, Scope};
pub use touched::Touched;

/// A ledger that is open to be written, by this process alone.
#[derive(Debug)]
pub struct Ledger {
    reader: Reader,
    /// Held, not read: the lock ends with it.
    _lock: std::fs::File,
}

/// Whoever may write may also read.
impl Deref for Ledger {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

/// Facts that were learned together, and how far their source is read with them.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// What was learned.
    pub facts: Vec<Fact>,
    /// Where each source goes on.
    pub cursors: Vec<Cursor>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
    /// The deliveries that all this came of, by their numbers: they end with it.
    pub handled: Vec<i64>,
}

/// Where a source goes on reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The source.
    pub source: String,
    /// Which of its cursors.
    pub name: String,
    /// The place, in the source's own words.
    pub place: String,
}

/// Something that a source gave and that is no fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The source.
    pub source: String,
    /// Where in it: a line, a page, a URL.
    pub place: String,
    /// Why.
    pub reason: String,
    /// When it was met, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// What became of the facts of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Facts of which nothing was known.
    pub new: u64,
    /// Versions that took the place of another.
    pub corrected: u64,
    /// Versions that were kept and hold no longer, or never did.
    pub stale: u64,
    /// Versions that were there already.
    pub known: u64,
}

impl Ledger {
    /// Stores a batch, whole or not at all; when this returns, a crash or a power cut loses nothing
    /// of it.
    ///
    /// # Errors
    /// Nothing was stored.
    pub fn append(&mut self, batch: &Batch) -> Result<Appended, LedgerError> {
        let transaction = self.reader.db.transaction()?;
        let (mut appended, mut scopes) = (Appended::default(), Scopes::default());
        for fact in &batch.facts {
            *match append(&transaction, fact, &mut scopes)? {
                Version::New => &mut appended.new,
                Version::Corrects => &mut appended.corrected,
                Version::Stale => &mut appended.stale,
                Version::Known => &mut appended.known,
            } += 1;
        }
        for Cursor { source, name, place } in &batch.cursors {
            let mut put = transaction.prepare_cached(
                "INSERT INTO cursors (source, name, place) VALUES (?1, ?2, ?3)
                 ON CONFLICT (source, name) DO UPDATE SET place = excluded.place",
            )?;
            put.execute(params![source, name, place])?;
        }
        for reject in &batch.rejects {
            set_aside(&transaction, reject)?;
        }
        for number in &batch.handled {
            end(&transaction, *number)?;
        }
        if appended.new + appended.corrected > 0 {
            transaction.execute("UPDATE generation SET number = number + 1", [])?;
            scopes.touch(&transaction)?;
        }
        transaction.commit()?;
        Ok(appended)
    }
}

/// What a version is to those that were there.
enum Version {
    New,
    Corrects,
    Stale,
    Known,
}

fn append(
    transaction: &Transaction<'_>,
    fact: &Fact,
    scopes: &mut Scopes,
) -> Result<Version, LedgerError> {
    let kind = fact.what.kind();
    let body = serde_json::to_string(fact).expect("a fact has no key that is not text");
    let mut known = transaction.prepare_cached(
        "SELECT 1 FROM facts
         WHERE kind = ?1 AND source = ?2 AND id = ?3 AND as_of_ms = ?4 AND body = ?5",
    )?;
    if known.exists(params![kind, fact.source, fact.id, fact.as_of_ms, body])? {
        return Ok(Version::Known);
    }
    let mut winner = transaction.prepare_cached(
        "SELECT number, as_of_ms, body FROM facts WHERE kind = ?1 AND source = ?2 AND id = ?3
         ORDER BY as_of_ms DESC, body DESC LIMIT 1",
    )?;
    let winner: Option<(i64, i64, String)> = winner
        .query_row([kind, &fact.source, &fact.id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let version = match &winner {
        None => Version::New,
        Some((_, as_of_ms, other)) if (fact.as_of_ms, &body) > (*as_of_ms, other) => {
            Version::Corrects
        }
        Some(_) => Version::Stale,
    };
    if let (Version::Corrects, Some((number, ..))) = (&version, winner) {
        transaction
            .prepare_cached("UPDATE facts SET wins = 0 WHERE number = ?1")?
            .execute([number])?;
        scopes.add_replaced(transaction, number)?;
    }
    let Columns { repository, service, environment, at_ms } = Columns::of(&fact.what);
    let mut insert = transaction.prepare_cached(
        "INSERT INTO facts
         (kind, source, id, as_of_ms, wins, repository, service, environment, at_ms, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let wins = !matches!(version, Version::Stale);
    if wins {
        scopes.add(kind, repository, service, environment);
    }
    insert.execute(params![
        kind,
        fact.source,
        fact.id,
        fact.as_of_ms,
        wins,
        repository,
        service,
        environment,
        at_ms,
        body
    ])?;
    Ok(version)
}

/// What facts are found by; empty where a fact has no such thing.
#[derive(Default)]
struct Columns<'a> {
    repository: &'a str,
    service: &'a str,
    environment: &'a str,
    at_ms: i64,
}

impl<'a> Columns<'a> {
    fn of(what: &'a What) -> Self {
        let of_repository = |repository, at_ms| Self { repository, at_ms, ..Self::default() };
        match what {
            What::Commit(commit) => of_repository(commit.repository.as_str(), commit.committed_ms),
            What::PullRequest(pull) => of_repository(pull.repository.as_str(), pull.created_ms),
            What::Run(run) => of_repository(run.repository.as_str(), run.created_ms),
            What::Deployment(deployment) => Self {
                repository: deployment.repository.as_str(),
                service: deployment.service.as_str(),
                environment: deployment.environment.as_str(),
                at_ms: deployment.created_ms,
            },
            What::Incident(incident) => Self {
                service: incident.service.as_ref().map_or("", |service| service.as_str()),
                environment: incident.environment.as_ref().map_or("", |place| place.as_str()),
                at_ms: incident.started_ms,
                ..Self::default()
            },
            What::Sighting(sighting) => Self {
                service: sighting.service.as_str(),
                environment: sighting.environment.as_str(),
                at_ms: sighting.first_ms,
                ..Self::default()
            },
            What::Burn(burn) => Self {
                service: burn.service.as_str(),
                environment: burn.environment.as_str(),
                at_ms: burn.started_ms,
                ..Self::default()
            },
            What::Link(_) => Self::default(),
        }
    }
}

/// Keeps the newest of a source's rejects, and counts all of them.
fn set_aside(transaction: &Transaction<'_>, reject: &Reject) -> Result<(), LedgerError> {
    let Reject { source, place, reason, at_ms } = reject;
    transaction
        .prepare_cached(
            "INSERT INTO rejects (source, place, reason, at_ms) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![source, place, reason, at_ms])?;
    transaction
        .prepare_cached(
            "DELETE FROM rejects WHERE source = ?1 AND number <= (
               SELECT number FROM rejects WHERE source = ?1
               ORDER BY number DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![source, REJECTS_KEPT])?;
    transaction
        .prepare_cached(
            "INSERT INTO reject_totals (source, total) VALUES (?1, 1)
             ON CONFLICT (source) DO UPDATE SET total = total + 1",
        )?
        .execute([source])?;
    Ok(())
}

/// Ends a delivery, of which only the id is kept; one that does not wait is left as it is.
fn end(transaction: &Transaction<'_>, number: i64) -> Result<(), LedgerError> {
    let mut end = transaction.prepare_cached(
        "UPDATE deliveries SET waits = 0, headers = '', body = x'', bytes = 0
         WHERE number = ?1 AND waits",
    )?;
    end.execute([number])?;
    Ok(())
}

/// Rejects of one source that are kept to be looked at; more are only counted.
const REJECTS_KEPT: u32 = 1000;

#[cfg(test)]
mod tests;
