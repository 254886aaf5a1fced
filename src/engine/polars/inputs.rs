//! What a computation needs of each row: stored columns, functions of one small column as tables, and computed columns.
//!
//! A function of one column whose declared range is small is evaluated once for every value of the range, and then looked up by value.
//! That is the same function, so the same result, at the price of one load per row.

use std::collections::BTreeSet;
use std::sync::Arc;

use polars::prelude::*;

use super::expressions::Expressions;
use super::fields::Strip;
use super::table::guarded;
use crate::engine::port::EngineFault;
use crate::query::computation::PlanKey;
use crate::query::filter::Filter;
use crate::query::term::Term;
use crate::query::term::coding::code;
use crate::query::term::lower::{IntegerFunction, Step, lower};
use crate::query::terms::domain::Domain;
use crate::query::terms::edition::{RANK_COLUMN, UNIT_COLUMN, column_name};
use crate::query::terms::policy::Terms;

/// A function of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum RowSource {
    /// The stored integer of a declared column.
    Stored(usize),
    /// The number of the row's unit.
    Unit,
    /// The rank of the row within its unit.
    Rank,
    /// The stored integer of a term, on its grid.
    Term(Term),
    /// 1 if a condition is true, 0 if it is false, and missing if it is unknown.
    Truth(Filter),
    /// The code of the row's group by one key.
    Code(PlanKey),
    /// The number of the bin that a number falls into.
    Bin {
        /// The number.
        of: Term,
        /// Lower end of the first bin, in steps of the term's grid.
        low: i64,
        /// Width of a bin, in steps of the term's grid.
        width: i64,
    },
}

impl RowSource {
    /// The source of a term's stored integer.
    pub(super) fn of_term(term: &Term) -> Self {
        match term {
            Term::Column(index) => Self::Stored(*index),
            Term::Made(_) => Self::Term(term.clone()),
        }
    }

    /// The source of a key's code.
    pub(super) fn of_key(key: &PlanKey, terms: &Terms) -> Self {
        match code(key, terms) {
            Step::Stored(index) => Self::Stored(index),
            _ => Self::Code(key.clone()),
        }
    }

    /// The declared columns that it reads.
    fn declared(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        match self {
            Self::Stored(index) => found.extend([*index]),
            Self::Unit | Self::Rank => {}
            Self::Term(term) | Self::Bin { of: term, .. } => term.declared(&mut found),
            Self::Truth(filter) => filter.declared(&mut found),
            Self::Code(key) => key.column.declared(&mut found),
        }
        found
    }

    /// The expression that computes it; for stored columns the column itself.
    fn expression(&self, expressions: &Expressions<'_>) -> Expr {
        match self {
            Self::Stored(index) => col(column_name(*index)),
            Self::Unit => col(UNIT_COLUMN),
            Self::Rank => col(RANK_COLUMN),
            Self::Term(term) => expressions.stored(term).cast(DataType::Int64),
            Self::Truth(filter) => expressions.filter(filter).cast(DataType::UInt8),
            Self::Code(key) => expressions.step(&code(key, expressions.terms)).cast(DataType::Int64),
            Self::Bin { of, low, width } => {
                // Unwrap safety: a computation's terms were typed against the terms that it is evaluated under.
                let value = lower(of, expressions.terms).expect("a typed term can be lowered").step;
                let above = Step::Plus([(value, 1), (Step::Constant(-low), 1)].into());
                expressions.step(&Step::Apply(IntegerFunction::Cut(*width), Arc::new(above))).cast(DataType::Int64)
            }
        }
    }
}

/// A function of one stored column as a table, with one entry for each value of its range, and the last one for everything else, which
/// are missing values.
#[derive(Debug, Clone)]
pub(super) struct Lookup<T> {
    /// The column's place among the fields.
    pub(super) field: usize,
    /// The value of the first entry.
    pub(super) low: i64,
    pub(super) entries: Vec<T>,
}

impl<T: Copy> Lookup<T> {
    /// Calls `each` with the number of each row of a strip and its entry.
    pub(super) fn each(&self, strips: &[Strip], mut each: impl FnMut(usize, T)) {
        let strip = &strips[self.field];
        let Some(last) = self.entries.len().checked_sub(1) else { return };
        let place = |value: i64| usize::try_from(value.wrapping_sub(self.low)).unwrap_or(last).min(last);
        for (row, value) in strip.values.iter().enumerate() {
            let place = if strip.is_present(row) { place(*value) } else { last };
            each(row, self.entries[place]);
        }
    }

    pub(super) fn map<U>(self, change: impl Fn(T) -> U) -> Lookup<U> {
        Lookup { field: self.field, low: self.low, entries: self.entries.into_iter().map(change).collect() }
    }
}

/// Where the values of a source are found.
#[derive(Debug, Clone)]
pub(super) enum Input {
    /// The field at this place.
    Field(usize),
    /// A table over a field; `None` for a missing value.
    Lookup(Lookup<Option<i64>>),
}

impl Input {
    /// The values of a strip's rows. Uses `scratch` for those that are looked up.
    pub(super) fn of<'a>(&self, strips: &'a [Strip], scratch: &'a mut Strip) -> &'a Strip {
        match self {
            Self::Field(place) => &strips[*place],
            Self::Lookup(lookup) => {
                scratch.values.clear();
                scratch.present.clear();
                lookup.each(strips, |_, entry| {
                    scratch.values.push(entry.unwrap_or(0));
                    scratch.present.push(entry.is_some());
                });
                scratch
            }
        }
    }
}

/// Collects the sources that a computation reads, and decides for each how it is read.
pub(super) struct Inputs<'a> {
    expressions: &'a Expressions<'a>,
    /// Largest number of entries of a table: small against the number of rows that it serves.
    entries_max: usize,
    fields: Vec<RowSource>,
}

