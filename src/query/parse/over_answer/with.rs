//! Names of WITH, replaced by their queries.
//!
//! Promises that what a name means does not change: where that cannot be seen at once, nothing is replaced.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{self, Ident, ObjectName, ObjectNamePart, TableAlias, TableFactor, VisitMut, VisitorMut};
use sqlparser::ast::{Visit, Visitor};

use super::super::nodes::name;

/// Largest number of uses of names of WITH, each counted with those that its query uses in turn.
const USES_MAX: usize = 64;
/// Largest depth of names whose queries use each other: copies of what is deeper would not fit on the stack.
const DEPTH_MAX: usize = 12;

/// A query of WITH in which every name of WITH is replaced.
struct Definition {
    name: String,
    alias: TableAlias,
    query: ast::Query,
    /// Number of uses of names in it.
    uses: usize,
    /// How deep the queries of these names stand in each other.
    depth: usize,
    is_used: bool,
}

struct Replacing {
    known: Vec<Definition>,
    uses: usize,
    depth: usize,
}

/// The single name of a table.
fn table_name(object: &ObjectName) -> Option<&Ident> {
    match &object.0[..] {
        [ObjectNamePart::Identifier(ident)] => Some(ident),
        _ => None,
    }
}

impl VisitorMut for Replacing {
    type Break = ();

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name: object, alias, args, sample, with_ordinality, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let Some(table) = table_name(object) else { return ControlFlow::Continue(()) };
        let text = name(table).text;
        let is_plain = args.is_none() && sample.is_none() && !*with_ordinality;
        let Some(found) = self.known.iter_mut().find(|known| known.name == text) else {
            return ControlFlow::Continue(());
        };
        self.uses += 1 + found.uses;
        self.depth = self.depth.max(1 + found.depth);
        if self.uses > USES_MAX || self.depth > DEPTH_MAX || !is_plain {
            return ControlFlow::Break(());
        }
        found.is_used = true;
        let mut named = alias.take().unwrap_or_else(|| TableAlias {
            explicit: true,
            name: table.clone(),
            columns: Vec::new(),
            at: None,
        });
        // Names for columns behind the table come before those behind the name of WITH.
        let rest = found.alias.columns.iter().skip(named.columns.len()).cloned();
        named.columns.extend(rest);
        let subquery = Box::new(found.query.clone());
        *factor = TableFactor::Derived { lateral: false, subquery, alias: Some(named), sample: None };
        ControlFlow::Continue(())
    }
}

/// Counts queries with a WITH of their own, and the names of tables.
#[derive(Default)]
struct Tables {
    withs: usize,
    names: HashSet<String>,
}

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        self.withs += usize::from(query.with.is_some());
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.names.extend(table_name(relation).map(|ident| name(ident).text));
        ControlFlow::Continue(())
    }
}

fn tables(query: &ast::Query) -> Tables {
    let mut tables = Tables::default();
    // It never breaks off.
    let _: ControlFlow<()> = query.visit(&mut tables);
    tables
}

/// The names of all tables in a query, whether they are names of WITH or not.
pub(super) fn names_of(query: &ast::Query) -> HashSet<String> {
    tables(query).names
}

/// The query with the names of its WITH replaced; those that it does not use stay in WITH, to be read and refused as ever. `None` where a
/// name could come to mean something else, and where names are used very often.
pub(in crate::query::parse) fn resolved(query: &ast::Query) -> Option<ast::Query> {
    let Some(clause) = &query.with else { return Some(query.clone()) };
    if tables(query).withs > 1 || clause.recursive {
        return None;
    }
    let mut replacing = Replacing { known: Vec::new(), uses: 0, depth: 0 };
    for cte in &clause.cte_tables {
        let text = name(&cte.alias.name).text;
        if cte.from.is_some() || cte.alias.at.is_some() || replacing.known.iter().any(|known| known.name == text) {
            return None;
        }
        let mut of = cte.query.as_ref().clone();
        (replacing.uses, replacing.depth) = (0, 0);
        if VisitMut::visit(&mut of, &mut replacing).is_break() {
            return None;
        }
        let (uses, depth) = (replacing.uses, replacing.depth);
        let alias = cte.alias.clone();
        replacing.known.push(Definition { name: text, alias, query: of, uses, depth, is_used: false });
    }
    (replacing.uses, replacing.depth) = (0, 0);
    let mut of = ast::Query { with: None, ..query.clone() };
    if VisitMut::visit(&mut of, &mut replacing).is_break() {
        return None;
    }
    let left: Vec<_> = clause.cte_tables.iter().zip(&replacing.known).filter(|(_, known)| !known.is_used).collect();
    let names = tables(&of).names;
    if left.iter().any(|(_, known)| names.contains(&known.name)) {
        return None;
    }
    let rest = left.into_iter().map(|(cte, known)| ast::Cte { query: Box::new(known.query.clone()), ..cte.clone() });
    let cte_tables: Vec<_> = rest.collect();
    of.with = (!cte_tables.is_empty()).then(|| ast::With { cte_tables, ..clause.clone() });
    Some(of)
}
