//! The exact vectors of a computation: one integer for each group and measurement.
//!
//! Promises that vectors of disjoint sets of blocks add up; [`super::pass`] has the proof.

use super::accumulators::Binning;
use super::compile::{Compiler, IntegerForm};
use super::pass::{Pass, StatisticKind};
use super::program::ValueId;
use super::table::Loaded;
use crate::kernel::privacy::prefix_sums::PrefixSums;
use crate::kernel::vault::private::Exact;
use crate::query::computation::{Computation, Measure, PlanKey};
use crate::query::terms::policy::Unit;
use polars::prelude::{PolarsResult, polars_bail};
use std::ops::Range;

/// Returns the exact vectors of some blocks, computed on one thread.
pub(super) fn exact(loaded: &Loaded, computation: &Computation, blocks: Range<usize>) -> PolarsResult<Exact> {
    let evaluation = Evaluation::of(loaded, computation)?;
    let mut tally = evaluation.pass.tally();
    for block in blocks {
        evaluation.pass.add(block, &mut tally)?;
    }
    Ok(evaluation.exact(&tally.finish()))
}

/// A computation that is being evaluated: a pass over the table, and how its sums become the vectors of measurements.
struct Evaluation<'a> {
    pass: Pass<'a>,
    measures: Vec<Measured>,
    /// If rows are grouped by a text: the texts by code, and the index of the statistic that counts the rows of each.
    text: Option<(&'a [String], usize)>,
}

/// How a measurement follows from a statistic.
struct Measured {
    /// Index of the statistic.
    statistic: usize,
    /// Whether its cells are texts.
    is_by_text: bool,
    change: Change,
}

/// What becomes of the sums of a statistic.
#[derive(Clone, Copy)]
enum Change {
    None,
    /// Weighted sums along a key with so many groups, which are so many cells apart.
    PrefixSums {
        groups: usize,
        stride: usize,
    },
    /// Coarser bins.
    Bins {
        finer: Binning,
        coarser: Binning,
    },
}

impl<'a> Evaluation<'a> {
    /// Compiles a computation. A plan has typed it against the terms of the table.
    fn of(loaded: &'a Loaded, computation: &Computation) -> PolarsResult<Self> {
        let terms = computation.seen(&loaded.terms);
        let mut compiler = Compiler::of(&terms);
        let mut pass = Pass::of(loaded, computation, &mut compiler)?;
        let mut histograms = Histograms::default();
        // A relation numbers its rows if every row is a unit.
        let has_units = loaded.terms.unit != Unit::Row || computation.relation.is_some();
        let mut measures: Vec<Option<Measured>> = computation.measures.iter().map(|_| None).collect();
        for at in histograms.finest_first(&computation.measures) {
            let over = Over::of(&computation.measures[at], computation);
            measures[at] = Some(over.measured(has_units, &mut pass, &mut compiler, &mut histograms)?);
        }
        let text = match &computation.text {
            None => None,
            Some(text) => {
                let texts = loaded.texts.get(&text.column).map(Vec::as_slice).unwrap_or_default();
                let grouping = pass.by_text()?;
                Some((texts, pass.statistic(grouping, StatisticKind::Rows)?))
            }
        };
        pass.compiled(compiler.finish());
        Ok(Self { pass, measures: measures.into_iter().flatten().collect(), text })
    }

    /// Returns the exact vectors, given the sums of each statistic.
    fn exact(&self, sums: &[Vec<i64>]) -> Exact {
        // The texts that occur in a row that counts, in their order; rows without a text have the last cell.
        let found = self.text.map(|(texts, rows)| {
            let counts = sums[rows].iter().enumerate().filter(|(_, count)| **count > 0);
            let mut found: Vec<_> = counts.map(|(code, _)| (texts.get(code), code)).collect();
            found.sort();
            found
        });
        let vector = |measured: &Measured| {
            let sums = &sums[measured.statistic];
            match (&found, measured.is_by_text) {
                (Some(found), true) => found.iter().map(|(_, code)| sums[*code]).collect(),
                (Some(_) | None, _) => measured.change.of(sums),
            }
        };
        let vectors = self.measures.iter().map(vector).collect();
        let labels = |found: &Vec<(Option<&String>, usize)>| found.iter().map(|(text, _)| text.cloned()).collect();
        Exact { vectors, labels: found.as_ref().map(labels) }
    }
}

/// A measurement with the keys that it is grouped by.
struct Over<'a> {
    measure: &'a Measure,
    keys: Vec<PlanKey>,
    is_by_text: bool,
}

