//! Outputs that are labels and no estimates: constants, keys, and what a CASE makes of them.

use borsh::{BorshDeserialize, BorshSerialize};

use super::condition::chosen;
use super::{AbsenceReason, CellValues, Formula, HavingCondition};
use crate::query::answer::Label;

/// A label, or how one is chosen.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Words {
    /// A constant.
    Label(Label) = 0,
    /// The label of the key with this index.
    Key(usize) = 1,
    /// SQL's CASE: the label of the first condition that is true, otherwise the last one.
    Case(Vec<(HavingCondition, Words)>, Box<Words>) = 2,
}

impl Words {
    /// The label in a group; `None` if it is missing.
    ///
    /// # Errors
    /// [`AbsenceReason::Hidden`] if it depends on a hidden value.
    pub fn label<'a>(&'a self, at: CellValues<'a>) -> Result<Option<&'a Label>, AbsenceReason> {
        let found = match self {
            Self::Label(label) => Some(label),
            Self::Key(key) => at.label(*key),
            Self::Case(arms, otherwise) => return chosen(arms, otherwise, at)?.label(at),
        };
        Ok(found.filter(|label| **label != Label::Missing))
    }

    /// A label of the kind that this has in each row; `None` if that is known of no row.
    #[must_use]
    pub fn example<'a>(&'a self, keys: &'a [crate::query::answer::KeyLabels]) -> Option<&'a Label> {
        match self {
            Self::Label(Label::Missing) => None,
            Self::Label(label) => Some(label),
            Self::Key(key) => keys.get(*key)?.first(),
            Self::Case(arms, otherwise) => {
                arms.iter().map(|(_, then)| then).chain([&**otherwise]).find_map(|branch| branch.example(keys))
            }
        }
    }

    /// Whether it is a day in each row that it is not missing in. Days within texts do not count, nor do those of older stored answers.
    #[must_use]
    pub fn are_days(&self, keys: &[crate::query::answer::KeyLabels]) -> bool {
        let is_day = |label: &Label| matches!(label, Label::Date(_) | Label::Missing);
        match self {
            Self::Label(label) => is_day(label),
            Self::Key(key) => keys.get(*key).is_some_and(|labels| labels.iter().all(is_day)),
            Self::Case(arms, otherwise) => arms.iter().all(|(_, then)| then.are_days(keys)) && otherwise.are_days(keys),
        }
    }

    /// The condition whose truth value this is; `None` if it is anything else.
    #[must_use]
    pub fn truth(&self) -> Option<&HavingCondition> {
        let is = |words: &Self, truth: bool| *words == Self::Label(Label::Boolean(truth));
        match self {
            Self::Case(arms, otherwise) => match &arms[..] {
                [(when, then), (HavingCondition::Not(not), other)]
                    if **not == *when && is(then, true) && is(other, false) =>
                {
                    (**otherwise == Self::Label(Label::Missing)).then_some(when)
                }
                _ => None,
            },
            Self::Label(_) | Self::Key(_) => None,
        }
    }

    /// The formulas in its conditions.
    #[must_use]
    pub fn formulas(&self) -> Vec<&Formula> {
        match self {
            Self::Label(_) | Self::Key(_) => Vec::new(),
            Self::Case(arms, otherwise) => {
                let of = arms.iter().flat_map(|(when, then)| [when.formulas(), then.formulas()].concat());
                of.chain(otherwise.formulas()).collect()
            }
        }
    }

    /// The formulas in its conditions, in the order of [`Self::formulas`].
    pub fn formulas_mut(&mut self) -> Vec<&mut Formula> {
        match self {
            Self::Label(_) | Self::Key(_) => Vec::new(),
            Self::Case(arms, otherwise) => {
                let mut all = Vec::new();
                for (when, then) in arms {
                    all.extend(when.formulas_mut());
                    all.extend(then.formulas_mut());
                }
                all.extend(otherwise.formulas_mut());
                all
            }
        }
    }
}
