//! Expressions, one after the other.

use sqlparser::ast::{AccessExpr, CaseWhen, Expr, Spanned, Subscript, UnaryOperator};

use super::error::FreeError;
use super::kind::{Base, Kind};
use super::literals::{Open, Typed, quoted};
use super::scope::{Scope, folded};
use super::translate::{Translator, wider, within};
use super::types::kind_of;

impl Translator<'_> {
    /// An expression with its type.
    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, FreeError> {
        let typed = self.any_expr(expr, scope)?;
        within(typed.sql.len())?;
        Ok(typed)
    }

    fn any_expr(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, FreeError> {
        Ok(match expr {
            Expr::Identifier(name)
                if name.quote_style.is_none() && scope.field(std::slice::from_ref(name)).is_err() =>
            {
                self.bare(name, scope)?
            }
            Expr::Identifier(name) => {
                let field = scope.field(std::slice::from_ref(name))?;
                Typed::new(field.sql, field.kind)
            }
            Expr::CompoundIdentifier(names) => {
                let field = scope.field(names)?;
                Typed::new(field.sql, field.kind)
            }
            Expr::Value(value) => self.literal(&value.value).map_err(|error| error.at(value.span.start))?,
            Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => {
                let typed = self.expr(inner, scope)?;
                Typed { sql: format!("({})", typed.sql), ..typed }
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, scope)?,
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, scope)?,
            Expr::Cast { expr: inner, data_type, .. } => {
                let typed = self.expr(inner, scope)?;
                let to = kind_of(data_type).map_err(|error| error.at(inner.span().end))?;
                self.cast(typed, to).map_err(|error| error.at(inner.span().start))?
            }
            Expr::TypedString(typed) => {
                let text = self.literal(&typed.value.value)?;
                let to = kind_of(&typed.data_type)?;
                self.cast(text, to).map_err(|error| error.at(typed.value.span.start))?
            }
            Expr::IsTrue(inner) => self.is(inner, "IS 1", scope)?,
            Expr::IsNotTrue(inner) => self.is(inner, "IS NOT 1", scope)?,
            Expr::IsFalse(inner) => self.is(inner, "IS 0", scope)?,
            Expr::IsNotFalse(inner) => self.is(inner, "IS NOT 0", scope)?,
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => self.is(inner, "IS NULL", scope)?,
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => self.is(inner, "IS NOT NULL", scope)?,
            Expr::Function(function) => self.function(function, scope)?,
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), scope)?
            }
            Expr::Exists { subquery, negated } => {
                let made = self.query(subquery, Some(scope))?;
                Typed::truth(format!("({}EXISTS ({}))", if *negated { "NOT " } else { "" }, made.sql))
            }
            Expr::Subquery(query) => {
                let made = self.query(query, Some(scope))?;
                let [field] = made.fields.as_slice() else {
                    return Err(FreeError::new("42601", "subquery must return only one column").at(query.span().start));
                };
                Typed::new(format!("({})", made.sql), super::translate::settled(field.kind))
            }
            Expr::Array(array) => self.array(&array.elem, scope)?,
            Expr::Tuple(items) => {
                let typed = self.all(items, scope)?;
                let sql: Vec<String> = typed.into_iter().map(|one| one.sql).collect();
                Typed::new(format!("({})", sql.join(", ")), Kind::of(Base::Record))
            }
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain, scope)?,
            other => self.special(other, scope)?,
        })
    }

    /// Translates an expression that has to be a condition.
    pub(super) fn truth(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<String, FreeError> {
        let typed = self.expr(expr, scope)?;
        let typed = self.fit(typed, Kind::BOOL)?;
        if typed.kind != Kind::BOOL {
            let message = format!("argument of a condition must be type boolean, not type {}", typed.kind.name());
            return Err(FreeError::new("42804", message).at(expr.span().start));
        }
        Ok(typed.sql)
    }

    /// Several expressions.
    pub(super) fn all(&mut self, exprs: &[Expr], scope: &Scope<'_>) -> Result<Vec<Typed>, FreeError> {
        exprs.iter().map(|expr| self.expr(expr, scope)).collect()
    }

    /// A name that is no column: a function that is written without parentheses.
    fn bare(&mut self, name: &sqlparser::ast::Ident, scope: &Scope<'_>) -> Result<Typed, FreeError> {
        const BARE: [&str; 9] = [
            "current_user",
            "session_user",
            "current_role",
            "user",
            "current_catalog",
            "current_schema",
            "current_date",
            "current_timestamp",
            "localtimestamp",
        ];
        let folded = folded(name);
        if BARE.contains(&folded.as_str()) {
            return self.call(&folded, &[], scope, name.span.start);
        }
        let field = scope.field(std::slice::from_ref(name))?;
        Ok(Typed::new(field.sql, field.kind))
    }

    fn is(&mut self, inner: &Expr, test: &str, scope: &Scope<'_>) -> Result<Typed, FreeError> {
        let typed = self.expr(inner, scope)?;
        let typed = self.fit(typed, if test.ends_with("NULL") { Kind::TEXT } else { Kind::BOOL })?;
        Ok(Typed::truth(format!("({} {test})", typed.sql)))
    }

    fn unary(&mut self, op: UnaryOperator, inner: &Expr, scope: &Scope<'_>) -> Result<Typed, FreeError> {
        if op == UnaryOperator::Not {
            return Ok(Typed::truth(format!("(NOT {})", self.truth(inner, scope)?)));
        }
        let typed = self.expr(inner, scope)?;
        let typed = self.fit(typed, Kind::FLOAT8)?;
        let sql = match op {
            UnaryOperator::Minus => format!("(-{})", typed.sql),
            UnaryOperator::Plus => format!("(+{})", typed.sql),
            UnaryOperator::BitwiseNot => format!("(~{})", typed.sql),
            UnaryOperator::PGAbs => format!("f_abs({})", typed.sql),
            other => return Err(FreeError::unsupported(format!("the operator {other}"))),
        };
        Ok(Typed::new(sql, typed.kind))
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Result<Typed, FreeError> {
        let operand = operand.map(|operand| self.expr(operand, scope)).transpose()?;
        // Every test has a copy of the operand, and the operand may be such a CASE itself.
        within(operand.as_ref().map_or(0, |operand| operand.sql.len().saturating_mul(conditions.len())))?;
        let (mut tests, mut results) = (Vec::new(), Vec::new());
        for CaseWhen { condition, result } in conditions {
            tests.push(match &operand {
                None => self.truth(condition, scope)?,
                Some(operand) => {
                    let value = self.expr(condition, scope)?;
                    let (left, right) = self.pair(operand.clone(), value)?;
                    format!("{} = {}", left.sql, right.sql)
                }
            });
            results.push(self.expr(result, scope)?);
        }
        if let Some(otherwise) = otherwise {
            results.push(self.expr(otherwise, scope)?);
        }
        let (results, kind) = self.alike(results)?;
        let mut sql = String::from("CASE");
        for (test, result) in tests.iter().zip(&results) {
            sql.push_str(&format!(" WHEN {test} THEN {}", result.sql));
        }
        if let (true, Some(last)) = (otherwise.is_some(), results.last()) {
            sql.push_str(&format!(" ELSE {}", last.sql));
        }
        Ok(Typed::new(format!("({sql} END)"), kind))
    }

    /// Expressions of which one is taken, with the type that they have in common.
    pub(super) fn alike(&mut self, all: Vec<Typed>) -> Result<(Vec<Typed>, Kind), FreeError> {
        let kind = super::translate::settled(all.iter().map(|one| one.kind).fold(Kind::UNKNOWN, wider));
        let all = all.into_iter().map(|one| match one.open {
            Open::No if one.kind.base == Base::Date && kind.base != Base::Date => self.cast(one, kind),
            _ => self.fit(one, kind),
        });
        Ok((all.collect::<Result<_, _>>()?, kind))
    }

    fn array(&mut self, elements: &[Expr], scope: &Scope<'_>) -> Result<Typed, FreeError> {
        let typed = self.all(elements, scope)?;
        let (typed, kind) = self.alike(typed)?;
        let sql: Vec<String> = typed.into_iter().map(|one| one.sql).collect();
        Ok(Typed::new(format!("json_array({})", sql.join(", ")), Kind::array(kind.base)))
    }

    /// `x[1]` and `(x).field`.
    fn access(&mut self, root: &Expr, chain: &[AccessExpr], scope: &Scope<'_>) -> Result<Typed, FreeError> {
        // A qualified name whose last part is followed by a subscript comes in pieces.
        let mut names = match root {
            Expr::Identifier(name) => vec![name.clone()],
            Expr::CompoundIdentifier(names) => names.clone(),
            _ => Vec::new(),
        };
        let mut rest = chain;
        while let ([AccessExpr::Dot(Expr::Identifier(name)), tail @ ..], false) = (rest, names.is_empty()) {
            names.push(name.clone());
            rest = tail;
        }
        let mut typed = if names.is_empty() {
            self.expr(root, scope)?
        } else {
            let field = scope.field(&names)?;
            Typed::new(field.sql, field.kind)
        };
        for access in rest {
            typed = match access {
                AccessExpr::Dot(Expr::Identifier(name)) if typed.kind.base == Base::Record => {
                    let path = quoted(&format!("$.{}", folded(name)));
                    let base = if folded(name) == "n" { Base::Int4 } else { Base::Int2 };
                    Typed::new(format!("json_extract({}, {path})", typed.sql), Kind::of(base))
                }
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    let index = self.expr(index, scope)?;
                    let index = self.fit(index, Kind::INT4)?;
                    let element = typed.kind.element().ok_or_else(|| {
                        FreeError::new("42804", "cannot subscript what is no array").at(root.span().start)
                    })?;
                    let first = typed.kind.first_index();
                    Typed::new(format!("f_subscript({}, {}, {first})", typed.sql, index.sql), element)
                }
                other => return Err(FreeError::unsupported(format!("{other}")).at(root.span().start)),
            };
        }
        Ok(typed)
    }
}
