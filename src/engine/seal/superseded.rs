//! Removal of editions that nobody needs any more.

use crate::engine::seal::staging::STAGING;
use crate::query::terms::edition::{self, EDITIONS};
use std::fs;
use std::io;
use std::path::Path;

/// Removes every edition except the `current` ones, and whatever a killed sealing left behind: old editions hold the rows of people who
/// have withdrawn since. The caller must hold the ledger, so that no server is reading them.
///
/// # Errors
/// Fails if the file system does.
pub fn clear_superseded(state: &Path, current: &[String]) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(state.join(EDITIONS)) else { return Ok(()) };
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
