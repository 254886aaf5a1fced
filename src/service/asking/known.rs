//! What a person knows already: the noisy answers that they were served, read for the errors of their next question.
//!
//! Promises that nothing depends on what others were served, or on anything unpaid: it reads the latest answers that were durably served to
//! the person who asks, of the same edition, and nothing else. It is post-processing of what they hold, so it is free.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::vault::release::NoisyVector;
use crate::query::answer::expected::{
    ColumnShape, KnownMeasure, KnownValues, ValueDistribution, ValueHistogram, ValuesFrom,
};
use crate::query::answer::formula::{CentredSum, Formula, Quantile, Squares};
use crate::query::answer::quantile::{HistogramTree, Levels};
use crate::query::computation::{Computation, Measure};
use crate::query::derive::derive;
use crate::query::parse;
use crate::query::plan::{Plan, replan};
use crate::query::term::Term;
use crate::query::term::context::TermContext;
use crate::service::asking::stored::StoredAnswer;
use crate::service::dataset::Dataset;

/// Number of a person's latest answers that are read.
pub(in crate::service) const ANSWERS_MAX: usize = 32;
/// Largest number of noisy cells that are read, over all answers.
const CELLS_MAX: usize = 200_000;
/// Largest number of plans that are kept.
const PLANS_MAX: usize = 1_000;

/// What was measured for an answer, and what was computed from it.
struct KnownPlan {
    computation: Computation,
    formulas: Vec<Formula>,
}

/// The plans of answers that were read before, by release.
#[derive(Default)]
pub(in crate::service) struct KnownPlans(Mutex<HashMap<String, Option<Arc<KnownPlan>>>>);

/// One answer that the person holds.
pub(in crate::service) struct KnownAnswer {
    plan: Arc<KnownPlan>,
    stored: Arc<StoredAnswer>,
}

/// What a person knows of the groups of a question.
#[derive(Default)]
pub(in crate::service) struct KnownGroups {
    /// Noisy numbers of rows of each group, in the order of the cells; `None` if they are not known.
    pub(in crate::service) rows: Option<Vec<f64>>,
    /// The noisy number of rows of all groups together; `None` if it is not known.
    pub(in crate::service) total: Option<f64>,
    /// What is known of each measurement, in the plan's order.
    pub(in crate::service) measures: Vec<KnownMeasure>,
    /// What is known of the values of columns.
    pub(in crate::service) shapes: HashMap<Term, ColumnShape>,
}

impl KnownPlans {
    /// What was measured for a stored answer of this dataset; `None` if its question is planned differently today.
    fn plan(&self, dataset: &Dataset, stored: &StoredAnswer) -> Option<Arc<KnownPlan>> {
        let id = &stored.release.id;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(known) = known {
            return known;
        }
        let is_it = |plan: &Plan| plan.is_single() && plan.computation.measures.len() == stored.vectors().len();
        let planned = parse::parse(&stored.sql)
            .ok()
            .and_then(|query| replan(&query.about(&dataset.name), &dataset.terms, stored.rows_per_unit, is_it).ok());
        let planned = planned.filter(is_it).map(|Plan { computation, layout, .. }| {
            let outputs = layout.outputs.iter().filter(|_| layout.sets.is_none());
            let formulas = outputs.filter_map(|output| output.value.formula()).collect();
            Arc::new(KnownPlan { computation, formulas })
        });
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= PLANS_MAX {
            plans.clear();
        }
        plans.insert(id.clone(), planned.clone());
        planned
    }

    /// Those of the answers that a person holds, newest first, which are read for a quote of this dataset. What would be too much to read is
    /// left out.
    pub(in crate::service) fn answers(
        &self,
        dataset: &Dataset,
        held: impl Iterator<Item = Arc<StoredAnswer>>,
    ) -> Vec<KnownAnswer> {
        let mut left = CELLS_MAX;
        let one = |stored: Arc<StoredAnswer>| {
            let is_of_edition = stored.release.subject.edition == dataset.edition && stored.release.groups.is_none();
            let cells: usize = stored.vectors().iter().map(|one| one.cells.len()).sum();
            let rest = left.checked_sub(cells).filter(|_| is_of_edition)?;
            let plan = self.plan(dataset, &stored)?;
            left = rest;
            Some(KnownAnswer { plan, stored })
        };
        held.filter_map(one).collect()
    }
}

