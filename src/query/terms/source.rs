//! Describes where a table is read from and how its text is written.
//!
//! Promises plain values without any check: [`crate::engine::seal::source::Source::open`] refuses what cannot be read.

use std::path::{Path, PathBuf};

/// Where a table is read from and how its text is written, as a policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// The files or the database that hold the rows.
    pub from: SourceLocation,
    /// The byte between two fields of a text file. `None` means a comma in `.csv`, a tab
    /// in `.tsv` and `.tab`, and in `.txt` the only candidate that occurs in the header.
    pub separator: Option<u8>,
    /// The decimal sign of numbers in a text file. Used by the encoder.
    pub decimal: DecimalMark,
    /// The encoding of a text file. `None` means UTF-8, or UTF-16 if there is its byte-order mark.
    pub encoding: Option<Encoding>,
    /// Whether the first line of a text file, or the first row of a sheet,
    /// names the columns. Otherwise they are named `column_1`, `column_2`, …
    pub header: bool,
    /// Whether double quotes enclose values of a text file; otherwise they are ordinary characters.
    pub quoted: bool,
    /// The names of undeclared columns of a text file whose values may contain line breaks within quotes.
    pub multiline: Vec<String>,
    /// The time zone, by its IANA name, of date-times that carry only UTC. Used by the encoder.
    pub time_zone: Option<String>,
    /// The sheet of an Excel workbook. `None` means the only visible sheet that is not empty.
    pub sheet: Option<String>,
}

impl SourceSpec {
    /// A file, folder or glob with the defaults of its format.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self {
            from: SourceLocation::Path(path.to_owned()),
            separator: None,
            decimal: DecimalMark::Point,
            encoding: None,
            header: true,
            quoted: true,
            multiline: Vec::new(),
            time_zone: None,
            sheet: None,
        }
    }
}

/// Where the rows of a table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceLocation {
    /// A file, a folder of files, or a glob like `visits/**/*.parquet`.
    Path(PathBuf),
    /// Several of these, read in this order.
    Files(Vec<PathBuf>),
    /// The result of a query of a PostgreSQL database.
    Postgres {
        /// A connection string of libpq, as keywords (`host=db dbname=clinic user=tacit`) or as a URI, without a password.
        connection: String,
        /// A single SELECT statement.
        query: String,
    },
}

/// The decimal sign between the whole part and the fraction of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalMark {
    /// A point, as in `6.5`.
    Point,
    /// A comma, as in `6,5`.
    Comma,
}

/// The encoding of a text file's characters as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The encoding UTF-8.
    Utf8,
    /// UTF-16, in the byte order that its mark or its first characters show.
    Utf16,
    /// ISO 8859-1, also known as Latin-1.
    Latin1,
    /// Windows code page 1252.
    Windows1252,
}

impl Encoding {
    /// The encoding's name in a policy and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Latin1 => "latin-1",
            Self::Windows1252 => "windows-1252",
        }
    }
}
