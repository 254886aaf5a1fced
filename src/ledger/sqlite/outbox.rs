//! The tables of the webhooks' outbox, in the ledger's file: the deliveries that wait, and how far the ledger has been told.
//!
//! Promises that each method that writes is one transaction, on disk when it returns, and that no commit of the ledger ever finds the file
//! locked because of it ([`WriteLock`]). The tables belong to no chain and no backup: they can be lost without anything being spent
//! twice. When a delivery is due and when it is given up is decided in `webhooks::outbox`.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Deserialize;

use super::database::{self, Database};
use super::journal::WriteLock;
use crate::ledger::error::OpenError;
use crate::ledger::files::LEDGER_FILE;

/// Made by the first server that has a webhook; the version of the ledger's own tables does not count them.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    webhook TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS outbox_cursor (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    seq INTEGER NOT NULL,
    watch TEXT NOT NULL
) STRICT;
";

/// A delivery that waits. The names of the fields are also those in the files of versions that kept the outbox in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The random id of the delivery, the same at every attempt.
    pub id: String,
    /// The event's name.
    pub event: String,
    /// When it was put into the outbox, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// The JSON text to post, byte for byte.
    pub body: String,
    /// The URL to post it to.
    pub webhook: String,
    /// The number of attempts that failed.
    pub attempts: u32,
    /// When it is due, in milliseconds since 1970 in UTC.
    pub next_ms: u64,
}

/// How far the ledger has been told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The number of the last entry whose deliveries are in the outbox.
    pub seq: u64,
    /// The state of the watch after that entry, as JSON.
    pub watch: String,
}

/// SQLite could not read or write the outbox. SQLite's own words are in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the outbox cannot be read or written")]
pub struct OutboxFault;

/// The outbox's tables, over a connection of their own.
pub struct OutboxTables {
    database: Database,
    lock: WriteLock,
}

impl OutboxTables {
    /// Opens the tables in the ledger of a state directory, and makes them if they are not there. `lock` is that of the ledger, which
    /// this process must hold for as long as the tables are used.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(state: &Path, lock: WriteLock) -> Result<Self, OpenError> {
        let path = state.join(LEDGER_FILE);
        let database = {
            let _held = lock.hold();
            let database = Database::open(&path)?;
            let made = database.transact(|connection| connection.execute_batch(SCHEMA));
            made.map_err(|error| database::fault(&path.display().to_string(), &error))?;
            database
        };
        Ok(Self { database, lock })
    }

    /// How far the ledger has been told; `None` if nobody has told anything yet.
    ///
    /// # Errors
    /// [`OutboxFault`].
    pub fn cursor(&self) -> Result<Option<Cursor>, OutboxFault> {
        let row = |row: &Row<'_>| Ok(Cursor { seq: unsigned(row.get(0)?), watch: row.get(1)? });
        self.read(|connection| connection.query_row("SELECT seq, watch FROM outbox_cursor", [], row).optional())
    }

    /// Appends deliveries whose ids are not there yet and, with a cursor, moves it. If more than `waiting_max` wait then, the oldest are
    /// dropped; returns their ids.
    ///
    /// # Errors
    /// [`OutboxFault`]; then nothing was changed.
    pub fn put(
        &self,
        deliveries: &[Delivery],
        cursor: Option<&Cursor>,
        waiting_max: usize,
    ) -> Result<Vec<String>, OutboxFault> {
        self.write(|connection| {
            deliveries.iter().try_for_each(|delivery| insert(connection, delivery))?;
            if let Some(cursor) = cursor {
                move_cursor(connection, cursor)?;
            }
            drop_oldest(connection, waiting_max)
        })
    }

    /// The deliveries that are due at `now_ms`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`OutboxFault`].
    pub fn due(&self, now_ms: u64, limit: usize) -> Result<Vec<Delivery>, OutboxFault> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id, event, at_ms, body, webhook, attempts, next_ms FROM outbox WHERE next_ms <= ?1 ORDER BY number LIMIT ?2",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            select.query_map(params![signed(now_ms), limit], delivery)?.collect()
        })
    }

    /// Removes a delivery. An id that is not there changes nothing.
    ///
    /// # Errors
    /// [`OutboxFault`]; then nothing was changed.
    pub fn remove(&self, id: &str) -> Result<(), OutboxFault> {
        self.write(|connection| connection.execute("DELETE FROM outbox WHERE id = ?1", [id]).map(|_| ()))
    }

    /// Notes that a delivery has failed `attempts` times and is due again at `next_ms`. An id that is not there changes nothing.
    ///
    /// # Errors
    /// [`OutboxFault`]; then nothing was changed.
    pub fn put_off(&self, id: &str, attempts: u32, next_ms: u64) -> Result<(), OutboxFault> {
        self.write(|connection| {
            let values = params![id, attempts, signed(next_ms)];
            connection.execute("UPDATE outbox SET attempts = ?2, next_ms = ?3 WHERE id = ?1", values).map(|_| ())
        })
    }

    /// The number of deliveries that wait.
    ///
    /// # Errors
    /// [`OutboxFault`].
    pub fn count(&self) -> Result<usize, OutboxFault> {
        self.read(count)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OutboxFault> {
        work(&self.database.connection).map_err(|error| fault(&error))
    }

    fn write<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OutboxFault> {
        let _held = self.lock.hold();
        self.database.transact(work).map_err(|error| fault(&error))
    }
}

fn insert(connection: &Connection, delivery: &Delivery) -> rusqlite::Result<()> {
    let Delivery { id, event, at_ms, body, webhook, attempts, next_ms } = delivery;
    let mut insert = connection.prepare_cached(
        "INSERT INTO outbox (id, event, at_ms, body, webhook, attempts, next_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO NOTHING",
    )?;
    insert.execute(params![id, event, signed(*at_ms), body, webhook, attempts, signed(*next_ms)]).map(|_| ())
}

fn move_cursor(connection: &Connection, cursor: &Cursor) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO outbox_cursor (only, seq, watch) VALUES (1, ?1, ?2)
         ON CONFLICT (only) DO UPDATE SET seq = excluded.seq, watch = excluded.watch",
    )?;
    put.execute(params![signed(cursor.seq), cursor.watch]).map(|_| ())
}

fn drop_oldest(connection: &Connection, waiting_max: usize) -> rusqlite::Result<Vec<String>> {
    let excess = count(connection)?.saturating_sub(waiting_max);
    if excess == 0 {
        return Ok(Vec::new());
    }
    let mut delete = connection.prepare_cached(
        "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox ORDER BY number LIMIT ?1) RETURNING id",
    )?;
    delete.query_map([i64::try_from(excess).unwrap_or(i64::MAX)], |row| row.get(0))?.collect()
}

fn count(connection: &Connection) -> rusqlite::Result<usize> {
    let count = connection.query_row("SELECT count(*) FROM outbox", [], |row| row.get::<_, i64>(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: row.get(0)?,
        event: row.get(1)?,
        at_ms: unsigned(row.get(2)?),
        body: row.get(3)?,
        webhook: row.get(4)?,
        attempts: row.get(5)?,
        next_ms: unsigned(row.get(6)?),
    })
}

/// A number as SQLite keeps it, in order; what is beyond its range, which no clock reaches, is the end of it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Logs SQLite's code, once.
fn fault(error: &rusqlite::Error) -> OutboxFault {
    tracing::error!(code = ?error.sqlite_error_code(), "the outbox failed");
    OutboxFault
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
