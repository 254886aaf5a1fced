//! The reasons why a source cannot be read, as facts.
//!
//! Promises that messages contain no value of a source and no words of a
//! library. Names of columns appear only if the header is known to be one.

mod packing;

use super::files::FilesFault;
use super::place::RowPlace;
use super::postgres::PostgresFault;
use super::sheet::SheetFault;
use crate::query::terms::source::Encoding;
use std::fmt;

pub use self::packing::Packing;

/// The reason why a source cannot be read: which file, where in it, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// The file, or a description that stands for a database.
    pub path: String,
    /// The place in the file, if the fault concerns a single row or line.
    pub place: Option<RowPlace>,
    /// What is wrong with the source.
    pub fault: SourceFault,
}

impl fmt::Display for SourceError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.path)?;
        if let Some(place) = &self.place {
            write!(out, ", {place}")?;
        }
        write!(out, ": {}", self.fault)
    }
}

impl std::error::Error for SourceError {}

impl SourceError {
    pub(super) fn new(path: impl Into<String>, fault: impl Into<SourceFault>) -> Self {
        Self { path: path.into(), place: None, fault: fault.into() }
    }

    pub(super) fn at(path: impl Into<String>, place: RowPlace, fault: impl Into<SourceFault>) -> Self {
        Self { path: path.into(), place: Some(place), fault: fault.into() }
    }

    /// Whether the file system or the network is at fault, rather than the contents or the description of the source.
    #[must_use]
    pub fn is_of_the_system(&self) -> bool {
        match &self.fault {
            SourceFault::Unreadable(_) => true,
            SourceFault::Postgres(fault) => fault.is_of_the_system(),
            _ => false,
        }
    }
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// The format cannot be told from the file's name.
    #[error(
        "the name tells no known format; accepted are .csv, .tsv, .tab and .txt (also .gz and .zst), .parquet, .pq, .arrow, .arrows, .ipc, \
         .feather and .xlsx"
    )]
    UnknownFormat,
    /// The file does not exist, or may not be read.
    #[error("cannot be read: {}", crate::files::because(*.0))]
    Unreadable(std::io::ErrorKind),
    /// The bytes are not in the expected format.
    #[error("is not a readable {format} file (damaged, cut short, or of another format){}", after(*rows))]
    Malformed {
        /// The format's name, like `Parquet`.
        format: &'static str,
        /// The number of rows read before the fault, if reading had begun.
        rows: Option<u64>,
    },
    /// A column has a type that no reader here knows.
    #[error("{column} holds a type that is not read here: {found}")]
    UnreadType {
        /// The column, as `column 3` or `column "age"`.
        column: String,
        /// The name of the type.
        found: String,
    },
    /// Some column has a type that no reader here knows, and the library does not say which.
    #[error("holds a column of a type that is not read here, such as a list view")]
    UnreadTypes,
    /// The columns differ from those that the file had when it was opened.
    #[error("has other columns than when it was opened; something writes to it")]
    Changed,
    /// A wanted column is missing.
    #[error("has no column \"{wanted}\"{}", seen)]
    MissingColumn {
        /// The name that was wanted.
        wanted: String,
        /// What the message may say about the columns that exist.
        seen: KnownColumns,
    },
    /// A wanted column exists twice.
    #[error("has two columns named \"{wanted}\"; rename one of them")]
    SameName {
        /// The name that was wanted.
        wanted: String,
    },
    /// Two columns have the same name.
    #[error("columns {first} and {second} have the same name; rename one of them")]
    SameNames {
        /// The number of the first of them, counted from 1.
        first: usize,
        /// The number of the second, counted from 1.
        second: usize,
    },
    /// Several columns could be meant.
    #[error("columns {} could all be \"{wanted}\"; write source = \"…\" with the exact name", list(columns))]
    Ambiguous {
        /// The name that was wanted.
        wanted: String,
        /// The numbers of the columns that match, counted from 1.
        columns: Vec<usize>,
    },
    /// A wanted name is both a key in the path and a column of the files.
    #[error("\"{wanted}\" is a column of the files and a key in the names of their folders; rename one of them")]
    KeyAndColumn {
        /// The name that was wanted.
        wanted: String,
    },
    /// A fault of the files as a whole.
    #[error(transparent)]
    Files(#[from] FilesFault),
    /// A fault of a text file.
    #[error(transparent)]
    Text(#[from] TextFault),
    /// A fault of a workbook.
    #[error(transparent)]
    Sheet(#[from] SheetFault),
    /// A fault of a database or a query.
    #[error(transparent)]
    Postgres(#[from] PostgresFault),
}

/// What a message may say about the columns of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownColumns {
    /// Their names: a schema has them, or another wanted column proves that the first line is a header.
    Names(Vec<String>),
    /// Only their number, and a separator that occurs in the name if there is just one column: the first line may hold a person's data.
    Count(usize, Option<u8>),
}

/// The largest number of names that a message shows.
const NAMES_SHOWN_MAX: usize = 40;

impl fmt::Display for KnownColumns {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Names(names) => {
                let shown: Vec<_> = names.iter().take(NAMES_SHOWN_MAX).map(|name| format!("{name:?}")).collect();
                write!(out, "; its columns are {}", shown.join(", "))?;
                match names.len().saturating_sub(NAMES_SHOWN_MAX) {
                    0 => Ok(()),
                    more => write!(out, " and {more} more"),
                }
            }
            Self::Count(1, Some(separator)) => write!(
                out,
                "; its first line is one column that holds {}; if that separates columns, write separator = \"{}\"",
                byte_name(*separator),
                separator.escape_ascii()
            ),
            Self::Count(count, _) => write!(
                out,
                ", nor any other wanted one; its first line has {}, and a file whose first line is no header needs header = false",
                counted(*count, "column")
            ),
        }
    }
}

