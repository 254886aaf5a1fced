//! A plan and its parts: the computations that the engine evaluates one after the other.

use std::sync::Arc;

use super::identity::Text;
use crate::kernel::budget::entry::Digest;
use crate::kernel::privacy::certificate::{GroupThreshold, MeasurementSpec};
use crate::query::answer::Layout;
use crate::query::computation::{Computation, Measure};
use crate::query::terms::policy::Terms;

/// A question that was typed against the terms of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Name of the dataset.
    pub dataset: String,
    /// The part that the engine evaluates.
    pub computation: Computation,
    /// Further parts, if several questions are put together. What two of them have alike is measured once.
    pub more: Vec<Computation>,
    /// Digest of the questions that are put together; `None` for a single one.
    pub together: Option<Digest>,
    /// How noisy integers become columns.
    pub layout: Layout,
    /// What the privacy core must know of each measurement, parallel to the measurements.
    pub sought: Vec<MeasurementSpec>,
    /// Terms of the table with one row per unit, with the names that the question gives to its columns; `None` if it asks the dataset
    /// itself.
    pub seen: Option<Arc<Terms>>,
    /// Which groups are hidden, if their list is not public.
    pub hiding: Option<GroupThreshold>,
    /// The joined tables, by their index in the terms, each with whether it is a left join.
    pub joins: Vec<(usize, bool)>,
    /// The number of rows of each unit that the question uses of each table; planning its canonical SQL again takes this number.
    pub rows_per_unit: u32,
    /// The question as it was asked, if its rows are a relation: it is its own canonical SQL.
    pub text: Option<String>,
}

impl Plan {
    /// The terms that everything after FROM refers to.
    #[must_use]
    pub fn terms<'a>(&'a self, of_dataset: &'a Terms) -> &'a Terms {
        self.seen.as_deref().unwrap_or(of_dataset)
    }

    /// Whether it is one question with one computation: neither a union nor totals of several tables.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.more.is_empty() && self.layout.arms.is_empty()
    }

    /// Whether totals of several computations stand in one row, where formulas may combine them.
    #[must_use]
    pub fn is_beside(&self) -> bool {
        !self.more.is_empty() && self.layout.arms.is_empty()
    }

    /// The computations that are evaluated for it, in order; their measurements together are those of the plan.
    pub fn parts(&self) -> impl Iterator<Item = &Computation> {
        std::iter::once(&self.computation).chain(&self.more)
    }

    /// Its measurements in their order, each with the computation that it is a part of.
    pub fn measures(&self) -> impl Iterator<Item = (&Computation, &Measure)> {
        self.parts().flat_map(|part| part.measures.iter().map(move |measure| (part, measure)))
    }

    /// Digests of the measurements in their order: what can be shared and topped up.
    #[must_use]
    pub fn views(&self, dataset: &str, edition: &str) -> Vec<Digest> {
        self.parts().flat_map(|part| part.views(dataset, edition)).collect()
    }

    /// What is evaluated for some of its measurements, which are given by their indices in ascending order.
    #[must_use]
    pub fn chosen(&self, wanted: &[usize]) -> Vec<Computation> {
        let mut begin = 0;
        let mut chosen = Vec::new();
        for part in self.parts() {
            let end = begin + part.measures.len();
            let own = wanted.iter().filter(|place| (begin..end).contains(*place));
            let measures: Vec<Measure> = own.map(|place| part.measures[place - begin].clone()).collect();
            if !measures.is_empty() {
                chosen.push(Computation { measures, ..part.clone() });
            }
            begin = end;
        }
        chosen
    }

    /// Digest of what is measured, of which edition: the plan without names, order and accuracy.
    #[must_use]
    pub fn view(&self, edition: &str) -> Digest {
        let mut text = Text::default();
        text.raw("[");
        text.string(&self.dataset);
        text.raw(",");
        text.string(edition);
        text.raw(",");
        text.computation(&self.computation);
        if let Some(together) = &self.together {
            text.raw(",");
            text.list(&self.more, Text::computation);
            text.raw(",");
            text.list(together, |out, byte| out.number(*byte));
        }
        text.raw("]");
        *blake3::hash(&text.into_bytes()).as_bytes()
    }
}

/// Digest of the questions that a plan puts together: of what each of them measures, and of how they are put together.
#[must_use]
pub(super) fn digest(how: &str, plans: &[Plan]) -> Digest {
    let mut text = Text::default();
    text.raw("[");
    text.string(how);
    for plan in plans {
        text.raw(",");
        text.computation(&plan.computation);
        if let Some(together) = &plan.together {
            text.raw(",");
            text.list(together, |out, byte| out.number(*byte));
        }
    }
    text.raw("]");
    *blake3::hash(&text.into_bytes()).as_bytes()
}