impl KnownGroups {
    /// What answers, the newest first, tell of the groups of a computation.
    pub(in crate::service) fn of(answers: &[KnownAnswer], computation: &Computation, known: &TermContext<'_>) -> Self {
        let one = |measure: &Measure| {
            let target = computation.alone(measure);
            let cells = answers.iter().filter_map(|answer| answer.cells(&target, known));
            let cells = cells.min_by(|one, other| one.0.total_cmp(&other.0));
            let cells = cells.map(|(variance, values)| KnownValues { values, std_error: variance.sqrt() });
            let per_row = answers.iter().find_map(|answer| answer.per_row(&target));
            KnownMeasure { cells, per_row }
        };
        let measures: Vec<KnownMeasure> = computation.measures.iter().map(one).collect();
        let is_count = |measure: &Measure| matches!(measure, Measure::NonNull { column: Term::Column(_) });
        let mut counted = measures.iter().zip(&computation.measures).filter(|(_, measure)| is_count(measure));
        let counted = counted.find_map(|(known, _)| known.cells.clone());
        let rows = one(&Measure::Rows).cells.or(counted).map(|cells| cells.values);
        let in_bins = measures.iter().zip(&computation.measures).find_map(|(known, measure)| in_bins(known, measure));
        let rows = rows.or(in_bins);
        let mut shapes = HashMap::new();
        // What is newer overwrites what is older, and distributions overwrite moments.
        let of_table = answers.iter().rev().filter(|answer| answer.is_of_table(computation));
        of_table.for_each(|answer| answer.shapes(known, &mut shapes));
        let whole = Computation { keys: Vec::new(), ..computation.clone() };
        let total = whole.alone(&Measure::Rows);
        let mut totals = answers.iter().filter_map(|answer| answer.cells(&total, known)?.1.first().copied());
        Self { rows, total: totals.next(), measures, shapes }
    }
}

/// The noisy number of rows of each group by a histogram of its values; `None` if that is not known.
fn in_bins(known: &KnownMeasure, measure: &Measure) -> Option<Vec<f64>> {
    match measure {
        Measure::Bins { count, .. } => {
            let bins = &known.cells.as_ref()?.values;
            Some(bins.chunks((*count).max(1) as usize).map(|bins| bins.iter().sum()).collect())
        }
        Measure::Rows
        | Measure::NonNull { .. }
        | Measure::Sum { .. }
        | Measure::Units
        | Measure::UnitsWhere { .. }
        | Measure::PrefixSums { .. }
        | Measure::Over { .. } => None,
    }
}

/// What an answer tells of a column by its mean, and by its standard deviation if that is known.
fn of_moments(mean: f64, deviation: Option<f64>) -> ColumnShape {
    ColumnShape { mean, deviation, distribution: None, present: 1.0, from: ValuesFrom::Answers }
}

/// The noisy values of a vector, in steps.
fn steps(vector: &NoisyVector) -> impl Iterator<Item = f64> {
    let fine = 2_f64.powi(vector.law.fine_bits.cast_signed());
    vector.cells.iter().map(move |cell| cell.to_f64().value() / fine)
}

impl KnownAnswer {
    /// The measurements with their vectors.
    fn measured(&self) -> impl Iterator<Item = (&Measure, &NoisyVector)> {
        self.plan.computation.measures.iter().zip(self.stored.vectors())
    }

    /// The noisy cells of `target`, which has a single measurement, with their largest variance; `None` if they do not follow from this
    /// answer.
    fn cells(&self, target: &Computation, known: &TermContext<'_>) -> Option<(f64, Vec<f64>)> {
        let measure = target.measures.first()?;
        let of_source = |(whole, vector): (&Measure, &NoisyVector)| {
            if whole.base() != measure {
                return None;
            }
            let (source, variance) = (self.plan.computation.alone(whole), vector.law.std_error().powi(2));
            if source == *target {
                return Some((variance, steps(vector).collect()));
            }
            let derivation = derive(target, &source, measure, known)?;
            let cells: Vec<f64> = derivation.apply(&steps(vector).collect::<Vec<_>>());
            Some((variance * derivation.summed_max as f64, cells))
        };
        self.measured().find_map(of_source)
    }

    /// Whether it was computed from the same rows as `target`, up to conditions and groups, so that columns mean the same.
    fn is_of_table(&self, target: &Computation) -> bool {
        let own = &self.plan.computation;
        (own.rows_per_unit, &own.units, &own.left, &own.relation)
            == (target.rows_per_unit, &target.units, &target.left, &target.relation)
    }

    /// The average over a row of what `target` measures, over all groups of this answer: of a sum, over a row that has a value.
    fn per_row(&self, target: &Computation) -> Option<KnownValues> {
        let measure = target.measures.first().filter(|_| self.is_of_table(target))?;
        let rows = match measure {
            // Of rows that pass a condition, the number is another one.
            Measure::Sum { column } if !column.is_part() => self.rows_of(column)?,
            Measure::NonNull { .. } | Measure::UnitsWhere { .. } => {
                let (_, all) = self.measured().find(|(own, _)| *own.base() == Measure::Rows)?;
                self.total(all)?
            }
            // A histogram's bins depend on the number of groups, so its shape is taken instead.
            Measure::Sum { .. }
            | Measure::Bins { .. }
            | Measure::Rows
            | Measure::Units
            | Measure::PrefixSums { .. }
            | Measure::Over { .. } => return None,
        };
        let (_, vector) = self.measured().find(|(own, _)| own.base() == measure)?;
        let std_error = vector.law.std_error() * (vector.cells.len() as f64).sqrt() / rows;
        Some(KnownValues { values: vec![steps(vector).sum::<f64>() / rows], std_error })
    }

