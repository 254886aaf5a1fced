//! The exact vectors of a computation: one integer for each group and measurement, in one pass over blocks of the table.
//!
//! Everything before the last aggregation is *unit-local*: which rows of a unit count, what they are worth and which groups they fall into
//! follows from the rows of that unit alone. Blocks are cut at the borders of units, so what a block contributes does not depend on any
//! other block, and vectors of disjoint sets of blocks add up:
//!
//! Let f be a computation over sets of units A and B without a common unit. Each cell of a count, a sum or a histogram is Σ over rows, and
//! each cell of a count of units is Σ over units of 1 if the unit has a row in the cell that counts. Both are sums of terms that each
//! depend on one unit, so f(A ∪ B) = f(A) + f(B). Prefix sums' weights and the coarser levels of a histogram are linear in counts.
//!
//! That holds for the integers themselves: see [`super::tallies`] for overflow.

use std::collections::HashMap;
use std::ops::Range;

use polars::prelude::*;

use super::expressions::Expressions;
use super::fields::{BlockColumn, STRIP_ROWS, Strip};
use super::groupings::{Grouping, RowCondition};
use super::histograms::Level;
use super::inputs::{FieldReading, Inputs, RowSource, select};
use super::per_unit;
use super::stored_columns::StoredColumns;
use super::table::Loaded;
use super::tallies::{Added, CellSums};
use super::texts::{self, FirstGroups};
use crate::kernel::privacy::prefix_sums::PrefixSums;
use crate::kernel::vault::private::Exact;
use crate::query::computation::{Computation, Measure, PlanKey};
use crate::query::terms::policy::Unit;

/// Returns the exact vectors of some blocks, computed on one thread.
pub(super) fn exact(loaded: &Loaded, computation: &Computation, blocks: Range<usize>) -> PolarsResult<Exact> {
    let (base, seen) = (computation.base(&loaded.terms), computation.seen(&loaded.terms));
    let columns = StoredColumns::of(computation, &loaded.terms);
    let expressions = Expressions { terms: &seen };
    let inputs = Inputs::new(&expressions, loaded.rows(&blocks));
    let mut pass = Compiler::new(loaded, computation, inputs)?.pass()?;
    for block in blocks {
        let rows = loaded.block(block, &columns)?;
        match &computation.units {
            None => pass.take(&rows)?,
            Some(units) => {
                let expressions = Expressions { terms: &base };
                let max_rows = loaded.terms.max_rows_per_unit;
                pass.take(&per_unit::table(&rows, units, computation, (&expressions, &seen), max_rows)?)?;
            }
        }
    }
    pass.finish(loaded, computation)
}

/// How a measurement's vector is made from tallies.
enum Shape {
    /// The sums of a tally.
    Sums(usize),
    /// The last of these levels of a histogram, each summed from the one before it; the first one is a tally.
    Levels(usize, Vec<Level>),
    /// The prefix sums of a count along one of the keys.
    Prefix { of: Box<Shape>, keys: Vec<u64>, key: usize },
}

/// Turns a computation into one pass over blocks.
struct Compiler<'a> {
    computation: &'a Computation,
    inputs: Inputs<'a>,
    condition: RowCondition,
    groupings: Vec<Grouping>,
    /// The keys of each grouping; `None` for the text key.
    keys: Vec<Option<Vec<PlanKey>>>,
    tallies: Vec<CellSums>,
    known: HashMap<(usize, Measure), usize>,
    /// Whether units have numbers: each row is a unit otherwise.
    has_units: bool,
}

/// One pass over blocks: everything that is read, and everything that is added up.
struct Pass {
    readings: Vec<FieldReading>,
    condition: RowCondition,
    groupings: Vec<Grouping>,
    tallies: Vec<CellSums>,
    shapes: Vec<Shape>,
    /// Place of the tally of rows in each text group, if the key is a text.
    occurrences: Option<usize>,
}

impl<'a> Compiler<'a> {
    fn new(loaded: &Loaded, computation: &'a Computation, mut inputs: Inputs<'a>) -> PolarsResult<Self> {
        let by_unit = loaded.terms.unit != Unit::Row;
        let mut condition = RowCondition::default();
        let is_cut = computation.rows_per_unit < loaded.terms.max_rows_per_unit;
        if computation.units.is_none() && by_unit && is_cut {
            condition.and_rank_below(computation.rows_per_unit, &mut inputs);
        }
        if let Some(filter) = &computation.filter {
            condition.and(filter, &mut inputs)?;
        }
        let has_units = by_unit;
        let (groupings, keys, tallies, known) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
        let mut compiler = Self { computation, inputs, condition, groupings, keys, tallies, known, has_units };
        match &computation.text {
            None => {
                compiler.group_by(computation.keys.clone())?;
            }
            Some(text) => {
                let field = compiler.inputs.field(RowSource::Stored(text.column));
                let texts = loaded.texts.get(&text.column).map_or(0, Vec::len);
                let is_one = !by_unit || loaded.terms.columns[text.column].per_unit;
                let is_cut = !is_one && text.groups_per_unit < computation.rows_per_unit;
                let unit = is_cut.then(|| compiler.inputs.field(RowSource::Unit));
                let first = unit.map(|unit| (Some(unit), FirstGroups::new(text.groups_per_unit, texts + 1)));
                compiler.groupings.push(Grouping::by_text(field, texts, first));
                compiler.keys.push(None);
            }
        }
        Ok(compiler)
    }

