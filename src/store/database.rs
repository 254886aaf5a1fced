//! The tables, and the statements that touch them.

use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{OpenError, outbox};
use crate::budget::entry::{Digest, Entry};
use crate::budget::keeper::Batch;

/// The version of the tables.
const SCHEMA_VERSION: u32 = 3;

/// `body` holds the canonical bytes; the other columns repeat what SQL may look for. `head` is the signed end of the chain.
const SCHEMA: &str = "
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    at_ms INTEGER NOT NULL CHECK (at_ms >= 0),
    act TEXT NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE releases (
    id TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    seq INTEGER NOT NULL CHECK (seq > 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
";

/// Made anew at every opening where they are gone.
const TRIGGERS: &str = "
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_last BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER IF NOT EXISTS releases_stay BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'releases are immutable'); END;
CREATE TRIGGER IF NOT EXISTS releases_last BEFORE DELETE ON releases BEGIN SELECT RAISE(ABORT, 'releases are immutable'); END;
";

/// What the header of SQLite's file says of a ledger in use ("tact"), of one with its anchor elsewhere ("tace") and of a copy ("tacc");
/// 0 in files of older versions.
const IN_USE: i32 = 0x7461_6374;
const ANCHORED_ELSEWHERE: i32 = 0x7461_6365;
const COPY: i32 = 0x7461_6363;

/// How long a connection waits for another one that has the file locked.
const BUSY_MAX: Duration = Duration::from_secs(2);
/// The settings that durability depends on, and how they read back.
const PRAGMAS: [(&str, &str, &str); 3] =
    [("journal_mode", "WAL", "wal"), ("synchronous", "FULL", "2"), ("foreign_keys", "ON", "1")];

/// One connection.
pub(super) struct Database {
    connection: Connection,
}

/// What a ledger says of itself in the header of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Nothing: it was not opened by this version yet.
    None,
    /// It was opened in its place, and is written there.
    InUse,
    /// The same, and its anchor is not beside it, but where a file of the state directory names.
    AnchoredElsewhere,
    /// It is the copy that a backup made.
    Copy,
}

/// One row of the entries, as it stands in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryRow<'a> {
    pub(super) seq: u64,
    pub(super) at_ms: u64,
    pub(super) act: &'a [u8],
    pub(super) body: &'a [u8],
    /// All zeros where the column holds no digest.
    pub(super) hash: Digest,
}

