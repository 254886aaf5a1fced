//! The public terms of unit-local tables: how many rows a unit can have in one, and which values its columns can hold.
//!
//! **A relation is unit-local of bound k** if for each unit it holds at most k rows, which depend on that unit's own rows alone. Write f(T)
//! for a relation over tables T and A, B for tables of disjoint units; then f(A ∪ B) = f(A) ∪ f(B), so that removing a unit removes its own
//! rows, at most k of them, and changes no other row. Everything before the last aggregation is such a relation, so its sensitivity follows
//! from k and the columns' bounds alone. By induction over the operators:
//!
//! * `Table`: sealing keeps at most `max_rows_per_unit` rows of a unit, by the unit's own rows, and numbers them; the rows with a rank below
//!   r depend on the unit's rows alone. k = min(r, `max_rows_per_unit`).
//! * `Filter`, `Map`: each row is kept or mapped by itself. k stays; a filter on the numbers that `ROW_NUMBER` gives to all of a unit's rows
//!   leaves at most as many rows as it leaves numbers.
//! * `Window`: partitions lie within a unit, so each row's value depends on rows of its own unit. k stays.
//! * `Group`: the rows of a group are of one unit. A unit has at most as many groups as rows, and as the keys have values: k = min(k, Π of
//!   the numbers of values of the keys that vary within a unit), which is 1 without keys.
//! * `Join`: a pair consists of two rows of one unit, of which there are at most k₁·k₂; a left join keeps at most k₁ more, each instead of
//!   at least one pair. k = k₁·max(k₂, 1), refused above [`ROWS_MAX`].
//! * `Semi`: a row is kept or not by the rows that its own unit has in the other relation. k stays.
//! * `Public`: a public table does not depend on any unit, so a row's pairs depend on the row alone. k = k·m, where m is the largest number of
//!   rows of the public table that one row can meet: of those that the condition chooses by public columns alone, the largest number that
//!   are equal in the compared columns; refused above [`ROWS_MAX`].
//! * `Listed`: as `Public`, for rows that are constants in the question's text.
//! * `Union`: k is the sum of the parts' bounds.
//!
//! A column is the same in all rows of a unit (`per_unit`) if it is computed from such columns by a map, or from all rows of the unit by a
//! group without keys or a window over everything.

mod public;

use std::rc::Rc;

use dashu::rational::RBig;

use crate::query::computation::PerUnitColumn;
use crate::query::computation::relation::{FrameBound, FrameBounds, Relation, WindowColumn, WindowFunction};
use crate::query::filter::{Filter, stored_bounds};
use crate::query::term::Term;
use crate::query::term::context::{Steps, TermContext};
use crate::query::term::lower::{Program, Step, TermFault, ValueKind};
use crate::query::terms::columns::Columns;
use crate::query::terms::domain::{Column, Domain};
use crate::query::terms::policy::{PublicTable, Terms};

/// Largest number of rows that a unit may have in a relation.
pub const ROWS_MAX: u32 = 4_096;

/// Why a relation is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelationFault {
    /// A term of it is invalid.
    #[error(transparent)]
    Term(#[from] TermFault),
    /// A unit could have too many rows.
    #[error("a unit could have {rows} rows in it; accepted are at most {ROWS_MAX}")]
    TooManyRows {
        /// The bound that it would have.
        rows: u64,
    },
    /// It names a table that does not exist.
    #[error("there is no such table")]
    NoTable,
    /// Parts of a union have columns of different kinds.
    #[error("the parts of a UNION have columns of different kinds")]
    Unlike,
}

impl Relation {
    /// The relation's public terms: its bound as `max_rows_per_unit`, its capacity as `max_rows`, and its columns without names.
    ///
    /// # Errors
    /// [`RelationFault`] if a bound does not fit.
    pub fn terms(&self, dataset: &Terms, steps: &Rc<Steps>) -> Result<Terms, RelationFault> {
        let operands = self.operands().into_iter().map(|of| of.terms(dataset, steps)).collect::<Result<Vec<_>, _>>()?;
        self.terms_over(&operands, dataset, steps)
    }

