//! What the ledger answers, apart from its writing, so that a report can be asked for while another
//! process collects: it shows what holds, what was ever said, and how far each source is read.

use redora_model::fact::Fact;
use rusqlite::{Connection, OptionalExtension};

use super::touched::Touched;
use super::{LedgerError, Reject};

/// A ledger that is open to be read.
///
/// One that [`Reader::open`] returns shows the moment of its opening however long it is asked; as
/// the writer's log grows until the last reader of an old moment is gone, it is dropped after use.
#[derive(Debug)]
pub struct Reader {
    pub(super) db: Connection,
}

/// Whose facts are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Of all.
    All,
    /// Deployments, incidents and sightings of one service in one environment.
    Place {
        /// The service.
        service: &'a str,
        /// The environment.
        environment: &'a str,
    },
    /// Commits, pull requests and runs of one repository.
    Repository(&'a str),
}

/// A service in an environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Where its changes are; empty where no deployment says it.
    pub repository: String,
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
}

impl Reader {
    /// Where a source goes on.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn cursor(&self, source: &str, name: &str) -> Result<Option<String>, LedgerError> {
        let mut find =
            self.db.prepare_cached("SELECT place FROM cursors WHERE source = ?1 AND name = ?2")?;
        Ok(find.query_row([source, name], |row| row.get(0)).optional()?)
    }

    /// Hands the facts of a kind that hold to `on_fact`, in the order of their times.
    ///
    /// # Errors
    /// The file cannot be read, or not any further.
    pub fn winners(
        &self,
        kind: &str,
        scope: Scope<'_>,
        mut on_fact: impl FnMut(Fact),
    ) -> Result<(), LedgerError> {
        let (question, first, second) = winners(scope);
        let mut select = self.db.prepare_cached(&question)?;
        let values = [Some(kind), first, second].into_iter().flatten();
        let mut rows = select.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            on_fact(read(row)?);
        }
        Ok(())
    }

    /// Hands every version of every fact to `on_fact`, in the order of appending.
    ///
    /// # Errors
    /// The file cannot be read, or not any further; or `on_fact` has enough.
    pub fn export<E: From<LedgerError>>(
        &self,
        mut on_fact: impl FnMut(Fact) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT number, body FROM facts ORDER BY number";
        let mut select = self.db.prepare(sql).map_err(LedgerError::from)?;
        let mut rows = select.query([]).map_err(LedgerError::from)?;
        while let Some(row) = rows.next().map_err(LedgerError::from)? {
            on_fact(read(row)?)?;
        }
        Ok(())
    }

    /// Every service and environment that a deployment, an incident or a sighting names.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn places(&self) -> Result<Vec<Place>, LedgerError> {
        let mut select = self.db.prepare(PLACES)?;
        let rows = select.query_map([], |row| {
            let (repository, service, environment) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Place { repository, service, environment })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Grows with every batch that changed what holds, so that a result knows when it is old.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn generation(&self) -> Result<u64, LedgerError> {
        Ok(self.db.query_row("SELECT number FROM generation", [], |row| row.get(0))?)
    }

    /// Whose facts changed when.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn touched(&self) -> Result<Touched, LedgerError> {
        Touched::read(&self.db)
    }

    /// How many things each source gave that are no facts.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn rejects(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        let mut select = self.db.prepare("SELECT source, total FROM reject_totals ORDER BY 1")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Hands the rejects of a source that are kept to `on_reject`, the newest first.
    ///
    /// # Errors
    /// The file cannot be read, or not any further.
    pub fn rejected(
        &self,
        source: &str,
        mut on_reject: impl FnMut(Reject),
    ) -> Result<(), LedgerError> {
        let mut select = self.db.prepare_cached(
            "SELECT place, reason, at_ms FROM rejects WHERE source = ?1 ORDER BY number DESC",
        )?;
        let mut rows = select.query([source])?;
        while let Some(row) = rows.next()? {
            let source = source.to_owned();
            let (place, reason, at_ms) = (row.get(0)?, row.get(1)?, row.get(2)?);
            on_reject(Reject { source, place, reason, at_ms });
        }
        Ok(())
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<Fact, LedgerError> {
    let number = row.get(0)?;
    let body = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    serde_json::from_str(body).map_err(|fault| LedgerError::Unreadable { number, fault })
}

/// The question for the facts of a scope that hold, and what it asks for beside the kind; facts of
/// the same time are in an order that does not depend on their arrival.
fn winners(scope: Scope<'_>) -> (String, Option<&str>, Option<&str>) {
    // SQLite takes a partial index only where its condition stands in the question too.
    let (filter, first, second) = match scope {
        Scope::All => ("", None, None),
        Scope::Place { service, environment } => (
            "AND service <> '' AND service = ?2 AND environment = ?3",
            Some(service),
            Some(environment),
        ),
        Scope::Repository(repository) => {
            ("AND repository <> '' AND repository = ?2", Some(repository), None)
        }
    };
    let question = format!(
        "SELECT number, body FROM facts WHERE wins AND kind = ?1 {filter}
         ORDER BY at_ms, source, id"
    );
    (question, first, second)
}

const PLACES: &str = "SELECT DISTINCT repository, service, environment FROM facts
  WHERE wins AND service <> '' ORDER BY service, environment, repository";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;

    /// A question that leaves its index answers right, and slower with every fact of others.
    #[test]
    fn every_question_is_read_from_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
        let plan = |question: &str| {
            let mut explain = ledger.db.prepare(&format!("EXPLAIN QUERY PLAN {question}")).unwrap();
            let values = vec![""; explain.parameter_count()];
            let steps = explain.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
            steps.unwrap().map(Result::unwrap).collect::<Vec<String>>().join("; ")
        };
        let place = Scope::Place { service: "shop", environment: "production" };
        for (question, expected) in [
            (winners(place).0, "facts_by_place (kind=? AND service=? AND environment=?)"),
            (
                winners(Scope::Repository("o/shop")).0,
                "facts_by_repository (kind=? AND repository=?)",
            ),
            (PLACES.to_owned(), "COVERING INDEX facts_places"),
        ] {
            let plan = plan(&question);
            assert!(plan.contains(expected), "{question}\n{plan}");
            let whole_sort = plan.contains("B-TREE FOR ORDER BY") || plan.contains("DISTINCT");
            assert!(!whole_sort, "{question}\n{plan}");
        }
    }
}
