//! Plans: a question typed against a dataset's public terms.
//!
//! Promises that a plan consists of row-local steps, public group keys, a list of measurements without duplicates, and post-processing, and
//! that it depends on the text and the terms alone. Two questions with the same measurements of the same rows have the same view.

mod counting;
mod identity;
mod joins;
mod names;
mod outputs;
mod runs;
mod sets;
mod shape;
mod size;
mod measurements;
mod texts;
mod views;
pub mod relation;
pub mod subquery;

use std::rc::Rc;
use std::sync::Arc;

use self::identity::Text;
use self::joins::Joins;
#[cfg(test)]
pub(crate) use self::measurements::specs;
pub use self::size::SHOWN_CELLS_MAX;
use super::answer::Layout;
use super::computation::Computation;
use super::error::QueryError;
use super::syntax::Query;
use super::term::context::{Steps, TermContext};
use super::term::{checker, coding};
use crate::kernel::budget::entry::Digest;
use crate::kernel::privacy::certificate::{GroupThreshold, MeasurementSpec};
use crate::query::plan::subquery::subquery;
use crate::query::terms::policy::Terms;

/// A question that was typed against the terms of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Name of the dataset.
    pub dataset: String,
    /// The part that the engine evaluates.
    pub computation: Computation,
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
}

impl Plan {
    /// The terms that everything after FROM refers to.
    #[must_use]
    pub fn terms<'a>(&'a self, of_dataset: &'a Terms) -> &'a Terms {
        self.seen.as_deref().unwrap_or(of_dataset)
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
        text.raw("]");
        *blake3::hash(&text.into_bytes()).as_bytes()
    }
}

/// Types a query against the terms of its dataset. `rows_per_unit` limits the rows used of each unit; `None` uses the policy's maximum.
///
/// # Errors
/// In this order: [`Code::NotAnAggregate`], [`Code::UnknownColumn`], [`Code::OutOfDomain`] or [`Code::UnsupportedSql`] for literals and
/// types, [`Code::TooManyGroups`]; and [`Code::UnsupportedSql`] as soon as planning has taken more than [`super::term::context::STEPS_MAX`]
/// steps.
///
/// [`Code::NotAnAggregate`]: super::error::Code::NotAnAggregate
/// [`Code::UnknownColumn`]: super::error::Code::UnknownColumn
/// [`Code::OutOfDomain`]: super::error::Code::OutOfDomain
/// [`Code::UnsupportedSql`]: super::error::Code::UnsupportedSql
/// [`Code::TooManyGroups`]: super::error::Code::TooManyGroups
pub fn plan(query: &Query, terms: &Terms, rows_per_unit: Option<u32>) -> Result<Plan, QueryError> {
    planned(query, terms, rows_per_unit, &Steps::bounded())
}

/// Types a query that is recorded in the ledger, as [`plan`] does but without a limit on the steps: it was accepted when it was asked, and
/// must stay verifiable.
///
/// # Errors
/// Those of [`plan`], if the same text was planned differently when it was asked.
pub fn replan(query: &Query, terms: &Terms, rows_per_unit: u32) -> Result<Plan, QueryError> {
    planned(query, terms, Some(rows_per_unit), &Steps::unbounded())
}

fn planned(query: &Query, terms: &Terms, rows_per_unit: Option<u32>, steps: &Rc<Steps>) -> Result<Plan, QueryError> {
    let (joins, all) = (Joins::of(query.person.as_deref().unwrap_or(query), terms)?, terms);
    let base = TermContext::within(&joins.terms, steps);
    let (units, seen) = match &query.person {
        None => (None, None),
        Some(inner) => {
            let rows = rows_per_unit.filter(|rows| (1..=base.max_rows_per_unit).contains(rows));
            let rows = rows.unwrap_or(base.max_rows_per_unit);
            let mut subquery = subquery(&shape::named(query), inner, &base, rows)?;
            subquery.units.filter = joins.condition(subquery.units.filter.take(), &base);
            (Some(subquery.units), Some(Arc::new(subquery.terms)))
        }
    };
    let outer = seen.as_deref().map(|seen| TermContext::within(seen, steps));
    let known = outer.as_ref().unwrap_or(&base);
    let grouped = shape::grouped(query, known)?;
    shape::check(query, &grouped)?;
    for name in query.columns(&grouped) {
        checker::declared(name, known).map_err(|error| joins::unjoined(error, name, all))?;
    }
    let rows_per_unit = shape::rows(rows_per_unit, &base)?;
    let mut filter = query.condition.as_ref().map(|condition| checker::condition(condition, known)).transpose()?;
    if units.is_none() {
        filter = joins.condition(filter, &base);
    }
    let text = texts::key(query, &grouped, known, rows_per_unit)?;
    let keys = if text.is_some() { Vec::new() } else { shape::keys(&grouped, known, filter.as_ref())? };
    let left = joins.tables.iter().filter(|(_, is_left)| *is_left).map(|(place, _)| *place).collect();
    let mut computation =
        Computation { rows_per_unit, filter, keys, measures: Vec::new(), units, text, left, relation: None };
    let sets = match &computation.text {
        Some(_) => query.sets.clone(),
        None => sets::typed(query, &grouped, &computation.keys, known)?,
    };
    let mut layout = outputs::layout(query, sets, known, &mut computation)?;
    let sought = measurements::specs(&computation, known)?;
    // Build the labels only now that their number is known to be within the limit.
    layout.keys.extend(computation.keys.iter().map(|key| coding::labels(key, known).into()));
    let hiding = texts::hiding(&computation, known);
    steps.check()?;
    let (dataset, joins) = (query.dataset.text.clone(), joins.tables.clone());
    drop(outer);
    Ok(Plan { dataset, computation, layout, sought, seen, hiding, joins })
}
