//! Days that are read from texts or made of numbers: in the simplest form that has the same values.

use super::TypeChecker;
use crate::query::error::{Position, QueryError};
use crate::query::term::calendar::{DatePart, Period};
use crate::query::term::{Constant, Operation, Term};

impl TypeChecker<'_> {
    /// The day that a text names.
    pub(in crate::query::term) fn read(&self, text: Term, format: &str, at: Position) -> Result<Term, QueryError> {
        self.folded(Term::of(Operation::Read(text, format.to_owned())), at)
    }

    /// The day of a year, a month and a day of the month. Those of one day, cut to its month or its year, are that day cut.
    pub(super) fn made(&self, [year, month, day]: [Term; 3], at: Position) -> Result<Term, QueryError> {
        let parts = (part(&year), whole(&month), part(&month), whole(&day), part(&day));
        Ok(match parts {
            (Some((of, DatePart::Year)), Some(month @ 1..=12), _, Some(day @ 1..=31), _) if day <= length(month) => {
                let first = Term::of(Operation::Truncated(of.clone(), Period::Year));
                let moved = match i32::try_from(month - 1) {
                    Ok(0) | Err(_) => first,
                    Ok(months) => Term::of(Operation::Later(first, months)),
                };
                if day == 1 { moved } else { Term::plus(vec![moved, Term::number(day - 1, 0)]) }
            }
            (Some((of, DatePart::Year)), _, Some((other, DatePart::Month)), Some(1), _) if of == other => {
                Term::of(Operation::Truncated(of.clone(), Period::Month))
            }
            (Some((of, DatePart::Year)), _, Some((other, DatePart::Month)), _, Some((last, DatePart::Day)))
                if of == other && of == last =>
            {
                of.clone()
            }
            _ => return self.folded(Term::of(Operation::Made { year, month, day }), at),
        })
    }
}

/// Days of a month in a year of 365.
fn length(month: i64) -> i64 {
    match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The part of a day that a term is, whatever it was cast to.
fn part(term: &Term) -> Option<(&Term, DatePart)> {
    let Term::Made(made) = term else { return None };
    match &**made {
        Operation::Extracted(of, part) => Some((of, *part)),
        Operation::Integer(inner) | Operation::Decimal(inner) => self::part(inner),
        _ => None,
    }
}

/// The whole number that a term is.
fn whole(term: &Term) -> Option<i64> {
    let Term::Made(made) = term else { return None };
    match &**made {
        Operation::Constant(Constant { digits, decimals: 0 }) => Some(*digits),
        _ => None,
    }
}
