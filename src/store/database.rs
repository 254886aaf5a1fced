//! The tables, and the statements that touch them.

use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::OpenError;
use crate::budget::book::{Book, Inconsistent};
use crate::budget::entry::{Digest, Entry};

/// The version of the tables.
const SCHEMA_VERSION: u32 = 1;

/// `body` holds the canonical bytes; the other columns repeat what SQL may look for.
const SCHEMA: &str = "
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    at_ms INTEGER NOT NULL CHECK (at_ms >= 0),
    act TEXT NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE releases (
    id TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_last BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER releases_stay BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'releases are immutable'); END;
CREATE TRIGGER releases_last BEFORE DELETE ON releases BEGIN SELECT RAISE(ABORT, 'releases are immutable'); END;
";

/// One connection.
pub(super) struct Database {
    connection: Connection,
}

/// Why entries do not fold.
pub(super) enum FoldError {
    Store(#[expect(dead_code, reason = "kept for the debugger, never shown")] rusqlite::Error),
    Bytes { seq: u64 },
    Chain(Inconsistent),
}

impl From<rusqlite::Error> for FoldError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let unusable = |error: &std::io::Error| OpenError::Unusable { path: shown.clone(), kind: error.kind() };
        let file = std::fs::File::options().create(true).truncate(false).write(true).mode(0o600).open(path);
        let permissions = std::fs::Permissions::from_mode(0o600);
        file.and_then(|file| file.set_permissions(permissions)).map_err(|error| unusable(&error))?;
        let why = |error: rusqlite::Error| OpenError::Damaged { path: shown.clone(), why: sqlite_words(&error) };
        let connection = Connection::open(path).map_err(why)?;
        let mut database = Self { connection };
        database.set_pragmas(&shown)?;
        database.migrate(&shown)?;
        Ok(database)
    }

    /// Sets what durability depends on and reads it back.
    fn set_pragmas(&self, path: &str) -> Result<(), OpenError> {
        let why = |error: rusqlite::Error| OpenError::Damaged { path: path.to_owned(), why: sqlite_words(&error) };
        self.connection.busy_timeout(std::time::Duration::from_secs(2)).map_err(why)?;
        for (pragma, set, wanted) in
            [("journal_mode", "WAL", "wal"), ("synchronous", "FULL", "2"), ("foreign_keys", "ON", "1")]
        {
            self.connection.pragma_update(None, pragma, set).map_err(why)?;
            let read = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
            let found = match self.connection.pragma_query_value(None, pragma, read).map_err(why)? {
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Integer(number) => number.to_string(),
                _ => String::new(),
            };
            if found != wanted {
                return Err(OpenError::Pragma { path: path.to_owned(), pragma, wanted, found });
            }
        }
        Ok(())
    }

    fn migrate(&mut self, path: &str) -> Result<(), OpenError> {
        let why = |error: rusqlite::Error| OpenError::Damaged { path: path.to_owned(), why: sqlite_words(&error) };
        let version = |row: &rusqlite::Row<'_>| row.get::<_, u32>(0);
        let found = self.connection.pragma_query_value(None, "user_version", version).map_err(why)?;
        match found {
            SCHEMA_VERSION => Ok(()),
            0 => {
                let begin = self.connection.transaction().map_err(why)?;
                begin.execute_batch(SCHEMA).map_err(why)?;
                begin.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(why)?;
                begin.commit().map_err(why)
            }
            _ => Err(OpenError::Version { path: path.to_owned(), found, wanted: SCHEMA_VERSION }),
        }
    }

    /// The book of all entries; each must match its hash and follow the one before.
    pub(super) fn fold(&self) -> Result<Book, FoldError> {
        let mut book = Book::new();
        let mut statement = self.connection.prepare("SELECT seq, body, hash FROM entries ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let seq = seq.unsigned_abs();
            let (bytes, hash) = (row.get_ref(1)?.as_blob().unwrap_or_default(), row.get::<_, Digest>(2)?);
            let entry: Entry = serde_json::from_slice(bytes).map_err(|_| FoldError::Bytes { seq })?;
            if Entry::hash(bytes) != hash || entry.canonical_bytes() != bytes || entry.seq != seq {
                return Err(FoldError::Bytes { seq });
            }
            book.apply(&entry, hash).map_err(FoldError::Chain)?;
        }
        book.make_durable();
        Ok(book)
    }

    pub(super) fn begin(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")
    }

    pub(super) fn commit(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")
    }

    pub(super) fn roll_back(&self) {
        // It fails where the failure itself has rolled back.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    pub(super) fn insert_entry(&self, entry: &Entry, bytes: &[u8], hash: &Digest) -> rusqlite::Result<()> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO entries (seq, at_ms, act, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        insert.execute(params![entry.seq.cast_signed(), entry.at_ms.cast_signed(), entry.act.kind(), bytes, hash])?;
        Ok(())
    }

    pub(super) fn insert_release(&self, id: &str, body: &[u8]) -> rusqlite::Result<()> {
        let mut insert = self.connection.prepare_cached("INSERT INTO releases (id, body) VALUES (?1, ?2)")?;
        insert.execute(params![id, body])?;
        Ok(())
    }

    pub(super) fn release(&self, id: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut select = self.connection.prepare_cached("SELECT body FROM releases WHERE id = ?1")?;
        select.query_row([id], |row| row.get(0)).optional()
    }

    pub(super) fn entries(&self, after: u64, limit: usize) -> rusqlite::Result<Vec<Entry>> {
        let mut select =
            self.connection.prepare_cached("SELECT body FROM entries WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |row: &rusqlite::Row<'_>| {
            let bytes: Vec<u8> = row.get(0)?;
            serde_json::from_slice(&bytes).map_err(|_| rusqlite::Error::InvalidQuery)
        };
        select.query_map(params![after, limit], read)?.collect()
    }

    /// Brings everything into the main file.
    pub(super) fn checkpoint(&self) {
        let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// What SQLite's code means, in our words.
fn sqlite_words(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => "it is no SQLite database".to_owned(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => "its pages are corrupt".to_owned(),
        Some(rusqlite::ErrorCode::ReadOnly) => "it is read-only".to_owned(),
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            "another program has it locked".to_owned()
        }
        Some(_) | None => "SQLite cannot use it".to_owned(),
    }
}