    /// The relation's public terms, given those of its operands in their order.
    ///
    /// # Errors
    /// [`RelationFault`] if a bound does not fit.
    pub fn terms_over(&self, operands: &[Terms], dataset: &Terms, steps: &Rc<Steps>) -> Result<Terms, RelationFault> {
        steps.spend(1);
        match (self, operands) {
            (Self::Table { table, rows_per_unit }, _) => {
                let table = dataset.table(*table as usize).ok_or(RelationFault::NoTable)?;
                let rows = (*rows_per_unit).min(table.max_rows_per_unit);
                Ok(dataset.with(unnamed(&table.columns), rows, table.max_rows))
            }
            (Self::Semi { .. }, [of, ..]) => Ok(of.clone()),
            (Self::Filter { of: inner, filter }, [of]) => {
                let rows =
                    numbered(inner, filter, of).map_or(of.max_rows_per_unit, |rows| rows.min(of.max_rows_per_unit));
                if rows == of.max_rows_per_unit {
                    return Ok(of.clone());
                }
                let column = |column: &Column| Column { per_unit: column.per_unit || rows <= 1, ..column.clone() };
                Ok(of.with(of.columns.iter().map(column).collect(), rows, of.max_rows))
            }
            (Self::Map { columns, .. }, [of]) => {
                let known = TermContext::within(of, steps);
                let columns = columns.iter().map(|term| column_of(term, &known)).collect::<Result<_, _>>()?;
                Ok(of.with(columns, of.max_rows_per_unit, of.max_rows))
            }
            (Self::Window { columns, .. }, [of]) => {
                let known = TermContext::within(of, steps);
                let own = columns.iter().map(|column| window(column, &known)).collect::<Result<Vec<_>, _>>()?;
                let columns = of.columns.iter().cloned().chain(own).collect();
                Ok(of.with(columns, of.max_rows_per_unit, of.max_rows))
            }
            (Self::Group { keys, columns, .. }, [of]) => grouped(of, keys, columns, steps),
            (Self::Join { on, is_left, .. }, [left, right]) => joined(left, right, (on.is_some(), *is_left)),
            (Self::Public { table, equal, on, is_left, .. }, [of]) => {
                let table = dataset.public.get(*table as usize).ok_or(RelationFault::NoTable)?;
                looked_up(of, table, (equal, on.as_ref(), *is_left), dataset, steps)
            }
            (Self::Listed { listed, equal, on, is_left, .. }, [of]) => {
                let table = listed.table().ok_or(TermFault::TooWide)?;
                looked_up(of, &table, (equal, on.as_ref(), *is_left), dataset, steps)
            }
            (Self::Union { .. }, [first, rest @ ..]) => {
                rest.iter().try_fold(first.clone(), |all, part| both(&all, part))
            }
            // Every other relation comes with its operands, and a union has parts.
            (_, _) => Err(RelationFault::Unlike),
        }
    }
}

/// The terms of pairs of a row and a row of a public table.
fn looked_up(
    of: &Terms,
    table: &PublicTable,
    (equal, on, is_left): (&[(Term, u32)], Option<&Filter>, bool),
    dataset: &Terms,
    steps: &Rc<Steps>,
) -> Result<Terms, RelationFault> {
    steps.spend(equal.len() as u64);
    let most = public::multiplicity(table, equal, &super::public::conditions(on, of.columns.len()), steps, dataset);
    let rows = bounded(of.max_rows_per_unit, most.max(1))?;
    let known = TermContext::within(of, steps);
    let by_unit = equal.iter().all(|(term, _)| known.facts(term).per_unit) && on.is_none() && most <= 1;
    let of_public = |column: &Column| Column {
        name: String::new(),
        nullable: column.nullable || is_left,
        per_unit: by_unit,
        ..column.clone()
    };
    let columns = of.columns.iter().cloned().chain(table.columns.iter().map(of_public)).collect();
    Ok(of.with(columns, rows, of.max_rows.saturating_mul(most.max(1))))
}

