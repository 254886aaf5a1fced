//! Plans: a question typed against a dataset's public terms.
//!
//! Promises that a plan consists of row-local steps, public group keys, a list of measurements without duplicates, and post-processing, and
//! that it depends on the text and the terms alone. Two questions with the same measurements of the same rows have the same view.

mod bind;
mod after;
mod choices;
mod counting;
mod group_windows;
mod hints;
mod identity;
mod names;
mod outputs;
mod planned;
mod public;
mod relabelled;
mod runs;
mod sets;
mod shape;
mod size;
mod together;
mod united;
mod parts;
mod measurements;
mod texts;
mod views;
pub mod warnings;
pub mod relation;
pub mod subquery;

use std::rc::Rc;
use std::sync::Arc;

use self::bind::{BoundQuestion, BoundRows};
#[cfg(test)]
pub(crate) use self::measurements::specs;
pub use self::parts::Plan;
pub use self::size::SHOWN_CELLS_MAX;
use super::computation::Computation;
use super::error::QueryError;
use super::syntax::Query;
use super::term::context::{KeyRule, Steps, TermContext};
use super::term::{checker, coding};
use crate::query::terms::policy::Terms;

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
    let planned = planned(query, terms, rows_per_unit, &Steps::bounded());
    planned.map_err(|error| hints::in_known_names(error, query, terms))
}

/// Types a query by a rule of today or of earlier versions, without a limit on the steps.
///
/// # Errors
/// Those of [`plan`], without its last one.
pub fn plan_by(query: &Query, terms: &Terms, rows_per_unit: Option<u32>, rule: KeyRule) -> Result<Plan, QueryError> {
    planned(query, terms, rows_per_unit, &Steps::recorded(rule))
}

/// Types a query that is recorded in the ledger, as [`plan`] does but without a limit on the steps: it was accepted when it was asked, and
/// must stay verifiable. The plan is the one that `is_it` is true of, by the rules of today or of earlier versions; if none is, the plan of
/// today.
///
/// # Errors
/// Those of [`plan`], if the same text was planned differently when it was asked.
pub fn replan(
    query: &Query,
    terms: &Terms,
    rows_per_unit: u32,
    is_it: impl Fn(&Plan) -> bool,
) -> Result<Plan, QueryError> {
    let by = |rule: KeyRule| plan_by(query, terms, Some(rows_per_unit), rule);
    let today = by(KeyRule::Values);
    if today.as_ref().is_ok_and(&is_it) || query.keys.is_empty() {
        return today;
    }
    by(KeyRule::Bounds).ok().filter(is_it).map_or(today, Ok)
}

fn planned(query: &Query, terms: &Terms, rows_per_unit: Option<u32>, steps: &Rc<Steps>) -> Result<Plan, QueryError> {
    if let Some(together) = &query.together {
        let each = |arm: &Query| planned(arm, terms, rows_per_unit, steps);
        return together::planned(query, together, &TermContext::within(terms, steps), &each);
    }
    let of_units = planned_over_units(query, terms, rows_per_unit, steps);
    let (Err(error), Some(over_groups)) = (&of_units, query.over_groups.as_deref()) else { return of_units };
    // Rows of FROM that are grouped without the unit are the groups of an answer. No query is both.
    match over_groups {
        Ok(over_groups) => match planned(over_groups, terms, rows_per_unit, steps) {
            Err(_) if !bind::is_of_groups(error) => of_units,
            other => other,
        },
        Err(other) if bind::is_of_groups(error) => Err(other.clone()),
        Err(_) => of_units,
    }
}

/// Types a query whose rows are those of tables and units.
fn planned_over_units(
    query: &Query,
    terms: &Terms,
    rows_per_unit: Option<u32>,
    steps: &Rc<Steps>,
) -> Result<Plan, QueryError> {
    shape::check_unbound(query)?;
    let asked = shape::rows(rows_per_unit, terms)?;
    let named = query.dataset.text.as_str();
    let bound = bind::bind(query, (named, terms), Some(asked), steps)?;
    let BoundQuestion { query, filter, terms: seen, names, rows } = bound;
    let (units, joins, relation) = match rows {
        BoundRows::Table { joins } => (None, joins, None),
        BoundRows::PerUnit { units, joins } => (Some(units), joins, None),
        BoundRows::Relation(relation) => (None, Vec::new(), Some(relation)),
    };
    let known = TermContext::with_names(&seen, &names, steps);
    let grouped = shape::grouped(&query, &known)?;
    shape::check(&query, &grouped)?;
    // The unit may be counted; wherever else it is named, typing refuses it.
    for name in query.columns(&grouped).into_iter().filter(|name| known.unit_column() != Some(name.text.as_str())) {
        checker::declared(name, &known).map_err(|error| bind::unjoined(error, name, terms))?;
    }
    let rows_per_unit = if relation.is_some() { seen.max_rows_per_unit } else { asked };
    let text = texts::key(&query, &grouped, &known, rows_per_unit)?;
    if let (Some(_), Some(_)) = (&text, &relation) {
        return Err(texts::of_relation(&query));
    }
    let rows = relation.as_ref().map(|relation| (relation, terms));
    let keys = if text.is_some() { Vec::new() } else { shape::keys(&grouped, &known, filter.as_ref(), rows)? };
    let left = joins.iter().filter(|(_, is_left)| *is_left).map(|(place, _)| *place).collect();
    let measures = Vec::new();
    let mut computation = Computation { rows_per_unit, filter, keys, measures, units, text, left, relation };
    let sets = match &computation.text {
        Some(_) => query.sets.clone(),
        None => sets::typed(&query, &grouped, &computation.keys, &known)?,
    };
    let mut layout = outputs::layout(&query, sets, &known, &mut computation)?;
    let sought = measurements::specs(&computation, &known)?;
    // Build the labels only now that their number is known to be within the limit.
    layout.keys.extend(computation.keys.iter().map(|key| coding::labels(key, &known).into()));
    let hiding = texts::hiding(&computation, &known);
    steps.check()?;
    drop(known);
    let text = computation.relation.is_some().then(|| query.text.0.clone());
    let is_made = computation.units.is_some() || computation.relation.is_some();
    let seen = is_made.then(|| Arc::new(seen));
    let dataset = query.dataset.text.clone();
    let (more, together, rows_per_unit) = (Vec::new(), None, asked);
    Ok(Plan { dataset, computation, more, together, layout, sought, seen, hiding, joins, rows_per_unit, text })
}
