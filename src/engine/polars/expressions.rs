//! Terms and conditions as polars expressions.

use crate::query::filter::Filter;
use crate::query::term::Term;
use crate::query::term::lower::{Step, lower};
use crate::query::terms::domain::Domain;
use crate::query::terms::edition::column_name;
use crate::query::terms::policy::Terms;
use polars::prelude::*;

pub(in crate::engine) struct Expressions<'a> {
    pub(in crate::engine) terms: &'a Terms,
}

impl Expressions<'_> {
    /// The stored integer of a term, on its grid.
    pub(super) fn stored(&self, term: &Term) -> Expr {
        match term {
            Term::Column(index) => col(column_name(*index)),
            Term::Made(_) => {
                // Unwrap safety: a computation's terms were typed against the terms that it is evaluated under.
                let lowered = lower(term, self.terms).expect("a typed term can be lowered");
                self.step(&lowered.stored().expect("a typed term is on a grid"))
            }
        }
    }

    /// Translates a row program. The bounds of its steps rule out overflow.
    pub(in crate::engine) fn step(&self, step: &Step) -> Expr {
        match step {
            Step::Stored(index) => col(column_name(*index)).cast(DataType::Int64),
            Step::Constant(value) => lit(*value),
            Step::Plus(parts) => {
                let scaled = parts.iter().map(|(part, factor)| match (part, factor) {
                    (Step::Constant(value), factor) => lit(value.saturating_mul(*factor)),
                    (part, 1) => self.step(part),
                    (part, factor) => self.step(part) * lit(*factor),
                });
                scaled.reduce(|sum, part| sum + part).unwrap_or_else(|| lit(0_i64))
            }
            Step::Times(parts) => parts
                .iter()
                .map(|part| self.step(part))
                .reduce(|product, part| product * part)
                .unwrap_or_else(|| lit(1_i64)),
            Step::Least(parts) => self.extreme(parts, i64::min),
            Step::Greatest(parts) => self.extreme(parts, i64::max),
            Step::Filled(inner, value) => self.step(inner).fill_null(lit(*value)),
            Step::Case(whens, otherwise) => {
                let last = otherwise.as_ref().map_or_else(|| lit(NULL).cast(DataType::Int64), |last| self.step(last));
                let arms = whens.iter().rev();
                arms.fold(last, |rest, (filter, then)| when(self.filter(filter)).then(self.step(then)).otherwise(rest))
            }
            Step::Truth(filter) => self.filter(filter).cast(DataType::Int64),
            Step::Apply(function, inner) => {
                let function = function.clone();
                let each = move |column: Column| {
                    // The value under a null is arbitrary, so only valid values are looked at.
                    let values = column.cast(&DataType::Int64)?;
                    Ok(values.i64()?.apply(|value| value.map(|value| function.apply(value))).into_column())
                };
                self.step(inner).map(each, |_, field| Ok(Field::new(field.name().clone(), DataType::Int64)))
            }
        }
    }

    /// Reduces several operands to one with `choose`, ignoring nulls. Each operand is computed once.
    pub(super) fn extreme(&self, parts: &[Step], choose: fn(i64, i64) -> i64) -> Expr {
        let mut parts = parts.iter().map(|part| self.step(part));
        let Some(first) = parts.next() else { return lit(NULL).cast(DataType::Int64) };
        let rest: Vec<Expr> = parts.collect();
        let each = move |columns: &mut [Column]| {
            let is_empty = columns.iter().any(Column::is_empty);
            let height = columns.iter().map(Column::len).max().filter(|_| !is_empty).unwrap_or(0);
            let values: Vec<Int64Chunked> = columns
                .iter()
                .map(|column| Ok(column.cast(&DataType::Int64)?.i64()?.rechunk().into_owned()))
                .collect::<PolarsResult<_>>()?;
            // A constant is one value for all rows.
            let at = |values: &Int64Chunked, row: usize| values.get(if values.len() == 1 { 0 } else { row });
            let row = |row: usize| values.iter().filter_map(|values| at(values, row)).reduce(choose);
            let chosen: Int64Chunked = (0..height).map(row).collect();
            Ok(chosen.into_column())
        };
        first.map_many(each, &rest, |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::Int64)))
    }

    pub(in crate::engine) fn filter(&self, filter: &Filter) -> Expr {
        match filter {
            Filter::Range { column, low, high } => self.range(column, *low, *high),
            Filter::Members { column, codes } => self.members(column, codes),
            Filter::Values { column, values } => {
                let list = Series::new("values".into(), values.as_slice());
                self.stored(column).cast(DataType::Int64).is_in(lit(list).implode(true), false)
            }
            Filter::Missing { column } => self.stored(column).is_null(),
            Filter::Not(inner) => self.filter(inner).not(),
            Filter::All(parts) => self.join(parts, Expr::and),
            Filter::Any(parts) => self.join(parts, Expr::or),
        }
    }

    pub(super) fn join(&self, parts: &[Filter], connect: impl Fn(Expr, Expr) -> Expr) -> Expr {
        let parts = parts.iter().map(|part| self.filter(part));
        parts.reduce(connect).unwrap_or_else(|| lit(true))
    }

    pub(super) fn range(&self, of: &Term, low: i64, high: i64) -> Expr {
        let bounds = low..=high;
        let is_stored_day =
            matches!(of, Term::Column(index) if matches!(self.terms.columns[*index].domain, Domain::Date { .. }));
        let (low, high) = if is_stored_day {
            let day = |value: i64| lit(i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX }));
            (day(low), day(high))
        } else {
            (lit(low), lit(high))
        };
        if let Term::Column(_) = of {
            return self.stored(of).gt_eq(low).and(self.stored(of).lt_eq(high));
        }
        // A computed term is evaluated once, because it may contain conditions that in turn contain computed terms.
        let within = move |column: Column| {
            let values = column.cast(&DataType::Int64)?;
            let truths: BooleanChunked =
                values.i64()?.iter().map(|value| value.map(|value| bounds.contains(&value))).collect();
            Ok(truths.into_column())
        };
        self.stored(of).map(within, |_, field| Ok(Field::new(field.name().clone(), DataType::Boolean)))
    }

    pub(super) fn members(&self, of: &Term, codes: &[u32]) -> Expr {
        match codes {
            [one] => self.stored(of).cast(DataType::UInt32).eq(lit(*one)),
            many => {
                let list = Series::new("codes".into(), many);
                self.stored(of).cast(DataType::UInt32).is_in(lit(list).implode(true), false)
            }
        }
    }
}
