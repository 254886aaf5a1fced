//! Parser of GROUP BY: keys, and grouping sets.
//!
//! Promises keys without duplicates, and that the number of grouping sets is known before any is built.

use sqlparser::ast::{Expr, GroupByExpr, Spanned};

use super::expressions::expression;
use super::limits::Budget;
use super::nodes::{absent, start, unsupported};
use super::select::ordinal;
use crate::query::answer::grouping_sets::{KEYS_MAX, SETS_MAX};
use crate::query::error::{Code, Position, QueryError};
use crate::query::syntax::Key;

/// The keys, and the grouping sets if there are several.
pub(super) type Grouped = (Vec<Key>, Option<Vec<Vec<usize>>>);

pub(super) fn keys(group_by: &GroupByExpr, at: Position, budget: &mut Budget) -> Result<Grouped, QueryError> {
    let GroupByExpr::Expressions(exprs, modifiers) = group_by else {
        return Err(unsupported(at, "GROUP BY ALL is not supported").hint("write the names of the keys: GROUP BY a, b"));
    };
    absent(!modifiers.is_empty(), at, "a modifier of GROUP BY")?;
    let (mut keys, mut sets, mut has_sets) = (Vec::new(), vec![Vec::new()], false);
    for expr in exprs {
        let mut of = |list: &[Expr]| {
            list.iter().map(|one| place(&mut keys, one, budget)).collect::<Result<Vec<usize>, QueryError>>()
        };
        let mut parts = |parts: &[Vec<Expr>]| parts.iter().map(|part| of(part)).collect::<Result<Vec<_>, _>>();
        let more = match expr {
            Expr::Rollup(list) => {
                check_sets(sets.len(), list.len().saturating_add(1), at)?;
                let parts = parts(list)?;
                (0..=parts.len()).rev().map(|count| parts[..count].concat()).collect()
            }
            Expr::Cube(list) if list.len() > KEYS_MAX => {
                let message = format!("CUBE of {} keys; accepted are at most {KEYS_MAX}", list.len());
                return Err(QueryError::at(Code::TooManyGroups, at, message).hint("ask for fewer groupings at a time"));
            }
            Expr::Cube(list) => {
                check_sets(sets.len(), 1 << list.len(), at)?;
                subsets(&parts(list)?)
            }
            Expr::GroupingSets(list) => {
                check_sets(sets.len(), list.len(), at)?;
                parts(list)?
            }
            // No key at all: all rows are one group.
            Expr::Tuple(parts) if parts.is_empty() => vec![Vec::new()],
            other => vec![of(std::slice::from_ref(other))?],
        };
        has_sets |= matches!(expr, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
        if let [one] = &more[..] {
            sets.iter_mut().for_each(|set: &mut Vec<usize>| set.extend(one));
            continue;
        }
        // Several elements of GROUP BY are combined pairwise, as SQL defines.
        let both =
            |one: &Vec<usize>| more.iter().map(move |other| [one.as_slice(), other].concat()).collect::<Vec<_>>();
        sets = sets.iter().flat_map(both).collect();
    }
    Ok((keys, has_sets.then_some(sets)))
}

/// Refuses too many grouping sets, before any is built: each of `sets` is combined with each of `more`.
fn check_sets(sets: usize, more: usize, at: Position) -> Result<(), QueryError> {
    let all = sets.saturating_mul(more);
    if all <= SETS_MAX {
        return Ok(());
    }
    let message = format!("{all} groupings; accepted are at most {SETS_MAX}");
    Err(QueryError::at(Code::TooManyGroups, at, message).hint("ask for fewer groupings at a time"))
}

/// All subsets of the parts, in the order of CUBE: the whole set first.
fn subsets(parts: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let chosen = |choice: u32| {
        let parts = parts.iter().enumerate().filter(|(at, _)| choice >> at & 1 == 0);
        parts.flat_map(|(_, part)| part.clone()).collect()
    };
    (0..1_u32 << parts.len()).map(chosen).collect()
}

/// Index of a key in `keys`, to which it is added if it is new.
fn place(keys: &mut Vec<Key>, expr: &Expr, budget: &mut Budget) -> Result<usize, QueryError> {
    let key = match expr {
        Expr::Value(value) => match ordinal(&value.value) {
            Some(ordinal) => Key::Ordinal(ordinal, start(value.span)),
            None => return Err(unsupported(start(value.span), "GROUP BY wants columns, or expressions of them")),
        },
        Expr::Tuple(_) => {
            return Err(unsupported(
                start(expr.span()),
                "a list of keys in parentheses stands in ROLLUP, CUBE or GROUPING SETS",
            ));
        }
        other => Key::By(expression(other, 0, budget)?),
    };
    let known = keys.iter().position(|known| match (known, &key) {
        (Key::By(one), Key::By(other)) => one == other,
        (Key::Ordinal(one, _), Key::Ordinal(other, _)) => one == other,
        (Key::By(_), Key::Ordinal(..)) | (Key::Ordinal(..), Key::By(_)) => false,
    });
    Ok(known.unwrap_or_else(|| {
        keys.push(key);
        keys.len() - 1
    }))
}
