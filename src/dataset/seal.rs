//! Sealing: from a source file to a bounded, integer-coded edition.
//!
//! Promises that each unit keeps at most the declared rows, in the order of a keyed hash of its id and the rows' values: other
//! units and positions in the file change nothing. A source that does not fit leaves nothing behind. The key is random and
//! forgotten; the report is for the steward alone.

mod joined;
mod report;
mod staging;
mod table;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use polars::prelude::{BooleanChunked, DataFrame, DataType, Series};

use super::domain::{Column, Domain};
use super::edition::{self, EDITIONS, Manifest};
use super::encode::{Encoder, NULL, WrongType, check_type};
use super::policy::Policy;
use super::source::{self, Fault, Source, SourceError, Spec, Wanted};
use super::spill::Spill;
use crate::chance;
pub use report::Report;
use staging::{STAGING, Staging, manifest, publish_all};
use table::TableWriter;

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A column has another type.
    #[error("{path}: column \"{column}\" holds {found}; a column of type {wanted} is read from {accepted}")]
    WrongType {
        /// The source.
        path: String,
        /// The column.
        column: String,
        /// The type in the source.
        found: String,
        /// The type in the policy.
        wanted: &'static str,
        /// What would be read.
        accepted: &'static str,
    },
    /// Values that are no value of the type.
    #[error(
        "{path}: column \"{column}\": {count} values are no {wanted}, the first in row {row}; mend the source or the policy"
    )]
    Unreadable {
        /// The source.
        path: String,
        /// The column.
        column: String,
        /// How many.
        count: u64,
        /// The type in the policy.
        wanted: &'static str,
        /// The first row, from 1 after a header.
        row: u64,
    },
    /// Missing values where the policy promises none.
    #[error(
        "{path}: column \"{column}\": {count} values are missing{unlisted}, and the policy does not say nullable = true; \
         mend the source or the policy"
    )]
    Nulls {
        /// The source.
        path: String,
        /// The column.
        column: String,
        /// How many.
        count: u64,
        /// How many of them the policy's list does not name, in words.
        unlisted: String,
    },
    /// Rows without a unit.
    #[error("{path}: {count} rows have no \"{column}\", which is the privacy unit; every row belongs to somebody")]
    NullUnits {
        /// The source.
        path: String,
        /// The unit's column.
        column: String,
        /// How many.
        count: u64,
    },
    /// More rows than were declared.
    #[error(
        "{path}: more than the declared max_rows = {rows_max} rows are kept; raise max_rows or lower max_rows_per_unit"
    )]
    TooManyRows {
        /// The source.
        path: String,
        /// The declared capacity.
        rows_max: u64,
    },
    /// More different texts than were declared.
    #[error(
        "{path}: column \"{column}\" has more than the declared max_values = {values_max} different texts; raise max_values or make it a category"
    )]
    TooManyValues {
        /// The source.
        path: String,
        /// The column.
        column: String,
        /// The declared capacity.
        values_max: u32,
    },
    /// The state directory cannot be written.
    #[error("{path}: cannot be written: {kind}")]
    Unwritable {
        /// The directory.
        path: String,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// No random key.
    #[error(transparent)]
    Chance(#[from] chance::NoChance),
}

impl From<io::Error> for SealError {
    fn from(error: io::Error) -> Self {
        Self::Unwritable { path: "the state directory".to_owned(), kind: error.kind() }
    }
}

/// Removes every edition but the `current` ones, and what a sealing that was killed left behind: old editions hold the rows of
/// people who have withdrawn since. Whoever calls holds the ledger, so that no server reads them.
///
/// # Errors
/// Those of the file system.
pub fn clear_superseded(state: &Path, current: &[String]) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(state.join(EDITIONS)) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_current = current.iter().any(|edition| edition == edition::of_dataset(&name));
        if (name.starts_with(STAGING) || name.starts_with("ed_")) && !is_current {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Looks whether a policy's source is there with the right columns, without reading a row.
///
/// # Errors
/// [`SealError`].
pub fn check_source(policy: &Policy) -> Result<(), SealError> {
    check_columns(policy, &Source::open(&Spec::file(&policy.source))?)?;
    joined::check_sources(policy)
}

/// Seals the policy's source into a new edition under `state`, with a random key that nobody keeps; `progress` is told
/// the rows read so far.
///
/// # Errors
/// [`SealError`]; then nothing is left behind.
pub fn seal(policy: &Policy, state: &Path, progress: &dyn Fn(u64)) -> Result<(Manifest, Report), SealError> {
    seal_with_key(policy, state, &chance::bytes()?, progress)
}

/// [`seal`] with a key that is given: equal keys keep equal rows of equal units, whatever other units there are.
///
/// # Errors
/// [`SealError`]; then nothing is left behind.
pub fn seal_with_key(
    policy: &Policy,
    state: &Path,
    key: &[u8; 32],
    progress: &dyn Fn(u64),
) -> Result<(Manifest, Report), SealError> {
    let source = Source::open(&Spec::file(&policy.source))?;
    check_columns(policy, &source)?;
    joined::check_sources(policy)?;
    let excluded = excluded_ids(policy)?;
    let edition = chance::id("ed")?;
    let editions = state.join(EDITIONS);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&editions)?;
    let staging = Staging::create(&editions, &edition)?;

    let tables = joined::read(policy, &excluded, key)?;
    let (spill, mut report, texts, tables) =
        spill_rows(policy, &source, &excluded, (&staging.dir, key, tables), progress)?;
    check_report(policy, &report)?;
    let mut of_tables = Vec::with_capacity(tables.len());
    for table in tables {
        of_tables.push(table.seal(policy, &editions, &edition, key)?);
    }
    let mut table = TableWriter::create(&staging.dir, &policy.terms, texts)?;
    let rows_per_unit = policy.terms.unit_column().map(|_| policy.terms.max_rows_per_unit as usize);
    spill.drain(rows_per_unit, |rows, cut| table.take(&rows, cut, policy))?;
    table.finish(&mut report)?;

    let tables: Vec<_> = of_tables.iter().map(|(name, manifest, _)| (name.clone(), manifest.commitment())).collect();
    let manifest = manifest(&staging, &edition, &policy.name, policy.terms.clone(), (report.rows_kept, tables))?;
    report.write(&staging.dir)?;
    let tables: Vec<_> = of_tables.iter().map(|(_, own, staging)| (staging, own)).collect();
    publish_all(state, tables.into_iter().chain([(&staging, &manifest)]))?;
    Ok((manifest, report))
}

fn check_columns(policy: &Policy, source: &Source) -> Result<(), SealError> {
    check_types(policy.terms.unit_column(), policy.terms.own(), &policy.source, source)
}

/// Whether a source has the unit's column and these, of types that they are read from.
fn check_types(unit: Option<&str>, columns: &[Column], path: &Path, source: &Source) -> Result<(), SealError> {
    let path = path.display().to_string();
    if let Some(unit) = unit {
        let found = &source.columns()[source.find(&named(unit))?].dtype;
        if !(found.is_integer() || found == &DataType::String) {
            let (found, accepted) = (found.to_string(), "text or integers");
            return Err(SealError::WrongType { path, column: unit.to_owned(), found, wanted: "unit", accepted });
        }
    }
    for column in columns {
        let found = &source.columns()[source.find(&named(&column.name))?].dtype;
        check_type(&column.domain, found, source.is_text()).map_err(|WrongType { found, accepted }| {
            let wanted = column.domain.type_name();
            SealError::WrongType { path: path.clone(), column: column.name.clone(), found, wanted, accepted }
        })?;
    }
    Ok(())
}

/// The ids in the policy's `exclude` file, in its column of the unit's name.
fn excluded_ids(policy: &Policy) -> Result<HashSet<String>, SealError> {
    let mut ids = HashSet::new();
    let (Some(path), Some(unit)) = (&policy.exclude, policy.terms.unit_column()) else { return Ok(ids) };
    let source = Source::open(&Spec::file(path))?;
    source.batches::<SealError>(&places(&source, &[unit])?, |batch| {
        let batch = frame(batch, &[unit])?;
        let texts = texts(&batch, unit)?;
        ids.extend(texts.str().map_err(|_| malformed(path))?.iter().flatten().map(unit_id).map(withdrawn_id));
        ids.remove("");
        Ok(())
    })?;
    Ok(ids)
}

/// An id as lists of those who withdrew are matched: numbers by value, so that `17`, `017` and `17.0` are one. Where a
/// source tells these apart, all of them are left out: of two errors this is the one that hurts nobody.
fn withdrawn_id(text: &str) -> String {
    let whole =
        text.split_once('.').filter(|(_, rest)| rest.bytes().all(|b| b == b'0')).map_or(text, |(whole, _)| whole);
    whole.parse::<i128>().map_or_else(|_| text.to_owned(), |number| number.to_string())
}

/// An id as it is compared: without the blanks around it. An empty one is none.
fn unit_id(text: &str) -> &str {
    text.trim()
}

fn malformed(path: &Path) -> SealError {
    let fault = Fault::Malformed { format: "source", rows: None };
    SealError::Source(SourceError { path: path.display().to_string(), place: None, fault })
}

fn named(name: &str) -> Wanted<'_> {
    Wanted { name, source: None }
}

