//! Sorting of rows, as post-processing of the noisy table.

use std::cmp::Ordering;

use super::layout::SortKey;
use super::row::{AnswerRow, SortValue};

/// Sorts rows by the given sort keys; ties keep the order of the groups.
pub(super) fn sort(rows: &mut [AnswerRow], order: &[SortKey]) {
    if !order.is_empty() {
        rows.sort_by(|a, b| order.iter().fold(Ordering::Equal, |so_far, one| so_far.then_with(|| compare(a, b, one))));
    }
}

fn compare(a: &AnswerRow, b: &AnswerRow, sort: &SortKey) -> Ordering {
    compare_values(&a.sorts[sort.output], &b.sorts[sort.output], sort.descending, sort.nulls_first)
}

/// Compares two values that rows are sorted by.
pub(super) fn compare_values(a: &SortValue, b: &SortValue, descending: bool, nulls_first: bool) -> Ordering {
    let direct = match (a, b) {
        (SortValue::Missing, SortValue::Missing) => return Ordering::Equal,
        (SortValue::Missing, _) => return if nulls_first { Ordering::Less } else { Ordering::Greater },
        (_, SortValue::Missing) => return if nulls_first { Ordering::Greater } else { Ordering::Less },
        (SortValue::Text(a), SortValue::Text(b)) => a.cmp(b),
        (SortValue::Number(a), SortValue::Number(b)) => a.total_cmp(b),
        (SortValue::Text(_), SortValue::Number(_)) => Ordering::Greater,
        (SortValue::Number(_), SortValue::Text(_)) => Ordering::Less,
    };
    if descending { direct.reverse() } else { direct }
}
