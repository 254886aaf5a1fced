//! Expressions of a part of a query, outside of the queries in parentheses that stand in it.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, VisitMut, VisitorMut};

/// Lets `act` change each expression, the inner ones first, until it breaks off. Queries in parentheses have names of their own, so they
/// are left as they are.
pub(super) fn outside<B>(part: &mut impl VisitMut, act: impl FnMut(&mut Expr) -> ControlFlow<B>) -> ControlFlow<B> {
    part.visit(&mut Outside { act, queries: 0 })
}

struct Outside<F> {
    act: F,
    queries: usize,
}

impl<B, F: FnMut(&mut Expr) -> ControlFlow<B>> VisitorMut for Outside<F> {
    type Break = B;

    fn pre_visit_query(&mut self, _: &mut ast::Query) -> ControlFlow<B> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut ast::Query) -> ControlFlow<B> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<B> {
        if self.queries == 0 { (self.act)(expr) } else { ControlFlow::Continue(()) }
    }
}
