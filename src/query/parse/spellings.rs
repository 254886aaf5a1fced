//! Spellings that are written out before anything is read: `GROUP BY ALL`, OVERLAPS, and `= ANY` of an array of one unit's values.
//!
//! Promises SQL that means the same in forms that the rest of the parser knows. What it does not rewrite is refused where it is read.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, BinaryOperator, CaseWhen, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, ObjectName, SelectItem, SetExpr, Spanned, Statement,
    TableFactor, Value, ValueWithSpan, VisitMut, VisitorMut,
};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::after::{has_aggregate, is_of_columns};
use super::copies::Copies;
use super::intervals::is_interval;
use super::nodes::name;
use super::outside::outside;
use crate::query::error::QueryError;

/// Writes the spellings of a statement out.
///
/// # Errors
/// Those of [`Copies::count`].
pub(super) fn written_out(statement: &mut Statement) -> Result<(), QueryError> {
    match statement.visit(&mut Spellings::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

#[derive(Default)]
struct Spellings {
    copies: Copies,
}

impl VisitorMut for Spellings {
    type Break = Box<QueryError>;

    fn pre_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<Self::Break> {
        flow(self.body(&mut query.body))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match self.replaced(expr) {
            Ok(None) => {}
            Ok(Some(replaced)) => *expr = replaced,
            Err(error) => return ControlFlow::Break(Box::new(error)),
        }
        ControlFlow::Continue(())
    }
}

fn flow(of: Result<(), QueryError>) -> ControlFlow<Box<QueryError>> {
    of.map_or_else(|error| ControlFlow::Break(Box::new(error)), ControlFlow::Continue)
}

/// How often OVERLAPS writes each of its two periods out, at the most.
const OVERLAPS_COPIES: usize = 32;

impl Spellings {
    /// What an expression is written out as; `None` if it is no such spelling.
    fn replaced(&mut self, expr: &Expr) -> Result<Option<Expr>, QueryError> {
        match expr {
            Expr::BinaryOp { left, op: BinaryOperator::Overlaps, right } => {
                self.copies.count(left, OVERLAPS_COPIES)?;
                self.copies.count(right, OVERLAPS_COPIES)?;
                Ok(overlaps(left, right))
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } if is_constant(left) => {
                self.copies.count(right, ANY_COPIES)?;
                Ok(of_array(right).map(|of| among(left, of)))
            }
            _ => Ok(None),
        }
    }

    fn body(&mut self, of: &mut SetExpr) -> Result<(), QueryError> {
        match of {
            SetExpr::Select(select) => {
                all_keys(select);
                self.qualified(select)?;
                self.arrays(select)
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left)?;
                self.body(right)
            }
            // A query in parentheses is visited by itself.
            _ => Ok(()),
        }
    }

    /// Replaces names of aggregates and windows in QUALIFY by what they stand for.
    fn qualified(&mut self, select: &mut ast::Select) -> Result<(), QueryError> {
        let ast::Select { projection, qualify: Some(condition), .. } = select else { return Ok(()) };
        let named = projection.iter().filter_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if has_aggregate(expr) => Some((name(alias).text, expr)),
            _ => None,
        });
        let named: Vec<(String, &Expr)> = named.collect();
        let replaced = outside(condition, |expr| {
            let Expr::Identifier(ident) = &*expr else { return ControlFlow::Continue(()) };
            let text = name(ident).text;
            let Some((_, of)) = named.iter().find(|(known, _)| *known == text) else {
                return ControlFlow::Continue(());
            };
            if let Err(error) = self.copies.count(of, 1) {
                return ControlFlow::Break(error);
            }
            *expr = nested((*of).clone());
            ControlFlow::Continue(())
        });
        match replaced {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// Replaces `constant = ANY (name)`, where the name is that of an array which a query in FROM makes, by a truth value that this query makes
    /// instead.
    fn arrays(&mut self, select: &mut ast::Select) -> Result<(), QueryError> {
        let ast::Select { from, projection, selection, .. } = select;
        for table in from {
            let joins = table.joins.iter_mut().map(|join| &mut join.relation);
            for relation in std::iter::once(&mut table.relation).chain(joins) {
                let TableFactor::Derived { subquery, .. } = relation else { continue };
                let SetExpr::Select(inner) = subquery.body.as_mut() else { continue };
                let found = inner.projection.iter().filter_map(|item| match item {
                    SelectItem::ExprWithAlias { expr, alias } => Some((name(alias).text, of_array(expr)?.clone())),
                    _ => None,
                });
                let found: Vec<(String, Expr)> = found.collect();
                if found.is_empty() {
                    continue;
                }
                let mut replacing = Replacing { copies: &mut self.copies, found, made: Vec::new() };
                if let ControlFlow::Break(error) = selection.visit(&mut replacing) {
                    return Err(*error);
                }
                if let ControlFlow::Break(error) = projection.visit(&mut replacing) {
                    return Err(*error);
                }
                let Replacing { found, made, .. } = replacing;
                if made.is_empty() {
                    continue;
                }
                // An array by itself is nothing that can be asked for.
                let is_array = |item: &SelectItem| match item {
                    SelectItem::ExprWithAlias { alias, expr } => {
                        let text = name(alias).text;
                        of_array(expr).is_some() && found.iter().any(|(known, _)| *known == text)
                    }
                    _ => false,
                };
                inner.projection.retain(|item| !is_array(item));
                let item = |(alias, expr)| SelectItem::ExprWithAlias { alias: Ident::with_quote('"', alias), expr };
                inner.projection.extend(made.into_iter().map(item));
            }
        }
        Ok(())
    }
}

/// `GROUP BY ALL` as the selected items without aggregates.
fn all_keys(select: &mut ast::Select) {
    let GroupByExpr::All(modifiers) = &select.group_by else { return };
    let item = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr.clone()),
        SelectItem::ExprWithAliases { .. } | SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => None,
    };
    if let (true, Some(items)) = (modifiers.is_empty(), select.projection.iter().map(item).collect::<Option<Vec<_>>>())
    {
        let keys = items.into_iter().filter(is_of_columns).collect();
        select.group_by = GroupByExpr::Expressions(keys, Vec::new());
    }
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

