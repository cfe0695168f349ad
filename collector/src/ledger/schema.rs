//! The ledger's tables, as the steps that lead from an empty file to today's: an old file takes the
//! steps that it has not taken, and none is ever edited once it was released.

/// Marks a SQLite file as a ledger: the letters `redo`.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"redo");

/// Each step's SQL; a file whose `user_version` is n has taken the first n.
pub(super) const STEPS: [&str; 5] = [FACTS, REJECTS, QUESTIONS, INBOX, TOUCHED];

/// Facts find themselves by what tells their versions apart; those that hold, also by whose they
/// are and when.
const FACTS: &str = "
CREATE TABLE facts (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  as_of_ms INTEGER NOT NULL,
  wins INTEGER NOT NULL,
  repository TEXT NOT NULL,
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX facts_versions ON facts (kind, source, id, as_of_ms);
CREATE UNIQUE INDEX facts_winners ON facts (kind, source, id) WHERE wins;
CREATE INDEX facts_by_place ON facts (kind, service, environment, at_ms)
  WHERE wins AND service <> '';
CREATE INDEX facts_by_repository ON facts (kind, repository, at_ms) WHERE wins AND repository <> '';
CREATE TABLE cursors (
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  place TEXT NOT NULL,
  PRIMARY KEY (source, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE generation (number INTEGER NOT NULL) STRICT;
INSERT INTO generation VALUES (0);
";

/// What was no fact: the newest of each source, and how many there were.
const REJECTS: &str = "
CREATE TABLE rejects (
  number INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  place TEXT NOT NULL,
  reason TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX rejects_by_source ON rejects (source, number);
CREATE TABLE reject_totals (
  source TEXT PRIMARY KEY,
  total INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The places are read from an index alone; what wins is found among the versions, so that a new
/// fact of a large ledger costs one place of a large index less.
const QUESTIONS: &str = "
DROP INDEX facts_winners;
CREATE INDEX facts_places ON facts (service, environment, repository, wins)
  WHERE wins AND service <> '';
";

/// What was pushed, in its order, and afterwards its name alone. A number is never given twice: a
/// batch that ends a delivery must not end a later one.
const INBOX: &str = "
CREATE TABLE deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  door TEXT NOT NULL,
  id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  waits INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  headers TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX deliveries_ids ON deliveries (door, id);
CREATE INDEX deliveries_waiting ON deliveries (number, bytes, waits) WHERE waits;
CREATE INDEX deliveries_handled ON deliveries (at_ms) WHERE NOT waits;
";

/// Which generation last changed what holds of a repository, of a place, or (all empty) of links.
const TOUCHED: &str = "
CREATE TABLE touched (
  repository TEXT NOT NULL,
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  generation INTEGER NOT NULL,
  PRIMARY KEY (repository, service, environment)
) STRICT, WITHOUT ROWID;
";
