//! Windows over the groups: which keys and estimates they read.
//!
//! Promises that a window measures nothing more than its aggregates, and that its work is bounded before anything is charged.

use super::outputs::{OutputPlanner, alone};
use super::planned::{OutputLookup, Planned};
use crate::query::answer::Output as Column;
use crate::query::answer::formula::window::WindowOrderBy;
use crate::query::answer::formula::{Formula, GroupWindow, WindowOrder, Words};
use crate::query::error::{Code, Position, QueryError};
use crate::query::syntax::{
    Aggregate, Expression, GroupFunction, GroupOrder, GroupWindowCall, OutputExpression, WindowBound, WindowFrame,
};

/// Largest number of cells read for the windows of one answer. A step takes a few nanoseconds, each time the answer is shown.
const WORK_MAX: u64 = 12_000_000;
/// A survival curve keeps the derivatives of each of its points.
const CURVE_WEIGHT: u64 = 8;

fn refused(at: Position, message: impl std::fmt::Display, hint: &str) -> QueryError {
    QueryError::at(Code::UnsupportedSql, at, message).hint(hint)
}

impl OutputPlanner<'_> {
    /// A running sum as a window, where the sums measured for running sums do not serve.
    pub(super) fn running(
        &mut self,
        of: &Aggregate,
        by: &Expression,
        within: &[Expression],
        named: OutputLookup<'_>,
    ) -> Result<Formula, QueryError> {
        let call = GroupWindowCall {
            function: GroupFunction::Sum,
            of: vec![OutputExpression::Aggregate(Box::new(of.clone()))],
            step: 1,
            within: within.to_vec(),
            order: vec![GroupOrder {
                by: OutputExpression::Key(Box::new(by.clone())),
                descending: false,
                nulls_first: false,
            }],
            frame: None,
            at: of.at,
        };
        self.window(&call, named)
    }

    /// Plans a window over the groups.
    pub(super) fn window(&mut self, call: &GroupWindowCall, named: OutputLookup<'_>) -> Result<Formula, QueryError> {
        if self.has_sets {
            return Err(refused(
                call.at,
                "a window runs over the rows of one grouping, and there are several",
                "ask for one grouping at a time",
            ));
        }
        let is_by_rows = |frame: &WindowFrame| {
            frame.by_rows
                || ![&frame.start, &frame.end]
                    .iter()
                    .any(|bound| matches!(bound, WindowBound::Before(_) | WindowBound::After(_)))
        };
        if !call.frame.as_ref().is_none_or(is_by_rows) {
            return Err(refused(
                call.at,
                "RANGE with a distance is not supported over groups",
                "write ROWS: every group of a key is in the answer, so that rows are as far apart as their keys",
            ));
        }
        let within = call.within.iter().map(|key| self.window_key(key)).collect::<Result<_, _>>()?;
        let mut of = Vec::with_capacity(call.of.len());
        for one in &call.of {
            let formula = self.planned(one, named)?.number(call.at)?;
            of.push(formula);
        }
        let mut order = Vec::with_capacity(call.order.len());
        for one in &call.order {
            let by = match self.planned(&one.by, named)? {
                Planned::Number(Formula::Key(key)) | Planned::Words(Words::Key(key)) => WindowOrderBy::Key(key),
                Planned::Number(formula) => WindowOrderBy::Formula(formula),
                Planned::Words(_) => {
                    return Err(refused(
                        call.at,
                        "a window is ordered by keys and estimates",
                        "a key is written as it stands in GROUP BY",
                    ));
                }
            };
            order.push(WindowOrder { by, descending: one.descending, nulls_first: one.nulls_first });
        }
        let place = self.windows;
        self.windows += 1;
        let mut window = GroupWindow {
            place,
            function: call.function,
            of,
            step: call.step,
            within,
            order,
            frame: call.frame.clone(),
        };
        if window.formulas().iter().any(|of| of.has_window()) {
            return Err(refused(
                call.at,
                "a window stands inside of a window",
                "the answer can be computed with afterwards",
            ));
        }
        if !window.is_of_one() {
            window.of = window.of.into_iter().map(|of| alone(Box::new(of)).map(|of| *of)).collect::<Result<_, _>>()?;
        }
        Ok(Formula::Window(Box::new(window)))
    }

    fn window_key(&self, key: &Expression) -> Result<usize, QueryError> {
        self.key_place(key)?.ok_or_else(|| {
            let message = "PARTITION BY names keys of the answer, and this is none of them";
            QueryError::at(Code::UnsupportedSql, key.at, message)
        })
    }

    /// Checks the work of computing windows.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] if it takes more than [`WORK_MAX`] steps.
    pub(super) fn check_windows(&self, outputs: &[Column], at: Position) -> Result<(), QueryError> {
        let span = |window: &GroupWindow| {
            let part = window.within.iter().filter_map(|key| self.keys.get(*key)).map(|key| key.size());
            let part = self.groups / part.fold(1, u64::saturating_mul).max(1);
            let reach = |bound: &WindowBound| match bound {
                WindowBound::Before(by) | WindowBound::After(by) => (*by).min(part),
                WindowBound::Current => 1,
                WindowBound::First | WindowBound::Last => part,
            };
            match (window.function, &window.frame) {
                (GroupFunction::KaplanMeier | GroupFunction::CumulativeIncidence, _) => {
                    part.saturating_mul(CURVE_WEIGHT)
                }
                (_, _) if window.is_of_one() => 1,
                (_, Some(frame)) => reach(&frame.start).saturating_add(reach(&frame.end)).min(part),
                (_, None) => part,
            }
        };
        let windows = outputs.iter().flat_map(|output| output.value.windows());
        let work = windows.map(|window| self.groups.saturating_mul(span(window))).fold(0_u64, u64::saturating_add);
        if work <= WORK_MAX {
            return Ok(());
        }
        let message = format!("windows over {} groups take {work} steps; accepted are at most {WORK_MAX}", self.groups);
        Err(QueryError::at(Code::TooManyGroups, at, message)
            .hint("ask for the groups, and compute it from the answer afterwards"))
    }
}
