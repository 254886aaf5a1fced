//! Files: the small texts that people write (policies, configurations, questions), and new files that only their owner may read.
//!
//! Promises that a folder, a pipe or a device is not read, that no text is read beyond a bound, and that a private file is never open
//! to others, not even for a moment.

mod line_column;
mod replace;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

pub use line_column::LineColumn;
pub use replace::{replace, sync_folder_of};

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

/// Makes a new file with mode 600 and opens it for writing, as everything in a state directory is made.
///
/// # Errors
/// `AlreadyExists` where the name is taken, and those of the system.
pub fn create_private(path: &Path) -> io::Result<File> {
    File::options().create_new(true).write(true).mode(0o600).open(path)
}
