//! Questions that are put together: UNION ALL of their answers, or their single rows side by side.
//!
//! Promises one plan with the measurements of all of them, each measured once and paid for once. The price is the sum over the measurements, as
//! for any plan: what one unit moves in all answers together is what it moves in each of the measurements. Each row has the estimates and the
//! intervals that it has in its own answer.

use std::collections::HashMap;

use super::outputs::made;
use super::parts::{self, Plan};
use super::planned::planned_as;
use super::united;
use crate::kernel::budget::entry::Digest;
use crate::kernel::privacy::certificate::MeasurementSpec;
use crate::query::answer::{CountSource, Layout, Limit, Output, PartSuppression, ShownGroups, Suppression, UnionArm};
use crate::query::computation::{CELLS_MAX, Computation, Measure};
use crate::query::error::{Code, QueryError};
use crate::query::syntax::{BesideItem, Name, Query, Together};
use crate::query::term::context::TermContext;

/// Largest number of passes over tables that questions together may take.
const PASSES_MAX: usize = 128;

/// Plans questions that are put together; `plan` plans each of them.
///
/// # Errors
/// Those of the questions, and those of [`united::layout`]; [`Code::TooManyGroups`] if they measure too much together.
pub(super) fn planned(
    query: &Query,
    together: &Together,
    known: &TermContext<'_>,
    plan: &dyn Fn(&Query) -> Result<Plan, QueryError>,
) -> Result<Plan, QueryError> {
    let mut plans = Vec::with_capacity(together.arms().len());
    for (place, arm) in together.arms().iter().enumerate() {
        let planned = plan(arm).map_err(|error| within(error, together, place))?;
        if planned.computation.text.is_some() {
            let message = "groups that are found in the rows have a threshold for their own question, and are not put together with others";
            return Err(within(QueryError::at(Code::UnsupportedSql, arm.dataset.at, message), together, place)
                .hint("ask for them in a question of their own"));
        }
        plans.push(planned);
    }
    let (digest, how) = match together {
        Together::Union { .. } => (parts::digest("union", &plans), "UNION"),
        Together::Beside { .. } => (parts::digest("beside", &plans), "row"),
    };
    let united = UnitedMeasures::of(&plans);
    united.check(query, how)?;
    let vectors: Vec<Vec<u32>> = plans.iter().map(|plan| united.places(plan)).collect();
    let rows_per_unit = plans.iter().map(|plan| plan.rows_per_unit).max().unwrap_or_default();
    // A relation may make more rows than its tables have: how long answers take follows from the largest.
    let largest = plans.iter().filter_map(|plan| plan.seen.clone()).max_by_key(|seen| seen.max_rows);
    let layouts = plans.into_iter().map(|plan| plan.layout);
    let layout = match together {
        Together::Union { distinct, .. } => {
            let arms = layouts.zip(vectors).map(|(layout, vectors)| UnionArm { vectors, layout }).collect();
            united::layout(query, arms, distinct)?
        }
        Together::Beside { items, .. } => {
            let row = row(query, layouts.zip(vectors).collect())?;
            beside(query, row, items, (known, &united.computations[0]))?
        }
    };
    let UnitedMeasures { mut computations, sought, .. } = united;
    let more = computations.split_off(1);
    let computation = computations.swap_remove(0);
    Ok(Plan {
        dataset: query.dataset.text.clone(),
        computation,
        more,
        together: Some(digest),
        layout,
        sought,
        seen: largest,
        hiding: None,
        joins: Vec::new(),
        rows_per_unit,
        text: Some(query.text.0.clone()),
    })
}

/// An error of one of several questions, which says of which.
fn within(error: QueryError, together: &Together, place: usize) -> QueryError {
    match together {
        Together::Union { .. } => {
            let message = format!("query {} of the UNION: {}", place + 1, error.message);
            QueryError { message, ..error }
        }
        Together::Beside { .. } => error,
    }
}

/// What several plans measure, each measurement once.
struct UnitedMeasures {
    /// The computations; those that differ in nothing but their measurements are one.
    computations: Vec<Computation>,
    /// What the privacy core must know of each measurement, in the order of the computations.
    sought: Vec<MeasurementSpec>,
    /// The place of each measurement.
    places: HashMap<Digest, u32>,
}

impl UnitedMeasures {
    fn of(plans: &[Plan]) -> Self {
        let mut computations: Vec<Computation> = Vec::new();
        let mut specs: HashMap<Digest, MeasurementSpec> = HashMap::new();
        for plan in plans {
            let mut sought = plan.sought.iter();
            for part in plan.parts() {
                let mut new = Vec::new();
                for ((measure, view), sought) in part.measures.iter().zip(views(part)).zip(&mut sought) {
                    if specs.insert(view, *sought).is_none() {
                        new.push(measure.clone());
                    }
                }
                let is_first = computations.is_empty();
                match computations.iter_mut().find(|known| is_alike(known, part)) {
                    Some(known) => known.measures.extend(new),
                    None if new.is_empty() && !is_first => {}
                    None => computations.push(Computation { measures: new, ..part.clone() }),
                }
            }
        }
        computations.iter_mut().for_each(|one| one.measures.sort_unstable());
        let all: Vec<Digest> = computations.iter().flat_map(views).collect();
        let sought = all.iter().filter_map(|view| specs.get(view).copied()).collect();
        let places = all.into_iter().zip(0..).collect();
        Self { computations, sought, places }
    }

