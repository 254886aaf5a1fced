//! Subqueries with one row per unit, folded from the rows of each unit.
//!
//! Promises one pass over a block, which is sorted by unit and, within a unit, by rank: a program computes the values of each row, and the
//! rest is folds over adjacent rows. A unit's row is made from its own rows alone, all of which are in the same block.

use super::compile::{Compiler, IntegerForm};
use super::operands::{Operand, Values, both};
use super::program::{ConditionId, RowProgram, ValueId};
use super::statistics;
use super::stored::{Block, BlockColumn, Slice, Stored, Validity, typed};
use super::window::Window;
use crate::query::computation::{Computation, MEAN_PARTS, PerUnitColumn, PerUnitTable};
use crate::query::term::Term;
use crate::query::term::lower::IntegerFunction;
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::Terms;
use polars::prelude::{PolarsResult, polars_bail};
use std::ops::Range;

/// Number of rows after which a piece of a block ends, as soon as a unit's rows do. It is small enough that what is worked out for a piece
/// fits the processor's cache.
const PIECE_ROWS: usize = 1 << 14;

/// How the table with one row per unit is made from the rows of a block.
pub(super) struct UnitFolds {
    program: RowProgram,
    /// Rows with a rank below this count; `None` for all of them.
    ranks: Option<u32>,
    filter: Option<ConditionId>,
    columns: Vec<UnitColumn>,
}

/// A column with one value for each unit, or for each of some other groups of adjacent rows.
pub(super) struct UnitColumn {
    pub(super) of: PerUnitColumn,
    /// What it needs from each row.
    needs: Vec<Need>,
    /// The centre about which its values are stored.
    pub(super) centre: i64,
}

enum Need {
    /// The value of a term.
    Value(ValueId),
    /// 1 if a condition is true, 0 if it is false, and missing if it is unknown.
    Truth(ConditionId),
}

/// A block's table with one row per unit.
pub(super) struct UnitTable {
    units: Vec<u32>,
    columns: Vec<Values>,
}

impl UnitTable {
    /// The rows of the table.
    pub(super) fn block<'a>(&'a self) -> Block<'a> {
        let column = |(index, column): (usize, &'a Values)| {
            let validity = column.present.as_deref().map_or(Validity::All, Validity::Bytes);
            (index, BlockColumn { values: Slice::I64(&column.values), validity })
        };
        let columns = self.columns.iter().enumerate().map(column).collect();
        Block { rows: self.units.len(), columns, units: Some(&self.units), ranks: None }
    }
}

impl UnitFolds {
    /// Compiles the table of `units`, of a dataset with these terms.
    pub(super) fn of(units: &PerUnitTable, computation: &Computation, terms: &Terms, ranks: Option<u32>) -> Self {
        let (base, seen) = (computation.base(terms), computation.seen(terms));
        let mut compiler = Compiler::of(&base);
        let filter = units.filter.as_ref().map(|filter| compiler.condition(filter));
        let domains = seen.columns.iter().map(|column| &column.domain);
        let columns = units.columns.iter().zip(domains);
        let columns = columns.map(|(column, domain)| UnitColumn::of(column, domain, &mut compiler)).collect();
        Self { program: compiler.finish(), ranks, filter, columns }
    }

    /// Cuts a block into pieces of a few windows, at the borders of units.
    pub(super) fn pieces(&self, block: &Block<'_>) -> PolarsResult<Vec<Range<usize>>> {
        let Some(units) = block.units else { polars_bail!(ComputeError: "rows have no units") };
        let mut pieces = Vec::with_capacity(units.len() / PIECE_ROWS + 1);
        let mut start = 0;
        while start < units.len() {
            let mut end = (start + PIECE_ROWS).min(units.len());
            end += units[end..].iter().take_while(|unit| **unit == units[end - 1]).count();
            pieces.push(start..end);
            start = end;
        }
        Ok(pieces)
    }

    /// Makes the table of the units that these rows belong to.
    pub(super) fn table(&self, block: &Block<'_>, of: Range<usize>) -> PolarsResult<UnitTable> {
        let mut units = Vec::with_capacity(of.len());
        let mut rows: Vec<Vec<Values>> = self.columns.iter().map(|column| column.needed(of.len())).collect();
        for window in Window::all(block, of, &self.program) {
            let Some(of_rows) = window.units() else { polars_bail!(ComputeError: "rows have no units") };
            let passed = self.filter.map(|filter| window.holds(filter, true));
            let ranked = self.ranks.and_then(|count| window.ranked_below(count));
            let both = ranked.map(|ranked| both(ranked, passed));
            let counted = both.as_deref().or(passed);
            extend(&mut units, of_rows.iter().copied(), counted);
            self.columns.iter().zip(&mut rows).for_each(|(column, rows)| column.read(&window, counted, rows));
        }
        let ends = ends(&units)?;
        let columns = self.columns.iter().zip(&rows).map(|(column, rows)| column.folded(&ends, rows)).collect();
        Ok(UnitTable { units: ends.iter().map(|end| units[end - 1]).collect(), columns })
    }
}