    /// The place of the grouping by these keys, which is added unless it is there.
    fn group_by(&mut self, keys: Vec<PlanKey>) -> PolarsResult<usize> {
        if let Some(place) = self.keys.iter().position(|known| known.as_ref() == Some(&keys)) {
            return Ok(place);
        }
        self.groupings.push(Grouping::by(keys.iter(), &mut self.inputs)?);
        self.keys.push(Some(keys));
        Ok(self.groupings.len() - 1)
    }

    fn pass(mut self) -> PolarsResult<Pass> {
        let occurrences = self.computation.text.is_some().then(|| self.tally(0, &Measure::Rows)).transpose()?;
        let measures = self.computation.measures.iter();
        let shapes = measures.map(|measure| self.shape(0, measure)).collect::<PolarsResult<_>>()?;
        let Self { inputs, condition, groupings, tallies, .. } = self;
        Ok(Pass { readings: inputs.into_readings(), condition, groupings, tallies, shapes, occurrences })
    }

    fn shape(&mut self, grouping: usize, measure: &Measure) -> PolarsResult<Shape> {
        Ok(match measure {
            Measure::Over { keys, measure } => {
                let keys = keys.iter().map(|place| self.computation.keys[*place].clone()).collect();
                let grouping = self.group_by(keys)?;
                self.shape(grouping, measure)?
            }
            Measure::PrefixSums { key, measure } => {
                let keys = self.keys[grouping].iter().flatten().map(PlanKey::size).collect();
                Shape::Prefix { of: Box::new(self.shape(grouping, measure)?), keys, key: *key }
            }
            Measure::Bins { column, low, width, count } => {
                let level = Level { width: *width, count: *count };
                let (mut chain, mut tally): (Vec<Level>, _) = (Vec::new(), 0);
                for next in self.levels(grouping, column, *low) {
                    if !chain.last().is_some_and(|finer| next.is_sum_of(*finer)) {
                        let bins =
                            Measure::Bins { column: column.clone(), low: *low, width: next.width, count: next.count };
                        (chain, tally) = (Vec::new(), self.tally(grouping, &bins)?);
                    }
                    chain.push(next);
                    if next == level {
                        break;
                    }
                }
                Shape::Levels(tally, chain)
            }
            other => Shape::Sums(self.tally(grouping, other)?),
        })
    }

    /// The levels of one histogram in one grouping, the finest first.
    fn levels(&self, grouping: usize, of: &crate::query::term::Term, from: i64) -> Vec<Level> {
        let level = |measure: &Measure| match measure {
            Measure::Bins { column, low, width, count } if column == of && *low == from => {
                Some(Level { width: *width, count: *count })
            }
            _ => None,
        };
        let is_here = |measure: &&Measure| match measure {
            Measure::Over { keys, .. } => {
                let keys = keys.iter().map(|place| &self.computation.keys[*place]);
                self.keys[grouping].as_ref().is_some_and(|here| keys.eq(here))
            }
            _ => grouping == 0,
        };
        let here = self.computation.measures.iter().filter(is_here);
        let mut levels: Vec<Level> = here.filter_map(|measure| level(measure.base())).collect();
        levels.sort_by_key(|level| (level.width, level.count));
        levels.dedup();
        levels
    }

    /// The place of a measurement's tally, which is added unless it is there.
    fn tally(&mut self, grouping: usize, measure: &Measure) -> PolarsResult<usize> {
        let known = (grouping, measure.clone());
        if let Some(place) = self.known.get(&known) {
            return Ok(*place);
        }
        let added = match measure {
            Measure::Rows => Added::Rows,
            Measure::NonNull { column } => Added::Present(self.inputs.input(RowSource::of_term(column))?),
            Measure::Sum { column } => Added::Sum(self.inputs.input(RowSource::of_term(column))?),
            Measure::Units if self.has_units => Added::Units(self.inputs.field(RowSource::Unit)),
            Measure::UnitsWhere { filter } if self.has_units => {
                let mut condition = RowCondition::default();
                condition.and(filter, &mut self.inputs)?;
                Added::UnitsWhere(self.inputs.field(RowSource::Unit), condition)
            }
            Measure::Bins { column, low, width, count } => {
                let bin = RowSource::Bin { of: column.clone(), low: *low, width: *width };
                Added::Bins(self.inputs.input(bin)?, *count as usize)
            }
            Measure::Units => Added::Rows,
            Measure::UnitsWhere { .. } | Measure::PrefixSums { .. } | Measure::Over { .. } => {
                polars_bail!(ComputeError: "not a measurement of its own")
            }
        };
        self.tallies.push(CellSums::new(grouping, self.groupings[grouping].groups, added));
        self.known.insert(known, self.tallies.len() - 1);
        Ok(self.tallies.len() - 1)
    }
}