fn binary(left: &Expr, op: BinaryOperator, right: &Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left.clone()), op, right: Box::new(right.clone()) }
}

/// A call of a function with plain arguments.
fn call(word: &str, args: Vec<FunctionArgExpr>, at: &Expr) -> Expr {
    let args = args.into_iter().map(FunctionArg::Unnamed).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_span(at.span(), word)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn case(arms: Vec<(Expr, Expr)>) -> Expr {
    let token = || TokenWithSpan::wrap(Token::EOF).into();
    Expr::Case {
        case_token: token(),
        end_token: token(),
        operand: None,
        conditions: arms.into_iter().map(|(condition, result)| CaseWhen { condition, result }).collect(),
        else_result: None,
    }
}

/// The ends of a period, `(a, b)` or `(a, INTERVAL …)`: the earlier one first, whichever is written first. The second end is missing if
/// one of both is.
fn ends(period: &Expr) -> Option<(Expr, Expr)> {
    let Expr::Tuple(parts) = period else { return None };
    let [one, other] = &parts[..] else { return None };
    let other = match is_interval(other) {
        true => nested(binary(one, BinaryOperator::Plus, other)),
        false => other.clone(),
    };
    let parts = [one, &other].map(|part| FunctionArgExpr::Expr(part.clone())).to_vec();
    let first = call("LEAST", parts, one);
    let last = case(vec![
        (binary(one, BinaryOperator::LtEq, &other), other.clone()),
        (binary(one, BinaryOperator::Gt, &other), one.clone()),
    ]);
    Some((first, last))
}

/// `(a, b) OVERLAPS (c, d)` as PostgreSQL defines it: a period holds its first day and not its last one, unless both are the same.
fn overlaps(left: &Expr, right: &Expr) -> Option<Expr> {
    let ((first, last), (other_first, other_last)) = (ends(left)?, ends(right)?);
    let (and, or) = (BinaryOperator::And, BinaryOperator::Or);
    // The second comparison is never true; it is unknown if the end is.
    let within = |first: &Expr, last: &Expr, other_first: &Expr, other_last: &Expr| {
        let starts_before = binary(first, BinaryOperator::Lt, other_last);
        let ends_before = binary(last, BinaryOperator::Lt, first);
        let later = binary(first, BinaryOperator::Gt, other_first);
        nested(binary(&later, and.clone(), &nested(binary(&starts_before, or.clone(), &ends_before))))
    };
    let one = within(&first, &last, &other_first, &other_last);
    let other = within(&other_first, &other_last, &first, &last);
    let known = binary(
        &binary(&last, BinaryOperator::GtEq, &first),
        and.clone(),
        &binary(&other_last, BinaryOperator::GtEq, &other_first),
    );
    let same = nested(binary(&binary(&first, BinaryOperator::Eq, &other_first), and.clone(), &known));
    Some(nested(binary(&binary(&one, or.clone(), &other), or.clone(), &same)))
}

fn is_constant(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(_) | Expr::TypedString(_))
}

