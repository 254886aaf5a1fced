//! The table of saved questions, in the ledger's file: what a person gave a name, to ask it again.
//!
//! Promises that each method that writes is one transaction, on disk when it returns, and that no commit of the ledger ever finds the file
//! locked because of it ([`WriteLock`]). The table belongs to no chain: it can be lost without anything being spent twice. A backup
//! holds it. What may be saved is decided in `service::asking::saved`.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Row, params};

use super::database::Database;
use super::journal::WriteLock;
use crate::kernel::budget::ledger::LedgerFault;
use crate::ledger::error::OpenError;
use crate::ledger::files::LEDGER_FILE;

/// Made when somebody saves the first question; the version of the ledger's own tables does not count it.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS saved_questions (
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    sql TEXT NOT NULL,
    by_margin INTEGER NOT NULL,
    accuracy TEXT NOT NULL,
    purpose TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (person, name)
) STRICT;
";
const IS_THERE: &str = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'saved_questions'";

/// A question that a person gave a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedQuestion {
    /// The name that the person gave it.
    pub name: String,
    /// The question in SQL, as it was typed.
    pub sql: String,
    /// Whether `accuracy` is a margin, and not an ε.
    pub by_margin: bool,
    /// The accuracy, as it was typed; it may be empty.
    pub accuracy: String,
    /// The purpose, as it was typed; it may be empty.
    pub purpose: String,
    /// When it was saved, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// The table, over a connection of its own.
pub struct QuestionTable {
    database: Mutex<Database>,
    lock: WriteLock,
}

impl QuestionTable {
    /// Opens the table in the ledger of a state directory; it is made when the first question is saved. `lock` is that of the ledger,
    /// which this process must hold for as long as the table is used.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(state: &Path, lock: WriteLock) -> Result<Self, OpenError> {
        let database = {
            let _held = lock.hold();
            Database::open(&state.join(LEDGER_FILE))?
        };
        Ok(Self { database: Mutex::new(database), lock })
    }

    /// The questions of a person, ordered by name.
    ///
    /// # Errors
    /// [`LedgerFault::Store`].
    pub fn of(&self, person: &str) -> Result<Vec<SavedQuestion>, LedgerFault> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        all(&database.connection, person).map_err(|error| fault(&error))
    }

    /// Saves a question of a person in place of the one of the same name, if there is one. Returns false, and saves nothing, if the person
    /// has `count_max` others already.
    ///
    /// # Errors
    /// [`LedgerFault::Store`]; then nothing was changed.
    pub fn save(&self, person: &str, question: &SavedQuestion, count_max: usize) -> Result<bool, LedgerFault> {
        self.write(|connection| {
            connection.execute_batch(SCHEMA)?;
            let others = "SELECT count(*) FROM saved_questions WHERE person = ?1 AND name <> ?2";
            let others: i64 = connection.query_row(others, [person, &question.name], |row| row.get(0))?;
            if usize::try_from(others).unwrap_or(usize::MAX) >= count_max {
                return Ok(false);
            }
            let SavedQuestion { name, sql, by_margin, accuracy, purpose, at_ms } = question;
            let put = "INSERT INTO saved_questions (person, name, sql, by_margin, accuracy, purpose, at_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                       ON CONFLICT (person, name) DO UPDATE SET sql = excluded.sql, by_margin = excluded.by_margin,
                           accuracy = excluded.accuracy, purpose = excluded.purpose, at_ms = excluded.at_ms";
            let at_ms = i64::try_from(*at_ms).unwrap_or(i64::MAX);
            connection.execute(put, params![person, name, sql, by_margin, accuracy, purpose, at_ms]).map(|_| true)
        })
    }

    /// Removes a question of a person. A name that is not there changes nothing.
    ///
    /// # Errors
    /// [`LedgerFault::Store`]; then nothing was changed.
    pub fn remove(&self, person: &str, name: &str) -> Result<(), LedgerFault> {
        self.write(|connection| {
            connection.execute_batch(SCHEMA)?;
            connection
                .execute("DELETE FROM saved_questions WHERE person = ?1 AND name = ?2", [person, name])
                .map(|_| ())
        })
    }

    fn write<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerFault> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let _held = self.lock.hold();
        database.transact(work).map_err(|error| fault(&error))
    }
}

fn all(connection: &Connection, person: &str) -> rusqlite::Result<Vec<SavedQuestion>> {
    if connection.query_row(IS_THERE, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let select =
        "SELECT name, sql, by_margin, accuracy, purpose, at_ms FROM saved_questions WHERE person = ?1 ORDER BY name";
    connection.prepare_cached(select)?.query_map([person], question)?.collect()
}

fn question(row: &Row<'_>) -> rusqlite::Result<SavedQuestion> {
    Ok(SavedQuestion {
        name: row.get(0)?,
        sql: row.get(1)?,
        by_margin: row.get(2)?,
        accuracy: row.get(3)?,
        purpose: row.get(4)?,
        at_ms: u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0),
    })
}

/// Logs SQLite's code, once.
fn fault(error: &rusqlite::Error) -> LedgerFault {
    tracing::error!(code = ?error.sqlite_error_code(), "the table of saved questions failed");
    LedgerFault::Store
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::SqliteLedger;

    fn saved(name: &str, sql: &str) -> SavedQuestion {
        let (name, sql) = (name.to_owned(), sql.to_owned());
        SavedQuestion { name, sql, by_margin: true, accuracy: "25".to_owned(), purpose: String::new(), at_ms: 7 }
    }

    #[test]
    fn questions_outlive_the_process_and_belong_to_one_person() {
        let dir = tempfile::tempdir().expect("a folder");
        let open = |ledger: &SqliteLedger| {
            QuestionTable::open(dir.path(), ledger.write_lock()).unwrap_or_else(|error| panic!("{error}"))
        };
        let ledger = SqliteLedger::open(dir.path(), 0).unwrap_or_else(|error| panic!("{error}"));
        let table = open(&ledger);
        assert_eq!(table.of("ada"), Ok(Vec::new()), "there is no table yet");
        assert_eq!(table.remove("ada", "none"), Ok(()));
        for question in [saved("b", "SELECT 1"), saved("a", "SELECT 2"), saved("b", "SELECT 3")] {
            assert_eq!(table.save("ada", &question, 2), Ok(true));
        }
        assert_eq!(table.save("ada", &saved("c", "SELECT 4"), 2), Ok(false), "there is room for two");
        assert_eq!(table.save("eve", &saved("c", "SELECT 5"), 2), Ok(true));
        drop((table, ledger));
        let ledger = SqliteLedger::open(dir.path(), 0).unwrap_or_else(|error| panic!("{error}"));
        let table = open(&ledger);
        assert_eq!(table.of("ada"), Ok(vec![saved("a", "SELECT 2"), saved("b", "SELECT 3")]));
        assert_eq!(table.remove("ada", "c"), Ok(()), "it is another person's");
        assert_eq!(table.of("eve").map(|all| all.len()), Ok(1));
        assert_eq!(table.remove("ada", "a"), Ok(()));
        assert_eq!(table.of("ada").map(|all| all.len()), Ok(1));
    }
}
