//! The SQLite tables of the ledger, and all statements that touch them.

use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::kernel::budget::entry::{Digest, Entry};
use crate::kernel::budget::writer::CommitBatch;
use crate::ledger::error::OpenError;

/// Version number of the tables.
const SCHEMA_VERSION: u32 = 3;

/// `body` holds the canonical bytes; the other columns repeat what SQL may search for. `head` is the signed end of the chain.
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

/// Created again at every opening if they are missing.
const TRIGGERS: &str = "
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_last BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER IF NOT EXISTS releases_stay BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'releases are immutable'); END;
CREATE TRIGGER IF NOT EXISTS releases_last BEFORE DELETE ON releases BEGIN SELECT RAISE(ABORT, 'releases are immutable'); END;
";

/// Takes the outbox out of a copy of a ledger: what waited when the copy was made may have been delivered since. Overwrites what it deletes,
/// so that no address of a webhook is left in the copy.
const DROP_OUTBOX: &str = "
PRAGMA secure_delete = ON;
DROP TABLE IF EXISTS outbox;
DROP TABLE IF EXISTS outbox_cursor;
";

/// The application id in the header of the SQLite file: of a ledger in use ("tact"), of one with its anchor elsewhere ("tace"), and of a
/// copy ("tacc"); 0 in files of older versions.
const IN_USE: i32 = 0x7461_6374;
const ANCHORED_ELSEWHERE: i32 = 0x7461_6365;
const COPY: i32 = 0x7461_6363;

/// How long a connection waits while another one has the file locked.
const BUSY_MAX: Duration = Duration::from_secs(2);
/// The settings that durability depends on: name, value to set, and value that is read back.
const PRAGMAS: [(&str, &str, &str); 3] =
    [("journal_mode", "WAL", "wal"), ("synchronous", "FULL", "2"), ("foreign_keys", "ON", "1")];

/// One connection to the ledger's file.
pub(in crate::ledger) struct Database {
    pub(super) connection: Connection,
}

/// What a ledger's file says about itself in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum Stamp {
    /// Nothing: this version has not opened it yet.
    None,
    /// It was opened in its place and is written there.
    InUse,
    /// It is in use, like `InUse`, and its anchor is not beside it but where a file of the state directory says.
    AnchoredElsewhere,
    /// It is a copy that a backup made.
    Copy,
}

/// One row of the entries, as it is in the file.
#[derive(Debug, Clone, Copy)]
pub(in crate::ledger) struct EntryRow<'a> {
    pub(in crate::ledger) seq: u64,
    pub(in crate::ledger) at_ms: u64,
    pub(in crate::ledger) act: &'a [u8],
    pub(in crate::ledger) body: &'a [u8],
    /// All zeros if the column holds no digest.
    pub(in crate::ledger) hash: Digest,
}

/// The signed end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) struct HeadRow {
    pub(in crate::ledger) seq: u64,
    pub(in crate::ledger) hash: Vec<u8>,
    pub(in crate::ledger) signature: Vec<u8>,
}

