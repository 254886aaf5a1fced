//! Files: reading the small text files that people write (policies, configurations, queries), and creating files that only their owner may
//! read.
//!
//! Promises that directories, pipes and devices are never read, that no text is read beyond a size limit, and that a private file is never
//! readable by others, not even for a moment.

mod line_column;
mod replace;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

pub use line_column::LineColumn;
pub use replace::{replace, sync_folder_of};

/// Maximum size of a text file, in bytes (16 MiB).
pub const TEXT_BYTES_MAX: u64 = 16 << 20;

/// Reads the text of a regular file.
///
/// # Errors
/// `InvalidInput` if the path is not a regular file, `FileTooLarge` beyond [`TEXT_BYTES_MAX`], `InvalidData` if the content is not UTF-8,
/// and the system's own errors. No error contains any of the file's content.
pub fn text(path: &Path) -> io::Result<String> {
    // Checked before opening, because opening a pipe waits for its other end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    File::open(path)?.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > TEXT_BYTES_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

/// Why a file cannot be read, in words for the person who named it.
#[must_use]
pub fn because(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => "it is not a regular file".to_owned(),
        io::ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
        other => other.to_string(),
    }
}

/// Creates a new file with mode 600 and opens it for writing. Every file in a state directory is created this way.
///
/// # Errors
/// `AlreadyExists` if the path already exists, and the system's own errors.
pub fn create_private(path: &Path) -> io::Result<File> {
    File::options().create_new(true).write(true).mode(0o600).open(path)
}
