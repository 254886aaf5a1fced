//! Sorting of rows, as post-processing of the noisy table.

use std::cmp::Ordering;

use super::layout::SortKey;
use super::row::AnswerRow;

/// Sorts rows by the given sort keys; ties keep the order of the groups.
pub(super) fn sort(rows: &mut [AnswerRow], order: &[SortKey]) {
    if !order.is_empty() {
        rows.sort_by(|a, b| order.iter().fold(Ordering::Equal, |so_far, one| so_far.then_with(|| compare(a, b, one))));
    }
}

fn compare(a: &AnswerRow, b: &AnswerRow, sort: &SortKey) -> Ordering {
    a.sorts[sort.output].compare(&b.sorts[sort.output], sort.descending, sort.nulls_first)
}