/// The largest number of a unit's rows that a condition on their numbers leaves; `None` if there is no such condition.
///
/// `ROW_NUMBER` over all of a unit's rows gives each of them another number, so as many rows are left as the range has numbers.
fn numbered(of: &Relation, filter: &Filter, terms: &Terms) -> Option<u32> {
    let Relation::Window { columns, .. } = of else { return None };
    let first = terms.columns.len().checked_sub(columns.len())?;
    let parts = match filter {
        Filter::All(parts) => &parts[..],
        one => std::slice::from_ref(one),
    };
    let left = parts.iter().filter_map(|part| {
        let Filter::Range { column: Term::Column(index), low, high } = part else { return None };
        let window = columns.get(index.checked_sub(first)?)?;
        let is_number = window.function == WindowFunction::RowNumber && window.partition.is_empty();
        let (least, _) = stored_bounds(&terms.columns[*index].domain);
        let count = high.saturating_sub((*low).max(least)).saturating_add(1).max(0);
        is_number.then(|| u32::try_from(count).unwrap_or(u32::MAX))
    });
    left.min()
}

/// The terms of pairs of a row of each of two relations.
fn joined(left: &Terms, right: &Terms, (is_conditional, is_left): (bool, bool)) -> Result<Terms, RelationFault> {
    let rows = bounded(left.max_rows_per_unit, u64::from(right.max_rows_per_unit))?;
    let of_left = left.max_rows.saturating_mul(right.max_rows_per_unit.max(1).into());
    let of_right = right.max_rows.saturating_mul(left.max_rows_per_unit.into());
    let all = if is_left { of_left } else { of_left.min(of_right) };
    let of_right = |column: &Column| Column {
        nullable: column.nullable || is_left,
        per_unit: column.per_unit && !(is_left && is_conditional),
        ..column.clone()
    };
    let columns = left.columns.iter().cloned().chain(right.columns.iter().map(of_right)).collect();
    Ok(left.with(columns, rows, all))
}

/// The terms that a condition on pairs refers to: the columns of both sides as they are, before a left join makes some of them missing.
#[must_use]
pub fn paired(left: &Terms, right: &[Column]) -> Terms {
    let right = right.iter().map(|column| Column { name: String::new(), title: None, ..column.clone() });
    let columns = left.columns.iter().cloned().chain(right).collect();
    left.with(columns, left.max_rows_per_unit, left.max_rows)
}

/// The terms of two relations one behind the other.
fn both(one: &Terms, other: &Terms) -> Result<Terms, RelationFault> {
    let pairs = one.columns.iter().zip(&other.columns);
    if one.columns.len() != other.columns.len() || pairs.clone().any(|(one, other)| one.domain != other.domain) {
        return Err(RelationFault::Unlike);
    }
    let column = |(one, other): (&Column, &Column)| Column {
        nullable: one.nullable || other.nullable,
        per_unit: false,
        ..one.clone()
    };
    let rows = bounded(1, u64::from(one.max_rows_per_unit) + u64::from(other.max_rows_per_unit))?;
    Ok(one.with(pairs.map(column).collect(), rows, one.max_rows.saturating_add(other.max_rows)))
}

/// The bound of a product, unless it is too large. A relation of a single factor may be as large as its table.
fn bounded(rows: u32, factor: u64) -> Result<u32, RelationFault> {
    let product = u64::from(rows).saturating_mul(factor);
    let is_kept = factor <= 1 || product <= ROWS_MAX.into();
    u32::try_from(product).ok().filter(|_| is_kept).ok_or(RelationFault::TooManyRows { rows: product })
}

