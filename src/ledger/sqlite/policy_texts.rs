//! The table of policies that stewards are writing, in the ledger's file: texts that they saved under a name, and the one they last worked
//! on.
//!
//! Promises that each method that writes is one transaction, on disk when it returns, and that no commit of the ledger ever finds the file
//! locked because of it ([`WriteLock`]). The table belongs to no chain: it can be lost without anything being spent twice. A backup
//! holds it. What may be saved is decided in `service::publishing::saved_policies`.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Row, params};

use super::database::Database;
use super::journal::WriteLock;
use crate::kernel::budget::ledger::LedgerFault;
use crate::ledger::error::OpenError;
use crate::ledger::files::LEDGER_FILE;

/// Made when somebody saves the first text; the version of the ledger's own tables does not count it.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS policy_texts (
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    upload TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (person, name)
) STRICT;
";
const IS_THERE: &str = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'policy_texts'";

/// The text of a policy that a steward is writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// The name that the steward gave it; empty for the text that they last worked on.
    pub name: String,
    /// The text, as it was typed.
    pub text: String,
    /// The id of the upload that it was drafted from; empty if there was none. The upload may be gone.
    pub upload: String,
    /// When it was saved, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// The table, over a connection of its own.
pub struct PolicyTextTable {
    database: Mutex<Database>,
    lock: WriteLock,
}

impl PolicyTextTable {
    /// Opens the table in the ledger of a state directory; it is made when the first text is saved. `lock` is that of the ledger, which this
    /// process must hold for as long as the table is used.
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

    /// The texts of a person, ordered by name: what they last worked on comes first.
    ///
    /// # Errors
    /// [`LedgerFault::Store`].
    pub fn of(&self, person: &str) -> Result<Vec<PolicyText>, LedgerFault> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        all(&database.connection, person).map_err(|error| fault(&error))
    }

    /// Saves a text of a person in place of the one of the same name, if there is one. Returns false, and saves nothing, if the person has
    /// `count_max` others already.
    ///
    /// # Errors
    /// [`LedgerFault::Store`]; then nothing was changed.
    pub fn save(&self, person: &str, text: &PolicyText, count_max: usize) -> Result<bool, LedgerFault> {
        self.write(|connection| {
            connection.execute_batch(SCHEMA)?;
            let others = "SELECT count(*) FROM policy_texts WHERE person = ?1 AND name <> ?2";
            let others: i64 = connection.query_row(others, [person, &text.name], |row| row.get(0))?;
            if usize::try_from(others).unwrap_or(usize::MAX) >= count_max {
                return Ok(false);
            }
            let PolicyText { name, text, upload, at_ms } = text;
            let put = "INSERT INTO policy_texts (person, name, text, upload, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT (person, name) DO UPDATE SET text = excluded.text, upload = excluded.upload,
                           at_ms = excluded.at_ms";
            let at_ms = i64::try_from(*at_ms).unwrap_or(i64::MAX);
            connection.execute(put, params![person, name, text, upload, at_ms]).map(|_| true)
        })
    }

    /// Removes a text of a person. A name that is not there changes nothing.
    ///
    /// # Errors
    /// [`LedgerFault::Store`]; then nothing was changed.
    pub fn remove(&self, person: &str, name: &str) -> Result<(), LedgerFault> {
        self.write(|connection| {
            connection.execute_batch(SCHEMA)?;
            connection.execute("DELETE FROM policy_texts WHERE person = ?1 AND name = ?2", [person, name]).map(|_| ())
        })
    }

    fn write<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerFault> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let _held = self.lock.hold();
        database.transact(work).map_err(|error| fault(&error))
    }
}

fn all(connection: &Connection, person: &str) -> rusqlite::Result<Vec<PolicyText>> {
    if connection.query_row(IS_THERE, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let select = "SELECT name, text, upload, at_ms FROM policy_texts WHERE person = ?1 ORDER BY name";
    connection.prepare_cached(select)?.query_map([person], one)?.collect()
}

fn one(row: &Row<'_>) -> rusqlite::Result<PolicyText> {
    let at_ms = u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
    Ok(PolicyText { name: row.get(0)?, text: row.get(1)?, upload: row.get(2)?, at_ms })
}

/// Logs SQLite's code, once.
fn fault(error: &rusqlite::Error) -> LedgerFault {
    tracing::error!(code = ?error.sqlite_error_code(), "the table of policies that stewards write failed");
    LedgerFault::Store
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::SqliteLedger;

    fn saved(name: &str, text: &str) -> PolicyText {
        PolicyText { name: name.to_owned(), text: text.to_owned(), upload: "up_1".to_owned(), at_ms: 7 }
    }

    #[test]
    fn texts_outlive_the_process_and_belong_to_one_person() {
        let dir = tempfile::tempdir().expect("a folder");
        let open = |ledger: &SqliteLedger| {
            PolicyTextTable::open(dir.path(), ledger.write_lock()).unwrap_or_else(|error| panic!("{error}"))
        };
        let ledger = SqliteLedger::open(dir.path(), 0).unwrap_or_else(|error| panic!("{error}"));
        let table = open(&ledger);
        assert_eq!(table.of("sam"), Ok(Vec::new()), "there is no table yet");
        assert_eq!(table.remove("sam", "none"), Ok(()));
        for text in [saved("visits", "one"), saved("", "two"), saved("visits", "three")] {
            assert_eq!(table.save("sam", &text, 2), Ok(true));
        }
        assert_eq!(table.save("sam", &saved("wards", "four"), 2), Ok(false), "there is room for two");
        assert_eq!(table.save("sue", &saved("wards", "five"), 2), Ok(true));
        drop((table, ledger));
        let ledger = SqliteLedger::open(dir.path(), 0).unwrap_or_else(|error| panic!("{error}"));
        let table = open(&ledger);
        assert_eq!(table.of("sam"), Ok(vec![saved("", "two"), saved("visits", "three")]));
        assert_eq!(table.remove("sam", "wards"), Ok(()), "it is another person's");
        assert_eq!(table.of("sue").map(|all| all.len()), Ok(1));
        assert_eq!(table.remove("sam", ""), Ok(()));
        assert_eq!(table.of("sam").map(|all| all.len()), Ok(1));
    }
}
