//! What stands in an expression, outside of queries in parentheses.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, GroupByExpr, Ident, Visit, Visitor};

use super::super::nodes::name;
use super::super::outputs::is_aggregate;
use super::super::survival::is_curve;

/// What stands in an expression, outside of queries in parentheses.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whether an aggregate stands in it that is no window.
    pub(super) has_aggregate: bool,
    /// Whether a window stands in it.
    pub(super) has_window: bool,
    /// Whether a query in parentheses stands in it.
    pub(super) has_query: bool,
    /// Number of expressions in it.
    pub(super) parts: usize,
    /// How deep they stand in each other.
    pub(super) levels: usize,
    /// The names of columns, without those of tables.
    pub(super) names: Vec<String>,
    /// Whether a query inside of another one aggregates or groups.
    has_answer: bool,
    selects: usize,
    queries: usize,
    level: usize,
}

/// Largest depth of expressions in a query that is written anew.
const LEVELS_MAX: usize = 100;
/// Largest number of SELECTs in a query that is written anew.
const SELECTS_MAX: usize = 64;

impl Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.has_query = true;
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &ast::Select) -> ControlFlow<()> {
        self.selects += 1;
        let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
        self.has_answer |= self.queries > 1 && (is_grouped || select.distinct.is_some());
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, _: &ast::TableFactor) -> ControlFlow<()> {
        self.level += 1;
        self.levels = self.levels.max(self.level);
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, _: &ast::TableFactor) -> ControlFlow<()> {
        self.level -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.parts += 1;
        self.level += 1;
        self.levels = self.levels.max(self.level);
        if let (Expr::Function(call), true) = (expr, self.queries > 1) {
            let word = call.name.to_string().to_lowercase();
            self.has_answer |= call.over.is_none() && (is_aggregate(&word) || is_curve(&word));
        }
        if self.queries > 0 {
            return ControlFlow::Continue(());
        }
        let of = |ident: &Ident| name(ident).text;
        match expr {
            Expr::Function(call) => {
                let word = call.name.to_string().to_lowercase();
                self.has_window |= call.over.is_some();
                self.has_aggregate |= call.over.is_none() && (is_aggregate(&word) || word == "grouping");
            }
            Expr::Identifier(ident) => self.names.push(of(ident)),
            Expr::CompoundIdentifier(parts) => self.names.extend(parts.last().map(of)),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.level -= 1;
        ControlFlow::Continue(())
    }
}

/// What stands in an expression.
pub(super) fn found(expr: &Expr) -> Found {
    let mut found = Found::default();
    // It never breaks off.
    let _: ControlFlow<()> = expr.visit(&mut found);
    found
}

/// Whether a query may be one over an answer, and is small enough to be written anew: copies of what is deeper would not fit on the stack.
pub(super) fn may_be_over_answer(query: &ast::Query) -> bool {
    is_over_answer(query, SELECTS_MAX)
}

/// Whether a query may be one over a union of answers. Each of these is written anew by itself, so that there may be more of them.
pub(super) fn may_be_over_union(query: &ast::Query) -> bool {
    is_over_answer(query, 4 * SELECTS_MAX)
}

fn is_over_answer(query: &ast::Query, selects_max: usize) -> bool {
    let mut found = Found::default();
    // It never breaks off.
    let _: ControlFlow<()> = query.visit(&mut found);
    found.has_answer && found.levels <= LEVELS_MAX && found.selects <= selects_max
}

/// The names of columns in several expressions.
pub(super) fn names_in<'a>(exprs: impl Iterator<Item = &'a Expr>) -> Vec<String> {
    exprs.flat_map(|expr| found(expr).names).collect()
}

/// Whether a key of GROUP BY stands for several groupings.
pub(super) fn is_grouping_sets(key: &Expr) -> bool {
    matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_))
}
