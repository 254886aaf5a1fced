//! An open source with the positions of the columns that a policy wants; reads its batches as rows to keep.
//!
//! Promises that the rows of units that withdrew are read for their ids alone.

use std::ops::Range;

use polars::prelude::{BooleanChunked, ChunkFilter, NewChunkedArray, StringChunked};

use super::SealError;
use super::ids::{Spellings, Withdrawn};
use crate::engine::seal::cells::Texts;
use crate::engine::seal::encode::{ColumnCounts, Context, Encoder, check_id, check_type, ids};
use crate::engine::seal::source::{Batch, DecimalMark, Read, RowPlaces, Source, SourceSpec, WantedColumn};
use crate::query::terms::day::zone_of;
use crate::query::terms::domain::{Column, Domain};
use crate::query::terms::policy::Policy;
use crate::query::terms::reading::Rules;

/// An open source and the columns that are read from it.
pub(super) struct Opened<'a> {
    source: Source,
    columns: &'a [Column],
    rules: &'a [Rules],
    /// The name of the unit's column in the policy; `None` if every row is a unit.
    unit: Option<&'a str>,
    missing: &'a [String],
    context: Context,
    /// The columns to read, each once, by index in the source and whether they may contain line breaks.
    wanted: Vec<(usize, bool)>,
    /// The index in `wanted` of each declared column.
    places: Vec<usize>,
    /// The index in `wanted` of the unit's column.
    unit_place: Option<usize>,
}

/// What was read of a source.
pub(super) struct EncodedColumns {
    /// What happened to each column.
    pub(super) counts: Vec<ColumnCounts>,
    /// The texts of each column, by the integers that stand for them.
    pub(super) texts: Texts,
    /// The number of rows of units that withdrew.
    pub(super) excluded: u64,
    /// The number of ids that are the same number as another one in another spelling.
    pub(super) spelled_twice: u64,
    /// The reader's own counts.
    pub(super) read: Read,
}

/// The rows of a batch that are kept, as stored integers.
pub(super) struct KeptRows {
    /// The ids of the rows' units; `None` if every row is a unit.
    ids: Option<StringChunked>,
    /// One vector per declared column.
    columns: Vec<Vec<i64>>,
    /// The numbers of the rows in the source, counted from 1.
    pub(super) numbers: Vec<u64>,
    /// The number of the last row that was read, whether it is kept or not.
    pub(super) last: u64,
}

impl KeptRows {
    /// The ids, one per row; `None` if every row is a unit.
    pub(super) fn ids(&self) -> Option<impl Iterator<Item = &str>> {
        self.ids.as_ref().map(|ids| ids.iter().map(Option::unwrap_or_default))
    }

    /// Appends the values of a row to `values`.
    pub(super) fn extend(&self, row: usize, values: &mut Vec<i64>) {
        values.extend(self.columns.iter().map(|column| column[row]));
    }
}

impl<'a> Opened<'a> {
    /// Opens a source for a range of the policy's columns, and checks that they exist with types from which they can be read.
    pub(super) fn new(policy: &'a Policy, spec: &SourceSpec, columns: Range<usize>) -> Result<Self, SealError> {
        let (columns, rules) = (&policy.terms.columns[columns.clone()], &policy.reading.rules[columns]);
        Self::of(policy, spec, (columns, rules))
    }

    /// Opens the source of one of several tables, given by its index, and checks its columns like [`Self::new`].
    pub(super) fn table(policy: &'a Policy, index: usize) -> Result<Self, SealError> {
        let reading = &policy.tables[index];
        Self::of(policy, &reading.source, (&policy.terms.tables[index].columns, &reading.rules))
    }

    fn of(
        policy: &'a Policy,
        spec: &SourceSpec,
        (columns, rules): (&'a [Column], &'a [Rules]),
    ) -> Result<Self, SealError> {
        let source = Source::open(spec)?;
        let unit = policy.terms.unit_column();
        let mut wanted: Vec<(usize, bool)> = Vec::new();
        let mut place = |index: usize, multiline: bool| match wanted.iter().position(|(known, _)| *known == index) {
            Some(place) => {
                wanted[place].1 |= multiline;
                place
            }
            None => {
                wanted.push((index, multiline));
                wanted.len() - 1
            }
        };
        let all = unit.map(|name| WantedColumn { name, source: policy.reading.unit_source.as_deref() }).into_iter();
        let all: Vec<WantedColumn<'_>> = all
            .chain(
                columns
                    .iter()
                    .zip(rules)
                    .map(|(column, rules)| WantedColumn { name: &column.name, source: rules.source.as_deref() }),
            )
            .collect();
        let found = source.find_all(&all)?;
        let (of_unit, of_columns) = found.split_at(usize::from(unit.is_some()));
        let unit_place = of_unit.first().map(|index| place(*index, false));
        let places = of_columns.iter().zip(rules).map(|(index, rules)| place(*index, rules.multiline)).collect();
        let point = match spec.decimal {
            DecimalMark::Point => b'.',
            DecimalMark::Comma => b',',
        };
        let zone = spec.time_zone.as_ref().or(policy.reading.zone.as_ref()).and_then(|name| zone_of(name));
        let (missing, context) = (&policy.reading.missing, Context { point, zone });
        let opened = Self { source, columns, rules, unit, missing, context, wanted, places, unit_place };
        opened.check_types()?;
        Ok(opened)
    }