/// The reason why a text file is not a valid table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Every line is empty.
    #[error("holds nothing, not even a header")]
    Empty,
    /// A line has another number of fields than the header.
    #[error("has {}, and the header has {wanted}{hint}", counted(*found, "field"))]
    Fields {
        /// The number of fields in the line.
        found: usize,
        /// The number of fields in the header.
        wanted: usize,
        /// The likely cause.
        hint: FieldsHint,
    },
    /// A line repeats the header.
    #[error("is the header once more; files that were put behind each other are a list of files, or a folder")]
    HeaderAgain,
    /// A quote occurs in a value that began without one.
    #[error(
        "a quote stands inside a value without quotes; accepted is a value in quotes with every quote in it doubled, or quoted = false where \
         quotes are ordinary characters"
    )]
    QuoteInside,
    /// Something stands between a closing quote and the next separator.
    #[error(
        "something stands behind the closing quote of a value; accepted is a separator or the line's end, and a quote inside of a value is doubled"
    )]
    BehindQuote,
    /// A quote is never closed.
    #[error("a value opens with a quote that is never closed")]
    Unclosed,
    /// A line break occurs within quotes.
    #[error(
        "the value of column {column} opens with a quote and holds a line end: either a closing quote is missing, or the column is a text of several \
         lines, which multiline = true allows"
    )]
    LineEnd {
        /// The number of the column, counted from 1.
        column: usize,
    },
    /// Some bytes are not characters of the encoding.
    #[error("holds bytes that are not {}{}", .0.name(), other(*.0))]
    Encoding(Encoding),
    /// The byte-order mark at the start belongs to another encoding than the policy says.
    #[error("begins with the byte-order mark of {found}, and the policy says encoding = \"{}\"", wanted.name())]
    Mark {
        /// The encoding of the mark.
        found: &'static str,
        /// The encoding that the policy says.
        wanted: Encoding,
    },
    /// The byte order of UTF-16 cannot be determined.
    #[error("does not tell its byte order; accepted is UTF-16 with a byte-order mark")]
    ByteOrder,
    /// The file is in UTF-32, which is not read.
    #[error("begins with the byte-order mark of UTF-32; accepted are UTF-8, UTF-16, Latin-1 and Windows-1252")]
    Utf32,
    /// The text contains a NUL character.
    #[error("holds a NUL character; a file in UTF-16 without a byte-order mark needs encoding = \"utf-16\"")]
    Nul,
    /// A carriage return occurs without a line feed.
    #[error("holds a carriage return without a line feed; accepted line ends are LF and CR LF")]
    LoneCarriageReturn,
    /// A row is too long to be held in memory; holds the limit in bytes.
    #[error("is longer than {} MiB; no row of a table is", .0 >> 20)]
    LongLine(usize),
    /// This byte cannot be a separator.
    #[error("cannot be separated by {}; accepted is one ASCII character that is no quote, letter, digit or line end", byte_name(*.0))]
    Separator(u8),
    /// Neither the file's name nor its first line tells the separator.
    #[error("its first line does not tell what separates columns; write separator = \",\", \";\", \"\\t\" or \"|\"")]
    NoSeparator,
    /// The name and the bytes disagree on how the file is compressed.
    #[error("{}", packing(*named, *found))]
    Packing {
        /// The compression that the name says.
        named: Packing,
        /// The compression that the bytes show.
        found: Packing,
    },
    /// A compressed file cannot be decompressed.
    #[error("is a {} file that is damaged or cut short", .0.name())]
    Packed(Packing),
    /// Something follows the end of a compressed file.
    #[error("has garbage behind the gzip stream; accepted are further gzip streams and zero bytes")]
    Garbage,
}

