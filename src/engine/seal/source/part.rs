//! One file of a source, with its columns put into the order of the first file's.
//!
//! Promises that all files of a source have the same columns by name, with types that are read alike.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use polars::prelude::{DataType, IntoSeries, Series, StringChunkedBuilder};

use super::batch::{Batch, Read, SourceColumn};
use super::digest::SourceDigest;
use super::fault::{SourceError, SourceFault};
use super::files::{FilesFault, SourceFile};
use super::format::SourceFormat;
use super::names::first_twins;
use super::postgres::{self, Environment, PostgresSource};
use super::{arrow, parquet, sheet, text};
use crate::query::terms::source::SourceSpec;

/// A file, and how it is read.
#[derive(Debug)]
pub(super) struct Part {
    file: SourceFile,
    /// The file's format; `None` for a query.
    format: Option<SourceFormat>,
    /// The file's name in places, if the source has several files.
    named: Option<Arc<str>>,
    table: Table,
    columns: Vec<SourceColumn>,
    /// For each column of the source, the index of the file's own column.
    order: Vec<usize>,
}

#[derive(Debug)]
enum Table {
    Text(text::TextSource),
    Parquet(parquet::ParquetSource),
    Arrow(arrow::ArrowSource),
    Sheet(sheet::SheetSource),
    Postgres(PostgresSource),
}

impl Part {
    pub(super) fn open(file: SourceFile, spec: &SourceSpec, several: bool) -> Result<Self, SourceError> {
        let path = &file.path;
        let shown = path.display().to_string();
        let format = SourceFormat::of(path).ok_or_else(|| SourceError::new(&shown, SourceFault::UnknownFormat))?;
        let texts = |name: &String| SourceColumn::new(name, DataType::String);
        let (table, columns): (Table, Vec<SourceColumn>) = match format {
            SourceFormat::Text { separator, packing } => {
                let table = text::TextSource::open(path, (separator, packing), spec)?;
                let columns = table.names().iter().map(texts).collect();
                (Table::Text(table), columns)
            }
            SourceFormat::Sheet => {
                let table = sheet::SheetSource::open(path, spec)?;
                let columns = table.names().iter().map(texts).collect();
                (Table::Sheet(table), columns)
            }
            SourceFormat::Parquet => {
                let table = parquet::ParquetSource::open(path)?;
                let columns = table.columns().to_vec();
                (Table::Parquet(table), columns)
            }
            SourceFormat::Arrow => {
                let table = arrow::ArrowSource::open(path)?;
                let columns = table.columns().to_vec();
                (Table::Arrow(table), columns)
            }
        };
        let (named, order) = (several.then(|| shown.into()), (0..columns.len()).collect());
        Ok(Self { file, format: Some(format), named, table, columns, order })
    }

    /// Opens a query instead of a file.
    pub(super) fn query(connection: &str, query: &str, environment: Environment<'_>) -> Result<Self, SourceError> {
        let query = PostgresSource::open(connection, query, environment)?;
        let columns = query.columns().to_vec();
        let file = SourceFile { path: postgres::SHOWN.into(), keys: Vec::new() };
        let order = (0..columns.len()).collect();
        Ok(Self { file, format: None, named: None, table: Table::Postgres(query), columns, order })
    }

