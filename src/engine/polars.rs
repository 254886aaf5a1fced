//! The polars engine: evaluates computations as polars expressions over tables held in memory.

pub(crate) mod histograms;
#[cfg(test)]
mod neighbours_tests;
pub(crate) mod texts;
pub(crate) mod per_unit;

use std::collections::HashMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use polars::prelude::*;

use super::{Engine, EngineFault, Host};
use crate::kernel::privacy::prefix_sums::PrefixSums;
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::{Computation, Measure, PlanKey};
use crate::query::filter::Filter;
use crate::query::term::Term;
use crate::query::term::coding::code;
use crate::query::term::lower::{Step, lower};
use crate::query::terms::domain::Domain;
use crate::query::terms::edition::{Manifest, RANK_COLUMN, UNIT_COLUMN, column_name};
use crate::query::terms::policy::{Terms, Unit};

const CELL: &str = "cell";

/// Sealed tables in this process's memory, by edition.
#[derive(Default)]
pub struct PolarsEngine {
    tables: HashMap<String, Loaded>,
}

/// One sealed table in memory, with the terms it was sealed under.
pub(super) struct Loaded {
    pub(super) table: DataFrame,
    pub(super) terms: Terms,
    /// The texts of columns without a public list, by column and code.
    pub(super) texts: HashMap<usize, Vec<String>>,
}

impl PolarsEngine {
    /// Makes an engine without tables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Host for PolarsEngine {
    fn load(&mut self, state: &Path, manifest: &Manifest) -> Result<(), EngineFault> {
        let file = File::open(Manifest::table_path(state, &manifest.edition)).map_err(|_| EngineFault)?;
        let loaded = Loaded::read(file, manifest.rows, manifest.terms.clone())?;
        self.tables.insert(manifest.edition.clone(), loaded);
        Ok(())
    }
}

impl Engine for PolarsEngine {
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        let loaded = self.tables.get(edition).ok_or(EngineFault)?;
        Ok(Private::new(loaded.exact(computation)?))
    }

    fn is_ready(&self, edition: &str) -> bool {
        self.tables.contains_key(edition)
    }
}

impl Loaded {
    /// Reads a sealed table with polars' safe reader.
    pub(super) fn read(file: File, rows: u64, terms: Terms) -> Result<Self, EngineFault> {
        let table = guarded(|| IpcReader::new(file).set_rechunk(true).finish())?;
        if table.height() as u64 != rows {
            return Err(EngineFault);
        }
        let (table, texts) = guarded(|| crate::engine::polars::texts::split(table, &terms))?;
        Ok(Self { table, terms, texts })
    }

    /// Returns the exact vectors, unlocked: only an engine or a worker calls this, which locks them at once or sends them to a server that
    /// does.
    pub(super) fn exact(&self, computation: &Computation) -> Result<Exact, EngineFault> {
        if let Some(text) = &computation.text {
            return guarded(|| crate::engine::polars::texts::found(self, computation, text));
        }
        let groups = usize::try_from(computation.groups()).map_err(|_| EngineFault)?;
        Ok(Exact { vectors: guarded(|| vectors(self, computation, groups))?, labels: None })
    }
}

impl Loaded {
    /// The rows that count, by the number of rows per unit.
    pub(super) fn counted(&self, rows_per_unit: u32) -> LazyFrame {
        let frame = self.table.clone().lazy();
        if self.terms.unit == Unit::Row || rows_per_unit >= self.terms.max_rows_per_unit {
            return frame;
        }
        frame.filter(col(RANK_COLUMN).lt(lit(rows_per_unit)))
    }
}

/// Runs polars, and drops the text of its errors and panics.
fn guarded<T>(run: impl FnOnce() -> PolarsResult<T>) -> Result<T, EngineFault> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| EngineFault)?.map_err(|_| EngineFault)
}

fn vectors(loaded: &Loaded, computation: &Computation, groups: usize) -> PolarsResult<Vec<Vec<i64>>> {
    let terms = computation.seen(&loaded.terms);
    let expressions = Expressions { terms: &terms };
    let mut frame = match &computation.units {
        None => loaded.counted(computation.rows_per_unit),
        Some(units) => crate::engine::polars::per_unit::table(loaded, units, computation, &terms)?.lazy(),
    };
    if let Some(filter) = &computation.filter {
        frame = frame.filter(expressions.filter(filter));
    }
    let plain = (0..).zip(&computation.measures).filter_map(|(at, one)| Some((at, expressions.measure(one)?)));
    let measures: Vec<Expr> = plain.map(|(at, one): (usize, Expr)| one.alias(format!("m{at}"))).collect();
    let histograms = crate::engine::polars::histograms::histograms(&frame, &expressions, computation, groups)?;
    let answer = if measures.is_empty() {
        DataFrame::empty()
    } else if computation.keys.is_empty() {
        gathered(frame.select(measures))?
    } else {
        gathered(frame.group_by([expressions.cell(&computation.keys).alias(CELL)]).agg(measures))?
    };
    let cells: Vec<usize> = if computation.keys.is_empty() || measures_are_histograms(computation) {
        vec![0]
    } else {
        let cells = answer.column(CELL)?.cast(&DataType::UInt32)?;
        cells.u32()?.iter().map(|cell| cell.map_or(usize::MAX, |cell| cell as usize)).collect()
    };
    let of = |(at, measure): (usize, &Measure)| match (histograms.get(&at), measure) {
        (Some(vector), _) => Ok(vector.clone()),
        (None, Measure::Over { .. }) => alone(loaded, &computation.alone(measure)),
        (None, Measure::PrefixSums { key, measure }) => rooted(loaded, computation, *key, measure),
        (None, _) => dense(&answer, at, &cells, groups),
    };
    computation.measures.iter().enumerate().map(of).collect()
}

