//! Copies: how a state directory made by `tacit backup` is distinguished from one in use.
//!
//! A copy does not know what was spent after it was made, and nothing in it can show that: its anchor is as old as itself. So it is not a
//! ledger until somebody names the latest anchor, or burns what is left. Promises that a copy bears two marks, a file that people can read
//! and a stamp in the ledger's own header, and that either of them is enough, so losing the file, or restoring the ledger file alone,
//! changes nothing. The copied anchor has a name of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::anchor::{ANCHOR_FILE, Anchor, Depth, Said};
use super::error::OpenError;
use super::files::LEDGER_FILE;
use super::place::{AnchorPlaces, last_place, noted_place};
use super::signing::Signer;
use crate::files;
use crate::ledger::error::unusable;
use crate::ledger::sqlite::database::{Database, Stamp};

/// Name of the file that tells people, and every opening, that a directory is a copy.
pub(super) const COPY_FILE: &str = "THIS-IS-A-COPY.txt";
/// Name of the anchor as it was when the copy was made. Only `verify`, `backup` and `recover` read it.
pub(super) const COPIED_ANCHOR_FILE: &str = "anchor.copied";

/// The text for people who look into a copy: where the anchor was, and which one counts if none is named.
fn note(was: &Path, counts: &Path) -> String {
    format!(
        "This folder is a copy of a state directory of Tacit. It was made by: tacit backup\n\
         It does not know what was spent after it was made. So it opens for these alone:\n\n\
         \ttacit ledger verify --state DIR\n\
         \ttacit backup --state DIR --to OTHER\n\n\
         To go on from it, put it into an empty folder DIR, as it is, and name the latest anchor:\n\n\
         \ttacit ledger recover --state DIR --anchor LATEST --reason \"...\"\n\n\
         When the copy was made, the anchor was {}.\n\
         Without --anchor, {} counts if it is there; if it is not, what is left of every cap is burnt.\n",
        was.display(),
        counts.display()
    )
}

/// Marks the directory `to` as a copy of `state`, before anything else is in it; returns the number of bytes written.
pub(super) fn mark(state: &Path, to: &Path) -> Result<u64, OpenError> {
    let was = last_place(state)?;
    let counts = noted_place(state)?.unwrap_or_else(|| Path::new("DIR").join(ANCHOR_FILE));
    let text = note(&std::path::absolute(&was).unwrap_or(was), &counts);
    let path = to.join(COPY_FILE);
    files::replace(&path, text.as_bytes()).map_err(|error| unusable(&path, &error))?;
    Ok(text.len() as u64)
}

/// Whether the file that marks a copy exists in the directory.
fn is_marked(state: &Path) -> Result<bool, OpenError> {
    let path = state.join(COPY_FILE);
    match fs::symlink_metadata(&path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(unusable(&path, &error)),
    }
}

/// Whether a directory is a copy, by either of its marks.
pub(super) fn is_copy(state: &Path, database: &Database) -> Result<bool, OpenError> {
    let stamp = database.read_stamp().map_err(|error| database_fault(state, &error))?;
    Ok(stamp == Stamp::Copy || is_marked(state)?)
}

/// Refuses a directory that has the file of a copy, before anything is created or opened in it.
pub(super) fn refuse_marked(state: &Path) -> Result<(), OpenError> {
    if is_marked(state)? { Err(copy_of(state)?) } else { Ok(()) }
}

/// Refuses a directory that either mark shows to be a copy.
pub(super) fn refuse_stamped(state: &Path, database: &Database) -> Result<(), OpenError> {
    if is_copy(state, database)? { Err(copy_of(state)?) } else { Ok(()) }
}

fn copy_of(state: &Path) -> Result<OpenError, OpenError> {
    let place = last_place(state)?.display().to_string();
    Ok(OpenError::Copy { path: state.display().to_string(), place })
}

/// Which anchor a ledger is verified against or backed up with: the one asked for, or the one that was copied with a copy, or the one where
/// the ledger last had it.
pub(super) fn anchor_to_read(state: &Path, asked: Option<&Path>, database: &Database) -> Result<PathBuf, OpenError> {
    match asked {
        None if is_copy(state, database)? => Ok(state.join(COPIED_ANCHOR_FILE)),
        None => AnchorPlaces::of(state, None, database)?.known().map(Path::to_owned),
        Some(asked) => Ok(asked.to_owned()),
    }
}

/// How far a copy's anchor had come when the copy was made: no later anchor knows less. 0 if that cannot be read.
pub(super) fn copied_seq(state: &Path, signer: Option<&Signer>) -> u64 {
    match Anchor::read(&state.join(COPIED_ANCHOR_FILE), signer, Depth::LastLine) {
        Ok(Said::Line { seq, .. }) => seq,
        Ok(Said::Nothing | Said::Forged { .. }) | Err(_) => 0,
    }
}

/// Turns a copy into a directory in use, once its anchor exists and is remembered. The marker file is removed last.
pub(super) fn adopt(state: &Path, database: &Database, stamp: Stamp) -> Result<(), OpenError> {
    database.stamp(stamp).map_err(|error| database_fault(state, &error))?;
    for name in [COPIED_ANCHOR_FILE, COPY_FILE] {
        let path = state.join(name);
        match fs::remove_file(&path).and_then(|()| files::sync_folder_of(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(&path, &error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn database_fault(state: &Path, error: &rusqlite::Error) -> OpenError {
    crate::ledger::sqlite::database::fault(&state.join(LEDGER_FILE).display().to_string(), error)
}
