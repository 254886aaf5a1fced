//! Where a table is read from and how its text is written.
//!
//! Promises plain values without any check: [`super::Source::open`] refuses what cannot be read.

use std::path::{Path, PathBuf};

/// Where a table is read from and how its text is written. The policy makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Files or a database.
    pub from: From,
    /// The byte between two fields of a text file. `None`: a comma in `.csv`, a tab in `.tsv` and `.tab`, and in `.txt` the only
    /// candidate that its header holds.
    pub separator: Option<u8>,
    /// What stands between whole and fraction of a number in a text file. Used by the encoder.
    pub decimal: Decimal,
    /// How the characters of a text file are written. `None`: UTF-8, or UTF-16 behind its byte-order mark.
    pub encoding: Option<Encoding>,
    /// Whether the first line of a text file, or the first row of a sheet, names the columns. Without: `column_1`, `column_2`, …
    pub header: bool,
    /// Whether double quotes enclose values of a text file; otherwise they are ordinary characters.
    pub quoted: bool,
    /// Names of columns of a text file that nobody declares and that may hold line ends within quotes.
    pub multiline: Vec<String>,
    /// The time zone, by its IANA name, of date-times that carry only UTC. Used by the encoder.
    pub time_zone: Option<String>,
    /// The sheet of an Excel workbook. `None`: the only visible sheet that is not empty.
    pub sheet: Option<String>,
}

impl Spec {
    /// A file, folder or glob with the defaults of its format.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self {
            from: From::Path(path.to_owned()),
            separator: None,
            decimal: Decimal::Point,
            encoding: None,
            header: true,
            quoted: true,
            multiline: Vec::new(),
            time_zone: None,
            sheet: None,
        }
    }
}

/// Where the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A file, a folder of files, or a glob like `visits/**/*.parquet`.
    Path(PathBuf),
    /// Several of them, read in this order.
    Files(Vec<PathBuf>),
    /// What a query of a PostgreSQL database returns.
    Postgres {
        /// A connection string of libpq, as keywords (`host=db dbname=clinic user=tacit`) or as a URI, without a password.
        connection: String,
        /// One SELECT statement.
        query: String,
    },
}

/// What stands between whole and fraction of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimal {
    /// `6.5`.
    Point,
    /// `6,5`.
    Comma,
}

/// How the characters of a text file are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, in the byte order that its mark or its first characters tell.
    Utf16,
    /// ISO 8859-1.
    Latin1,
    /// Windows code page 1252.
    Windows1252,
}

impl Encoding {
    /// Its name in a policy and in messages.
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
