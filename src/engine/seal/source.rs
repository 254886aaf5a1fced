//! Sources of a table: files of text, Parquet, Arrow and Excel, folders of them, and PostgreSQL queries.
//!
//! Promises that a source is read piece by piece, wanted columns only, in bounded memory; that a value or a name that could be read in two
//! ways is refused with its place; and that neither a value nor a library's words stand in a message.

mod spec;
mod place;
mod fault;
mod names;
mod format;
mod digest;
mod text;
mod schema;
mod parquet;
mod arrow;
mod sheet;
mod postgres;
mod files;
mod part;

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use polars::prelude::{DataType, Series};

use digest::Tally;
pub use fault::{Fault, FieldsHint, Packing, Seen, SourceError, TextFault};
pub use files::FilesFault;
pub use format::Format;
pub use names::{Wanted, normalised};
use part::Part;
pub use place::{Place, Places, Spot};
pub use postgres::PostgresFault;
pub use sheet::SheetFault;
pub use spec::{Decimal, Encoding, From, Spec};

/// Rows of one batch.
const BATCH_ROWS: usize = 65_536;
/// Batches that wait for their taker at the most.
const BATCHES_WAITING_MAX: usize = 2;

/// A column of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name as the source has it.
    pub name: String,
    /// Its type: texts in every text format, [`DataType::Unknown`] for what is not read.
    pub dtype: DataType,
    /// The type in words, for messages.
    pub kind: String,
}

impl Column {
    fn new(name: impl Into<String>, dtype: DataType) -> Self {
        let kind = dtype.to_string();
        Self { name: name.into(), dtype, kind }
    }

    /// Whether it holds a type that is not read here.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        matches!(self.dtype, DataType::Unknown(_))
    }
}

/// Some rows of the wanted columns.
#[derive(Debug, Clone)]
pub struct Batch {
    /// One series a wanted column, in the order in which they were wanted.
    pub columns: Vec<Series>,
    /// Where its rows stand.
    pub places: Places,
}

/// What was read of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Rows; a header and blank lines are none.
    pub rows: u64,
    /// Bytes of the files as they are stored; 0 for a database.
    pub bytes: u64,
    /// Lines of text files, the header's included.
    pub lines: u64,
    /// Lines that hold nothing.
    pub blank_lines: u64,
    /// Values of text files that hold line ends.
    pub multiline_values: u64,
    /// The BLAKE3 digest of the files' bytes as they are stored, in the order in which they were read; `None` for a database.
    pub digest: Option<String>,
}

/// A readable source.
#[derive(Debug, Clone)]
pub struct Source {
    shown: String,
    /// Those of the files, and behind them the keys in the names of their folders.
    columns: Vec<Column>,
    keys: usize,
    parts: Arc<[Part]>,
    /// Whether a wanted column was found, so that the first line is known to be a header.
    is_proven: Arc<AtomicBool>,
}

impl Source {
    /// Looks at a source's format and columns.
    ///
    /// # Errors
    /// [`SourceError`]; no value of the source is in it.
    pub fn open(spec: &Spec) -> Result<Self, SourceError> {
        Self::open_with(spec, &|name| std::env::var_os(name))
    }

    /// [`Source::open`] with an environment that is given: a database's password may stand in it.
    ///
    /// # Errors
    /// Those of [`Source::open`].
    pub fn open_with(spec: &Spec, environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, SourceError> {
        let parts = match &spec.from {
            From::Postgres { connection, query } => vec![Part::query(connection, query, environment)?],
            From::Path(_) | From::Files(_) => {
                let (found, several) = files::files(&spec.from)?;
                found.into_iter().map(|found| Part::open(found, spec, several)).collect::<Result<_, _>>()?
            }
        };
        let (columns, keys, parts) = part::aligned(parts)?;
        let (shown, is_proven) = (shown(&spec.from), Arc::default());
        Ok(Self { shown, columns, keys, parts: parts.into(), is_proven })
    }

    /// Names and types of all columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Whether it is text with a separator: every value is a text, and places are lines.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.parts.iter().all(Part::is_text)
    }

