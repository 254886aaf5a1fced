//! Small text files that people write: policies, configurations, questions.
//!
//! Promises that a folder, a pipe or a device is not read, and that no file is read beyond a bound.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Bytes of a text file at the most.
pub const TEXT_BYTES_MAX: u64 = 16 << 20;

/// The text of a regular file.
///
/// # Errors
/// `InvalidInput` for what is no regular file, `FileTooLarge` beyond [`TEXT_BYTES_MAX`], `InvalidData` for what is no UTF-8, and
/// those of the system. What the file says is in none of them.
pub fn text(path: &Path) -> io::Result<String> {
    // Looked at before it is opened: to open a pipe is to wait for its other end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    File::open(path)?.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > TEXT_BYTES_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}
