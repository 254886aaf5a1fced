//! Functions of texts and days: their operands, and conditions on what they give as conditions on the categories below.
//!
//! Promises that a comparison of a function of one category is a list of that category's own values, so that `LOWER(region) = 'north'` and
//! `region IN ('north', 'North')` are one condition.

use std::cmp::Ordering;

use super::truths::ComparisonSide;
use super::{TypeChecker, checked, faulty};
use crate::query::error::{Code, Position, QueryError};
use crate::query::filter::{Filter, NEVER};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{Comparison, Expression, Literal, LiteralValue, Scalar};
use crate::query::term::literals::literal_text;
use crate::query::term::lower::{IntegerFunction, Program, Step, ValueKind};
use crate::query::term::patterns::{Pattern, PatternFault, PatternKind};
use crate::query::term::words::WordFunction;
use crate::query::term::{Operation, Term};
use crate::query::terms::domain::{Domain, date_days};

/// Largest number of values of a category whose conditions on functions and patterns are written out as lists of its own values. It
/// depends on the category alone, so that lists may be united and negated and still read back as what they are.
const LISTED_MAX: usize = 200;

impl TypeChecker<'_> {
    /// Types an expression that may be a constant text.
    pub(in crate::query::term) fn operand(&self, of: &Expression) -> Result<Term, QueryError> {
        match &of.value {
            Scalar::Constant(LiteralValue::Text(text)) => Ok(Term::of(Operation::Text(text.clone()))),
            _ => self.term(of).map(|(term, _)| term),
        }
    }

    pub(super) fn call(&self, call: &Call, operands: &[Expression], at: Position) -> Result<Term, QueryError> {
        if let Some(column) = operands.iter().find_map(|of| self.text(of).map(|_| of)) {
            return Err(self.without_list(column.at));
        }
        let one = || match operands.first() {
            Some(first) => self.operand(first),
            None => Err(QueryError::at(Code::UnsupportedSql, at, "a function wants a value")),
        };
        match call {
            Call::Word(function) => {
                let operands = operands.iter().map(|of| self.operand(of)).collect::<Result<Vec<_>, _>>()?;
                self.worded(*function, operands, at)
            }
            Call::Matches(kind) => {
                self.matches(*kind, operands, at).map(|filter| Term::of(Operation::Truth(filter.simplest(self.known))))
            }
            Call::Format(format) => Ok(Term::of(Operation::Formatted(self.day(one()?), format.clone()))),
            Call::Later { months, days } => {
                let day = self.day(one()?);
                let lowered = self.known.lower(&day).map_err(|fault| faulty(&fault, at))?;
                if lowered.kind != ValueKind::Date {
                    let message = format!("an interval is added to a day, and this is a {}", lowered.word());
                    return Err(QueryError::at(Code::UnsupportedSql, at, message));
                }
                let moved = if *months == 0 { day } else { self.folded(Term::of(Operation::Later(day, *months)), at)? };
                Ok(if *days == 0 { moved } else { Term::plus(vec![moved, Term::number((*days).into(), 0)]) })
            }
            Call::Elapsed(span) => {
                let days: Vec<Term> =
                    operands.iter().map(|of| self.operand(of).map(|term| self.day(term))).collect::<Result<_, _>>()?;
                let both = <[Term; 2]>::try_from(days)
                    .map_err(|_| QueryError::at(Code::UnsupportedSql, at, "a distance is between two days"))?;
                Ok(Term::of(Operation::Elapsed(*span, both)))
            }
            Call::Read(format) => self.read(one()?, format, at),
            Call::Made => {
                let parts = operands.iter().map(|of| self.operand(of)).collect::<Result<Vec<_>, _>>()?;
                let parts = <[Term; 3]>::try_from(parts)
                    .map_err(|_| QueryError::at(Code::UnsupportedSql, at, "a day is made of three numbers"))?;
                self.made(parts, at)
            }
            Call::Day => {
                let day = self.day(one()?);
                let lowered = self.known.lower(&day).map_err(|fault| faulty(&fault, at))?;
                match lowered.kind {
                    ValueKind::Date => Ok(day),
                    ValueKind::Integer | ValueKind::Decimal | ValueKind::Category(_) | ValueKind::Boolean => {
                        let message = format!("DATE wants a day, and this is a {}", lowered.word());
                        Err(QueryError::at(Code::UnsupportedSql, at, message)
                            .hint("a constant day is written DATE '2024-02-29'"))
                    }
                }
            }
        }
    }

    /// The error for a function or a pattern of a column whose values are not public.
    fn without_list(&self, at: Position) -> QueryError {
        let message = "this column is text without a public list: it is grouped by as it is, and functions and patterns of \
                       such texts are not built";
        QueryError::at(Code::UnsupportedSql, at, message)
    }

    /// A constant text as the day that it names, as PostgreSQL takes it where a day is wanted.
    fn day(&self, term: Term) -> Term {
        match &term {
            Term::Made(made) => match &**made {
                Operation::Text(text) => date_days(text).map_or(term.clone(), |day| Term::of(Operation::Day(day))),
                _ => term,
            },
            Term::Column(_) => term,
        }
    }

    /// A function of texts; its value, if that is the same in every row, and its operand, if it changes none of its values.
    pub(in crate::query::term) fn worded(
        &self,
        function: WordFunction,
        operands: Vec<Term>,
        at: Position,
    ) -> Result<Term, QueryError> {
        let mut flat = Vec::with_capacity(operands.len());
        for operand in operands {
            match operand {
                Term::Made(made) if function == WordFunction::Joined => match made.take() {
                    Operation::Worded(WordFunction::Joined, inner) => flat.extend(inner),
                    other => flat.push(Term::of(other)),
                },
                operand => flat.push(operand),
            }
        }
        let first = flat.first().cloned();
        let term = self.folded(Term::of(Operation::Worded(function, flat)), at)?;
        let same = first.filter(|first| {
            let lists = (self.known.lower(first), self.known.lower(&term));
            matches!(lists, (Ok(from), Ok(to)) if from.kind == to.kind && is_identity(&from, &to))
        });
        Ok(same.unwrap_or(term))
    }

    /// The constant that a term is, if it is one.
    pub(super) fn folded(&self, term: Term, at: Position) -> Result<Term, QueryError> {
        let lowered = self.known.lower(&term).map_err(|fault| faulty(&fault, at))?;
        let Step::Constant(value) = lowered.step else { return Ok(term) };
        Ok(match &lowered.kind {
            ValueKind::Category(labels) => {
                let label = usize::try_from(value).ok().and_then(|code| labels.get(code));
                label.map_or(term, |label| Term::of(Operation::Text(label.clone())))
            }
            ValueKind::Integer => Term::number(value, 0),
            ValueKind::Date => i32::try_from(value).map_or(term, |day| Term::of(Operation::Day(day))),
            ValueKind::Decimal | ValueKind::Boolean => term,
        })
    }

    /// A comparison with a pattern: a list of the values that match.
    fn matches(&self, kind: PatternKind, operands: &[Expression], at: Position) -> Result<Filter, QueryError> {
        let [of, pattern] = operands else {
            return Err(QueryError::at(Code::UnsupportedSql, at, "a pattern is compared with one text"));
        };
        let ComparisonSide::Constant(Literal { value: LiteralValue::Text(text), .. }) = self.side(pattern)? else {
            return Err(QueryError::at(Code::UnsupportedSql, pattern.at, "the pattern is a constant text here")
                .hint("write LIKE 'nor%'"));
        };
        let pattern = Pattern::parse(kind, &text).map_err(|fault: PatternFault| {
            let message =
                format!("the pattern {} is not taken: {fault}", literal_text(&LiteralValue::Text(text.clone())));
            QueryError::at(Code::UnsupportedSql, pattern.at, message)
        })?;
        let term = match self.side(of)? {
            ComparisonSide::Constant(Literal { value: LiteralValue::Text(text), .. }) => {
                return Ok(Filter::constant(pattern.matches(&text)));
            }
            ComparisonSide::Constant(literal) => {
                let message = format!("{} is not a text", literal_text(&literal.value));
                return Err(QueryError::at(Code::UnsupportedSql, literal.at, message));
            }
            ComparisonSide::Row(term) => term,
        };
        let facts = self.known.facts(&term);
        let Domain::Category(labels) = &*facts.domain else {
            let message = format!("{} is a {}, and a pattern is of texts", self.name(&term), self.word(&term));
            return Err(QueryError::at(Code::UnsupportedSql, of.at, message));
        };
        self.known.steps().spend(labels.len() as u64 * 4);
        self.known.steps().check()?;
        let codes: Vec<u32> =
            (0..).zip(labels).filter(|(_, label)| pattern.matches(label)).map(|(code, _)| code).collect();
        if labels.len() > LISTED_MAX {
            let column = checked(Term::of(Operation::Matched(term, kind, text)), self.known, at)?;
            return Ok(Filter::Members { column, codes: vec![1] });
        }
        Ok(self.of_codes(term, codes))
    }

    /// The condition that a category has one of these codes, about the category or the day that it is a function of.
    pub(super) fn of_codes(&self, column: Term, codes: Vec<u32>) -> Filter {
        let (mut column, mut codes) = (column, codes);
        while let Some((of, below)) = self.preimage(&column, &codes) {
            match below {
                Preimage::Codes(below) => (column, codes) = (of, below),
                Preimage::Days(runs) => {
                    let range = |(low, high)| Filter::Range { column: of.clone(), low, high };
                    let mut ranges: Vec<Filter> = runs.into_iter().map(range).collect();
                    return if ranges.len() == 1 { ranges.remove(0) } else { Filter::Any(ranges) };
                }
            }
        }
        Filter::Members { column, codes }
    }

    /// A comparison of the order of texts with a constant; `None` unless every usual collation sorts each text and the constant alike: both have
    /// their digits in the same places, as in `TO_CHAR(d, 'YYYY-MM') >= '2024-03'`, or are the same small letters up to where they differ.
    pub(super) fn digits(&self, column: &Term, how: Comparison, literal: &Literal) -> Option<Filter> {
        let LiteralValue::Text(text) = &literal.value else { return None };
        let facts = self.known.facts(column);
        let is_text = matches!(&*facts.domain, Domain::Category(_));
        let labels = facts.domain.labels().filter(|_| is_text)?;
        self.known.steps().spend(labels.len() as u64);
        let mut codes = Vec::new();
        for (code, label) in (0..).zip(&labels) {
            let order = collated(label, text)?;
            let holds = match how {
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
                Comparison::Equal => order.is_eq(),
                Comparison::NotEqual => order.is_ne(),
            };
            codes.extend(holds.then_some(code));
        }
        Some(self.of_codes(column.clone(), codes))
    }

    /// The operand of a function of one operand, with its values that become one of these codes.
    fn preimage(&self, term: &Term, codes: &[u32]) -> Option<(Term, Preimage)> {
        let Term::Made(made) = term else { return None };
        let lowered = self.known.lower(term).ok()?;
        let Step::Apply(function, _) = &lowered.step else { return None };
        let is_in = |code: &i64| u32::try_from(*code).is_ok_and(|code| codes.binary_search(&code).is_ok());
        match (&**made, function) {
            (Operation::Worded(_, operands), IntegerFunction::Table { low: 0, entries }) => {
                let mut rows = operands
                    .iter()
                    .filter(|of| self.known.lower(of).map_or(true, |of| !matches!(of.step, Step::Constant(_))));
                let (Some(of), None) = (rows.next(), rows.next()) else { return None };
                let below = self.known.lower(of).ok()?;
                let is_plain = matches!(below.kind, ValueKind::Category(_)) && below.nullable == lowered.nullable;
                if !is_plain || entries.len() > LISTED_MAX {
                    return None;
                }
                self.known.steps().spend(entries.len() as u64);
                let below = (0..).zip(entries.iter()).filter(|(_, entry)| is_in(entry)).map(|(code, _)| code);
                Some((of.clone(), Preimage::Codes(below.collect())))
            }
            (Operation::Formatted(of, _), IntegerFunction::Labelled { period, first, entries })
                if entries.is_sorted() =>
            {
                let below = self.known.lower(of).ok()?;
                let ordinals = (*first..).zip(entries.iter()).filter(|(_, entry)| is_in(entry));
                let mut runs: Vec<(i64, i64)> = Vec::new();
                for (ordinal, _) in ordinals {
                    let days = (period.first(ordinal).max(below.low), (period.first(ordinal + 1) - 1).min(below.high));
                    match runs.last_mut() {
                        Some((_, last)) if *last + 1 == days.0 => *last = days.1,
                        Some(_) | None => runs.push(days),
                    }
                }
                if runs.is_empty() {
                    runs.push(NEVER);
                }
                Some((of.clone(), Preimage::Days(runs)))
            }
            _ => None,
        }
    }
}

