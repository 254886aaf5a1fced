//! What is computed after the noise, once it is planned: numbers and labels.

use crate::query::answer::formula::{CentredSum, Formula, Range, Words};
use crate::query::answer::{Label, OutputValue};
use crate::query::error::{Code, Position, QueryError};
use crate::query::syntax::{Literal, LiteralValue, Name, OutputExpression};
use crate::query::terms::domain::date_days;

/// What an expression after the noise is: a number, or a label.
#[derive(Debug, Clone)]
pub(super) enum Planned {
    /// A number, with an interval unless it is free of noise.
    Number(Formula),
    /// A label, which has none.
    Words(Words),
}

/// Finds another output by its name.
pub(super) type OutputLookup<'a> = &'a dyn Fn(&Name) -> Option<Planned>;

pub(super) fn refused(at: Position, message: impl std::fmt::Display, hint: &str) -> QueryError {
    QueryError::at(Code::UnsupportedSql, at, message).hint(hint)
}

impl Planned {
    /// The number.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] for a label.
    pub(super) fn number(self, at: Position) -> Result<Formula, QueryError> {
        match self {
            Self::Number(formula) => Ok(formula),
            Self::Words(Words::Label(Label::Missing)) => Ok(Formula::Missing),
            Self::Words(_) => Err(refused(
                at,
                "a number is wanted here, and this is a text, a date or a truth value",
                "write CASE WHEN … THEN 1 ELSE 0 END to make a number of it",
            )),
        }
    }
}

/// Whether an expression is written without any aggregate or other output.
pub(super) fn is_constant(expression: &OutputExpression) -> bool {
    match expression {
        OutputExpression::Number(_)
        | OutputExpression::Label(_)
        | OutputExpression::Missing
        | OutputExpression::Key(_)
        | OutputExpression::Grouping(_) => true,
        OutputExpression::Negative(of)
        | OutputExpression::Absolute(of)
        | OutputExpression::Root(of)
        | OutputExpression::Round(of, _) => is_constant(of),
        OutputExpression::Arithmetic(left, _, right) | OutputExpression::NullIf(left, right) => {
            is_constant(left) && is_constant(right)
        }
        OutputExpression::Call(_, parts) => parts.iter().all(is_constant),
        OutputExpression::Aggregate(_)
        | OutputExpression::Running { .. }
        | OutputExpression::Named(_)
        | OutputExpression::Case(..)
        | OutputExpression::Truth(_)
        | OutputExpression::Window(_) => false,
    }
}

/// A constant as a number or a label.
pub(super) fn constant(literal: &Literal) -> Result<Planned, QueryError> {
    Ok(match &literal.value {
        LiteralValue::Number(_) => Planned::Number(Formula::Number(number(literal)?)),
        // A text that is a day is the day, as canonical SQL has written it since before days had labels of their own.
        LiteralValue::Text(text) | LiteralValue::Date(text) => {
            let label = date_days(text).map_or_else(|| Label::Text(text.clone()), Label::Date);
            Planned::Words(Words::Label(label))
        }
        LiteralValue::Boolean(truth) => Planned::Words(Words::Label(Label::Boolean(*truth))),
    })
}

/// A plain number.
pub(super) fn number(literal: &Literal) -> Result<String, QueryError> {
    let plain = match &literal.value {
        LiteralValue::Number(text) => text.parse::<f64>().ok().filter(|value| value.is_finite()).map(|_| text.clone()),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    };
    plain.ok_or_else(|| QueryError::at(Code::UnsupportedSql, literal.at, "a plain number is wanted here"))
}

/// An output as another expression refers to it.
pub(super) fn planned_as(value: &OutputValue) -> Option<Planned> {
    match value {
        OutputValue::Words(words) => Some(Planned::Words(words.clone())),
        OutputValue::Key { index } => Some(Planned::Words(Words::Key(*index))),
        OutputValue::Grouping { index } => Some(Planned::Number(Formula::Grouping(*index))),
        OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Mean { .. }
        | OutputValue::Formula { .. }
        | OutputValue::Hidden(_) => value.formula().map(Planned::Number),
    }
}

/// The column for what was planned.
pub(super) fn output_value(planned: Planned) -> OutputValue {
    match planned {
        Planned::Words(words) => OutputValue::Words(words),
        Planned::Number(Formula::Missing) => OutputValue::Words(Words::Label(Label::Missing)),
        Planned::Number(Formula::Count(count)) => OutputValue::Count { count },
        Planned::Number(Formula::Sum(CentredSum { sum, count, grid })) => OutputValue::Sum { sum, count, grid },
        Planned::Number(Formula::Mean(CentredSum { sum, grid, .. }, count)) => OutputValue::Mean { sum, count, grid },
        Planned::Number(formula) => OutputValue::Formula { formula, range: Range::WHOLE },
    }
}

/// The column for a constant, which is a label if it is a whole number.
pub(super) fn labelled(planned: Planned) -> OutputValue {
    match &planned {
        Planned::Number(Formula::Number(text)) => match text.parse() {
            Ok(whole) => OutputValue::Words(Words::Label(Label::Integer(whole))),
            Err(_) => output_value(planned),
        },
        _ => output_value(planned),
    }
}
