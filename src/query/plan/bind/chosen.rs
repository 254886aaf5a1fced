//! Aggregates that choose one of a unit's values, written as windows and the first of some rows.
//!
//! Promises that they need no operator of their own: the rows of each group are numbered by a window within the unit, and the value is that
//! of the first row whose number is the wanted one.

use crate::query::computation::PerUnitColumn;
use crate::query::computation::relation::{FrameBounds, RowSortKey as Order, WindowColumn, WindowFunction};
use crate::query::error::{Position, QueryError};
use crate::query::syntax::rewrite::Rewriter;
use crate::query::syntax::{
    Aggregate, AggregateFunction, ArithmeticOperator, Choice, Chosen, Comparison, Condition, Expression, Literal,
    LiteralValue, Name, Scalar,
};
use crate::query::term::{Operation, Term, checker};
use crate::query::terms::domain::Domain;

use super::groups::GroupParts;
use super::scope::{NamedRows, VisibleColumn};
use super::{Binder, unsupported};

impl Binder<'_> {
    /// Replaces such aggregates of rows that are grouped by the unit and these keys.
    ///
    /// # Errors
    /// Those of typing them, and a refusal if the values have no order.
    pub(super) fn choose(
        &self,
        scope: &mut NamedRows,
        parts: &mut GroupParts<'_>,
        keys: &[Term],
    ) -> Result<(), QueryError> {
        parts.rewrite(&mut Choosing { binder: self, scope, keys })
    }
}

struct Choosing<'b, 'a> {
    binder: &'b Binder<'a>,
    scope: &'b mut NamedRows,
    keys: &'b [Term],
}

impl Choosing<'_, '_> {
    /// Adds a column to the rows, and returns its name.
    fn add(&mut self, column: WindowColumn, at: Position) -> Result<Expression, QueryError> {
        let place = self.binder.add_windows(self.scope, vec![column], at)?;
        let name = self.binder.fresh("c");
        let (of, is_merged, term) = (None, false, Term::Column(place));
        self.scope.columns.push(VisibleColumn { of, name: name.clone(), term, is_merged, place: usize::MAX });
        Ok(Expression::column(Name { of: None, text: name, at }))
    }

    fn numbered(&mut self, partition: Vec<Term>, order: Vec<Order>, at: Position) -> Result<Expression, QueryError> {
        let order = order.into_iter().filter(|order| !partition.contains(&order.by)).collect();
        let (function, frame) = (WindowFunction::RowNumber, FrameBounds::WHOLE);
        self.add(WindowColumn { function, partition, order, frame }, at)
    }

    fn counted(&mut self, partition: Vec<Term>, of: &Term, at: Position) -> Result<Expression, QueryError> {
        let function = WindowFunction::Aggregate(PerUnitColumn::Present(of.clone()));
        let (order, frame) = (Vec::new(), FrameBounds::WHOLE);
        self.add(WindowColumn { function, partition, order, frame }, at)
    }

    fn replaced(&mut self, aggregate: &Aggregate, chosen: &Chosen) -> Result<Aggregate, QueryError> {
        let at = aggregate.at;
        let word = chosen.word().to_uppercase();
        let steps = &self.binder.steps;
        let filter = checker::narrowing(aggregate.filter.as_ref(), &self.scope.context(steps))?;
        let of = checker::typed(&chosen.of, &self.scope.context(steps))?;
        let by = self.binder.partition_key(self.scope, &chosen.by)?;
        let is_unordered = |by: &Term| match &*self.scope.context(steps).facts(by).domain {
            Domain::Text { .. } => true,
            Domain::Category(_) => matches!(chosen.choice, Choice::Percentile(_)),
            Domain::Number(_) | Domain::Date { .. } | Domain::Boolean => false,
        };
        if by.as_ref().is_some_and(is_unordered) {
            return Err(unsupported(at, format!("{word} wants an order, and these are labels")));
        }
        // Rows that the FILTER leaves out are numbered apart.
        let truth = filter.map(|filter| Term::of(Operation::Truth(filter)));
        let mut partition: Vec<Term> = self.keys.iter().cloned().chain(truth).collect();
        partition.sort();
        partition.dedup();
        let order = |by: Term, nulls_first: bool| Order { by, descending: chosen.descending, nulls_first };
        let number = |value: &str| Expression { value: Scalar::Constant(LiteralValue::Number(value.to_owned())), at };
        let (row, wanted) = match &chosen.choice {
            Choice::Nth(place) => {
                let order = by.into_iter().map(|by| order(by, chosen.descending)).collect();
                let row = self.numbered(partition, order, at)?;
                let wanted = Condition::Compare(row.clone(), Comparison::Equal, number(&place.to_string()));
                (row, Some(wanted))
            }
            Choice::Percentile(fraction) => {
                // Missing values come last, and are not counted.
                let order = by.into_iter().map(|by| order(by, false)).collect();
                let row = self.numbered(partition.clone(), order, at)?;
                let all = self.counted(partition, &of, at)?;
                let part = Literal::clone(fraction);
                let part = Expression { value: Scalar::Constant(part.value), at };
                let least = Scalar::Arithmetic(Box::new(part), ArithmeticOperator::Times, Box::new(all));
                let least = Expression { value: least, at };
                (row.clone(), Some(Condition::Compare(row, Comparison::GreaterOrEqual, least)))
            }
            Choice::Mode => {
                let alike: Vec<Term> = partition.iter().cloned().chain([of.clone()]).collect();
                // A missing value is there 0 times.
                let often = self.counted(alike, &of, at)?;
                let often = checker::typed(&often, &self.scope.context(&self.binder.steps))?;
                let often = Order { by: often, descending: true, nulls_first: false };
                let order = [often].into_iter().chain(by.into_iter().map(|by| order(by, false))).collect();
                (self.numbered(partition, order, at)?, None)
            }
        };
        let filters: Vec<Condition> = aggregate.filter.iter().cloned().chain(wanted).collect();
        let filter = (!filters.is_empty()).then_some(Condition::All(filters));
        let function = AggregateFunction::First { of: chosen.of.clone(), by: row, descending: false };
        Ok(Aggregate { function, filter, at })
    }
}

impl Rewriter for Choosing<'_, '_> {
    fn expression(&mut self, _expression: &mut Expression) -> Result<bool, QueryError> {
        Ok(false)
    }

    fn condition(&mut self, _condition: &mut Condition) -> Result<bool, QueryError> {
        Ok(false)
    }

    fn aggregate(&mut self, aggregate: &mut Aggregate) -> Result<(), QueryError> {
        if let AggregateFunction::Chosen(chosen) = &aggregate.function {
            *aggregate = self.replaced(aggregate, chosen)?;
        }
        Ok(())
    }
}