fn grouped(terms: &Terms, keys: &[Term], columns: &[PerUnitColumn], steps: &Rc<Steps>) -> Result<Terms, RelationFault> {
    let known = TermContext::within(terms, steps);
    let mut groups = 1_u64;
    let mut own = Vec::with_capacity(keys.len() + columns.len());
    for key in keys {
        let column = column_of(key, &known)?;
        if !column.per_unit {
            groups = groups.saturating_mul(values(&column));
        }
        own.push(column);
    }
    let rows = terms.max_rows_per_unit.min(u32::try_from(groups).unwrap_or(u32::MAX));
    for column in columns {
        let lowered = column.lowered(&known, terms.max_rows_per_unit)?;
        let domain = match column {
            PerUnitColumn::Own(index) => terms.columns[*index].domain.clone(),
            _ => lowered.domain()?,
        };
        let per_unit = rows == 1 || matches!(column, PerUnitColumn::Own(_));
        own.push(Column { name: String::new(), title: None, domain, per_unit, nullable: lowered.nullable });
    }
    own.iter_mut().for_each(|column| column.per_unit |= rows == 1);
    Ok(terms.with(own.into(), rows, terms.max_rows))
}

/// The number of values that a column can have, with the missing one.
fn values(column: &Column) -> u64 {
    let all = match &column.domain {
        Domain::Category(labels) => labels.len() as u64,
        Domain::Boolean => 2,
        Domain::Number(grid) => grid.high.abs_diff(grid.low).saturating_add(1),
        Domain::Date { min, max } => u64::from(max.abs_diff(*min)).saturating_add(1),
        Domain::Text { .. } => u64::MAX,
    };
    all.saturating_add(column.nullable.into())
}

/// The column that a term makes.
fn column_of(term: &Term, known: &TermContext<'_>) -> Result<Column, TermFault> {
    if let Term::Column(index) = term {
        return Ok(Column { name: String::new(), title: None, ..known.columns[*index].clone() });
    }
    let lowered = known.lower(term)?;
    let (nullable, per_unit) = (lowered.nullable, lowered.per_unit);
    Ok(Column { name: String::new(), title: None, domain: lowered.domain()?, per_unit, nullable })
}

/// The column that a window function makes.
fn window(column: &WindowColumn, known: &TermContext<'_>) -> Result<Column, TermFault> {
    let rows = known.max_rows_per_unit;
    let made = |lowered: Program| {
        let (nullable, per_unit) = (lowered.nullable, lowered.per_unit);
        Ok(Column { name: String::new(), title: None, domain: lowered.domain()?, per_unit, nullable })
    };
    let by_unit = |term: &Term| known.facts(term).per_unit;
    let is_whole = column.partition.iter().all(by_unit)
        && matches!(column.frame, FrameBounds { start: FrameBound::First, end: FrameBound::Last, .. });
    let of = |term: &Term| Ok(Column { nullable: true, per_unit: false, ..column_of(term, known)? });
    let number = |high: i64| Program {
        step: Step::Constant(0),
        kind: ValueKind::Integer,
        scale: RBig::ONE,
        low: 1,
        high,
        nullable: false,
        per_unit: false,
    };
    match &column.function {
        WindowFunction::RowNumber | WindowFunction::Rank | WindowFunction::DenseRank => {
            made(number(i64::from(rows.max(1))))
        }
        // There are no more parts than rows.
        WindowFunction::Ntile(parts) => made(number(i64::from((*parts).min(rows).max(1)))),
        WindowFunction::Lag(term, _) | WindowFunction::Lead(term, _) => of(term),
        WindowFunction::Nth(term, _) | WindowFunction::Last(term) => Ok(Column { per_unit: is_whole, ..of(term)? }),
        WindowFunction::Aggregate(aggregate) => {
            let lowered = aggregate.lowered(known, rows)?;
            let is_count =
                matches!(aggregate, PerUnitColumn::Rows | PerUnitColumn::Present(_) | PerUnitColumn::Distinct(_));
            // A frame may hold no row.
            let low = if is_count { 0 } else { lowered.low };
            let column = made(Program { low, nullable: !is_count, per_unit: false, ..lowered })?;
            Ok(Column { per_unit: is_whole, ..column })
        }
    }
}

/// The same columns without their names.
fn unnamed(columns: &Columns) -> Columns {
    columns.iter().map(|column| Column { name: String::new(), title: None, ..column.clone() }).collect()
}
