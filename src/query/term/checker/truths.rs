//! Truths: comparisons of any two values, conditions that are the same for every row, and truth values as conditions.
//!
//! Promises that what follows from constants alone is worked out here, by the same exact arithmetic as a row's values, and that a condition
//! has the three truth values of SQL.

use std::collections::BTreeSet;

use dashu::integer::IBig;
use dashu::rational::RBig;

use super::{TypeChecker, checked, faulty};
use crate::query::error::{Code, Position, QueryError};
use crate::query::filter::Filter;
use crate::query::syntax::{Comparison, Expression, Literal, LiteralValue, Scalar};
use crate::query::term::literals::{literal_text, nanos};
use crate::query::term::lower::{Program, ValueKind};
use crate::query::term::{Operation, Term};
use crate::query::terms::domain::{Domain, date_days, date_text};

/// Decimals that are kept of a constant whose decimals do not end.
const DECIMALS_KEPT: usize = 20;

/// A side of a comparison.
pub(super) enum ComparisonSide {
    /// A value that is the same for every row.
    Constant(Literal),
    /// A value of the row.
    Row(Term),
}

impl TypeChecker<'_> {
    /// Types one side of a comparison; what has no column is worked out.
    pub(super) fn side(&self, of: &Expression) -> Result<ComparisonSide, QueryError> {
        if let Scalar::Constant(value) = &of.value {
            return Ok(ComparisonSide::Constant(Literal { value: value.clone(), at: of.at }));
        }
        let (term, lowered) = self.term(of)?;
        let mut columns = BTreeSet::new();
        term.declared(&mut columns);
        if columns.is_empty()
            && let Some(value) = constant_value(&lowered)
        {
            return Ok(ComparisonSide::Constant(Literal { value, at: of.at }));
        }
        lowered.domain().map_err(|fault| faulty(&fault, of.at))?;
        Ok(ComparisonSide::Row(term))
    }

    /// a op b; two values of one row are compared by their difference and 0.
    pub(super) fn compare(&self, left: &Expression, how: Comparison, right: &Expression) -> Result<Filter, QueryError> {
        let quotient = match self.quotient(left, how, right)? {
            None => self.quotient(right, how.mirrored(), left)?,
            found => found,
        };
        if let Some(filter) = quotient {
            return Ok(filter);
        }
        match (self.side(left)?, self.side(right)?) {
            (ComparisonSide::Constant(one), ComparisonSide::Constant(other)) => {
                constants(&one, how, &other).map(Filter::constant)
            }
            (ComparisonSide::Constant(one), ComparisonSide::Row(other)) => {
                self.compare_to(other, how.mirrored(), &one, right.at)
            }
            (ComparisonSide::Row(one), ComparisonSide::Constant(other)) => self.compare_to(one, how, &other, left.at),
            (ComparisonSide::Row(one), ComparisonSide::Row(other)) => self.compare_rows(one, how, other, left.at),
        }
    }

    fn compare_rows(&self, one: Term, how: Comparison, other: Term, at: Position) -> Result<Filter, QueryError> {
        let domains = (self.known.facts(&one).domain, self.known.facts(&other).domain);
        let difference = match (&*domains.0, &*domains.1) {
            (Domain::Number(_), Domain::Number(_)) | (Domain::Date { .. }, Domain::Date { .. }) => {
                checked(Term::plus(vec![one, other.negative()]), self.known, at)?
            }
            (Domain::Category(_), Domain::Category(_)) | (Domain::Boolean, Domain::Boolean) => {
                let is_alike = match how {
                    Comparison::Equal => true,
                    Comparison::NotEqual => false,
                    Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
                        return Err(QueryError { hint: None, ..self.unordered(&one, at) });
                    }
                };
                if one == other {
                    let all = domains.0.labels().map_or(0, |labels| labels.len() as u32);
                    return Ok(Filter::Members { column: one, codes: (0..all).filter(|_| is_alike).collect() });
                }
                let mut pair = [one, other];
                pair.sort();
                let [one, other] = pair;
                checked(Term::of(Operation::Apart(one, other)), self.known, at)?
            }
            (one, other) => {
                let message = format!("a {} cannot be compared with a {}", one.type_name(), other.type_name());
                return Err(QueryError::at(Code::UnsupportedSql, at, message).hint(
                    "numbers are compared with numbers, dates with dates, and categories and booleans with their like",
                ));
            }
        };
        let zero = Literal { value: LiteralValue::Number("0".to_owned()), at };
        self.compare_to(difference, how, &zero, at)
    }

    pub(super) fn unordered(&self, term: &Term, at: Position) -> QueryError {
        let message = format!("{} is a {} and has no order", self.name(term), self.word(term));
        QueryError::at(Code::UnsupportedSql, at, message).hint("write … IN (…) with the values that are meant")
    }

    /// A truth value as a condition.
    pub(super) fn is_true(&self, of: &Expression) -> Result<Filter, QueryError> {
        let term = match self.side(of)? {
            ComparisonSide::Constant(Literal { value: LiteralValue::Boolean(truth), .. }) => {
                return Ok(Filter::constant(truth));
            }
            ComparisonSide::Constant(literal) => {
                let message = format!("{} is not a condition", literal_text(&literal.value));
                return Err(QueryError::at(Code::UnsupportedSql, of.at, message).hint("write TRUE or FALSE"));
            }
            ComparisonSide::Row(term) => term,
        };
        if *self.known.facts(&term).domain != Domain::Boolean {
            let message = format!("{} is a {}, not a condition", self.name(&term), self.word(&term));
            return Err(QueryError::at(Code::UnsupportedSql, of.at, message));
        }
        Ok(truth_of(term))
    }

    /// `a IS NULL`; a constant is never missing.
    pub(super) fn is_null(&self, of: &Expression) -> Result<Filter, QueryError> {
        if let Some(column) = self.text(of) {
            return Ok(Filter::Missing { column });
        }
        Ok(match self.side(of)? {
            ComparisonSide::Constant(_) => Filter::constant(false),
            ComparisonSide::Row(column) => Filter::Missing { column },
        })
    }
}

