//! What was pushed and is not handled yet: a door answers its sender at once, and what it took has
//! to outlive a crash before it is facts. A queue in memory would lose it after the answer.
//!
//! A delivery is told by its door and id, also after it was handled: senders repeat what they were
//! not sure of. Its end and its facts are one batch.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{Ledger, LedgerError, Reader, ReceiveError};

/// Something that a sender pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it came in: the tongue that it is spoken in.
    pub door: String,
    /// The sender's own name for it, the same when it is sent again.
    pub id: String,
    /// The headers that matter, in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// When it came, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// A delivery that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What a batch names it by when it is handled.
    pub number: i64,
    /// What came.
    pub delivery: Delivery,
}

/// What became of a delivery; both are the sender's success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It waits to be handled.
    New,
    /// It came before, and waits or was handled.
    Known,
}

/// How far the inbox grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboxBounds {
    /// Deliveries that wait.
    pub rows_max: u64,
    /// Their bytes, bodies and headers.
    pub bytes_max: u64,
    /// Deliveries whose ids are known, those that wait apart: the latest ones.
    pub ids_max: u64,
    /// How long an id is known after its delivery came, in milliseconds.
    pub ids_ms: i64,
}

impl Default for InboxBounds {
    /// An hour of a large organisation's hooks, and their ids for longer than senders try again:
    /// GitHub lets a delivery be repeated for three days.
    fn default() -> Self {
        Self { rows_max: 10_000, bytes_max: 256 << 20, ids_max: 100_000, ids_ms: 7 * 86_400_000 }
    }
}

impl Ledger {
    /// Takes a delivery in; when this returns, a crash or a power cut does not lose it.
    ///
    /// # Errors
    /// There is no room, or the file cannot be written: nothing was taken, and the sender should
    /// try again.
    pub fn receive(
        &mut self,
        delivery: &Delivery,
        bounds: &InboxBounds,
    ) -> Result<Received, ReceiveError> {
        let transaction = self.reader.db.transaction().map_err(LedgerError::from)?;
        forget(&transaction, delivery.at_ms, bounds)?;
        let received = if is_known(&transaction, delivery)? {
            Received::Known
        } else {
            take_in(&transaction, delivery, bounds)?;
            Received::New
        };
        transaction.commit().map_err(LedgerError::from)?;
        Ok(received)
    }
}

impl Reader {
    /// The first deliveries that wait, in the order in which they came.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn deliveries(&self, limit: u32) -> Result<Vec<Waiting>, LedgerError> {
        let mut select = self.db.prepare_cached(WAITING)?;
        let mut rows = select.query([limit])?;
        let mut waiting = Vec::new();
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            let headers = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
            let headers = serde_json::from_str(headers)
                .map_err(|fault| LedgerError::UnreadableDelivery { number, fault })?;
            let (door, id, body, at_ms) = (row.get(1)?, row.get(2)?, row.get(4)?, row.get(5)?);
            let delivery = Delivery { door, id, headers, body, at_ms };
            waiting.push(Waiting { number, delivery });
        }
        Ok(waiting)
    }

    /// How many deliveries wait, and their bytes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn inbox(&self) -> Result<(u64, u64), LedgerError> {
        let mut select = self.db.prepare_cached(FILLING)?;
        Ok(select.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }
}

fn is_known(transaction: &Transaction<'_>, delivery: &Delivery) -> Result<bool, LedgerError> {
    let mut known =
        transaction.prepare_cached("SELECT 1 FROM deliveries WHERE door = ?1 AND id = ?2")?;
    Ok(known.exists([&delivery.door, &delivery.id])?)
}

fn take_in(
    transaction: &Transaction<'_>,
    delivery: &Delivery,
    bounds: &InboxBounds,
) -> Result<(), ReceiveError> {
    let Delivery { door, id, headers, body, at_ms } = delivery;
    let headers = serde_json::to_string(headers).expect("pairs of texts are JSON");
    let bytes = (headers.len() + body.len()) as u64;
    let filling: (u64, u64) = transaction
        .prepare_cached(FILLING)
        .and_then(|mut select| select.query_row([], |row| Ok((row.get(0)?, row.get(1)?))))
        .map_err(LedgerError::from)?;
    if filling.0 >= bounds.rows_max || filling.1.saturating_add(bytes) > bounds.bytes_max {
        let (rows, bytes) = filling;
        return Err(ReceiveError::InboxFull { rows, bytes });
    }
    transaction
        .prepare_cached(
            "INSERT INTO deliveries (door, id, at_ms, waits, bytes, headers, body)
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)",
        )
        .and_then(|mut insert| insert.execute(params![door, id, at_ms, bytes, headers, body]))
        .map_err(LedgerError::from)?;
    Ok(())
}

/// Forgets the ids of deliveries that were handled and are too old or too many; of those that wait
/// none.
fn forget(
    transaction: &Transaction<'_>,
    now_ms: i64,
    bounds: &InboxBounds,
) -> Result<(), LedgerError> {
    transaction.prepare_cached(OLD)?.execute([now_ms.saturating_sub(bounds.ids_ms)])?;
    let newest: Option<i64> = transaction
        .prepare_cached("SELECT max(number) FROM deliveries")?
        .query_row([], |row| row.get(0))
        .optional()?
        .flatten();
    // Numbers grow by one, so that those above are as many as are to be known.
    let kept = i64::try_from(bounds.ids_max).unwrap_or(i64::MAX);
    let last = newest.unwrap_or(0).saturating_sub(kept);
    transaction.prepare_cached(SURPLUS)?.execute([last])?;
    Ok(())
}

const WAITING: &str = "SELECT number, door, id, headers, body, at_ms FROM deliveries
  WHERE waits ORDER BY number LIMIT ?1";

const FILLING: &str = "SELECT count(*), coalesce(sum(bytes), 0) FROM deliveries WHERE waits";

const OLD: &str = "DELETE FROM deliveries WHERE NOT waits AND at_ms < ?1";

const SURPLUS: &str = "DELETE FROM deliveries WHERE NOT waits AND number <= ?1";

#[cfg(test)]
mod tests;
