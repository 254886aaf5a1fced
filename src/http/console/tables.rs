//! The tables that a researcher can name in a question, over all of their datasets.

use std::collections::BTreeSet;

use crate::query::terms::domain::Column;
use crate::service::Dataset;

/// A table that can be named after `FROM`.
pub struct AskableTable<'a> {
    /// Its name in SQL.
    pub name: &'a str,
    /// A title for people to read, if the policy gives one.
    pub title: Option<&'a str>,
    /// The column that names the unit; `row` if every row is one.
    pub unit: &'a str,
    /// Its columns, without the unit's.
    pub columns: &'a [Column],
    /// Whether it is published as it is, so that asking about it costs nothing.
    pub is_public: bool,
}

/// The tables of some datasets, each once, in the datasets' order.
pub fn tables<'a>(datasets: &[&'a Dataset]) -> Vec<AskableTable<'a>> {
    let mut seen = BTreeSet::new();
    let all = datasets.iter().flat_map(|dataset| {
        let (terms, unit) = (&dataset.terms, dataset.terms.unit.name());
        let own = terms.tables.is_empty().then(|| AskableTable {
            name: &dataset.name,
            title: dataset.title.as_deref(),
            unit,
            columns: terms.own(),
            is_public: false,
        });
        let several = terms.tables.iter().map(move |table| AskableTable {
            name: &table.name,
            title: table.title.as_deref(),
            unit,
            columns: &table.columns,
            is_public: false,
        });
        let public = terms.public.iter().map(move |table| AskableTable {
            name: &table.name,
            title: None,
            unit,
            columns: &table.columns,
            is_public: true,
        });
        own.into_iter().chain(several).chain(public)
    });
    all.filter(|table| seen.insert(table.name)).collect()
}
