//! Sealing turns source files into a bounded, integer-coded edition.
//!
//! Promises that each unit keeps at most the declared number of rows, chosen by a keyed hash of its id
//! and the rows' values: other units and positions in the file have no influence. A source that does
//! not fit leaves nothing behind. The key is random and forgotten; the report is for the steward alone.

mod error;
mod ids;
mod joined;
mod opened;
mod report;
mod single;
mod staging;
mod table;
pub mod encode;
pub mod spill;
pub mod draft;
pub mod source;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::engine::seal::encode::{NULL, check_id, ids as ids_of};
use crate::engine::seal::source::{Source, SourceSpec, Wanted};
use crate::engine::seal::spill::Spill;
use crate::kernel::random;
use crate::query::terms::edition::{self, EDITIONS, Manifest};
use crate::query::terms::policy::Policy;
use crate::query::terms::reading::Conflicts;
pub use error::SealError;
use ids::Withdrawn;
use joined::Table;
use opened::{Encoded, Opened};
pub use report::{Report, SourceFacts};
use single::Single;
use staging::{STAGING, Staging, manifest, publish_all};
use table::TableWriter;

/// Removes every edition except the `current` ones, and whatever a killed sealing left behind: old editions hold the rows of people who
/// have withdrawn since. The caller must hold the ledger, so that no server is reading them.
///
/// # Errors
/// Fails if the file system does.
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

/// Checks that a policy's sources exist and have the right columns, without reading a row.
///
/// # Errors
/// [`SealError`] if a source cannot be opened, or lacks a column, or has one of the wrong type.
pub fn check_source(policy: &Policy) -> Result<(), SealError> {
    Opened::new(policy, &policy.source, 0..policy.terms.own().len())?;
    joined::check_sources(policy)
}

/// Seals the policy's source into a new edition under `state`, with a random key
/// that nobody keeps. `progress` is called with the number of rows read so far.
///
/// # Errors
/// [`SealError`] if sealing fails; then nothing is left behind.
pub fn seal(policy: &Policy, state: &Path, progress: &dyn Fn(u64)) -> Result<(Manifest, Report), SealError> {
    seal_with_key(policy, state, &random::bytes()?, progress)
}

/// Seals like [`seal`], but with the given key: equal keys keep equal rows of equal units, whatever other units there are.
///
/// # Errors
/// [`SealError`] if sealing fails; then nothing is left behind.
pub fn seal_with_key(
    policy: &Policy,
    state: &Path,
    key: &[u8; 32],
    progress: &dyn Fn(u64),
) -> Result<(Manifest, Report), SealError> {
    let opened = Opened::new(policy, &policy.source, 0..policy.terms.own().len())?;
    joined::check_sources(policy)?;
    let mut withdrawn = withdrawn(policy)?;
    let edition = random::id("ed")?;
    let editions = state.join(EDITIONS);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&editions)?;
    let staging = Staging::create(&editions, &edition)?;

    let mut tables = joined::read(policy, &mut withdrawn, key)?;
    let mut spill = Spill::create(&staging.dir, policy.terms.columns.len())?;
    let encoded = spill_rows(&opened, &mut spill, (&mut withdrawn, key, &mut tables), progress)?;
    let (mut report, texts) = begin_report(policy, &opened, encoded, &withdrawn, &tables);
    let mut of_tables = Vec::with_capacity(tables.len());
    for table in tables {
        of_tables.push(table.seal(policy, &editions, &edition, key)?);
    }
    let table = TableWriter::create(&staging.dir, &policy.terms, texts.clone(), opened.shown())?;
    drain(policy, spill, table, &texts, &mut report)?;
    check_conflicts(policy, &opened.shown(), &report)?;

    let tables: Vec<_> = of_tables.iter().map(|(name, manifest, _)| (name.clone(), manifest.commitment())).collect();
    let manifest = manifest(&staging, &edition, &policy.name, policy.terms.clone(), (report.rows_kept, tables))?;
    report.write(&staging.dir)?;
    let tables: Vec<_> = of_tables.iter().map(|(_, own, staging)| (staging, own)).collect();
    publish_all(state, tables.into_iter().chain([(&staging, &manifest)]))?;
    Ok((manifest, report))
}

/// Reads the ids of the policy's `exclude` file, from its column with the unit's name.
fn withdrawn(policy: &Policy) -> Result<Withdrawn, SealError> {
    let mut all = Withdrawn::default();
    let (Some(path), Some(name)) = (&policy.exclude, policy.terms.unit_column()) else { return Ok(all) };
    let source = Source::open(&SourceSpec::file(path))?;
    let found = source.find_all(&[Wanted { name, source: policy.reading.unit_source.as_deref() }])?;
    let column = found.first().copied().unwrap_or_default();
    let wrong = |wrong| SealError::wrong_type(&source.shown(), name, "unit", wrong);
    check_id(&source.columns()[column].dtype).map_err(wrong)?;
    source.batches::<SealError>(&[(column, false)], |batch| {
        let ids = batch.columns.first().and_then(|series| ids_of(series, &policy.reading.missing));
        let ids = ids.ok_or_else(|| SealError::changed(&source.shown()))?;
        ids.texts.iter().flatten().for_each(|id| all.insert(id));
        Ok(())
    })?;
    Ok(all)
}