/// Computes the prefix-sum measurement of a count along an ordered key.
fn rooted(loaded: &Loaded, computation: &Computation, key: usize, measure: &Measure) -> PolarsResult<Vec<i64>> {
    let counts = alone(loaded, &computation.alone(measure))?;
    let whole = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let stride = computation.keys[key + 1..].iter().map(|key| whole(key.size())).product::<usize>();
    let groups = whole(computation.keys[key].size());
    let roots = PrefixSums::of(groups);
    let mut vector = vec![0; counts.len()];
    for first in (0..counts.len()).filter(|cell| cell / stride % groups == 0) {
        let along: Vec<i64> = (0..groups).map(|group| counts[first + group * stride]).collect();
        for (group, value) in roots.apply(&along).into_iter().enumerate() {
            vector[first + group * stride] = value;
        }
    }
    Ok(vector)
}

/// Evaluates a computation with a single measurement.
pub(super) fn alone(loaded: &Loaded, alone: &Computation) -> PolarsResult<Vec<i64>> {
    let groups = usize::try_from(alone.groups()).unwrap_or(usize::MAX);
    Ok(vectors(loaded, alone, groups)?.swap_remove(0))
}

fn measures_are_histograms(computation: &Computation) -> bool {
    let is_own =
        |measure: &Measure| matches!(measure, Measure::Bins { .. } | Measure::Over { .. } | Measure::PrefixSums { .. });
    computation.measures.iter().all(is_own)
}

/// Runs on the streaming engine, which takes a third of the time of the in-memory engine for ten million rows.
pub(super) fn gathered(frame: LazyFrame) -> PolarsResult<DataFrame> {
    // Unwrap safety: a plan with one sink has one result; only `collect_all` makes several.
    frame.collect_with_engine(polars::prelude::Engine::Streaming).map(|answer| answer.unwrap_single())
}

/// Returns one measurement's vector over all public groups; groups without rows hold 0.
fn dense(answer: &DataFrame, at: usize, cells: &[usize], groups: usize) -> PolarsResult<Vec<i64>> {
    let values = answer.column(&format!("m{at}"))?.cast(&DataType::Int64)?;
    let mut vector = vec![0; groups];
    for (cell, value) in cells.iter().zip(values.i64()?.iter()) {
        if let Some(slot) = vector.get_mut(*cell) {
            *slot = value.unwrap_or(0);
        }
    }
    Ok(vector)
}

pub(super) struct Expressions<'a> {
    pub(super) terms: &'a Terms,
}

impl Expressions<'_> {
    /// The aggregation of a measurement in each group; `None` for measurements that are evaluated separately, such as histograms.
    pub(super) fn measure(&self, measure: &Measure) -> Option<Expr> {
        Some(match measure {
            Measure::Bins { .. } | Measure::Over { .. } | Measure::PrefixSums { .. } => return None,
            Measure::Rows => len(),
            Measure::NonNull { column } => self.stored(column).count(),
            Measure::Sum { column } => self.stored(column).sum(),
            Measure::Units => col(UNIT_COLUMN).n_unique(),
            Measure::UnitsWhere { filter } => {
                // Null counts as one more distinct value if it occurs, but it is not a unit.
                let unit = when(self.filter(filter)).then(col(UNIT_COLUMN)).otherwise(lit(NULL));
                unit.clone().n_unique() - unit.is_null().any(true).cast(DataType::UInt32)
            }
        })
    }

    /// The stored integer of a term, on its grid.
    fn stored(&self, term: &Term) -> Expr {
        match term {
            Term::Column(index) => col(column_name(*index)),
            Term::Made(_) => {
                // Unwrap safety: a computation's terms were typed against the terms that it is evaluated under.
                let lowered = lower(term, self.terms).expect("a typed term can be lowered");
                self.step(&lowered.stored().expect("a typed term is on a grid"))
            }
        }
    }

    /// The number of a row's group; the last key varies fastest.
    pub(super) fn cell(&self, keys: &[PlanKey]) -> Expr {
        let codes = keys.iter().map(|key| {
            let code = self.step(&code(key, self.terms)).cast(DataType::UInt32);
            // Unwrap safety: a plan has at most 100,000 groups.
            let size = u32::try_from(key.size()).expect("a key has at most 100,000 groups");
            (size, if key.nullable { code.fill_null(lit(key.codes)) } else { code })
        });
        let cell = codes.reduce(|(cells, cell), (size, code)| (cells.saturating_mul(size), cell * lit(size) + code));
        cell.map_or_else(|| lit(0_u32), |(_, cell)| cell)
    }

    /// Translates a row program. The bounds of its steps rule out overflow.
    pub(super) fn step(&self, step: &Step) -> Expr {
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
    fn extreme(&self, parts: &[Step], choose: fn(i64, i64) -> i64) -> Expr {
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

    pub(super) fn filter(&self, filter: &Filter) -> Expr {
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

    fn join(&self, parts: &[Filter], connect: impl Fn(Expr, Expr) -> Expr) -> Expr {
        let parts = parts.iter().map(|part| self.filter(part));
        parts.reduce(connect).unwrap_or_else(|| lit(true))
    }

    fn range(&self, of: &Term, low: i64, high: i64) -> Expr {
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

    fn members(&self, of: &Term, codes: &[u32]) -> Expr {
        match codes {
            [one] => self.stored(of).cast(DataType::UInt32).eq(lit(*one)),
            many => {
                let list = Series::new("codes".into(), many);
                self.stored(of).cast(DataType::UInt32).is_in(lit(list).implode(true), false)
            }
        }
    }
}
