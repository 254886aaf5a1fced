//! One upload on disk: its folder, its name, and how it arrives.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::fault::UploadFault;
use crate::files::{create_private, sync_folder_of};
use crate::kernel::random;

/// The prefix of ids.
const PREFIX: &str = "up";
/// The prefix of the names of folders whose files have not arrived as a whole.
const PARTIAL: &str = ".partial-";
/// The largest length of a file's name, in characters.
const NAME_CHARS_MAX: usize = 100;

/// Whether a text is an id of an upload, and so the name of a folder that may be below that of the uploads.
pub(super) fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_'));
    digits.is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A name of a file that is safe in any folder: letters, digits, points, hyphens and underscores, at most 100, the last ones of a longer
/// name; never hidden, and never a path.
#[must_use]
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let plain: Vec<char> = last.chars().map(plain).collect();
    // The ending tells the format.
    let kept: String = plain[plain.len().saturating_sub(NAME_CHARS_MAX)..].iter().collect();
    let kept = kept.trim_start_matches(['.', '-']);
    if kept.is_empty() { "upload".to_owned() } else { kept.to_owned() }
}

/// When a file was written, in milliseconds since 1970 in UTC.
pub(super) fn modified_ms(meta: &Metadata) -> u64 {
    let since = meta.modified().ok().and_then(|at: SystemTime| at.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Removes folders of uploads that never arrived and were begun before this moment.
pub(super) fn clear_partial(uploads: &Path, before_ms: u64) {
    for entry in fs::read_dir(uploads).into_iter().flatten().flatten() {
        let is_partial = entry.file_name().to_str().is_some_and(|name| name.starts_with(PARTIAL));
        let is_old = || entry.metadata().is_ok_and(|meta| modified_ms(&meta) < before_ms);
        if is_partial && is_old() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A file that is arriving. Unless it is finished, nothing of it stays.
pub struct UploadWriter {
    id: String,
    /// Where it is until it is whole, and the folder of all uploads.
    partial: PathBuf,
    uploads: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    at_ms: u64,
}

impl UploadWriter {
    pub(super) fn create(uploads: &Path, name: &str, bytes_max: u64, at_ms: u64) -> Result<Self, UploadFault> {
        let id = random::id(PREFIX).map_err(|_| UploadFault::Storage(io::ErrorKind::Other))?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(uploads)?;
        let partial = uploads.join(format!("{PARTIAL}{id}"));
        fs::DirBuilder::new().mode(0o700).create(&partial)?;
        let file = create_private(&partial.join(name)).inspect_err(|_| {
            let _ = fs::remove_dir_all(&partial);
        })?;
        Ok(Self { id, partial, uploads: uploads.to_owned(), file, bytes: 0, bytes_max, at_ms })
    }

    /// Writes the next piece of the file. Blocks.
    ///
    /// # Errors
    /// [`UploadFault::TooLarge`] and [`UploadFault::Storage`].
    pub fn write(&mut self, piece: &[u8]) -> Result<(), UploadFault> {
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        if self.bytes > self.bytes_max {
            return Err(UploadFault::TooLarge { bytes_max: self.bytes_max });
        }
        Ok(self.file.write_all(piece)?)
    }

    /// Keeps the file, which has arrived as a whole, and returns its id. Blocks until it is on disk.
    ///
    /// # Errors
    /// [`UploadFault::Nothing`] if it is empty, and [`UploadFault::Storage`].
    pub fn finish(self) -> Result<String, UploadFault> {
        if self.bytes == 0 {
            return Err(UploadFault::Nothing);
        }
        self.file.set_modified(UNIX_EPOCH + Duration::from_millis(self.at_ms))?;
        self.file.sync_all()?;
        let folder = self.uploads.join(&self.id);
        fs::rename(&self.partial, &folder)?;
        sync_folder_of(&folder)?;
        Ok(self.id.clone())
    }
}

impl Drop for UploadWriter {
    fn drop(&mut self) {
        // After it was finished there is no such folder any more.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe() {
        for (given, wanted) in [
            ("randhie.csv", "randhie.csv"),
            ("C:\\data\\Visits 2020.XLSX", "Visits_2020.XLSX"),
            ("../../etc/passwd", "passwd"),
            ("..", "upload"),
            (".hidden.csv", "hidden.csv"),
            ("-rf.csv", "rf.csv"),
            ("be such\u{fc}be.csv.gz", "be_such_be.csv.gz"),
            ("a\n\0b.csv", "a__b.csv"),
            ("", "upload"),
        ] {
            assert_eq!(safe_name(given), wanted, "{given:?}");
        }
        let long = safe_name(&format!("{}.csv", "x".repeat(300)));
        assert!(long.len() == 100 && long.ends_with("x.csv"), "{long}");
    }

    #[test]
    fn ids_are_hexadecimal() {
        assert!(is_id("up_00112233445566778899aabbccddeeff"));
        for text in ["up_", "up_00112233445566778899AABBCCDDEEFF", "ed_00112233445566778899aabbccddeeff", "up_../../x"]
        {
            assert!(!is_id(text), "{text}");
        }
    }
}
