//! From the noisy vectors of a release to the table of an answer, and from noise laws to the accuracy of its columns.

use super::interval;
use super::labels::Label;
use super::layout::{Layout, Output, OutputValue, STD_ERROR, names};
use super::row::AnswerRow;
use super::rows::{rows_of, sum_terms};
use super::table::{ColumnInfo, ColumnKind, Table};
use super::{remarks, sorting};
use crate::kernel::privacy::certificate::CertifiedMeasurement;
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::vault::release::NoisyVector;
use crate::query::answer::formula::{Formula, Words};

/// Describes the columns of an answer and their accuracy from the certified noise laws alone, before anything is drawn.
#[must_use]
pub fn columns(layout: &Layout, laws: &[NoiseLaw]) -> Vec<ColumnInfo> {
    if !layout.arms.is_empty() {
        return union_columns(layout, laws);
    }
    let laws = &layout.laws(laws);
    let of_words = |words: &Words| match of_label(words.example(&layout.keys)) {
        ColumnKind::DateKey if !words.are_days(&layout.keys) => ColumnKind::Key,
        kind => kind,
    };
    let kind = |value: &OutputValue| match value {
        OutputValue::Key { index } => of_label(layout.keys[*index].first()),
        OutputValue::Words(words) => of_words(words),
        OutputValue::Hidden(_) => ColumnKind::Key,
        OutputValue::Grouping { .. } => ColumnKind::IntegerKey,
        // With several groupings, every row has its own standard error.
        OutputValue::Count { .. } if layout.sets.is_some() => ColumnKind::Count(f64::NAN),
        OutputValue::Sum { .. } if layout.sets.is_some() => ColumnKind::Sum(f64::NAN),
        OutputValue::Count { count } => ColumnKind::Count(laws[*count].std_error()),
        OutputValue::Sum { sum, count, grid } => {
            ColumnKind::Sum(interval::std_error(&sum_terms(laws, *sum, *count, grid)) * grid.step_value())
        }
        OutputValue::Mean { .. } => ColumnKind::Mean,
        OutputValue::Formula { .. } => ColumnKind::Formula,
    };
    let info = |output: &Output| ColumnInfo {
        name: output.name.clone(),
        kind: kind(&output.value),
        bounds: output.value.bounds(),
        remarks: layout.remarks(&output.value),
    };
    layout.outputs.iter().filter(|output| !output.value.is_hidden()).map(info).collect()
}

fn of_label(label: Option<&Label>) -> ColumnKind {
    match label {
        Some(Label::Boolean(_)) => ColumnKind::BooleanKey,
        Some(Label::Integer(_)) => ColumnKind::IntegerKey,
        Some(Label::Decimal(_)) => ColumnKind::DecimalKey,
        Some(Label::Date(_)) => ColumnKind::DateKey,
        Some(Label::Text(_) | Label::Missing) | None => ColumnKind::Key,
    }
}

/// The columns of a union: those of its first answer by name. A column has one standard error if all answers have the same for it, and bounds
/// if they have the same.
fn union_columns(layout: &Layout, laws: &[NoiseLaw]) -> Vec<ColumnInfo> {
    // An answer that is NULL in a column says nothing of the others' kind.
    let is_null = |layout: &Layout, place: usize| {
        layout.arms.is_empty() && layout.outputs[place].value.formula() == Some(Formula::Missing)
    };
    let mut arms = layout.arms.iter().map(|arm| (&arm.layout, columns(&arm.layout, &arm.of(laws))));
    let (first, mut united) = arms.next().map_or((layout, Vec::new()), |first| first);
    let mut unknown: Vec<bool> = (0..united.len()).map(|place| is_null(first, place)).collect();
    for (arm, others) in arms {
        for (place, (column, other)) in united.iter_mut().zip(others).enumerate() {
            if is_null(arm, place) {
                continue;
            }
            column.kind = if unknown[place] { other.kind } else { of_both(column.kind, other.kind) };
            unknown[place] = false;
            column.bounds = column.bounds.take().filter(|bounds| other.bounds.as_ref() == Some(bounds));
        }
    }
    for (column, output) in united.iter_mut().zip(&layout.outputs) {
        column.name.clone_from(&output.name);
        // Some of the answers may have no label here, which the planner looked at.
        if let OutputValue::Words(Words::Label(label)) = &output.value {
            column.kind = of_label(Some(label));
        }
    }
    united
}

