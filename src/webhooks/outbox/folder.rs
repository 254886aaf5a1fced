//! The folder that held the outbox in earlier versions: one JSON file for each delivery, and one for the cursor.
//!
//! It is only read, and removed once what it held is in the ledger's file. Files that are not deliveries stay where they are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::files;
use crate::ledger::sqlite::outbox::{Cursor, Delivery};

/// The file that says how far the ledger has been told.
const CURSOR: &str = "cursor";
/// What the names of deliveries end with, after their numbers.
const ENDING: &str = ".json";
/// What the names of files end with that a crash has left half-written.
const PARTIAL: &str = ".partial";

/// What was found in the folder.
pub(super) struct OutboxFolder {
    dir: PathBuf,
    deliveries: Vec<Delivery>,
    cursor: Option<Cursor>,
    /// The files that hold all this, and what a crash has left of others.
    files: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CursorFile {
    seq: u64,
    watch: Box<RawValue>,
}

impl OutboxFolder {
    /// Reads the folder `dir`; `None` if there is none.
    pub(super) fn read(dir: &Path) -> io::Result<Option<Self>> {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (mut numbered, mut cursor, mut files) = (Vec::new(), None, Vec::new());
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name == CURSOR {
                cursor = read_cursor(&path)?;
                files.push(path);
            } else if name.ends_with(PARTIAL) {
                files.push(path);
            } else if let Some(number) = name.strip_suffix(ENDING).and_then(|number| number.parse::<u64>().ok()) {
                match serde_json::from_slice::<Delivery>(&fs::read(&path)?) {
                    Ok(delivery) => {
                        numbered.push((number, delivery));
                        files.push(path);
                    }
                    Err(_) => tracing::warn!(number, "a file of the outbox is no delivery"),
                }
            }
        }
        numbered.sort_unstable_by_key(|(number, _)| *number);
        let deliveries = numbered.into_iter().map(|(_, delivery)| delivery).collect();
        Ok(Some(Self { dir: dir.to_owned(), deliveries, cursor, files }))
    }

    /// The deliveries, oldest first.
    pub(super) fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// How far the ledger had been told; `None` if no file says so.
    pub(super) fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Removes the files that were read, and the folder if nothing else is in it; that is on disk when this returns.
    pub(super) fn remove(self) -> io::Result<()> {
        self.files.iter().try_for_each(fs::remove_file)?;
        files::sync_folder_of(&self.dir.join(CURSOR))?;
        match fs::remove_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(error) => Err(error),
            Ok(()) => files::sync_folder_of(&self.dir),
        }
    }
}

/// The cursor in a file; `None`, with a warning, if it is damaged.
fn read_cursor(path: &Path) -> io::Result<Option<Cursor>> {
    let cursor = serde_json::from_str::<CursorFile>(&files::text(path)?).ok();
    if cursor.is_none() {
        tracing::warn!("the webhooks' cursor cannot be read: they are told what happens from now on");
    }
    Ok(cursor.map(|CursorFile { seq, watch }| Cursor { seq, watch: watch.get().to_owned() }))
}
