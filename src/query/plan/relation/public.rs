//! How many rows of a public table one row can meet.
//!
//! Promises a bound that holds for every row that a unit could have. It follows from public rows alone.

use std::collections::HashMap;
use std::rc::Rc;

use crate::query::filter::Filter;
use crate::query::plan::public;
use crate::query::term::Term;
use crate::query::term::context::{Steps, TermContext};
use crate::query::terms::policy::{PublicTable, Terms};

/// The largest number of rows of a public table for which the conditions are true and that have the same values in the compared columns. A
/// missing value equals nothing.
pub(super) fn multiplicity(
    table: &PublicTable,
    equal: &[(Term, u32)],
    on: &[Filter],
    steps: &Rc<Steps>,
    dataset: &Terms,
) -> u64 {
    let columns: Vec<&Vec<Option<i64>>> =
        equal.iter().filter_map(|(_, column)| table.values.get(*column as usize)).collect();
    match (&columns[..], on) {
        ([], []) => return table.rows,
        ([_], []) => {
            let order = equal.first().and_then(|(_, column)| table.order(*column as usize));
            return order.map_or(0, |order| order.most());
        }
        (_, _) => {}
    }
    let terms = dataset.with(table.columns.clone(), 1, table.rows);
    let known = TermContext::within(&terms, steps);
    let mut rows: HashMap<Vec<i64>, u64> = HashMap::new();
    for row in public::chosen(table, on, &known) {
        let key: Option<Vec<i64>> = columns.iter().map(|values| values.get(row).copied().flatten()).collect();
        if let Some(key) = key {
            *rows.entry(key).or_default() += 1;
        }
    }
    rows.into_values().max().unwrap_or(0)
}
