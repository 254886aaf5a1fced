//! The files of a backup: which files are copied, with which permissions, and that they are removed unless the backup succeeds.
//!
//! Promises that every file has mode 600, every directory has mode 700, and all of them are on disk once the copy is kept. Files of a
//! ledger that is in use are opened only through SQLite, because closing such a file would release this process's locks on it. The file
//! that marks a copy is the first to exist.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::BackupError;
use crate::files;
use crate::ledger::anchor::{ANCHOR_FILE, COPIED};
use crate::ledger::copies::{self, COPIED_ANCHOR_FILE, COPY_FILE};
use crate::ledger::sqlite::database::Database;
use crate::ledger::sqlite::open::{LOCK_FILE, unusable};
use crate::ledger::{LEDGER_FILE, OpenError};
use crate::query::terms::edition::EDITIONS;

/// How many seconds to wait while the ledger is locked; nobody locks it for long.
const BUSY_SECONDS_MAX: u64 = 10;
/// Endings of file names in a state directory that are not copied: locks and unfinished files.
const LEFT_OUT: [&str; 2] = [".lock", ".partial"];
/// Names of files in a state directory of which a copy has its own.
const OWN: [&str; 3] = [ANCHOR_FILE, COPIED_ANCHOR_FILE, COPY_FILE];

/// A copy that is being made. It is removed again unless it is kept.
pub(super) struct NewCopy {
    to: PathBuf,
    is_new: bool,
    /// Paths directly in the copy that were created.
    made: Vec<PathBuf>,
    bytes: u64,
    is_whole: bool,
}

