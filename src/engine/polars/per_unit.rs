//! Subqueries with one row per unit, folded from the rows of each unit.
//!
//! Promises one pass over the rows of a block, which are sorted by unit and, within a unit, by rank: polars computes the values of each row,
//! and the rest is folds over adjacent rows. A unit's row is made from its own rows alone.

use polars::prelude::*;

use crate::engine::polars::expressions::Expressions;
use crate::query::computation::{Computation, MEAN_PARTS, PerUnitColumn, PerUnitTable};
use crate::query::term::Term;
use crate::query::term::lower::{IntegerFunction, lower};
use crate::query::terms::domain::Domain;
use crate::query::terms::edition::{RANK_COLUMN, UNIT_COLUMN, column_name};
use crate::query::terms::policy::Terms;

/// Values of one column, row by row, minus an offset; nulls are marked.
struct Values {
    values: Int64Chunked,
    offset: i64,
}

/// What a column needs from each row.
enum Need {
    /// The index of a declared column, as it is stored, and the offset to add to its values.
    Stored(usize, i64),
    /// A computed value of each row.
    Computed(Expr),
}

/// Makes the table of `units` from the rows of a block. `expressions` refer to the dataset's terms, and `seen` are the table's own.
pub(super) fn table(
    block: &DataFrame,
    units: &PerUnitTable,
    computation: &Computation,
    (expressions, seen): (&Expressions<'_>, &Terms),
    max_rows_per_unit: u32,
) -> PolarsResult<DataFrame> {
    let needs: Vec<Vec<Need>> = units.columns.iter().map(|column| needs(expressions, column)).collect();
    let rank = col(RANK_COLUMN).lt(lit(computation.rows_per_unit));
    let is_cut = computation.rows_per_unit < max_rows_per_unit;
    let filter = units.filter.as_ref().map(|filter| expressions.filter(filter));
    let counts = is_cut.then_some(rank).into_iter().chain(filter).reduce(Expr::and);
    let mut frame = block.clone().lazy().without_optimizations();
    if let Some(counts) = counts {
        frame = frame.filter(counts);
    }
    let mut wanted = vec![col(UNIT_COLUMN)];
    for (index, needs) in needs.iter().enumerate() {
        for (part, need) in needs.iter().enumerate() {
            let value = match need {
                Need::Stored(column, _) => col(column_name(*column)),
                Need::Computed(value) => value.clone(),
            };
            wanted.push(value.cast(DataType::Int64).alias(name(index, part)));
        }
    }
    let rows = frame.select(wanted).collect()?;
    let unit = rows.column(UNIT_COLUMN)?.u32()?.rechunk();
    let unit = unit.cont_slice()?;
    let ends = ends(unit)?;
    let mut columns = Vec::with_capacity(units.columns.len() + 1);
    let firsts: Vec<u32> = ends.iter().map(|end| unit[end - 1]).collect();
    columns.push(Column::new(UNIT_COLUMN.into(), firsts));
    for (index, column) in units.columns.iter().enumerate() {
        let values = |part: usize| Values::of(&rows, &name(index, part), &needs[index][part]);
        let folded = fold(column, &ends, values)?;
        let centre = match &seen.columns[index].domain {
            Domain::Number(grid) => grid.centre(),
            Domain::Date { .. } | Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => 0,
        };
        columns.push(column_of(folded, centre).with_name(column_name(index).into()).into_column());
    }
    DataFrame::new(ends.len(), columns)
}

fn name(index: usize, part: usize) -> String {
    format!("v{index}_{part}")
}

/// What a column needs to be computed from each row.
fn needs(expressions: &Expressions<'_>, column: &PerUnitColumn) -> Vec<Need> {
    let value = |term: &Term| match term {
        Term::Column(index) => {
            let offset = match &expressions.terms.columns[*index].domain {
                Domain::Number(grid) => grid.centre(),
                Domain::Date { .. } | Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => 0,
            };
            Need::Stored(*index, offset)
        }
        Term::Made(_) => {
            // Unwrap safety: a computation's terms were typed against the terms that it is evaluated under.
            let lowered = lower(term, expressions.terms).expect("a typed term can be lowered");
            Need::Computed(expressions.step(&lowered.step))
        }
    };
    match column {
        PerUnitColumn::Own(index) => vec![value(&Term::Column(*index))],
        PerUnitColumn::Rows => Vec::new(),
        PerUnitColumn::Present(term)
        | PerUnitColumn::Sum(term)
        | PerUnitColumn::Mean(term)
        | PerUnitColumn::Least(term)
        | PerUnitColumn::Greatest(term) => vec![value(term)],
        PerUnitColumn::Any(filter) | PerUnitColumn::Every(filter) => vec![Need::Computed(expressions.filter(filter))],
        PerUnitColumn::First { of, by, filter, .. } => {
            let counts = filter.as_ref().map_or_else(|| lit(true), |filter| expressions.filter(filter));
            vec![value(of), value(by), Need::Computed(counts.fill_null(lit(false)))]
        }
    }
}

/// Returns where each unit's rows end; units ascend in a sealed table.
fn ends(units: &[u32]) -> PolarsResult<Vec<usize>> {
    // Sized for a few rows per unit; it grows if there are fewer.
    let mut ends = Vec::with_capacity(units.len() / 4);
    for (at, pair) in units.windows(2).enumerate() {
        if pair[0] > pair[1] {
            polars_bail!(ComputeError: "rows are not sorted by unit");
        }
        if pair[0] != pair[1] {
            ends.push(at + 1);
        }
    }
    if !units.is_empty() {
        ends.push(units.len());
    }
    Ok(ends)
}

impl Values {
    fn of(rows: &DataFrame, name: &str, need: &Need) -> PolarsResult<Self> {
        let offset = match need {
            Need::Stored(_, offset) => *offset,
            Need::Computed(_) => 0,
        };
        Ok(Self { values: rows.column(name)?.i64()?.rechunk().into_owned(), offset })
    }

    /// Folds the non-null values of each unit's rows to one value per unit.
    fn each(&self, ends: &[usize], fold: impl Fn(&[i64]) -> Option<i64>) -> Vec<Option<i64>> {
        let mut start = 0;
        let array = self.values.downcast_as_array();
        let (values, valid) = (array.values().as_slice(), array.validity());
        let mut present = Vec::new();
        let mut unit = |end: usize| {
            let rows = start..end;
            start = end;
            let Some(valid) = valid else { return fold(&values[rows]) };
            present.clear();
            present.extend(rows.filter(|row| valid.get_bit(*row)).map(|row| values[row]));
            fold(&present)
        };
        ends.iter().map(|end| unit(*end)).collect()
    }
}

/// Makes a column from folded values; if none is null, takes them as one vector without validity bits.
fn column_of(values: Vec<Option<i64>>, centre: i64) -> Int64Chunked {
    let all: Option<Vec<i64>> = values.iter().map(|value| value.map(|value| value - centre)).collect();
    match all {
        Some(all) => Int64Chunked::from_vec(PlSmallStr::EMPTY, all),
        None => values.into_iter().map(|value| value.map(|value| value - centre)).collect(),
    }
}

fn fold(
    column: &PerUnitColumn,
    ends: &[usize],
    values: impl Fn(usize) -> PolarsResult<Values>,
) -> PolarsResult<Vec<Option<i64>>> {
    let whole = |count: usize| Some(count as i64);
    let sum = |rows: &[i64], offset: i64| rows.iter().sum::<i64>() + rows.len() as i64 * offset;
    let each = |fold: &dyn Fn(&[i64], i64) -> Option<i64>| {
        let values = values(0)?;
        Ok::<_, PolarsError>(values.each(ends, |rows| fold(rows, values.offset)))
    };
    Ok(match column {
        // The value is the same in every row of a unit, null or not.
        PerUnitColumn::Own(_) => each(&|rows, offset| rows.first().map(|value| value + offset))?,
        PerUnitColumn::Rows => {
            let starts = std::iter::once(0).chain(ends.iter().copied());
            ends.iter().zip(starts).map(|(end, start)| whole(end - start)).collect()
        }
        PerUnitColumn::Present(_) => each(&|rows, _| whole(rows.len()))?,
        PerUnitColumn::Sum(_) => each(&|rows, offset| (!rows.is_empty()).then(|| sum(rows, offset)))?,
        PerUnitColumn::Mean(_) => each(&|rows, offset| {
            let rounded = IntegerFunction::Rounded { numerator: MEAN_PARTS, denominator: rows.len().max(1) as i64 };
            (!rows.is_empty()).then(|| rounded.apply(sum(rows, offset)))
        })?,
        PerUnitColumn::Least(_) | PerUnitColumn::Every(_) => {
            each(&|rows, offset| rows.iter().min().map(|value| value + offset))?
        }
        PerUnitColumn::Greatest(_) | PerUnitColumn::Any(_) => {
            each(&|rows, offset| rows.iter().max().map(|value| value + offset))?
        }
        PerUnitColumn::First { descending, .. } => {
            let (of, by, counts) = (values(0)?, values(1)?, values(2)?);
            let offset = of.offset;
            let firsts = first(ends, &[of.values, by.values, counts.values], *descending);
            firsts.into_iter().map(|value| value.map(|value| value + offset)).collect()
        }
    })
}

/// The first value by an order in which nulls are greatest; among equal rows, the one with the least rank.
fn first(ends: &[usize], [of, by, counts]: &[Int64Chunked; 3], descending: bool) -> Vec<Option<i64>> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let place = |row: usize| {
        let key = by.get(row).map_or(i128::MAX, i128::from);
        if descending { -key } else { key }
    };
    let unit = |(end, start): (&usize, usize)| {
        let rows = (start..*end).filter(|row| counts.get(*row) == Some(1));
        of.get(rows.min_by_key(|row| place(*row))?)
    };
    ends.iter().zip(starts).map(unit).collect()
}
