//! Warnings about a plan: what its answer cannot tell, as far as the text and the public terms say so.

use super::Plan;
use crate::query::computation::Measure;
use crate::query::filter::Filter;
use crate::query::term::context::{Steps, TermContext};
use crate::query::terms::policy::Terms;

/// What an answer would not tell, although it has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanWarning {
    /// The condition of WHERE can match no row.
    NoRow,
    /// The condition of one of the counts can match no row.
    NoRowCounted,
}

impl Plan {
    /// What is to be said before the question is paid for. It follows from the question and the policy alone. Nothing is said of questions that
    /// are put together, as each of them has rows of its own.
    #[must_use]
    pub fn warnings(&self, of_dataset: &Terms) -> Vec<PlanWarning> {
        if !self.more.is_empty() {
            return Vec::new();
        }
        let steps = Steps::unbounded();
        let known = TermContext::within(self.terms(of_dataset), &steps);
        let is_never = |filter: &Filter| filter.is_never(&known);
        if self.computation.filter.as_ref().is_some_and(is_never) {
            return vec![PlanWarning::NoRow];
        }
        let has_none = |measure: &Measure| counted(measure).is_some_and(is_never);
        if self.computation.measures.iter().any(has_none) { vec![PlanWarning::NoRowCounted] } else { Vec::new() }
    }
}

/// The condition of a count of units, if it has one.
fn counted(measure: &Measure) -> Option<&Filter> {
    match measure {
        Measure::UnitsWhere { filter } => Some(filter),
        Measure::Over { measure, .. } | Measure::PrefixSums { measure, .. } => counted(measure),
        Measure::Rows | Measure::NonNull { .. } | Measure::Sum { .. } | Measure::Units | Measure::Bins { .. } => None,
    }
}