/// The condition that a boolean is true; a condition that is used as a value is itself.
pub(super) fn truth_of(term: Term) -> Filter {
    match term {
        Term::Made(made) => match made.take() {
            Operation::Truth(inner) => inner,
            other => Filter::Members { column: Term::of(other), codes: vec![1] },
        },
        column @ Term::Column(_) => Filter::Members { column, codes: vec![1] },
    }
}

/// The value of a program that has only one; `None` if it has several, or might be missing.
fn constant_value(program: &Program) -> Option<LiteralValue> {
    if program.low != program.high || program.nullable {
        return None;
    }
    Some(match &program.kind {
        ValueKind::Integer | ValueKind::Decimal => {
            LiteralValue::Number(decimal_text(&(RBig::from(program.low) * &program.scale)))
        }
        ValueKind::Date => LiteralValue::Date(date_text(i32::try_from(program.low).ok()?)),
        ValueKind::Category(labels) => LiteralValue::Text(labels.get(usize::try_from(program.low).ok()?)?.clone()),
        ValueKind::Boolean => LiteralValue::Boolean(program.low == 1),
    })
}

/// A fraction as decimal text; decimals that do not end are cut after the last one that could matter.
fn decimal_text(value: &RBig) -> String {
    let scaled = RBig::from(IBig::from(10).pow(DECIMALS_KEPT)) * value;
    let digits = scaled.trunc();
    let sign = if digits < IBig::ZERO { "-" } else { "" };
    let digits = digits.to_string();
    let digits = digits.trim_start_matches('-');
    let padded = format!("{digits:0>width$}", width = DECIMALS_KEPT + 1);
    let (whole, fraction) = padded.split_at(padded.len() - DECIMALS_KEPT);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// The truth of a comparison of two constants.
fn constants(one: &Literal, how: Comparison, other: &Literal) -> Result<bool, QueryError> {
    use std::cmp::Ordering;

    use LiteralValue::{Boolean, Date, Number, Text};
    let day = |text: &str| date_days(text).map(i128::from);
    let equal = matches!(how, Comparison::Equal | Comparison::NotEqual);
    let order = match (&one.value, &other.value) {
        (Number(one), Number(other) | Text(other)) | (Text(one), Number(other)) => {
            nanos(one).zip(nanos(other)).and_then(|(one, other)| one.order(other))
        }
        (Date(one), Date(other) | Text(other)) | (Text(one), Date(other)) => {
            day(one).zip(day(other)).map(|(one, other)| one.cmp(&other))
        }
        (Boolean(one), Boolean(other)) => Some(one.cmp(other)),
        // The order of texts depends on a database's collation.
        (Text(one), Text(other)) if equal => Some(one.cmp(other)),
        (Text(_), Text(_) | Boolean(_)) | (Number(_), Date(_) | Boolean(_)) => None,
        (Date(_), Number(_) | Boolean(_)) | (Boolean(_), Number(_) | Text(_) | Date(_)) => None,
    };
    let order = order.ok_or_else(|| {
        let message = format!("{} cannot be compared with {}", literal_text(&one.value), literal_text(&other.value));
        QueryError::at(Code::UnsupportedSql, one.at, message)
            .hint("numbers of at most nine decimals and days are compared with their like, texts with = and <> alone")
    })?;
    Ok(match how {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::NotEqual => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
    })
}