/// The order of two texts, if every usual collation gives the same.
fn collated(one: &str, other: &str) -> Option<Ordering> {
    let is_same = |(one, other): (u8, u8)| one == other || (one.is_ascii_digit() && other.is_ascii_digit());
    let plain = one.bytes().all(|letter| letter.is_ascii_digit() || b"-/. ".contains(&letter));
    if plain && one.len() == other.len() && one.bytes().zip(other.bytes()).all(is_same) {
        return Some(one.cmp(other));
    }
    if one == other {
        return Some(Ordering::Equal);
    }
    for (one, other) in one.bytes().zip(other.bytes()) {
        if !(one.is_ascii_lowercase() && other.is_ascii_lowercase()) {
            return None;
        }
        if one != other {
            return Some(one.cmp(&other));
        }
    }
    // One begins with the other: it is the greater one, however it goes on.
    Some(one.len().cmp(&other.len()))
}

/// The values that a function takes to some codes.
enum Preimage {
    /// Codes of a category, in ascending order.
    Codes(Vec<u32>),
    /// Days, as runs from a first to a last one.
    Days(Vec<(i64, i64)>),
}

/// Whether a program gives each of a category's values as it is.
fn is_identity(from: &Program, to: &Program) -> bool {
    match &to.step {
        Step::Apply(IntegerFunction::Table { low: 0, entries }, inner) => {
            **inner == from.step && entries.iter().zip(0..).all(|(entry, code)| *entry == code)
        }
        _ => false,
    }
}
