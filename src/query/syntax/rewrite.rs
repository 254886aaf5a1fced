//! Rewriting of questions: a pass over every expression and condition in which parts are replaced.

use super::{
    Aggregate, AggregateFunction, Condition, Expression, Having, ItemValue, Key, OrderBy, OutputExpression, Query,
    Scalar, WindowCall, WindowExpression,
};
use crate::query::error::QueryError;

/// What replaces parts of a question. Each method is called before the parts of its argument are visited, and returns whether it has dealt
/// with all of them.
pub trait Rewriter {
    /// Rewrites an expression.
    ///
    /// # Errors
    /// Those of the rewriter.
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError>;

    /// Rewrites a condition.
    ///
    /// # Errors
    /// Those of the rewriter.
    fn condition(&mut self, condition: &mut Condition) -> Result<bool, QueryError>;

    /// Rewrites an aggregate, whose parts are then visited.
    ///
    /// # Errors
    /// Those of the rewriter.
    fn aggregate(&mut self, _aggregate: &mut Aggregate) -> Result<(), QueryError> {
        Ok(())
    }
}

impl Query {
    /// Rewrites everything in the question but FROM and names of outputs.
    ///
    /// # Errors
    /// Those of the rewriter.
    pub fn rewrite(&mut self, by: &mut impl Rewriter) -> Result<(), QueryError> {
        for item in &mut self.items {
            match &mut item.value {
                ItemValue::Key(key) | ItemValue::Grouping(key) => key.rewrite(by)?,
                ItemValue::Output(output) => output.rewrite(by)?,
                ItemValue::Wildcard => {}
            }
        }
        self.condition.iter_mut().try_for_each(|condition| condition.rewrite(by))?;
        for key in &mut self.keys {
            if let Key::By(key) = key {
                key.rewrite(by)?;
            }
        }
        self.having.iter_mut().chain(&mut self.after).try_for_each(|having| having.rewrite(by))?;
        for order in &mut self.order {
            match &mut order.by {
                OrderBy::Output(output) => output.rewrite(by)?,
                OrderBy::Key(key) => key.rewrite(by)?,
                OrderBy::Name(_) | OrderBy::Ordinal(_) => {}
            }
        }
        Ok(())
    }
}

impl Expression {
    /// Rewrites the expression and its parts.
    ///
    /// # Errors
    /// Those of the rewriter.
    pub fn rewrite(&mut self, by: &mut impl Rewriter) -> Result<(), QueryError> {
        if by.expression(self)? {
            return Ok(());
        }
        match &mut self.value {
            // What is in a query inside of this one is not a part of it.
            Scalar::Column(_) | Scalar::Constant(_) | Scalar::Subquery(_) => Ok(()),
            Scalar::Negative(of)
            | Scalar::Absolute(of)
            | Scalar::Round(of, _)
            | Scalar::Truncate(_, of)
            | Scalar::Extract(_, of)
            | Scalar::Bucket(of, ..)
            | Scalar::Clamped(of, ..) => of.rewrite(by),
            Scalar::Arithmetic(left, _, right) | Scalar::Coalesce(left, right) => {
                left.rewrite(by)?;
                right.rewrite(by)
            }
            Scalar::Least(parts) | Scalar::Greatest(parts) | Scalar::Numeric(_, parts) | Scalar::Call(_, parts) => {
                parts.iter_mut().try_for_each(|part| part.rewrite(by))
            }
            Scalar::Case(whens, otherwise) => {
                for (when, then) in whens {
                    when.rewrite(by)?;
                    then.rewrite(by)?;
                }
                otherwise.iter_mut().try_for_each(|otherwise| otherwise.rewrite(by))
            }
            Scalar::Truth(condition) => condition.rewrite(by),
            Scalar::Aggregate(aggregate) => aggregate.rewrite(by),
            Scalar::Window(window) => window.rewrite(by),
        }
    }
}

impl Condition {
    /// Rewrites the condition and its parts.
    ///
    /// # Errors
    /// Those of the rewriter.
    pub fn rewrite(&mut self, by: &mut impl Rewriter) -> Result<(), QueryError> {
        if by.condition(self)? {
            return Ok(());
        }
        match self {
            Self::Compare(left, _, right) => {
                left.rewrite(by)?;
                right.rewrite(by)
            }
            Self::Between(of, low, high) => [of, low, high].into_iter().try_for_each(|part| part.rewrite(by)),
            Self::In(of, _) | Self::IsNull(of) | Self::Is(of) | Self::InRows(of, _) => of.rewrite(by),
            Self::Exists(_) => Ok(()),
            Self::Not(inner) => inner.rewrite(by),
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().try_for_each(|part| part.rewrite(by)),
        }
    }
}

