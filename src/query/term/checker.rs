//! Type checker: turns the expressions and conditions of a question into terms over the public terms of the dataset.
//!
//! Promises that every term it returns can be lowered and has a domain, so that nothing fails later; anything else is refused with its
//! position.

mod calls;
mod truths;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::context::TermContext;
use super::literals::{LiteralPosition, constant, decimal, literal_text, midnight, nanos, range};
use super::lower::{Program, TermFault, ValueKind, exact};
use super::{Constant, Operation, Term, TermFacts};
use crate::query::canonical;
use crate::query::error::{Code, Position, QueryError, nearest, shown};
use crate::query::filter::{Filter, stored_bounds};
use crate::query::syntax::{
    ArithmeticOperator, Comparison, Condition, Expression, Literal, LiteralValue, Name, Scalar,
};
use crate::query::terms::domain::{Domain, date_days};

/// Largest number of labels of one CASE.
const LABELS_MAX: usize = 1_000;

/// Types a condition and brings it into its simplest form.
///
/// # Errors
/// [`Code::OutOfDomain`] for an unlisted category, [`Code::UnsupportedSql`] for an operation that the type does not have.
pub fn condition(condition: &Condition, known: &TermContext<'_>) -> Result<Filter, QueryError> {
    Ok(TypeChecker { known }.filter(condition)?.simplest(known))
}

/// Types the condition of a WHERE or a FILTER; `None` without one, and if it is true of every row.
///
/// # Errors
/// Those of [`condition`].
pub fn narrowing(condition: Option<&Condition>, known: &TermContext<'_>) -> Result<Option<Filter>, QueryError> {
    let filter = condition.map(|condition| self::condition(condition, known)).transpose()?;
    Ok(filter.filter(|filter| filter.as_constant() != Some(true)))
}

/// Types an expression that is a grouping key or is aggregated.
///
/// # Errors
/// [`Code::UnknownColumn`], [`Code::OutOfDomain`] or [`Code::UnsupportedSql`].
pub fn expression(expression: &Expression, known: &TermContext<'_>) -> Result<Term, QueryError> {
    let checker = TypeChecker { known };
    let (term, lowered) = checker.term(expression)?;
    let mut columns = BTreeSet::new();
    term.declared(&mut columns);
    if columns.is_empty() {
        let message = "a constant by itself is the same in every row";
        return Err(QueryError::at(Code::UnsupportedSql, expression.at, message));
    }
    match lowered.domain() {
        Ok(_) => Ok(term),
        Err(fault) => match checker.gridded(term.clone()) {
            rounded if rounded == term => Err(faulty(&fault, expression.at)),
            rounded => checked(rounded, known, expression.at),
        },
    }
}

/// Types an expression that makes a column of a query's rows, which may be a constant.
///
/// # Errors
/// [`Code::UnknownColumn`], [`Code::OutOfDomain`] or [`Code::UnsupportedSql`].
pub fn typed(expression: &Expression, known: &TermContext<'_>) -> Result<Term, QueryError> {
    let checker = TypeChecker { known };
    if let Some(text) = checker.text(expression) {
        return Ok(text);
    }
    let term = checker.operand(expression)?;
    let lowered = known.lower(&term).map_err(|fault| faulty(&fault, expression.at))?;
    match lowered.domain() {
        Ok(_) => Ok(term),
        Err(fault) => match checker.gridded(term.clone()) {
            rounded if rounded == term => Err(faulty(&fault, expression.at)),
            rounded => checked(rounded, known, expression.at),
        },
    }
}

/// Checks a term that was constructed rather than written, under the same rules as a written one.
///
/// # Errors
/// [`Code::UnsupportedSql`] if its bounds do not fit.
pub fn checked(term: Term, known: &TermContext<'_>, at: Position) -> Result<Term, QueryError> {
    let domain = known.lower(&term).and_then(|lowered| lowered.domain());
    domain.map(|_| term).map_err(|fault| faulty(&fault, at))
}

fn faulty(fault: &TermFault, at: Position) -> QueryError {
    let error = QueryError::at(Code::UnsupportedSql, at, format!("this expression cannot be used: {fault}"));
    match fault {
        TermFault::Text => error.hint("write GROUP BY … for the values that enough people have"),
        TermFault::Format => error.hint("it knows YYYY, IYYY, Q, MM, Mon, Month, IW, WW, DD, DDD, D, ID, Dy, Day and \"text\" with what stands between them"),
        TermFault::TooWide
        | TermFault::Kind { .. }
        | TermFault::Grid
        | TermFault::TooMany(_)
        | TermFault::Place(_)
        | TermFault::Pattern(_)
        | TermFault::Zero => error,
    }
}

