//! Copies of expressions, counted before they are made.
//!
//! Promises that rewriting a query takes no more memory than its limits allow: a short text can have names and spellings that stand for each
//! other, and written out it would double with each of them.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Visit, Visitor};

use super::limits::{DEPTH_MAX, NODES_MAX, too_deep};
use crate::query::error::{Code, QueryError};

/// Largest number of expressions in all copies together. Names, operators, constants and parentheses are one each.
const COPIED_MAX: usize = 16 * NODES_MAX;

/// The copies that were counted so far.
#[derive(Debug, Default)]
pub(super) struct Copies {
    expressions: usize,
}

impl Copies {
    /// Counts so many copies of an expression.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] if all copies together would have too many parts, or this one is nested too deep.
    pub(super) fn count(&mut self, of: &Expr, times: usize) -> Result<(), QueryError> {
        let mut size = ExpressionSize::default();
        // It never breaks off.
        let _: ControlFlow<()> = of.visit(&mut size);
        if size.deepest > DEPTH_MAX {
            return Err(too_deep());
        }
        self.expressions = self.expressions.saturating_add(size.expressions.saturating_mul(times));
        if self.expressions > COPIED_MAX {
            let message = format!("written out, the query has more than {COPIED_MAX} parts");
            return Err(QueryError::whole(Code::UnsupportedSql, message)
                .hint("a name, a FILTER and OVERLAPS count with all that they stand for, as often as it is used"));
        }
        Ok(())
    }
}

#[derive(Default)]
struct ExpressionSize {
    expressions: usize,
    level: usize,
    deepest: usize,
}

impl Visitor for ExpressionSize {
    type Break = ();

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.expressions += 1;
        self.level += 1;
        self.deepest = self.deepest.max(self.level);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.level -= 1;
        ControlFlow::Continue(())
    }
}
