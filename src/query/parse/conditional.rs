//! Aggregates of a CASE, which are aggregates with a FILTER.

use crate::query::syntax::{AggregateFunction, Condition, Expression, Scalar};

/// `COUNT(DISTINCT CASE WHEN … THEN a END)` is `COUNT(DISTINCT a) FILTER (WHERE …)`.
pub(super) fn conditional(
    function: AggregateFunction,
    filter: Option<Condition>,
) -> (AggregateFunction, Option<Condition>) {
    match function {
        AggregateFunction::CountDistinct(Expression { value: Scalar::Case(mut whens, None), at })
            if whens.len() == 1 =>
        {
            // Unwrap safety: there is one.
            let (condition, of) = whens.pop().expect("a condition with its result");
            let filter = match filter {
                Some(filter) => Condition::All(vec![filter, condition]),
                None => condition,
            };
            (AggregateFunction::CountDistinct(Expression { at, ..of }), Some(filter))
        }
        other => (other, filter),
    }
}