/// The places of these columns, any of which may hold line ends.
fn places(source: &Source, names: &[&str]) -> Result<Vec<(usize, bool)>, SourceError> {
    let wanted: Vec<_> = names.iter().map(|name| named(name)).collect();
    Ok(source.find_all(&wanted)?.into_iter().map(|place| (place, true)).collect())
}

fn frame(batch: source::Batch, names: &[&str]) -> Result<DataFrame, SealError> {
    let height = batch.places.rows();
    let columns = names.iter().zip(batch.columns).map(|(name, column)| column.with_name((*name).into()).into());
    DataFrame::new(height, columns.collect()).map_err(|_| malformed(Path::new("source")))
}

fn texts(batch: &DataFrame, column: &str) -> Result<Series, SealError> {
    let series = batch.column(column).map(|column| column.as_materialized_series().clone());
    series.and_then(|series| series.cast(&DataType::String)).map_err(|_| malformed(Path::new(column)))
}

/// Encodes every row and spreads them by unit.
fn spill_rows(
    policy: &Policy,
    source: &Source,
    excluded: &HashSet<String>,
    (dir, key, mut tables): (&Path, &[u8; 32], Vec<joined::Table>),
    progress: &dyn Fn(u64),
) -> Result<(Spill, Report, Texts, Vec<joined::Table>), SealError> {
    let columns = policy.terms.own();
    let mut encoders: Vec<_> = columns.iter().map(|column| Encoder::new(&column.domain, key)).collect();
    let mut spill = Spill::create(dir, policy.terms.columns.len())?;
    let (mut report, mut null_units) = (Report::default(), 0);
    let mut withdrawn = HashSet::new();
    let wanted = columns.iter().map(|column| column.name.as_str()).chain(policy.terms.unit_column());
    let wanted: Vec<&str> = wanted.collect();
    source.batches::<SealError>(&places(source, &wanted)?, |batch| {
        let batch = frame(batch, &wanted)?;
        let first = report.rows_read + 1;
        let height = batch.height() as u64;
        let batch = Batch::without(batch, policy, excluded, first)?;
        report.rows_excluded += height - batch.rows.len() as u64;
        withdrawn.extend(batch.withdrawn.iter().cloned());
        let encoded = encode(columns, &policy.source, &mut encoders, &batch)?;
        check_texts(columns, &policy.source, &encoders)?;
        for (row, number) in batch.rows.iter().enumerate() {
            let id = batch.ids.as_ref().map(|ids| ids[row].as_str());
            null_units += u64::from(id == Some(""));
            let mut values: Vec<i64> = encoded.iter().map(|column| column[row]).collect();
            tables.iter_mut().for_each(|table| table.extend(&mut values, id));
            let (unit, order) = digests(key, id, *number, values.iter().copied());
            spill.push(unit, order, values.into_iter())?;
        }
        report.rows_read += height;
        progress(report.rows_read);
        Ok(())
    })?;
    if let (Some(unit), true) = (policy.terms.unit_column(), null_units > 0) {
        let path = policy.source.display().to_string();
        return Err(SealError::NullUnits { path, column: unit.to_owned(), count: null_units });
    }
    report.ids_unmatched = (excluded.len() - withdrawn.len()) as u64;
    let mut texts = Texts::new();
    for (column, one) in columns.iter().zip(encoders) {
        texts.push(one.free().clone());
        report.columns.push((column.name.clone(), one.counts));
    }
    for table in &tables {
        table.report(&mut report, &mut texts);
    }
    Ok((spill, report, texts, tables))
}

