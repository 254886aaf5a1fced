//! Sorting of rows, as post-processing of the noisy table.

use std::cmp::Ordering;

use super::rows::Row;
use super::{Label, Sort};

/// Value that an output is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SortValue {
    /// A missing value, sorted first or last as the sort key says.
    Missing,
    /// Text of a key, compared by code points.
    Text(String),
    /// A number, or the code of a boolean key.
    Number(f64),
}

impl SortValue {
    pub(super) fn of_key(label: &Label, code: usize) -> Self {
        match label {
            Label::Missing => Self::Missing,
            Label::Text(text) => Self::Text(text.clone()),
            Label::Boolean(_) => Self::Number(code as f64),
            Label::Integer(value) => Self::Number(*value as f64),
        }
    }
}

/// Sorts rows by the given sort keys; ties keep the order of the groups.
pub(super) fn sort(rows: &mut [Row], order: &[Sort]) {
    if !order.is_empty() {
        rows.sort_by(|a, b| order.iter().fold(Ordering::Equal, |so_far, one| so_far.then_with(|| compare(a, b, one))));
    }
}

fn compare(a: &Row, b: &Row, sort: &Sort) -> Ordering {
    let (a, b) = (&a.sorts[sort.output], &b.sorts[sort.output]);
    let direct = match (a, b) {
        (SortValue::Missing, SortValue::Missing) => return Ordering::Equal,
        (SortValue::Missing, _) => return if sort.nulls_first { Ordering::Less } else { Ordering::Greater },
        (_, SortValue::Missing) => return if sort.nulls_first { Ordering::Greater } else { Ordering::Less },
        (SortValue::Text(a), SortValue::Text(b)) => a.cmp(b),
        (SortValue::Number(a), SortValue::Number(b)) => a.total_cmp(b),
        (SortValue::Text(_), SortValue::Number(_)) => Ordering::Greater,
        (SortValue::Number(_), SortValue::Text(_)) => Ordering::Less,
    };
    if sort.descending { direct.reverse() } else { direct }
}