pub(in crate::query) struct TypeChecker<'a> {
    pub(in crate::query) known: &'a TermContext<'a>,
}

/// The digits of a text, in order.
fn digits(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().filter(u8::is_ascii_digit)
}

impl TypeChecker<'_> {
    /// Types a condition exactly as it was written, without simplifying it.
    pub(in crate::query) fn filter(&self, condition: &Condition) -> Result<Filter, QueryError> {
        Ok(match condition {
            Condition::Compare(left, how, right) => self.compare(left, *how, right)?,
            Condition::Between(of, low, high) => Filter::All(vec![
                self.compare(of, Comparison::GreaterOrEqual, low)?,
                self.compare(of, Comparison::LessOrEqual, high)?,
            ]),
            Condition::In(of, literals) => self.members(of, literals)?,
            Condition::IsNull(of) => self.is_null(of)?,
            Condition::Is(of) => self.is_true(of)?,
            Condition::InRows(_, rows) | Condition::Exists(rows) => return Err(unresolved(rows.at())),
            Condition::Not(inner) => Filter::Not(Box::new(self.filter(inner)?)),
            Condition::All(parts) => Filter::All(parts.iter().map(|part| self.filter(part)).collect::<Result<_, _>>()?),
            Condition::Any(parts) => Filter::Any(parts.iter().map(|part| self.filter(part)).collect::<Result<_, _>>()?),
        })
    }

    fn name(&self, term: &Term) -> String {
        match term {
            Term::Column(index) => format!("\"{}\"", self.known.columns[*index].name),
            Term::Made(_) => shown(&canonical::term(term, self.known)),
        }
    }

    fn word(&self, term: &Term) -> &'static str {
        self.known.facts(term).domain.type_name()
    }

    /// A column of text without a public list, about which a condition can only ask whether it is missing; `None` for other expressions.
    fn text(&self, of: &Expression) -> Option<Term> {
        let Scalar::Column(name) = &of.value else { return None };
        match self.known.named(name)? {
            Term::Column(index) if matches!(self.known.columns[index].domain, Domain::Text { .. }) => {
                Some(Term::Column(index))
            }
            Term::Column(_) | Term::Made(_) => None,
        }
    }

    /// Types an expression that a condition may read.
    fn column(&self, of: &Expression) -> Result<Term, QueryError> {
        expression(of, self.known)
    }

    /// The comparison of a quotient without a decimal grid with a number, multiplied out; `None` for other comparisons.
    fn quotient(&self, of: &Expression, how: Comparison, literal: &Expression) -> Result<Option<Filter>, QueryError> {
        let (Scalar::Arithmetic(_, ArithmeticOperator::Over, _), Scalar::Constant(value)) = (&of.value, &literal.value)
        else {
            return Ok(None);
        };
        let (term, lowered) = self.term(of)?;
        if lowered.is_on_decimals() {
            return Ok(None);
        }
        let literal = Literal { value: value.clone(), at: literal.at };
        let Some((term, how, place)) = self.multiplied(&term, how, &literal) else { return Ok(None) };
        let mut columns = BTreeSet::new();
        term.declared(&mut columns);
        if columns.is_empty() {
            return Ok(None);
        }
        let filter = range(term.clone(), &self.known.facts(&term).domain, how, place);
        Ok(Some(if how == Comparison::NotEqual { Filter::Not(Box::new(filter)) } else { filter }))
    }

    fn compare_to(&self, column: Term, how: Comparison, literal: &Literal, at: Position) -> Result<Filter, QueryError> {
        let equal = matches!(how, Comparison::Equal | Comparison::NotEqual);
        let facts = self.known.facts(&column);
        let filter = match &*facts.domain {
            Domain::Number(_) | Domain::Date { .. } => {
                let place = self.ordered(&column, &facts, literal)?;
                range(column.clone(), &facts.domain, how, place)
            }
            Domain::Category(_) | Domain::Boolean if equal => {
                let code = self.code(&column, &facts, literal)?;
                match &column {
                    // A comparison of a condition with TRUE is the condition itself, with its three truth values.
                    Term::Made(made) if code == 1 && matches!(**made, Operation::Truth(_)) => match (**made).clone() {
                        Operation::Truth(inner) => inner,
                        other => Filter::Members { column: Term::of(other), codes: vec![code] },
                    },
                    Term::Made(_) | Term::Column(_) => self.of_codes(column.clone(), vec![code]),
                }
            }
            Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => {
                self.digits(&column, how, literal).ok_or_else(|| self.unordered(&column, at))?
            }
        };
        Ok(if how == Comparison::NotEqual { Filter::Not(Box::new(filter)) } else { filter })
    }

    fn members(&self, of: &Expression, literals: &[Literal]) -> Result<Filter, QueryError> {
        let column = self.column(of)?;
        let facts = self.known.facts(&column);
        self.known.steps().spend(literals.len() as u64);
        match &*facts.domain {
            Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => {
                let codes = literals.iter().map(|literal| self.code(&column, &facts, literal));
                let mut codes = codes.collect::<Result<Vec<_>, _>>()?;
                codes.sort_unstable();
                codes.dedup();
                Ok(self.of_codes(column.clone(), codes))
            }
            Domain::Number(_) | Domain::Date { .. } => {
                let (least, greatest) = stored_bounds(&facts.domain);
                let mut values = Vec::with_capacity(literals.len());
                for literal in literals {
                    let place = self.ordered(&column, &facts, literal)?;
                    // A literal between two steps or out of bounds equals no value.
                    values.extend(place.whole().filter(|value| (least..=greatest).contains(value)));
                }
                values.sort_unstable();
                values.dedup();
                Ok(Filter::Values { column: column.clone(), values })
            }
        }
    }

    /// The exact position of a literal among the stored integers of a number or a date.
    fn ordered(&self, column: &Term, facts: &TermFacts<'_>, literal: &Literal) -> Result<LiteralPosition, QueryError> {
        let place = match (&*facts.domain, &literal.value) {
            (Domain::Number(grid), LiteralValue::Number(text) | LiteralValue::Text(text)) => {
                nanos(text).map(|place| place.on(grid))
            }
            (Domain::Date { .. }, LiteralValue::Date(text) | LiteralValue::Text(text)) => {
                date_days(midnight(text)).map(|days| LiteralPosition::at(days.into()))
            }
            _ => None,
        };
        place.ok_or_else(|| {
            let wanted = match *facts.domain {
                Domain::Date { .. } => "a day like DATE '2024-02-29'",
                Domain::Number(_) | Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => "a number",
            };
            self.mismatch(column, facts, literal, wanted)
        })
    }

    fn mismatch(&self, column: &Term, facts: &TermFacts<'_>, literal: &Literal, wanted: &str) -> QueryError {
        let name = self.name(column);
        let message = format!("{} is not a value of {name}; accepted is {wanted}", literal_text(&literal.value));
        QueryError::at(Code::OutOfDomain, literal.at, message).hint(format!("{name} is {}", facts.domain))
    }

    fn code(&self, column: &Term, facts: &TermFacts<'_>, literal: &Literal) -> Result<u32, QueryError> {
        let text = match (&*facts.domain, &literal.value) {
            (Domain::Boolean, LiteralValue::Boolean(truth)) => return Ok(u32::from(*truth)),
            (_, LiteralValue::Text(text)) | (Domain::Category(_), LiteralValue::Number(text)) => text,
            _ => return Err(self.mismatch(column, facts, literal, "one of its values")),
        };
        facts.domain.code(text).ok_or_else(|| {
            let message = format!("{} is not a value of {}", literal_text(&literal.value), self.name(column));
            let error = QueryError::at(Code::OutOfDomain, literal.at, message);
            let labels = facts.domain.labels();
            // Codes whose digits differ are different things, however near.
            let has_its_digits = |label: &&str| digits(label).eq(digits(text));
            match nearest(text, labels.iter().flatten().map(String::as_str).filter(has_its_digits)) {
                Some(near) => error.hint(format!("did you mean '{near}'?")),
                None => error.hint(format!("it is {}", facts.domain)),
            }
        })
    }

    /// Types an expression and derives its facts.
    pub(super) fn term(&self, expression: &Expression) -> Result<(Term, Rc<Program>), QueryError> {
        self.known.steps().check()?;
        let at = expression.at;
        let of = |inner: &Expression| self.term(inner).map(|(term, _)| term);
        let all = |parts: &[Expression]| parts.iter().map(of).collect::<Result<Vec<_>, _>>();
        let term = match &expression.value {
            Scalar::Column(name) => declared(name, self.known)?,
            Scalar::Constant(LiteralValue::Boolean(truth)) => Term::of(Operation::Truth(Filter::constant(*truth))),
            Scalar::Constant(value) => constant(value, at)?,
            Scalar::Negative(inner) => match self.term(inner)? {
                (_, lowered) if lowered.kind == ValueKind::Date => {
                    let message = "a date cannot be negated";
                    return Err(QueryError::at(Code::UnsupportedSql, at, message));
                }
                (term, _) => term.negative(),
            },
            Scalar::Arithmetic(left, operator, right) => self.arithmetic(left, *operator, right)?,
            Scalar::Absolute(inner) => Term::of(Operation::Absolute(of(inner)?)),
            Scalar::Least(parts) => sorted(all(parts)?, Operation::Least),
            Scalar::Greatest(parts) => sorted(all(parts)?, Operation::Greatest),
            Scalar::Round(inner, decimals) => Term::of(Operation::Rounded(of(inner)?, *decimals)),
            Scalar::Coalesce(inner, with) => self.coalesce(inner, with)?,
            Scalar::Numeric(call, parts) => self.numeric(call, parts, at)?,
            Scalar::Case(whens, otherwise) => self.case(whens, otherwise.as_deref(), at)?,
            Scalar::Truncate(period, inner) => Term::of(Operation::Truncated(of(inner)?, *period)),
            Scalar::Extract(part, inner) => Term::of(Operation::Extracted(of(inner)?, *part)),
            Scalar::Bucket(inner, low, high, count) => {
                let (of, low, high) = (of(inner)?, decimal(low)?, decimal(high)?);
                if exact(low) == exact(high) {
                    let message = "the bounds of WIDTH_BUCKET are equal";
                    return Err(QueryError::at(Code::UnsupportedSql, at, message));
                }
                // Buckets from the upper bound down are those of the negated number upwards.
                let is_down = exact(low) > exact(high);
                let negative = |one: Constant| Constant { digits: -one.digits, ..one };
                let (of, low, high) =
                    if is_down { (of.negative(), negative(low), negative(high)) } else { (of, low, high) };
                Term::of(Operation::Bucket { of, low, high, count: *count })
            }
            Scalar::Truth(inner) => Term::of(Operation::Truth(condition(inner, self.known)?)),
            Scalar::Clamped(inner, low, high) => self.clamped(inner, low, high)?,
            Scalar::Call(call, operands) => self.call(call, operands, at)?,
            Scalar::Aggregate(_) | Scalar::Window(_) | Scalar::Subquery(_) => return Err(unresolved(at)),
        };
        let lowered = self.known.lower(&term).map_err(|fault| faulty(&fault, at))?;
        Ok((term, lowered))
    }

    /// Clamps a number between two bounds. LEAST and GREATEST skip missing values, so missing values are restored by a condition.
    fn clamped(&self, inner: &Expression, low: &Literal, high: &Literal) -> Result<Term, QueryError> {
        let (term, lowered) = self.term(inner)?;
        if !lowered.is_number() {
            let message = format!("contribution_bounds are of a number, and this is a {}", lowered.word());
            return Err(QueryError::at(Code::UnsupportedSql, inner.at, message));
        }
        let (least, greatest) = (decimal(low)?, decimal(high)?);
        if exact(least) >= exact(greatest) {
            let message = "contribution_bounds want a lower bound below the upper one";
            return Err(QueryError::at(Code::UnsupportedSql, low.at, message));
        }
        let of = |constant: Constant| Term::of(Operation::Constant(constant));
        let above = sorted(vec![term.clone(), of(least)], Operation::Greatest);
        let within = sorted(vec![above, of(greatest)], Operation::Least);
        if !lowered.nullable {
            return Ok(within);
        }
        // A term in an IS NULL test must have a value that can be stored.
        lowered.domain().map_err(|fault| faulty(&fault, inner.at))?;
        let is_there = Filter::Not(Box::new(Filter::Missing { column: term }));
        Ok(within.only_where(is_there.simplest(self.known)))
    }

    fn arithmetic(
        &self,
        left: &Expression,
        operator: ArithmeticOperator,
        right: &Expression,
    ) -> Result<Term, QueryError> {
        let of = |side: &Expression| self.term(side).map(|(term, _)| term);
        Ok(match operator {
            ArithmeticOperator::Plus => Term::plus(vec![of(left)?, of(right)?]),
            ArithmeticOperator::Minus => Term::plus(vec![of(left)?, of(right)?.negative()]),
            ArithmeticOperator::Times => Term::times(vec![of(left)?, of(right)?]),
            ArithmeticOperator::Over => {
                let divisor = self.constant(right, "a row's value can be divided only by a constant")?;
                Term::of(Operation::Over(of(left)?, divisor))
            }
        })
    }

    fn case(
        &self,
        whens: &[(Condition, Expression)],
        otherwise: Option<&Expression>,
        at: Position,
    ) -> Result<Term, QueryError> {
        let filters = whens.iter().map(|(when, _)| condition(when, self.known)).collect::<Result<Vec<_>, _>>()?;
        let results = whens.iter().map(|(_, result)| result).chain(otherwise);
        let mut terms = results.map(|result| self.operand(result)).collect::<Result<Vec<_>, _>>()?;
        let text = |term: &Term| match term {
            Term::Made(made) => match &**made {
                Operation::Text(text) => Some(text.clone()),
                _ => None,
            },
            Term::Column(_) => None,
        };
        if let Some(texts) = terms.iter().map(text).collect::<Option<Vec<_>>>() {
            return choice(filters, texts, otherwise.is_some(), at);
        }
        let otherwise = otherwise.and_then(|_| terms.pop());
        Ok(Term::of(Operation::Case(filters.into_iter().zip(terms).collect(), otherwise)))
    }
}

