//! Shapes of values: how the numbers of a question are spread, from the asker's answers and from what the steward has stated.
//!
//! Promises that both are free to use: what is known comes from answers that the asker was served, and statements are public.

use std::collections::HashMap;

use super::known::KnownGroups;
use crate::query::answer::expected::ColumnShape;
use crate::query::plan::Plan;
use crate::query::term::{Operation, Term};
use crate::query::terms::domain::Column;
use crate::query::terms::stated::StatedValues;
use crate::service::dataset::Dataset;

/// The shapes that are known or stated of the columns of one question.
#[derive(Default)]
pub(in crate::service) struct Shapes {
    known: HashMap<Term, ColumnShape>,
    stated: HashMap<usize, ColumnShape>,
}

impl Shapes {
    /// What is stated of the columns of a plan.
    pub(in crate::service) fn stated(dataset: &Dataset, plan: &Plan) -> Self {
        if dataset.stated.is_empty() || !plan.is_single() {
            return Self::default();
        }
        let seen = plan.computation.seen(&dataset.terms);
        let one = |(place, column): (usize, &Column)| {
            let values = statement(dataset, &column.name)?;
            let grid = column.domain.grid()?;
            // A column of another table or of a subquery may have the same name, and other bounds.
            let shape = ColumnShape::stated(&values, grid).filter(|shape| shape.fits(grid))?;
            Some((place, shape))
        };
        Self { known: HashMap::new(), stated: seen.columns.iter().enumerate().filter_map(one).collect() }
    }

    /// Adds what a person knows from their answers, and takes it out of there.
    pub(in crate::service) fn and_known(self, known: &mut KnownGroups) -> Self {
        Self { known: std::mem::take(&mut known.shapes), ..self }
    }

    /// The shape of a number; `None` if nothing is known of it.
    pub(in crate::service) fn of(&self, term: &Term) -> Option<ColumnShape> {
        let stated = || match term {
            Term::Column(place) => self.stated.get(place).cloned(),
            Term::Made(_) => None,
        };
        self.known.get(term).cloned().or_else(stated).or_else(|| self.derived(term))
    }

    /// The shape of a number that is made of another one.
    fn derived(&self, term: &Term) -> Option<ColumnShape> {
        let Term::Made(made) = term else { return None };
        match &**made {
            Operation::Rounded(inner, _) => self.of(inner),
            // A condition leaves some of the rows, which are taken to be like all of them.
            Operation::Case(arms, None) => match &arms[..] {
                [(_, inner)] => Some(self.of(inner)?.of_part()),
                _ => None,
            },
            Operation::Plus(parts) => {
                let (constants, others): (Vec<_>, Vec<_>) = parts.iter().partition(|part| constant(part).is_some());
                let by = constants.into_iter().filter_map(constant).sum();
                match &others[..] {
                    [other] => Some(self.of(other)?.shifted(by)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// What is stated of the columns with this name, if it is the same wherever there is one.
fn statement(dataset: &Dataset, name: &str) -> Option<StatedValues> {
    let mut found = dataset.stated.iter().filter(|stated| stated.column == name).map(|stated| stated.values);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

fn constant(part: &Term) -> Option<f64> {
    match part {
        Term::Made(made) => match &**made {
            Operation::Constant(constant) => Some(constant.to_f64()),
            _ => None,
        },
        Term::Column(_) => None,
    }
}
