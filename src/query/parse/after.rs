//! Parser of what is computed after the noise beside aggregates and arithmetic: CASE, functions, casts, constants and keys.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, CaseWhen, CeilFloorKind, DataType, ExactNumberInfo, Expr, FunctionArg, FunctionArgExpr, FunctionArguments,
    Spanned, TypedString, Value, ValueWithSpan, Visit, Visitor,
};

use super::conditions::literal;
use super::expressions::expression;
use super::having::having;
use super::limits::Budget;
use super::nodes::{is_null, start, unsupported};
use super::outputs::{is_aggregate, output};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{Comparison, Having, Literal, LiteralValue, OutputExpression, ScalarFunction};

/// Finds aggregates and windows, and columns, outside of queries in parentheses.
#[derive(Default)]
struct Finder {
    depth: usize,
    has_aggregate: bool,
    has_column: bool,
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        match expr {
            Expr::Function(call) => {
                let word = call.name.to_string().to_lowercase();
                self.has_aggregate |= call.over.is_some() || is_aggregate(&word) || word == "grouping";
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.has_column = true,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn found(expr: &Expr) -> Finder {
    let mut finder = Finder::default();
    // The finder never breaks off.
    let _: ControlFlow<()> = expr.visit(&mut finder);
    finder
}

/// Whether an expression contains an aggregate or a window, so that it is computed after the noise.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    found(expr).has_aggregate
}

/// Whether an expression is made of columns and no aggregate.
pub(super) fn is_of_columns(expr: &Expr) -> bool {
    let found = found(expr);
    found.has_column && !found.has_aggregate
}

/// A constant that is no number; `None` for any other expression.
pub(super) fn label(expr: &Expr) -> Result<Option<OutputExpression>, QueryError> {
    let constant = |value: LiteralValue, at: Position| Some(OutputExpression::Label(Literal { value, at }));
    let at = start(expr.span());
    Ok(match expr {
        Expr::Value(ValueWithSpan { value: Value::Null, .. }) => Some(OutputExpression::Missing),
        Expr::Cast { expr: inner, .. } if is_null(inner) => Some(OutputExpression::Missing),
        Expr::Value(ValueWithSpan { value: Value::Number(..), .. }) => None,
        Expr::Value(_) | Expr::TypedString(TypedString { data_type: DataType::Date, .. }) => {
            literal(expr).map(OutputExpression::Label).map(Some)?
        }
        Expr::Cast { expr: inner, data_type: DataType::Date, .. } => match inner.as_ref() {
            Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => {
                constant(LiteralValue::Date(text.clone()), at)
            }
            _ => None,
        },
        _ => None,
    })
}

/// Parses a CASE after the noise, of both forms.
pub(super) fn case(
    operand: Option<&Expr>,
    conditions: &[CaseWhen],
    otherwise: Option<&Expr>,
    depth: usize,
    named: bool,
    budget: &mut Budget,
) -> Result<OutputExpression, QueryError> {
    let mut arms = Vec::with_capacity(conditions.len());
    for CaseWhen { condition, result } in conditions {
        let when = match operand {
            Some(operand) => {
                let left = output(operand, depth + 1, named, budget)?;
                Having::Compare(left, Comparison::Equal, output(condition, depth + 1, named, budget)?)
            }
            None => having(condition, depth + 1, named, budget)?,
        };
        arms.push((when, output(result, depth + 1, named, budget)?));
    }
    let otherwise = otherwise.map(|expr| output(expr, depth + 1, named, budget).map(Box::new)).transpose()?;
    Ok(OutputExpression::Case(arms, otherwise))
}

/// Parses a function of numbers by its name; `None` if it is none.
pub(super) fn call(
    word: &str,
    parts: &[&Expr],
    at: Position,
    depth: usize,
    named: bool,
    budget: &mut Budget,
) -> Result<Option<OutputExpression>, QueryError> {
    let Ok(function) = word.parse::<ScalarFunction>() else { return Ok(None) };
    let (least, most) = function.arguments();
    if !(least..=most).contains(&parts.len()) {
        let wanted = match (least, most) {
            (1, 1) => "one",
            (1, 2) => "one or two",
            (2, 2) => "two",
            _ => "one or more",
        };
        return Err(super::expressions::wrong_count(word, parts.len(), wanted, at));
    }
    let parts = parts.iter().map(|part| output(part, depth + 1, named, budget)).collect::<Result<_, _>>()?;
    Ok(Some(OutputExpression::Call(function, parts)))
}

/// Parses FLOOR and CEIL, which the parser knows by themselves.
pub(super) fn cut(
    function: ScalarFunction,
    expr: &Expr,
    field: &CeilFloorKind,
    depth: usize,
    named: bool,
    budget: &mut Budget,
) -> Result<OutputExpression, QueryError> {
    match field {
        CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) => {
            Ok(OutputExpression::Call(function, vec![output(expr, depth + 1, named, budget)?]))
        }
        CeilFloorKind::DateTimeField(_) | CeilFloorKind::Scale(_) => {
            let word = function.word().to_uppercase();
            Err(unsupported(start(expr.span()), format!("{word} takes one number"))
                .hint(format!("write {word}(a * 10) / 10 for one decimal")))
        }
    }
}

/// Parses a cast of what is computed after the noise: to a whole number it rounds, to any other number it changes nothing.
pub(super) fn cast(
    expr: &Expr,
    to: &DataType,
    at: Position,
    depth: usize,
    named: bool,
    budget: &mut Budget,
) -> Result<OutputExpression, QueryError> {
    let of = output(expr, depth + 1, named, budget)?;
    let decimals = match to {
        DataType::Int(_)
        | DataType::Int2(_)
        | DataType::Int4(_)
        | DataType::Int8(_)
        | DataType::Integer(_)
        | DataType::BigInt(_)
        | DataType::SmallInt(_) => Some(0),
        DataType::Numeric(ExactNumberInfo::PrecisionAndScale(_, scale))
        | DataType::Decimal(ExactNumberInfo::PrecisionAndScale(_, scale))
        | DataType::Dec(ExactNumberInfo::PrecisionAndScale(_, scale)) => Some(u32::try_from(*scale).unwrap_or(0)),
        DataType::Numeric(ExactNumberInfo::Precision(_)) | DataType::Decimal(ExactNumberInfo::Precision(_)) => Some(0),
        DataType::Numeric(ExactNumberInfo::None)
        | DataType::Decimal(ExactNumberInfo::None)
        | DataType::Dec(ExactNumberInfo::None)
        | DataType::Float(_)
        | DataType::Float4
        | DataType::Float8
        | DataType::Real
        | DataType::Double(_)
        | DataType::DoublePrecision => None,
        other => {
            let message = format!("a cast to {} is not supported after the noise", shown(&other.to_string()));
            return Err(unsupported(at, message).hint("leave the cast out: answers are numbers and texts as they are"));
        }
    };
    Ok(match decimals {
        // A cast of a constant or a key changes nothing that is shown.
        Some(decimals) if found(expr).has_aggregate || named => OutputExpression::Round(Box::new(of), decimals.min(9)),
        Some(_) | None => of,
    })
}

/// Parses an expression of keys.
pub(super) fn key(expr: &Expr, depth: usize, budget: &mut Budget) -> Result<OutputExpression, QueryError> {
    expression(expr, depth, budget).map(|key| OutputExpression::Key(Box::new(key)))
}

/// The arguments of a call, if they are plain.
pub(super) fn plain(call: &ast::Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &call.args else { return None };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    let mut all = Vec::with_capacity(list.args.len());
    for arg in &list.args {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg else { return None };
        all.push(expr);
    }
    Some(all)
}
