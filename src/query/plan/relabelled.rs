//! Outputs that are functions of the grouping keys: `UPPER(region)` beside `GROUP BY region`.
//!
//! Promises that such an output names the groups anew after the noise: it is worked out from the public values of the columns, for every
//! combination of them, and taken only where the keys alone decide it.

use std::collections::{BTreeMap, BTreeSet};

use super::outputs::OutputPlanner;
use super::planned::{Planned, refused};
use crate::kernel::privacy::amounts::unscaled;
use crate::query::answer::Label;
use crate::query::answer::formula::{Formula, HavingCondition, Words};
use crate::query::error::QueryError;
use crate::query::syntax::{Comparison, Expression};
use crate::query::term::lower::ValueKind;
use crate::query::term::values::occurring_together;
use crate::query::term::{checker, coding};
use crate::query::terms::domain::{DECIMALS, Domain};

/// Largest number of groups that are named anew: each is written into the canonical SQL.
const GROUPS_MAX: usize = 150;

impl OutputPlanner<'_> {
    /// What an expression is in each group; `None` if the keys do not decide it.
    ///
    /// # Errors
    /// [`crate::query::error::Code::UnsupportedSql`] if there are too many groups.
    pub(super) fn relabelled(&self, of: &Expression) -> Result<Option<Planned>, QueryError> {
        // In a total the keys are missing, and what a function makes of that is not the value of any group.
        if self.is_text || self.has_sets {
            return Ok(None);
        }
        let Ok(term) = checker::expression(of, self.known) else { return Ok(None) };
        let mut columns = BTreeSet::new();
        term.declared(&mut columns);
        let is_used = |place: &usize| {
            let mut own = BTreeSet::new();
            self.keys[*place].column.declared(&mut own);
            !own.is_disjoint(&columns)
        };
        let places: Vec<usize> = (0..self.keys.len()).filter(is_used).collect();
        let (Some(_), Ok(lowered)) = (places.first(), self.known.lower(&term)) else { return Ok(None) };
        let keys = places.iter().map(|place| &self.keys[*place]);
        let mut steps: Vec<_> = keys.clone().map(|key| coding::code(key, self.known)).collect();
        let mut terms: Vec<_> = keys.map(|key| key.column.clone()).collect();
        steps.push(lowered.step.clone());
        terms.push(term);
        let Some(rows) = occurring_together(&steps, &terms, self.known) else { return Ok(None) };
        // The value of each group; several of one group are no function of the keys.
        let mut values: BTreeMap<Vec<u32>, Option<i64>> = BTreeMap::new();
        for row in rows {
            let Some((value, codes)) = row.split_last() else { continue };
            let codes = places.iter().zip(codes).map(|(place, code)| self.group(*place, *code));
            let Some(codes) = codes.collect::<Option<Vec<u32>>>() else { continue };
            if values.insert(codes, *value).is_some_and(|known| known != *value) {
                return Ok(None);
            }
        }
        if values.len() > GROUPS_MAX {
            let message =
                format!("this is computed from keys with {} groups; accepted are at most {GROUPS_MAX}", values.len());
            return Err(refused(of.at, message, "write it into GROUP BY, or compute it from the answer"));
        }
        let mut by_value: BTreeMap<i64, Vec<HavingCondition>> = BTreeMap::new();
        for (codes, value) in values {
            if let Some(value) = value {
                by_value.entry(value).or_default().push(self.is_group(&places, &codes));
            }
        }
        let arms = by_value.into_iter().map(|(value, mut groups)| {
            let when = if groups.len() == 1 { groups.remove(0) } else { HavingCondition::Any(groups) };
            (when, value)
        });
        Ok(match &lowered.kind {
            ValueKind::Integer | ValueKind::Decimal => {
                let Ok(Domain::Number(grid)) = lowered.domain() else { return Ok(None) };
                let arm = |(when, value): (HavingCondition, i64)| (when, Formula::Number(grid.text(value.into())));
                Some(Planned::Number(Formula::Case(arms.map(arm).collect(), Box::new(Formula::Missing))))
            }
            kind => {
                let label = |value: i64| match kind {
                    ValueKind::Category(labels) => usize::try_from(value)
                        .ok()
                        .and_then(|code| labels.get(code))
                        .map_or(Label::Missing, |label| Label::Text(label.clone())),
                    ValueKind::Boolean => Label::Boolean(value == 1),
                    ValueKind::Date => Label::Date(i32::try_from(value).unwrap_or_default()),
                    ValueKind::Integer | ValueKind::Decimal => Label::Missing,
                };
                let arms = arms.map(|(when, value)| (when, Words::Label(label(value)))).collect();
                Some(Planned::Words(Words::Case(arms, Box::new(Words::Label(Label::Missing)))))
            }
        })
    }

    /// The number of a key's group among its labels, from what a row's code is worked out as; `None` if there is no such group.
    fn group(&self, place: usize, code: Option<i64>) -> Option<u32> {
        let key = &self.keys[place];
        match code {
            None => key.nullable.then_some(key.codes),
            Some(code) => match &key.values {
                Some(values) => values.binary_search(&code).ok().and_then(|code| u32::try_from(code).ok()),
                None => u32::try_from(code).ok().filter(|code| *code < key.codes),
            },
        }
    }

    /// The condition that a row of the answer is of this group.
    fn is_group(&self, places: &[usize], codes: &[u32]) -> HavingCondition {
        let mut parts: Vec<HavingCondition> =
            places.iter().zip(codes).map(|(place, code)| self.has_label(*place, *code)).collect();
        if parts.len() == 1 { parts.remove(0) } else { HavingCondition::All(parts) }
    }

    fn has_label(&self, place: usize, code: u32) -> HavingCondition {
        let labels = coding::labels(&self.keys[place], self.known);
        let label = usize::try_from(code).ok().and_then(|code| labels.into_iter().nth(code)).unwrap_or(Label::Missing);
        let number =
            |text: String| HavingCondition::Compare(Formula::Key(place), Comparison::Equal, Formula::Number(text));
        match (&label, self.key(place)) {
            (Label::Missing, Planned::Number(key)) => HavingCondition::Missing(key),
            (Label::Missing, Planned::Words(key)) => HavingCondition::NoLabel(key),
            (Label::Integer(value), _) => number(value.to_string()),
            (Label::Decimal(nanos), _) => number(unscaled(*nanos, DECIMALS)),
            (Label::Text(_) | Label::Date(_) | Label::Boolean(_), _) => {
                HavingCondition::Labels(Words::Key(place), Comparison::Equal, Words::Label(label))
            }
        }
    }
}