impl<'a> Over<'a> {
    fn of(measure: &'a Measure, computation: &Computation) -> Self {
        match measure {
            // A total has no groups that are texts.
            Measure::Over { keys, measure } => {
                let keys = keys.iter().map(|place| computation.keys[*place].clone()).collect();
                Self { measure, keys, is_by_text: false }
            }
            measure => Self { measure, keys: computation.keys.clone(), is_by_text: computation.text.is_some() },
        }
    }

    /// Compiles the measurement.
    fn measured(
        &self,
        has_units: bool,
        pass: &mut Pass<'_>,
        compiler: &mut Compiler<'_>,
        histograms: &mut Histograms,
    ) -> PolarsResult<Measured> {
        let grouping = if self.is_by_text { pass.by_text()? } else { pass.by_keys(&self.keys, compiler)? };
        let (kind, change) = match self.measure {
            Measure::Bins { column, low, width, count } => {
                let value = compiler.value(column, IntegerForm::Whole);
                let own = Binning { low: *low, width: *width, count: *count };
                let finer = histograms.finest(grouping, value, own);
                (StatisticKind::Bins(value, finer), Change::Bins { finer, coarser: own })
            }
            Measure::PrefixSums { key, measure } => {
                let size = |keys: &[PlanKey]| keys.iter().map(|key| key.size() as usize).product();
                let (groups, stride) = (size(&self.keys[*key..=*key]), size(&self.keys[key + 1..]));
                (kind(measure, has_units, compiler)?, Change::PrefixSums { groups, stride })
            }
            plain => (kind(plain, has_units, compiler)?, Change::None),
        };
        Ok(Measured { statistic: pass.statistic(grouping, kind)?, is_by_text: self.is_by_text, change })
    }
}

/// The statistic that a measurement other than a histogram or prefix sums is.
fn kind(measure: &Measure, has_units: bool, compiler: &mut Compiler<'_>) -> PolarsResult<StatisticKind> {
    Ok(match measure {
        Measure::Rows => StatisticKind::Rows,
        Measure::NonNull { column } => StatisticKind::NonNull(compiler.presence(column, IntegerForm::Stored)),
        Measure::Sum { column } => StatisticKind::Sum(compiler.value(column, IntegerForm::Stored)),
        // Every row is a unit.
        Measure::Units if !has_units => StatisticKind::Rows,
        Measure::Units => StatisticKind::Units,
        Measure::UnitsWhere { filter } if has_units => StatisticKind::UnitsWhere(compiler.condition(filter)),
        Measure::UnitsWhere { .. } => polars_bail!(ComputeError: "rows have no units"),
        Measure::Bins { .. } | Measure::PrefixSums { .. } | Measure::Over { .. } => {
            polars_bail!(ComputeError: "a measurement of this kind is not nested")
        }
    })
}

/// The histograms that are counted, so that coarser ones are summed up from them.
#[derive(Default)]
struct Histograms {
    counted: Vec<(usize, ValueId, Binning)>,
}

impl Histograms {
    /// The indices of measurements, with those of narrow bins before those of wide ones.
    fn finest_first(&self, measures: &[Measure]) -> Vec<usize> {
        let width = |at: &usize| match measures[*at].base() {
            Measure::Bins { width, .. } => *width,
            _ => 0,
        };
        let mut order: Vec<usize> = (0..measures.len()).collect();
        order.sort_by_key(width);
        order
    }

    /// The bins that are counted in order to fill bins of this width.
    fn finest(&mut self, grouping: usize, value: ValueId, own: Binning) -> Binning {
        let mut known = self.counted.iter().filter(|(of, at, _)| (*of, *at) == (grouping, value));
        if let Some((.., finer)) = known.find(|(.., finer)| finer.divides(own)) {
            return *finer;
        }
        self.counted.push((grouping, value, own));
        own
    }
}

impl Change {
    fn of(self, sums: &[i64]) -> Vec<i64> {
        match self {
            Self::None => sums.to_vec(),
            Self::Bins { finer, coarser } if finer == coarser => sums.to_vec(),
            Self::Bins { finer, coarser } => finer.summed(sums, coarser),
            Self::PrefixSums { groups, stride } => {
                let roots = PrefixSums::of(groups);
                let mut vector = vec![0; sums.len()];
                for first in (0..sums.len()).filter(|cell| cell / stride % groups == 0) {
                    let along: Vec<i64> = (0..groups).map(|group| sums[first + group * stride]).collect();
                    for (group, value) in roots.apply(&along).into_iter().enumerate() {
                        vector[first + group * stride] = value;
                    }
                }
                vector
            }
        }
    }
}
