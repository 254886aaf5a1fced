//! Removal of editions that nobody needs any more.
//!
//! Promises that nothing is removed while a copy of the editions is being made: whoever copies them holds the folder ([`hold_editions`]).

use crate::engine::seal::staging::STAGING;
use crate::query::terms::edition::{self, EDITIONS, Manifest};
use std::fs;
use std::io;
use std::path::Path;

/// Removes every edition except the `current` ones, and whatever a killed sealing left behind: old editions hold the rows of people who
/// have withdrawn since. The caller must hold the ledger, so that no server is reading them.
///
/// # Errors
/// Fails if the file system does; `WouldBlock` if the editions are being copied.
pub fn clear_superseded(state: &Path, current: &[String]) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(state.join(EDITIONS)) else { return Ok(()) };
    let _alone = alone(state)?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_current = current.iter().any(|edition| edition == edition::of_dataset(&name));
        if (name.starts_with(STAGING) || name.starts_with("ed_")) && !is_current {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Removes these editions, which no question asks any more, beside a running server.
///
/// # Errors
/// Fails if the file system does; `WouldBlock` if the editions are being copied.
pub fn clear_editions(state: &Path, gone: &[String]) -> io::Result<()> {
    let _alone = alone(state)?;
    gone.iter().try_for_each(|edition| fs::remove_dir_all(Manifest::dir(state, edition)))
}

/// Keeps all editions where they are until the returned file is dropped; `None` if there are none. Waits while editions are being removed.
///
/// # Errors
/// Fails if the file system does.
pub fn hold_editions(state: &Path) -> io::Result<Option<fs::File>> {
    match fs::File::open(state.join(EDITIONS)) {
        Ok(folder) => folder.lock_shared().map(|()| Some(folder)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn alone(state: &Path) -> io::Result<fs::File> {
    let folder = fs::File::open(state.join(EDITIONS))?;
    folder.try_lock()?;
    Ok(folder)
}