    fn check_types(&self) -> Result<(), SealError> {
        let shown = self.source.shown();
        let found = |place: usize| &self.source.columns()[self.wanted[place].0].dtype;
        if let (Some(unit), Some(place)) = (self.unit, self.unit_place) {
            check_id(found(place)).map_err(|wrong| SealError::wrong_type(&shown, unit, "unit", wrong))?;
        }
        for (column, place) in self.columns.iter().zip(&self.places) {
            let wrong = |wrong| SealError::wrong_type(&shown, &column.name, column.domain.type_name(), wrong);
            check_type(&column.domain, found(*place)).map_err(wrong)?;
        }
        Ok(())
    }

    /// The declared columns that are read.
    pub(super) fn columns(&self) -> &'a [Column] {
        self.columns
    }

    /// The source, as it is shown to people.
    pub(super) fn shown(&self) -> String {
        self.source.shown()
    }

    /// Reads the source, and passes the rows to keep of each batch to `taker`.
    pub(super) fn rows(
        &self,
        withdrawn: &mut Withdrawn,
        key: &[u8; 32],
        mut taker: impl FnMut(KeptRows) -> Result<(), SealError>,
    ) -> Result<EncodedColumns, SealError> {
        let new = |(column, rules): (&Column, &Rules)| Encoder::new(&column.domain, rules, &self.context, key);
        let mut encoders: Vec<Encoder> = self.columns.iter().zip(self.rules).map(new).collect();
        let (mut units, mut rows, mut excluded) = (Units::default(), 0, 0);
        let read = self.source.batches::<SealError>(&self.wanted, |batch| {
            let height = batch.columns.first().map_or(0, |series| series.len());
            let (stays, ids) = self.units_of(&batch, withdrawn, &mut units)?;
            let kept = self.kept(batch, &stays, &mut encoders)?;
            self.check_texts(&encoders)?;
            excluded += stays.iter().filter(|stays| !**stays).count() as u64;
            let numbers = (rows + 1..).zip(&stays).filter(|(_, stays)| **stays).map(|(number, _)| number).collect();
            rows += height as u64;
            taker(KeptRows { ids, columns: kept, numbers, last: rows })
        })?;
        units.check(self)?;
        let spelled_twice = units.spellings.twice();
        let counts = encoders.iter().map(Encoder::finished).collect();
        let texts = encoders.iter().map(|encoder| encoder.free().clone()).collect();
        let encoded = EncodedColumns { counts, texts, excluded, spelled_twice, read };
        self.check(&encoded.counts)?;
        Ok(encoded)
    }

    /// Determines which rows of a batch are kept, and the ids of those.
    fn units_of(
        &self,
        batch: &Batch,
        withdrawn: &mut Withdrawn,
        units: &mut Units,
    ) -> Result<(Vec<bool>, Option<StringChunked>), SealError> {
        let height = batch.columns.first().map_or(0, |series| series.len());
        let (Some(unit), Some(place)) = (self.unit, self.unit_place) else { return Ok((vec![true; height], None)) };
        let series = &batch.columns[place];
        let wrong = |wrong| SealError::wrong_type(&self.shown(), unit, "unit", wrong);
        check_id(series.dtype()).map_err(wrong)?;
        let found = ids(series, self.missing).ok_or_else(|| SealError::changed(&self.shown()))?;
        units.inexact += found.inexact;
        if let Some(row) = found.first_inexact {
            units.first_inexact.get_or_insert_with(|| batch.places.place(row).to_string());
        }
        let is_text = series.dtype().is_string();
        let mut stays = Vec::with_capacity(height);
        for (row, id) in found.texts.iter().map(Option::unwrap_or_default).enumerate() {
            if id.is_empty() {
                units.missing += 1;
                units.first_missing.get_or_insert_with(|| batch.places.place(row).to_string());
            } else if is_text {
                units.spellings.see(id);
            }
            let gone = withdrawn.has(id);
            if gone {
                withdrawn.met(id);
            }
            stays.push(!gone);
        }
        if stays.iter().all(|stays| *stays) {
            return Ok((stays, Some(found.texts)));
        }
        let mask = BooleanChunked::from_slice("stays".into(), &stays);
        let ids = found.texts.filter(&mask).map_err(|_| SealError::changed(&self.shown()))?;
        Ok((stays, Some(ids)))
    }

    /// Encodes every declared column of the rows that are kept.
    fn kept(&self, batch: Batch, stays: &[bool], encoders: &mut [Encoder]) -> Result<Vec<Vec<i64>>, SealError> {
        let all = stays.iter().all(|stays| *stays);
        let mask = BooleanChunked::from_slice("stays".into(), stays);
        let index: Vec<usize> = match all {
            true => Vec::new(),
            false => stays.iter().enumerate().filter(|(_, stays)| **stays).map(|(row, _)| row).collect(),
        };
        let places: &RowPlaces = &batch.places;
        let place = |row: usize| places.place(if all { row } else { index[row] }).to_string();
        let mut kept = Vec::with_capacity(self.columns.len());
        for ((column, encoder), at) in self.columns.iter().zip(encoders).zip(&self.places) {
            let series = &batch.columns[*at];
            let filtered = match all {
                true => series.clone(),
                false => series.filter(&mask).map_err(|_| SealError::changed(&self.shown()))?,
            };
            let wrong = |wrong| SealError::wrong_type(&self.shown(), &column.name, column.domain.type_name(), wrong);
            kept.push(encoder.encode(&filtered, &place).map_err(wrong)?);
        }
        Ok(kept)
    }

    /// Checks that no text column holds more different texts than declared.
    fn check_texts(&self, encoders: &[Encoder]) -> Result<(), SealError> {
        for (column, encoder) in self.columns.iter().zip(encoders) {
            if let Domain::Text { values_max, .. } = column.domain
                && encoder.free().len() > values_max as usize
            {
                return Err(SealError::TooManyValues { path: self.shown(), column: column.name.clone(), values_max });
            }
        }
        Ok(())
    }

    /// Checks that every value was readable and that none is missing where the policy does not allow it.
    fn check(&self, counts: &[ColumnCounts]) -> Result<(), SealError> {
        for (column, counts) in self.columns.iter().zip(counts) {
            let (path, name, wanted) = (self.shown(), column.name.clone(), column.domain.type_name());
            if counts.unreadable > 0 {
                let place = counts.first_unreadable.clone().unwrap_or_default();
                let (count, accepted) = (counts.unreadable, accepted(&column.domain));
                return Err(SealError::Unreadable { path, column: name, count, wanted, place, accepted });
            }
            if counts.nulls > 0 && !column.nullable {
                let unlisted = match (counts.unlisted, &counts.first_unlisted) {
                    (0, _) | (_, None) => String::new(),
                    (some, Some(place)) => {
                        format!(" ({some} because the policy does not list it, the first in {place})")
                    }
                };
                return Err(SealError::Nulls { path, column: name, count: counts.nulls, unlisted });
            }
        }
        Ok(())
    }
}

