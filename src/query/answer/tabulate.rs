//! From the noisy vectors of a release to the table of an answer, and from noise laws to the accuracy of its columns.

use super::formula::Words;
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

/// Describes the columns of an answer and their accuracy from the certified noise laws alone, before anything is drawn.
#[must_use]
pub fn columns(layout: &Layout, laws: &[NoiseLaw]) -> Vec<ColumnInfo> {
    let laws = &layout.laws(laws);
    let of_label = |label: Option<&Label>| match label {
        Some(Label::Boolean(_)) => ColumnKind::BooleanKey,
        Some(Label::Integer(_)) => ColumnKind::IntegerKey,
        Some(Label::Decimal(_)) => ColumnKind::DecimalKey,
        Some(Label::Date(_)) => ColumnKind::DateKey,
        Some(Label::Text(_) | Label::Missing) | None => ColumnKind::Key,
    };
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

/// Noise laws of the measurements of a certificate or a release, in their order.
#[must_use]
pub fn laws(measurements: &[CertifiedMeasurement]) -> Vec<NoiseLaw> {
    measurements.iter().map(|one| one.law).collect()
}

/// Builds the table of an answer from its noisy vectors, one for each measurement.
#[must_use]
pub fn tabulate(layout: &Layout, vectors: &[NoisyVector]) -> Table {
    let laws: Vec<_> = vectors.iter().map(|one| one.law).collect();
    let sizes: Vec<usize> = layout.keys.iter().map(|labels| labels.len()).collect();
    let mut rows: Vec<AnswerRow> = Vec::new();
    match &layout.sets {
        None => {
            let all: Vec<usize> = (0..sizes.len()).collect();
            rows_of(layout, vectors, &all, &mut rows);
        }
        Some(sets) => {
            for (at, shown) in sets.shown.iter().enumerate() {
                rows_of(layout, &sets.vectors(at, vectors, &sizes), shown, &mut rows);
            }
        }
    }
    sorting::sort(&mut rows, &layout.order);
    layout.limit.cut(&mut rows);
    let columns = columns(layout, &laws);
    let has_sets = layout.sets.is_some();
    let of = |(output, column): (&Output, &ColumnInfo)| {
        let error = |name: &String| name.ends_with(STD_ERROR) && output.value.formula().is_some();
        let kind = |name: &String| if error(name) { ColumnKind::Formula } else { column.kind };
        names(output, has_sets).iter().map(kind).collect::<Vec<_>>()
    };
    let kinds: Vec<_> = layout.outputs.iter().zip(&columns).flat_map(of).collect();
    let names: Vec<_> = layout.outputs.iter().flat_map(|output| names(output, has_sets)).collect();
    let mut table = Table { plain: names.len(), names, kinds, columns, rows: Vec::with_capacity(rows.len()) };
    remarks::append(&mut table, rows);
    table
}