impl OutputExpression {
    fn rewrite(&mut self, by: &mut impl Rewriter) -> Result<(), QueryError> {
        match self {
            Self::Aggregate(aggregate) => aggregate.rewrite(by),
            Self::Number(_) | Self::Named(_) | Self::Label(_) | Self::Missing => Ok(()),
            Self::Key(key) | Self::Grouping(key) => key.rewrite(by),
            Self::Call(_, parts) => parts.iter_mut().try_for_each(|part| part.rewrite(by)),
            Self::Case(arms, otherwise) => {
                for (when, then) in arms {
                    when.rewrite(by)?;
                    then.rewrite(by)?;
                }
                otherwise.iter_mut().try_for_each(|otherwise| otherwise.rewrite(by))
            }
            Self::Truth(condition) => condition.rewrite(by),
            Self::Window(call) => {
                call.of.iter_mut().try_for_each(|of| of.rewrite(by))?;
                call.within.iter_mut().try_for_each(|key| key.rewrite(by))?;
                call.order.iter_mut().try_for_each(|order| order.by.rewrite(by))
            }
            Self::Running { of, by: key, within } => {
                of.rewrite(by)?;
                key.rewrite(by)?;
                within.iter_mut().try_for_each(|key| key.rewrite(by))
            }
            Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => of.rewrite(by),
            Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => {
                left.rewrite(by)?;
                right.rewrite(by)
            }
        }
    }
}

impl Having {
    fn rewrite(&mut self, by: &mut impl Rewriter) -> Result<(), QueryError> {
        match self {
            Self::Compare(left, _, right) => {
                left.rewrite(by)?;
                right.rewrite(by)
            }
            Self::IsNull(of) | Self::Is(of) => of.rewrite(by),
            Self::Not(inner) => inner.rewrite(by),
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().try_for_each(|part| part.rewrite(by)),
        }
    }
}

impl Aggregate {
    /// Rewrites the arguments and the filter.
    ///
    /// # Errors
    /// Those of the rewriter.
    pub fn rewrite(&mut self, by: &mut impl Rewriter) -> Result<(), QueryError> {
        by.aggregate(self)?;
        match &mut self.function {
            AggregateFunction::CountRows => {}
            AggregateFunction::CountDistinct(of)
            | AggregateFunction::Count(of)
            | AggregateFunction::Sum(of)
            | AggregateFunction::Avg(of)
            | AggregateFunction::Spread(_, of)
            | AggregateFunction::Percentile(_, of)
            | AggregateFunction::Min(of)
            | AggregateFunction::Max(of) => of.rewrite(by)?,
            AggregateFunction::Any(condition) | AggregateFunction::Every(condition) => condition.rewrite(by)?,
            AggregateFunction::Chosen(chosen) => {
                chosen.of.rewrite(by)?;
                chosen.by.rewrite(by)?;
            }
            AggregateFunction::First { of, by: order, .. } => {
                of.rewrite(by)?;
                order.rewrite(by)?;
            }
            AggregateFunction::Pair(_, y, x) => {
                y.rewrite(by)?;
                x.rewrite(by)?;
            }
        }
        self.filter.iter_mut().try_for_each(|filter| filter.rewrite(by))
    }
}

impl WindowExpression {
    /// Rewrites the arguments and the keys.
    ///
    /// # Errors
    /// Those of the rewriter.
    pub fn rewrite(&mut self, by: &mut impl Rewriter) -> Result<(), QueryError> {
        match &mut self.function {
            WindowCall::RowNumber | WindowCall::Rank | WindowCall::DenseRank | WindowCall::Ntile(_) => {}
            WindowCall::Lag(of, _) | WindowCall::Lead(of, _) | WindowCall::Nth(of, _) | WindowCall::Last(of) => {
                of.rewrite(by)?;
            }
            WindowCall::Aggregate(aggregate) => aggregate.rewrite(by)?,
        }
        self.partition.iter_mut().try_for_each(|key| key.rewrite(by))?;
        self.order.iter_mut().try_for_each(|order| order.by.rewrite(by))
    }
}