/// A CASE over texts alone.
fn choice(filters: Vec<Filter>, texts: Vec<String>, has_otherwise: bool, at: Position) -> Result<Term, QueryError> {
    let mut labels = Vec::new();
    let mut known = HashMap::new();
    let code = |text: String| {
        *known.entry(text).or_insert_with_key(|text| {
            labels.push(text.clone());
            labels.len() as u32 - 1
        })
    };
    let codes: Vec<u32> = texts.into_iter().map(code).collect();
    if labels.len() > LABELS_MAX {
        let message = format!("CASE has {} labels; accepted are at most {LABELS_MAX}", labels.len());
        return Err(QueryError::at(Code::UnsupportedSql, at, message));
    }
    let otherwise = codes.last().copied().filter(|_| has_otherwise);
    Ok(Term::of(Operation::Choice { whens: filters.into_iter().zip(codes).collect(), otherwise, labels }))
}

/// The error for what is resolved before terms are typed, wherever it may stand.
fn unresolved(at: Position) -> QueryError {
    QueryError::at(Code::UnsupportedSql, at, "an aggregate, a window or a query cannot stand here")
}

fn sorted(mut parts: Vec<Term>, make: fn(Vec<Term>) -> Operation) -> Term {
    parts.sort();
    parts.dedup();
    Term::of(make(parts))
}