    /// The noisy number of rows in which a column is present, over all groups; `None` if it is not known or lost in noise.
    fn rows_of(&self, column: &Term) -> Option<f64> {
        let is_own = |measure: &Measure| matches!(measure, Measure::NonNull { column: own } if own == column);
        let found = self.measured().find(|(measure, _)| is_own(measure.base()));
        let (_, count) = found.or_else(|| self.measured().find(|(measure, _)| *measure.base() == Measure::Rows))?;
        self.total(count)
    }

    /// The total over a vector of counts; `None` if it is lost in noise.
    fn total(&self, count: &NoisyVector) -> Option<f64> {
        const ERRORS: f64 = 4.0;
        let error = count.law.std_error() * (count.cells.len() as f64).sqrt();
        Some(steps(count).sum::<f64>()).filter(|rows| *rows > ERRORS * error)
    }

    /// Adds what this answer tells of the values of columns.
    fn shapes(&self, known: &TermContext<'_>, found: &mut HashMap<Term, ColumnShape>) {
        for formula in &self.plan.formulas {
            self.shape_of(formula, known, found);
        }
    }

    fn shape_of(&self, formula: &Formula, known: &TermContext<'_>, found: &mut HashMap<Term, ColumnShape>) {
        match formula {
            Formula::Mean(one, count) => {
                let Some((term, mean)) = self.mean(one, *count) else { return };
                found.entry(term.clone()).or_insert(of_moments(mean, None));
            }
            Formula::Spread(_, squares) => {
                let Some(shape) = self.spread(squares, known) else { return };
                let entry = found.entry(squares.of.clone());
                let kept = entry.or_insert_with(|| shape.clone());
                if kept.distribution.is_none() {
                    *kept = shape;
                }
            }
            Formula::Quantile(quantile) => {
                let Some((term, shape)) = self.histogram(quantile) else { return };
                found.insert(term.clone(), shape);
            }
            other => other.parts().into_iter().for_each(|part| self.shape_of(part, known, found)),
        }
    }

    fn vector(&self, index: usize) -> Option<(&Measure, &NoisyVector)> {
        self.measured().nth(index)
    }

    fn mean(&self, one: &CentredSum, count: usize) -> Option<(&Term, f64)> {
        let (measure, sum) = self.vector(one.sum)?;
        let Measure::Sum { column } = measure.base() else { return None };
        let rows = self.total(self.vector(count)?.1)?;
        Some((column, (steps(sum).sum::<f64>() / rows + one.grid.centre() as f64) * one.grid.step_value()))
    }

    /// Mean and deviation over all groups, from sums about the middle of the range.
    fn spread(&self, squares: &Squares, known: &TermContext<'_>) -> Option<ColumnShape> {
        let rows = self.total(self.vector(squares.count)?.1)?;
        let mean_of = |one: &CentredSum| {
            let (_, sum) = self.vector(one.sum)?;
            let centre = one.count.map_or(0.0, |_| one.grid.centre() as f64);
            Some((steps(sum).sum::<f64>() / rows + centre) * one.grid.step_value())
        };
        let (mean, square) = (mean_of(&squares.sum)?, mean_of(&squares.squares)?);
        let middle = known.grid(&squares.of).map_or(0.0, |grid| grid.centre() as f64 * grid.step_value());
        let variance = Some(square - mean * mean).filter(|variance| *variance > 0.0)?;
        Some(of_moments(mean + middle, Some(variance.sqrt())))
    }

    /// The distribution over all groups, from a tree of histograms.
    fn histogram(&self, quantile: &Quantile) -> Option<(&Term, ColumnShape)> {
        let (measure, _) = self.vector(*quantile.levels.first()?)?;
        let Measure::Bins { column, .. } = measure.base() else { return None };
        let depth = u32::try_from(quantile.levels.len()).ok()?;
        let tree = HistogramTree { branches: quantile.branches, depth, width: quantile.width };
        let (mut counts, mut laws) = (Vec::new(), Vec::new());
        for (level, bins) in quantile.levels.iter().zip(&quantile.bins) {
            let (_, vector) = self.vector(*level)?;
            let (bins, mut all) = (*bins as usize, vec![0.0; *bins as usize]);
            steps(vector).enumerate().for_each(|(cell, value)| all[cell % bins] += value);
            let groups = (vector.cells.len() / bins.max(1)) as f64;
            counts.push(all);
            laws.push(NoiseLaw { scale: vector.law.scale * groups.sqrt(), ..vector.law });
        }
        let distribution = Levels { counts, laws, tree: &tree }.distribution();
        let below = distribution.parts_below()?;
        let step = quantile.grid.step_value();
        let low = (quantile.low as f64 - 0.5) * step;
        let histogram = ValueHistogram { low, width: quantile.width as f64 * step, below };
        let (mean, deviation) = histogram.moments();
        // Its density decides how wide the interval of a percentile is.
        let histogram = ValueHistogram { below: distribution.smoothed(&histogram.below), ..histogram };
        let distribution = Some(ValueDistribution::Histogram(histogram));
        Some((column, ColumnShape { distribution, ..of_moments(mean, Some(deviation)) }))
    }
}