/// The signed end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeadRow {
    pub(super) seq: u64,
    pub(super) hash: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let unusable = |error: &std::io::Error| OpenError::Unusable { path: shown.clone(), kind: error.kind() };
        let file = std::fs::File::options().create(true).truncate(false).write(true).mode(0o600).open(path);
        let permissions = std::fs::Permissions::from_mode(0o600);
        file.and_then(|file| file.set_permissions(permissions)).map_err(|error| unusable(&error))?;
        let why = |error: rusqlite::Error| fault(&shown, &error);
        let mut database = Self { connection: Connection::open(path).map_err(why)? };
        database.set_pragmas(&shown)?;
        database.check_pragmas(&shown)?;
        database.migrate(&shown)?;
        Ok(database)
    }

    /// Opens what is there, to read it alone.
    pub(super) fn open_to_read(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let why = |error: rusqlite::Error| fault(&shown, &error);
        // A WAL that a crash left is brought in by the first reader, which needs a handle that may write.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(why)?;
        connection.busy_timeout(BUSY_MAX).map_err(why)?;
        connection.pragma_update(None, "query_only", "ON").map_err(why)?;
        Ok(Self { connection })
    }

    fn set_pragmas(&self, path: &str) -> Result<(), OpenError> {
        let why = |error: rusqlite::Error| fault(path, &error);
        self.connection.busy_timeout(BUSY_MAX).map_err(why)?;
        PRAGMAS.iter().try_for_each(|(pragma, set, _)| self.connection.pragma_update(None, pragma, set).map_err(why))
    }

    /// Reads back what durability depends on.
    fn check_pragmas(&self, path: &str) -> Result<(), OpenError> {
        let why = |error: rusqlite::Error| fault(path, &error);
        for (pragma, _, wanted) in PRAGMAS {
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
        let why = |error: rusqlite::Error| fault(path, &error);
        match self.version().map_err(why)? {
            SCHEMA_VERSION => self.connection.execute_batch(TRIGGERS).map_err(why),
            0 => {
                let begin = self.connection.transaction().map_err(why)?;
                begin.execute_batch(SCHEMA).and_then(|()| begin.execute_batch(TRIGGERS)).map_err(why)?;
                begin.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(why)?;
                begin.commit().map_err(why)
            }
            found => Err(OpenError::Version { path: path.to_owned(), found, wanted: SCHEMA_VERSION }),
        }
    }

    /// Marks the ledger of a copy, which nobody has opened yet; its file is whole when this returns, without another beside it.
    pub(super) fn stamp_copy(path: &Path) -> rusqlite::Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let copy = Self { connection: Connection::open_with_flags(path, flags)? };
        copy.stamp(Stamp::Copy)?;
        outbox::remove_from_copy(&copy.connection)?;
        copy.checkpoint();
        copy.connection.close().map_err(|(_, error)| error)
    }

    /// Writes what the ledger says of itself, where it says something else.
    pub(super) fn stamp(&self, stamp: Stamp) -> rusqlite::Result<()> {
        let wanted = match stamp {
            Stamp::None => 0,
            Stamp::InUse => IN_USE,
            Stamp::AnchoredElsewhere => ANCHORED_ELSEWHERE,
            Stamp::Copy => COPY,
        };
        if self.read_stamp()? == stamp { Ok(()) } else { self.connection.pragma_update(None, "application_id", wanted) }
    }

    pub(super) fn read_stamp(&self) -> rusqlite::Result<Stamp> {
        let found = self.connection.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))?;
        Ok(match found {
            IN_USE => Stamp::InUse,
            ANCHORED_ELSEWHERE => Stamp::AnchoredElsewhere,
            COPY => Stamp::Copy,
            _ => Stamp::None,
        })
    }

    fn version(&self) -> rusqlite::Result<u32> {
        self.connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
    }

    /// Whether the tables are ours.
    pub(super) fn is_ours(&self) -> bool {
        self.version() == Ok(SCHEMA_VERSION)
    }

    /// SQLite's own check of the whole file; whether it found nothing.
    pub(super) fn is_intact(&self) -> bool {
        let checked = self.connection.pragma_query_value(None, "integrity_check", |row| row.get::<_, String>(0));
        checked.is_ok_and(|words| words == "ok")
    }

    /// Calls `each` with every entry in order, until it says no.
    pub(super) fn each_entry(&self, mut each: impl FnMut(EntryRow<'_>) -> bool) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare("SELECT seq, at_ms, act, body, hash FROM entries ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // What is below 0 is no number of ours; it becomes one that no entry has.
            let unsigned = |column| row.get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(u64::MAX));
            let act = row.get_ref(2)?.as_bytes().unwrap_or_default();
            let body = row.get_ref(3)?.as_blob().unwrap_or_default();
            let hash = row.get_ref(4)?.as_blob().unwrap_or_default().try_into().unwrap_or_default();
            if !each(EntryRow { seq: unsigned(0)?, at_ms: unsigned(1)?, act, body, hash }) {
                break;
            }
        }
        Ok(())
    }

    /// Calls `each` with the bytes of the entries of one kind, in order.
    pub(super) fn each_of_kind(&self, kind: &str, mut each: impl FnMut(Vec<u8>)) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare("SELECT body FROM entries WHERE act = ?1 ORDER BY seq")?;
        let mut rows = statement.query([kind])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?);
        }
        Ok(())
    }

    /// The signed head, if there is one.
    pub(super) fn head(&self) -> rusqlite::Result<Option<HeadRow>> {
        let mut select = self.connection.prepare("SELECT seq, hash, signature FROM head")?;
        let row = |row: &rusqlite::Row<'_>| {
            Ok(HeadRow {
                seq: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(u64::MAX),
                hash: row.get(1)?,
                signature: row.get(2)?,
            })
        };
        select.query_row([], row).optional()
    }

    /// The hash of one entry.
    pub(super) fn hash_of(&self, seq: u64) -> rusqlite::Result<Option<Digest>> {
        let mut select = self.connection.prepare("SELECT hash FROM entries WHERE seq = ?1")?;
        select.query_row([seq.cast_signed()], |row| row.get(0)).optional()
    }

    /// Writes a batch and the signed head in one transaction; when it returns, they are on disk.
    pub(super) fn commit(&self, batch: &Batch, head: &HeadRow) -> rusqlite::Result<()> {
        self.transact(|_| self.write(batch, head))
    }

    /// Does `work` in one transaction: when it returns, that is on disk, and after an error nothing was changed.
    pub(super) fn transact<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        // Rolls back when it is dropped without a commit: after an error, and after a panic, which would leave the file locked otherwise.
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// The connection, to read tables that are not the ledger's.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    fn write(&self, batch: &Batch, head: &HeadRow) -> rusqlite::Result<()> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO entries (seq, at_ms, act, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for entry in &batch.entries {
            insert.execute(params![
                entry.seq.cast_signed(),
                entry.at_ms.cast_signed(),
                entry.kind,
                entry.bytes,
                entry.hash
            ])?;
        }
        let mut insert = self.connection.prepare_cached("INSERT INTO releases (id, body) VALUES (?1, ?2)")?;
        for (id, body) in &batch.releases {
            insert.execute(params![id, body])?;
        }
        let mut put = self.connection.prepare_cached(
            "INSERT INTO head (only, seq, hash, signature) VALUES (1, ?1, ?2, ?3)
             ON CONFLICT (only) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, signature = excluded.signature",
        )?;
        put.execute(params![head.seq.cast_signed(), head.hash, head.signature]).map(|_| ())
    }

    pub(super) fn release(&self, id: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut select = self.connection.prepare_cached("SELECT body FROM releases WHERE id = ?1")?;
        select.query_row([id], |row| row.get(0)).optional()
    }

    /// How many answers are stored.
    pub(super) fn count_releases(&self) -> rusqlite::Result<u64> {
        let count = self.connection.query_row("SELECT count(*) FROM releases", [], |row| row.get::<_, i64>(0));
        count.map(i64::unsigned_abs)
    }

    /// Calls `each` with every stored answer, until it says no.
    pub(super) fn each_release(&self, mut each: impl FnMut(String, Vec<u8>) -> bool) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare("SELECT id, body FROM releases")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if !each(row.get(0)?, row.get(1)?) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn entries(&self, after: u64, limit: usize) -> rusqlite::Result<Vec<Entry>> {
        let mut select =
            self.connection.prepare_cached("SELECT body FROM entries WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let bytes = select.query_map(params![after.cast_signed(), limit], |row| row.get::<_, Vec<u8>>(0))?;
        let unreadable = || rusqlite::Error::InvalidColumnType(0, "body".to_owned(), rusqlite::types::Type::Blob);
        bytes.map(|bytes| Entry::read(&bytes?).ok_or_else(unreadable)).collect()
    }

    /// Brings everything into the main file.
    pub(super) fn checkpoint(&self) {
        let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// A file that cannot be used, and whether that is the file's fault.
pub(super) fn fault(path: &str, error: &rusqlite::Error) -> OpenError {
    let (path, why) = (path.to_owned(), sqlite_words(error));
    match error.sqlite_error_code() {
        Some(
            rusqlite::ErrorCode::ReadOnly
            | rusqlite::ErrorCode::DiskFull
            | rusqlite::ErrorCode::DatabaseBusy
            | rusqlite::ErrorCode::DatabaseLocked
            | rusqlite::ErrorCode::CannotOpen,
        ) => OpenError::Unwritable { path, why },
        Some(_) | None => OpenError::Damaged { path, why },
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The control: a ledger whose commits are not synced does not open.
    #[test]
    fn a_ledger_that_would_not_be_durable_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = Database::open(&dir.path().join("ledger.db")).unwrap_or_else(|error| panic!("{error}"));
        for (pragma, value, found) in [("synchronous", "NORMAL", "1"), ("synchronous", "OFF", "0")] {
            database.connection.pragma_update(None, pragma, value).expect("set");
            match database.check_pragmas("ledger.db") {
                Err(OpenError::Pragma { pragma: named, wanted: "2", found: read, .. }) => {
                    assert_eq!((named, read.as_str()), (pragma, found));
                }
                _ => panic!("{pragma} = {value} was taken"),
            }
        }
        database.set_pragmas("ledger.db").unwrap_or_else(|error| panic!("{error}"));
        database.check_pragmas("ledger.db").unwrap_or_else(|error| panic!("{error}"));
    }
}
