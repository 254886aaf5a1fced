//! Why a file was not taken, as facts.

use std::io;

/// Why a file was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadFault {
    /// The server takes no files.
    #[error("this server takes no uploads")]
    NoPlace,
    /// The form holds no file.
    #[error("no file was chosen")]
    Nothing,
    /// The name tells no format that can be read.
    #[error(
        "the name \"{name}\" tells no known format; accepted are .csv, .tsv, .tab and .txt (also .gz and .zst), .parquet, .pq, .arrow, .arrows, \
         .ipc, .feather and .xlsx"
    )]
    Format {
        /// The file's name, made safe.
        name: String,
    },
    /// The file is too large.
    #[error("the file has more than {bytes_max} bytes, the most that is taken ([uploads] bytes_max)")]
    TooLarge {
        /// The largest size, in bytes.
        bytes_max: u64,
    },
    /// There are as many files as are kept.
    #[error("{count_max} files are kept, the most ([uploads] count_max); remove one first")]
    Full {
        /// The largest number of files.
        count_max: u32,
    },
    /// The file did not arrive as a whole.
    #[error("the file did not arrive as a whole")]
    CutOff,
    /// The file system failed.
    #[error("the file cannot be kept: {0}")]
    Storage(io::ErrorKind),
}

impl From<io::Error> for UploadFault {
    fn from(error: io::Error) -> Self {
        Self::Storage(error.kind())
    }
}