/// What was noticed about the ids of a source while it was read.
#[derive(Default)]
struct Units {
    missing: u64,
    first_missing: Option<String>,
    inexact: u64,
    first_inexact: Option<String>,
    spellings: Spellings,
}

impl Units {
    fn check(&self, opened: &Opened<'_>) -> Result<(), SealError> {
        let (path, column) = (opened.shown(), opened.unit.unwrap_or_default().to_owned());
        if let Some(place) = self.first_inexact.clone() {
            return Err(SealError::InexactUnits { path, column, count: self.inexact, place });
        }
        match self.first_missing.clone() {
            Some(place) => Err(SealError::NullUnits { path, column, count: self.missing, place }),
            None => Ok(()),
        }
    }
}

/// A hint on how a value of a domain is written.
fn accepted(domain: &Domain) -> &'static str {
    match domain {
        Domain::Category(_) | Domain::Text { .. } => "write it as text",
        Domain::Boolean => {
            "write 0 and 1, true and false, T and F or yes and no, or declare other words, like true = [\"J\"] and false = [\"N\"]"
        }
        Domain::Number(grid) if grid.integer => "write whole numbers like 42 or 42.0",
        Domain::Number(_) => "write numbers like 3.14, or declare decimal = \",\" for a source with numbers like 3,14",
        Domain::Date { .. } => {
            "write days like 2020-12-31 (a time may follow) or 20201231, or declare how they are written, like format = \"%d/%m/%Y\""
        }
    }
}

#[cfg(test)]
#[path = "mutations_tests.rs"]
mod mutations;
