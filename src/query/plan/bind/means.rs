//! Quotients of two aggregates of one unit's rows that are a mean: `SUM(a) / COUNT(*)`, and the share `COUNT(*) FILTER (…) * 1.0 / COUNT(*)`.

use crate::query::plan::outputs::is_unit;
use crate::query::syntax::{
    Aggregate, AggregateFunction, ArithmeticOperator, CastType, Expression, LiteralValue, Numeric, Scalar,
};
use crate::query::term::checker;
use crate::query::term::context::TermContext;
use crate::query::term::lower::ValueKind;

/// The mean that a quotient is; `None` for any other quotient, and for one of whole numbers, which is cut.
pub(super) fn mean(above: &Expression, below: &Expression, known: &TermContext<'_>) -> Option<Aggregate> {
    let (above, is_above_decimal) = aggregate(above)?;
    let (below, is_below_decimal) = aggregate(below)?;
    let is_decimal = is_above_decimal || is_below_decimal;
    let put = |value: Scalar| Expression { value, at: above.at };
    let number = |text: &str| put(Scalar::Constant(LiteralValue::Number(text.to_owned())));
    match (&above.function, &below.function) {
        (AggregateFunction::Sum(of), AggregateFunction::Count(same)) if of == same => (above.filter == below.filter
            && (is_decimal || is_decimal_number(of, known)))
        .then(|| Aggregate { function: AggregateFunction::Avg(of.clone()), ..above.clone() }),
        (AggregateFunction::Sum(of), _) if counts_rows(below, known) => {
            let term = checker::expression(of, known).ok()?;
            let is_there = !known.facts(&term).nullable;
            let is_mean = above.filter == below.filter && is_there && (is_decimal || is_decimal_number(of, known));
            is_mean.then(|| Aggregate { function: AggregateFunction::Avg(of.clone()), ..above.clone() })
        }
        // A share of the rows is the mean of 1 where the condition is true, and of 0 elsewhere.
        _ if is_decimal && counts_rows(above, known) && counts_rows(below, known) && below.filter.is_none() => {
            let whens = vec![(above.filter.clone()?, number("1.0000"))];
            let share = put(Scalar::Case(whens, Some(Box::new(number("0")))));
            Some(Aggregate { function: AggregateFunction::Avg(share), filter: None, at: above.at })
        }
        _ => None,
    }
}

fn counts_rows(aggregate: &Aggregate, known: &TermContext<'_>) -> bool {
    match &aggregate.function {
        AggregateFunction::CountRows => true,
        AggregateFunction::Count(of) => is_unit(of, known),
        _ => false,
    }
}

fn is_decimal_number(of: &Expression, known: &TermContext<'_>) -> bool {
    let term = checker::expression(of, known).ok();
    term.and_then(|term| known.lower(&term).ok()).is_some_and(|lowered| lowered.kind == ValueKind::Decimal)
}

/// The aggregate that a side of a quotient is, and whether it is made a decimal: by a cast, or times 1.0. NULLIF of it and 0 is itself, as
/// every unit has a row.
fn aggregate(side: &Expression) -> Option<(&Aggregate, bool)> {
    let number = |of: &Expression| match &of.value {
        Scalar::Constant(LiteralValue::Number(text)) => Some(text.clone()),
        _ => None,
    };
    let is_one = |of: &Expression| number(of).is_some_and(|text| text.contains('.') && text.parse() == Ok(1.0_f64));
    match &side.value {
        Scalar::Aggregate(aggregate) => Some((aggregate, false)),
        Scalar::Numeric(Numeric::Cast(CastType::Decimal(None)), parts) => {
            aggregate(parts.first()?).map(|(of, _)| (of, true))
        }
        Scalar::Numeric(Numeric::NullIf, parts) => match &parts[..] {
            [of, zero] if number(zero).as_deref() == Some("0") => {
                aggregate(of).filter(|(of, _)| of.function == AggregateFunction::CountRows && of.filter.is_none())
            }
            _ => None,
        },
        Scalar::Arithmetic(of, ArithmeticOperator::Times, by) if is_one(by) => aggregate(of).map(|(of, _)| (of, true)),
        Scalar::Arithmetic(by, ArithmeticOperator::Times, of) if is_one(by) => aggregate(of).map(|(of, _)| (of, true)),
        _ => None,
    }
}
