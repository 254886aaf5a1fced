//! Replacing a file at once: a reader, or an opening after a crash, finds the old contents or the new ones, never a part of them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::create_private;

/// What the name of a file ends with while it is being written. Backups leave out files that end so.
const PARTIAL: &str = ".partial";

/// Writes `bytes` to the file at `path` with mode 600, in place of the file that may be there. When it returns, the bytes and the
/// name are on disk; the file is open for writing, at its end.
///
/// The bytes are first written to the same path with `.partial` appended, so two callers must not replace one file at the same time.
///
/// # Errors
/// The file system's. If writing or renaming failed, the old file is as it was and the partial one is removed; if only the folder could
/// not be synced, the new file is in place, and a crash of the machine may bring back the old one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(PARTIAL);
    let partial = PathBuf::from(partial);
    let renamed = write_partial(&partial, bytes).and_then(|file| fs::rename(&partial, path).map(|()| file));
    let file = renamed.inspect_err(|_| {
        // The error that is returned says more than a second one would.
        let _ = fs::remove_file(&partial);
    })?;
    sync_folder_of(path)?;
    Ok(file)
}

/// Writes a partial file and syncs it. A crash may have left one, with other rights or as a link: it is not written to, but removed.
fn write_partial(path: &Path, bytes: &[u8]) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = create_private(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// Syncs the folder that holds `path`, so that a file that was created, renamed or removed there stays so after a crash.
///
/// # Errors
/// The file system's.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
#[path = "replace_tests.rs"]
mod tests;
