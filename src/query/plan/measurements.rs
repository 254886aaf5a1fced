//! Guarantees for each measurement: how much one unit can change, and how large any table's values can be.

use crate::kernel::privacy::certificate::MeasurementSpec;
use crate::kernel::privacy::extent::Extent;
use crate::kernel::privacy::prefix_sums::PrefixSums;
use crate::kernel::privacy::sensitivity::{Aggregation, Sensitivity};
use crate::query::computation::{CELLS_MAX, Computation, Measure, PlanKey};
use crate::query::error::{Code, QueryError};
use crate::query::term::context::TermContext;
use crate::query::terms::domain::Domain;

/// What the privacy core must know of each measurement: its sensitivity, number of cells and extent.
///
/// # Errors
/// [`Code::TooManyGroups`] if the answer would have more than [`CELLS_MAX`] noisy cells.
pub(crate) fn specs(computation: &Computation, known: &TermContext<'_>) -> Result<Vec<MeasurementSpec>, QueryError> {
    // With a text key, a measurement over fewer keys covers all groups together.
    let of_groups = |measure: &Measure| computation.text.as_ref().filter(|_| !matches!(measure, Measure::Over { .. }));
    let cells_of = |measure: &Measure| match of_groups(measure) {
        Some(text) => text.groups_max.into(),
        None => measure.cells(&computation.keys),
    };
    let mut cells = computation.measures.iter().map(cells_of).fold(0_u64, u64::saturating_add);
    if computation.measures.is_empty() {
        cells = computation.groups();
    }
    if cells > CELLS_MAX {
        let message = format!("the answer would have {cells} noisy cells; accepted are at most {CELLS_MAX}");
        // A condition narrows the groups of numbers and days.
        let is_narrowed =
            |key: &PlanKey| matches!(*known.facts(&key.column).domain, Domain::Number(_) | Domain::Date { .. });
        let hint = if computation.text.is_none() && computation.keys.iter().any(is_narrowed) {
            Some("ask for some of its groups at a time; write WHERE … to choose them")
        } else {
            (computation.measures.len() > 1).then_some("ask for fewer aggregates at a time")
        };
        let error = QueryError::whole(Code::TooManyGroups, message);
        return Err(QueryError { hint: hint.map(str::to_owned), ..error });
    }
    // Keys that can have several values within a unit's rows.
    let varying: Vec<bool> = computation.keys.iter().map(|key| !known.facts(&key.column).per_unit).collect();
    let all: Vec<usize> = (0..computation.keys.len()).collect();
    let of = |measure: &Measure| {
        let keys = match measure {
            Measure::Over { keys, .. } => keys,
            Measure::Rows
            | Measure::NonNull { .. }
            | Measure::Sum { .. }
            | Measure::Units
            | Measure::UnitsWhere { .. }
            | Measure::Bins { .. }
            | Measure::PrefixSums { .. } => &all,
        };
        let of_text = of_groups(measure).map_or(1, |text| text.groups_per_unit.into());
        let of_keys = keys.iter().filter(|place| varying[**place]).map(|place| computation.keys[*place].size());
        let cells_reachable = of_keys.fold(of_text, u64::saturating_mul);
        let statistic = match measure.base() {
            Measure::Rows | Measure::NonNull { .. } | Measure::Bins { .. } | Measure::Over { .. } => Aggregation::Count,
            Measure::Sum { column } => Aggregation::Sum { radius: known.grid(column).map_or(0, |grid| grid.radius()) },
            Measure::Units | Measure::UnitsWhere { .. } => Aggregation::DistinctUnits { cells_reachable },
            Measure::PrefixSums { key, .. } => {
                let roots = PrefixSums::of(usize::try_from(computation.keys[*key].size()).unwrap_or(usize::MAX));
                Aggregation::Weighted { l1: roots.l1(), l2_squared: roots.l2_squared(), largest: roots.largest() }
            }
        };
        // In a table with one row per unit, each unit has one row.
        let rows = if computation.units.is_some() { 1 } else { computation.rows_per_unit };
        // Unwrap safety: typing a sum checks that max_rows × radius is below 2⁶², and rows_per_unit is at most max_rows.
        let sensitivity = Sensitivity::of(statistic, rows).expect("a policy bounds its sums");
        let extent = Extent::of(statistic, known.max_rows).expect("a policy bounds its sums");
        MeasurementSpec { sensitivity, cells: cells_of(measure), extent }
    };
    Ok(computation.measures.iter().map(of).collect())
}
