//! Conditions on the values of a group: those of HAVING, and those of CASE.
//!
//! Promises SQL's three truth values over what is shown: a count is compared as it is rounded, and a missing estimate makes a comparison
//! unknown.

use std::cmp::Ordering;

use borsh::{BorshDeserialize, BorshSerialize};

use super::{AbsenceReason, CellValues, Formula, Words};
use crate::query::answer::Label;
use crate::query::syntax::Comparison;

/// Condition of HAVING: which rows of a noisy table are shown.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum HavingCondition {
    /// Comparison of two formulas.
    Compare(Formula, Comparison, Formula) = 0,
    /// SQL's IS NULL: the formula has no estimate.
    Missing(Formula) = 1,
    /// Negation of a condition.
    Not(Box<HavingCondition>) = 2,
    /// Conjunction: every condition holds.
    All(Vec<HavingCondition>) = 3,
    /// Disjunction: at least one condition holds.
    Any(Vec<HavingCondition>) = 4,
    /// Comparison of two labels, such as that of a key with a constant; labels of different kinds are not equal.
    Labels(Words, Comparison, Words) = 5,
    /// SQL's IS NULL of a label.
    NoLabel(Words) = 6,
}

impl HavingCondition {
    /// Truth of the condition for one cell's noisy values, in SQL's three-valued logic; `None` is unknown.
    #[must_use]
    pub fn truth(&self, at: CellValues<'_>) -> Option<bool> {
        match self {
            Self::Compare(left, how, right) => {
                let of = |side: &Formula| side.value(at).and_then(|value| side.shown(value)).ok();
                let (left, right) = (of(left)?, of(right)?);
                // Adding 0.0 turns −0 into 0.
                Some(holds(*how, (left + 0.0).total_cmp(&(right + 0.0))))
            }
            Self::Missing(of) => Some(of.value(at).is_err()),
            Self::Labels(left, how, right) => {
                let (left, right) = (left.label(at).ok()?, right.label(at).ok()?);
                compared(left?, *how, right?)
            }
            Self::NoLabel(of) => Some(!matches!(of.label(at), Ok(Some(_)))),
            Self::Not(inner) => inner.truth(at).map(|truth| !truth),
            Self::All(parts) => {
                let truths: Vec<_> = parts.iter().map(|part| part.truth(at)).collect();
                if truths.contains(&Some(false)) { Some(false) } else { (!truths.contains(&None)).then_some(true) }
            }
            Self::Any(parts) => {
                let truths: Vec<_> = parts.iter().map(|part| part.truth(at)).collect();
                if truths.contains(&Some(true)) { Some(true) } else { (!truths.contains(&None)).then_some(false) }
            }
        }
    }

    /// Whether it depends on a value that is hidden in this group.
    fn is_hidden(&self, at: CellValues<'_>) -> bool {
        match self {
            Self::Compare(..) | Self::Missing(_) => {
                self.formulas().into_iter().any(|of| of.value(at) == Err(AbsenceReason::Hidden))
            }
            Self::Labels(left, _, right) => {
                [left, right].into_iter().any(|side| side.label(at) == Err(AbsenceReason::Hidden))
            }
            Self::NoLabel(of) => of.label(at) == Err(AbsenceReason::Hidden),
            Self::Not(inner) => inner.is_hidden(at),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.is_hidden(at)),
        }
    }

    /// Applies `to` to the index of every measurement.
    pub fn renumber(&mut self, to: &dyn Fn(usize) -> usize) {
        self.formulas_mut().into_iter().for_each(|of| of.renumber(to));
    }

    /// The formulas that it compares.
    #[must_use]
    pub fn formulas(&self) -> Vec<&Formula> {
        match self {
            Self::Compare(left, _, right) => vec![left, right],
            Self::Missing(of) => vec![of],
            Self::Not(inner) => inner.formulas(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::formulas).collect(),
            Self::Labels(left, _, right) => [left.formulas(), right.formulas()].concat(),
            Self::NoLabel(of) => of.formulas(),
        }
    }

    /// The formulas that it compares, in the order of [`Self::formulas`].
    pub fn formulas_mut(&mut self) -> Vec<&mut Formula> {
        match self {
            Self::Compare(left, _, right) => vec![left, right],
            Self::Missing(of) => vec![of],
            Self::Not(inner) => inner.formulas_mut(),
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().flat_map(Self::formulas_mut).collect(),
            Self::Labels(left, _, right) => left.formulas_mut().into_iter().chain(right.formulas_mut()).collect(),
            Self::NoLabel(of) => of.formulas_mut(),
        }
    }
}

/// The branch of a CASE that the estimates choose.
///
/// # Errors
/// [`AbsenceReason::Hidden`] if a condition before it, or its own, depends on a hidden value.
pub(super) fn chosen<'a, T>(
    arms: &'a [(HavingCondition, T)],
    otherwise: &'a T,
    at: CellValues<'_>,
) -> Result<&'a T, AbsenceReason> {
    for (when, then) in arms {
        if !at.hidden.is_empty() && when.is_hidden(at) {
            return Err(AbsenceReason::Hidden);
        }
        if when.truth(at) == Some(true) {
            return Ok(then);
        }
    }
    Ok(otherwise)
}

fn holds(how: Comparison, order: Ordering) -> bool {
    match how {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// Compares two labels; `None` if one is missing.
fn compared(left: &Label, how: Comparison, right: &Label) -> Option<bool> {
    let order = match (left, right) {
        (Label::Missing, _) | (_, Label::Missing) => return None,
        (Label::Boolean(left), Label::Boolean(right)) => left.cmp(right),
        (Label::Integer(left), Label::Integer(right)) => left.cmp(right),
        (Label::Decimal(left), Label::Decimal(right)) => left.cmp(right),
        (Label::Date(left), Label::Date(right)) => left.cmp(right),
        (Label::Boolean(_) | Label::Integer(_) | Label::Decimal(_) | Label::Text(_) | Label::Date(_), _) => {
            // A day is compared with its text.
            let Some((left, right)) = left.as_text().zip(right.as_text()) else {
                return Some(how == Comparison::NotEqual);
            };
            left.cmp(&right)
        }
    };
    Some(holds(how, order))
}