    /// The place of each measurement of one of the plans.
    fn places(&self, plan: &Plan) -> Vec<u32> {
        plan.parts().flat_map(views).filter_map(|view| self.places.get(&view).copied()).collect()
    }

    /// Checks that all questions together measure no more than one may.
    fn check(&self, query: &Query, how: &str) -> Result<(), QueryError> {
        let refused = |message: String| {
            Err(QueryError::at(Code::TooManyGroups, query.dataset.at, message).hint("ask for fewer of them at a time"))
        };
        let cells = self.sought.iter().fold(0_u64, |all, one| all.saturating_add(one.cells));
        if cells > CELLS_MAX {
            return refused(format!(
                "the queries of the {how} would have {cells} noisy cells together; accepted are at most {CELLS_MAX}"
            ));
        }
        let has_own = |measure: &&Measure| {
            matches!(measure, Measure::Over { .. } | Measure::Bins { .. } | Measure::PrefixSums { .. })
        };
        let passes = |one: &Computation| 1 + one.measures.iter().filter(has_own).count();
        let passes: usize = self.computations.iter().map(passes).sum();
        if self.computations.len() > 1 && passes > PASSES_MAX {
            return refused(format!(
                "the queries of the {how} take {passes} passes over tables; accepted are at most {PASSES_MAX}"
            ));
        }
        Ok(())
    }
}

/// Digests by which measurements of one dataset are compared, whatever its edition.
fn views(part: &Computation) -> Vec<Digest> {
    part.views("", "")
}

/// Whether two computations differ in nothing but their measurements.
fn is_alike(one: &Computation, other: &Computation) -> bool {
    let Computation { rows_per_unit, filter, keys, measures: _, units, text, left, relation } = one;
    *rows_per_unit == other.rows_per_unit
        && *filter == other.filter
        && *keys == other.keys
        && *units == other.units
        && *text == other.text
        && *left == other.left
        && *relation == other.relation
}

/// The outputs of several answers of a single row, with what small counts hide.
struct SingleRow {
    outputs: Vec<Vec<Output>>,
    small: Option<Suppression>,
}

/// The single rows of several answers, whose measurements have these places.
fn row(query: &Query, answers: Vec<(Layout, Vec<u32>)>) -> Result<SingleRow, QueryError> {
    let mut row = SingleRow { outputs: Vec::with_capacity(answers.len()), small: None };
    for (layout, vectors) in answers {
        let is_single = layout.keys.is_empty()
            && layout.sets.is_none()
            && layout.arms.is_empty()
            && layout.order.is_empty()
            && layout.shown == ShownGroups::default()
            && layout.limit == Limit::All;
        if !is_single {
            let message = "queries in parentheses beside each other have a single row each";
            return Err(QueryError::at(Code::UnsupportedSql, query.dataset.at, message));
        }
        let to = |place: usize| vectors.get(place).map_or(usize::MAX, |place| *place as usize);
        let mut outputs = layout.outputs;
        outputs.iter_mut().for_each(|output| output.value.renumber(&to));
        row.outputs.push(outputs);
        if let Some(own) = layout.small {
            let all: Vec<usize> = (0..vectors.len()).map(to).collect();
            let parts = hidden(&own, &to, &all);
            let none = || Suppression { below: own.below, counts: Vec::new(), steps: Vec::new(), parts: Vec::new() };
            row.small.get_or_insert_with(none).parts.extend(parts);
        }
    }
    Ok(row)
}

/// One row of what the single rows of several answers hold, and of what is computed from them.
fn beside(
    query: &Query,
    row: SingleRow,
    items: &[BesideItem],
    (known, computation): (&TermContext<'_>, &Computation),
) -> Result<Layout, QueryError> {
    let named = |name: &Name| {
        let place: usize = name.text.strip_prefix('#')?.parse().ok()?;
        row.outputs.get(place)?.first().and_then(|output| planned_as(&output.value))
    };
    let mut outputs = Vec::new();
    for item in items {
        match item {
            BesideItem::Answer(place) => outputs.extend(row.outputs.get(*place).into_iter().flatten().cloned()),
            BesideItem::Made(item) => outputs.push(made(query, item, (known, computation), &named)?),
        }
    }
    united::check_names(query, &outputs)?;
    Ok(Layout {
        keys: Vec::new(),
        sets: None,
        outputs,
        shown: ShownGroups::default(),
        small: row.small,
        order: Vec::new(),
        limit: Limit::All,
        arms: Vec::new(),
    })
}

/// What the small counts of one of several answers in a row hide: its own measurements, `all`, and none of the others'.
fn hidden(small: &Suppression, to: &dyn Fn(usize) -> usize, all: &[usize]) -> Vec<PartSuppression> {
    let whole = small.counts.iter().map(|count| CountSource::Measured(to(*count)));
    let whole = whole.map(|counted| PartSuppression { counted, of: all.to_vec() });
    let parts = small.parts.iter().map(|part| {
        let counted = match &part.counted {
            CountSource::Measured(count) => CountSource::Measured(to(*count)),
            CountSource::Step(run) => {
                let mut run = run.clone();
                run.vector = to(run.vector);
                CountSource::Step(run)
            }
            CountSource::Bins { vector, bins } => CountSource::Bins { vector: to(*vector), bins: *bins },
        };
        PartSuppression { counted, of: part.of.iter().map(|place| to(*place)).collect() }
    });
    whole.chain(parts).collect()
}
