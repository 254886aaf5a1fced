//! Window functions over the rows of one unit.

use crate::query::computation::PerUnitColumn;
use crate::query::computation::relation::{
    FrameBound, FrameBounds, FrameBy, Relation, RowSortKey as Order, WindowColumn, WindowFunction,
};
use crate::query::error::{Position, QueryError};
use crate::query::syntax::rewrite::Rewriter;
use crate::query::syntax::{
    Condition, Distinct, Expression, Name, RowOrder, Scalar, WindowBound, WindowCall, WindowExpression, WindowFrame,
};
use crate::query::term::{Term, checker};
use crate::query::terms::domain::Domain;

use super::resolve::Naming;
use super::rows::WindowedParts;
use super::scope::{Meaning, NamedRows, VisibleColumn};
use super::sources::renamed;
use super::{Binder, unsupported};

impl Binder<'_> {
    /// Replaces the window functions of a query by columns of its rows.
    ///
    /// # Errors
    /// Those of typing them, and a refusal if a window runs over several units.
    pub(super) fn windows(&self, scope: &mut NamedRows, parts: &mut WindowedParts<'_>) -> Result<(), QueryError> {
        let mut replacing = Replacing { binder: self, scope: scope.clone(), columns: Vec::new(), at: None };
        parts.items.iter_mut().try_for_each(|item| item.value.rewrite(&mut replacing))?;
        parts.order.iter_mut().try_for_each(|order| order.by.rewrite(&mut replacing))?;
        if let Distinct::On(keys) = parts.distinct {
            keys.iter_mut().try_for_each(|key| key.rewrite(&mut replacing))?;
        }
        parts.qualify.iter_mut().try_for_each(|qualify| qualify.rewrite(&mut replacing))?;
        let Replacing { columns, at, .. } = replacing;
        let Some(at) = at else { return Ok(()) };
        let (functions, names): (Vec<WindowColumn>, Vec<String>) = columns.into_iter().unzip();
        let first = self.add_windows(scope, functions, at)?;
        for (index, name) in names.into_iter().enumerate() {
            let (of, is_merged, term) = (None, false, Term::Column(first + index));
            scope.columns.push(VisibleColumn { of, name, term, is_merged, place: usize::MAX });
        }
        Ok(())
    }

    /// Adds columns of window functions to the rows that count. Returns the index of the first.
    pub(super) fn add_windows(
        &self,
        scope: &mut NamedRows,
        columns: Vec<WindowColumn>,
        at: Position,
    ) -> Result<usize, QueryError> {
        let first = scope.terms.columns.len();
        let relation = Relation::Window { of: Box::new(self.relation(scope)), columns };
        let terms = self.terms_of(&relation, at)?;
        scope.terms = renamed(terms, &scope.terms);
        (scope.relation, scope.filter, scope.joins) = (relation, None, Vec::new());
        Ok(first)
    }

    /// Types a key of PARTITION BY; `None` if it is the unit.
    pub(super) fn partition_key(&self, scope: &NamedRows, key: &Expression) -> Result<Option<Term>, QueryError> {
        if let Scalar::Column(name) = &key.value
            && let Some(Meaning::Unit(_)) = scope.meaning(name)?
        {
            return Ok(None);
        }
        let mut key = key.clone();
        key.rewrite(&mut Naming { scope })?;
        checker::typed(&key, &scope.context(&self.steps)).map(Some)
    }

    /// Types the keys of ORDER BY within a unit's rows. The unit itself orders nothing.
    pub(super) fn row_order(&self, scope: &NamedRows, order: &[RowOrder]) -> Result<Vec<Order>, QueryError> {
        let mut typed = Vec::with_capacity(order.len());
        for RowOrder { by, descending, nulls_first } in order {
            if let Some(term) = self.partition_key(scope, by)? {
                if let Domain::Text { .. } = &*scope.context(&self.steps).facts(&term).domain {
                    return Err(unsupported(by.at, "text without a public list has no order"));
                }
                let nullable = scope.context(&self.steps).facts(&term).nullable;
                // Without missing values it does not matter where they come.
                let nulls_first = *nulls_first && nullable;
                typed.push(Order { by: term, descending: *descending, nulls_first });
            }
        }
        Ok(typed)
    }

    fn window(&self, scope: &NamedRows, window: &WindowExpression) -> Result<WindowColumn, QueryError> {
        let (mut partition, mut has_unit) = (Vec::new(), false);
        for key in &window.partition {
            match self.partition_key(scope, key)? {
                None => has_unit = true,
                Some(term) => partition.push(term),
            }
        }
        if !has_unit {
            let unit = self.terms.unit_column().unwrap_or("row");
            return Err(unsupported(window.at, "a window over rows runs within one person's rows")
                .hint(format!("write OVER (PARTITION BY {unit} ORDER BY …)")));
        }
        partition.sort();
        partition.dedup();
        let order = self.row_order(scope, &window.order)?;
        let order: Vec<Order> = order.into_iter().filter(|order| !partition.contains(&order.by)).collect();
        let term = |of: &Expression| {
            let mut of = of.clone();
            of.rewrite(&mut Naming { scope })?;
            checker::typed(&of, &scope.context(&self.steps))
        };
        let function = match &window.function {
            WindowCall::RowNumber => WindowFunction::RowNumber,
            WindowCall::Rank => WindowFunction::Rank,
            WindowCall::DenseRank => WindowFunction::DenseRank,
            WindowCall::Ntile(parts) => WindowFunction::Ntile(*parts),
            WindowCall::Lag(of, 0) | WindowCall::Lead(of, 0) => {
                return Err(unsupported(of.at, "LAG and LEAD look at another row: their offset is 1 or more"));
            }
            WindowCall::Lag(of, offset) => WindowFunction::Lag(term(of)?, *offset),
            WindowCall::Lead(of, offset) => WindowFunction::Lead(term(of)?, *offset),
            WindowCall::Nth(of, place) => WindowFunction::Nth(term(of)?, (*place).max(1)),
            WindowCall::Last(of) => WindowFunction::Last(term(of)?),
            WindowCall::Aggregate(aggregate) => {
                let mut aggregate = aggregate.as_ref().clone();
                aggregate.rewrite(&mut Naming { scope })?;
                let column = crate::query::plan::subquery::aggregated(&aggregate, &scope.context(&self.steps))?;
                if matches!(column, PerUnitColumn::First { .. }) {
                    return Err(unsupported(window.at, "ARRAY_AGG over a window is not supported")
                        .hint("write FIRST_VALUE(a) OVER (… ORDER BY b)"));
                }
                WindowFunction::Aggregate(column)
            }
        };
        let has_frame =
            matches!(function, WindowFunction::Nth(..) | WindowFunction::Last(_) | WindowFunction::Aggregate(_));
        let frame = match (&window.frame, has_frame) {
            (_, false) => FrameBounds::WHOLE,
            (None, true) if order.is_empty() => FrameBounds::WHOLE,
            (None, true) => FrameBounds::RUNNING,
            (Some(frame), true) => self.frame(scope, frame, &order, window.at)?,
        };
        Ok(WindowColumn { function, partition, order, frame })
    }

    fn frame(
        &self,
        scope: &NamedRows,
        frame: &WindowFrame,
        order: &[Order],
        at: Position,
    ) -> Result<FrameBounds, QueryError> {
        let by = if frame.by_rows { FrameBy::Rows } else { FrameBy::Range };
        let has_distance = |bound: &WindowBound| matches!(bound, WindowBound::Before(_) | WindowBound::After(_));
        let mut factor = 1;
        if by == FrameBy::Range && (has_distance(&frame.start) || has_distance(&frame.end)) {
            let [only] = order else {
                return Err(unsupported(at, "RANGE with a distance wants one key in ORDER BY, a number or a date"));
            };
            match &*scope.context(&self.steps).facts(&only.by).domain {
                Domain::Date { .. } => {}
                // Distances are whole numbers, and the grid may be finer.
                Domain::Number(grid) if grid.step > 0 && 1_000_000_000 % grid.step == 0 => {
                    factor = (1_000_000_000 / grid.step).unsigned_abs();
                }
                Domain::Number(_) | Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => {
                    return Err(unsupported(at, "RANGE with a distance wants a number or a date to order by")
                        .hint("write ROWS BETWEEN …"));
                }
            }
        }
        let bound = |bound: &WindowBound| match bound {
            WindowBound::First => FrameBound::First,
            WindowBound::Before(distance) => FrameBound::Before(distance.saturating_mul(factor)),
            WindowBound::Current => FrameBound::Current,
            WindowBound::After(distance) => FrameBound::After(distance.saturating_mul(factor)),
            WindowBound::Last => FrameBound::Last,
        };
        let (start, end) = (bound(&frame.start), bound(&frame.end));
        // The whole partition is the same however it is counted.
        let is_whole = (start, end) == (FrameBound::First, FrameBound::Last);
        Ok(if is_whole { FrameBounds::WHOLE } else { FrameBounds { by, start, end } })
    }
}

/// Replaces window functions by names of columns.
struct Replacing<'b, 'a> {
    binder: &'b Binder<'a>,
    scope: NamedRows,
    columns: Vec<(WindowColumn, String)>,
    /// Where the first of them stands.
    at: Option<Position>,
}

impl Rewriter for Replacing<'_, '_> {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        let at = expression.at;
        let Scalar::Window(window) = &expression.value else { return Ok(false) };
        let column = self.binder.window(&self.scope, window)?;
        self.at.get_or_insert(at);
        let known = self.columns.iter().find(|(known, _)| *known == column).map(|(_, name)| name.clone());
        let name = known.unwrap_or_else(|| {
            let name = self.binder.fresh("w");
            self.columns.push((column, name.clone()));
            name
        });
        expression.value = Scalar::Column(Name { of: None, text: name, at });
        Ok(true)
    }

    fn condition(&mut self, _condition: &mut Condition) -> Result<bool, QueryError> {
        Ok(false)
    }
}