    pub(super) fn is_file(&self) -> bool {
        self.format.is_some()
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.table, Table::Text(_))
    }

    /// Whether the column names come from a first line, which might not be a header.
    pub(super) fn is_headed(&self) -> bool {
        match &self.table {
            Table::Text(table) => table.has_header(),
            Table::Sheet(table) => table.has_header(),
            Table::Parquet(_) | Table::Arrow(_) | Table::Postgres(_) => false,
        }
    }

    /// A separator that occurs in the header although it is a single column.
    pub(super) fn other_separator(&self) -> Option<u8> {
        match &self.table {
            Table::Text(table) => table.other_separator(),
            Table::Parquet(_) | Table::Arrow(_) | Table::Sheet(_) | Table::Postgres(_) => None,
        }
    }

    /// Passes batches of the source's wanted columns to `give` until it returns false.
    pub(super) fn read(
        &self,
        wanted: &[(usize, bool)],
        tally: &mut SourceDigest,
        read: &mut Read,
        give: &mut (dyn FnMut(Batch) -> bool + Send),
    ) -> Result<(), SourceError> {
        let (own, origins) = self.own(wanted);
        let places: Vec<usize> = own.iter().map(|(place, _)| *place).collect();
        let ended = AtomicBool::new(false);
        let mut give = |batch: Batch| {
            let rows = batch.places.rows();
            let series = origins.iter().map(|origin| match origin {
                Origin::Column(place) => batch.columns[*place].clone(),
                Origin::Key(place) => repeated(self.file.keys[*place].1.as_deref(), rows),
            });
            let goes_on = give(Batch { columns: series.collect(), places: batch.places.within(self.named.clone()) });
            ended.fetch_or(!goes_on, Ordering::Relaxed);
            goes_on
        };
        match &self.table {
            Table::Text(table) => table.read(&own, tally, read, &mut give),
            Table::Parquet(table) => self.beside_digest(tally, &ended, || table.read(&places, read, &mut give)),
            Table::Arrow(table) => self.beside_digest(tally, &ended, || table.read(&places, read, &mut give)),
            Table::Sheet(table) => self.beside_digest(tally, &ended, || table.read(&places, read, &mut give)),
            Table::Postgres(query) => query.read(&places, read, &mut give),
        }
    }

    /// The file's own columns that are wanted, each once, and where each wanted column of the source comes from.
    fn own(&self, wanted: &[(usize, bool)]) -> (Vec<(usize, bool)>, Vec<Origin>) {
        let mut own: Vec<(usize, bool)> = Vec::new();
        let mut origins = Vec::new();
        for (place, multiline) in wanted {
            let Some(column) = self.order.get(*place) else {
                origins.push(Origin::Key(*place - self.order.len()));
                continue;
            };
            let known = own.iter().position(|(known, _)| known == column).unwrap_or_else(|| {
                own.push((*column, false));
                own.len() - 1
            });
            own[known].1 |= multiline;
            origins.push(Origin::Column(known));
        }
        if own.is_empty() {
            // At least one column must be read to count the rows.
            own.extend(self.columns.iter().position(|column| !column.is_unread()).map(|place| (place, false)));
        }
        (own, origins)
    }

    /// Reads the file while its bytes are digested; digesting stops once `ended` says that nobody takes what is read.
    fn beside_digest(
        &self,
        tally: &mut SourceDigest,
        ended: &AtomicBool,
        read: impl FnOnce() -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let failed = |kind| SourceError::new(self.shown(), SourceFault::Unreadable(kind));
        thread::scope(|scope| {
            let digest = scope.spawn(|| tally.file(&self.file.path, ended));
            let done = read();
            ended.fetch_or(done.is_err(), Ordering::Relaxed);
            done?;
            match digest.join() {
                Ok(digest) => digest.map_err(|error| failed(error.kind())),
                Err(_) => Err(failed(std::io::ErrorKind::Other)),
            }
        })
    }

    /// Puts the file's columns into the order of the first file's.
    fn align(&mut self, first: &str, columns: &[SourceColumn]) -> Result<(), SourceError> {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let own: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        if names != own {
            let places: HashMap<&str, usize> = own.iter().enumerate().map(|(place, name)| (*name, place)).collect();
            let lacks = names.iter().filter(|name| !places.contains_key(*name)).count();
            let more = own.iter().filter(|name| !names.contains(name)).count();
            let is_distinct = places.len() == own.len() && first_twins(&names).is_none();
            if !is_distinct || lacks + more > 0 || names.len() != own.len() {
                return Err(self.fault(FilesFault::OtherColumns { first: first.to_owned(), lacks, more }));
            }
            self.order = names.iter().map(|name| places[name]).collect();
        }
        for (number, (column, place)) in columns.iter().zip(&self.order).enumerate() {
            let found = &self.columns[*place];
            if !is_alike(&found.dtype, &column.dtype) {
                let (found, wanted) = (found.kind.clone(), column.kind.clone());
                return Err(self.fault(FilesFault::OtherType {
                    first: first.to_owned(),
                    column: number + 1,
                    found,
                    wanted,
                }));
            }
        }
        Ok(())
    }

    fn shown(&self) -> String {
        self.file.path.display().to_string()
    }

    fn fault(&self, fault: FilesFault) -> SourceError {
        SourceError::new(self.shown(), fault)
    }
}

/// Where a wanted column comes from.
enum Origin {
    /// The index of a column among those that were read.
    Column(usize),
    /// The index of a key.
    Key(usize),
}

/// Aligns the columns of all files. Returns the columns, the number of keys at their end, and the files.
pub(super) fn aligned(mut parts: Vec<Part>) -> Result<(Vec<SourceColumn>, usize, Vec<Part>), SourceError> {
    let Some((head, rest)) = parts.split_first_mut() else { return Ok((Vec::new(), 0, parts)) };
    let (first, mut columns) = (head.shown(), head.columns.clone());
    for part in rest {
        if !part.format.zip(head.format).is_some_and(|(one, other)| one.is_like(other)) {
            return Err(part.fault(FilesFault::OtherFormat { first }));
        }
        let keys = |part: &Part| part.file.keys.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        if keys(part) != keys(head) {
            return Err(part.fault(FilesFault::OtherKeys { first }));
        }
        part.align(&first, &columns)?;
        for (column, place) in columns.iter_mut().zip(&part.order) {
            // A column that is null throughout a file does not tell its type.
            if column.dtype == DataType::Null {
                let found = &part.columns[*place];
                (column.dtype, column.kind) = (found.dtype.clone(), found.kind.clone());
            }
        }
    }
    let keys = head.file.keys.len();
    columns.extend(head.file.keys.iter().map(|(key, _)| SourceColumn::new(key, DataType::String)));
    Ok((columns, keys, parts))
}

/// Whether values of two types are read alike: numbers are, whatever type
/// holds them, and a column that is null throughout has no known type.
fn is_alike(one: &DataType, other: &DataType) -> bool {
    let is_number = |dtype: &DataType| dtype.is_primitive_numeric() || dtype.is_decimal();
    one == other || one == &DataType::Null || other == &DataType::Null || (is_number(one) && is_number(other))
}

fn repeated(value: Option<&str>, rows: usize) -> Series {
    let mut builder = StringChunkedBuilder::new("key".into(), rows);
    (0..rows).for_each(|_| builder.append_option(value));
    builder.finish().into_series()
}
