//! Conditions that inner joins add, which the SQL of a plan does not repeat.

use crate::query::filter::Filter;
use crate::query::term::Term;
use crate::query::terms::policy::Terms;

/// The condition that the unit has a row in a table.
pub(in crate::query) fn presence(terms: &Terms, place: usize) -> Filter {
    Filter::Members { column: Term::Column(terms.joins[place].presence), codes: vec![1] }
}

/// A condition without the requirements that an inner join adds; `None` if nothing else remains.
pub(super) fn written(filter: &Filter, terms: &Terms) -> Option<Filter> {
    let is_presence = |part: &Filter| {
        let of = |place: usize| presence(terms, place) == *part;
        (0..terms.joins.len()).any(of)
    };
    match filter {
        one if is_presence(one) => None,
        Filter::All(parts) => {
            let mut rest: Vec<Filter> = parts.iter().filter(|part| !is_presence(part)).cloned().collect();
            match rest.len() {
                0 if !parts.is_empty() => None,
                1 => rest.pop(),
                _ => Some(Filter::All(rest)),
            }
        }
        other => Some(other.clone()),
    }
}
