//! Whose facts changed since when, so that one new fact makes the numbers of its own place old and
//! not those of every place.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, Transaction, params};

use super::error::LedgerError;

/// Which generation last changed what holds of whom.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    links: u64,
    repositories: HashMap<String, u64>,
    places: HashMap<(String, String), u64>,
}

impl Touched {
    /// When anything last changed that the numbers of a place come from.
    #[must_use]
    pub fn place(&self, service: &str, environment: &str, repositories: &[String]) -> u64 {
        let place = self.places.get(&(service.to_owned(), environment.to_owned()));
        let repositories = repositories.iter().map(|name| self.repositories.get(name));
        repositories.chain([place, Some(&self.links)]).flatten().copied().max().unwrap_or(0)
    }

    pub(super) fn read(db: &Connection) -> Result<Self, LedgerError> {
        let sql = "SELECT repository, service, environment, generation FROM touched";
        let mut select = db.prepare_cached(sql)?;
        let mut rows = select.query([])?;
        let mut touched = Self::default();
        while let Some(row) = rows.next()? {
            let (repository, service): (String, String) = (row.get(0)?, row.get(1)?);
            let generation = row.get(3)?;
            if !service.is_empty() {
                touched.places.insert((service, row.get(2)?), generation);
            } else if !repository.is_empty() {
                touched.repositories.insert(repository, generation);
            } else {
                touched.links = generation;
            }
        }
        Ok(touched)
    }
}

/// Who is touched by a batch.
#[derive(Debug, Default)]
pub(super) struct Scopes(BTreeSet<[String; 3]>);

impl Scopes {
    /// A fact that holds from now on.
    pub(super) fn add(&mut self, kind: &str, repository: &str, service: &str, environment: &str) {
        let scope = match kind {
            "link" => ["", "", ""],
            "commit" | "pull_request" => [repository, "", ""],
            // No number of a place comes from it.
            "run" => return,
            // It is of no place.
            _ if service.is_empty() => return,
            _ => ["", service, environment],
        };
        self.0.insert(scope.map(str::to_owned));
    }

    /// A fact that held until now, which may have been another's.
    pub(super) fn add_replaced(
        &mut self,
        transaction: &Transaction<'_>,
        number: i64,
    ) -> Result<(), LedgerError> {
        let sql = "SELECT kind, repository, service, environment FROM facts WHERE number = ?1";
        let mut select = transaction.prepare_cached(sql)?;
        let mut rows = select.query([number])?;
        while let Some(row) = rows.next()? {
            let text = |column| Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?);
            let texts: Result<Vec<&str>, LedgerError> = (0..4).map(text).collect();
            if let [kind, repository, service, environment] = texts?[..] {
                self.add(kind, repository, service, environment);
            }
        }
        Ok(())
    }

    /// Notes the generation that has just begun for all of them.
    pub(super) fn touch(&self, transaction: &Transaction<'_>) -> Result<(), LedgerError> {
        let mut put = transaction.prepare_cached(
            "INSERT INTO touched (repository, service, environment, generation)
             VALUES (?1, ?2, ?3, (SELECT number FROM generation))
             ON CONFLICT DO UPDATE SET generation = excluded.generation",
        )?;
        for [repository, service, environment] in &self.0 {
            put.execute(params![repository, service, environment])?;
        }
        Ok(())
    }
}