impl Database {
    pub(in crate::ledger) fn open(path: &Path) -> Result<Self, OpenError> {
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

    /// Opens an existing file for reading only.
    pub(in crate::ledger) fn open_to_read(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let why = |error: rusqlite::Error| fault(&shown, &error);
        // The first reader recovers a WAL that a crash left, and needs a writable handle for that.
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

    /// Reads back the settings that durability depends on.
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

    /// Stamps the ledger of a copy, which nobody has opened yet; when this returns, the file is complete without a WAL beside it.
    pub(in crate::ledger) fn stamp_copy(path: &Path) -> rusqlite::Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let copy = Self { connection: Connection::open_with_flags(path, flags)? };
        copy.stamp(Stamp::Copy)?;
        copy.connection.execute_batch(DROP_OUTBOX)?;
        copy.checkpoint();
        copy.connection.close().map_err(|(_, error)| error)
    }

    /// Writes what the ledger says about itself, unless it already says so.
    pub(in crate::ledger) fn stamp(&self, stamp: Stamp) -> rusqlite::Result<()> {
        let wanted = match stamp {
            Stamp::None => 0,
            Stamp::InUse => IN_USE,
            Stamp::AnchoredElsewhere => ANCHORED_ELSEWHERE,
            Stamp::Copy => COPY,
        };
        if self.read_stamp()? == stamp { Ok(()) } else { self.connection.pragma_update(None, "application_id", wanted) }
    }

    pub(in crate::ledger) fn read_stamp(&self) -> rusqlite::Result<Stamp> {
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

    /// Whether the file has our tables, in this version.
    pub(in crate::ledger) fn is_ours(&self) -> bool {
        self.version() == Ok(SCHEMA_VERSION)
    }

    /// Whether SQLite's own check of the whole file finds nothing.
    pub(in crate::ledger) fn is_intact(&self) -> bool {
        let checked = self.connection.pragma_query_value(None, "integrity_check", |row| row.get::<_, String>(0));
        checked.is_ok_and(|words| words == "ok")
    }

    /// Calls `each` with every entry in order, until it returns false.
    pub(in crate::ledger) fn each_entry(&self, mut each: impl FnMut(EntryRow<'_>) -> bool) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare("SELECT seq, at_ms, act, body, hash FROM entries ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // A negative number is not ours; it is mapped to one that no entry has.
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

    /// Calls `each` with the bytes of all entries of one kind, in order.
    pub(in crate::ledger) fn each_of_kind(&self, kind: &str, mut each: impl FnMut(Vec<u8>)) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare("SELECT body FROM entries WHERE act = ?1 ORDER BY seq")?;
        let mut rows = statement.query([kind])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?);
        }
        Ok(())
    }

    /// Reads the signed head; `None` if nothing was committed yet.
    pub(in crate::ledger) fn head(&self) -> rusqlite::Result<Option<HeadRow>> {
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

    /// Reads the hash of one entry; `None` if there is no such entry.
    pub(in crate::ledger) fn hash_of(&self, seq: u64) -> rusqlite::Result<Option<Digest>> {
        let mut select = self.connection.prepare("SELECT hash FROM entries WHERE seq = ?1")?;
        select.query_row([seq.cast_signed()], |row| row.get(0)).optional()
    }

    /// Writes a batch and the signed head in one transaction; when this returns, they are on disk.
    pub(in crate::ledger) fn commit(&self, batch: &CommitBatch, head: &HeadRow) -> rusqlite::Result<()> {
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

    fn write(&self, batch: &CommitBatch, head: &HeadRow) -> rusqlite::Result<()> {
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

    pub(in crate::ledger) fn release(&self, id: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut select = self.connection.prepare_cached("SELECT body FROM releases WHERE id = ?1")?;
        select.query_row([id], |row| row.get(0)).optional()
    }

    /// Number of stored answers.
    pub(in crate::ledger) fn count_releases(&self) -> rusqlite::Result<u64> {
        let count = self.connection.query_row("SELECT count(*) FROM releases", [], |row| row.get::<_, i64>(0));
        count.map(i64::unsigned_abs)
    }

    /// Calls `each` with the id and the bytes of every stored answer, until it returns false.
    pub(in crate::ledger) fn each_release(
        &self,
        mut each: impl FnMut(String, Vec<u8>) -> bool,
    ) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare("SELECT id, body FROM releases")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if !each(row.get(0)?, row.get(1)?) {
                break;
            }
        }
        Ok(())
    }

    pub(in crate::ledger) fn entries(&self, after: u64, limit: usize) -> rusqlite::Result<Vec<Entry>> {
        let mut select =
            self.connection.prepare_cached("SELECT body FROM entries WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let bytes = select.query_map(params![after.cast_signed(), limit], |row| row.get::<_, Vec<u8>>(0))?;
        let unreadable = || rusqlite::Error::InvalidColumnType(0, "body".to_owned(), rusqlite::types::Type::Blob);
        bytes.map(|bytes| Entry::read(&bytes?).ok_or_else(unreadable)).collect()
    }

    /// Moves everything from the WAL into the main file.
    pub(in crate::ledger) fn checkpoint(&self) {
        let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// Turns an SQLite error into ours: the file is damaged, or intact and not writable now.
pub(in crate::ledger) fn fault(path: &str, error: &rusqlite::Error) -> OpenError {
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

/// What SQLite's error code means, in our own words.
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

    /// A control: a ledger whose commits are not synced does not open.
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