/// The centre about which the values of a domain are stored.
pub(super) fn centre(domain: &Domain) -> i64 {
    match domain {
        Domain::Number(grid) => grid.centre(),
        Domain::Date { .. } | Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => 0,
    }
}

/// What a column needs to be computed from each row.
fn needs(compiler: &mut Compiler<'_>, column: &PerUnitColumn) -> Vec<Need> {
    let value = |compiler: &mut Compiler<'_>, term: &Term| Need::Value(compiler.value(term, IntegerForm::Whole));
    match column {
        PerUnitColumn::Own(index) => vec![value(compiler, &Term::Column(*index))],
        PerUnitColumn::Rows => Vec::new(),
        PerUnitColumn::Present(term)
        | PerUnitColumn::Sum(term)
        | PerUnitColumn::Mean(term)
        | PerUnitColumn::Least(term)
        | PerUnitColumn::Greatest(term)
        | PerUnitColumn::Distinct(term)
        | PerUnitColumn::Spread(_, term)
        | PerUnitColumn::Percentile(_, term) => vec![value(compiler, term)],
        PerUnitColumn::Any(filter) | PerUnitColumn::Every(filter) => vec![Need::Truth(compiler.condition(filter))],
        PerUnitColumn::First { of, by, filter, .. } => {
            let counts = filter.iter().map(|filter| Need::Truth(compiler.condition(filter))).collect::<Vec<_>>();
            [value(compiler, of), value(compiler, by)].into_iter().chain(counts).collect()
        }
    }
}

impl Need {
    /// Adds what is needed from the rows of a window that count.
    fn read(&self, window: &Window<'_>, counted: Option<&[u8]>, into: &mut Values) {
        match self {
            Self::Value(value) => into.extend(window.value(*value), counted),
            Self::Truth(condition) => {
                let known = window.known(*condition);
                into.extend((Slice::U8(window.holds(*condition, true)), Some(&known)), counted);
            }
        }
    }
}

impl Values {
    /// No rows, with room for some.
    pub(super) fn with_room(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), present: None }
    }

    /// Adds the rows whose byte in `counted` is 1.
    pub(super) fn extend(&mut self, (values, present): Operand<'_>, counted: Option<&[u8]>) {
        let before = self.values.len();
        typed!(values, values => extend(&mut self.values, values.iter().map(|value| value.wide()), counted));
        match (&mut self.present, present) {
            (None, None) => {}
            (Some(own), None) => own.resize(self.values.len(), 1),
            (own, Some(present)) => {
                extend(own.get_or_insert_with(|| vec![1; before]), present.iter().copied(), counted)
            }
        }
    }

    /// Folds the values of each unit's rows that are present to one value per unit. `finish` is given the number of those rows, too.
    fn each<S: Copy>(
        &self,
        ends: &[usize],
        empty: S,
        step: impl Fn(S, i64) -> S,
        finish: impl Fn(S, usize) -> Option<i64>,
    ) -> Vec<Option<i64>> {
        let mut start = 0;
        let unit = |end: &usize| {
            let rows = start..*end;
            start = *end;
            let values = &self.values[rows.clone()];
            let Some(present) = &self.present else {
                return finish(values.iter().fold(empty, |folded, value| step(folded, *value)), values.len());
            };
            let (mut folded, mut count) = (empty, 0);
            for (value, present) in values.iter().zip(&present[rows]) {
                folded = if *present == 1 { step(folded, *value) } else { folded };
                count += usize::from(*present);
            }
            finish(folded, count)
        };
        ends.iter().map(unit).collect()
    }

    /// Computes a value from the values of each unit's rows that are present.
    fn lists(&self, ends: &[usize], of: impl Fn(&mut [i64]) -> Option<i64>) -> Vec<Option<i64>> {
        let (mut start, mut list) = (0, Vec::new());
        let unit = |end: &usize| {
            list.clear();
            list.extend((start..*end).filter_map(|row| self.get(row)));
            start = *end;
            of(&mut list)
        };
        ends.iter().map(unit).collect()
    }

    /// The value of a row, if it has one.
    pub(super) fn get(&self, row: usize) -> Option<i64> {
        self.present.as_ref().is_none_or(|present| present[row] == 1).then(|| self.values[row])
    }

    /// Makes a column from folded values, about a centre.
    pub(super) fn about(values: &[Option<i64>], centre: i64) -> Self {
        let is_whole = values.iter().all(Option::is_some);
        let present = (!is_whole).then(|| values.iter().map(|value| u8::from(value.is_some())).collect());
        Self { values: values.iter().map(|value| value.unwrap_or(centre).wrapping_sub(centre)).collect(), present }
    }
}

