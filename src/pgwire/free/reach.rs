//! Which tables a statement reads: free ones, a dataset's, or both.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, Statement, TableFactor, Visit, Visitor};

use super::from::relation_of;
use super::scope::folded;
use super::titles::parts;
use crate::pgwire::catalogue::names::Names;
use crate::pgwire::catalogue::relation::{OWN, PUBLISHED, Source};

/// What a statement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Free tables alone, or none at all.
    Free,
    /// Tables of datasets, or tables that do not exist; it is a question.
    Private,
    /// Both, which is refused.
    Mixed,
}

/// The tables of a statement, and the queries of WITH.
#[derive(Default)]
struct Tables {
    named: Vec<Vec<String>>,
    common: HashSet<String>,
}

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let common = query.with.iter().flat_map(|with| &with.cte_tables);
        self.common.extend(common.map(|cte| folded(&cte.alias.name)));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.named.push(parts(name as &ObjectName));
        }
        ControlFlow::Continue(())
    }
}

/// What a statement reads.
pub(super) fn reach(names: &Names, statement: &Statement) -> Reach {
    let mut tables = Tables::default();
    let _ = statement.visit(&mut tables);
    let (mut free, mut private) = (false, false);
    for parts in tables.named {
        if parts.len() == 1 && tables.common.contains(&parts[0]) {
            continue;
        }
        let schema = parts.len().checked_sub(2).map(|place| parts[place].as_str());
        let is_free = match relation_of(names, &parts) {
            Some(relation) => !matches!(relation.source, Source::Private),
            // What is missing there is missing: no dataset's table has these schemas.
            None => {
                schema.is_some_and(|schema| matches!(schema, "pg_catalog" | "information_schema" | PUBLISHED | OWN))
            }
        };
        if is_free { free = true } else { private = true }
    }
    match (free, private) {
        (true, true) => Reach::Mixed,
        (false, true) => Reach::Private,
        (_, false) => Reach::Free,
    }
}