/// Largest number of entries of a table, so that it stays in the cache, and the number below which one is always made.
const ENTRIES_MAX: usize = 1 << 16;
const ENTRIES_MIN: usize = 256;

/// Number of rows for each entry of a table that pay for making it.
const ROWS_PER_ENTRY: usize = 8;

impl<'a> Inputs<'a> {
    /// Begins without fields, for so many rows.
    pub(super) fn new(expressions: &'a Expressions<'a>, rows: usize) -> Self {
        let entries_max = (rows / ROWS_PER_ENTRY).clamp(ENTRIES_MIN, ENTRIES_MAX);
        Self { expressions, entries_max, fields: Vec::new() }
    }

    /// The terms that sources refer to.
    pub(super) fn terms(&self) -> &'a Terms {
        self.expressions.terms
    }

    /// The place of a source among the fields, which it is added to unless it is there.
    pub(super) fn field(&mut self, source: RowSource) -> usize {
        if let Some(place) = self.fields.iter().position(|field| *field == source) {
            return place;
        }
        self.fields.push(source);
        self.fields.len() - 1
    }

    /// Decides how a source is read.
    pub(super) fn input(&mut self, source: RowSource) -> PolarsResult<Input> {
        if let RowSource::Stored(_) | RowSource::Unit | RowSource::Rank = source {
            return Ok(Input::Field(self.field(source)));
        }
        Ok(match self.lookup(&source)? {
            Some(lookup) => Input::Lookup(lookup),
            None => Input::Field(self.field(source)),
        })
    }

    /// Evaluates a source for every value of the column that it reads; `None` if it reads several, or one with a large range.
    pub(super) fn lookup(&mut self, source: &RowSource) -> PolarsResult<Option<Lookup<Option<i64>>>> {
        let declared: Vec<usize> = source.declared().into_iter().collect();
        let [index] = declared[..] else { return Ok(None) };
        let Some((low, high)) = stored_range(&self.terms().columns[index].domain) else { return Ok(None) };
        let is_small = high.checked_sub(low).is_some_and(|size| size >= 0 && (size as u64) < self.entries_max as u64);
        if !is_small {
            return Ok(None);
        }
        let values: Int64Chunked = (low..=high).map(Some).chain([None]).collect();
        let rows = values.len();
        let column = values.with_name(column_name(index).into()).into_column();
        let table = DataFrame::new(rows, vec![column])?;
        let entries = select(&table, vec![source.expression(self.expressions).cast(DataType::Int64)])?;
        let entries = entries[0].as_materialized_series().i64()?.clone();
        let entry = |row: usize| entries.get(if entries.len() == 1 { 0 } else { row });
        let entries = (0..rows).map(entry).collect();
        Ok(Some(Lookup { field: self.field(RowSource::Stored(index)), low, entries }))
    }

    /// For each field the name of a stored column, or the expression that computes it.
    pub(super) fn into_readings(self) -> Vec<FieldReading> {
        let reading = |source: RowSource| match source {
            RowSource::Stored(index) => FieldReading::Stored(column_name(index)),
            RowSource::Unit => FieldReading::Stored(UNIT_COLUMN.to_owned()),
            RowSource::Rank => FieldReading::Stored(RANK_COLUMN.to_owned()),
            other => FieldReading::Computed(other.expression(self.expressions)),
        };
        self.fields.into_iter().map(reading).collect()
    }
}

/// How a field of a block is read.
pub(super) enum FieldReading {
    /// As the stored column with this name.
    Stored(String),
    /// By this expression.
    Computed(Expr),
}

/// Evaluates expressions over a frame, in order.
pub(super) fn select(frame: &DataFrame, expressions: Vec<Expr>) -> PolarsResult<Vec<Column>> {
    if expressions.is_empty() {
        return Ok(Vec::new());
    }
    let named = expressions.into_iter().enumerate().map(|(place, expression)| expression.alias(format!("x{place}")));
    let named: Vec<Expr> = named.collect();
    let answer = frame.clone().lazy().without_optimizations().select(named).collect()?;
    Ok(answer.columns().to_vec())
}

/// Evaluates what conditions and terms are made of over two rows. Polars looks up facts about the machine and starts threads on first use,
/// so a process that is about to be confined calls this before.
pub(in crate::engine) fn warm_up() -> Result<(), EngineFault> {
    guarded(|| {
        let frame = DataFrame::new(2, vec![Column::new("x".into(), [Some(1_i64), None])])?;
        let list = Series::new("values".into(), [1_i64, 3]);
        let same = col("x").map(Ok, |_, field| Ok(field.clone()));
        let is_listed = col("x").is_in(lit(list).implode(true), false);
        let either = when(is_listed.clone().not().or(col("x").is_null())).then(same).otherwise(lit(NULL));
        select(&frame, vec![either, is_listed.cast(DataType::UInt8), col("x") * lit(2_i64)])?;
        frame.lazy().without_optimizations().filter(col("x").gt_eq(lit(1_i64))).collect().map(|_| ())
    })
}

/// The range of the integers that a column of this domain stores; `None` for texts, whose codes are not public.
fn stored_range(domain: &Domain) -> Option<(i64, i64)> {
    Some(match domain {
        Domain::Boolean => (0, 1),
        Domain::Category(values) => (0, values.len() as i64 - 1),
        Domain::Date { min, max } => (i64::from(*min), i64::from(*max)),
        Domain::Number(grid) => (grid.low.checked_sub(grid.centre())?, grid.high.checked_sub(grid.centre())?),
        Domain::Text { .. } => return None,
    })
}