/// The texts of each column by what stands for them; none for columns that hold none.
type Texts = Vec<HashMap<i64, String>>;

/// No column of texts holds more of them than were declared.
fn check_texts(columns: &[Column], source: &Path, encoders: &[Encoder]) -> Result<(), SealError> {
    for (column, encoder) in columns.iter().zip(encoders) {
        if let Domain::Text { values_max, .. } = column.domain
            && encoder.free().len() > values_max as usize
        {
            let path = source.display().to_string();
            return Err(SealError::TooManyValues { path, column: column.name.clone(), values_max });
        }
    }
    Ok(())
}

/// The rows of a batch whose units did not withdraw: nothing of the others is looked at.
struct Batch {
    frame: DataFrame,
    /// Numbers of the rows in the source, from 1.
    rows: Vec<u64>,
    /// Ids of the rows' units, where rows are not units themselves.
    ids: Option<Vec<String>>,
    /// Ids that were found and left out.
    withdrawn: Vec<String>,
}

impl Batch {
    fn without(frame: DataFrame, policy: &Policy, excluded: &HashSet<String>, first: u64) -> Result<Self, SealError> {
        let numbers = first..first + frame.height() as u64;
        let Some(unit) = policy.terms.unit_column() else {
            return Ok(Self { frame, rows: numbers.collect(), ids: None, withdrawn: Vec::new() });
        };
        let texts = texts(&frame, unit)?;
        let ids = texts.str().map_err(|_| malformed(&policy.source))?.iter();
        let ids: Vec<String> = ids.map(|id| id.map(unit_id).unwrap_or_default().to_owned()).collect();
        if excluded.is_empty() {
            return Ok(Self { frame, rows: numbers.collect(), ids: Some(ids), withdrawn: Vec::new() });
        }
        let stays: Vec<bool> = ids.iter().map(|id| !excluded.contains(&withdrawn_id(id))).collect();
        let mask: BooleanChunked = stays.iter().map(|stays| Some(*stays)).collect();
        let frame = frame.filter(&mask).map_err(|_| malformed(&policy.source))?;
        let rows = numbers.zip(&stays).filter(|(_, stays)| **stays).map(|(number, _)| number).collect();
        let (kept, gone): (Vec<_>, Vec<_>) = ids.into_iter().zip(stays).partition(|(_, stays)| *stays);
        let withdrawn = gone.into_iter().map(|(id, _)| withdrawn_id(&id)).collect();
        let ids = kept.into_iter().map(|(id, _)| id).collect();
        Ok(Self { frame, rows, ids: Some(ids), withdrawn })
    }
}