/// Adds the items whose byte in `counted` is 1.
fn extend<T>(into: &mut Vec<T>, items: impl Iterator<Item = T>, counted: Option<&[u8]>) {
    match counted {
        None => into.extend(items),
        Some(rows) => into.extend(items.zip(rows).filter(|(_, row)| **row == 1).map(|(item, _)| item)),
    }
}

/// Returns where each unit's rows end; units ascend in a sealed table.
pub(super) fn ends(units: &[u32]) -> PolarsResult<Vec<usize>> {
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

impl UnitColumn {
    /// Compiles a column whose values have this domain.
    pub(super) fn of(column: &PerUnitColumn, domain: &Domain, compiler: &mut Compiler<'_>) -> Self {
        Self { of: column.clone(), needs: needs(compiler, column), centre: centre(domain) }
    }

    /// Room for what it needs from each of so many rows.
    pub(super) fn needed(&self, rows: usize) -> Vec<Values> {
        self.needs.iter().map(|_| Values::with_room(rows)).collect()
    }

    /// Adds what it needs from the rows of a window that count.
    pub(super) fn read(&self, window: &Window<'_>, counted: Option<&[u8]>, into: &mut [Values]) {
        self.needs.iter().zip(into).for_each(|(need, values)| need.read(window, counted, values));
    }

    /// The column's value for each unit, given what it needs from each row.
    pub(super) fn folded(&self, ends: &[usize], rows: &[Values]) -> Values {
        let some = |value: i64, count: usize| (count > 0).then_some(value);
        let values = match &self.of {
            // The value is the same in every row of a unit, null or not.
            PerUnitColumn::Own(_) => rows[0].each(ends, 0, |_, value| value, some),
            PerUnitColumn::Rows => {
                let starts = std::iter::once(0).chain(ends.iter().copied());
                ends.iter().zip(starts).map(|(end, start)| Some((end - start) as i64)).collect()
            }
            PerUnitColumn::Present(_) => rows[0].each(ends, (), |(), _| (), |(), count| Some(count as i64)),
            PerUnitColumn::Sum(_) => rows[0].each(ends, 0, i64::wrapping_add, some),
            PerUnitColumn::Mean(_) => rows[0].each(ends, 0, i64::wrapping_add, |sum, count| {
                let rounded = IntegerFunction::Rounded { numerator: MEAN_PARTS, denominator: count.max(1) as i64 };
                (count > 0).then(|| rounded.apply(sum))
            }),
            PerUnitColumn::Least(_) | PerUnitColumn::Every(_) => rows[0].each(ends, i64::MAX, i64::min, some),
            PerUnitColumn::Greatest(_) | PerUnitColumn::Any(_) => rows[0].each(ends, i64::MIN, i64::max, some),
            PerUnitColumn::Distinct(_) => rows[0].lists(ends, |values| Some(statistics::distinct(values))),
            PerUnitColumn::Spread(spread, _) => rows[0].lists(ends, |values| statistics::spread(*spread, values)),
            PerUnitColumn::Percentile(fraction, _) => {
                rows[0].lists(ends, |values| statistics::percentile(*fraction, values))
            }
            PerUnitColumn::First { descending, .. } => first(ends, rows, *descending),
        };
        Values::about(&values, self.centre)
    }
}

/// The first value of each unit by an order in which nulls are greatest; among equal rows, the one with the least rank.
fn first(ends: &[usize], rows: &[Values], descending: bool) -> Vec<Option<i64>> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    ends.iter().zip(starts).map(|(end, start)| first_of(start..*end, rows, descending)).collect()
}

/// The first value of some rows by an order in which nulls are greatest; among equal rows, that of the one that comes first.
pub(super) fn first_of(rows: impl Iterator<Item = usize>, needed: &[Values], descending: bool) -> Option<i64> {
    let (of, by, counts) = (&needed[0], &needed[1], needed.get(2));
    let place = |row: &usize| {
        let key = by.get(*row).map_or(i128::MAX, i128::from);
        if descending { -key } else { key }
    };
    let rows = rows.filter(|row| counts.is_none_or(|counts| counts.get(*row) == Some(1)));
    of.get(rows.min_by_key(place)?)
}