impl Pass {
    /// Adds the rows of a block.
    fn take(&mut self, block: &DataFrame) -> PolarsResult<()> {
        let rows = block.height();
        if self.readings.is_empty() && self.tallies.iter().all(CellSums::counts_rows) {
            // Nothing tells rows apart, so all of them count in the only group there is.
            self.tallies.iter_mut().for_each(|tally| tally.count(rows));
            return Ok(());
        }
        let expressions = self.readings.iter().filter_map(|reading| match reading {
            FieldReading::Stored(_) => None,
            FieldReading::Computed(expression) => Some(expression.clone()),
        });
        let mut computed = select(block, expressions.collect())?.into_iter();
        let mut fields = Vec::with_capacity(self.readings.len());
        for reading in &self.readings {
            fields.push(match (reading, &mut computed) {
                (FieldReading::Stored(name), _) => BlockColumn::of(block.column(name)?, rows),
                (FieldReading::Computed(_), computed) => match computed.next() {
                    Some(column) => BlockColumn::of(&column, rows),
                    None => polars_bail!(ComputeError: "a computed column is missing"),
                },
            });
        }
        let mut strips: Vec<Strip> = fields.iter().map(|_| Strip::default()).collect();
        let (mut cells, mut kept, mut scratch) = (vec![Vec::new(); self.groupings.len()], Vec::new(), Strip::default());
        for from in (0..rows).step_by(STRIP_ROWS) {
            fields.iter().zip(&mut strips).try_for_each(|(field, strip)| field.read(from, strip))?;
            kept.clear();
            kept.resize(STRIP_ROWS.min(rows - from), true);
            self.condition.keep(&strips, &mut kept);
            for (grouping, cells) in self.groupings.iter_mut().zip(&mut cells) {
                grouping.cells(&strips, &kept, cells);
            }
            for tally in &mut self.tallies {
                tally.add(&strips, &cells[tally.grouping], &mut scratch);
            }
        }
        Ok(())
    }

    fn finish(self, loaded: &Loaded, computation: &Computation) -> PolarsResult<Exact> {
        let places: Vec<usize> = self.tallies.iter().map(|tally| tally.grouping).collect();
        let sums: Vec<Vec<i64>> = self.tallies.into_iter().map(CellSums::into_sums).collect();
        let mut vectors: Vec<Vec<i64>> = self.shapes.iter().map(|shape| shape.vector(&sums)).collect();
        let (Some(text), Some(occurrences)) = (&computation.text, self.occurrences) else {
            return Ok(Exact { vectors, labels: None });
        };
        let (labels, order) = texts::labels(loaded, text.column, &sums[occurrences]);
        for (vector, shape) in vectors.iter_mut().zip(&self.shapes) {
            // Totals have no groups.
            if places[shape.tally()] == 0 {
                *vector = order.iter().map(|code| vector[*code]).collect();
            }
        }
        Ok(Exact { vectors, labels: Some(labels) })
    }
}

impl Shape {
    /// The place of the tally that the vector is made from.
    fn tally(&self) -> usize {
        match self {
            Self::Sums(tally) | Self::Levels(tally, _) => *tally,
            Self::Prefix { of, .. } => of.tally(),
        }
    }

    fn vector(&self, sums: &[Vec<i64>]) -> Vec<i64> {
        match self {
            Self::Sums(tally) => sums[*tally].clone(),
            Self::Levels(tally, chain) => {
                let pairs = chain.iter().zip(chain.iter().skip(1));
                pairs.fold(sums[*tally].clone(), |counts, (finer, level)| level.of_finer(*finer, &counts))
            }
            Self::Prefix { of, keys, key } => prefix_sums(&of.vector(sums), keys, *key),
        }
    }
}

/// The prefix-sum measurement of counts along one of the keys, whose numbers of groups are given.
fn prefix_sums(counts: &[i64], keys: &[u64], key: usize) -> Vec<i64> {
    let whole = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let stride = keys[key + 1..].iter().map(|size| whole(*size)).product::<usize>();
    let groups = whole(keys[key]);
    let roots = PrefixSums::of(groups);
    let mut vector = vec![0; counts.len()];
    for first in (0..counts.len()).filter(|cell| cell / stride % groups == 0) {
        let along: Vec<i64> = (0..groups).map(|group| counts[first + group * stride]).collect();
        for (group, value) in roots.apply(&along).into_iter().enumerate() {
            vector[first + group * stride] = value;
        }
    }
    vector
}