/// Every declared column of a batch as stored integers.
fn encode(
    columns: &[Column],
    source: &Path,
    encoders: &mut [Encoder],
    batch: &Batch,
) -> Result<Vec<Vec<i64>>, SealError> {
    let columns = columns.iter().zip(encoders);
    let one = |(column, encoder): (&Column, &mut Encoder)| {
        let series = batch.frame.column(&column.name).map(|column| column.as_materialized_series().clone());
        series.and_then(|series| encoder.encode(&series, &batch.rows)).map_err(|_| malformed(source))
    };
    columns.map(one).collect()
}

/// Keyed digests of a row: of its unit's id, and of id and values. Where rows are units, nothing is cut, and a row's number
/// spreads equal rows over the parts.
fn digests(key: &[u8; 32], id: Option<&str>, number: u64, values: impl Iterator<Item = i64>) -> (u128, u64) {
    let unit = match id {
        Some(id) => first_u128(blake3::keyed_hash(key, id.as_bytes()).as_bytes()),
        None => return (first_u128(blake3::keyed_hash(key, &number.to_le_bytes()).as_bytes()), 0),
    };
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&unit.to_le_bytes());
    for value in values {
        hasher.update(&value.to_le_bytes());
    }
    (unit, first_u128(hasher.finalize().as_bytes()) as u64)
}

fn first_u128(bytes: &[u8; 32]) -> u128 {
    u128::from_le_bytes(std::array::from_fn(|at| bytes[at]))
}

fn check_report(policy: &Policy, report: &Report) -> Result<(), SealError> {
    for (index, (column, (name, counts))) in policy.terms.columns.iter().zip(&report.columns).enumerate() {
        let of = policy.terms.joins.iter().position(|join| join.places().contains(&index));
        let path = of.map_or(&policy.source, |table| &policy.joined[table]).display().to_string();
        let (name, wanted) = (name.clone(), column.domain.type_name());
        if let Some(row) = counts.unreadable_row {
            return Err(SealError::Unreadable { path, column: name, count: counts.unreadable, wanted, row });
        }
        if counts.nulls > 0 && !column.nullable {
            let unlisted = match counts.unlisted {
                0 => String::new(),
                some => format!(" ({some} of them because the policy does not list them)"),
            };
            return Err(SealError::Nulls { path, column: name, count: counts.nulls, unlisted });
        }
    }
    Ok(())
}

/// Whether a stored integer is missing.
fn present(value: i64) -> Option<i64> {
    (value != NULL).then_some(value)
}
