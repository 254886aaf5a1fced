//! Type checker of casts, numeric functions, COALESCE and NULLIF, and of comparisons with quotients.

use dashu::rational::RBig;
use std::collections::BTreeSet;

use super::checker::TypeChecker;
use super::literals::{LiteralPosition, decimal};
use super::lower::{TermFault, ValueKind, exact};
use super::real::RealFunction;
use super::words::WordFunction;
use super::{Constant, Operation, Term};
use crate::query::error::{Code, Position, QueryError};
use crate::query::filter::Filter;
use crate::query::syntax::{CastType, Comparison, Expression, Literal, LiteralValue, Numeric, Scalar};

/// Decimals of a quotient that has no decimal grid.
const QUOTIENT_DECIMALS: u32 = 6;
/// Largest whole exponent of a power that is multiplied out.
const EXPONENT_MAX: i64 = 8;

impl TypeChecker<'_> {
    pub(super) fn numeric(&self, call: &Numeric, of: &[Expression], at: Position) -> Result<Term, QueryError> {
        let refused = |message: &str, hint: &str| QueryError::at(Code::UnsupportedSql, at, message).hint(hint);
        let arguments = "write it with its arguments in parentheses";
        match (call, of) {
            (Numeric::Null, _) => Ok(Term::of(Operation::Case(Vec::new(), None))),
            (Numeric::Cast(to), [one]) => self.cast(*to, one, at),
            (Numeric::Cut(side, decimals), [one]) => Ok(Term::of(Operation::Cut(self.term(one)?.0, *side, *decimals))),
            (Numeric::Sign, [one]) => Ok(Term::of(Operation::Sign(self.term(one)?.0))),
            (Numeric::Root, [one]) => self.real(RealFunction::Root, one),
            (Numeric::Exponential, [one]) => self.real(RealFunction::Exponential, one),
            (Numeric::Natural, [one]) => self.real(RealFunction::Natural, one),
            (Numeric::Remainder, [one, by]) => {
                let by = self.constant(by, "a remainder is that of a division by a constant")?;
                Ok(Term::of(Operation::Remainder(self.term(one)?.0, by)))
            }
            (Numeric::Logarithm, [base, one]) => {
                let base = self.constant(base, "a logarithm is to a constant base")?;
                if base.digits <= 0 || exact(base) == RBig::ONE {
                    return Err(refused("a logarithm has a base above 0 that is not 1", "write LOG(10, x), or LN(x)"));
                }
                self.real(RealFunction::Logarithm(base), one)
            }
            (Numeric::Power, [one, exponent]) => {
                let exponent = self.constant(exponent, "a power has a constant exponent")?;
                self.power(one, exponent, at)
            }
            (Numeric::NullIf, [one, other]) => {
                let term = self.term(one)?.0;
                let is_equal = self.filter(&crate::query::syntax::Condition::Compare(
                    one.clone(),
                    Comparison::Equal,
                    other.clone(),
                ))?;
                Ok(term.only_where(Filter::Not(Box::new(is_equal)).simplest(self.known)))
            }
            _ => Err(refused("this function has another number of arguments", arguments)),
        }
    }

    fn real(&self, function: RealFunction, of: &Expression) -> Result<Term, QueryError> {
        Ok(Term::of(Operation::Real(function, self.term(of)?.0)))
    }

    fn power(&self, of: &Expression, exponent: Constant, at: Position) -> Result<Term, QueryError> {
        let (term, lowered) = self.term(of)?;
        let whole = exact(exponent);
        let refused = |message: &str| QueryError::at(Code::UnsupportedSql, at, message);
        if whole.is_int() && exponent.digits > 0 {
            let times = i64::try_from(whole.floor()).unwrap_or(i64::MAX);
            if times > EXPONENT_MAX {
                return Err(refused("a whole exponent is at most 8"));
            }
            let factors = vec![term; usize::try_from(times).unwrap_or(1)];
            return Ok(Term::of(Operation::Decimal(Term::times(factors))));
        }
        if exponent.digits == 0 || (whole.is_int() && lowered.low < 1) {
            return Err(refused("an exponent is not 0, and a negative one is of numbers above 0 alone"));
        }
        Ok(Term::of(Operation::Real(RealFunction::Power(exponent), term)))
    }

    fn cast(&self, to: CastType, of: &Expression, at: Position) -> Result<Term, QueryError> {
        if to == CastType::Truth {
            let (term, lowered) = self.term(of)?;
            if lowered.kind == ValueKind::Boolean {
                return Ok(term);
            }
            let zero = Expression { value: Scalar::Constant(LiteralValue::Number("0".to_owned())), at };
            let compare = crate::query::syntax::Condition::Compare(of.clone(), Comparison::NotEqual, zero);
            return Ok(Term::of(Operation::Truth(self.filter(&compare)?.simplest(self.known))));
        }
        let (term, lowered) = self.term(of)?;
        let is_kept = match (to, &lowered.kind) {
            (CastType::Integer, ValueKind::Integer)
            | (CastType::Decimal(None), ValueKind::Decimal)
            | (CastType::Date, ValueKind::Date)
            | (CastType::Text, ValueKind::Category(_)) => return Ok(term),
            (CastType::Integer | CastType::Decimal(_), ValueKind::Category(_) | ValueKind::Date) => false,
            (CastType::Integer | CastType::Decimal(_), _) => true,
            // A value as a text is the value joined to no text.
            (CastType::Text, ValueKind::Integer | ValueKind::Decimal | ValueKind::Date | ValueKind::Boolean) => {
                let parts = vec![term, Term::of(Operation::Text(String::new()))];
                return self.worded(WordFunction::Joined, parts, at);
            }
            (CastType::Date | CastType::Truth, _) => false,
        };
        if !is_kept {
            let message = format!("a {} cannot be cast to {}", lowered.word(), to.word());
            return Err(QueryError::at(Code::UnsupportedSql, at, message).hint(
                "accepted are casts between numbers, of conditions to numbers, of dates to DATE, of categories to TEXT",
            ));
        }
        Ok(Term::of(match to {
            CastType::Integer => Operation::Integer(term),
            CastType::Decimal(Some(decimals)) if lowered.is_number() => Operation::Rounded(term, decimals),
            CastType::Decimal(_) | CastType::Date | CastType::Text | CastType::Truth => Operation::Decimal(term),
        }))
    }

    /// COALESCE of values and, at its end, a constant.
    pub(super) fn coalesce(&self, one: &Expression, other: &Expression) -> Result<Term, QueryError> {
        fn flat<'e>(of: &'e Expression, found: &mut Vec<&'e Expression>) {
            match &of.value {
                Scalar::Coalesce(one, other) => {
                    flat(one, found);
                    flat(other, found);
                }
                _ => found.push(of),
            }
        }
        let mut parts = Vec::new();
        flat(one, &mut parts);
        flat(other, &mut parts);
        let terms = parts.iter().map(|part| self.operand(part));
        let mut terms = terms.collect::<Result<Vec<_>, _>>()?;
        let is_constant = |term: &Term| {
            let mut columns = BTreeSet::new();
            term.declared(&mut columns);
            columns.is_empty()
        };
        // Nothing behind a constant is ever chosen; constants behind one are kept, because identities have them.
        let constants = match terms.iter().position(is_constant) {
            Some(first) => terms.split_off(first),
            None => Vec::new(),
        };
        let chosen = match terms.len() {
            0 => {
                let message = "COALESCE wants a column before its constant";
                return Err(QueryError::at(Code::UnsupportedSql, other.at, message));
            }
            1 => terms.remove(0),
            _ => Term::of(Operation::Coalesced(terms)),
        };
        let constants = constants.into_iter().filter(is_constant);
        Ok(constants.fold(chosen, |chosen, constant| Term::of(Operation::Filled(chosen, constant))))
    }

    /// The value of an expression without columns.
    pub(super) fn constant(&self, of: &Expression, wanted: &str) -> Result<Constant, QueryError> {
        if let Scalar::Constant(value) = &of.value {
            return decimal(&Literal { value: value.clone(), at: of.at });
        }
        let (term, lowered) = self.term(of)?;
        let mut columns = BTreeSet::new();
        term.declared(&mut columns);
        let is_constant = columns.is_empty() && lowered.low == lowered.high && lowered.is_number() && !lowered.nullable;
        let nanos = RBig::from(lowered.low) * lowered.scale.clone() * RBig::from(1_000_000_000);
        let digits = i64::try_from(nanos.numerator().clone()).ok().filter(|_| is_constant && nanos.is_int());
        let digits = digits.ok_or_else(|| {
            let message = if is_constant { "a constant has at most nine decimals here" } else { wanted };
            QueryError::at(Code::UnsupportedSql, of.at, message)
        })?;
        Ok(match lowered.kind {
            ValueKind::Integer => Constant { digits: digits / 1_000_000_000, decimals: 0 },
            _ => Constant::new(digits, 9),
        })
    }

    /// A value that can be stored: a quotient without a decimal grid is rounded to six decimals.
    pub(super) fn gridded(&self, term: Term) -> Term {
        match self.known.lower(&term) {
            Ok(lowered) if lowered.domain() == Err(TermFault::Grid) && !lowered.is_on_decimals() => {
                Term::of(Operation::Rounded(term, QUOTIENT_DECIMALS))
            }
            _ => term,
        }
    }

    /// A comparison of a quotient without a decimal grid, multiplied out: a / 3.0 ≥ 2 is a ≥ 6. `None` for other terms.
    pub(super) fn multiplied(
        &self,
        term: &Term,
        how: Comparison,
        literal: &Literal,
    ) -> Option<(Term, Comparison, LiteralPosition)> {
        let LiteralValue::Number(text) = &literal.value else { return None };
        let (mut term, mut how, mut value) = (term.clone(), how, exact(Constant::parse(text)?));
        loop {
            let lowered = self.known.lower(&term).ok()?;
            if lowered.is_on_decimals() {
                let crate::query::terms::domain::Domain::Number(grid) = lowered.domain().ok()? else { return None };
                return Some((term, how, LiteralPosition::of(&value, &grid)));
            }
            let Term::Made(made) = &term else { return None };
            let (of, by) = match &**made {
                Operation::Over(of, by) => (of.clone(), *by),
                _ => return None,
            };
            value *= exact(by);
            if by.digits < 0 {
                how = how.mirrored();
            }
            term = of;
        }
    }
}
