//! The plans of charged questions, made anew from the terms of their editions.

use std::collections::HashMap;

use crate::kernel::budget::entry::{Act, Charge, Entry};
use crate::ledger::fault::EntryFault;
use crate::query::parse::parse;
use crate::query::plan::{Plan, replan};
use crate::query::terms::edition::of_table;
use crate::query::terms::policy::Terms;

/// The terms of every edition, by its id, each with the name of its dataset.
#[derive(Default)]
pub(super) struct ChargedPlans {
    editions: HashMap<String, (String, Terms)>,
}

impl ChargedPlans {
    /// Learns the terms of an edition from the entry that sealed it.
    pub(super) fn learn(&mut self, entry: &Entry) {
        if let Act::EditionSealed { dataset, edition, terms, .. } = &entry.act
            && let Ok(terms) = serde_json::from_str::<Terms>(terms)
        {
            for join in &terms.joins {
                let own = (dataset.clone(), terms.of_table(join));
                self.editions.insert(of_table(edition, &join.name), own);
            }
            self.editions.insert(edition.clone(), (dataset.clone(), terms));
        }
    }

    /// Whether the terms of an edition are known.
    pub(super) fn has(&self, edition: &str) -> bool {
        self.editions.contains_key(edition)
    }

    /// The plan of a charge's question, with the name and the terms of its dataset.
    pub(super) fn plan(&self, charged: &Charge) -> Result<(Plan, &str, &Terms), EntryFault> {
        let (dataset, terms) = self.editions.get(&charged.edition).ok_or(EntryFault::UnknownEdition)?;
        if *dataset != charged.dataset {
            return Err(EntryFault::OtherDataset);
        }
        let query = parse(&charged.sql).map_err(|_| EntryFault::UnreadableSql)?;
        // A table of several may stand without its dataset's name; a table that a dataset is joined with has an edition of its own.
        let has_tables = !terms.tables.is_empty() || !terms.joins.is_empty();
        let query = if has_tables { query.about(dataset) } else { query };
        let is_it = |plan: &Plan| plan.view(&charged.edition) == charged.view;
        let plan = replan(&query, terms, charged.rows_per_unit, is_it).map_err(|_| EntryFault::UnplannableSql)?;
        Ok((plan, dataset, terms))
    }
}
