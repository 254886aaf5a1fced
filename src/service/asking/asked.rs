//! Which dataset a question is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::query::syntax::{Name, Query};
use crate::service::Dataset;

/// The dataset that a question is about, among those for which `mine` holds.
///
/// A table's name stands with its dataset's, or by itself if one dataset alone has such a table. A table of one row a unit that a dataset is
/// joined with can be asked by itself; beside the dataset's own table it is a part of that dataset.
///
/// # Errors
/// The names of the datasets among which the question does not choose; none if there is no such dataset.
pub(in crate::service) fn dataset_of<'d>(
    query: &Query,
    datasets: &'d BTreeMap<String, Arc<Dataset>>,
    mine: &dyn Fn(&&Arc<Dataset>) -> bool,
) -> Result<&'d Arc<Dataset>, Vec<String>> {
    let tables = query.tables();
    let schema = tables.iter().find_map(|(schema, _)| schema.as_ref().filter(|schema| schema.text != "public"));
    if let Some(schema) = schema {
        return datasets.get(&schema.text).filter(mine).ok_or_else(Vec::new);
    }
    let names = || tables.iter().map(|(_, name)| name);
    let first = names().next().unwrap_or(&query.dataset);
    if let Some(dataset) = datasets.get(&first.text).filter(mine) {
        let whole = datasets.get(&dataset.lineage).filter(mine);
        // Beside another table, a joined table belongs to the dataset.
        let is_alone = names().all(|name| name.text == first.text);
        return Ok(if is_alone { dataset } else { whole.unwrap_or(dataset) });
    }
    let has = |dataset: &Dataset, name: &Name| {
        dataset.terms.tables.iter().any(|table| table.name == name.text)
            || dataset.terms.public.iter().any(|table| table.name == name.text)
            || dataset.name == name.text
    };
    let is_fit = |dataset: &&Arc<Dataset>| mine(dataset) && names().all(|name| has(dataset, name));
    let all: Vec<&Arc<Dataset>> = datasets.values().filter(is_fit).collect();
    match &all[..] {
        [only] => Ok(only),
        [] => {
            // The planner says which of the tables does not exist.
            let begun: Vec<&Arc<Dataset>> = datasets.values().filter(|one| mine(one) && has(one, first)).collect();
            match &begun[..] {
                [only] => Ok(only),
                some => Err(some.iter().map(|dataset| dataset.name.clone()).collect()),
            }
        }
        some => Err(some.iter().map(|dataset| dataset.name.clone()).collect()),
    }
}
