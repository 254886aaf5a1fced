//! Why the files of a source cannot be listed.

/// The largest depth of nested folders; bounded because a link may lead back up.
pub(super) const DEPTH_MAX: usize = 32;
/// The largest number of files of a source.
pub(super) const FILES_MAX: usize = 100_000;

/// What is wrong with the files of a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesFault {
    /// No file matches the glob.
    #[error("matches no file")]
    NoMatch,
    /// The folder contains no files.
    #[error("is a folder that holds no file; names that begin with _ or . are skipped")]
    NoFiles,
    /// The list names no file.
    #[error("names no file")]
    EmptyList,
    /// There are too many files, or folders are nested too deeply.
    #[error("holds more than {FILES_MAX} files or folders more than {DEPTH_MAX} deep")]
    TooMany,
    /// A file is named twice, in the same or another way.
    #[error("is named twice; its rows would be read twice")]
    Twice,
    /// A file has another format than the first one.
    #[error("is of another format than {first}; all files of a source are of one")]
    OtherFormat {
        /// The path of the first file.
        first: String,
    },
    /// A file has other columns than the first one.
    #[error(
        "has other columns than {first}: it lacks {lacks} of them and has {more} others; all files of a source have the same"
    )]
    OtherColumns {
        /// The path of the first file.
        first: String,
        /// The number of columns of the first file that are missing here.
        lacks: usize,
        /// The number of columns here that are missing in the first file.
        more: usize,
    },
    /// A column has another type than in the first file.
    #[error("column {column} holds {found}, and {wanted} in {first}")]
    OtherType {
        /// The path of the first file.
        first: String,
        /// The number of the column, counted from 1.
        column: usize,
        /// The column's type in this file.
        found: String,
        /// The column's type in the first file.
        wanted: String,
    },
    /// The folders of a file have other keys than those of the first one.
    #[error("has other keys in the names of its folders than {first}")]
    OtherKeys {
        /// The path of the first file.
        first: String,
    },
    /// A key in the name of a folder is not valid UTF-8.
    #[error("has a key in the names of its folders that is not UTF-8")]
    KeyEncoding,
}
