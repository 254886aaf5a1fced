//! Why a source cannot be read, as facts.
//!
//! Promises that no value of a source and no word of a library stands in a message: names of columns do where the header is known to be one.

use std::fmt;

use super::files::FilesFault;
use super::place::Place;
use super::postgres::PostgresFault;
use super::sheet::SheetFault;
use super::spec::Encoding;

/// Why a source cannot be read: which file, where in it, and what kind of fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// The file, or what stands for a database.
    pub path: String,
    /// Where in it, if the fault is of one row or line.
    pub place: Option<Place>,
    /// What is wrong.
    pub fault: Fault,
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
    pub(super) fn new(path: impl Into<String>, fault: impl Into<Fault>) -> Self {
        Self { path: path.into(), place: None, fault: fault.into() }
    }

    pub(super) fn at(path: impl Into<String>, place: Place, fault: impl Into<Fault>) -> Self {
        Self { path: path.into(), place: Some(place), fault: fault.into() }
    }

    /// Whether the file system or the network is at fault, and not what the source holds or how it is described.
    #[must_use]
    pub fn is_of_the_system(&self) -> bool {
        match &self.fault {
            Fault::Unreadable(_) => true,
            Fault::Postgres(fault) => fault.is_of_the_system(),
            _ => false,
        }
    }
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The name does not tell the format.
    #[error(
        "the name tells no known format; accepted are .csv, .tsv, .tab and .txt (also .gz and .zst), .parquet, .pq, .arrow, .arrows, .ipc, \
         .feather and .xlsx"
    )]
    UnknownFormat,
    /// There is no such file, or it may not be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// The bytes are not of the format.
    #[error("is not a readable {format} file (damaged, cut short, or of another format){}", after(*rows))]
    Malformed {
        /// The format's name.
        format: &'static str,
        /// How many rows were read before.
        rows: Option<u64>,
    },
    /// A column holds something that no reader here knows.
    #[error("{column} holds a type that is not read here: {found}")]
    UnreadType {
        /// The column, as `column 3` or `column "age"`.
        column: String,
        /// The type.
        found: String,
    },
    /// Some column holds something that no reader here knows, and a library does not say which.
    #[error("holds a column of a type that is not read here, such as a list view")]
    UnreadTypes,
    /// The columns are not those that the file had when it was opened.
    #[error("has other columns than when it was opened; something writes to it")]
    Changed,
    /// A wanted column is not there.
    #[error("has no column \"{wanted}\"{}", seen)]
    MissingColumn {
        /// What was wanted.
        wanted: String,
        /// What is there.
        seen: Seen,
    },
    /// A wanted column is there twice.
    #[error("has two columns named \"{wanted}\"; rename one of them")]
    SameName {
        /// What was wanted.
        wanted: String,
    },
    /// Two columns have one name.
    #[error("columns {first} and {second} have the same name; rename one of them")]
    SameNames {
        /// One of them, from 1.
        first: usize,
        /// The other, from 1.
        second: usize,
    },
    /// Several columns could be meant.
    #[error("columns {} could all be \"{wanted}\"; write source = \"…\" with the exact name", list(columns))]
    Ambiguous {
        /// What was wanted.
        wanted: String,
        /// Those that match, from 1.
        columns: Vec<usize>,
    },
    /// A key in the path has a wanted name that a column of the file has, too.
    #[error("\"{wanted}\" is a column of the files and a key in the names of their folders; rename one of them")]
    KeyAndColumn {
        /// What was wanted.
        wanted: String,
    },
    /// Something of the files as a whole.
    #[error(transparent)]
    Files(#[from] FilesFault),
    /// Something of a text file.
    #[error(transparent)]
    Text(#[from] TextFault),
    /// Something of a workbook.
    #[error(transparent)]
    Sheet(#[from] SheetFault),
    /// Something of a database.
    #[error(transparent)]
    Postgres(#[from] PostgresFault),
}

/// What a message may say about the columns that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Their names: a schema has them, or another wanted column proves that the first line is a header.
    Names(Vec<String>),
    /// Their number alone, and a separator that the only one of them holds: the first line may be a person's.
    Count(usize, Option<u8>),
}

/// Names that a message shows at the most.
const NAMES_SHOWN_MAX: usize = 40;

impl fmt::Display for Seen {
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

/// Why a text file is no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// No line holds anything.
    #[error("holds nothing, not even a header")]
    Empty,
    /// A line with another number of fields than the header.
    #[error("has {}, and the header has {wanted}{hint}", counted(*found, "field"))]
    Fields {
        /// How many.
        found: usize,
        /// How many there should be.
        wanted: usize,
        /// What is the likely cause.
        hint: FieldsHint,
    },
    /// A line that is the header's.
    #[error("is the header once more; files that were put behind each other are a list of files, or a folder")]
    HeaderAgain,
    /// A quote in a value that began without one.
    #[error(
        "a quote stands inside a value without quotes; accepted is a value in quotes with every quote in it doubled, or quoted = false where \
         quotes are ordinary characters"
    )]
    QuoteInside,
    /// Something between a closing quote and the next separator.
    #[error(
        "something stands behind the closing quote of a value; accepted is a separator or the line's end, and a quote inside of a value is doubled"
    )]
    BehindQuote,
    /// A quote that nothing closes.
    #[error("a value opens with a quote that is never closed")]
    Unclosed,
    /// A line end within quotes.
    #[error(
        "the value of column {column} opens with a quote and holds a line end: either a closing quote is missing, or the column is a text of several \
         lines, which multiline = true allows"
    )]
    LineEnd {
        /// The column, from 1.
        column: usize,
    },
    /// Bytes that no character is written as.
    #[error("holds bytes that are not {}{}", .0.name(), other(*.0))]
    Encoding(Encoding),
    /// The mark at its start is of another encoding than the policy says.
    #[error("begins with the byte-order mark of {found}, and the policy says encoding = \"{}\"", wanted.name())]
    Mark {
        /// What the mark says.
        found: &'static str,
        /// What the policy says.
        wanted: Encoding,
    },
    /// Nothing tells the byte order.
    #[error("does not tell its byte order; accepted is UTF-16 with a byte-order mark")]
    ByteOrder,
    /// UTF-32.
    #[error("begins with the byte-order mark of UTF-32; accepted are UTF-8, UTF-16, Latin-1 and Windows-1252")]
    Utf32,
    /// A character of no text.
    #[error("holds a NUL character; a file in UTF-16 without a byte-order mark needs encoding = \"utf-16\"")]
    Nul,
    /// A carriage return without a line feed.
    #[error("holds a carriage return without a line feed; accepted line ends are LF and CR LF")]
    LoneCarriageReturn,
    /// A row that would have to be held in memory whole.
    #[error("is longer than {} MiB; no row of a table is", .0 >> 20)]
    LongLine(usize),
    /// A separator that nothing could be separated by.
    #[error("cannot be separated by {}; accepted is one ASCII character that is no quote, letter, digit or line end", byte_name(*.0))]
    Separator(u8),
    /// A name that does not tell what separates.
    #[error("its first line does not tell what separates columns; write separator = \",\", \";\", \"\\t\" or \"|\"")]
    NoSeparator,
    /// The name says how it is packed, and the bytes say otherwise.
    #[error("{}", packing(*named, *found))]
    Packing {
        /// What the name says.
        named: Packing,
        /// What the bytes say.
        found: Packing,
    },
    /// A packed file that cannot be unpacked.
    #[error("is a {} file that is damaged or cut short", .0.name())]
    Packed(Packing),
    /// Bytes behind the end of a packed file.
    #[error("has garbage behind the gzip stream; accepted are further gzip streams and zero bytes")]
    Garbage,
}

/// The likely cause of a wrong number of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldsHint {
    /// Nothing is known.
    Unknown,
    /// The first row has one more than the header.
    RowNames,
    /// The last field is empty.
    TrailingSeparator,
    /// There is more than one, and the header has one.
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

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// By gzip.
    Gzip,
    /// By Zstandard.
    Zstd,
    /// In a way that is not read.
    Other,
}

impl Packing {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Other => "packed",
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