impl NewCopy {
    pub(super) fn begin(to: &Path) -> Result<Self, BackupError> {
        let is_new = match fs::read_dir(to).map(|mut entries| entries.next().is_none()) {
            Ok(true) => false,
            Ok(false) => return Err(BackupError::Occupied { path: to.display().to_string() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(unusable(to, &error).into()),
        };
        if is_new {
            DirBuilder::new().recursive(true).mode(0o700).create(to).map_err(|error| unusable(to, &error))?;
        }
        Ok(Self { to: to.to_owned(), is_new, made: Vec::new(), bytes: 0, is_whole: false })
    }

    /// Marks it as a copy of `state`.
    pub(super) fn mark(&mut self, state: &Path) -> Result<(), OpenError> {
        self.place(COPY_FILE);
        self.bytes += copies::mark(state, &self.to)?;
        Ok(())
    }

    /// Copies the ledger's key, the file with the anchor's place, and any other small files.
    pub(super) fn take_small(&mut self, state: &Path, anchor: &Path) -> Result<(), OpenError> {
        let anchor = fs::canonicalize(anchor).ok();
        for from in files_in(state)? {
            let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_ledger = name.starts_with(LEDGER_FILE);
            let is_anchor = anchor.is_some() && fs::canonicalize(&from).ok() == anchor;
            if is_ledger
                || is_anchor
                || OWN.contains(&name.as_str())
                || LEFT_OUT.iter().any(|ending| name.ends_with(ending))
            {
                continue;
            }
            let to = self.place(&name);
            self.take_file(&from, &to)?;
        }
        Ok(())
    }

    /// Copies the anchor, up to its last complete line, under the name and with the first line of a copied one.
    pub(super) fn take_anchor(&mut self, from: &Path) -> Result<(), OpenError> {
        let mut text = Vec::new();
        File::open(from).and_then(|mut file| file.read_to_end(&mut text)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::AnchorMissing { path: from.display().to_string() },
            _ => unusable(from, &error),
        })?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = text[..whole].strip_prefix(COPIED).unwrap_or(&text[..whole]);
        let to = self.place(COPIED_ANCHOR_FILE);
        let written = files::create_private(&to).and_then(|mut file| {
            file.write_all(COPIED)?;
            file.write_all(lines)?;
            file.sync_all()
        });
        self.bytes += (COPIED.len() + lines.len()) as u64;
        written.map_err(|error| unusable(&to, &error))
    }

    pub(super) fn take_ledger(&mut self, from: &Path) -> Result<(), BackupError> {
        let to = self.place(LEDGER_FILE);
        // SQLite gives its side files the mode of the main file.
        files::create_private(&to).map_err(|error| unusable(&to, &error))?;
        let path = from.display().to_string();
        match copy_ledger(from, &to).and_then(|is_done| Database::stamp_copy(&to).map(|()| is_done)) {
            Ok(true) => {}
            Ok(false) => return Err(BackupError::Uncopied { path, why: "another program has it locked" }),
            Err(error) => {
                tracing::error!(code = ?error.sqlite_error_code(), "the ledger was not copied");
                return Err(BackupError::Uncopied { path, why: sqlite_words(&error) });
            }
        }
        let synced = File::open(&to).and_then(|file| file.sync_all().and_then(|()| file.metadata()));
        self.bytes += synced.map_err(|error| unusable(&to, &error))?.len();
        Ok(())
    }

    pub(super) fn take_editions(&mut self, state: &Path) -> Result<(), OpenError> {
        let from = state.join(EDITIONS);
        if !from.exists() {
            return Ok(());
        }
        let to = self.place(EDITIONS);
        make_dir(&to)?;
        for edition in entries_of(&from)?.into_iter().filter(|path| path.is_dir()) {
            let name = edition.file_name().unwrap_or_default();
            // An edition that is being sealed has a hidden name until it is complete.
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            let to = to.join(name);
            make_dir(&to)?;
            for file in files_in(&edition)? {
                self.take_file(&file, &to.join(file.file_name().unwrap_or_default()))?;
            }
            sync(&to)?;
        }
        sync(&to)
    }

    /// Keeps the copy: all names are on disk when this returns.
    pub(super) fn keep(mut self) -> Result<(), OpenError> {
        let _ = fs::remove_file(self.to.join(LOCK_FILE));
        sync(&self.to)?;
        files::sync_folder_of(&self.to).map_err(|error| unusable(&self.to, &error))?;
        self.is_whole = true;
        Ok(())
    }

    /// Path of the copy's directory.
    pub(super) fn path(&self) -> &Path {
        &self.to
    }

    /// Size of all files so far, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Registers something to be created directly in the copy; returns its path.
    fn place(&mut self, name: &str) -> PathBuf {
        let place = self.to.join(name);
        self.made.push(place.clone());
        place
    }

    fn take_file(&mut self, from: &Path, to: &Path) -> Result<(), OpenError> {
        let mut source = File::open(from).map_err(|error| unusable(from, &error))?;
        let copied = files::create_private(to).and_then(|mut file| {
            let bytes = io::copy(&mut source, &mut file)?;
            file.sync_all()?;
            Ok(bytes)
        });
        self.bytes += copied.map_err(|error| unusable(to, &error))?;
        Ok(())
    }
}

impl Drop for NewCopy {
    fn drop(&mut self) {
        if self.is_whole {
            return;
        }
        for made in &self.made {
            let _ = if made.is_dir() { fs::remove_dir_all(made) } else { fs::remove_file(made) };
        }
        for side in ["ledger.db-wal", "ledger.db-shm", "ledger.db-journal", LOCK_FILE] {
            let _ = fs::remove_file(self.to.join(side));
        }
        if self.is_new {
            let _ = fs::remove_dir(&self.to);
        }
    }
}

/// Copies the ledger as it is at one moment; returns whether it could be locked for reading.
fn copy_ledger(from: &Path, to: &Path) -> rusqlite::Result<bool> {
    // The first reader recovers a WAL that a crash left, and needs a writable handle for that.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags)?;
    source.busy_timeout(Duration::from_secs(BUSY_SECONDS_MAX))?;
    source.pragma_update(None, "query_only", "ON")?;
    let mut target = Connection::open_with_flags(to, flags)?;
    let backup = Backup::new(&source, &mut target)?;
    // Copies all pages in one step: between two steps a writer would make the copy start again, forever if there is always a writer. With a
    // WAL the writer does not wait for a reader.
    Ok(backup.step(-1)? == StepResult::Done)
}

/// What SQLite's error code means, in our own words.
fn sqlite_words(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => "it is no SQLite database",
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => "its pages are corrupt",
        Some(rusqlite::ErrorCode::ReadOnly) => "it may not be written beside, as reading it takes",
        Some(rusqlite::ErrorCode::DiskFull) => "the disk of the copy is full",
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            "another program has it locked"
        }
        Some(_) | None => "SQLite cannot read it, or cannot write the copy",
    }
}

fn make_dir(path: &Path) -> Result<(), OpenError> {
    DirBuilder::new().mode(0o700).create(path).map_err(|error| unusable(path, &error))
}

/// Makes the names in a directory durable.
fn sync(dir: &Path) -> Result<(), OpenError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| unusable(dir, &error))
}

fn files_in(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    Ok(entries_of(dir)?.into_iter().filter(|path| path.is_file()).collect())
}

fn entries_of(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let entries: io::Result<Vec<PathBuf>> =
        fs::read_dir(dir).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    entries.map_err(|error| unusable(dir, &error))
}