/// Encodes every row, and spreads the rows over parts by unit.
fn spill_rows(
    opened: &Opened<'_>,
    spill: &mut Spill,
    (withdrawn, key, tables): (&mut Withdrawn, &[u8; 32], &mut [Table]),
    progress: &dyn Fn(u64),
) -> Result<Encoded, SealError> {
    let mut values = Vec::new();
    opened.rows(withdrawn, key, |rows| {
        let mut ids = rows.ids();
        for (row, number) in rows.numbers.iter().enumerate() {
            let id = ids.as_mut().and_then(Iterator::next);
            values.clear();
            rows.extend(row, &mut values);
            tables.iter_mut().for_each(|table| table.extend(&mut values, id));
            let (unit, order) = digests(key, id, *number, &values);
            spill.push(unit, order, values.iter().copied())?;
        }
        progress(rows.last);
        Ok(())
    })
}

/// Starts the report with what is known once every row was read, and returns it with the texts of all columns.
fn begin_report(
    policy: &Policy,
    opened: &Opened<'_>,
    encoded: Encoded,
    withdrawn: &Withdrawn,
    tables: &[Table],
) -> (Report, Texts) {
    let names = policy.terms.own().iter().map(|column| column.name.clone());
    let mut report = Report {
        rows_read: encoded.read.rows,
        rows_excluded: encoded.excluded,
        ids_unmatched: withdrawn.unmatched(),
        ids_spelled_twice: encoded.spelled_twice,
        columns: names.zip(encoded.counts).collect(),
        sources: vec![SourceFacts::of(opened.shown(), &encoded.read)],
        ..Report::default()
    };
    let mut texts = encoded.texts;
    for table in tables {
        table.report(&mut report, &mut texts);
    }
    (report, texts)
}

/// The texts of each column, by the integers that stand for them; empty for columns of other types.
type Texts = Vec<HashMap<i64, String>>;

/// Writes the rows that units keep, after columns with a single value per unit were settled over all of the unit's rows.
fn drain(
    policy: &Policy,
    spill: Spill,
    mut table: TableWriter,
    texts: &Texts,
    report: &mut Report,
) -> Result<(), SealError> {
    let terms = &policy.terms;
    let rows_per_unit = terms.unit_column().map(|_| terms.max_rows_per_unit as usize);
    let mut single = Single::new(terms.own(), texts);
    let nothing = single.is_empty();
    let settle = |rows: &mut [crate::engine::seal::spill::Row], last| {
        if !nothing {
            single.settle(rows, last);
        }
    };
    spill.drain(rows_per_unit, settle, |rows, cut| table.take(rows, cut, terms))?;
    single.report(&mut report.columns);
    table.finish(report)
}

/// Checks that no unit's rows contradict each other, if the policy refuses that.
fn check_conflicts(policy: &Policy, path: &str, report: &Report) -> Result<(), SealError> {
    let first = report.columns.iter().find(|(_, counts)| counts.conflicts > 0);
    match first.filter(|_| policy.reading.conflicts == Conflicts::Refuse) {
        None => Ok(()),
        Some((column, counts)) => {
            let (column, count) = (column.clone(), counts.conflicts);
            Err(SealError::Conflicts { path: path.to_owned(), column, count })
        }
    }
}

/// The keyed digests of a row: one of its unit's id, and one of id and values. If rows are units, nothing is cut, and the digest of the
/// row's number spreads equal rows over the parts.
fn digests(key: &[u8; 32], id: Option<&str>, number: u64, values: &[i64]) -> (u128, u64) {
    let unit = match id {
        Some(id) => first_u128(blake3::keyed_hash(key, id.as_bytes()).as_bytes()),
        None => return (first_u128(blake3::keyed_hash(key, &number.to_le_bytes()).as_bytes()), 0),
    };
    // The unit, and every value in as few bytes as it needs, all but the last byte with the top bit set: no two rows have the same bytes.
    let mut bytes = [0; ROW_BYTES];
    bytes[..16].copy_from_slice(&unit.to_le_bytes());
    let mut hasher = blake3::Hasher::new_keyed(key);
    let mut end = 16;
    for value in values {
        let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
        while rest > 0x7f {
            bytes[end] = rest as u8 | 0x80;
            (rest, end) = (rest >> 7, end + 1);
        }
        bytes[end] = rest as u8;
        end += 1;
        if end > ROW_BYTES - VALUE_BYTES_MAX {
            hasher.update(&bytes[..end]);
            end = 0;
        }
    }
    hasher.update(&bytes[..end]);
    (unit, first_u128(hasher.finalize().as_bytes()) as u64)
}

/// The number of bytes of a row that are digested at once; [`VALUE_BYTES_MAX`] is the largest number for one value.
const ROW_BYTES: usize = 512;
const VALUE_BYTES_MAX: usize = 10;

fn first_u128(bytes: &[u8; 32]) -> u128 {
    u128::from_le_bytes(std::array::from_fn(|at| bytes[at]))
}

/// Converts a stored integer, with `None` for a missing value.
fn present(value: i64) -> Option<i64> {
    (value != NULL).then_some(value)
}