/// What an array is made of, `ARRAY_AGG([DISTINCT] a [ORDER BY …])`.
fn of_array(expr: &Expr) -> Option<&Expr> {
    let call = match expr {
        Expr::Nested(inner) => return of_array(inner),
        Expr::Function(call) => call,
        _ => return None,
    };
    let FunctionArguments::List(list) = &call.args else { return None };
    let is_plain = call.name.to_string().eq_ignore_ascii_case("array_agg")
        && call.filter.is_none()
        && call.over.is_none()
        && call.null_treatment.is_none()
        && call.within_group.is_empty()
        && matches!(list.duplicate_treatment, None | Some(DuplicateTreatment::Distinct));
    match &list.args[..] {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(of))] if is_plain => Some(of),
        _ => None,
    }
}

/// How often `= ANY` writes its array out.
const ANY_COPIES: usize = 2;

/// `constant = ANY (ARRAY_AGG(a))`: true if one of the values is the constant, and otherwise false, unless one is missing.
fn among(constant: &Expr, of: &Expr) -> Expr {
    let truth = |truth: bool| Expr::Value(ValueWithSpan { value: Value::Boolean(truth), span: of.span() });
    let is_it = nested(binary(of, BinaryOperator::Eq, constant));
    let has = call("BOOL_OR", vec![FunctionArgExpr::Expr(is_it)], of);
    let present = call("COUNT", vec![FunctionArgExpr::Expr(of.clone())], of);
    let all = call("COUNT", vec![FunctionArgExpr::Wildcard], of);
    case(vec![(has, truth(true)), (binary(&present, BinaryOperator::Eq, &all), truth(false))])
}

struct Replacing<'c> {
    copies: &'c mut Copies,
    /// The arrays by their names.
    found: Vec<(String, Expr)>,
    /// The columns that stand for comparisons with them.
    made: Vec<(String, Expr)>,
}

impl VisitorMut for Replacing<'_> {
    type Break = Box<QueryError>;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        let Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } = &*expr else {
            return ControlFlow::Continue(());
        };
        let mut array = right.as_ref();
        while let Expr::Nested(inner) = array {
            array = inner;
        }
        let column = match array {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(parts) => parts.last(),
            _ => None,
        };
        let of = column.and_then(|ident| {
            let text = name(ident).text;
            self.found.iter().find(|(known, _)| *known == text)
        });
        let (Some((array_name, of)), true) = (of, is_constant(left)) else { return ControlFlow::Continue(()) };
        if let Err(error) = self.copies.count(of, ANY_COPIES) {
            return ControlFlow::Break(Box::new(error));
        }
        let condition = among(left, of);
        let place = self.made.iter().position(|(_, known)| *known == condition).unwrap_or(self.made.len());
        let alias = format!("{array_name} has {}", place + 1);
        if place == self.made.len() {
            self.made.push((alias.clone(), condition));
        }
        let ident = Ident { quote_style: Some('"'), ..Ident::with_span(left.span(), alias) };
        *expr = Expr::Identifier(ident);
        ControlFlow::Continue(())
    }
}