/// The kind of a column with values of both kinds.
fn of_both(one: ColumnKind, other: ColumnKind) -> ColumnKind {
    let of_all = |one: f64, other: f64| if one.total_cmp(&other).is_eq() { one } else { f64::NAN };
    match (one, other) {
        (ColumnKind::Count(one), ColumnKind::Count(other)) => ColumnKind::Count(of_all(one, other)),
        (ColumnKind::Sum(one), ColumnKind::Sum(other)) => ColumnKind::Sum(of_all(one, other)),
        (one, other) if one == other => one,
        (ColumnKind::DateKey, ColumnKind::Key) | (ColumnKind::Key, ColumnKind::DateKey) => ColumnKind::Key,
        _ => ColumnKind::Formula,
    }
}

/// Noise laws of the measurements of a certificate or a release, in their order.
#[must_use]
pub fn laws(measurements: &[CertifiedMeasurement]) -> Vec<NoiseLaw> {
    measurements.iter().map(|one| one.law).collect()
}

/// Builds the table of an answer from its noisy vectors, one for each measurement.
#[must_use]
pub fn tabulate(layout: &Layout, vectors: &[NoisyVector]) -> Table {
    let laws: Vec<_> = vectors.iter().map(|one| one.law).collect();
    let has_errors = layout.sets.is_some() || !layout.arms.is_empty();
    let rows = rows(layout, vectors, has_errors);
    let columns = columns(layout, &laws);
    let of = |(output, column): (&Output, &ColumnInfo)| {
        let error = |name: &String| name.ends_with(STD_ERROR) && output.value.formula().is_some();
        let kind = |name: &String| if error(name) { ColumnKind::Formula } else { column.kind };
        names(output, has_errors).iter().map(kind).collect::<Vec<_>>()
    };
    let kinds: Vec<_> = layout.outputs.iter().zip(&columns).flat_map(of).collect();
    let names: Vec<_> = layout.outputs.iter().flat_map(|output| names(output, has_errors)).collect();
    let mut table = Table { plain: names.len(), names, kinds, columns, rows: Vec::with_capacity(rows.len()) };
    remarks::append(&mut table, rows);
    table
}

/// The rows that an answer shows, in their order.
fn rows(layout: &Layout, vectors: &[NoisyVector], has_errors: bool) -> Vec<AnswerRow> {
    let sizes: Vec<usize> = layout.keys.iter().map(|labels| labels.len()).collect();
    let mut rows: Vec<AnswerRow> = Vec::new();
    for arm in &layout.arms {
        let own = self::rows(&arm.layout, &arm.of(vectors), true);
        rows.extend(own.into_iter().map(|row| row.shown(&widths(layout))));
    }
    match &layout.sets {
        Some(sets) => {
            for (at, shown) in sets.shown.iter().enumerate() {
                rows_of(layout, &sets.vectors(at, vectors, &sizes), shown, true, &mut rows);
            }
        }
        None if layout.arms.is_empty() => {
            let all: Vec<usize> = (0..sizes.len()).collect();
            rows_of(layout, vectors, &all, has_errors, &mut rows);
        }
        None => {}
    }
    sorting::sort(&mut rows, &layout.order);
    layout.limit.cut(&mut rows);
    rows
}

/// Number of cells of each column of a union.
fn widths(layout: &Layout) -> Vec<usize> {
    layout.outputs.iter().map(|output| names(output, true).len()).collect()
}