/// The likely cause of a wrong number of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldsHint {
    /// The cause is unknown.
    Unknown,
    /// The first row has one field more than the header.
    RowNames,
    /// The last field is empty.
    TrailingSeparator,
    /// The line has several fields, and the header has only one.
    Separator,
}

impl fmt::Display for FieldsHint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => Ok(()),
            Self::RowNames => out.write_str(
                "; R's write.table writes row names without a name for their column: row.names = FALSE or col.names = NA mends that",
            ),
            Self::TrailingSeparator => out.write_str("; a separator stands at the line's end"),
            Self::Separator => out.write_str("; is the separator another one?"),
        }
    }
}

fn packing(named: Packing, found: Packing) -> String {
    match (named, found) {
        (_, Packing::Other) => {
            "is packed in a way that is not read; accepted are plain files, gzip and zstd".to_owned()
        }
        (Packing::Plain, found) => {
            format!(
                "is packed by {}, and its name does not say so; name it like visits.csv.gz or visits.csv.zst",
                found.name()
            )
        }
        (named, found) => format!("is {} by its name, and {} by its bytes", named.name(), found.name()),
    }
}

fn other(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => {
            "; if it was written in another encoding, write encoding = \"windows-1252\", \"latin-1\" or \"utf-16\""
        }
        Encoding::Latin1 => "; if it was written on Windows, write encoding = \"windows-1252\"",
        Encoding::Utf16 | Encoding::Windows1252 => "",
    }
}

fn after(rows: Option<u64>) -> String {
    rows.map_or_else(String::new, |rows| format!(", after {}", counted(rows, "row")))
}

fn counted(count: impl fmt::Display, one: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {one}{ending}")
}

fn list(numbers: &[usize]) -> String {
    let texts: Vec<_> = numbers.iter().map(usize::to_string).collect();
    match texts.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => texts.join(""),
    }
}

fn byte_name(byte: u8) -> String {
    match byte {
        b'\t' => "a tab".to_owned(),
        b';' => "a semicolon".to_owned(),
        b',' => "a comma".to_owned(),
        b'|' => "a vertical bar".to_owned(),
        other => format!("\"{}\"", other.escape_ascii()),
    }
}