    /// What messages call it: its path, or `PostgreSQL query`.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shown.clone()
    }

    /// The column that a policy means.
    ///
    /// With `source` the one of exactly this name, else of this name between blanks. Without, the one of the identifier itself; else the
    /// only one whose name is the same but for case and blanks around it; else the only one whose [`normalised`] name it is.
    ///
    /// # Errors
    /// [`Fault::MissingColumn`], [`Fault::SameName`], [`Fault::Ambiguous`] or [`Fault::UnreadType`].
    pub fn find(&self, wanted: &Wanted<'_>) -> Result<usize, SourceError> {
        let found = self.lookup(wanted)?;
        let place = found.ok_or_else(|| self.fault(self.missing(wanted)))?;
        self.is_proven.store(true, Ordering::Relaxed);
        let column = &self.columns[place];
        if column.is_unread() {
            let named = format!("column \"{}\"", wanted.word());
            return Err(self.fault(Fault::UnreadType { column: named, found: column.kind.clone() }));
        }
        Ok(place)
    }

    /// [`Source::find`] of all: an error about one of them may show the header's names if another is there.
    ///
    /// # Errors
    /// Those of [`Source::find`], and [`Fault::SameNames`] where two other columns have one name.
    pub fn find_all(&self, wanted: &[Wanted<'_>]) -> Result<Vec<usize>, SourceError> {
        if wanted.iter().any(|wanted| matches!(self.lookup(wanted), Ok(Some(_)))) {
            self.is_proven.store(true, Ordering::Relaxed);
        }
        let places = wanted.iter().map(|wanted| self.find(wanted)).collect::<Result<_, _>>()?;
        self.refuse_twins()?;
        Ok(places)
    }

    /// Gives every batch of the wanted columns to `taker`, in the order of the source, until it returns an error. A wanted column is its place
    /// in [`Source::columns`], and whether its values may hold line ends in quotes.
    ///
    /// # Errors
    /// [`SourceError`] where the source cannot be read on, or the taker's error.
    pub fn batches<E: std::convert::From<SourceError>>(
        &self,
        wanted: &[(usize, bool)],
        mut taker: impl FnMut(Batch) -> Result<(), E>,
    ) -> Result<Read, E> {
        self.refuse_twins()?;
        self.refuse_unread(wanted)?;
        let (send, receive) = sync_channel(BATCHES_WAITING_MAX);
        thread::scope(|scope| {
            let reader = scope.spawn(move || self.read(wanted, &mut |batch| send.send(batch).is_ok()));
            let taken = receive.iter().try_for_each(&mut taker);
            // A reader that still has something to give ends when nobody takes it.
            drop(receive);
            let read = reader.join();
            taken?;
            read.unwrap_or_else(|_| Err(self.fault(Fault::Malformed { format: "source", rows: None }))).map_err(E::from)
        })
    }

    fn read(
        &self,
        wanted: &[(usize, bool)],
        give: &mut (dyn FnMut(Batch) -> bool + Send),
    ) -> Result<Read, SourceError> {
        let (mut read, mut tally, mut goes_on) = (Read::default(), Tally::default(), true);
        for part in self.parts.iter() {
            let give = &mut |batch: Batch| {
                goes_on = give(batch);
                goes_on
            };
            part.read(wanted, &mut tally, &mut read, give)?;
            if !goes_on {
                break;
            }
        }
        let digest = self.parts.iter().all(Part::is_file).then(|| tally.digest());
        Ok(Read { bytes: tally.bytes(), digest, ..read })
    }

    fn lookup(&self, wanted: &Wanted<'_>) -> Result<Option<usize>, SourceError> {
        let (columns, keys) = self.columns.split_at(self.columns.len() - self.keys);
        let find = |columns: &[Column]| {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            names::find(&names, wanted).map_err(|fault| self.fault(fault))
        };
        match (find(columns)?, find(keys)?) {
            (Some(_), Some(_)) => Err(self.fault(Fault::KeyAndColumn { wanted: wanted.word().to_owned() })),
            (Some(place), None) => Ok(Some(place)),
            (None, key) => Ok(key.map(|place| columns.len() + place)),
        }
    }

    fn missing(&self, wanted: &Wanted<'_>) -> Fault {
        let wanted = wanted.word().to_owned();
        let is_header = !self.parts.iter().any(Part::is_headed) || self.is_proven.load(Ordering::Relaxed);
        let seen = if is_header {
            Seen::Names(self.columns.iter().map(|column| column.name.clone()).collect())
        } else {
            Seen::Count(self.columns.len() - self.keys, self.parts.first().and_then(Part::other_separator))
        };
        Fault::MissingColumn { wanted, seen }
    }

    fn refuse_unread(&self, wanted: &[(usize, bool)]) -> Result<(), SourceError> {
        match wanted.iter().find(|(place, _)| self.columns[*place].is_unread()) {
            None => Ok(()),
            Some((place, _)) => {
                let (column, found) = (format!("column {}", place + 1), self.columns[*place].kind.clone());
                Err(self.fault(Fault::UnreadType { column, found }))
            }
        }
    }

    fn refuse_twins(&self) -> Result<(), SourceError> {
        let columns = &self.columns[..self.columns.len() - self.keys];
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        match names::first_twins(&names) {
            None => Ok(()),
            Some((first, second)) => Err(self.fault(Fault::SameNames { first, second })),
        }
    }

    fn fault(&self, fault: Fault) -> SourceError {
        SourceError::new(self.shown(), fault)
    }
}

fn shown(from: &From) -> String {
    match from {
        From::Path(path) => path.display().to_string(),
        From::Files(paths) => match paths.as_slice() {
            [] => "source".to_owned(),
            [only] => only.display().to_string(),
            [first, second] => format!("{} and {}", first.display(), second.display()),
            [first, ..] => format!("{} and {} others", first.display(), paths.len() - 1),
        },
        From::Postgres { .. } => postgres::SHOWN.to_owned(),
    }
}

#[cfg(test)]
#[path = "source/source_tests.rs"]
mod tests;
