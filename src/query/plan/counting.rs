//! The measurement behind a count.

use crate::query::computation::Measure;
use crate::query::filter::Filter;
use crate::query::term::Term;
use crate::query::term::context::TermContext;

/// The measurement that counts the rows for which a condition is true and in which a term is present.
pub(super) fn counting(filter: Option<Filter>, of: Option<Term>, known: &TermContext<'_>) -> Measure {
    let of = of.filter(|term| known.facts(term).nullable);
    match (filter, of) {
        // A count of non-nulls is the same as `COUNT(*)` only if the policy says that the column has no nulls.
        (None, None) => Measure::Rows,
        (None, Some(column)) => Measure::NonNull { column },
        (Some(filter), of) => {
            let present = of.map(|column| Filter::Not(Box::new(Filter::Missing { column })));
            let filter = Filter::All(std::iter::once(filter).chain(present).collect()).simplest(known);
            Measure::NonNull { column: Term::number(1, 0).only_where(filter) }
        }
    }
}
