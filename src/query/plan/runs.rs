//! Running sums: which key they run over, and what is measured for them.

use super::counting::counting;
use super::outputs::{OutputPlanner, is_unit};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::prefix_sums::GROUPS_MAX;
use crate::query::answer::formula::{Formula, HavingCondition, Range, RunningSum};
use crate::query::answer::{Output as Column, OutputValue};
use crate::query::computation::Measure;
use crate::query::error::{Code, Position, QueryError};
use crate::query::syntax::{Aggregate, AggregateFunction, Expression};
use crate::query::term::{Term, checker};
use crate::query::terms::domain::Domain;

/// Largest number of weights summed for one answer: each group's running sum covers all groups before it, and its own count may be shown
/// beside it. A step takes a few nanoseconds, each time the answer is shown.
const WORK_MAX: u64 = 12_000_000;

impl OutputPlanner<'_> {
    /// Plans a running sum of counts along one key, within each group of the other keys.
    ///
    /// With Gaussian noise the weighted sums of [`crate::kernel::privacy::prefix_sums`] are measured; with Laplace noise, whose price is in ℓ₁, the counts
    /// are measured.
    pub(super) fn run(
        &mut self,
        of: &Aggregate,
        by: &Expression,
        within: &[Expression],
    ) -> Result<RunningSum, QueryError> {
        let refused =
            |at: Position, message: &str, hint: &str| Err(QueryError::at(Code::UnsupportedSql, at, message).hint(hint));
        if self.is_text || self.has_sets {
            let message = "running sums are not supported with several groupings or keys without a public list";
            return refused(of.at, message, "write GROUP BY with one ordered key");
        }
        let place_of = |making: &Self, expression: &Expression| -> Result<Option<usize>, QueryError> {
            let term = checker::expression(expression, making.known)?;
            Ok(making.keys.iter().position(|key| key.column == term))
        };
        let Some(key) = place_of(self, by)? else {
            return refused(
                by.at,
                "a running sum is ordered by one of the keys",
                "write the key as it stands in GROUP BY",
            );
        };
        let mut others = vec![key];
        for expression in within {
            match place_of(self, expression)? {
                Some(place) if place != key => others.push(place),
                _ => {
                    let message = "PARTITION BY names the other keys, and this is none of them";
                    return refused(expression.at, message, "write each of the other keys as it stands in GROUP BY");
                }
            }
        }
        others.sort_unstable();
        others.dedup();
        if others.len() != self.keys.len() || within.len() + 1 < self.keys.len() {
            return refused(
                of.at,
                "a running sum runs within each group of the other keys",
                "write PARTITION BY with all keys but the one of ORDER BY",
            );
        }
        let is_ordered =
            matches!(*self.known.facts(&self.keys[key].column).domain, Domain::Number(_) | Domain::Date { .. });
        if !is_ordered {
            return refused(
                by.at,
                "categories and conditions have no order to sum along",
                "a running sum is ordered by a number or a date",
            );
        }
        let groups = self.keys[key].size();
        if groups > GROUPS_MAX {
            let message = format!("a running sum over {groups} groups; accepted are at most {GROUPS_MAX}");
            return Err(QueryError::at(Code::TooManyGroups, by.at, message));
        }
        let filter = checker::narrowing(of.filter.as_ref(), self.known)?;
        let count = counting(filter, self.counted(&of.function)?, self.known);
        let is_rooted = matches!(self.known.accountant, Accountant::Gaussian { .. });
        let vector = self.need(if is_rooted { Measure::PrefixSums { key, measure: Box::new(count) } } else { count });
        let stride = self.keys[key + 1..].iter().map(|key| key.size()).fold(1, u64::saturating_mul);
        // Unwrap safety: a plan has at most 100,000 groups.
        let whole = |value: u64| usize::try_from(value).expect("a number of groups");
        Ok(RunningSum { vector, groups: whole(groups), stride: whole(stride), is_rooted, is_step: false })
    }

    /// The term whose presence is counted; `None` if rows are counted.
    fn counted(&self, of: &AggregateFunction) -> Result<Option<Term>, QueryError> {
        match of {
            AggregateFunction::Count(of) if is_unit(of, self.known) => Ok(None),
            AggregateFunction::Count(of) => checker::expression(of, self.known).map(Some),
            AggregateFunction::CountRows
            | AggregateFunction::CountDistinct(_)
            | AggregateFunction::Sum(_)
            | AggregateFunction::Avg(_)
            | AggregateFunction::Spread(..)
            | AggregateFunction::Pair(..)
            | AggregateFunction::Percentile(..)
            | AggregateFunction::Min(_)
            | AggregateFunction::Max(_)
            | AggregateFunction::Any(_)
            | AggregateFunction::Every(_)
            | AggregateFunction::First { .. }
            | AggregateFunction::Chosen(_) => Ok(None),
        }
    }

    /// Replaces plain counts of the groups by the summands of a running sum over them: these add up to it, and nothing more is measured for
    /// them.
    ///
    /// The same replacement is made in HAVING, so that the compared values are the shown ones, and for groups that are too small to be
    /// shown.
    pub(super) fn share_runs(&mut self, outputs: &mut [Column], having: &mut Option<HavingCondition>) {
        let runs: Vec<RunningSum> = runs_of(outputs).into_iter().filter(|run| run.is_rooted).collect();
        let step_of = |count: usize| {
            let counted = &self.measures[count];
            let is_its = |run: &&RunningSum| matches!(&self.measures[run.vector], Measure::PrefixSums { measure, .. } if **measure == *counted);
            runs.iter().find(is_its).map(|run| RunningSum { is_step: true, ..run.clone() })
        };
        for output in outputs.iter_mut() {
            let value = output.value.inner_mut();
            match value {
                OutputValue::Count { count } => {
                    if let Some(step) = step_of(*count) {
                        let formula = Formula::Run(Box::new(step));
                        *value = OutputValue::Formula { formula, range: Range::WHOLE };
                    }
                }
                OutputValue::Formula { formula, .. } => formula.step(&step_of, false),
                OutputValue::Words(words) => {
                    words.formulas_mut().into_iter().for_each(|of| of.step(&step_of, true));
                }
                OutputValue::Key { .. }
                | OutputValue::Grouping { .. }
                | OutputValue::Sum { .. }
                | OutputValue::Hidden(_)
                | OutputValue::Mean { .. } => {}
            }
        }
        if let Some(having) = having {
            having.step(&step_of);
        }
        if !runs.is_empty() {
            self.forget_unused(outputs, having.as_ref());
        }
    }

    /// The summands of running sums, which are counts of single groups.
    pub(super) fn steps(outputs: &[Column]) -> Vec<RunningSum> {
        let mut steps: Vec<RunningSum> = Vec::new();
        for run in runs_of(outputs) {
            let step = RunningSum { is_step: true, ..run };
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
        steps
    }

    /// Checks the work of computing running sums.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] if it takes more than [`WORK_MAX`] steps.
    pub(super) fn check_runs(
        &self,
        outputs: &[Column],
        having: Option<&HavingCondition>,
        at: Position,
    ) -> Result<(), QueryError> {
        // Hiding small groups reads each count once more.
        let again = if self.known.min_cell.is_some() { Self::steps(outputs) } else { Vec::new() };
        let all = runs_of(outputs)
            .into_iter()
            .chain(having.into_iter().flat_map(HavingCondition::runs).cloned())
            .chain(again);
        let work = all.map(|run| self.groups.saturating_mul(run.groups as u64)).fold(0_u64, u64::saturating_add);
        if work <= WORK_MAX {
            return Ok(());
        }
        let message =
            format!("running sums over {} groups take {work} steps; accepted are at most {WORK_MAX}", self.groups);
        Err(QueryError::at(Code::TooManyGroups, at, message).hint("ask for fewer of them at a time"))
    }

    /// Drops measurements that no output uses any more.
    fn forget_unused(&mut self, outputs: &mut [Column], having: Option<&HavingCondition>) {
        let used = std::cell::RefCell::new(vec![false; self.measures.len()]);
        let mark = |index: usize| {
            used.borrow_mut()[index] = true;
            index
        };
        outputs.iter_mut().for_each(|output| output.value.renumber(&mark));
        having.cloned().iter_mut().for_each(|having| having.renumber(&mark));
        let used = used.into_inner();
        // Indices stay valid: a dropped measurement is replaced by one that is used.
        let Some(first) = used.iter().position(|used| *used) else { return };
        let kept = self.measures[first].clone();
        for (measure, used) in self.measures.iter_mut().zip(used) {
            if !used {
                *measure = kept.clone();
            }
        }
    }
}

/// All running sums in the outputs.
fn runs_of(outputs: &[Column]) -> Vec<RunningSum> {
    fn of(value: &OutputValue) -> Vec<RunningSum> {
        match value {
            OutputValue::Formula { formula, .. } => formula.runs().into_iter().cloned().collect(),
            OutputValue::Words(words) => words.formulas().into_iter().flat_map(Formula::runs).cloned().collect(),
            OutputValue::Hidden(value) => of(value),
            OutputValue::Key { .. }
            | OutputValue::Grouping { .. }
            | OutputValue::Count { .. }
            | OutputValue::Sum { .. }
            | OutputValue::Mean { .. } => Vec::new(),
        }
    }
    outputs.iter().flat_map(|output| of(&output.value)).collect()
}