/// What the name of a column stands for.
///
/// # Errors
/// [`Code::UnknownColumn`], with the nearest name.
pub fn declared(name: &Name, known: &TermContext<'_>) -> Result<Term, QueryError> {
    if let Some(term) = known.named(name) {
        return Ok(term);
    }
    if known.unit_column() == Some(name.text.as_str()) {
        let message = format!(
            "\"{}\" is the privacy unit and names people: they are counted and joined by it, and no single person is asked about",
            name.text
        );
        return Err(QueryError::at(Code::UnknownColumn, name.at, message));
    }
    const NAMES_SHOWN_MAX: usize = 24;
    let names = known.all_names();
    let of_table = |text: &str| Name { text: text.to_owned(), ..name.clone() };
    let near =
        nearest(&name.text, names.iter().map(String::as_str)).filter(|near| known.named(&of_table(near)).is_some());
    let qualified = |text: &str| name.of.iter().map(String::as_str).chain([text]).collect::<Vec<_>>().join(".");
    let (near, written) = (near.map(qualified), qualified(&name.text));
    let message = format!("unknown column \"{}\"", shown(&written));
    let error = QueryError::at(Code::UnknownColumn, name.at, message);
    Err(match near {
        Some(near) => {
            let message = format!("{}; did you mean \"{near}\"?", error.message);
            QueryError { message, ..error }
        }
        None => {
            let names: Vec<_> = names.into_iter().take(NAMES_SHOWN_MAX).collect();
            error.hint(format!("its columns are {}", names.join(", ")))
        }
    })
}
