//! Parser of the statistics of a regression that follow from counts, means and spreads of the rows that have both values.

use sqlparser::ast::{Function, FunctionArg, FunctionArgExpr, Ident, ObjectName, Spanned};

use super::expressions::expression;
use super::limits::Budget;
use super::nodes::start;
use super::outputs;
use crate::query::error::QueryError;
use crate::query::syntax::{
    AggregateFunction, ArithmeticOperator, Condition, Expression, Literal, LiteralValue, OutputExpression,
    ScalarFunction,
};

/// Those that are one aggregate of the rows with both values.
const SINGLE: [&str; 3] = ["regr_count", "regr_avgx", "regr_avgy"];
/// Those that are computed from several.
const COMPUTED: [&str; 4] = ["regr_r2", "regr_sxx", "regr_syy", "regr_sxy"];

/// Whether a name is that of such a statistic.
pub(super) fn is_one(word: &str) -> bool {
    SINGLE.contains(&word) || COMPUTED.contains(&word)
}

/// The aggregate that a statistic is, with the conditions that both values are present; `None` for any other name.
pub(super) fn aggregate(
    word: &str,
    args: &[FunctionArg],
    budget: &mut Budget,
) -> Result<Option<(AggregateFunction, Vec<Condition>)>, QueryError> {
    let (true, [FunctionArg::Unnamed(FunctionArgExpr::Expr(y)), FunctionArg::Unnamed(FunctionArgExpr::Expr(x))]) =
        (SINGLE.contains(&word), args)
    else {
        return Ok(None);
    };
    let (y, x) = (expression(y, 0, budget)?, expression(x, 0, budget)?);
    let present = |of: &Expression| Condition::Not(Box::new(Condition::IsNull(of.clone())));
    // A mean passes over its own missing values.
    Ok(Some(match word {
        "regr_avgx" => (AggregateFunction::Avg(x), vec![present(&y)]),
        "regr_avgy" => (AggregateFunction::Avg(y), vec![present(&x)]),
        _ => (AggregateFunction::CountRows, vec![present(&y), present(&x)]),
    }))
}

/// What a statistic is computed from after the noise; `None` for any other name.
pub(super) fn output(word: &str, call: &Function, budget: &mut Budget) -> Result<Option<OutputExpression>, QueryError> {
    if !COMPUTED.contains(&word) {
        return Ok(None);
    }
    let at = start(call.name.span());
    let mut of = |name: &str| {
        let mut other = call.clone();
        other.name = ObjectName::from(vec![Ident::new(name)]);
        outputs::aggregate(&other, budget).map(|one| OutputExpression::Aggregate(Box::new(one)))
    };
    if word == "regr_r2" {
        let two = OutputExpression::Number(Literal { value: LiteralValue::Number("2".to_owned()), at });
        return Ok(Some(OutputExpression::Call(ScalarFunction::Power, vec![of("corr")?, two])));
    }
    let count = of("regr_count")?;
    let mut covariance = call.clone();
    covariance.name = ObjectName::from(vec![Ident::new("covar_pop")]);
    // The variance of a value is its covariance with itself, over the rows that have both.
    let mut one = outputs::aggregate(&covariance, budget)?;
    if let AggregateFunction::Pair(_, y, x) = &mut one.function {
        let (other, same) = if word == "regr_sxx" { (y, x) } else { (x, y) };
        if word != "regr_sxy" {
            let present = Condition::Not(Box::new(Condition::IsNull(other.clone())));
            one.filter = Some(Condition::All(one.filter.into_iter().chain([present]).collect()));
            let same = same.clone();
            one.function = AggregateFunction::Spread(crate::query::syntax::Spread::VarPop, same);
        }
    }
    let one = Box::new(OutputExpression::Aggregate(Box::new(one)));
    Ok(Some(OutputExpression::Arithmetic(Box::new(count), ArithmeticOperator::Times, one)))
}
